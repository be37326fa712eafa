//! Tests of `pack`.

use strongroom_testkit::entropy::SeededEntropy;

use super::*;
use crate::{id::RepositoryId, segment::Encoding};

fn keys() -> KeyTree {
    KeyTree::new(&[1; 32], RepositoryId::from_bytes([1; 16]))
}

/// A pack of the given segments, each a list of chunks.
fn pack(stream: Stream, segments: &[&[&[u8]]]) -> FinishedPack {
    let keys = keys();
    let mut encoding = Encoding::new().unwrap();
    let mut builder = PackBuilder::new(&keys, stream, Vec::new(), &SeededEntropy::new(1));
    for chunks in segments {
        let mut draft = Draft::new(stream);
        for chunk in *chunks {
            draft.push(keys.chunk_id(stream, chunk), chunk);
        }
        let (codec, encoded) = encoding.encode(&draft.bytes, draft.grain());
        builder.append(&draft, codec, encoded);
        let mut decoding = Decoding::new().unwrap();
        builder
            .verify_last(&keys, &mut decoding, &mut Vec::new())
            .unwrap();
    }
    builder.finish()
}

/// All chunks of the pack that decode, in order.
fn chunks(view: &PackView<'_>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for segment in 0..view.directory().segments().len() {
        let segment = u32::try_from(segment).unwrap();
        view.decode(segment, &mut |_, chunk| {
            found.extend(chunk.ok().map(<[u8]>::to_vec));
        })
        .unwrap();
    }
    found
}

#[test]
fn a_bit_that_flips_after_a_chunk_was_named_is_found_before_the_pack_counts() {
    let keys = keys();
    let mut draft = Draft::new(Stream::Data);
    draft.push(keys.chunk_id(Stream::Data, b"one"), b"one");
    draft.push(keys.chunk_id(Stream::Data, b"two"), b"two");
    let verify = |draft: &Draft, flip: Option<usize>| {
        let mut builder = PackBuilder::new(&keys, Stream::Data, Vec::new(), &SeededEntropy::new(1));
        builder.append(draft, Codec::Plain, &draft.bytes);
        if let Some(at) = flip {
            builder.bytes[HEADER_LEN + at] ^= 4;
        }
        builder.verify_last(&keys, &mut Decoding::new().unwrap(), &mut Vec::new())
    };
    assert_eq!(verify(&draft, None), Ok(()));
    assert_eq!(
        verify(&draft, Some(2)),
        Err(Damage::Altered {
            at: HEADER_LEN as u64
        })
    );
    draft.bytes[4] ^= 1;
    assert_eq!(verify(&draft, None), Err(Damage::WrongId));
}

#[test]
fn a_pack_is_read_back_without_an_index() {
    let keys = keys();
    let repetitive = [b'a'; 5000];
    let pack = pack(Stream::Tree, &[&[b"one", &repetitive], &[b"three"]]);
    let view = PackView::open(&keys, pack.info.id, &pack.bytes).unwrap();
    assert_eq!(view.directory().stream(), Stream::Tree);
    assert_eq!(
        chunks(&view),
        [b"one".to_vec(), repetitive.to_vec(), b"three".to_vec()]
    );
    let codecs: Vec<_> = pack
        .segments
        .iter()
        .map(|listed| listed.extent.codec)
        .collect();
    assert_eq!(codecs, [Codec::Zstd, Codec::Plain]);
    let sealed: u32 = pack
        .segments
        .iter()
        .map(|each| each.extent.sealed_len)
        .sum();
    assert!(sealed < 1000, "compressed to {sealed} bytes");
}

#[test]
fn an_empty_pack_is_valid() {
    let pack = pack(Stream::Data, &[]);
    let keys = keys();
    let view = PackView::open(&keys, pack.info.id, &pack.bytes).unwrap();
    assert_eq!(view.directory().segments().len(), 0);
}

