//! The fuzz targets without a fuzzer: kept inputs, and thousands of their mutations.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use strongroom_model::{
    Entropy, Timestamp,
    content::{FileTime, Name, TreePath, Xattr},
};
use strongroom_testkit::dice::Dice;

use super::*;
use crate::{
    codec::Encoder,
    header::Sizes,
    holder::Holder,
    id::{ChunkId, ManifestId, PackId, QuarantineId, RunId, Stream},
    index::Entry as IndexEntry,
    layout::Object,
    manifest::{Body, Items, Layer, Manifest},
    pack::{PackBuilder, encode_directory},
    parity,
    quarantine::{Quarantine, Reason},
    record,
    seal::Kind,
    segment::{Codec, Draft, Encoding, Extent as Place, Grain},
    slot::{PassphraseCost, Slot, Unlock},
    tree::{
        Problem, ProblemKind,
        entry::{Body as NodeBody, Content, Entry, Extent, Meta, Node, Xattrs},
        sequence::{Child, Item, Root},
        top,
    },
    volume,
};

/// How many mutations each target gets.
const MUTATIONS: usize = 4_000;

struct Same(u8);

impl Entropy for Same {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

fn fuzz_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn chunk(n: u8) -> ChunkId {
    ChunkId::from_bytes([n; 32])
}

fn encoded(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut to = Encoder::default();
    write(&mut to);
    to.finish()
}

fn list<T: Item>(items: &[T]) -> Vec<u8> {
    encoded(|to| {
        to.u8(T::ROLE).u8(0).count(items.len());
        for item in items {
            item.encode(to);
        }
    })
}

fn upper<T: Item>(level: u8, firsts: &[&[u8]]) -> Vec<u8> {
    encoded(|to| {
        to.u8(T::ROLE).u8(level).count(firsts.len());
        for (n, first) in (1..).zip(firsts) {
            let child = Child {
                id: chunk(n),
                items: 40,
                length: 1000,
                first: first.to_vec(),
            };
            child.encode(to);
        }
    })
}

fn packed() -> (Vec<u8>, Vec<u8>) {
    let keys = keys();
    let mut pack = PackBuilder::new(&keys, Stream::Data, Vec::new(), &Same(0x33));
    for text in ["one chunk and ", "another chunk, which is longer"] {
        let mut draft = Draft::new(Stream::Data);
        for part in [text, "the end"] {
            let id = keys.chunk_id(Stream::Data, part.as_bytes());
            draft.push(id, part.as_bytes());
        }
        pack.append(&draft, Codec::Plain, &draft.bytes);
    }
    let finished = pack.finish();
    (finished.bytes, encode_directory(&finished.segments))
}

fn node(body: NodeBody, size: u64, xattrs: Xattrs) -> Node {
    let time = FileTime::new(1_600_000_000, 5);
    let meta = Meta {
        mode: 0o644,
        uid: 1,
        gid: 2,
        size,
        modified: time,
        changed: time,
        inode: 3,
        device: 4,
        links: 1,
    };
    Node { meta, xattrs, body }
}

fn tree_entries() -> Vec<Entry> {
    let root = Root {
        id: chunk(9),
        level: 1,
    };
    let xattrs = vec![Xattr {
        name: b"user.a".to_vec(),
        value: b"b".to_vec(),
    }];
    let extents = vec![
        Extent::Data {
            id: chunk(1),
            length: 100,
        },
        Extent::Hole(900),
    ];
    let none = || Xattrs::Inline(Vec::new());
    let bodies = [
        (NodeBody::File(Content::Inline(b"text".to_vec())), 4, none()),
        (
            NodeBody::File(Content::Extents(extents)),
            1000,
            Xattrs::Inline(xattrs),
        ),
        (
            NodeBody::File(Content::List(root)),
            1 << 30,
            Xattrs::List(root),
        ),
        (NodeBody::Directory(Some(root)), 0, none()),
        (NodeBody::Directory(None), 0, none()),
        (NodeBody::Symlink(b"to".to_vec()), 0, none()),
        (NodeBody::Fifo, 0, none()),
        (NodeBody::CharDevice(7), 0, none()),
        (NodeBody::BlockDevice(8), 0, none()),
    ];
    let named = (b'a'..).zip(bodies);
    named
        .map(|(name, (body, size, xattrs))| Entry {
            name: Name::new(&[name]).unwrap(),
            node: node(body, size, xattrs),
        })
        .collect()
}

fn manifests() -> Vec<Vec<u8>> {
    let body = |layer, problems: Option<ChunkId>| Body {
        layer,
        root: chunk(1),
        logical_bytes: 12_345,
        items: Items {
            files: 1,
            blocks: 2,
            ..Items::default()
        },
        started: Timestamp::from_micros(-1),
        finished: Timestamp::from_micros(2),
        previous: Some(ManifestId::from_bytes([2; 16])),
        labels: BTreeMap::from([
            ("a".to_owned(), "b".to_owned()),
            ("c".into(), String::new()),
        ]),
        complete: problems.is_none(),
        problem_count: 3,
        problems,
    };
    [body(Layer::Tree, Some(chunk(5))), body(Layer::Volume, None)]
        .map(|body| Manifest {
            id: ManifestId::from_bytes([1; 16]),
            body,
            unique_bytes: 5,
            stored_bytes: 6,
            runs: vec![RunId::from_bytes([7; 32]); 2],
        })
        .map(|manifest| manifest.encode())
        .to_vec()
}

fn segments() -> Vec<Vec<u8>> {
    let plain = b"abcdefgh".repeat(300);
    let mut encoding = Encoding::new().unwrap();
    let (codec, frame) = encoding.encode(&plain, Grain::Pieces);
    assert_eq!(codec, Codec::Zstd);
    let input = |codec: Codec, bytes: &[u8]| {
        let len = u32::try_from(plain.len()).unwrap();
        [&len.to_le_bytes(), [codec as u8].as_slice(), bytes].concat()
    };
    vec![input(Codec::Zstd, frame), input(Codec::Plain, &plain)]
}

fn index_directory() -> Vec<u8> {
    encoded(|to| {
        to.u64(4).u64(600).count(2);
        for kind in 1..=2 {
            to.raw(&[kind; 32]).u8(kind).raw(&[0x33; 32]).u32(4096);
        }
        for first in [1, 5, 9] {
            to.raw(chunk(first).as_bytes());
        }
    })
}

fn index_page() -> Vec<u8> {
    encoded(|to| {
        for n in 1..4 {
            let extent = Place {
                number: 0,
                offset: 92,
                sealed_len: 5000,
                plain_len: 9000,
                codec: Codec::Zstd,
            };
            let entry = IndexEntry {
                id: chunk(n),
                pack: 1,
                extent,
                start: 1000 * u32::from(n),
                len: 1000,
            };
            entry.encode(to);
        }
    })
}

fn parities() -> Vec<Vec<u8>> {
    let (pack, _) = packed();
    let id = PackId::from_bytes(*blake3::hash(&pack).as_bytes());
    let object = parity::build(keys().repository(), id, &pack, 100);
    [0, 1000, pack.len()]
        .map(|whole| {
            let mut damaged = pack.clone();
            damaged.truncate(whole);
            let len = u16::try_from(damaged.len()).unwrap().to_le_bytes();
            [len.as_slice(), &damaged, &object].concat()
        })
        .to_vec()
}

fn paths() -> Vec<Vec<u8>> {
    let (short, long) = ("0f".repeat(16), "0f".repeat(32));
    [
        "format".to_owned(),
        format!("keys/{short}"),
        format!("keys/{short}.{short}"),
        format!("packs/0f/{long}"),
        format!("parity/0f/{long}"),
        format!("index/{long}"),
        format!("manifests/{short}"),
        format!("leases/{short}"),
        format!("quarantine/{short}"),
        format!("quarantine/{short}.waits"),
        format!("quarantine/{short}.verdict"),
        format!("forgotten/{short}.{short}"),
        format!("forgotten/{short}.{short}.verdict"),
        format!("replacements/{short}"),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Inputs that the target accepts: of each shape one.
fn accepted(name: &str) -> Vec<Vec<u8>> {
    let inputs = object(name)
        .or_else(|| record_body(name))
        .or_else(|| tree(name));
    inputs.unwrap_or_else(|| panic!("{name} has no input that it accepts"))
}

fn object(name: &str) -> Option<Vec<Vec<u8>>> {
    let keys = keys();
    Some(match name {
        "header" => {
            let header = crate::header::Header {
                repository: keys.repository(),
                sizes: Sizes::default(),
                parity_percent: 10,
            };
            vec![header.encode(&keys)]
        }
        "index_directory" => vec![index_directory()],
        "index_filter" => vec![[vec![7; 32], vec![0xff; 128]].concat()],
        "index_page" => vec![index_page()],
        "pack" => vec![packed().0],
        "pack_directory" => vec![packed().1],
        "parity" => parities(),
        "segment" => segments(),
        "slot" => {
            let unlock = Unlock::Key([0x55; 32]);
            let cost = PassphraseCost::default();
            let id = keys.repository();
            vec![Slot::wrap(&[0x22; 32], id, &unlock, cost, &Same(0x44)).unwrap()]
        }
        _ => return None,
    })
}

fn record_body(name: &str) -> Option<Vec<Vec<u8>>> {
    let keys = keys();
    Some(match name {
        "forgotten" => vec![vec![9; 16]],
        "layout" => paths(),
        "lease" => vec![Holder::this_process().encode()],
        "manifest" => manifests(),
        "quarantine" => [Reason::Unreachable, Reason::Repacked, Reason::Damaged]
            .map(|reason| Quarantine {
                id: QuarantineId::from_bytes([1; 16]),
                reason,
                packs: vec![PackId::from_bytes([2; 32])],
            })
            .map(|quarantine| quarantine.encode())
            .to_vec(),
        "record" => vec![record::seal(
            &keys,
            Kind::Lease,
            &[0x66; 16],
            b"body",
            &Same(0x33),
        )],
        "replacement" => vec![encoded(|to| {
            let object = Object::Lease(ManifestId::from_bytes([1; 16]));
            to.text(&object.path()).blob(b"bytes");
        })],
        "waits" => vec![encoded(|to| {
            to.count(2).raw(&[1; 16]).raw(&[2; 16]);
        })],
        _ => return None,
    })
}

fn tree(name: &str) -> Option<Vec<Vec<u8>>> {
    let root = Root {
        id: chunk(3),
        level: 2,
    };
    let problem = |path: &[u8], kind| Problem {
        path: TreePath::parse(path).unwrap(),
        kind,
        cause: "why".to_owned(),
    };
    Some(match name {
        "block_map" => vec![
            volume::map::encode(0, &[(0, chunk(1)), (1023, chunk(2))]),
            volume::map::encode(2, &[(7, chunk(1))]),
        ],
        "entries" => vec![list(&tree_entries()), upper::<Entry>(1, &[b"a", b"m"])],
        "extents" => {
            let data = Extent::Data {
                id: chunk(1),
                length: 7,
            };
            vec![
                list(&[data, Extent::Hole(5)]),
                upper::<Extent>(2, &[b"", b""]),
            ]
        }
        "problem_list" => vec![top::encode_problems(&root)],
        "problems" => vec![list(&[
            problem(b"a/b", ProblemKind::Unreadable),
            problem(b"c", ProblemKind::Socket),
        ])],
        "tree_top" => vec![
            top::Top {
                started: FileTime::new(5, 6),
                root: node(
                    NodeBody::Directory(Some(root)),
                    0,
                    Xattrs::Inline(Vec::new()),
                ),
            }
            .encode(),
        ],
        "volume_top" => vec![
            volume::top::Top {
                started: FileTime::new(5, 6),
                size: 1 << 40,
                block: 65_536,
                version: None,
                root: Some(chunk(1)),
            }
            .encode(),
        ],
        "xattrs" => vec![list(&[Xattr {
            name: b"user.x".to_vec(),
            value: b"y".to_vec(),
        }])],
        _ => return None,
    })
}

/// The kept inputs of a target; those above are added where there are none.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = fuzz_folder().join("corpus").join(name);
    if !folder.exists() && std::env::var_os("STRONGROOM_BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (n, input) in accepted(name).into_iter().enumerate() {
            fs::write(folder.join(format!("accepted-{n}")), input).unwrap();
        }
    }
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Another input made of those that are there.
fn mutated(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = dice.pick(corpus).clone();
    for _ in 0..=dice.below(4) {
        let at = usize::try_from(dice.below(input.len().max(1) as u64)).unwrap();
        match dice.below(7) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = *dice.pick(&[0, 1, 2, 0x7f, 0x80, 0xff]);
                }
            }
            2 => {
                let numbers = [0, 1, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];
                let number = dice.pick(&numbers).to_le_bytes();
                for (byte, new) in input.iter_mut().skip(at).zip(number) {
                    *byte = new;
                }
            }
            3 => input.truncate(at),
            4 => {
                let count = usize::try_from(dice.below(40)).unwrap();
                input.splice(at..at, dice.bytes(count));
            }
            5 => {
                let other = dice.pick(corpus).clone();
                input.truncate(at);
                input.extend(other.into_iter().skip(at));
            }
            _ => {
                let end = (at + usize::try_from(dice.below(80)).unwrap()).min(input.len());
                let part = input.get(at..end).unwrap_or_default().to_vec();
                input.splice(at..at, part);
            }
        }
    }
    input
}

