//! Vectors of ids, of the key tree and of the slots that wrap it.

use serde_json::{Value, json};

use super::{Same, frozen, xof};
use crate::{
    header::{Header, Sizes},
    id::{RepositoryId, Stream},
    keys::KeyTree,
    seal::{Kind, Seal},
    slot::{Passphrase, PassphraseCost, Slot, Unlock},
};

/// Roots and repositories, by the bytes they are made of.
const TREES: [(u8, u8); 3] = [(0x22, 0x11), (0x23, 0x11), (0x22, 0x12)];

fn tree((root, repository): (u8, u8)) -> KeyTree {
    KeyTree::new(&[root; 32], RepositoryId::from_bytes([repository; 16]))
}

#[test]
fn the_ids_of_chunks_are_those_of_version_1() {
    let mut cases = Vec::new();
    for tree_of in TREES {
        let keys = tree(tree_of);
        for len in [0, 1, 17, 64, 1024, 1025, 100_000, 1 << 20] {
            let bytes = xof(9, len);
            cases.push(json!({
                "root": hex::encode(keys.root()),
                "repository": hex::encode(keys.repository().as_bytes()),
                "input": { "random": 9, "length": len, "modulus": 256 },
                "data": keys.chunk_id(Stream::Data, &bytes).to_string(),
                "tree": keys.chunk_id(Stream::Tree, &bytes).to_string(),
            }));
        }
    }
    frozen("ids", &json!({ "hash": 1, "cases": cases }));
}

/// Each kind of sealed object, with the master key its own key comes from.
const KINDS: [Kind; 12] = [
    Kind::DataPack,
    Kind::TreePack,
    Kind::Run,
    Kind::Manifest,
    Kind::Fence,
    Kind::Lease,
    Kind::Quarantine,
    Kind::Waits,
    Kind::Forgotten,
    Kind::Verdict,
    Kind::Replacement,
    Kind::Removal,
];

fn one_tree(of: (u8, u8)) -> Value {
    let keys = tree(of);
    let header = Header {
        repository: keys.repository(),
        sizes: Sizes::default(),
        parity_percent: 10,
    };
    let objects: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let header = Seal::with_salt(&keys, *kind, &[0x33; 32]);
            json!({ "kind": *kind as u8, "header": hex::encode(header.header()) })
        })
        .collect();
    json!({
        "root": hex::encode(keys.root()),
        "repository": hex::encode(keys.repository().as_bytes()),
        "chunker": hex::encode(keys.chunker()),
        "packs": hex::encode(keys.packs()),
        "index": hex::encode(keys.index()),
        "records": hex::encode(keys.records()),
        "header": hex::encode(header.encode(&keys)),
        "salt": hex::encode([0x33; 32]),
        "objects": objects,
    })
}

#[test]
fn the_key_tree_is_that_of_version_1() {
    let trees: Vec<Value> = TREES.map(one_tree).to_vec();
    frozen("keys", &json!({ "trees": trees }));
}

#[test]
fn key_slots_are_those_of_version_1() {
    let repository = RepositoryId::from_bytes([0x11; 16]);
    let cost = PassphraseCost {
        memory_kib: 64,
        passes: 2,
        lanes: 2,
    };
    let words = "correct horse battery staple";
    let wrap = |unlock: &Unlock| {
        let slot = Slot::wrap(&[0x22; 32], repository, unlock, cost, &Same(0x44)).unwrap();
        let root = Slot::parse(&slot).unwrap().unwrap(unlock);
        assert_eq!(root.unwrap().as_slice(), [0x22; 32]);
        hex::encode(slot)
    };
    let slots = json!({
        "root": hex::encode([0x22; 32]),
        "repository": hex::encode([0x11; 16]),
        "salt": hex::encode([0x44; 32]),
        "slots": [
            { "key": hex::encode([0x55; 32]), "slot": wrap(&Unlock::Key([0x55; 32])) },
            {
                "passphrase": words,
                "memory_kib": cost.memory_kib,
                "passes": cost.passes,
                "lanes": cost.lanes,
                "slot": wrap(&Unlock::Passphrase(Passphrase::new(words))),
            },
        ],
    });
    frozen("slots", &slots);
}
