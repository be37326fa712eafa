//! What tree chunks hold: nodes of lists, tops of trees and volumes, block maps.

use strongroom_model::content::Xattr;

use crate::{
    codec::Encoder,
    tree::{
        entry::{Entry, Extent},
        problem::Problem,
        sequence::{self, Item, Node},
        top,
    },
    volume,
};

/// A node of a list of `T`, of whatever level it says.
fn node<T: Item>(data: &[u8]) -> bool {
    let level = data.get(1).copied().unwrap_or_default();
    let Ok(node) = sequence::decode::<T>(data, level) else {
        return false;
    };
    let mut again = Encoder::default();
    again.u8(T::ROLE).u8(level);
    match node {
        Node::Items(items) => {
            again.count(items.len());
            for item in &items {
                item.encode(&mut again);
            }
        }
        Node::Children(children) => {
            again.count(children.len());
            for child in &children {
                child.encode(&mut again);
            }
        }
    }
    assert_eq!(again.finish(), data);
    true
}

pub(super) fn entries(data: &[u8]) -> bool {
    node::<Entry>(data)
}

pub(super) fn extents(data: &[u8]) -> bool {
    node::<Extent>(data)
}

pub(super) fn xattrs(data: &[u8]) -> bool {
    node::<Xattr>(data)
}

pub(super) fn problems(data: &[u8]) -> bool {
    node::<Problem>(data)
}

pub(super) fn problem_list(data: &[u8]) -> bool {
    top::decode_problems(data)
        .map(|root| assert_eq!(top::encode_problems(&root), data))
        .is_ok()
}

pub(super) fn tree_top(data: &[u8]) -> bool {
    top::Top::decode(data)
        .map(|top| assert_eq!(top.encode(), data))
        .is_ok()
}

pub(super) fn volume_top(data: &[u8]) -> bool {
    volume::top::Top::decode(data)
        .map(|top| {
            assert_eq!(top.encode(), data);
            let last = top.range(top.blocks().saturating_sub(1));
            assert!(last.end == top.size && last.start <= last.end);
        })
        .is_ok()
}

pub(super) fn block_map(data: &[u8]) -> bool {
    let level = data.get(1).copied().unwrap_or_default();
    volume::map::decode(data, level)
        .map(|children| assert_eq!(volume::map::encode(level, &children), data))
        .is_ok()
}
