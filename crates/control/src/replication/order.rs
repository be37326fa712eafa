//! An order to copy: what may be copied where, and all the rows it leaves in one transaction.

use std::collections::BTreeSet;

use serde_json::json;
use strongroom_catalog::{
    self as catalog, BackupFilter, BackupRow, CheckpointRow, Json, ReplicationRow,
    ReplicationStatus, Tx, VaultRow,
};
use strongroom_model::{
    BackupId, Bytes, CheckpointId, OperationLogId, PolicyId, ProjectId, ReplicationId, Timestamp,
    VaultId,
    state::{BackupStatus, CheckpointStatus},
};

use super::{Destination, reachable_project, region_name};
use crate::{
    Caller, Control, Error, Reason, Result, backups,
    jobs::{self, params},
    operation_logs::{self, NewTask, OperationCopy, OperationDetail},
    vaults,
    words::{ProtectType, stored},
};

/// Where originals are.
pub(crate) struct Source {
    /// The vault.
    pub(crate) vault: VaultRow,
    /// The region that keeps it.
    pub(crate) region: String,
}

impl Source {
    /// The project's vault of that id, if its backups can be copied.
    pub(crate) fn of(tx: &Tx<'_>, project: ProjectId, vault: VaultId) -> Result<Self> {
        let otherwise = Reason::VaultStateForbids;
        let vault = vaults::rows::get_available(tx, project, vault, otherwise)?;
        if stored::<ProtectType>(&vault.protect_type)? == ProtectType::Replication {
            let about = format!("{}: a copy is not copied again", vault.name);
            return Err(Error::conflict(Reason::VaultKindForbidsReplication, about));
        }
        let region = region_name(tx, &vault)?;
        Ok(Self { vault, region })
    }
}

/// Where copies go.
pub(crate) struct Target {
    /// The vault.
    pub(crate) vault: VaultRow,
    /// The region that keeps it.
    pub(crate) region: String,
}

impl Target {
    /// The vault of that destination, if it takes copies from `source` now.
    ///
    /// A schedule has no caller: whoever bound its policy was asked then.
    pub(crate) fn of(
        control: &Control,
        tx: &Tx<'_>,
        caller: Option<&Caller>,
        source: &Source,
        destination: &Destination,
    ) -> Result<Self> {
        let target = Self::fitting(control, tx, caller, source, destination)?;
        let mut grown = target.vault.clone();
        vaults::grow(&mut grown, target.vault.used_bytes);
        if vaults::room(&grown).is_some_and(|room| room == Bytes(0)) {
            let about = format!("{}: {} GiB", grown.name, grown.size_gib.0);
            return Err(Error::quota(Reason::TargetVaultFull, about));
        }
        Ok(target)
    }

    /// The same, whether or not there is room now.
    pub(crate) fn fitting(
        control: &Control,
        tx: &Tx<'_>,
        caller: Option<&Caller>,
        source: &Source,
        destination: &Destination,
    ) -> Result<Self> {
        if destination.vault == source.vault.id {
            let about = "a vault does not take its own copies";
            return Err(Error::conflict(Reason::NoReplicationTarget, about));
        }
        if destination.region == source.region {
            let about = format!("the originals are in {} themselves", source.region);
            return Err(Error::conflict(Reason::RegionTakesNoCopies, about));
        }
        let region = control.region_of_name(tx, &destination.region)?;
        let project = match caller {
            Some(caller) => reachable_project(tx, caller, &destination.project)?,
            None => same_account(tx, source.vault.project_id, &destination.project)?,
        };
        let absent = || Error::conflict(Reason::NoSuchTargetVault, destination.vault);
        let vault = tx.vaults().get(&project, &destination.vault)?;
        let vault = vault
            .filter(|vault| vault.region == region)
            .ok_or_else(absent)?;
        let refused = |reason| Err(Error::conflict(reason, &vault.name));
        if stored::<ProtectType>(&vault.protect_type)? != ProtectType::Replication {
            return refused(Reason::NoReplicationTarget);
        }
        if vault.object_type != source.vault.object_type {
            return refused(Reason::VaultTakesOtherType);
        }
        if vault.status != strongroom_model::state::VaultStatus::Available {
            return refused(Reason::VaultStateForbids);
        }
        Ok(Self {
            vault,
            region: destination.region.clone(),
        })
    }
}

