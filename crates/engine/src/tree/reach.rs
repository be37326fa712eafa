//! Finds every chunk that a manifest needs.
//!
//! Written apart from saving and restoring and by other means than they (one stack, no lists read
//! in order), because checks and collections stand on it.
//!
//! Invariant: a node is shown before what it names, and what it names is shown unless the visitor
//! says that it knows already; memory is bounded by the nodes of one path.

use crate::{
    error::{Error, Result},
    id::{ChunkId, Stream},
    manifest::{Layer, Manifest},
    reader::Reader,
    tree::{
        entry::{Body, Content, Entry, Extent, Node as EntryNode, Xattrs},
        problem::Problem,
        sequence::{self, Item, Root},
        top,
    },
    volume::{map, top::Top as VolumeTop},
};
use strongroom_model::content::Xattr;

/// A chunk that a manifest needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reached {
    /// The chunk.
    pub id: ChunkId,
    /// What it is for.
    pub stream: Stream,
}

/// What to do about a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visit {
    /// Read it and show what it names.
    Descend,
    /// Leave it: everything below was shown before.
    Skip,
}

/// Looks at the chunks that manifests need.
pub trait Visitor {
    /// A chunk that is needed; may come again if other nodes name it too. The answer matters for
    /// tree chunks only.
    fn reach(&mut self, reached: Reached) -> Result<Visit>;

    /// A node that cannot be read, so that what it names stays unknown. An error ends the walk.
    fn lose(&mut self, id: ChunkId, error: Error) -> Result<()>;
}

/// What a tree chunk is expected to be.
#[derive(Clone, Copy)]
enum Role {
    Tree,
    Problems,
    Entries(u8),
    Extents(u8),
    Xattrs(u8),
    ProblemList(u8),
    Volume,
    Map(u8),
}

/// Shows every chunk that the manifest needs to `visitor`.
pub fn reach(reader: &Reader, manifest: &Manifest, visitor: &mut dyn Visitor) -> Result<()> {
    let root = match manifest.body.layer {
        Layer::Tree => Role::Tree,
        Layer::Volume => Role::Volume,
    };
    let mut nodes = vec![(manifest.body.root, root)];
    nodes.extend(manifest.body.problems.map(|id| (id, Role::Problems)));
    let mut found = Found::default();
    while let Some((id, role)) = nodes.pop() {
        if visitor.reach(Reached {
            id,
            stream: Stream::Tree,
        })? == Visit::Skip
        {
            continue;
        }
        let read = reader.read(Stream::Tree, &id).and_then(|bytes| {
            open(&bytes, role, &mut found)
                .map_err(|malformed| Error::NodeMalformed { id, malformed })
        });
        if let Err(error) = read {
            found.clear();
            visitor.lose(id, error)?;
            continue;
        }
        for id in found.data.drain(..) {
            visitor.reach(Reached {
                id,
                stream: Stream::Data,
            })?;
        }
        // Popped from the end: the first child is looked at first, as it was stored.
        nodes.extend(found.nodes.drain(..).rev());
    }
    Ok(())
}

/// What one node names.
#[derive(Default)]
struct Found {
    nodes: Vec<(ChunkId, Role)>,
    data: Vec<ChunkId>,
}

impl Found {
    fn clear(&mut self) {
        self.nodes.clear();
        self.data.clear();
    }

    fn list(&mut self, root: &Root, role: fn(u8) -> Role) {
        self.nodes.push((root.id, role(root.level)));
    }

    fn entry(&mut self, node: &EntryNode) {
        if let Xattrs::List(root) = &node.xattrs {
            self.list(root, Role::Xattrs);
        }
        match &node.body {
            Body::Directory(Some(root)) => self.list(root, Role::Entries),
            Body::File(Content::List(root)) => self.list(root, Role::Extents),
            Body::File(Content::Extents(extents)) => {
                for extent in extents {
                    self.extent(extent);
                }
            }
            _ => {}
        }
    }

    fn extent(&mut self, extent: &Extent) {
        if let Extent::Data { id, .. } = extent {
            self.data.push(*id);
        }
    }
}

fn open(bytes: &[u8], role: Role, found: &mut Found) -> Result<(), crate::codec::Malformed> {
    match role {
        Role::Tree => found.entry(&top::Top::decode(bytes)?.root),
        Role::Problems => found.list(&top::decode_problems(bytes)?, Role::ProblemList),
        Role::Entries(level) => {
            open_list(
                bytes,
                level,
                Role::Entries,
                found,
                |entry: &Entry, found| {
                    found.entry(&entry.node);
                },
            )?;
        }
        Role::Extents(level) => {
            open_list(bytes, level, Role::Extents, found, |extent, found| {
                found.extent(extent);
            })?;
        }
        Role::Xattrs(level) => {
            open_list(bytes, level, Role::Xattrs, found, |_: &Xattr, _| {})?;
        }
        Role::ProblemList(level) => {
            open_list(bytes, level, Role::ProblemList, found, |_: &Problem, _| {})?;
        }
        Role::Volume => {
            let top = VolumeTop::decode(bytes)?;
            let level = map::root_level(top.blocks());
            found
                .nodes
                .extend(top.root.map(|id| (id, Role::Map(level))));
        }
        Role::Map(level) => {
            let children = map::decode(bytes, level)?.into_iter().map(|(_, id)| id);
            match level.checked_sub(1) {
                None => found.data.extend(children),
                Some(below) => found
                    .nodes
                    .extend(children.map(|id| (id, Role::Map(below)))),
            }
        }
    }
    Ok(())
}

fn open_list<T: Item>(
    bytes: &[u8],
    level: u8,
    role: fn(u8) -> Role,
    found: &mut Found,
    item: impl Fn(&T, &mut Found),
) -> Result<(), crate::codec::Malformed> {
    match sequence::decode::<T>(bytes, level)? {
        sequence::Node::Items(items) => items.iter().for_each(|each| item(each, found)),
        sequence::Node::Children(children) => {
            found
                .nodes
                .extend(children.iter().map(|child| (child.id, role(level - 1))));
        }
    }
    Ok(())
}
