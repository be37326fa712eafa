//! Manifests: the record that makes a tree or a volume exist, written last.
//!
//! A manifest names the root of what was saved, says how much it is and whether all of it is
//! there, and carries labels that mean nothing to the engine. It is created conditionally under
//! the name of its writer's lease; a collector that gave the writer up creates a fence there
//! instead, and whoever comes first decides.
//!
//! Invariant: when a manifest exists, every pack and index run it needs was durable before.
//!
//! Format: docs/format.md, "Manifests".

use std::collections::BTreeMap;

use strongroom_model::Timestamp;

use crate::{
    codec::{Decoder, Encoder},
    error::Damage,
    id::{ChunkId, ManifestId, RunId},
    padding,
    seal::Kind,
};

/// Bytes of a fence's body: the name of the quarantine for which the writer was given up.
pub(crate) const FENCE_BODY_LEN: usize = 16;
/// Bytes of a fence; no manifest is as short.
pub(crate) const FENCE_LEN: u64 = padding::padded(Kind::Fence, FENCE_BODY_LEN) as u64;

/// What a manifest is the root of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layer {
    /// A tree of directories.
    Tree,
    /// The block map of a volume.
    Volume,
}

/// What was saved, counted by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Items {
    /// Regular files, hard links to one counted once.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// FIFOs, devices and whatever else.
    pub others: u64,
    /// Blocks of a volume that are not holes.
    pub blocks: u64,
}

/// What the caller of a commit says about what it saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// What the root is.
    pub layer: Layer,
    /// The tree chunk from which everything is reached.
    pub root: ChunkId,
    /// Bytes of content as its owner sees them, holes included.
    pub logical_bytes: u64,
    /// How many of what.
    pub items: Items,
    /// When reading began; information, never evidence.
    pub started: Timestamp,
    /// When reading ended; information, never evidence.
    pub finished: Timestamp,
    /// The manifest this one was made against.
    pub previous: Option<ManifestId>,
    /// Whatever the caller needs to find it again.
    pub labels: BTreeMap<String, String>,
    /// Whether everything that should be there is.
    pub complete: bool,
    /// How many things could not be read, changed while being read or were left out.
    pub problem_count: u64,
    /// The tree chunk that lists them.
    pub problems: Option<ChunkId>,
}

/// A committed manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Its name.
    pub id: ManifestId,
    /// What the writer's caller said.
    pub body: Body,
    /// Bytes of chunks that were new, before compression.
    pub unique_bytes: u64,
    /// Bytes of the packs and index runs that were written for it.
    pub stored_bytes: u64,
    /// The index runs that were written for it; merging replaces them.
    pub runs: Vec<RunId>,
}

impl Manifest {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Body {
            layer,
            items,
            previous,
            problems,
            ..
        } = &self.body;
        let mut out = Encoder::default();
        out.u8(match layer {
            Layer::Tree => 1,
            Layer::Volume => 2,
        });
        out.raw(self.body.root.as_bytes());
        out.u64(self.body.logical_bytes)
            .u64(self.unique_bytes)
            .u64(self.stored_bytes);
        out.u64(items.files)
            .u64(items.directories)
            .u64(items.links)
            .u64(items.others);
        out.u64(items.blocks);
        out.i64(self.body.started.as_micros())
            .i64(self.body.finished.as_micros());
        out.optional(previous.as_ref().map(|id| id.as_bytes().as_slice()));
        out.map(&self.body.labels);
        out.u8(u8::from(self.body.complete))
            .u64(self.body.problem_count);
        out.optional(problems.as_ref().map(|id| id.as_bytes().as_slice()));
        out.count(self.runs.len());
        for run in &self.runs {
            out.raw(run.as_bytes());
        }
        out.finish()
    }

    pub(crate) fn decode(id: ManifestId, bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let layer = match decoder.u8()? {
            1 => Layer::Tree,
            2 => Layer::Volume,
            found => {
                return Err(Damage::UnknownAlgorithm {
                    what: "kind of manifest",
                    found,
                });
            }
        };
        let root = ChunkId::from_bytes(decoder.array()?);
        let logical_bytes = decoder.u64()?;
        let (unique_bytes, stored_bytes) = (decoder.u64()?, decoder.u64()?);
        let items = Items {
            files: decoder.u64()?,
            directories: decoder.u64()?,
            links: decoder.u64()?,
            others: decoder.u64()?,
            blocks: decoder.u64()?,
        };
        let started = Timestamp::from_micros(decoder.i64()?);
        let finished = Timestamp::from_micros(decoder.i64()?);
        let previous = decoder.optional()?.map(ManifestId::from_bytes);
        let labels = decoder.map()?;
        let complete = decoder.flag()?;
        let problem_count = decoder.u64()?;
        let problems = decoder.optional()?.map(ChunkId::from_bytes);
        let runs = (0..decoder.count(RunId::LEN)?)
            .map(|_| decoder.array().map(RunId::from_bytes))
            .collect::<Result<_, _>>()?;
        decoder.finish()?;
        let body = Body {
            layer,
            root,
            logical_bytes,
            items,
            started,
            finished,
            previous,
            labels,
            complete,
            problem_count,
            problems,
        };
        Ok(Self {
            id,
            body,
            unique_bytes,
            stored_bytes,
            runs,
        })
    }
}

#[cfg(test)]
mod tests;
