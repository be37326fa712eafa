//! Checkpoints (restore points): the backups made of one vault at one time.

use strongroom_model::{CheckpointId, ProjectId, Timestamp, VaultId, state::CheckpointStatus};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::Json,
};

table! {
    /// A checkpoint.
    pub struct CheckpointRow, "checkpoints", "checkpoint", key ["project_id", "id"], state status {
        /// Its id.
        id: CheckpointId,
        /// The project it belongs to.
        project_id: ProjectId,
        /// The vault it was made of.
        vault_id: VaultId,
        /// Where it stands.
        status: CheckpointStatus,
        /// The name its backups were given.
        name: String,
        /// What its user wrote about it.
        description: Option<String>,
        /// How long its backups are to be kept; `None` for ever.
        retention_days: Option<u32>,
        /// The resources that were not taken, and why, as they are shown.
        skipped: Json<serde_json::Value>,
        /// Whether unchanged data might be left unread.
        incremental_asked: bool,
        /// Whether a schedule asked for it.
        auto_trigger: bool,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of checkpoints.
pub struct Checkpoints<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The checkpoints.
    pub fn checkpoints(&self) -> Checkpoints<'_> {
        Checkpoints(self)
    }
}

impl Checkpoints<'_> {
    /// Adds a checkpoint.
    pub fn insert(&self, row: &CheckpointRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's checkpoint of that id.
    pub fn get(&self, project: &ProjectId, id: &CheckpointId) -> Result<Option<CheckpointRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// The vault's checkpoints, the oldest first.
    pub fn of_vault(&self, project: &ProjectId, vault: &VaultId) -> Result<Vec<CheckpointRow>> {
        self.0.select(&own(project).is("vault_id", vault), BY_AGE)
    }

    /// Changes a checkpoint and returns it.
    ///
    /// `NotFound` if the project has none of that id, `Illegal` if its state may not change so.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &CheckpointId,
        edit: impl FnOnce(&mut CheckpointRow),
    ) -> Result<CheckpointRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a checkpoint; `false` if there was none. `Reference` if it still has backups.
    pub fn remove(&self, project: &ProjectId, id: &CheckpointId) -> Result<bool> {
        Ok(self.0.remove::<CheckpointRow>(&own(project).is("id", id))? > 0)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
