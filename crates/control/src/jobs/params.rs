//! What the jobs are told when they are ordered. Recorded in the catalog: a field may be added
//! with a default, none may change its meaning while jobs of an older release are unfinished.

use serde::{Deserialize, Serialize};
use strongroom_model::{
    BackupId, DataNodeId, DbssBackupId, DbssInstanceId, DdmBackupId, DdmInstanceId, OperationLogId,
    ProjectId, ReplicationId, ResourceId, Timestamp, VaultId, state::DdmBackupStatus,
};

/// Makes one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Protect {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) backup: BackupId,
    pub(crate) log: OperationLogId,
    /// Taken before a restore: never refused for lack of room in the vault.
    pub(crate) safety: bool,
}

/// Restores one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restore {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) backup: BackupId,
    pub(crate) log: OperationLogId,
    pub(crate) target: Target,
    /// The project of a backup that is shared with this one; none if it is its own.
    #[serde(default)]
    pub(crate) owner: Option<ProjectId>,
}

impl Restore {
    /// The project that the backup belongs to.
    pub(crate) fn owner(&self) -> ProjectId {
        self.owner.unwrap_or(self.project)
    }
}

/// Where a restore goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Onto a resource.
    Resource {
        resource: ResourceId,
        /// The backup of the resource as it was, which must be good before anything is written;
        /// none if nothing was there.
        safety: Option<BackupId>,
    },
    /// To a path where nothing is yet; bytes, since paths need not be text.
    Path {
        path: Vec<u8>,
        /// Only this entry of a share.
        inside: Option<Vec<u8>>,
    },
}

impl Target {
    /// The backup of the target as it was before.
    pub(crate) fn safety(&self) -> Option<BackupId> {
        match self {
            Self::Resource { safety, .. } => *safety,
            Self::Path { .. } => None,
        }
    }
}

/// Deletes one backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteBackup {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) backup: BackupId,
    pub(crate) log: OperationLogId,
    /// It is in the trash, and its owner was told long ago that it is deleted.
    #[serde(default)]
    pub(crate) purge: bool,
}

/// Takes resources out of a vault, with their backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemoveResources {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) resources: Vec<ResourceId>,
    pub(crate) log: OperationLogId,
}

/// Deletes a vault, with its backups and its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteVault {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) log: OperationLogId,
    /// It is in the trash, and its owner was told long ago that it is deleted.
    #[serde(default)]
    pub(crate) purge: bool,
}

/// Frees what no backup of a vault needs any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Collect {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
}

/// Takes the backups of a vault's data into the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    /// This one alone.
    pub(crate) only: Option<BackupId>,
    pub(crate) log: OperationLogId,
}

/// Writes beside a vault's data what the catalog knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
}

/// Copies one backup into a vault of another region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replicate {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) backup: BackupId,
    pub(crate) destination_project: ProjectId,
    pub(crate) destination_vault: VaultId,
    pub(crate) replica: BackupId,
    pub(crate) record: ReplicationId,
    pub(crate) log: OperationLogId,
}

/// Reads a part of a vault's packs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verify {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    pub(crate) part: u32,
    pub(crate) parts: u32,
    /// Bytes per second at most.
    pub(crate) rate: Option<u64>,
    pub(crate) began: Timestamp,
}

/// Data are read again by one worker at a time, so that the others make backups.
pub(crate) const VERIFY_KEY: &str = "verify";
/// Keeps what a sharding layer knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmBackup {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
    pub(crate) backup: DdmBackupId,
}

/// Deletes a backup of what a sharding layer knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmDeleteBackup {
    pub(crate) project: ProjectId,
    pub(crate) backup: DdmBackupId,
    /// What it was before, and is again if the deletion fails.
    pub(crate) before: DdmBackupStatus,
}

/// Takes a sharding layer off the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmRemove {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
    /// The backup that must be good before.
    pub(crate) safety: DdmBackupId,
}

/// Writes metadata back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmRestore {
    pub(crate) project: ProjectId,
    /// The layer that it is written to.
    pub(crate) target: DdmInstanceId,
    /// The data nodes that take the places of those then.
    pub(crate) nodes: Vec<DataNodeId>,
    pub(crate) source: DdmSource,
}

/// Copies the files of a data node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmCopy {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
    pub(crate) node: DataNodeId,
    pub(crate) copy: DdmBackupId,
}

/// Brings data nodes and metadata to a point in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmRecover {
    pub(crate) project: ProjectId,
    pub(crate) source: DdmInstanceId,
    /// The empty layer that it is brought to.
    pub(crate) target: DdmInstanceId,
    /// Seconds since 1970, on the servers' clocks.
    pub(crate) second: i64,
    /// The backup of the metadata as they were then.
    pub(crate) metadata: DdmBackupId,
    pub(crate) nodes: Vec<DdmRelation>,
}

/// A data node that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmRelation {
    pub(crate) source: DataNodeId,
    pub(crate) target: DataNodeId,
    /// The copy of the source's files that is rolled forward.
    pub(crate) copy: DdmBackupId,
}

/// Puts pieces of a layer's logs together, or lets go of copies and logs that no point in time
/// needs any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmLogs {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
}

/// Where metadata come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DdmSource {
    /// A backup; the target must be empty.
    Backup(DdmBackupId),
    /// Schemas that were exported, in the form of the export; none of them may be there.
    Export(String),
}

/// Makes or drops a logical schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DdmSchema {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
    pub(crate) schema: String,
    pub(crate) deed: SchemaDeed,
}

/// What is done with a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SchemaDeed {
    /// Make it.
    Create { shards: u32, nodes: Vec<DataNodeId> },
    /// Drop it, with its physical databases or without, after that backup is good.
    Drop { safety: DdmBackupId, data: bool },
}

/// Makes, lays out or deletes one backup of audit logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditWork {
    pub(crate) project: ProjectId,
    pub(crate) instance: DbssInstanceId,
    pub(crate) backup: DbssBackupId,
}

/// Proves that no audit log of a directory is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditVerify {
    pub(crate) project: ProjectId,
    pub(crate) instance: DbssInstanceId,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

/// The parameters of `retain`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Retain {
    pub(crate) project: ProjectId,
    pub(crate) vault: VaultId,
    /// Whether packs were written anew, so that nothing counts as done.
    pub(crate) again: bool,
}

/// One job of a project frees room in its database backups, or exchanges what they hold, at a time.
pub(crate) fn depot_key(project: ProjectId) -> String {
    format!("depot:{project}")
}

/// Work on one resource is done in the order it was asked for.
pub(crate) fn resource_key(resource: ResourceId) -> String {
    format!("resource:{resource}")
}

/// Work on one backup is done in the order it was asked for.
pub(crate) fn backup_key(backup: BackupId) -> String {
    format!("backup:{backup}")
}

/// One collection of a vault's repository runs at a time; it stands in nobody's way.
pub(crate) fn collect_key(vault: VaultId) -> String {
    format!("collect:{vault}")
}

/// One import of a vault runs at a time.
pub(crate) fn import_key(vault: VaultId) -> String {
    format!("import:{vault}")
}

/// One note of a vault is written at a time; it stands in nobody's way.
pub(crate) fn note_key(vault: VaultId) -> String {
    format!("note:{vault}")
}

/// Copies into one vault are made one after the other: each stores only what those before it did
/// not.
pub(crate) fn replicate_key(destination: VaultId) -> String {
    format!("replicate:{destination}")
}

/// Work on one vault as a whole is done in the order it was asked for.
pub(crate) fn vault_key(vault: VaultId) -> String {
    format!("vault:{vault}")
}
