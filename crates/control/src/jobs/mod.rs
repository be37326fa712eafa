//! The durable jobs: one file each, its steps in a table with what takes them back.
//!
//! - `protect`: makes one backup
//! - `restore`: restores one backup
//! - `delete_backup`, `remove_resources`, `delete_vault`: let data go
//! - `replicate`: copies one backup into another region
//! - `verify`: reads a part of a vault's data again, and heals it
//! - `retain`: has the store keep what a locked vault's backups need
//! - `collect`: frees what no backup of a vault needs any more
//! - `import`: takes backups that the catalog does not know into it; `note`: writes beside the
//!   data what the catalog knows
//! - `audit_backup`, `audit_delete`, `audit_restore`, `audit_verify`: audit logs of databases;
//!   `audit_told`: what a segment tells of its backup's row
//! - `ddm_backup`, `ddm_delete_backup`, `ddm_remove`, `ddm_restore`, `ddm_schema`: sharding layers
//! - `ddm_copy`, `ddm_merge`, `ddm_recover`, `ddm_trim`: their data nodes, at points in time
//! - `ddm_told`: what a manifest tells of its backup's row; `ddm_points_told`: of copies and logs
//! - `depot`: how the repository of database backups is reached
//! - `params`: what the jobs are told; `failure`: how a step fails; `repository`: how a vault's
//!   data are reached; `saved`: what a manifest says; `books`: its size against a vault;
//!   `watch`: progress and cancelling; `own_paths`: what no backup holds
//!
//! Invariants: a job's operation log, backup, checkpoint and resource change to their final states
//! in the transaction that ends the job; a step may be run again after a crash at any point of it.

mod audit_backup;
mod audit_delete;
mod audit_restore;
pub(crate) mod audit_told;
mod audit_verify;
mod books;
pub(crate) mod collect;
mod ddm_backup;
mod ddm_copy;
mod ddm_delete_backup;
mod ddm_merge;
pub(crate) mod ddm_points_told;
mod ddm_recover;
mod ddm_remove;
mod ddm_restore;
mod ddm_schema;
pub(crate) mod ddm_told;
mod ddm_trim;
mod delete_backup;
mod delete_vault;
mod depot;
mod failure;
mod import;
mod manifests;
mod note;
mod own_paths;
pub(crate) mod params;
mod protect;
mod remove_resources;
mod replicate;
mod repository;
mod restore;
mod retain;
pub(crate) mod saved;
mod verify;
mod watch;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use strongroom_catalog::{Catalog, Tx};
use strongroom_jobs::{Context, Job, JobType, NewJob, Options, Registry, Runner};
use strongroom_model::{Clock, JobId, Timestamp};

use crate::{Control, Error, Result};

pub(crate) use self::{
    collect::order_collection,
    failure::chain,
    note::order_note,
    repository::BACKUP_LABEL,
    retain::{Again, order_retention},
    verify::order_verification,
};

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
/// The name of the job that copies one backup into another region.
pub(crate) const REPLICATE: &str = "replicate";
/// The name of the job that frees what nothing needs any more.
pub(crate) const COLLECT: &str = "collect";

/// The name of the job that has the store keep what a locked vault's backups need.
pub(crate) const RETAIN: &str = "retain";
/// The name of the job that reads data again.
pub(crate) const VERIFY: &str = "verify";
/// The name of the job that backs up audit logs.
pub(crate) const AUDIT_BACKUP: &str = "audit_backup";
/// The name of the job that deletes lines of audit logs.
pub(crate) const AUDIT_DELETE: &str = "audit_delete";
/// The name of the job that lays lines of audit logs out to be searched.
pub(crate) const AUDIT_RESTORE: &str = "audit_restore";
/// The name of the job that proves that no audit log is missing.
pub(crate) const AUDIT_VERIFY: &str = "audit_verify";
/// The name of the job that keeps what a sharding layer knows.
pub(crate) const DDM_BACKUP: &str = "ddm_backup";
/// The name of the job that copies the files of a data node.
pub(crate) const DDM_COPY: &str = "ddm_copy";
/// The name of the job that deletes a backup of that.
pub(crate) const DDM_DELETE_BACKUP: &str = "ddm_delete_backup";
/// The name of the job that puts pieces of archived logs together.
pub(crate) const DDM_MERGE: &str = "ddm_merge";
/// The name of the job that brings data nodes and metadata to a point in time.
pub(crate) const DDM_RECOVER: &str = "ddm_recover";
/// The name of the job that takes a sharding layer off the list.
pub(crate) const DDM_REMOVE: &str = "ddm_remove";
/// The name of the job that writes a backup back to a sharding layer.
pub(crate) const DDM_RESTORE: &str = "ddm_restore";
/// The name of the job that makes or drops a logical schema.
pub(crate) const DDM_SCHEMA: &str = "ddm_schema";
/// The name of the job that lets go of what no point in time needs.
pub(crate) const DDM_TRIM: &str = "ddm_trim";

