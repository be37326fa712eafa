//! A directory that is being saved: its entries in order, some of them still being worked on.
//!
//! Entries are finished by any thread in any order and leave for the directory's node in the
//! order of their names. When the last has left, the directory is itself an entry of the one
//! above. Nobody waits for anybody: whoever finishes the last entry goes on with the parent.
//!
//! Invariant: the queue holds at most [`WAITING_MAX`] entries; the scan stops there and is taken
//! up again when half of them have left.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    vec,
};

use strongroom_model::content::{Name, SourceDirectory, TreePath};

use super::{Hand, Save, Work};
use crate::{
    error::Result,
    tree::{
        crew::lock,
        entry::{Body, Entry, Meta, Node, Xattrs},
        previous::Previous,
        sequence::Builder,
    },
};

/// Entries of one directory that wait for others before them.
const WAITING_MAX: usize = 4096;

/// A directory that is being saved.
pub(super) struct Folder {
    place: Option<Place>,
    pub(super) source: Arc<dyn SourceDirectory>,
    meta: Meta,
    xattrs: Xattrs,
    pub(super) scan: Mutex<Scan>,
    rows: Mutex<Rows>,
}

/// Which entry of which directory something is.
pub(super) struct Place {
    pub(super) folder: Arc<Folder>,
    pub(super) slot: u64,
    pub(super) name: Name,
}

/// What is left to look at.
pub(super) struct Scan {
    pub(super) names: vec::IntoIter<Name>,
    pub(super) previous: Previous,
}

#[derive(Default)]
struct Rows {
    /// Slot of the first row in the queue.
    head: u64,
    queue: VecDeque<Row>,
    list: Builder<Entry>,
    scanned: bool,
    parked: bool,
}

enum Row {
    Waiting,
    Missing,
    Ready(Entry),
}

/// What is known of a directory once it is open.
pub(super) struct Opened {
    pub(super) source: Arc<dyn SourceDirectory>,
    pub(super) meta: Meta,
    pub(super) xattrs: Xattrs,
    pub(super) names: Vec<Name>,
    pub(super) previous: Previous,
}

impl Folder {
    pub(super) fn new(place: Option<Place>, opened: Opened) -> Arc<Self> {
        let Opened {
            source,
            meta,
            xattrs,
            names,
            previous,
        } = opened;
        let scan = Mutex::new(Scan {
            names: names.into_iter(),
            previous,
        });
        Arc::new(Self {
            place,
            source,
            meta,
            xattrs,
            scan,
            rows: Mutex::default(),
        })
    }

    pub(super) fn path(&self) -> TreePath {
        let mut names = Vec::new();
        let mut place = self.place.as_ref();
        while let Some(here) = place {
            names.push(&here.name);
            place = here.folder.place.as_ref();
        }
        let mut path = TreePath::root();
        names.into_iter().rev().for_each(|name| path.push(name));
        path
    }

    /// Takes the next slot; `None` if too many wait: the scan is to stop and will be resumed.
    pub(super) fn reserve(&self) -> Option<u64> {
        let mut rows = lock(&self.rows);
        if rows.queue.len() >= WAITING_MAX {
            rows.parked = true;
            return None;
        }
        rows.queue.push_back(Row::Waiting);
        Some(rows.head + rows.queue.len() as u64 - 1)
    }

    /// Finishes the entry in `slot`; without a node it is left out.
    pub(super) fn fill(
        self: &Arc<Self>,
        save: &Save<'_>,
        hand: &mut Hand,
        slot: u64,
        finished: Option<Entry>,
    ) -> Result<()> {
        save.progress.finish_items(1);
        let row = finished.map_or(Row::Missing, Row::Ready);
        self.settle(save, hand, |rows| {
            let index = usize::try_from(slot - rows.head).expect("a slot lies in the queue");
            *rows.queue.get_mut(index).expect("a slot is filled once") = row;
        })
    }

    /// Notes that every name has its slot.
    pub(super) fn end_scan(self: &Arc<Self>, save: &Save<'_>, hand: &mut Hand) -> Result<()> {
        self.settle(save, hand, |rows| rows.scanned = true)
    }

    /// Changes the rows and does what follows from it, up to the root.
    fn settle(
        self: &Arc<Self>,
        save: &Save<'_>,
        hand: &mut Hand,
        change: impl FnOnce(&mut Rows),
    ) -> Result<()> {
        let mut change = Some(change);
        let mut folder = Arc::clone(self);
        let mut above: Option<(u64, Entry)> = None;
        loop {
            let node = {
                let mut rows = lock(&folder.rows);
                match above.take() {
                    None => change.take().expect("taken in the first round")(&mut rows),
                    Some((slot, entry)) => {
                        let index = usize::try_from(slot - rows.head).expect("lies in the queue");
                        *rows.queue.get_mut(index).expect("a slot is filled once") =
                            Row::Ready(entry);
                    }
                }
                folder.drain(&mut rows, save, hand)?
            };
            let Some(node) = node else { return Ok(()) };
            let Some(place) = &folder.place else {
                save.finish_root(node);
                return Ok(());
            };
            above = Some((
                place.slot,
                Entry {
                    name: place.name.clone(),
                    node,
                },
            ));
            save.progress.finish_items(1);
            folder = Arc::clone(&place.folder);
        }
    }

    /// Lets the finished entries at the front leave; returns the directory when all have left.
    fn drain(
        self: &Arc<Self>,
        rows: &mut Rows,
        save: &Save<'_>,
        hand: &mut Hand,
    ) -> Result<Option<Node>> {
        while let Some(row) = rows.queue.front()
            && !matches!(row, Row::Waiting)
        {
            if let Some(Row::Ready(entry)) = rows.queue.pop_front() {
                let hash = save.hash_of(&entry.name);
                rows.list
                    .push(&entry, hash, &mut |node| hand.put_node(node))?;
            }
            rows.head += 1;
        }
        if rows.parked && rows.queue.len() <= WAITING_MAX / 2 {
            rows.parked = false;
            save.crew.add_directory(Work::Scan(Arc::clone(self)));
        }
        if !rows.scanned || !rows.queue.is_empty() {
            return Ok(None);
        }
        // No row is left to be filled, so nobody comes here again.
        rows.scanned = false;
        let list = std::mem::take(&mut rows.list);
        let root = list.finish(&mut |node| hand.put_node(node))?;
        let (meta, xattrs) = (self.meta, self.xattrs.clone());
        Ok(Some(Node {
            meta,
            xattrs,
            body: Body::Directory(root),
        }))
    }
}

impl Drop for Folder {
    /// Drops a chain of parents one after the other: a tree may be deeper than the stack.
    fn drop(&mut self) {
        let mut place = self.place.take();
        while let Some(mut folder) = place.and_then(|place| Arc::into_inner(place.folder)) {
            place = folder.place.take();
        }
    }
}
