//! Counts what a save finds and reads.

use std::sync::atomic::{AtomicU64, Ordering};

use strongroom_model::content::{FileKind, Stat};

use crate::manifest::Items;

/// What a save found and read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SaveStats {
    /// Bytes of content as its owner sees them, holes included.
    pub logical_bytes: u64,
    /// Bytes of content that were read, holes included.
    pub read_bytes: u64,
    /// Entries but directories that were not there before.
    pub new: u64,
    /// Entries but directories that were there and changed, or may have.
    pub changed: u64,
    /// Entries but directories that were there and did not change.
    pub unchanged: u64,
    /// What the tree or volume consists of.
    pub items: Items,
}

/// The counts while they grow.
#[derive(Default)]
pub(super) struct Stats {
    logical_bytes: AtomicU64,
    read_bytes: AtomicU64,
    new: AtomicU64,
    changed: AtomicU64,
    unchanged: AtomicU64,
    files: AtomicU64,
    directories: AtomicU64,
    links: AtomicU64,
    others: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Stats {
    /// A directory was listed.
    pub(super) fn directory(&self) {
        add(&self.directories, 1);
    }

    /// An entry that is no directory was found, under the first of its names.
    pub(super) fn found(&self, stat: &Stat) {
        match stat.kind {
            FileKind::File => {
                add(&self.files, 1);
                add(&self.logical_bytes, stat.size);
            }
            FileKind::Symlink => add(&self.links, 1),
            FileKind::Directory | FileKind::Socket => {}
            FileKind::Fifo | FileKind::CharDevice | FileKind::BlockDevice => add(&self.others, 1),
        }
    }

    /// An entry is what it was.
    pub(super) fn unchanged(&self) {
        add(&self.unchanged, 1);
    }

    /// An entry is new, or not surely what it was.
    pub(super) fn touched(&self, stat: &Stat, known: bool) {
        if stat.kind != FileKind::Socket {
            add(if known { &self.changed } else { &self.new }, 1);
        }
    }

    /// So much of a file was read.
    pub(super) fn read(&self, bytes: u64) {
        add(&self.read_bytes, bytes);
    }

    pub(super) fn snapshot(&self) -> SaveStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SaveStats {
            logical_bytes: of(&self.logical_bytes),
            read_bytes: of(&self.read_bytes),
            new: of(&self.new),
            changed: of(&self.changed),
            unchanged: of(&self.unchanged),
            items: Items {
                files: of(&self.files),
                directories: of(&self.directories),
                links: of(&self.links),
                others: of(&self.others),
                blocks: 0,
            },
        }
    }
}
