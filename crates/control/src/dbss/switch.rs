//! When backups of a directory are made by themselves.
//!
//! The vendor keeps backups in buckets. Here there is one place for each project's database
//! backups, so there is one bucket, and only its name is taken; the path in it is a name that is
//! kept and told again.

use strongroom_model::{DbssInstanceId, ProjectId, Timestamp, cycle::Cycle};

use crate::{Caller, Control, Error, Result, control::project, dbss::get};

/// The longest path in a bucket.
const ROOT_PATH_MAX: usize = 255;

/// The switch of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Whether backups are made by themselves.
    pub automatic: bool,
    /// How often, in the vendor's word.
    pub cycle: String,
    /// From when on.
    pub trigger_at: Option<Timestamp>,
    /// The bucket.
    pub bucket_name: String,
    /// A name in it.
    pub bucket_root_path: String,
    /// When the newest backup was made.
    pub latest_at: Option<Timestamp>,
    /// Whether one was made since the switch was set.
    pub triggered: bool,
}

/// What a switch is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSwitch {
    /// Whether backups are made by themselves.
    pub automatic: bool,
    /// How often, in the vendor's word.
    pub cycle: String,
    /// From when on.
    pub trigger_at: Timestamp,
    /// The bucket.
    pub bucket_name: String,
    /// A name in it; stays as it is if nothing is said.
    pub bucket_root_path: Option<String>,
}

/// The name of the one bucket of a project.
pub fn bucket_of(project: ProjectId) -> String {
    format!("dbss-{project}")
}

impl Control {
    /// The switch of a directory.
    pub fn log_switch(&self, caller: &Caller, id: DbssInstanceId) -> Result<Switch> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = get(tx, project, id)?;
            let newest = tx.dbss_backups().newest_good(&project, &id)?;
            let latest_at = newest.and_then(|newest| newest.ended_at);
            Ok(Switch {
                automatic: row.automatic,
                cycle: row.cycle,
                trigger_at: row.trigger_at,
                bucket_name: row.bucket_name,
                bucket_root_path: row.bucket_root_path,
                latest_at,
                triggered: row.switched_at.is_some() && latest_at >= row.switched_at,
            })
        })
    }

    /// Sets the switch of a directory. An instant that has passed counts as the first of those to
    /// come.
    pub fn set_log_switch(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        new: &NewSwitch,
    ) -> Result<()> {
        let project = project(caller)?;
        let unknown = || Error::invalid("cycle", "is none of the vendor's words");
        let cycle = Cycle::parse(&new.cycle).ok_or_else(unknown)?;
        must_be_bucket(project, &new.bucket_name)?;
        if let Some(path) = &new.bucket_root_path {
            must_be_root_path(path)?;
        }
        let now = self.now();
        let next = cycle.next(new.trigger_at, now);
        self.write(|tx| {
            get(tx, project, id)?;
            tx.dbss_instances().change(&project, &id, |row| {
                row.automatic = new.automatic;
                row.cycle.clone_from(&new.cycle);
                row.trigger_at = Some(new.trigger_at);
                if let Some(path) = &new.bucket_root_path {
                    row.bucket_root_path.clone_from(path);
                }
                row.next_backup_at = new.automatic.then_some(next);
                row.switched_at = Some(now);
                row.updated_at = now;
            })?;
            Ok(())
        })
    }

    /// Keeps another path in the bucket.
    pub fn set_log_root_path(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        bucket: &str,
        path: Option<&str>,
    ) -> Result<()> {
        let project = project(caller)?;
        must_be_bucket(project, bucket)?;
        must_be_root_path(path.unwrap_or_default())?;
        let now = self.now();
        self.write(|tx| {
            get(tx, project, id)?;
            tx.dbss_instances().change(&project, &id, |row| {
                path.unwrap_or_default()
                    .clone_into(&mut row.bucket_root_path);
                row.updated_at = now;
            })?;
            Ok(())
        })
    }
}

fn must_be_bucket(project: ProjectId, name: &str) -> Result<()> {
    let bucket = bucket_of(project);
    if name == bucket {
        return Ok(());
    }
    let problem = format!("the project's one bucket is {bucket}");
    Err(Error::invalid("bucket_name", problem))
}

fn must_be_root_path(path: &str) -> Result<()> {
    if path.chars().count() <= ROOT_PATH_MAX && !path.chars().any(char::is_control) {
        return Ok(());
    }
    let problem = format!("must have at most {ROOT_PATH_MAX} printable characters");
    Err(Error::invalid("bucket_root_path", problem))
}
