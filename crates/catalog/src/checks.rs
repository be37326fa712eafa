//! Proof that data are good: how far the round of checks over a vault has come, and what the last
//! check said of each backup.

use strongroom_model::{BackupId, ProjectId, Timestamp, VaultId};

use crate::{error::Result, query::Filter, table::table, tx::Tx};

table! {
    /// How far the round of checks over a vault's data has come.
    pub struct VaultCheckRow, "vault_checks", "check of the vault", key ["vault_id"] {
        /// The vault.
        vault_id: VaultId,
        /// The vault's project.
        project_id: ProjectId,
        /// In how many parts its packs are read.
        parts: u32,
        /// The part that is read next.
        next_part: u32,
        /// When the last part was read.
        looked_at: Timestamp,
        /// When the round that is under way began; none before the first.
        round_at: Option<Timestamp>,
        /// Packs that were read, over all rounds.
        packs: u64,
        /// Their bytes.
        bytes: u64,
        /// Damages that were healed.
        healed: u64,
    }
}

table! {
    /// What the last check that looked at a backup found.
    pub struct BackupCheckRow, "backup_checks", "check of the backup", key ["backup_id"] {
        /// The backup.
        backup_id: BackupId,
        /// Its project.
        project_id: ProjectId,
        /// Its vault.
        vault_id: VaultId,
        /// When everything that it needs had been read.
        checked_at: Timestamp,
        /// What is lost of it; none if it is whole.
        problem: Option<String>,
    }
}

/// Sums over the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CheckSums {
    /// Packs that were read.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Damages that were healed.
    pub healed: u64,
    /// Backups of which something is lost.
    pub damaged_backups: u64,
}

/// The tables of checks.
pub struct Checks<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The checks of data.
    pub fn checks(&self) -> Checks<'_> {
        Checks(self)
    }
}

impl Checks<'_> {
    /// How far the checks of the project's vault have come.
    pub fn vault(&self, project: &ProjectId, vault: &VaultId) -> Result<Option<VaultCheckRow>> {
        self.0.one(&of_vault(project, vault))
    }

    /// Remembers how far they have come.
    pub fn set_vault(&self, row: &VaultCheckRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// What was last found of the project's backup.
    pub fn backup(&self, project: &ProjectId, backup: &BackupId) -> Result<Option<BackupCheckRow>> {
        self.0.one(&of_backup(project, backup))
    }

    /// Remembers what was found of a backup.
    pub fn set_backup(&self, row: &BackupCheckRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// Sums over the installation.
    pub fn any_project_sums(&self) -> Result<CheckSums> {
        let sql = "SELECT COALESCE(SUM(packs), 0), COALESCE(SUM(bytes), 0), \
                   COALESCE(SUM(healed), 0), \
                   (SELECT COUNT(*) FROM backup_checks WHERE problem IS NOT NULL) \
                   FROM vault_checks";
        let found = self.0.query("vault_checks", sql, &[], |row| {
            Ok(CheckSums {
                packs: row.take("packs")?,
                bytes: row.take("bytes")?,
                healed: row.take("healed")?,
                damaged_backups: row.take("problem")?,
            })
        })?;
        Ok(found.first().copied().unwrap_or_default())
    }

    pub(crate) fn remove_backup(&self, project: &ProjectId, backup: &BackupId) -> Result<u64> {
        self.0.remove::<BackupCheckRow>(&of_backup(project, backup))
    }

    pub(crate) fn remove_vault(&self, project: &ProjectId, vault: &VaultId) -> Result<u64> {
        self.0.remove::<VaultCheckRow>(&of_vault(project, vault))
    }
}

fn of_vault(project: &ProjectId, vault: &VaultId) -> Filter {
    Filter::new()
        .is("project_id", project)
        .is("vault_id", vault)
}

fn of_backup(project: &ProjectId, backup: &BackupId) -> Filter {
    Filter::new()
        .is("project_id", project)
        .is("backup_id", backup)
}
