//! Which backups are wanted, as SQL.
//!
//! A filter knows more than its clauses: whether it speaks only of what is counted all the time
//! (see `usage`), and how the database had better find what it matches.

use strongroom_model::{
    BackupId, CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::BackupStatus,
};

use crate::{members::ShareStatus, query::Filter, value::Field};

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

/// How the rows that a filter matches are to be found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// However the database thinks best.
    Any,
    /// By walking along the order: so many match that a page is soon full, while collecting all
    /// that match, to sort them, would read most of the table.
    Walk,
    /// By collecting all that match and sorting them: walking would read most of the table for a
    /// few.
    Collect,
}

impl BackupFilter {
    pub(super) fn apply(&self, filter: Filter, way: Way) -> Filter {
        let mut filter = filter
            .any("id", &self.ids)
            .maybe("checkpoint_id", self.checkpoint_id.as_ref())
            .maybe("resource_id", self.resource_id.as_ref())
            .maybe("resource_name", self.resource_name.as_ref())
            .maybe("name", self.name.as_ref())
            .maybe("parent_id", self.parent_id.as_ref())
            .at_least("created_at", self.created_from.as_ref())
            .at_most("created_at", self.created_to.as_ref())
            .at_most("expired_at", self.expired_to.as_ref());
        if let Some(replicas) = self.replicas {
            let not = if replicas { "NOT " } else { "" };
            filter = filter.that(&format!("replica_of IS {not}NULL"));
        }
        self.sorts(filter, way)
    }

    /// The part of the filter that speaks of columns of `backup_counts`.
    pub(super) fn sorts(&self, mut filter: Filter, way: Way) -> Filter {
        // A plus keeps the database from collecting what matches by an index of that column.
        let plus = if way == Way::Walk { "+" } else { "" };
        let several = if self.statuses.len() > 1 { plus } else { "" };
        filter = filter
            .maybe("vault_id", self.vault_id.as_ref())
            .maybe("kind", self.kind.as_ref())
            .any(&format!("{several}status"), &self.statuses);
        if let Some(incremental) = self.incremental {
            // Spelt out, so that it is the condition of an index.
            let one = u8::from(incremental);
            let either = format!("(incremental = {one} OR incremental_asked = {one})");
            filter = filter.that(&either);
        }
        if let Some(project) = &self.enterprise_project_id {
            let inside = format!(
                "{plus}vault_id IN (SELECT id FROM vaults WHERE enterprise_project_id = {{}})"
            );
            filter = filter.that_with(&inside, &[project.to_value()]);
        }
        if let Some(percent) = &self.vault_used_percent {
            // In MiB, so that no product leaves 64 bits.
            let full = format!(
                "{plus}vault_id IN (SELECT id FROM vaults \
                 WHERE used_bytes / 1048576 * 100 >= size_gib * 1024 * {{}})"
            );
            filter = filter.that_with(&full, &[percent.to_value()]);
        }
        filter
    }

    /// Whether it speaks of nothing but sorts of backups, which are counted all the time.
    pub(super) fn is_of_sorts(&self) -> bool {
        self.is_of_sorts_and_time() && self.created_from.is_none() && self.created_to.is_none()
    }

    fn is_of_sorts_and_time(&self) -> bool {
        self.ids.is_empty()
            && self.checkpoint_id.is_none()
            && self.resource_id.is_none()
            && self.resource_name.is_none()
            && self.name.is_none()
            && self.parent_id.is_none()
            && self.expired_to.is_none()
            && self.replicas.is_none()
    }

    /// Whether it speaks of nothing but when backups were asked for.
    pub(super) fn is_of_time(&self) -> bool {
        self.is_of_sorts_and_days()
            && self.kind.is_none()
            && self.statuses.is_empty()
            && self.incremental.is_none()
    }

    /// Whether it speaks of nothing but what is counted by day: not of single vaults.
    pub(super) fn is_of_sorts_and_days(&self) -> bool {
        self.is_of_sorts_and_time()
            && self.vault_id.is_none()
            && self.enterprise_project_id.is_none()
            && self.vault_used_percent.is_none()
    }

    /// Whether it matches everything that a project has.
    pub(super) fn is_everything(&self) -> bool {
        self.is_of_time() && self.created_from.is_none() && self.created_to.is_none()
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
    pub(super) fn apply(
        &self,
        filter: Filter,
        project: &ProjectId,
        vault: Option<&VaultId>,
    ) -> Filter {
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
