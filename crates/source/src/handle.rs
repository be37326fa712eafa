//! Open directories of a tree, however deep, with a bounded number of descriptors.
//!
//! A directory is opened relative to its parent, never by a path: there is no `PATH_MAX`, and
//! nobody can swap a component for a link on the way. A walk holds as many directories as the
//! tree is deep, so descriptors are only lent: beyond [`OPEN_MAX`] the one opened longest ago is
//! closed and opened again through its ancestors when it is needed.
//!
//! Invariant: a directory that is opened again is the same inode, or the call fails.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use rustix::{
    fs::{CWD, OFlags},
    io::Errno,
};

use crate::inode;
use strongroom_model::content::{Error, Name, Result};

/// How many directories of one tree are open at once, give or take those in use.
const OPEN_MAX: usize = 256;

/// Locks, also after a panic elsewhere: what is guarded here is valid at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open directory; cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory(Arc<Node>);

struct Node {
    parent: Option<Arc<Node>>,
    name: Box<[u8]>,
    identity: inode::Identity,
    lent: Mutex<Option<Arc<OwnedFd>>>,
    open: Arc<OpenDirectories>,
}

/// The directories that hold a descriptor, in the order of opening.
#[derive(Default)]
struct OpenDirectories(Mutex<VecDeque<Weak<Node>>>);

impl OpenDirectories {
    fn remember(&self, node: &Arc<Node>) {
        let mut open = lock(&self.0);
        open.push_back(Arc::downgrade(node));
        while open.len() > OPEN_MAX {
            let oldest = open.pop_front().and_then(|weak| weak.upgrade());
            if let Some(oldest) = oldest {
                lock(&oldest.lent).take();
                // Its last owner may have gone meanwhile; it must not be dropped under the lock,
                // because that could drop a long chain of ancestors.
                drop(open);
                drop(oldest);
                open = lock(&self.0);
            }
        }
    }
}

impl Directory {
    /// Opens the directory at `path`, following links: the path is an operator's word.
    pub(crate) fn open_root(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = inode::open_quietly(CWD, path.as_os_str().as_bytes(), flags)
            .map_err(Error::io("open", path))?;
        let stat = inode::stat_fd(&fd).map_err(Error::io("stat", path))?;
        Ok(Self(Arc::new(Node {
            parent: None,
            name: path.as_os_str().as_bytes().into(),
            identity: inode::Identity::of(&stat),
            lent: Mutex::new(Some(Arc::new(fd))),
            open: Arc::default(),
        })))
    }

    /// Opens the directory `name` in this one; never follows a link.
    pub(crate) fn open_directory(&self, name: &Name) -> Result<Self> {
        let fd = open_child(&*self.fd()?, name.as_bytes())
            .map_err(|errno| self.refused("open", name, errno))?;
        let stat = inode::stat_fd(&fd).map_err(|errno| self.refused("stat", name, errno))?;
        let node = Arc::new(Node {
            parent: Some(Arc::clone(&self.0)),
            name: name.as_bytes().into(),
            identity: inode::Identity::of(&stat),
            lent: Mutex::new(Some(Arc::new(fd))),
            open: Arc::clone(&self.0.open),
        });
        node.open.remember(&node);
        Ok(Self(node))
    }

    /// A descriptor of the directory, opened again if it was closed meanwhile.
    pub(crate) fn fd(&self) -> Result<Arc<OwnedFd>> {
        let mut closed = Vec::new();
        let mut node = &self.0;
        let mut fd = loop {
            if let Some(fd) = lock(&node.lent).clone() {
                break fd;
            }
            closed.push(node);
            node = node.parent.as_ref().expect("the root keeps its descriptor");
        };
        for node in closed.into_iter().rev() {
            fd = Arc::new(node.reopen(&fd)?);
            *lock(&node.lent) = Some(Arc::clone(&fd));
            node.open.remember(node);
        }
        Ok(fd)
    }

    /// The device and inode of the directory.
    pub(crate) fn identity(&self) -> inode::Identity {
        self.0.identity
    }

    /// The path of the directory, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path()
    }

    /// The path of an entry, for messages.
    pub(crate) fn path_of(&self, name: &Name) -> PathBuf {
        self.path().join(OsStr::from_bytes(name.as_bytes()))
    }

    /// The error of a call on an entry.
    pub(crate) fn refused(&self, action: &'static str, name: &Name, errno: Errno) -> Error {
        let path = self.path_of(name);
        // What was no link a moment ago and is one now was replaced.
        if errno == Errno::LOOP {
            Error::Replaced { path }
        } else {
            Error::io(action, &path)(errno)
        }
    }
}

fn open_child(parent: &OwnedFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    inode::open_quietly(parent, name, flags)
}

impl Node {
    fn path(&self) -> PathBuf {
        let mut names = vec![&*self.name];
        let mut above = self.parent.as_deref();
        while let Some(node) = above {
            names.push(&node.name);
            above = node.parent.as_deref();
        }
        names
            .iter()
            .rev()
            .map(|name| OsStr::from_bytes(name))
            .collect()
    }

    fn reopen(&self, parent: &OwnedFd) -> Result<OwnedFd> {
        let fd = open_child(parent, &self.name)
            .map_err(|errno| Error::io("open", &self.path())(errno))?;
        let stat = inode::stat_fd(&fd).map_err(|errno| Error::io("stat", &self.path())(errno))?;
        if inode::Identity::of(&stat) == self.identity {
            Ok(fd)
        } else {
            Err(Error::Replaced { path: self.path() })
        }
    }
}

impl Drop for Node {
    /// Drops a chain of ancestors one after the other, since a recursion as deep as the tree
    /// would overflow the stack.
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some(mut node) = above.and_then(Arc::into_inner) {
            above = node.parent.take();
        }
    }
}
