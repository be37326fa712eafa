//! Which kinds of resource there are, and how each is opened.
//!
//! A new kind is a folder beside `share` and `volume`, a variant of
//! [`ResourceKind`] and a line in [`KINDS`]; the conformance
//! suite (`tests/it/conformance.rs`) then runs over it.

use std::path::Path;

use crate::{Share, ShareTarget, Volume, VolumeTarget};
use strongroom_model::{
    ResourceKind,
    content::{Refused, Result},
};

/// An opened resource, by the way it is read.
pub enum Source {
    /// As a tree of files.
    Tree(Share),
    /// As blocks.
    Blocks(Volume),
}

/// A place for a restore, by the way it is written.
pub enum Target {
    /// As a tree of files.
    Tree(ShareTarget),
    /// As blocks.
    Blocks(VolumeTarget),
}

impl Target {
    /// Makes the restored content durable and visible. What comes back was refused by the target
    /// and is missing: an owner that only root may set, an attribute it does not know.
    pub fn switch(self) -> Result<Refused> {
        match self {
            Self::Tree(target) => target.switch(),
            Self::Blocks(target) => target.switch().map(|()| Refused::new()),
        }
    }
}

/// Where a restore goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Where nothing is yet.
    New,
    /// Over the resource itself, replacing what is there.
    InPlace,
}

/// How resources of one kind are opened.
pub struct Kind {
    /// The kind.
    pub kind: ResourceKind,
    /// Opens the resource at a path for reading.
    pub open: fn(&Path) -> Result<Source>,
    /// Prepares a restore to a path.
    pub target: fn(&Path, Place) -> Result<Target>,
}

/// Every kind that there is.
pub const KINDS: &[Kind] = &[
    Kind {
        kind: ResourceKind::Share,
        open: |path| Share::open(path).map(Source::Tree),
        target: |path, place| ShareTarget::create(path, place).map(Target::Tree),
    },
    Kind {
        kind: ResourceKind::Volume,
        open: |path| Volume::open(path).map(Source::Blocks),
        target: |path, place| VolumeTarget::create(path, place).map(Target::Blocks),
    },
];

fn of(kind: ResourceKind) -> &'static Kind {
    KINDS
        .iter()
        .find(|known| known.kind == kind)
        .expect("a test holds that every kind is listed")
}

/// Opens the resource of that kind at `path` for reading.
pub fn open(kind: ResourceKind, path: &Path) -> Result<Source> {
    (of(kind).open)(path)
}

/// Prepares a restore of that kind to `path`.
pub fn target(kind: ResourceKind, path: &Path, place: Place) -> Result<Target> {
    (of(kind).target)(path, place)
}
