//! The entries that the kernel knows, by number, for as long as it knows them.
//!
//! A number is a hash of where the entry is, so it stays the same when the kernel forgets the entry
//! and asks again; all names of one inode have the same. What the kernel has forgotten is not kept:
//! memory is bounded by the kernel's own cache.
//!
//! Invariant: two entries never share a number, even if their hashes do.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_engine::{
    ManifestId,
    browse::{Disk, Node},
};
use strongroom_model::content::TreePath;

/// The number of the root.
pub(super) const ROOT: u64 = 1;

/// What an entry is.
#[derive(Debug)]
pub(super) enum What {
    /// A folder of the shelf, by its path.
    Folder(String),
    /// A link of the shelf.
    Link(String),
    /// An entry of a tree.
    Entry {
        manifest: ManifestId,
        path: TreePath,
        node: Node,
    },
    /// A volume.
    Disk { manifest: ManifestId, disk: Disk },
}

/// What tells an entry from all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    number: u64,
    check: u64,
}

impl Key {
    /// An entry of a folder of the shelf.
    pub(super) fn on_shelf(folder: &str, name: &str) -> Self {
        Self::of(|hasher| (folder, name).hash(hasher))
    }

    /// An entry of a tree.
    pub(super) fn in_tree(manifest: &ManifestId, path: &TreePath, node: &Node) -> Self {
        Self::of(|hasher| match node.link_group() {
            Some(group) => (manifest, group).hash(hasher),
            None => (manifest, path.as_bytes()).hash(hasher),
        })
    }

    fn of(hash: impl Fn(&mut DefaultHasher)) -> Self {
        let [number, check] = [0_u8, 1].map(|salt| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            hash(&mut hasher);
            hasher.finish()
        });
        Self {
            // 0 is no number, 1 is the root.
            number: number.max(ROOT + 1),
            check,
        }
    }

    /// The number that the entry has unless another got there first.
    pub(super) const fn number(self) -> u64 {
        self.number
    }
}

/// The entries that the kernel knows.
pub(super) struct Inodes(Mutex<HashMap<u64, Inode>>);

struct Inode {
    check: u64,
    what: Arc<What>,
    lookups: u64,
}

impl Inodes {
    pub(super) fn new() -> Self {
        let root = Inode {
            check: 0,
            what: Arc::new(What::Folder(String::new())),
            lookups: 1,
        };
        Self(Mutex::new(HashMap::from([(ROOT, root)])))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Inode>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, number: u64) -> Option<Arc<What>> {
        self.lock()
            .get(&number)
            .map(|inode| Arc::clone(&inode.what))
    }

    /// Notes that the kernel was told of the entry once more; returns its number.
    pub(super) fn tell(&self, key: Key, what: What) -> u64 {
        let mut inodes = self.lock();
        let mut number = key.number;
        while inodes
            .get(&number)
            .is_some_and(|inode| inode.check != key.check)
        {
            number = number.wrapping_add(1).max(ROOT + 1);
        }
        let inode = inodes.entry(number).or_insert_with(|| Inode {
            check: key.check,
            what: Arc::new(What::Link(String::new())),
            lookups: 0,
        });
        inode.what = Arc::new(what);
        inode.lookups += 1;
        number
    }

    /// Notes that the kernel has forgotten so many of the times it was told.
    pub(super) fn forget(&self, number: u64, times: u64) {
        let mut inodes = self.lock();
        if let Some(inode) = inodes.get_mut(&number).filter(|_| number != ROOT) {
            inode.lookups = inode.lookups.saturating_sub(times);
            if inode.lookups == 0 {
                inodes.remove(&number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_forgot_is_gone_and_comes_back_under_the_same_number() {
        let inodes = Inodes::new();
        let tell = |name: &str| {
            let what = What::Link(name.to_owned());
            inodes.tell(Key::on_shelf("by-tag", name), what)
        };
        let number = tell("a");
        assert_eq!(tell("a"), number);
        assert_ne!(tell("b"), number);
        inodes.forget(number, 1);
        assert!(inodes.get(number).is_some());
        inodes.forget(number, 1);
        assert!(inodes.get(number).is_none());
        assert_eq!(tell("a"), number);
        inodes.forget(ROOT, 100);
        assert!(inodes.get(ROOT).is_some());
    }

    #[test]
    fn two_entries_with_one_hash_have_two_numbers() {
        let inodes = Inodes::new();
        let key = |check| Key { number: 77, check };
        let a = inodes.tell(key(1), What::Link("a".to_owned()));
        let b = inodes.tell(key(2), What::Link("b".to_owned()));
        assert_eq!((a, b), (77, 78));
        assert_eq!(inodes.tell(key(2), What::Link("b".to_owned())), 78);
    }
}
