//! Tests of `sequence`.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{codec::Encoder, id::Stream, reader::Chunk};

/// An item with a key and a length.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Word(Vec<u8>, u64);

impl Item for Word {
    const ROLE: u8 = 99;
    const LEN_MIN: usize = 12;

    fn encode(&self, to: &mut Encoder) {
        to.blob(&self.0).u64(self.1);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self(from.blob()?.to_vec(), from.u64()?))
    }

    fn key(&self) -> &[u8] {
        &self.0
    }

    fn length(&self) -> u64 {
        self.1
    }
}

/// Nodes by their hash.
#[derive(Default)]
struct Nodes(RefCell<BTreeMap<ChunkId, Vec<u8>>>);

impl Nodes {
    fn put(&self, node: &[u8]) -> ChunkId {
        let id = ChunkId::from_bytes(*blake3::hash(node).as_bytes());
        self.0.borrow_mut().insert(id, node.to_vec());
        id
    }

    fn fetch(&self, id: &ChunkId) -> Result<Chunk> {
        let missing = Error::ChunkMissing {
            id: *id,
            stream: Stream::Tree,
        };
        self.0
            .borrow()
            .get(id)
            .cloned()
            .map(Chunk::from)
            .ok_or(missing)
    }

    fn build(&self, words: &[Word]) -> Option<Root> {
        let mut builder = Builder::default();
        for word in words {
            let hash = blake3::hash(&word.0);
            let hash = u64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap());
            builder
                .push(word, hash, &mut |node| Ok(self.put(node)))
                .unwrap();
        }
        builder.finish(&mut |node| Ok(self.put(node))).unwrap()
    }

    fn read(&self, mut items: Items<Word>) -> Vec<Word> {
        let fetch = |id: &ChunkId| self.fetch(id);
        std::iter::from_fn(|| items.next(&fetch))
            .map(|word| word.unwrap())
            .collect()
    }
}

fn words(count: u64) -> Vec<Word> {
    (0..count)
        .map(|n| Word(format!("{n:08}").into_bytes(), n % 50 + 1))
        .collect()
}

#[test]
fn lists_of_any_length_are_read_back() {
    for count in [0, 1, 31, 32, 33, 200, 1024, 5000, 40_000] {
        let (nodes, words) = (Nodes::default(), words(count));
        let root = nodes.build(&words);
        assert_eq!(root.is_none(), count == 0);
        assert_eq!(nodes.read(Items::all(root)), words, "{count}");
        assert!(root.is_none_or(|root| root.level <= 3), "{root:?}");
    }
}

#[test]
fn an_insertion_changes_few_nodes_and_the_form_depends_on_the_items_alone() {
    let nodes = Nodes::default();
    let mut words = words(40_000);
    nodes.build(&words);
    let before = nodes.0.borrow().len();
    words.insert(20_000, Word(b"00019999x".to_vec(), 1));
    let root = nodes.build(&words);
    let added = nodes.0.borrow().len() - before;
    assert!(added <= 6, "{added} of {before} nodes are new");
    let fresh = Nodes::default();
    assert_eq!(fresh.build(&words), root);
}

#[test]
fn reading_can_begin_at_a_key_or_an_offset() {
    let (nodes, words) = (Nodes::default(), words(30_000));
    let root = nodes.build(&words);
    for wanted in [0_usize, 1, 777, 15_000, 29_999] {
        let found = nodes.read(Items::from_key(root, &words[wanted].0));
        let skipped = words.len() - found.len();
        assert!(
            skipped <= wanted && wanted - skipped <= ITEMS_MAX,
            "{wanted}: {skipped}"
        );
        let offset: u64 = words[..wanted].iter().map(|word| word.1).sum();
        let mut items: Items<Word> = Items::from_offset(root, offset);
        let fetch = |id: &ChunkId| nodes.fetch(id);
        loop {
            let word = items.next(&fetch).unwrap().unwrap();
            if items.position() > offset {
                assert_eq!(
                    (word, items.position()),
                    (words[wanted].clone(), offset + words[wanted].1)
                );
                break;
            }
        }
    }
    assert_eq!(nodes.read(Items::from_key(root, b"~")).last(), words.last());
    assert_eq!(nodes.read(Items::from_offset(root, u64::MAX)), []);
}

#[test]
fn behind_a_lost_node_reading_goes_on() {
    let (nodes, words) = (Nodes::default(), words(3000));
    let root = nodes.build(&words);
    let total: u64 = words.iter().map(|word| word.1).sum();
    let ids: Vec<_> = nodes.0.borrow().keys().copied().collect();
    for id in ids
        .iter()
        .filter(|id| Some(**id) != root.map(|root| root.id))
    {
        let node = nodes.0.borrow_mut().remove(id).unwrap();
        let mut items: Items<Word> = Items::all(root);
        let fetch = |id: &ChunkId| nodes.fetch(id);
        let (mut found, mut lost) = (0, 0);
        while let Some(item) = items.next(&fetch) {
            match item {
                Ok(word) => found += word.1,
                Err(node) => lost += node.length.unwrap(),
            }
        }
        assert!(lost > 0);
        assert_eq!(found + lost, total);
        assert_eq!(items.position(), total);
        nodes.0.borrow_mut().insert(*id, node);
    }
}

#[test]
fn a_node_of_another_role_level_or_order_is_refused() {
    let nodes = Nodes::default();
    let root = nodes.build(&words(10)).unwrap();
    let good = nodes.0.borrow()[&root.id].clone();
    assert!(decode::<Word>(&good, 0).is_ok());
    assert!(decode::<Word>(&good, 1).is_err());
    let mut other = good.clone();
    other[0] = 98;
    assert!(decode::<Word>(&other, 0).is_err());
    for (first, second, fits) in [("a", "b", true), ("b", "a", false), ("", "a", false)] {
        let mut two = Encoder::default();
        two.u8(Word::ROLE).u8(0).count(2);
        Word(first.into(), 1).encode(&mut two);
        Word(second.into(), 1).encode(&mut two);
        assert_eq!(
            decode::<Word>(&two.finish(), 0).is_ok(),
            fits,
            "{first:?}, {second:?}"
        );
    }
    let mut empty = Encoder::default();
    empty.u8(Word::ROLE).u8(0).count(0);
    assert!(decode::<Word>(&empty.finish(), 0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decoding_anything_never_panics(mut bytes in vec(any::<u8>(), 0..300), level in 0_u8..3) {
        let _ = decode::<Word>(&bytes, level);
        if bytes.len() > 2 {
            bytes[0] = Word::ROLE;
            bytes[1] = level;
        }
        let _ = decode::<Word>(&bytes, level);
    }
}
