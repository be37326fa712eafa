//! Backups: one resource as it was at one time.
//!
//! A backup outlives its resource's place in the vault, so the row keeps the resource's name,
//! kind and size as they were.

use strongroom_model::{
    BackupId, Bytes, CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::BackupStatus,
};

use crate::{
    error::Result,
    members::ShareStatus,
    query::{
        Direction::{self, Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::{Field, Json},
};

table! {
    /// A backup.
    pub struct BackupRow, "backups", "backup", key ["project_id", "id"], state status {
        /// Its id.
        id: BackupId,
        /// The project it belongs to.
        project_id: ProjectId,
        /// The vault it is in.
        vault_id: VaultId,
        /// The checkpoint it was made for.
        checkpoint_id: CheckpointId,
        /// What it is of.
        resource_id: ResourceId,
        /// The resource's name at that time.
        resource_name: String,
        /// The resource's kind.
        kind: ResourceKind,
        /// The resource's size at that time.
        resource_size_bytes: Bytes,
        /// Its name.
        name: String,
        /// What its user wrote about it.
        description: Option<String>,
        /// Where it stands.
        status: BackupStatus,
        /// Whether unchanged data might be left unread.
        incremental_asked: bool,
        /// Whether an earlier backup was built upon.
        incremental: bool,
        /// The backup of the server that this disk's backup is part of.
        parent_id: Option<BackupId>,
        /// The engine's name of the data, once they are written.
        manifest_id: Option<String>,
        /// What it added to the store, after compression.
        stored_bytes: Bytes,
        /// What it added to the store, before compression.
        unique_bytes: Bytes,
        /// What a restore would write.
        logical_bytes: Bytes,
        /// Files or extents in it.
        items: u64,
        /// What could not be read, the first of them.
        problems: Json<Vec<serde_json::Value>>,
        /// Why it failed or is incomplete.
        fail_reason: Option<String>,
        /// Whether a schedule asked for it.
        auto_trigger: bool,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
        /// When its data were complete.
        protected_at: Option<Timestamp>,
        /// When it may go.
        expired_at: Option<Timestamp>,
        /// The backup that it is a copy of.
        replica_of: Option<BackupId>,
    }
}

/// Which backups are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct BackupFilter {
    /// With one of these ids.
    pub ids: Vec<BackupId>,
    /// In this vault.
    pub vault_id: Option<VaultId>,
    /// Of this checkpoint.
    pub checkpoint_id: Option<CheckpointId>,
    /// Of this resource.
    pub resource_id: Option<ResourceId>,
    /// Of a resource with exactly this name.
    pub resource_name: Option<String>,
    /// Of this kind of resource.
    pub kind: Option<ResourceKind>,
    /// With exactly this name.
    pub name: Option<String>,
    /// In one of these states.
    pub statuses: Vec<BackupStatus>,
    /// Part of this backup.
    pub parent_id: Option<BackupId>,
    /// Asked for, or made, as building upon an earlier one (or not): the first backup of a
    /// resource is full whatever was asked for, and clients look for it under what they asked.
    pub incremental: Option<bool>,
    /// Asked for at this time or later.
    pub created_from: Option<Timestamp>,
    /// Asked for at this time or earlier.
    pub created_to: Option<Timestamp>,
    /// Whose own day came at this time or earlier.
    pub expired_to: Option<Timestamp>,
    /// Copies of other backups, or none of them.
    pub replicas: Option<bool>,
    /// In a vault of this enterprise project.
    pub enterprise_project_id: Option<String>,
    /// In a vault of which at least that many percent are used.
    pub vault_used_percent: Option<u32>,
}

impl BackupFilter {
    fn apply(&self, mut filter: Filter) -> Filter {
        filter = filter
            .any("id", &self.ids)
            .maybe("vault_id", self.vault_id.as_ref())
            .maybe("checkpoint_id", self.checkpoint_id.as_ref())
            .maybe("resource_id", self.resource_id.as_ref())
            .maybe("resource_name", self.resource_name.as_ref())
            .maybe("kind", self.kind.as_ref())
            .maybe("name", self.name.as_ref())
            .any("status", &self.statuses)
            .maybe("parent_id", self.parent_id.as_ref())
            .at_least("created_at", self.created_from.as_ref())
            .at_most("created_at", self.created_to.as_ref())
            .at_most("expired_at", self.expired_to.as_ref());
        if let Some(incremental) = &self.incremental {
            let either = "(incremental = {} OR incremental_asked = {})";
            filter = filter.that_with(either, &[incremental.to_value(), incremental.to_value()]);
        }
        if let Some(replicas) = self.replicas {
            let not = if replicas { "NOT " } else { "" };
            filter = filter.that(&format!("replica_of IS {not}NULL"));
        }
        if let Some(project) = &self.enterprise_project_id {
            let inside = "vault_id IN (SELECT id FROM vaults WHERE enterprise_project_id = {})";
            filter = filter.that_with(inside, &[project.to_value()]);
        }
        if let Some(percent) = &self.vault_used_percent {
            // In MiB, so that no product leaves 64 bits.
            let full = "vault_id IN (SELECT id FROM vaults \
                        WHERE used_bytes / 1048576 * 100 >= size_gib * 1024 * {})";
            filter = filter.that_with(full, &[percent.to_value()]);
        }
        filter
    }
}

/// Which shared backups are wanted.
#[derive(Clone, Debug, Default)]
pub struct SharedFilter {
    /// Whether the project's own backups are wanted beside them.
    pub own_too: bool,
    /// In one of these states of sharing; never those that the receiver rejected unless said.
    pub statuses: Vec<ShareStatus>,
}

impl SharedFilter {
    fn apply(&self, filter: Filter, project: &ProjectId, vault: Option<&VaultId>) -> Filter {
        let statuses = if self.statuses.is_empty() {
            &[ShareStatus::Pending, ShareStatus::Accepted][..]
        } else {
            &self.statuses
        };
        let places = vec!["{}"; statuses.len()].join(", ");
        let mut values = vec![project.to_value()];
        values.extend(statuses.iter().map(Field::to_value));
        let mut shared = format!(
            "id IN (SELECT backup_id FROM members WHERE dest_project_id = {{}} \
             AND status IN ({places})"
        );
        if let Some(vault) = vault {
            shared.push_str(" AND vault_id = {}");
            values.push(vault.to_value());
        }
        shared.push(')');
        if !self.own_too {
            return filter.that_with(&shared, &values);
        }
        let mut own = "project_id = {}".to_owned();
        values.push(project.to_value());
        if let Some(vault) = vault {
            own.push_str(" AND vault_id = {}");
            values.push(vault.to_value());
        }
        filter.that_with(&format!("({shared} OR ({own}))"), &values)
    }
}

/// What backups can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackupKey {
    /// When it was asked for.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// Its name.
    Name,
    /// The word of its state.
    Status,
    /// When its data were complete; those never complete count as oldest.
    ProtectedAt,
    /// Its id.
    Id,
}

