//! Directories of audit logs and their backups: what operators registered and what came of it.
//!
//! - [`instances`]: directories, their switch and their tags
//! - [`backups`]: backups of what was in them, which outlive both directory and lines
//! - [`tasks`]: what the vendor calls jobs
//!
//! Invariant: where the reading of a directory has come to is nowhere here: the chain of segments
//! in the repository says it, so that a lost catalog neither loses lines nor reads any twice.

pub mod backups;
pub mod instances;
pub mod tasks;

pub use backups::{DbssBackupFilter, DbssBackupRow, DbssSums, LogGap};
pub use instances::{DbssInstanceRow, DbssTagRow};
pub use tasks::DbssTaskRow;