#[test]
fn every_flipped_bit_is_seen_by_the_name_and_by_the_seals() {
    let keys = keys();
    let pack = pack(Stream::Data, &[&[b"first chunk"], &[b"second"]]);
    let all = [b"first chunk".to_vec(), b"second".to_vec()];
    let end = pack.segments[1].extent.end();
    let footer = pack.bytes.len() - 200;
    // Of the padding a few bits will do.
    let few = |bit: &usize| bit.is_multiple_of(97) || (bit / 8) as u64 <= end || bit / 8 > footer;
    for bit in (0..pack.bytes.len() * 8).filter(few) {
        let mut bad = pack.bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            PackView::open(&keys, pack.info.id, &bad).err(),
            Some(Damage::WrongName)
        );
        if let Ok(view) = PackView::open_unnamed(&keys, pack.info.id, &bad) {
            let left = chunks(&view);
            let hit = pack.segments.iter();
            let hit = hit.filter(|each| each.extent.bytes().contains(&(bit as u64 / 8)));
            assert_eq!(left.len() + hit.count(), 2, "bit {bit}");
            assert!(all.contains(&left[0]));
        }
    }
}

#[test]
fn every_truncation_and_extension_is_seen() {
    let keys = keys();
    let pack = pack(Stream::Data, &[&[b"first chunk"], &[b"second"]]);
    for len in 0..pack.bytes.len() {
        assert!(PackView::open_unnamed(&keys, pack.info.id, &pack.bytes[..len]).is_err());
    }
    let longer = [pack.bytes.as_slice(), &[0]].concat();
    assert!(PackView::open_unnamed(&keys, pack.info.id, &longer).is_err());
}

#[test]
fn two_segments_of_a_pack_cannot_be_swapped() {
    let keys = keys();
    let pack = pack(Stream::Data, &[&[b"aaaa"], &[b"bbbb"]]);
    let [first, second] = [0, 1].map(|n: usize| pack.segments[n].extent);
    let mut bad = pack.bytes.clone();
    let (from, len) = (first.offset as usize, first.sealed_len as usize);
    let to = second.offset as usize;
    bad[from..from + len].copy_from_slice(&pack.bytes[to..to + len]);
    bad[to..to + len].copy_from_slice(&pack.bytes[from..from + len]);
    let view = PackView::open_unnamed(&keys, pack.info.id, &bad).unwrap();
    assert!(chunks(&view).is_empty());
}

#[test]
fn a_pack_of_another_repository_or_key_is_named_as_such() {
    let pack = pack(Stream::Data, &[&[b"x"]]);
    let other = KeyTree::new(&[1; 32], RepositoryId::from_bytes([2; 16]));
    assert_eq!(
        PackView::open(&other, pack.info.id, &pack.bytes).err(),
        Some(Damage::Foreign {
            found: RepositoryId::from_bytes([1; 16])
        })
    );
    let other = KeyTree::new(&[2; 32], RepositoryId::from_bytes([1; 16]));
    assert_eq!(
        PackView::open(&other, pack.info.id, &pack.bytes).err(),
        Some(Damage::WrongKey)
    );
}

#[test]
fn a_directory_that_contradicts_itself_is_refused() {
    let span = |len| ChunkSpan {
        id: ChunkId::from_bytes([1; 32]),
        len,
    };
    let extent = Extent {
        number: 0,
        offset: narrow(HEADER_LEN),
        sealed_len: 26,
        plain_len: 10,
        codec: Codec::Plain,
    };
    let end = extent.end() + TAG_LEN as u64;
    let check = |extent: Extent, chunks: Vec<ChunkSpan>, end| {
        decode_directory(&encode_directory(&[Listed { extent, chunks }]), end)
    };
    assert!(check(extent, vec![span(4), span(6)], end).is_ok());
    assert!(
        check(extent, vec![span(4)], end).is_err(),
        "chunks too short"
    );
    assert!(
        check(extent, vec![span(10), span(0)], end).is_err(),
        "empty chunk"
    );
    assert!(
        check(extent, vec![span(10)], end - 1).is_err(),
        "no room for padding"
    );
    assert!(
        check(
            Extent {
                offset: 99,
                ..extent
            },
            vec![span(10)],
            end
        )
        .is_err(),
        "gap in front"
    );
    let huge = Extent {
        plain_len: u32::MAX,
        ..extent
    };
    assert!(
        check(huge, vec![span(u32::MAX)], end).is_err(),
        "absurd length"
    );
}
