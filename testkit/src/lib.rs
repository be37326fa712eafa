//! What tests of every crate share: a clock they move, repeatable randomness, data builders.
//!
//! - [`clock`]: [`ManualClock`](clock::ManualClock)
//! - [`entropy`]: [`SeededEntropy`](entropy::SeededEntropy)

pub mod clock;
pub mod entropy;
