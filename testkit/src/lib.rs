//! What tests of every crate share: a clock they move, repeatable randomness, data builders.
//!
//! - [`clock`]: [`ManualClock`](clock::ManualClock)
//! - [`entropy`]: [`SeededEntropy`](entropy::SeededEntropy)
//! - [`dice`]: random choices by seed
//! - [`tree`], [`image`]: trees and disks as values, random ones, changes, comparison
//! - [`memory`]: sources and sinks in memory, with faults and counts
//! - [`mariadb`]: real database servers, and a sharding layer in front of them
//! - [`postgres`]: a real server that audits
//! - [`disk`]: trees written to and read from a real file system

pub mod clock;
pub mod dice;
pub mod disk;
pub mod entropy;
pub mod image;
pub mod mariadb;
pub mod memory;
pub mod postgres;
pub mod tree;
