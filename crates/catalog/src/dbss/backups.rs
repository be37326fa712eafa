//! Backups of audit logs.
//!
//! A backup says by itself whose it was, because it outlives its directory; and its row stays when
//! its lines are deleted, because the chain of segments names it for ever.

use serde::{Deserialize, Serialize};
use strongroom_model::{
    Bytes, DbssBackupId, DbssInstanceId, ProjectId, Timestamp, state::DbssProgress,
};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::{Field as _, Json},
};

/// Lines that were lost before anybody read them, as a backup tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGap {
    /// The file.
    pub file: String,
    /// What became of it, in a sentence.
    pub what: String,
}

table! {
    /// A backup of what was new in a directory of audit logs.
    pub struct DbssBackupRow, "dbss_backups", "backup", key ["project_id", "id"], state progress {
        /// The project that it belongs to.
        project_id: ProjectId,
        /// Its id.
        id: DbssBackupId,
        /// The directory.
        instance_id: DbssInstanceId,
        /// The directory's name then.
        instance_name: String,
        /// Its name.
        name: String,
        /// Whether nobody asked for it.
        automatic: bool,
        /// How far it is.
        progress: DbssProgress,
        /// What the progress was when it was made, for when a deletion fails.
        made: Option<String>,
        /// When its first line was written.
        start_at: Option<Timestamp>,
        /// When its last line was written.
        end_at: Option<Timestamp>,
        /// How long its lines are together.
        file_bytes: Bytes,
        /// How many lines it has.
        lines: u64,
        /// SHA-256 of its lines; empty before they are stored.
        sha256: String,
        /// Its place in the chain of its directory.
        sequence: Option<u64>,
        /// Its manifest; none before it is complete.
        manifest_id: Option<String>,
        /// What was lost before it.
        gaps: Json<Vec<LogGap>>,
        /// Whether lines were or may have been lost before it.
        lossy: bool,
        /// Its lines laid out to be searched; none if they are not.
        restored_set: Option<Json<serde_json::Value>>,
        /// Why there is none, or why not all that was new is in it.
        backup_fail_reason: Option<String>,
        /// Why its lines were not laid out or not deleted.
        restore_fail_reason: Option<String>,
        /// The instant of the calendar that it is for.
        due_at: Option<Timestamp>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Timestamp,
        /// When it was made, or failed.
        ended_at: Option<Timestamp>,
        /// When it may go.
        expires_at: Option<Timestamp>,
    }
}

/// Which backups are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct DbssBackupFilter {
    /// Asked for at that time or later.
    pub from: Option<Timestamp>,
    /// Asked for at that time or earlier.
    pub until: Option<Timestamp>,
}

/// What was kept of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DbssSums {
    /// Lines.
    pub lines: u64,
    /// Lines since some time.
    pub lines_since: u64,
    /// When the first of them was written.
    pub first_line_at: Option<Timestamp>,
}

const NEWEST: &[Key] = &[("created_at", Descending), ("id", Ascending)];

/// The table of backups of audit logs.
pub struct DbssBackups<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The backups of audit logs.
    pub fn dbss_backups(&self) -> DbssBackups<'_> {
        DbssBackups(self)
    }
}

impl DbssBackups<'_> {
    /// Adds a backup.
    pub fn insert(&self, row: &DbssBackupRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's backup of that id, deleted or not.
    pub fn get(&self, project: &ProjectId, id: &DbssBackupId) -> Result<Option<DbssBackupRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of a directory's backups, the newest first; those whose lines are deleted too.
    pub fn list(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
        filter: &DbssBackupFilter,
        page: &Page,
    ) -> Result<Listed<DbssBackupRow>> {
        let wanted = of(project, instance)
            .at_least("created_at", filter.from.as_ref())
            .at_most("created_at", filter.until.as_ref());
        self.0.list(&of(project, instance), wanted, NEWEST, page)
    }

    /// The newest backup of a directory that was made or failed.
    pub fn newest_ended(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
    ) -> Result<Option<DbssBackupRow>> {
        let filter = of(project, instance).that("ended_at IS NOT NULL");
        let order: &[Key] = &[("ended_at", Descending), ("id", Ascending)];
        self.0.first(&filter, order)
    }

    /// The newest backup of a directory that was made.
    pub fn newest_good(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
    ) -> Result<Option<DbssBackupRow>> {
        let filter = of(project, instance).that("made IS NOT NULL");
        let order: &[Key] = &[("ended_at", Descending), ("id", Ascending)];
        self.0.first(&filter, order)
    }

    /// The backups of a directory whose lines are laid out to be searched, the oldest first.
    pub fn restored(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
    ) -> Result<Vec<DbssBackupRow>> {
        let filter = of(project, instance).that("restored_set IS NOT NULL");
        let order: &[Key] = &[("created_at", Ascending), ("id", Ascending)];
        self.0.select(&filter, order)
    }

    /// The highest place in the chain of a directory that a row has.
    pub fn last_sequence(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
    ) -> Result<Option<u64>> {
        let filter = of(project, instance).that("sequence IS NOT NULL");
        let order: &[Key] = &[("sequence", Descending), ("id", Ascending)];
        let row: Option<DbssBackupRow> = self.0.first(&filter, order)?;
        Ok(row.and_then(|row| row.sequence))
    }

    /// The newest backup of a directory before which lines were lost.
    pub fn newest_gap(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
    ) -> Result<Option<DbssBackupRow>> {
        let filter = of(project, instance)
            .that("ended_at IS NOT NULL")
            .is("lossy", &true);
        let order: &[Key] = &[("ended_at", Descending), ("id", Ascending)];
        self.0.first(&filter, order)
    }

    /// What was kept of a directory: lines in all, lines of backups since that time, and the time
    /// of the first line.
    pub fn sums(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
        since: Timestamp,
    ) -> Result<DbssSums> {
        let mut filter = of(project, instance);
        let place = filter.bind(since.to_value());
        let sql = format!(
            "SELECT COALESCE(SUM(lines), 0), \
             COALESCE(SUM(CASE WHEN ended_at >= {place} THEN lines ELSE 0 END), 0), \
             MIN(start_at) FROM dbss_backups{}",
            filter.sql()
        );
        let mut found = self.0.query("dbss_backups", &sql, filter.params(), |row| {
            Ok(DbssSums {
                lines: row.take("lines")?,
                lines_since: row.take("lines since")?,
                first_line_at: row.take("start_at")?,
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    /// Changes a backup and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &DbssBackupId,
        edit: impl FnOnce(&mut DbssBackupRow),
    ) -> Result<DbssBackupRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Backups of all projects that may go by that time and are not on their way, the oldest first.
    pub fn any_project_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<DbssBackupRow>> {
        let filter = Filter::new()
            .that("progress NOT IN ('DELETING', 'DELETED', 'RESTORING_WAITING', 'RESTORING')")
            .that_with("expires_at <= {}", &[now.to_value()]);
        let order: &[Key] = &[("expires_at", Ascending), ("id", Ascending)];
        self.0.some(&filter, order, limit)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}

fn of(project: &ProjectId, instance: &DbssInstanceId) -> Filter {
    own(project).is("instance_id", instance)
}
