//! Tests of `map`.

use std::collections::BTreeMap;

use super::*;

fn id(number: u64) -> ChunkId {
    ChunkId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

/// Builds a map and walks it by hand: the nodes are not in a repository.
fn round_trip(blocks: u64, present: &[u64]) -> (usize, Vec<u64>) {
    let mut nodes: BTreeMap<ChunkId, Vec<u8>> = BTreeMap::new();
    let mut put = |node: &[u8]| {
        let id = ChunkId::from_bytes(*blake3::hash(node).as_bytes());
        nodes.insert(id, node.to_vec());
        Ok(id)
    };
    let mut map = Builder::new(blocks);
    for block in present {
        map.push(*block, id(*block), &mut put).unwrap();
    }
    let root = map.finish(&mut put).unwrap();
    let mut waiting: Vec<_> = root
        .map(|root| (root, root_level(blocks), 0))
        .into_iter()
        .collect();
    let mut found = Vec::new();
    while let Some((node, level, number)) = waiting.pop() {
        for (index, child) in decode(&nodes[&node], level).unwrap() {
            let child_number = number * FANOUT + u64::from(index);
            if level == 0 {
                assert_eq!(child, id(child_number));
                found.push(child_number);
            } else {
                waiting.push((child, level - 1, child_number));
            }
        }
    }
    found.sort_unstable();
    (nodes.len(), found)
}

#[test]
fn a_map_holds_the_blocks_that_are_there_and_nothing_else() {
    for (blocks, present) in [
        (0, vec![]),
        (1, vec![0]),
        (1024, vec![0, 1023]),
        (1025, vec![1024]),
        (1 << 24, vec![0, 5, 1 << 12, (1 << 20) + 1, (1 << 24) - 1]),
        (3000, (0..3000).collect()),
    ] {
        let (nodes, found) = round_trip(blocks, &present);
        assert_eq!(found, present, "{blocks}");
        assert_eq!(nodes == 0, present.is_empty());
    }
}

#[test]
fn a_hole_costs_no_node() {
    // A block at either end of a disk of 64 TiB: two ways down, one root.
    assert_eq!(round_trip(1 << 30, &[0, (1 << 30) - 1]).0, 5);
}

#[test]
fn the_level_of_the_root_follows_from_the_size() {
    let levels = [
        (0, 0),
        (1, 0),
        (1024, 0),
        (1025, 1),
        (1 << 20, 1),
        ((1 << 20) + 1, 2),
    ];
    for (blocks, level) in levels {
        assert_eq!(root_level(blocks), level, "{blocks}");
    }
}

#[test]
fn a_node_with_bytes_too_few_or_too_many_is_refused() {
    let good = encode(2, &[(0, id(0)), (1023, id(1))]);
    assert_eq!(decode(&good, 2).unwrap().len(), 2);
    assert!(decode(&good, 1).is_err());
    for cut in 0..good.len() {
        assert!(decode(&good[..cut], 2).is_err());
    }
    assert!(decode(&[&good[..], &[0]].concat(), 2).is_err());
    assert!(decode(&encode(2, &[]), 2).is_err());
}
