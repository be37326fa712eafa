//! Runs the real binary as a user would, and looks at what comes out.
//!
//! Nothing here links against our other crates: the tests see commands, files, exit codes and
//! HTTP, as tools and vendors' clients do. What is awaited is polled with a deadline, never slept
//! for.
//!
//! - [`binary`]: the program under test and how it is called
//! - [`service`]: a running `strongroom serve`, killed and started again at will
//! - [`session`]: plain HTTP calls with a token
//! - [`data`]: shares and disk images of every sort of content, and changes to them
//! - [`draws`]: numbers that follow from a seed
//! - [`fingerprint`]: everything about a tree or image that a restore must bring back
//! - [`wait`]: polling with a deadline

pub mod binary;
pub mod data;
pub mod draws;
pub mod fingerprint;
pub mod service;
pub mod session;
pub mod wait;
