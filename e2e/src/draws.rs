//! What tests at random need: numbers that follow from a seed, and settings of the environment.
//!
//! Invariant: the same seed draws the same numbers in the same order.

use std::env;

use anyhow::{Context, Result};

use crate::data;

/// Numbers that follow from a seed.
#[derive(Debug)]
pub struct Draws {
    seed: u64,
    made: u64,
}

impl Draws {
    /// None made yet.
    pub const fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// The seed.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many were made.
    pub const fn made(&self) -> u64 {
        self.made
    }

    /// A number below `limit`, the next of the seed's.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.made += 1;
        let bytes = data::noise(self.seed.wrapping_mul(1_000_003) + self.made, 8);
        u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")) % limit
    }

    /// A place in something of that length, drawn like a number.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a length")
    }
}

/// The number that the environment has under that name.
pub fn setting(name: &str, otherwise: u64) -> Result<u64> {
    match env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is no number")),
        Err(_) => Ok(otherwise),
    }
}