impl BackupKey {
    const fn expression(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Name => "name",
            Self::Status => "status",
            // The databases disagree on where nulls go.
            Self::ProtectedAt => "COALESCE(protected_at, -1)",
            Self::Id => "id",
        }
    }
}

/// The order asked for, made total; the newest first if nothing was asked for.
fn order(asked: &[(BackupKey, Direction)]) -> Vec<Key> {
    let mut keys: Vec<Key> = asked
        .iter()
        .map(|(key, way)| (key.expression(), *way))
        .collect();
    if keys.is_empty() {
        keys.push(("created_at", Descending));
    }
    if keys.iter().all(|(expression, _)| *expression != "id") {
        let last = keys.last().map_or(Ascending, |(_, way)| *way);
        keys.push(("id", last));
    }
    keys
}

/// The table of backups.
pub struct Backups<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The backups.
    pub fn backups(&self) -> Backups<'_> {
        Backups(self)
    }
}

impl Backups<'_> {
    /// Adds a backup.
    pub fn insert(&self, row: &BackupRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's backup of that id.
    pub fn get(&self, project: &ProjectId, id: &BackupId) -> Result<Option<BackupRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's backups, in the order asked for or else the newest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &BackupFilter,
        sort: &[(BackupKey, Direction)],
        page: &Page,
    ) -> Result<Listed<BackupRow>> {
        self.0.list(
            &own(project),
            filter.apply(own(project)),
            &order(sort),
            page,
        )
    }

    /// One page of the backups that are shared with the project, and of its own if
    /// `own_too`, in the order asked for.
    ///
    /// `filter.vault_id` is a vault of the receiver's there.
    pub fn list_shared(
        &self,
        project: &ProjectId,
        shared: &SharedFilter,
        filter: &BackupFilter,
        sort: &[(BackupKey, Direction)],
        page: &Page,
    ) -> Result<Listed<BackupRow>> {
        let scope = shared.apply(kept(), project, filter.vault_id.as_ref());
        let rest = BackupFilter {
            vault_id: None,
            ..filter.clone()
        };
        self.0
            .list(&scope, rest.apply(scope.clone()), &order(sort), page)
    }

    /// How many of the project's backups meet the filter.
    pub fn count(&self, project: &ProjectId, filter: &BackupFilter) -> Result<u64> {
        self.0.count::<BackupRow>(&filter.apply(own(project)))
    }

    /// The newest backup of the resource in the vault that a further one can build upon.
    pub fn newest_good(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        resource: &ResourceId,
    ) -> Result<Option<BackupRow>> {
        let good = [
            BackupStatus::Available,
            BackupStatus::WaitingRestore,
            BackupStatus::Restoring,
        ];
        let filter = own(project)
            .is("vault_id", vault)
            .is("resource_id", resource)
            .any("status", &good)
            .that("manifest_id IS NOT NULL");
        self.0.first(&filter, &order(&[]))
    }

    /// Changes a backup and returns it.
    ///
    /// `NotFound` if the project has none of that id, `Illegal` if its state may not change so.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &BackupId,
        edit: impl FnOnce(&mut BackupRow),
    ) -> Result<BackupRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a backup's row, from the trash too; `false` if there was none.
    pub fn remove(&self, project: &ProjectId, id: &BackupId) -> Result<bool> {
        self.0.replications().remove_backup(project, id)?;
        self.0.checks().remove_backup(project, id)?;
        let anywhere = Filter::new().is("project_id", project).is("id", id);
        Ok(self.0.remove::<BackupRow>(&anywhere)? > 0)
    }

    /// The copies of a backup, in whatever projects they are; for jobs, and for whoever asked
    /// the project of the original.
    pub fn any_project_replicas_of(&self, id: &BackupId) -> Result<Vec<BackupRow>> {
        self.0.select(&kept().is("replica_of", id), &order(&[]))
    }

    /// The backup of that id in any project; for operators and jobs.
    pub fn any_project_get(&self, id: &BackupId) -> Result<Option<BackupRow>> {
        self.0.one(&kept().is("id", id))
    }

    /// One page of the backups of all projects; for operators.
    pub fn any_project_list(
        &self,
        filter: &BackupFilter,
        sort: &[(BackupKey, Direction)],
        page: &Page,
    ) -> Result<Listed<BackupRow>> {
        self.0
            .list(&kept(), filter.apply(kept()), &order(sort), page)
    }
}

/// Rows that are not in the trash: what is there was deleted, as far as anybody asks here.
fn kept() -> Filter {
    Filter::new().that("trashed_at IS NULL")
}

fn own(project: &ProjectId) -> Filter {
    kept().is("project_id", project)
}
