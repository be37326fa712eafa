//! What a repair does, step by step, in words for people.

use std::fmt;

use crate::{
    error::Damage,
    id::{PackId, RunId},
    layout::Object,
};

/// Where bytes come from that are written anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// What is left in this repository.
    Rest,
    /// The pack's parity.
    Parity,
    /// Another store of the same repository, by its number among those given.
    Mirror(usize),
}

/// One thing that a repair does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Drops a damaged record whose absence means what its damage meant.
    Drop {
        /// The record.
        object: Object,
        /// How it is bad.
        damage: Damage,
    },
    /// Replaces a damaged record by the same record from a mirror.
    Replace {
        /// The record.
        object: Object,
        /// How it is bad.
        damage: Damage,
        /// The mirror's number.
        mirror: usize,
    },
    /// Ends the replacement of a record that was interrupted.
    Finish {
        /// The record.
        object: Object,
    },
    /// Writes index runs for packs that no good run names.
    Index {
        /// How many.
        packs: usize,
    },
    /// Puts a damaged pack into quarantine.
    Condemn {
        /// The pack.
        pack: PackId,
        /// How it is bad.
        damage: Damage,
    },
    /// Writes chunks anew.
    Rescue {
        /// The damaged pack that held them, if one is known.
        pack: Option<PackId>,
        /// Where their bytes come from.
        origin: Origin,
        /// How many.
        chunks: usize,
    },
    /// Makes the parity of a whole pack anew.
    Renew {
        /// The pack.
        pack: PackId,
        /// How its parity is bad.
        damage: Damage,
    },
    /// Removes a damaged index run, after everything it can have named is indexed again.
    RemoveRun {
        /// The run.
        run: RunId,
        /// How it is bad.
        damage: Damage,
    },
}

/// Something that stays damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unhealed {
    /// What.
    pub object: Object,
    /// How it is bad.
    pub damage: Damage,
    /// Chunks of it that cannot be had anywhere, if it is a pack.
    pub chunks: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest => f.write_str("what is left here"),
            Self::Parity => f.write_str("its parity"),
            Self::Mirror(number) => write!(f, "mirror {}", number + 1),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop { object, damage } => write!(f, "drop the {object}: {damage}"),
            Self::Replace {
                object,
                damage,
                mirror,
            } => write!(f, "replace {object} from mirror {}: {damage}", mirror + 1),
            Self::Finish { object } => write!(f, "end the replacement of {object}"),
            Self::Index { packs } => write!(f, "index {packs} packs that no good run names"),
            Self::Condemn { pack, damage } => {
                write!(f, "put pack {pack} into quarantine: {damage}")
            }
            Self::Rescue {
                pack: Some(pack),
                origin,
                chunks,
            } => write!(f, "write {chunks} chunks of pack {pack} anew from {origin}"),
            Self::Rescue {
                pack: None,
                origin,
                chunks,
            } => write!(
                f,
                "write {chunks} chunks that no pack here has anew from {origin}"
            ),
            Self::Renew { pack, damage } => {
                write!(f, "make the parity of pack {pack} anew: {damage}")
            }
            Self::RemoveRun { run, damage } => write!(f, "remove index run {run}: {damage}"),
        }
    }
}

impl fmt::Display for Unhealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.damage)?;
        match self.object {
            Object::Pack(_) => write!(
                f,
                "; {} chunks are lost unless a source still has them",
                self.chunks
            ),
            Object::Slot(_) => f.write_str("; add the key again and remove this slot"),
            Object::Lease(_) => f.write_str("; a collection that fences all writers removes it"),
            Object::Manifest(_) => f.write_str("; forget it if no mirror has it"),
            _ => f.write_str("; nothing here can replace it"),
        }
    }
}
