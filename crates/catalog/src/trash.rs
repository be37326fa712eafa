//! What was deleted and can still be brought back, and how careful the service is with a vault.
//!
//! A backup or vault in the trash keeps its row, but no function of [`Backups`](crate::backups)
//! or [`Vaults`](crate::vaults) finds it; these do. What was put there with its vault has the
//! vault's very instant and comes back with it.

use serde::{Deserialize, Serialize};
use strongroom_model::{BackupId, CheckpointId, ProjectId, ResourceId, Timestamp, VaultId};

use crate::{
    backups::BackupRow,
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::{Row, Table, table},
    tx::Tx,
    value::{Field, Json},
    vaults::VaultRow,
};

table! {
    /// How careful the service is with a vault.
    pub struct VaultSafetyRow, "vault_safety", "safety of the vault",
    key ["project_id", "vault_id"] {
        /// The vault's project.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// Whether what deletes needs the token of its plan.
        guarded: bool,
        /// Whether the lock keeps backups made by hand too.
        locks_manual: bool,
        /// Days that what was deleted can be brought back; `None` as the installation says.
        grace_days: Option<u32>,
    }
}

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed<R> {
    /// What it was, unchanged.
    pub row: R,
    /// When it was deleted.
    pub trashed_at: Timestamp,
    /// When it is to go for good; the beginning of time once it has begun to.
    pub purge_at: Timestamp,
}

/// A resource that a vault in the trash held, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "HeldForm")]
pub struct Held {
    /// The resource.
    pub resource_id: ResourceId,
    /// Whether the vault's policy covered it.
    pub auto_protect: bool,
    /// What was sent with it, to be echoed.
    pub extra_info: serde_json::Value,
}

/// How what was held is written down: an early release wrote the resource's id alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum HeldForm {
    Id(ResourceId),
    Whole {
        resource_id: ResourceId,
        auto_protect: bool,
        extra_info: serde_json::Value,
    },
}

impl From<HeldForm> for Held {
    fn from(form: HeldForm) -> Self {
        match form {
            HeldForm::Id(resource_id) => Self {
                resource_id,
                auto_protect: true,
                extra_info: serde_json::Value::Null,
            },
            HeldForm::Whole {
                resource_id,
                auto_protect,
                extra_info,
            } => Self {
                resource_id,
                auto_protect,
                extra_info,
            },
        }
    }
}

const BY_AGE: &[Key] = &[("trashed_at", Ascending), ("id", Ascending)];

/// The trash.
pub struct Trash<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The trash.
    pub fn trash(&self) -> Trash<'_> {
        Trash(self)
    }
}

