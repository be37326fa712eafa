//! Directories of audit logs, when they are backed up, and the labels on them.

use strongroom_model::{DbssInstanceId, ProjectId, Timestamp, state::DbssInstanceStatus};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::Field as _,
};

table! {
    /// A directory of audit logs.
    pub struct DbssInstanceRow, "dbss_instances", "instance", key ["project_id", "id"],
        state status {
        /// The project that it is for.
        project_id: ProjectId,
        /// Its id.
        id: DbssInstanceId,
        /// Its name.
        name: String,
        /// What its owner says of it.
        comment: String,
        /// Where it is on the host; bytes, as paths are.
        path: Vec<u8>,
        /// What wrote the logs.
        format: String,
        /// What it does.
        status: DbssInstanceStatus,
        /// Minutes that local times in the logs are ahead of UTC.
        zone_minutes: i64,
        /// Days that its backups are kept.
        retention_days: u32,
        /// From how many percent of its disk on it is backed up at once; 100 is never.
        hurry_percent: u32,
        /// Whether backups are made by themselves.
        automatic: bool,
        /// How often, in the vendor's word.
        cycle: String,
        /// From when on.
        trigger_at: Option<Timestamp>,
        /// The name of the place that they are kept in.
        bucket_name: String,
        /// A name in it.
        bucket_root_path: String,
        /// When the next one is due; none while none is.
        next_backup_at: Option<Timestamp>,
        /// When the switch was last set.
        switched_at: Option<Timestamp>,
        /// When a disk that fills up last asked for one.
        pressed_at: Option<Timestamp>,
        /// When it was registered.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Timestamp,
        /// When it was taken off the list; its backups live on.
        removed_at: Option<Timestamp>,
    }
}

table! {
    /// A label on a directory of audit logs.
    pub struct DbssTagRow, "dbss_tags", "tag", key ["project_id", "instance_id", "key"] {
        /// The project.
        project_id: ProjectId,
        /// The directory.
        instance_id: DbssInstanceId,
        /// The label's key.
        key: String,
        /// Its value.
        value: String,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];
const REGISTERED: &str = "removed_at IS NULL";

/// The tables of directories and labels.
pub struct DbssInstances<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The directories of audit logs.
    pub fn dbss_instances(&self) -> DbssInstances<'_> {
        DbssInstances(self)
    }
}

impl DbssInstances<'_> {
    /// Adds a directory.
    pub fn insert(&self, row: &DbssInstanceRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's directory of that id, removed or not.
    pub fn get(&self, project: &ProjectId, id: &DbssInstanceId) -> Result<Option<DbssInstanceRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// The project's registered directory of that name.
    pub fn named(&self, project: &ProjectId, name: &str) -> Result<Option<DbssInstanceRow>> {
        let filter = own(project).is("name", &name.to_owned()).that(REGISTERED);
        self.0.first(&filter, BY_AGE)
    }

    /// One page of the project's registered directories, the oldest first.
    pub fn list(&self, project: &ProjectId, page: &Page) -> Result<Listed<DbssInstanceRow>> {
        let filter = own(project).that(REGISTERED);
        self.0.list(&own(project), filter, BY_AGE, page)
    }

    /// Every registered directory of all projects, for the scheduler and the watchdog.
    pub fn any_project_list(&self) -> Result<Vec<DbssInstanceRow>> {
        self.0.select(&Filter::new().that(REGISTERED), BY_AGE)
    }

    /// The directories of all projects whose backup is due, the longest first; for the scheduler.
    pub fn any_project_due(&self, now: Timestamp, limit: u32) -> Result<Vec<DbssInstanceRow>> {
        let filter = Filter::new()
            .that(REGISTERED)
            .that_with("next_backup_at <= {}", &[now.to_value()]);
        let order: &[Key] = &[("next_backup_at", Ascending), ("id", Ascending)];
        self.0.some(&filter, order, limit)
    }

    /// Changes a directory and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &DbssInstanceId,
        edit: impl FnOnce(&mut DbssInstanceRow),
    ) -> Result<DbssInstanceRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Puts a label on a directory, over one of the same key.
    pub fn set_tag(&self, row: &DbssTagRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// Takes a label off; `false` if there was none.
    pub fn remove_tag(&self, project: &ProjectId, id: &DbssInstanceId, key: &str) -> Result<bool> {
        let filter = own(project)
            .is("instance_id", id)
            .is("key", &key.to_owned());
        Ok(self.0.remove::<DbssTagRow>(&filter)? > 0)
    }

    /// The labels of a directory, or of all the project's, by key.
    pub fn tags(
        &self,
        project: &ProjectId,
        id: Option<&DbssInstanceId>,
    ) -> Result<Vec<DbssTagRow>> {
        let order: &[Key] = &[("key", Ascending), ("value", Ascending)];
        self.0.select(&own(project).maybe("instance_id", id), order)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
