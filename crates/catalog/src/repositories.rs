//! What the service knows of a vault's repository beside the repository itself.

use strongroom_model::{Bytes, ProjectId, Timestamp, VaultId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::Json,
};

table! {
    /// The upkeep of a vault's repository.
    pub struct RepositoryRow, "repositories", "repository", key ["vault_id"] {
        /// The vault whose data it holds.
        vault_id: VaultId,
        /// The vault's project.
        project_id: ProjectId,
        /// When it was made.
        created_at: Timestamp,
        /// How much it holds, when it was last collected or checked.
        stored_bytes: Bytes,
        /// When what nothing needs was last removed.
        last_collect_at: Option<Timestamp>,
        /// When it was last checked.
        last_check_at: Option<Timestamp>,
        /// What that found, the first of them.
        check_problems: Json<Vec<String>>,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("vault_id", Ascending)];

/// The table of repositories.
pub struct Repositories<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The repositories.
    pub fn repositories(&self) -> Repositories<'_> {
        Repositories(self)
    }
}

impl Repositories<'_> {
    /// Adds a repository.
    pub fn insert(&self, row: &RepositoryRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The repository of the project's vault.
    pub fn get(&self, project: &ProjectId, vault: &VaultId) -> Result<Option<RepositoryRow>> {
        self.0.one(&of_vault(project, vault))
    }

    /// Changes a repository and returns it; `NotFound` if there is none.
    pub fn change(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        edit: impl FnOnce(&mut RepositoryRow),
    ) -> Result<RepositoryRow> {
        self.0.change(&of_vault(project, vault), vault, edit)
    }

    /// Removes a repository's row; `false` if there was none.
    pub fn remove(&self, project: &ProjectId, vault: &VaultId) -> Result<bool> {
        Ok(self.0.remove::<RepositoryRow>(&of_vault(project, vault))? > 0)
    }

    /// The repositories of all projects, the oldest first; for upkeep.
    pub fn any_project_list(&self) -> Result<Vec<RepositoryRow>> {
        self.0.select(&Filter::new(), BY_AGE)
    }
}

fn of_vault(project: &ProjectId, vault: &VaultId) -> Filter {
    Filter::new()
        .is("project_id", project)
        .is("vault_id", vault)
}