/// The name of the job that takes backups into the catalog.
pub(crate) const IMPORT: &str = "import";
/// The name of the job that writes the catalog's rows beside the data.
pub(crate) const NOTE: &str = "note";

/// Every job there is.
pub const ALL: &[&JobType<Control>] = &[
    &protect::JOB,
    &restore::JOB,
    &delete_backup::JOB,
    &remove_resources::JOB,
    &delete_vault::JOB,
    &replicate::JOB,
    &collect::JOB,
    &retain::JOB,
    &import::JOB,
    &note::JOB,
    &audit_backup::JOB,
    &audit_delete::JOB,
    &audit_restore::JOB,
    &audit_verify::JOB,
    &ddm_backup::JOB,
    &ddm_copy::JOB,
    &ddm_delete_backup::JOB,
    &ddm_merge::JOB,
    &ddm_recover::JOB,
    &ddm_remove::JOB,
    &ddm_restore::JOB,
    &ddm_schema::JOB,
    &ddm_trim::JOB,
    &verify::JOB,
];

impl Context for Control {
    type Store = Catalog;

    fn job_store(&self) -> &Catalog {
        self.catalog()
    }

    fn clock(&self) -> &dyn Clock {
        self.time()
    }
}

impl Control {
    /// A runner of every job, woken by whatever is ordered through this handle and its clones.
    ///
    /// No thread runs before `start`; who holds the data directory's lock calls `adopt_orphans`
    /// before that.
    pub fn runner(&self, options: Options) -> Arc<Runner<Self>> {
        let registry = Registry::new(ALL).expect("a test holds that every name is there once");
        let runner = Arc::new(Runner::new(Arc::new(self.clone()), registry, options));
        // Weak, for the runner holds this very Control.
        let waker = Arc::downgrade(&runner);
        self.set_waker(move || {
            if let Some(runner) = waker.upgrade() {
                runner.notify();
            }
        });
        runner
    }
}

/// Orders a job, behind the others of its key.
pub(crate) fn enqueue(
    tx: &Tx<'_>,
    (id, now): (JobId, Timestamp),
    kind: &str,
    exclusive_key: String,
    params: Value,
) -> Result<()> {
    tx.jobs().enqueue(&NewJob {
        id,
        kind: kind.to_owned(),
        params,
        exclusive_key: Some(exclusive_key),
        not_before: None,
        created_at: now,
    })?;
    Ok(())
}

/// The parameters of a job, in the hook that ends it.
pub(crate) fn of_job<T: DeserializeOwned>(params: &Value) -> Result<T> {
    T::deserialize(params).map_err(|error| Error::bug("a job's parameters are unreadable", error))
}

/// What a step left, in the hook that ends the job.
fn output_of<T: DeserializeOwned>(job: &Job, step: &str) -> Result<T> {
    let found = job.outputs.iter().find(|output| output.step == step);
    let output = found.map_or(&Value::Null, |found| &found.output);
    T::deserialize(output).map_err(|error| Error::bug("a step's output is unreadable", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_registered_under_its_own_name() {
        let names = [
            PROTECT,
            RESTORE,
            DELETE_BACKUP,
            REMOVE_RESOURCES,
            DELETE_VAULT,
            REPLICATE,
            COLLECT,
            RETAIN,
            IMPORT,
            NOTE,
            AUDIT_BACKUP,
            AUDIT_DELETE,
            AUDIT_RESTORE,
            AUDIT_VERIFY,
            DDM_BACKUP,
            DDM_COPY,
            DDM_DELETE_BACKUP,
            DDM_MERGE,
            DDM_RECOVER,
            DDM_REMOVE,
            DDM_RESTORE,
            DDM_SCHEMA,
            DDM_TRIM,
            VERIFY,
        ];
        let registry = Registry::new(ALL).unwrap();
        assert_eq!(registry.names().len(), names.len());
        assert!(names.iter().all(|name| registry.get(name).is_some()));
    }
}