/// The project of that id, if it belongs to the account of the originals' project.
fn same_account(tx: &Tx<'_>, own: ProjectId, id: &str) -> Result<ProjectId> {
    let refused = || Error::conflict(Reason::ProjectTakesNoCopies, id);
    let id: ProjectId = id.parse().map_err(|_| refused())?;
    let of = |id: ProjectId| Ok::<_, Error>(tx.projects().get(&id)?.map(|row| row.domain_id));
    if id == own || (of(id)?.is_some() && of(id)? == of(own)?) {
        Ok(id)
    } else {
        Err(refused())
    }
}

/// Refuses a backup that cannot be copied there.
pub(crate) fn copyable(tx: &Tx<'_>, backup: &BackupRow, target: &Target) -> Result<()> {
    match backup.status {
        BackupStatus::Available => {}
        BackupStatus::WaitingProtect | BackupStatus::Protecting => {
            return Err(Error::conflict(Reason::BackupNotReady, backup.status));
        }
        BackupStatus::Error => {
            let about = format!("{}: it is not complete", backup.name);
            return Err(Error::conflict(Reason::BackupNotCopyable, about));
        }
        _ => return Err(Error::conflict(Reason::BackupInUse, backup.status)),
    }
    if backup.replica_of.is_some() {
        let about = format!("{}: a copy is not copied again", backup.name);
        return Err(Error::conflict(Reason::BackupNotCopyable, about));
    }
    for replica in tx.backups().any_project_replicas_of(&backup.id)? {
        let vault = tx.vaults().get(&replica.project_id, &replica.vault_id)?;
        let Some(vault) = vault else { continue };
        if region_name(tx, &vault)? == target.region {
            let about = format!("{} in {}: {}", backup.name, target.region, replica.status);
            return Err(Error::conflict(Reason::CopiedAlready, about));
        }
    }
    Ok(())
}

/// The newest good backup of each resource of a vault.
pub(crate) fn newest_good(tx: &Tx<'_>, vault: &VaultRow) -> Result<Vec<BackupRow>> {
    let filter = BackupFilter {
        vault_id: Some(vault.id),
        statuses: vec![BackupStatus::Available],
        replicas: Some(false),
        ..BackupFilter::default()
    };
    let mut seen = BTreeSet::new();
    let mut found = tx
        .backups()
        .list(&vault.project_id, &filter, &[], &catalog::Page::ALL)?
        .rows;
    found.retain(|backup| seen.insert(backup.resource_id));
    Ok(found)
}

/// A copy that was ordered.
pub(crate) struct Placed {
    /// The original.
    pub(crate) original: BackupId,
    /// The replica that is to be.
    pub(crate) replica: BackupRow,
    /// The record.
    pub(crate) record: ReplicationId,
}

/// What all copies of one order have in common.
pub(crate) struct Order<'a> {
    /// Where the originals are.
    pub(crate) source: &'a Source,
    /// Where the copies go.
    pub(crate) target: &'a Target,
    /// Their name; each original's if absent.
    pub(crate) name: Option<&'a str>,
    /// Their description; each original's if absent.
    pub(crate) description: Option<&'a str>,
    /// The policy that asks.
    pub(crate) policy: Option<PolicyId>,
    /// Whether a schedule asks.
    pub(crate) auto_trigger: bool,
    /// Days to keep them; absent for ever.
    pub(crate) retention_days: Option<u32>,
}

