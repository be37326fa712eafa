//! What the vendor calls jobs: durable jobs as the owner of a sharding layer follows them.

use strongroom_model::{DdmInstanceId, JobId, ProjectId, Timestamp, state::DdmTaskStatus};

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
    pub struct DdmTaskRow, "ddm_tasks", "task", key ["project_id", "id"], state status {
        /// The project.
        project_id: ProjectId,
        /// The durable job's id.
        id: JobId,
        /// What it does, in the vendor's words.
        name: String,
        /// What is with it.
        status: DdmTaskStatus,
        /// The layer that it is about.
        instance_id: DdmInstanceId,
        /// The layer's name then.
        instance_name: String,
        /// The schema that it is about.
        database_name: Option<String>,
        /// Why it failed.
        fail_reason: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it ended.
        ended_at: Option<Timestamp>,
    }
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default)]
pub struct DdmTaskFilter {
    /// Asked for at that time or later.
    pub from: Option<Timestamp>,
    /// Asked for at that time or earlier.
    pub until: Option<Timestamp>,
}

/// The table of tasks.
pub struct DdmTasks<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The tasks of sharding layers.
    pub fn ddm_tasks(&self) -> DdmTasks<'_> {
        DdmTasks(self)
    }
}

impl DdmTasks<'_> {
    /// Adds a task.
    pub fn insert(&self, row: &DdmTaskRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's task of that id.
    pub fn get(&self, project: &ProjectId, id: &JobId) -> Result<Option<DdmTaskRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's tasks, the newest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &DdmTaskFilter,
        page: &Page,
    ) -> Result<Listed<DdmTaskRow>> {
        let wanted = own(project)
            .at_least("created_at", filter.from.as_ref())
            .at_most("created_at", filter.until.as_ref());
        let order: &[Key] = &[("created_at", Descending), ("id", Ascending)];
        self.0.list(&own(project), wanted, order, page)
    }

    /// Changes a task and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &JobId,
        edit: impl FnOnce(&mut DdmTaskRow),
    ) -> Result<DdmTaskRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Forgets tasks that ended before that time; how many there were.
    pub fn any_project_remove_ended_before(&self, time: Timestamp) -> Result<u64> {
        let filter = Filter::new().that_with("ended_at < {}", &[time.to_value()]);
        self.0.remove::<DdmTaskRow>(&filter)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
