//! The durable jobs: one file each, its steps in a table with what takes them back.

pub(crate) mod params;

/// The name of the job that makes one backup.
pub(crate) const PROTECT: &str = "protect";
/// The name of the job that restores one backup.
pub(crate) const RESTORE: &str = "restore";
/// The name of the job that deletes one backup.
pub(crate) const DELETE_BACKUP: &str = "delete_backup";
/// The name of the job that takes resources out of a vault.
pub(crate) const REMOVE_RESOURCES: &str = "remove_resources";
/// The name of the job that deletes a vault.
pub(crate) const DELETE_VAULT: &str = "delete_vault";
/// The name of the job that frees what nothing needs any more.
pub(crate) const COLLECT: &str = "collect";
