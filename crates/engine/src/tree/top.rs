//! The chunk that a tree's manifest points to: when the save began, and the root directory.
//!
//! ```text
//! top       role u8 5, started i64 + u32, node of the root (see `entry`)
//! problems  role u8 6, root of a list of problems
//! ```
//!
//! The start is told by the clock that stamps the tree's files, so that the next save can tell
//! a file that may have changed after it was read from one that cannot.
//!
//! Format: docs/format.md, "Trees".

use strongroom_model::content::FileTime;

use super::{
    entry::Node,
    problem::Problem,
    sequence::{Items, Root},
};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Error, Result},
    id::{ChunkId, Stream},
    manifest::{Layer, Manifest},
    reader::Reader,
};

const ROLE_TOP: u8 = 5;
const ROLE_PROBLEMS: u8 = 6;

/// What a tree's manifest points to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Top {
    pub(crate) started: FileTime,
    pub(crate) root: Node,
}

impl Top {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.u8(ROLE_TOP)
            .i64(self.started.seconds)
            .u32(self.started.nanos);
        self.root.encode(&mut to);
        to.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Decoder::new(bytes);
        if from.u8()? != ROLE_TOP {
            return Err(Malformed::new("is not the top of a tree"));
        }
        let started = FileTime::new(from.i64()?, from.u32()?);
        let root = Node::decode(&mut from)?;
        from.finish()?;
        Ok(Self { started, root })
    }

    /// The top of a tree's manifest.
    pub(crate) fn read(reader: &Reader, manifest: &Manifest) -> Result<Self> {
        reader.top(manifest, Layer::Tree, Self::decode)
    }
}

/// The chunk that a manifest's list of problems begins with.
pub(crate) fn encode_problems(root: &Root) -> Vec<u8> {
    let mut to = Encoder::default();
    to.u8(ROLE_PROBLEMS);
    root.encode(&mut to);
    to.finish()
}

/// Where the list of problems begins.
pub(crate) fn decode_problems(bytes: &[u8]) -> Result<Root, Malformed> {
    let mut from = Decoder::new(bytes);
    if from.u8()? != ROLE_PROBLEMS {
        return Err(Malformed::new("is not a list of problems"));
    }
    let root = Root::decode(&mut from)?;
    from.finish()?;
    Ok(root)
}

/// The problems that a manifest lists; [`Body::problem_count`](crate::manifest::Body) may be more.
pub fn problems(reader: &Reader, manifest: &Manifest) -> Result<Vec<Problem>> {
    let Some(id) = manifest.body.problems else {
        return Ok(Vec::new());
    };
    let root = decode_problems(&reader.read(Stream::Tree, &id)?)
        .map_err(|malformed| Error::NodeMalformed { id, malformed })?;
    let mut items = Items::all(Some(root));
    let mut problems = Vec::new();
    while let Some(problem) = items.next(&|id: &ChunkId| reader.read(Stream::Tree, id)) {
        problems.push(problem.map_err(|lost| *lost.error)?);
    }
    Ok(problems)
}
