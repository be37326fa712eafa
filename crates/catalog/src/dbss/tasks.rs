//! What the vendor calls jobs: durable jobs as the owner of audit logs follows them.

use strongroom_model::{
    DbssBackupId, DbssInstanceId, JobId, ProjectId, Timestamp, state::DbssTaskStatus,
};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::Field as _,
};

table! {
    /// A job as its owner follows it.
    pub struct DbssTaskRow, "dbss_tasks", "task", key ["project_id", "id"], state status {
        /// The project.
        project_id: ProjectId,
        /// The durable job's id.
        id: JobId,
        /// What it does.
        name: String,
        /// What is with it.
        status: DbssTaskStatus,
        /// The directory that it is about.
        instance_id: DbssInstanceId,
        /// The directory's name then.
        instance_name: String,
        /// The backup that it is about.
        backup_id: Option<DbssBackupId>,
        /// Why it failed.
        fail_reason: Option<String>,
        /// What a verification found, signed.
        report: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it ended.
        ended_at: Option<Timestamp>,
    }
}

/// The table of tasks.
pub struct DbssTasks<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The tasks about audit logs.
    pub fn dbss_tasks(&self) -> DbssTasks<'_> {
        DbssTasks(self)
    }
}

impl DbssTasks<'_> {
    /// Adds a task.
    pub fn insert(&self, row: &DbssTaskRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's task of that id.
    pub fn get(&self, project: &ProjectId, id: &JobId) -> Result<Option<DbssTaskRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the tasks of a directory, the newest first.
    pub fn list(
        &self,
        project: &ProjectId,
        instance: &DbssInstanceId,
        page: &Page,
    ) -> Result<Listed<DbssTaskRow>> {
        let wanted = own(project).is("instance_id", instance);
        let order: &[Key] = &[("created_at", Descending), ("id", Ascending)];
        self.0.list(&own(project), wanted, order, page)
    }

    /// Changes a task and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &JobId,
        edit: impl FnOnce(&mut DbssTaskRow),
    ) -> Result<DbssTaskRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Forgets tasks that ended before that time; how many there were.
    pub fn any_project_remove_ended_before(&self, time: Timestamp) -> Result<u64> {
        let filter = Filter::new().that_with("ended_at < {}", &[time.to_value()]);
        self.0.remove::<DbssTaskRow>(&filter)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
