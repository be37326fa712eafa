//! What is in the store of the model: only what decides who may rely on what.
//!
//! Chunks and packs are bits of a byte. A pack is there, or an index run names it, or both; a
//! name is used once and never again, as in the real thing.

pub(crate) type Chunks = u8;
pub(crate) type Packs = u8;

/// What stands at a manifest's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Manifest {
    #[default]
    Free,
    Fence,
    Holds(Chunks),
    Removed,
}

/// One act of forgetting and what was decided about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Act {
    #[default]
    Free,
    Undecided,
    Restored,
    Final,
    Cleared,
}

/// What becomes of a quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Outcome {
    Lifted,
    Swept,
}

/// The three objects of one quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Quarantine {
    pub(crate) record: bool,
    pub(crate) packs: Packs,
    pub(crate) waits: Option<u8>,
    pub(crate) outcome: Option<Outcome>,
}

pub(crate) const INITIAL: usize = 2;
pub(crate) const WRITERS: usize = 2;
pub(crate) const COLLECTORS: usize = 2;
/// Initial packs, two of each writer, one of each collector.
const PACKS: usize = INITIAL + 2 * WRITERS + COLLECTORS;

/// The store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Store {
    pub(crate) contents: [Chunks; PACKS],
    pub(crate) present: Packs,
    pub(crate) indexed: Packs,
    /// Those of the start, then one for each lease.
    pub(crate) manifests: [Manifest; INITIAL + WRITERS + COLLECTORS],
    /// Up to two acts for each manifest of the start.
    pub(crate) acts: [[Act; 2]; INITIAL],
    pub(crate) leases: u8,
    /// Two for each collector.
    pub(crate) quarantines: [Quarantine; 2 * COLLECTORS],
}

/// The numbers of the bits that are set.
pub(crate) fn bits(mask: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |bit| mask >> bit & 1 == 1)
}

impl Store {
    /// Chunks that some of the packs hold.
    pub(crate) fn chunks_in(&self, packs: Packs) -> Chunks {
        bits(packs).fold(0, |chunks, pack| chunks | self.contents[pack])
    }

    /// The packs that stand in quarantine.
    pub(crate) fn condemned(&self) -> Packs {
        let standing = self.quarantines.iter().filter(|each| each.record);
        standing.fold(0, |packs, each| packs | each.packs)
    }

    /// The acts of a manifest that make it forgotten.
    pub(crate) fn forgetting(&self, manifest: usize) -> impl Iterator<Item = usize> {
        let acts = self.acts.get(manifest).copied().unwrap_or_default();
        (0..2).filter(move |act| matches!(acts[*act], Act::Undecided | Act::Final))
    }

    /// Manifests that nobody has finally let go, and what they need.
    pub(crate) fn needed(&self) -> impl Iterator<Item = (usize, Chunks)> {
        let gone = |id: usize| {
            self.acts
                .get(id)
                .is_some_and(|acts| acts.contains(&Act::Final))
        };
        self.manifests
            .iter()
            .enumerate()
            .filter_map(move |(id, manifest)| match manifest {
                Manifest::Holds(chunks) if !gone(id) => Some((id, *chunks)),
                _ => None,
            })
    }

    /// Chunks that a manifest needs and nobody can read.
    pub(crate) fn lost(&self) -> Option<(usize, Chunks)> {
        let readable = self.chunks_in(self.present & self.indexed);
        self.needed()
            .map(|(id, chunks)| (id, chunks & !readable))
            .find(|(_, lost)| *lost != 0)
    }
}