impl Trash<'_> {
    /// Puts a backup into the trash; `false` if it is not there, or in the trash already.
    pub fn put_backup(
        &self,
        project: &ProjectId,
        id: &BackupId,
        (trashed_at, purge_at): (Timestamp, Timestamp),
    ) -> Result<bool> {
        let sql = "UPDATE backups SET trashed_at = ?1, purge_at = ?2 \
                   WHERE project_id = ?3 AND id = ?4 AND trashed_at IS NULL";
        let values = [
            trashed_at.to_value(),
            purge_at.to_value(),
            project.to_value(),
            id.to_value(),
        ];
        Ok(self.0.execute(sql, &values)? > 0)
    }

    /// Takes a backup out of the trash; `false` if it was not there.
    pub fn take_backup(&self, project: &ProjectId, id: &BackupId) -> Result<bool> {
        let sql = "UPDATE backups SET trashed_at = NULL, purge_at = NULL \
                   WHERE project_id = ?1 AND id = ?2 AND trashed_at IS NOT NULL";
        Ok(self.0.execute(sql, &[project.to_value(), id.to_value()])? > 0)
    }

    /// The project's backup of that id in the trash.
    pub fn backup(&self, project: &ProjectId, id: &BackupId) -> Result<Option<Trashed<BackupRow>>> {
        Ok(self.trashed(&own(project).is("id", id))?.pop())
    }

    /// The project's backups in the trash, the first deleted first.
    pub fn backups(&self, project: &ProjectId) -> Result<Vec<Trashed<BackupRow>>> {
        self.trashed(&own(project))
    }

    /// The backups of a vault in the trash.
    pub fn backups_of_vault(
        &self,
        project: &ProjectId,
        vault: &VaultId,
    ) -> Result<Vec<Trashed<BackupRow>>> {
        self.trashed(&own(project).is("vault_id", vault))
    }

    /// How many backups of a checkpoint are in the trash.
    pub fn count_of_checkpoint(&self, project: &ProjectId, id: &CheckpointId) -> Result<u64> {
        self.0
            .count::<BackupRow>(&own(project).is("checkpoint_id", id))
    }

    /// The backups of all projects whose time in the trash is over; for upkeep.
    pub fn any_project_backups_due(&self, now: Timestamp) -> Result<Vec<Trashed<BackupRow>>> {
        // With a vault in the trash they wait for it.
        let due = in_trash().at_most("purge_at", Some(&now)).that(
            "NOT EXISTS (SELECT 1 FROM vaults WHERE vaults.id = vault_id \
             AND vaults.trashed_at IS NOT NULL)",
        );
        self.trashed(&due)
    }

    /// Says when a backup in the trash is to go.
    pub fn set_purge_of_backup(
        &self,
        project: &ProjectId,
        id: &BackupId,
        at: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE backups SET purge_at = ?1 \
                   WHERE project_id = ?2 AND id = ?3 AND trashed_at IS NOT NULL";
        let values = [at.to_value(), project.to_value(), id.to_value()];
        self.0.execute(sql, &values).map(drop)
    }

    /// Puts a vault into the trash, with the resources that it held.
    pub fn put_vault(
        &self,
        project: &ProjectId,
        id: &VaultId,
        (trashed_at, purge_at): (Timestamp, Timestamp),
        held: &[Held],
    ) -> Result<bool> {
        let sql = "UPDATE vaults SET trashed_at = ?1, purge_at = ?2, trashed_resources = ?3 \
                   WHERE project_id = ?4 AND id = ?5 AND trashed_at IS NULL";
        let values = [
            trashed_at.to_value(),
            purge_at.to_value(),
            Json(held.to_vec()).to_value(),
            project.to_value(),
            id.to_value(),
        ];
        Ok(self.0.execute(sql, &values)? > 0)
    }

    /// Takes a vault out of the trash; the resources that it held, or `None` if it was not there.
    pub fn take_vault(&self, project: &ProjectId, id: &VaultId) -> Result<Option<Vec<Held>>> {
        let filter = own(project).is("id", id);
        let sql = format!("SELECT trashed_resources FROM vaults{}", filter.sql());
        let held = self.0.query("vaults", &sql, filter.params(), |row| {
            row.take::<Json<Vec<Held>>>("trashed_resources")
        })?;
        let sql = "UPDATE vaults SET trashed_at = NULL, purge_at = NULL, trashed_resources = NULL \
                   WHERE project_id = ?1 AND id = ?2";
        self.0.execute(sql, &[project.to_value(), id.to_value()])?;
        Ok(held.into_iter().next().map(|Json(held)| held))
    }

    /// The project's vault of that id in the trash.
    pub fn vault(&self, project: &ProjectId, id: &VaultId) -> Result<Option<Trashed<VaultRow>>> {
        Ok(self.trashed(&own(project).is("id", id))?.pop())
    }

    /// The project's vaults in the trash, the first deleted first.
    pub fn vaults(&self, project: &ProjectId) -> Result<Vec<Trashed<VaultRow>>> {
        self.trashed(&own(project))
    }

    /// The vaults of all projects whose time in the trash is over; for upkeep.
    pub fn any_project_vaults_due(&self, now: Timestamp) -> Result<Vec<Trashed<VaultRow>>> {
        self.trashed(&in_trash().at_most("purge_at", Some(&now)))
    }

    /// Says when a vault in the trash is to go.
    pub fn set_purge_of_vault(
        &self,
        project: &ProjectId,
        id: &VaultId,
        at: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE vaults SET purge_at = ?1 \
                   WHERE project_id = ?2 AND id = ?3 AND trashed_at IS NOT NULL";
        let values = [at.to_value(), project.to_value(), id.to_value()];
        self.0.execute(sql, &values).map(drop)
    }

    /// The project's vault of that id, in the trash or not; for the jobs that reach its data.
    pub fn vault_anywhere(&self, project: &ProjectId, id: &VaultId) -> Result<Option<VaultRow>> {
        let anywhere = Filter::new().is("project_id", project).is("id", id);
        self.0.one(&anywhere)
    }

    /// All backups of a vault, in the trash or not; for the job that deletes it.
    pub fn every_backup_of(&self, project: &ProjectId, vault: &VaultId) -> Result<Vec<BackupRow>> {
        let anywhere = Filter::new()
            .is("project_id", project)
            .is("vault_id", vault);
        self.0.select(&anywhere, &[("id", Ascending)])
    }

    /// How careful the service is with a vault; `None` if nothing was said.
    pub fn safety(&self, project: &ProjectId, vault: &VaultId) -> Result<Option<VaultSafetyRow>> {
        let of = Filter::new()
            .is("project_id", project)
            .is("vault_id", vault);
        self.0.one(&of)
    }

    /// Says how careful the service is to be with a vault.
    pub fn set_safety(&self, row: &VaultSafetyRow) -> Result<()> {
        self.0.upsert(row)
    }

    fn trashed<R: Table>(&self, filter: &Filter) -> Result<Vec<Trashed<R>>> {
        let sql = format!(
            "SELECT {}, trashed_at, purge_at FROM {}{}{}",
            R::COLUMNS.join(", "),
            R::NAME,
            filter.sql(),
            crate::query::order_by(BY_AGE)
        );
        let read = |row: &mut Row| {
            Ok(Trashed {
                row: R::read(row)?,
                trashed_at: row.take("trashed_at")?,
                purge_at: row.take("purge_at")?,
            })
        };
        self.0.query(R::NAME, &sql, filter.params(), read)
    }
}

fn in_trash() -> Filter {
    Filter::new().that("trashed_at IS NOT NULL")
}

fn own(project: &ProjectId) -> Filter {
    in_trash().is("project_id", project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_early_release_wrote_of_a_vault_in_the_trash_is_read() {
        let id = "00000000-0000-4000-8000-000000000001";
        let early: Vec<Held> = serde_json::from_value(serde_json::json!([id])).unwrap();
        assert_eq!(early[0].resource_id.to_string(), id);
        assert!(early[0].auto_protect);
        let now = serde_json::to_value(&early).unwrap();
        assert_eq!(serde_json::from_value::<Vec<Held>>(now).unwrap(), early);
    }
}
