//! Data nodes themselves: their files and their logs, read, kept up with and rolled forward.
//!
//! MariaDB's own programs do what must fit the server to the byte; what they write is checked here
//! before anybody counts on it.
//!
//! - [`physical`]: a copy of a server's files while it works; [`stream`]: what such a copy holds
//! - [`log`]: a binary log, event by event; [`archive`]: what a server has logged since
//! - [`rebuild`]: a server of our own on a copy, rolled forward and carried to an empty server
//! - `program`: how programs are run and how they fail
//!
//! Invariant: no password is on a command line; it is in a file that only we can read, or in
//! nothing that outlives the call.

pub mod archive;
pub mod log;
pub mod physical;
mod program;
pub mod rebuild;
pub mod stream;

pub use archive::{Followed, Part, Standing, Survey, fetch, follow, survey};
pub use physical::{Physical, Taken, back_up};
pub use rebuild::{Private, extract, prepare, programs};
