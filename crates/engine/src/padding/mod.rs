//! Padding: objects have sizes of a few classes, so that sizes tell little of what is inside.
//!
//! Packs are rounded up finely, because they are nearly everything that is stored; index runs and
//! records coarsely, because they are few and their sizes would count chunks and letters. What is
//! added is sealed like everything else: nobody can tell it from content, or change it unseen.
//!
//! Invariant: the padded size depends on nothing but the size before.
//!
//! Format: docs/format.md, "Padding"; reasons: docs/adr/0010-padding-parity-and-keys.md.

use crate::{
    codec::Malformed,
    error::Damage,
    seal::{Kind, Part, Place, Seal, TAG_LEN},
};

/// Packs are multiples of this, as files are of their file system's blocks.
const PACK_STEP_MIN: usize = 4096;
/// Steps from one power of two to the next, as a power of two, for packs: at most 1.6 % is added.
const PACK_STEPS: u32 = 6;
/// The same for index runs and records beyond [`COARSE_MAX`]; below they are powers of two.
const RECORD_STEPS: u32 = 3;
const COARSE_MAX: usize = 64 << 10;
const RUN_MIN: usize = 4096;
/// No manifest is as short as a fence, so that a listing tells them apart.
const MANIFEST_MIN: usize = 512;
const RECORD_MIN: usize = 256;

/// The size that an object of this kind has at least, if it needs `len` bytes.
pub(crate) const fn padded(kind: Kind, len: usize) -> usize {
    let least = match kind {
        Kind::DataPack | Kind::TreePack => {
            let step = step(len, PACK_STEPS);
            let step = if step < PACK_STEP_MIN {
                PACK_STEP_MIN
            } else {
                step
            };
            return len.next_multiple_of(step);
        }
        Kind::Run => RUN_MIN,
        Kind::Manifest => MANIFEST_MIN,
        _ => RECORD_MIN,
    };
    if len > COARSE_MAX {
        len.next_multiple_of(step(len, RECORD_STEPS))
    } else if len > least {
        len.next_power_of_two()
    } else {
        least
    }
}

/// The part `1 / 2^steps` of the greatest power of two that is not above `len`.
const fn step(len: usize, steps: u32) -> usize {
    1 << len.ilog2().saturating_sub(steps)
}

/// Seals the padding of a pack or index run at the end of `bytes`, if `rest` bytes are to follow.
pub(crate) fn append(seal: &Seal, kind: Kind, bytes: &mut Vec<u8>, rest: usize) {
    let start = bytes.len();
    let least = start + TAG_LEN + rest;
    let zeroes = padded(kind, least) - least;
    bytes.resize(start + zeroes, 0);
    seal.seal(&place(start as u64, zeroes), bytes, start);
}

/// Whether `sealed`, from `start` of a pack or index run, is padding.
pub(crate) fn check(seal: &Seal, start: u64, sealed: &[u8]) -> Result<(), Damage> {
    let mut plain = Vec::new();
    let zeroes = sealed.len().saturating_sub(TAG_LEN);
    seal.open(&place(start, zeroes), sealed, &mut plain)?;
    are_zeroes(&plain)?;
    Ok(())
}

/// Refuses padding that hides something.
pub(crate) fn are_zeroes(padding: &[u8]) -> Result<(), Malformed> {
    if padding.iter().all(|byte| *byte == 0) {
        Ok(())
    } else {
        Err(Malformed::new("padding is not zeroes"))
    }
}

fn place(start: u64, zeroes: usize) -> Place {
    let plain_len = u32::try_from(zeroes).expect("padding is shorter than its object");
    Place::new(Part::Padding, 0, start, plain_len)
}

#[cfg(test)]
mod tests;