#[test]
fn every_target_accepts_an_input_of_each_shape_and_still_what_was_kept() {
    for Target { name, parse } in TARGETS {
        for (n, input) in accepted(name).iter().enumerate() {
            assert!(parse(input), "{name} refuses shape {n}");
        }
        let kept = corpus(name);
        let accepts = kept.iter().filter(|input| parse(input)).count();
        assert!(accepts > 0, "{name} accepts none of {} kept", kept.len());
    }
}

#[test]
fn no_mutation_of_the_kept_inputs_breaks_a_parser() {
    for (number, Target { name, parse }) in TARGETS.iter().enumerate() {
        let (mut dice, kept) = (Dice::new(number as u64), corpus(name));
        for round in 0..MUTATIONS {
            let input = mutated(&mut dice, &kept);
            let parsed = catch_unwind(AssertUnwindSafe(|| parse(&input)));
            assert!(
                parsed.is_ok(),
                "{name} breaks in round {round} on {}",
                hex::encode(&input)
            );
        }
        for length in 0..200 {
            parse(&dice.bytes(length));
        }
    }
}

#[test]
fn the_fuzzer_has_every_target() {
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    let mut bins: Vec<&str> = manifest
        .split("[[bin]]\nname = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    // Those of logs are another crate's.
    bins.retain(|bin| !bin.starts_with("audit_"));
    bins.sort_unstable();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(bins, names);
}
