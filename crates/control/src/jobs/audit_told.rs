//! What the segments of a chain tell of their rows, so that a lost catalog is made anew from the
//! data.
//!
//! A directory comes back off the list: where it was is known, but whether it is still there, and
//! still the same, is an operator's word. Its chain goes on if it is registered again under a new
//! id only as a new chain; what was kept stays provable and can be searched after a restore.

use std::collections::BTreeMap;

use strongroom_catalog::{
    DbssBackupRow, DbssInstanceRow, Document as _, DomainRow, ProjectRow, Tx,
};
use strongroom_engine::Repository;
use strongroom_model::{
    ProjectId,
    state::{DbssInstanceStatus, DbssProgress},
};

use super::audit_backup::{Kept, said_of};
use crate::{
    Control, Result,
    audit_logs::{self, Chain},
    dbss::backups::fresh,
};

/// A directory as its segments tell of it, and whose it is.
pub(crate) struct Told {
    pub(crate) domain: DomainRow,
    pub(crate) project: ProjectRow,
    pub(crate) instance: DbssInstanceRow,
    pub(crate) backups: Vec<DbssBackupRow>,
}

impl Told {
    /// Puts what is not known yet into the catalog.
    pub(crate) fn put(self, tx: &Tx<'_>) -> Result<()> {
        let (project, id) = (self.instance.project_id, self.instance.id);
        if tx.dbss_instances().get(&project, &id)?.is_none() {
            tx.dbss_instances().insert(&self.instance)?;
        }
        for row in self.backups {
            if tx.dbss_backups().get(&project, &row.id)?.is_none() {
                tx.dbss_backups().insert(&row)?;
            }
        }
        Ok(())
    }
}

/// The directories whose chains are in a repository, with their backups. A backup is kept from now
/// on as if it were made now: nobody knows what was agreed on.
pub(crate) fn rows(
    control: &Control,
    repository: &Repository,
    project: ProjectId,
) -> Result<Vec<Told>> {
    let now = control.now();
    let mut all: BTreeMap<_, Told> = BTreeMap::new();
    for (name, _) in audit_logs::instances(repository, control.heads())? {
        let chain = Chain::open(repository, &name, control.heads())?;
        for segment in chain.segments() {
            let Some(said) = said_of(&chain.labels(segment.head.number)?) else {
                continue;
            };
            let mut instance = DbssInstanceRow::from_document(&said.instance)?;
            instance.project_id = project;
            let mut row = fresh(&instance, said.backup, said.automatic, said.created_at);
            Kept::of(segment, said.backup, said.automatic).settle(&mut row);
            let days = i64::from(instance.retention_days);
            row.expires_at = Some(now.plus_seconds(days * 86_400));
            row.updated_at = now;
            if segment.deleted.is_some() {
                row.progress = DbssProgress::Deleted;
                row.expires_at = None;
            }
            if let Some(told) = all.get_mut(&name) {
                told.backups.push(row);
                continue;
            }
            instance.status = DbssInstanceStatus::Error;
            instance.automatic = false;
            instance.next_backup_at = None;
            instance.removed_at = Some(now);
            let told = Told {
                domain: DomainRow::from_document(&said.domain)?,
                project: ProjectRow::from_document(&said.project)?,
                instance,
                backups: vec![row],
            };
            all.insert(name.clone(), told);
        }
    }
    Ok(all.into_values().collect())
}
