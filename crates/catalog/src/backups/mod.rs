//! Backups: one resource as it was at one time.
//!
//! A backup outlives its resource's place in the vault, so the row keeps the resource's name,
//! kind and size as they were.

mod filter;
mod places;

pub use filter::{BackupFilter, SharedFilter};

use std::sync::LazyLock;

use strongroom_model::{
    BackupId, Bytes, CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::BackupStatus,
};

use self::filter::Way;
use crate::{
    error::Result,
    query::{
        Direction::{self, Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::{Row, Table as _, table},
    tx::{DEEP, Tx},
    usage::Days,
    value::{Field as _, Json},
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

/// A backup and what there is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The backup.
    pub backup: BackupRow,
    /// The enterprise project of its vault; none if the vault is gone.
    pub enterprise_project_id: Option<String>,
    /// Whether it has parts.
    pub has_parts: bool,
    /// Whether copies of it were asked for, or are there.
    pub has_copies: bool,
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
    let has = |keys: &[Key], wanted| keys.iter().any(|(expression, _)| *expression == wanted);
    if !has(&keys, "id") {
        let (last, way) = keys.last().copied().unwrap_or(("", Ascending));
        // Many have the same: by age among these, as the indexes of both filter and order have it.
        if ["name", "status"].contains(&last) && !has(&keys, "created_at") {
            keys.push(("created_at", way));
        }
        keys.push(("id", way));
    }
    keys
}

/// The same order, which no index has: the database has to sort.
fn collecting(order: Vec<Key>) -> Vec<Key> {
    let hidden = |(expression, way)| match expression {
        "created_at" => ("+created_at", way),
        "updated_at" => ("+updated_at", way),
        "name" => ("+name", way),
        "status" => ("+status", way),
        "id" => ("+id", way),
        other => (other, way),
    };
    order.into_iter().map(hidden).collect()
}

/// Whether the list is by age alone, and from the newest.
fn by_age(order: &[Key]) -> Option<bool> {
    match order {
        [("created_at", Descending), ("id", Descending)] => Some(true),
        [("created_at", Ascending), ("id", Ascending)] => Some(false),
        _ => None,
    }
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

    /// The project's backup of that id and what there is around it, by one statement.
    pub fn look(&self, project: &ProjectId, id: &BackupId) -> Result<Option<Looked>> {
        // Built once: making the text would take as long as finding the row.
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let columns: Vec<_> = BackupRow::COLUMNS
                .iter()
                .map(|c| format!("b.{c}"))
                .collect();
            format!(
                "SELECT {}, \
                 (SELECT v.enterprise_project_id FROM vaults v \
                  WHERE v.project_id = b.project_id AND v.id = b.vault_id \
                  AND v.trashed_at IS NULL), \
                 EXISTS (SELECT 1 FROM backups p WHERE p.project_id = ?1 AND p.parent_id = ?2 \
                  AND p.trashed_at IS NULL), \
                 EXISTS (SELECT 1 FROM replications r WHERE r.project_id = ?1 \
                  AND r.backup_id = ?2) \
                 OR EXISTS (SELECT 1 FROM backups c WHERE c.replica_of = ?2 \
                  AND c.trashed_at IS NULL) \
                 FROM backups b \
                 WHERE b.trashed_at IS NULL AND b.project_id = ?1 AND b.id = ?2",
                columns.join(", ")
            )
        });
        let params = [project.to_value(), id.to_value()];
        let mut found = self.0.query(BackupRow::NAME, &SQL, &params, |row| {
            Ok(Looked {
                backup: BackupRow::read(row)?,
                enterprise_project_id: row.take("enterprise_project_id")?,
                has_parts: row.take("has_parts")?,
                has_copies: row.take("has_copies")?,
            })
        })?;
        Ok(found.pop())
    }

    /// One page of the project's backups, in the order asked for or else the newest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &BackupFilter,
        sort: &[(BackupKey, Direction)],
        page: &Page,
    ) -> Result<Listed<BackupRow>> {
        let total = self.count(project, filter)?;
        let way = self.way(project, filter, total)?;
        let order = match way {
            Way::Collect => collecting(order(sort)),
            Way::Any | Way::Walk => order(sort),
        };
        let mut page = page.clone();
        let mut all = filter.apply(own(project), way);
        // Deep in the list by age it is known on which day to begin.
        if page.marker.is_none()
            && page.offset > 0
            && filter.is_of_time()
            && let Some(newest_first) = by_age(&order)
        {
            let bounds = (filter.created_from, filter.created_to);
            let before = self.left_out(project, bounds, newest_first)?;
            let place = page.offset.saturating_add(before);
            let day = self.0.usage().day_of_place(project, newest_first, place)?;
            if let Some((first, last, passed)) = day.filter(|_| page.offset < total) {
                // What the bounds leave out lies before; the day may begin with some of it.
                page.offset = place - passed.max(before);
                all = if newest_first {
                    all.at_most("created_at", Some(&last))
                } else {
                    all.at_least("created_at", Some(&first))
                };
            }
        }
        if page.marker.is_none()
            && page.offset >= DEEP
            && filter.is_everything()
            && let Some(values) = places::values_at(self.0, project, &order, (page.offset, total))?
        {
            page.offset = 0;
            all = all.from(&order, &values);
        }
        self.0
            .list_counted(&own(project), all, &order, &page, total)
    }

    /// How many backups of the list by age the bounds leave out at its beginning.
    fn left_out(
        &self,
        project: &ProjectId,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        newest_first: bool,
    ) -> Result<u64> {
        let usage = self.0.usage();
        match (newest_first, from, to) {
            (true, _, Some(to)) => usage.backups_between(project, Some(to.plus_micros(1)), None),
            (false, Some(from), _) => {
                usage.backups_between(project, None, Some(from.plus_micros(-1)))
            }
            _ => Ok(0),
        }
    }

    /// How to find what a filter matches: by walking if that is more than one in a few.
    fn way(&self, project: &ProjectId, filter: &BackupFilter, total: u64) -> Result<Way> {
        let of_many = filter.statuses.len() > 1
            || filter.enterprise_project_id.is_some()
            || filter.vault_used_percent.is_some();
        if !of_many {
            return Ok(Way::Any);
        }
        let all = self.count(project, &BackupFilter::default())?;
        let walk = total.saturating_mul(WALK_FROM) >= all;
        Ok(if walk { Way::Walk } else { Way::Collect })
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
        self.0.list(
            &scope,
            rest.apply(scope.clone(), Way::Any),
            &order(sort),
            page,
        )
    }

    /// How many of the project's backups meet the filter.
    pub fn count(&self, project: &ProjectId, filter: &BackupFilter) -> Result<u64> {
        if filter.is_of_sorts() {
            let sorts = filter.sorts(Filter::new().is("project_id", project), Way::Any);
            let sql = format!(
                "SELECT COALESCE(SUM(backups), 0) FROM backup_counts{}",
                sorts.sql()
            );
            let sum = |row: &mut Row| row.take("backups");
            let found = self.0.query("backup_counts", &sql, sorts.params(), sum)?;
            return Ok(found.first().copied().unwrap_or(0));
        }
        if filter.is_of_time() {
            let (from, to) = (filter.created_from, filter.created_to);
            return self.0.usage().backups_between(project, from, to);
        }
        if filter.is_of_sorts_and_days() {
            return self.count_days(project, filter);
        }
        self.0
            .count::<BackupRow>(&filter.apply(own(project), Way::Any))
    }

    /// Of a filter by sort and time whole days are known; what is left of the first and the last is
    /// counted.
    fn count_days(&self, project: &ProjectId, filter: &BackupFilter) -> Result<u64> {
        let part = |from, to| {
            let part = BackupFilter {
                created_from: from,
                created_to: to,
                ..filter.clone()
            };
            self.0
                .count::<BackupRow>(&part.apply(own(project), Way::Any))
        };
        let (from, to) = (filter.created_from, filter.created_to);
        let Some(days) = Days::within(from, to) else {
            return part(from, to);
        };
        let sorts = filter
            .sorts(Filter::new().is("project_id", project), Way::Any)
            .at_least("day", days.first.as_ref())
            .at_most("day", days.last.as_ref());
        let sql = format!(
            "SELECT COALESCE(SUM(backups), 0) FROM backup_day_counts{}",
            sorts.sql()
        );
        let sum = |row: &mut Row| row.take::<u64>("backups");
        let found = self
            .0
            .query("backup_day_counts", &sql, sorts.params(), sum)?;
        let mut all = found.first().copied().unwrap_or(0);
        if let Some(until) = days.begin() {
            all += part(from, Some(until.plus_micros(-1)))?;
        }
        if let Some(since) = days.end() {
            all += part(Some(since), to)?;
        }
        Ok(all)
    }

    /// The parts of these backups, the newest first.
    pub fn parts_of(&self, project: &ProjectId, parents: &[BackupId]) -> Result<Vec<BackupRow>> {
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        // Few, and found by their parents: an order here would have the database walk along it.
        let mut parts: Vec<BackupRow> = self
            .0
            .select(&own(project).any("parent_id", parents), &[])?;
        parts.sort_by_key(|part| std::cmp::Reverse((part.created_at, part.id)));
        Ok(parts)
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
            .list(&kept(), filter.apply(kept(), Way::Any), &order(sort), page)
    }
}

/// What a filter matches is found by walking along the order if at least one in so many backups
/// matches.
const WALK_FROM: u64 = 20;

/// Rows that are not in the trash: what is there was deleted, as far as anybody asks here.
fn kept() -> Filter {
    Filter::new().that("trashed_at IS NULL")
}

fn own(project: &ProjectId) -> Filter {
    kept().is("project_id", project)
}

#[cfg(test)]
mod tests;
