//! Sharding layers and their metadata backups: what operators registered and what came of it.
//!
//! - [`instances`]: layers, their data nodes and their tags
//! - [`backups`]: backups of metadata, which outlive their layer
//! - [`points`]: copies of data nodes and their logs, for points in time
//! - [`tasks`]: what the vendor calls jobs
//! - [`depots`]: where a project's database backups are kept
//!
//! Invariant: no password is in the clear in any column.

pub mod backups;
pub mod depots;
pub mod instances;
pub mod points;
pub mod tasks;

pub use backups::{DataNodeName, DdmBackupFilter, DdmBackupRow};
pub use depots::DepotRow;
pub use instances::{DataNodeRow, DdmInstanceRow, DdmTagRow};
pub use points::{DdmLogPartRow, DdmLogRow, DdmNodeBackupRow};
pub use tasks::{DdmTaskFilter, DdmTaskRow};
