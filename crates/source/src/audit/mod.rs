//! Directories of databases' audit logs: read on from where the last reading ended.
//!
//! A log is a family of files that its writer and a rotating program rename, copy, cut, compress
//! and delete at any time. [`LogDirectory::read`] gives every whole line once: what it knows of
//! each file (a [`Position`]) tells it by content where a file that it began has gone, and whatever
//! went away unread becomes a [`Gap`].
//!
//! - [`mod@format`]: which logs there are; [`directory`]: a directory that is read
//! - [`position`]: how far; [`reading`]: what came of it; [`gap`]: what did not
//! - `listing`, `follow`, `left`: which files there are, which of them is which, and which are done
//! - `packing`, `lines`: bytes of a file as its writer wrote them, whole lines of them
//! - [`record`]: a line taken apart, for searches; `mariadb`, `postgres`, `json`, `when`
//! - [`pressure`]: how full the file system is; [`host`]: what the host of the logs does
//! - [`scan`]: all lines of files and stored logs, for searches
//!
//! Invariant: what is read twice from one position is the same lines, or a gap says why not; no
//! line is given twice from two successive positions.

pub mod directory;
pub mod error;
mod follow;
pub mod format;
pub mod gap;
pub mod host;
mod json;
mod left;
mod lines;
mod listing;
mod mariadb;
mod packing;
pub mod position;
mod postgres;
pub mod pressure;
pub mod reading;
pub mod record;
pub mod scan;
#[cfg(any(test, fuzzing))]
pub mod untrusted;
mod when;

pub use directory::LogDirectory;
pub use error::{Error, Result};
pub use format::{Format, Zone};
pub use gap::{Gap, GapKind, Lost, Pending};
pub use position::Position;
pub use pressure::Pressure;
pub use reading::{Budget, Reading, Span};
pub use record::{Record, StatementKind};
