//! Two lists side by side, in the order of their keys, without the nodes that both have.
//!
//! A list has one form whatever its history, so where two lists agree they mostly agree in whole
//! nodes. Of two nodes the higher one is opened first, then the one that begins earlier: so equal
//! nodes come to stand side by side, and both are dropped unread.

use std::{cmp::Ordering, vec};

use crate::{
    error::{Error, Result},
    id::{ChunkId, Stream},
    reader::Reader,
    tree::sequence::{Child, Item, Node, Root, decode},
};

/// What two lists have under one key.
#[derive(Debug)]
pub(super) enum Pair<T> {
    Left(T),
    Right(T),
    Both(T, T),
}

/// Two lists that are read together.
pub(super) struct Pairs<T> {
    left: Side<T>,
    right: Side<T>,
}

/// What is left of one list: nodes not yet opened and items, topmost first.
struct Side<T>(Vec<Pending<T>>);

enum Pending<T> {
    Nodes(u8, vec::IntoIter<Child>),
    Items(vec::IntoIter<T>),
}

/// What comes next in one list.
enum Next<'a> {
    Node(&'a Child, u8),
    Item(&'a [u8]),
}

/// What to do next.
enum Step {
    SkipBoth,
    OpenLeft,
    OpenRight,
    TakeLeft,
    TakeRight,
    TakeBoth,
}

impl<T: Item> Side<T> {
    fn of(root: Option<Root>) -> Self {
        let pending = root.map(|root| {
            let top = Child {
                id: root.id,
                items: 0,
                length: 0,
                first: Vec::new(),
            };
            Pending::Nodes(root.level, vec![top].into_iter())
        });
        Self(pending.into_iter().collect())
    }

    /// Drops what is exhausted, so that the top of the stack is what comes next.
    fn settle(&mut self) {
        while let Some(top) = self.0.last() {
            let left = match top {
                Pending::Nodes(_, nodes) => nodes.len(),
                Pending::Items(items) => items.len(),
            };
            if left > 0 {
                return;
            }
            self.0.pop();
        }
    }

    fn peek(&self) -> Option<Next<'_>> {
        match self.0.last()? {
            Pending::Nodes(level, nodes) => nodes
                .as_slice()
                .first()
                .map(|node| Next::Node(node, *level)),
            Pending::Items(items) => items.as_slice().first().map(|item| Next::Item(item.key())),
        }
    }

    fn take_item(&mut self) -> Option<T> {
        match self.0.last_mut()? {
            Pending::Items(items) => items.next(),
            Pending::Nodes(..) => None,
        }
    }

    fn take_node(&mut self) -> Option<(ChunkId, u8)> {
        match self.0.last_mut()? {
            Pending::Nodes(level, nodes) => nodes.next().map(|node| (node.id, *level)),
            Pending::Items(_) => None,
        }
    }

    fn open(&mut self, reader: &Reader) -> Result<()> {
        let Some((id, level)) = self.take_node() else {
            return Ok(());
        };
        let bytes = reader.read(Stream::Tree, &id)?;
        let node =
            decode(&bytes, level).map_err(|malformed| Error::NodeMalformed { id, malformed })?;
        self.0.push(match node {
            Node::Items(items) => Pending::Items(items.into_iter()),
            Node::Children(children) => Pending::Nodes(level - 1, children.into_iter()),
        });
        Ok(())
    }
}

impl<T: Item> Pairs<T> {
    pub(super) fn of(left: Option<Root>, right: Option<Root>) -> Self {
        Self {
            left: Side::of(left),
            right: Side::of(right),
        }
    }

    /// The next key of either list. After an error the two are no longer side by side.
    pub(super) fn next(&mut self, reader: &Reader) -> Option<Result<Pair<T>>> {
        loop {
            self.left.settle();
            self.right.settle();
            let opened = match step(self.left.peek(), self.right.peek())? {
                Step::SkipBoth => {
                    self.left.take_node();
                    self.right.take_node();
                    Ok(())
                }
                Step::OpenLeft => self.left.open(reader),
                Step::OpenRight => self.right.open(reader),
                Step::TakeLeft => return self.left.take_item().map(|item| Ok(Pair::Left(item))),
                Step::TakeRight => return self.right.take_item().map(|item| Ok(Pair::Right(item))),
                Step::TakeBoth => {
                    let (left, right) = (self.left.take_item(), self.right.take_item());
                    return left
                        .zip(right)
                        .map(|(left, right)| Ok(Pair::Both(left, right)));
                }
            };
            if let Err(error) = opened {
                return Some(Err(error));
            }
        }
    }
}

fn step(left: Option<Next<'_>>, right: Option<Next<'_>>) -> Option<Step> {
    use Next::{Item, Node};
    Some(match (left, right) {
        (None, None) => return None,
        (Some(Item(_)), None) => Step::TakeLeft,
        (None, Some(Item(_))) => Step::TakeRight,
        (Some(Node(..)), None) => Step::OpenLeft,
        (None, Some(Node(..))) => Step::OpenRight,
        (Some(Item(left)), Some(Item(right))) => match left.cmp(right) {
            Ordering::Less => Step::TakeLeft,
            Ordering::Greater => Step::TakeRight,
            Ordering::Equal => Step::TakeBoth,
        },
        (Some(Item(key)), Some(Node(node, _))) if *key < *node.first => Step::TakeLeft,
        (Some(Item(_)), Some(Node(..))) => Step::OpenRight,
        (Some(Node(node, _)), Some(Item(key))) if *key < *node.first => Step::TakeRight,
        (Some(Node(..)), Some(Item(_))) => Step::OpenLeft,
        (Some(Node(left, a)), Some(Node(right, b))) => {
            if a == b && left.id == right.id {
                Step::SkipBoth
            } else if a > b || a == b && left.first <= right.first {
                Step::OpenLeft
            } else {
                Step::OpenRight
            }
        }
    })
}
