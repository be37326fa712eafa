//! What is in audit logs: searched in the directory as it is now and in the backups that were
//! restored, both read-only; and what was kept of them, counted.

use strongroom_catalog::DbssInstanceRow;
use strongroom_engine::{Repository, tree::Progress};
use strongroom_model::{DbssInstanceId, ProjectId, Timestamp};

pub use strongroom_source::audit::StatementKind;

pub use crate::audit_logs::{Found, Hit, Order, Outcome, Query};
use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    audit_logs::{HitId, Logs, RestoredSet, search, show},
    control::project,
    dbss::{get, instances, open, zone_of},
};

/// What was kept of a directory, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The directory's name.
    pub name: String,
    /// Lines.
    pub lines: u64,
    /// Lines since midnight, UTC.
    pub lines_today: u64,
    /// When the first line was written.
    pub first_line_at: Option<Timestamp>,
    /// Whole days since then.
    pub days: u64,
}

impl Control {
    /// Finds lines of a directory, live and restored.
    pub fn search_logs(&self, caller: &Caller, id: DbssInstanceId, query: &Query) -> Result<Found> {
        let project = project(caller)?;
        self.with_logs(project, id, |logs| {
            search(query, logs, &Progress::default())
        })
    }

    /// One line of a directory by its id.
    pub fn show_statement(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        statement: &str,
    ) -> Result<Hit> {
        let project = project(caller)?;
        let unknown = || Error::not_found(Reason::NoSuchStatement, statement);
        let hit: HitId = statement.parse().map_err(|_| unknown())?;
        let found = self.with_logs(project, id, |logs| show(hit, logs, &Progress::default()))?;
        found.ok_or_else(unknown)
    }

    /// Opens what is to be searched of a directory.
    fn with_logs<T>(
        &self,
        project: ProjectId,
        id: DbssInstanceId,
        body: impl FnOnce(&[Logs<'_>]) -> Result<T>,
    ) -> Result<T> {
        let (row, sets) = self.read(|tx| {
            let row = get(tx, project, id)?;
            let sets = tx.dbss_backups().restored(&project, &id)?;
            Ok((row, sets))
        })?;
        let sets = sets.into_iter().filter_map(|row| row.restored_set);
        let sets: Vec<RestoredSet> = sets
            .map(|set| serde_json::from_value(set.0))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::bug("a restored set is unreadable", error))?;
        let repository = self.repository_for(project, &sets)?;
        let live = live(&row, !sets.is_empty())?;
        let mut logs = Vec::new();
        if let Some(live) = &live {
            logs.push(Logs::Live(live));
        }
        if let Some(repository) = &repository {
            let zone = zone_of(&row);
            logs.extend(sets.iter().map(|set| Logs::Restored(repository, set, zone)));
        }
        body(&logs)
    }

    fn repository_for(
        &self,
        project: ProjectId,
        sets: &[RestoredSet],
    ) -> Result<Option<Repository>> {
        if sets.is_empty() {
            return Ok(None);
        }
        self.depot(project)?.open()
    }

    /// What was kept of the project's directories.
    pub fn log_summaries(&self, caller: &Caller, page: &Page) -> Result<Listed<Summary>> {
        let project = project(caller)?;
        let page = page.rows(instances::PAGE_MAX)?;
        let now = self.now();
        let seconds = now.as_seconds();
        let midnight = Timestamp::from_micros((seconds - seconds.rem_euclid(86_400)) * 1_000_000);
        self.read(|tx| {
            let found = tx.dbss_instances().list(&project, &page)?;
            Listed::of_rows(found, |row| {
                let sums = tx.dbss_backups().sums(&project, &row.id, midnight)?;
                let age = sums
                    .first_line_at
                    .map_or(0, |first| now.micros_since(first));
                Ok(Summary {
                    name: row.name,
                    lines: sums.lines,
                    lines_today: sums.lines_since,
                    first_line_at: sums.first_line_at,
                    days: u64::try_from(age / 86_400_000_000).unwrap_or_default(),
                })
            })
        })
    }
}

/// The directory as it is now. One that cannot be read is no obstacle if there is something
/// restored: that is what restores are for.
fn live(
    row: &DbssInstanceRow,
    have_others: bool,
) -> Result<Option<strongroom_source::audit::LogDirectory>> {
    match open(row) {
        Ok(live) => Ok(Some(live)),
        Err(_) if have_others => Ok(None),
        Err(error) => Err(error),
    }
}