impl Order<'_> {
    /// Writes replicas with their restore point, records, tasks and jobs, in the order given.
    pub(crate) fn place(
        &self,
        control: &Control,
        tx: &Tx<'_>,
        request_id: &str,
        originals: Vec<BackupRow>,
    ) -> Result<Vec<Placed>> {
        let now = control.now();
        let Some(first) = originals.first() else {
            return Ok(Vec::new());
        };
        let checkpoint = self.checkpoint(CheckpointId::new(control.entropy()), first, now);
        tx.checkpoints().insert(&checkpoint)?;
        let mut copies = Vec::with_capacity(originals.len());
        for original in originals {
            let id = BackupId::new(control.entropy());
            let replica = self.replica(id, checkpoint.id, &original, now);
            tx.backups().insert(&replica)?;
            let record = self.begin(control, tx, request_id, (&original, &replica))?;
            copies.push(Placed {
                original: original.id,
                replica,
                record,
            });
        }
        Ok(copies)
    }

    fn begin(
        &self,
        control: &Control,
        tx: &Tx<'_>,
        request_id: &str,
        (original, replica): (&BackupRow, &BackupRow),
    ) -> Result<ReplicationId> {
        let (from, to) = (&self.source.vault, &self.target.vault);
        let record = ReplicationId::new(control.entropy());
        let log = OperationLogId::new(control.entropy());
        tx.replications().insert(&ReplicationRow {
            id: record,
            project_id: from.project_id,
            backup_id: original.id,
            source_checkpoint_id: original.checkpoint_id,
            vault_id: from.id,
            source_region: self.source.region.clone(),
            destination_project_id: to.project_id,
            destination_region: self.target.region.clone(),
            destination_vault_id: to.id,
            destination_checkpoint_id: replica.checkpoint_id,
            destination_backup_id: replica.id,
            status: ReplicationStatus::Waiting,
            error_code: None,
            error_message: None,
            log_id: log,
            policy_id: self.policy,
            created_at: replica.created_at,
            updated_at: replica.created_at,
        })?;
        let copy = OperationCopy {
            source_backup_id: original.id,
            source_backup_name: original.name.clone(),
            source_checkpoint_id: original.checkpoint_id,
            source_project_id: from.project_id,
            source_region: self.source.region.clone(),
            destination_backup_id: replica.id,
            destination_backup_name: replica.name.clone(),
            destination_checkpoint_id: replica.checkpoint_id,
            destination_project_id: to.project_id,
            destination_region: self.target.region.clone(),
            policy_id: self.policy,
        };
        let params = params::Replicate {
            project: from.project_id,
            vault: from.id,
            backup: original.id,
            destination_project: to.project_id,
            destination_vault: to.id,
            replica: replica.id,
            record,
            log,
        };
        let task = NewTask {
            id: log,
            vault: from,
            checkpoint_id: Some(original.checkpoint_id),
            backup: Some(original),
            resource: Some(backups::resource_of(original)),
            detail: OperationDetail::Replication(Box::new(copy)),
            job: jobs::REPLICATE,
            params: json!(params),
            exclusive_key: params::replicate_key(to.id),
        };
        operation_logs::begin(control, tx, request_id, task)?;
        Ok(record)
    }

    fn checkpoint(&self, id: CheckpointId, first: &BackupRow, now: Timestamp) -> CheckpointRow {
        let description = self.description.or(first.description.as_deref());
        CheckpointRow {
            id,
            project_id: self.target.vault.project_id,
            vault_id: self.target.vault.id,
            status: CheckpointStatus::Protecting,
            name: self.name.unwrap_or(&first.name).to_owned(),
            description: description.map(str::to_owned),
            retention_days: self.retention_days,
            skipped: Json(json!([])),
            incremental_asked: true,
            auto_trigger: self.auto_trigger,
            created_at: now,
            updated_at: now,
        }
    }

    fn replica(
        &self,
        id: BackupId,
        checkpoint_id: CheckpointId,
        original: &BackupRow,
        now: Timestamp,
    ) -> BackupRow {
        let description = self.description.or(original.description.as_deref());
        BackupRow {
            id,
            project_id: self.target.vault.project_id,
            vault_id: self.target.vault.id,
            checkpoint_id,
            name: self.name.unwrap_or(&original.name).to_owned(),
            description: description.map(str::to_owned),
            status: BackupStatus::WaitingProtect,
            incremental: false,
            parent_id: None,
            manifest_id: None,
            stored_bytes: Bytes(0),
            unique_bytes: Bytes(0),
            problems: Json(Vec::new()),
            auto_trigger: self.auto_trigger,
            created_at: now,
            updated_at: now,
            expired_at: None,
            replica_of: Some(original.id),
            ..original.clone()
        }
    }
}
