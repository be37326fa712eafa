//! Tests of `entry`: encodings come back, and no damaged one is taken.

use proptest::{collection::vec, option, prelude::*};

use super::*;

fn id() -> impl Strategy<Value = ChunkId> {
    any::<[u8; 32]>().prop_map(ChunkId::from_bytes)
}

fn root() -> impl Strategy<Value = Root> {
    (id(), 0_u8..5).prop_map(|(id, level)| Root { id, level })
}

fn extent() -> impl Strategy<Value = Extent> {
    prop_oneof![
        (id(), 1..u32::MAX).prop_map(|(id, length)| Extent::Data { id, length }),
        (1_u64..1 << 50).prop_map(Extent::Hole),
    ]
}

fn xattrs() -> impl Strategy<Value = Xattrs> {
    let one = (vec(any::<u8>(), 1..20), vec(any::<u8>(), 0..90));
    prop_oneof![
        vec(one.prop_map(|(name, value)| Xattr { name, value }), 0..4).prop_map(Xattrs::Inline),
        root().prop_map(Xattrs::List),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        vec(any::<u8>(), 0..INLINE_BYTES_MAX).prop_map(|bytes| Body::File(Content::Inline(bytes))),
        vec(extent(), 0..8).prop_map(|extents| Body::File(Content::Extents(extents))),
        root().prop_map(|root| Body::File(Content::List(root))),
        option::of(root()).prop_map(Body::Directory),
        vec(any::<u8>(), 1..90).prop_map(Body::Symlink),
        Just(Body::Fifo),
        any::<u64>().prop_map(Body::CharDevice),
        any::<u64>().prop_map(Body::BlockDevice),
    ]
}

fn time() -> impl Strategy<Value = FileTime> {
    (any::<i64>(), 0_u32..1_000_000_000).prop_map(|(seconds, nanos)| FileTime::new(seconds, nanos))
}

fn entry() -> impl Strategy<Value = Entry> {
    let numbers = (
        0_u16..0o10000,
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<u64>(),
    );
    let name = vec(any::<u8>(), 1..40).prop_filter_map("legal names", |name| Name::new(&name).ok());
    (name, numbers, time(), time(), xattrs(), body()).prop_map(
        |(name, (mode, uid, gid, inode, device), modified, changed, xattrs, body)| {
            let size = match &body {
                Body::File(Content::Inline(bytes)) => bytes.len() as u64,
                Body::File(Content::Extents(extents)) => extents.iter().map(Item::length).sum(),
                Body::File(Content::List(_)) => 1 << 30,
                _ => 0,
            };
            let links = 1 + inode % 3;
            let meta = Meta {
                mode,
                uid,
                gid,
                size,
                modified,
                changed,
                inode,
                device,
                links,
            };
            Entry {
                name,
                node: Node { meta, xattrs, body },
            }
        },
    )
}

fn encoded(entry: &Entry) -> Vec<u8> {
    let mut to = Encoder::default();
    entry.encode(&mut to);
    to.finish()
}

fn decoded(bytes: &[u8]) -> Result<Entry, Malformed> {
    let mut from = Decoder::new(bytes);
    let entry = Entry::decode(&mut from)?;
    from.finish()?;
    Ok(entry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_entry_has_one_encoding(entry in entry()) {
        let bytes = encoded(&entry);
        prop_assert!(bytes.len() >= Entry::LEN_MIN);
        prop_assert_eq!(decoded(&bytes), Ok(entry));
    }

    #[test]
    fn an_entry_cut_short_is_refused(entry in entry()) {
        let bytes = encoded(&entry);
        for cut in 0..bytes.len() {
            prop_assert!(decoded(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn an_altered_entry_never_panics_and_keeps_one_encoding(
        entry in entry(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bytes = encoded(&entry);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(other) = decoded(&bytes) {
            prop_assert_eq!(encoded(&other), bytes);
        }
    }
}

/// A small file with the name `..`, as nobody but a forger would write it.
#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    for name in [
        &b".."[..],
        b".",
        b"",
        b"a/b",
        b"/etc",
        b"a\0b",
        &[b'x'; 256],
    ] {
        let mut to = Encoder::default();
        to.blob(name);
        to.u8(4);
        to.raw(&[0; Meta::LEN]).u8(0);
        assert!(decoded(&to.finish()).is_err(), "{name:?}");
    }
    let mut to = Encoder::default();
    to.blob(b"...").u8(4).raw(&[0; Meta::LEN]).u8(0);
    assert!(decoded(&to.finish()).is_ok());
}

#[test]
fn content_that_is_not_as_long_as_its_file_is_refused() {
    let id = ChunkId::from_bytes([1; 32]);
    let meta = Meta {
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: 10,
        modified: FileTime::default(),
        changed: FileTime::default(),
        inode: 1,
        device: 1,
        links: 1,
    };
    let of = |body| {
        let node = Node {
            meta,
            xattrs: Xattrs::Inline(Vec::new()),
            body,
        };
        decoded(&encoded(&Entry {
            name: Name::new(b"f").unwrap(),
            node,
        }))
    };
    let data = |length| Extent::Data { id, length };
    assert!(of(Body::File(Content::Extents(vec![data(4), Extent::Hole(6)]))).is_ok());
    assert!(of(Body::File(Content::Extents(vec![data(4), data(5)]))).is_err());
    assert!(
        of(Body::File(Content::Extents(vec![
            Extent::Hole(u64::MAX),
            data(11)
        ])))
        .is_err()
    );
    assert!(of(Body::File(Content::Inline(vec![0; 9]))).is_err());
    assert!(of(Body::Fifo).is_err(), "only files have a size");
}

/// The bytes in docs/format.md, "Trees": they never change.
#[test]
fn the_encoding_of_version_1_is_frozen() {
    let meta = Meta {
        mode: 0o4755,
        uid: 1000,
        gid: 100,
        size: 70_000,
        modified: FileTime::new(1_700_000_000, 5),
        changed: FileTime::new(-1, 999_999_999),
        inode: 42,
        device: 8 << 32 | 1,
        links: 2,
    };
    let id = ChunkId::from_bytes([0xab; 32]);
    let body = Body::File(Content::Extents(vec![
        Extent::Hole(4464),
        Extent::Data { id, length: 65_536 },
    ]));
    let note = Xattr {
        name: b"user.note".to_vec(),
        value: b"x".to_vec(),
    };
    let node = Node {
        meta,
        xattrs: Xattrs::Inline(vec![note]),
        body,
    };
    let entry = Entry {
        name: Name::new(b"caf\xe9").unwrap(),
        node,
    };
    let format = include_str!("../../../../../docs/format.md").replace(['\n', ' '], "");
    let bytes = hex::encode(encoded(&entry));
    assert!(format.contains(&bytes), "{bytes}");
    assert_eq!(decoded(&encoded(&entry)), Ok(entry));
}
