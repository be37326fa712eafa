//! Directories of audit logs: registered by operators, seen and set by the tenants of a project.
//!
//! A registration is refused unless logs can be read there now: what cannot be backed up is said
//! now and not at night. A path of the host is an operator's word; tenants use ids.

use std::{collections::BTreeMap, os::unix::ffi::OsStrExt as _, path::PathBuf};

use strongroom_catalog::{self as catalog, DbssInstanceRow, Tx};
use strongroom_model::{DbssInstanceId, JobId, ProjectId, Timestamp, state::DbssInstanceStatus};
use strongroom_source::audit::{Format, LogDirectory, pressure::HURRY_PERCENT};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::{operator, project},
    dbss::{any, backups::Why, get, open, path_of},
    limits,
};

/// Days that backups are kept unless something else is said: half a year, which rules ask for.
pub const RETENTION_DAYS: u32 = 180;
/// The fewest days.
pub const RETENTION_DAYS_MIN: u32 = 1;
/// The most days.
pub const RETENTION_DAYS_MAX: u32 = 3650;
/// Directories of one project.
pub const INSTANCES_MAX: u64 = 100;
/// The most rows of one page: the vendor's limit.
pub const PAGE_MAX: u32 = 10_000;
/// Minutes that a zone is away from UTC at most.
const ZONE_MAX: i64 = 14 * 60;

/// A directory of audit logs as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: DbssInstanceId,
    /// The project.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// What its owner says of it.
    pub comment: String,
    /// Where it is; operators only.
    pub path: Option<PathBuf>,
    /// What wrote the logs.
    pub format: String,
    /// What it does.
    pub status: DbssInstanceStatus,
    /// Minutes that local times in the logs are ahead of UTC.
    pub zone_minutes: i64,
    /// Days that its backups are kept.
    pub retention_days: u32,
    /// From how many percent of its disk on it is backed up at once; 100 is never.
    pub hurry_percent: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
}

/// A directory of audit logs to register.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// 1 to 64 letters, digits, `_`, `-`; unique in the project.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What wrote the logs; found out if nothing is said.
    pub format: Option<String>,
    /// The project it is for; the caller's if absent.
    pub project_id: Option<ProjectId>,
    /// Days that backups are kept.
    pub retention_days: Option<u32>,
    /// Minutes that local times in the logs are ahead of UTC.
    pub zone_minutes: i64,
    /// From how many percent of its disk on it is backed up at once; 100 is never, 80 the usual.
    pub hurry_percent: Option<u32>,
}

/// What is changed of a directory; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct InstanceChange {
    /// Its name.
    pub name: Option<String>,
    /// What its owner says of it.
    pub comment: Option<String>,
    /// Days that its backups are kept.
    pub retention_days: Option<u32>,
    /// Minutes that local times in its logs are ahead of UTC.
    pub zone_minutes: Option<i64>,
    /// From how many percent of its disk on it is backed up at once; 100 is never.
    pub hurry_percent: Option<u32>,
}

impl Control {
    /// Registers a directory of audit logs; operators only.
    pub fn register_logs(&self, caller: &Caller, new: NewInstance) -> Result<Instance> {
        operator(caller)?;
        let project = new.project_id.map_or_else(|| project(caller), Ok)?;
        limits::name("name", &new.name)?;
        let retention_days = new.retention_days.unwrap_or(RETENTION_DAYS);
        check_days("keep_days", retention_days)?;
        check_zone(new.zone_minutes)?;
        let hurry_percent = new
            .hurry_percent
            .unwrap_or_else(|| u32::from(HURRY_PERCENT));
        check_percent(hurry_percent)?;
        let (path, format, place) = self.look_at(&new)?;
        let (id, now) = (DbssInstanceId::new(self.entropy()), self.now());
        let row = DbssInstanceRow {
            project_id: project,
            id,
            name: new.name,
            comment: String::new(),
            path: path.as_os_str().as_bytes().to_vec(),
            format: format.as_str().to_owned(),
            status: DbssInstanceStatus::Active,
            zone_minutes: new.zone_minutes,
            retention_days,
            hurry_percent,
            automatic: false,
            cycle: "PER_DAY".to_owned(),
            trigger_at: None,
            bucket_name: crate::dbss::switch::bucket_of(project),
            bucket_root_path: String::new(),
            next_backup_at: None,
            switched_at: None,
            pressed_at: None,
            created_at: now,
            updated_at: now,
            removed_at: None,
        };
        self.write(|tx| {
            insert(tx, &row, place)?;
            view(tx, caller, row)
        })
    }

    /// Sees that logs can be read at a path, and what they are.
    fn look_at(&self, new: &NewInstance) -> Result<(PathBuf, Format, (u64, u64))> {
        let invalid = |problem: &dyn std::fmt::Display| {
            Error::invalid("path", format!("{}: {problem}", new.path.display()))
        };
        if !new.path.is_absolute() {
            return Err(invalid(&"must be absolute"));
        }
        let path = new.path.canonicalize().map_err(|error| invalid(&error))?;
        if self.own_paths().iter().any(|own| path.starts_with(own)) {
            return Err(invalid(&"belongs to the service itself"));
        }
        let format = match &new.format {
            Some(word) => Format::parse(word).ok_or_else(|| {
                let known: Vec<_> = Format::ALL.iter().map(|known| known.as_str()).collect();
                Error::invalid("format", format!("must be one of {}", known.join(", ")))
            })?,
            None => LogDirectory::detect(&path)
                .map_err(|error| invalid(&error))?
                .ok_or_else(|| {
                    Error::invalid("format", "no log is there to tell it by; name it")
                })?,
        };
        let logs = LogDirectory::open(&path, format).map_err(|error| invalid(&error))?;
        let place = logs.identity().map_err(|error| invalid(&error))?;
        Ok((path, format, place))
    }

    /// The project's directories, oldest first.
    pub fn list_logs(&self, caller: &Caller, page: &Page) -> Result<Listed<Instance>> {
        let project = project(caller)?;
        let page = page.rows(PAGE_MAX)?;
        self.read(|tx| {
            let found = tx.dbss_instances().list(&project, &page)?;
            Listed::of_rows(found, |row| view(tx, caller, row))
        })
    }

    /// One directory.
    pub fn show_logs(&self, caller: &Caller, id: DbssInstanceId) -> Result<Instance> {
        let project = project(caller)?;
        self.read(|tx| view(tx, caller, get(tx, project, id)?))
    }

    /// Changes what its owner may set of a directory.
    pub fn change_logs(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        change: &InstanceChange,
    ) -> Result<()> {
        let project = project(caller)?;
        if let Some(name) = &change.name {
            limits::name("name", name)?;
        }
        if let Some(comment) = &change.comment {
            limits::description(comment)?;
        }
        if let Some(days) = change.retention_days {
            check_days("retention_days", days)?;
        }
        if let Some(minutes) = change.zone_minutes {
            check_zone(minutes)?;
        }
        if let Some(percent) = change.hurry_percent {
            check_percent(percent)?;
        }
        let now = self.now();
        self.write(|tx| {
            get(tx, project, id)?;
            if let Some(name) = &change.name {
                let other = tx.dbss_instances().named(&project, name)?;
                if other.is_some_and(|other| other.id != id) {
                    return Err(Error::conflict(Reason::AlreadyExists, name));
                }
            }
            tx.dbss_instances().change(&project, &id, |row| {
                let change = change.clone();
                row.name = change.name.unwrap_or_else(|| row.name.clone());
                row.comment = change.comment.unwrap_or_else(|| row.comment.clone());
                row.retention_days = change.retention_days.unwrap_or(row.retention_days);
                row.zone_minutes = change.zone_minutes.unwrap_or(row.zone_minutes);
                row.hurry_percent = change.hurry_percent.unwrap_or(row.hurry_percent);
                row.updated_at = now;
            })?;
            Ok(())
        })
    }

    /// Suspends the backups of a directory that are made by themselves.
    pub fn stop_logs(&self, caller: &Caller, id: DbssInstanceId) -> Result<()> {
        self.move_logs(caller, id, DbssInstanceStatus::Stopped)
    }

    /// Goes on with them: looks whether the logs can be read, and catches up once.
    pub fn start_logs(&self, caller: &Caller, id: DbssInstanceId) -> Result<()> {
        let project = project(caller)?;
        let row = self.read(|tx| get(tx, project, id))?;
        open(&row)?;
        self.move_logs(caller, id, DbssInstanceStatus::Active)
    }

    /// Looks again whether the logs of a directory can be read, and notes what came of it.
    pub fn look_again(&self, caller: &Caller, id: DbssInstanceId) -> Result<()> {
        let project = project(caller)?;
        let row = self.read(|tx| get(tx, project, id))?;
        let looked = open(&row);
        if row.status != DbssInstanceStatus::Stopped {
            let found = match &looked {
                Ok(_) => DbssInstanceStatus::Active,
                Err(_) => DbssInstanceStatus::Error,
            };
            self.move_logs(caller, id, found)?;
        }
        looked.map(drop)
    }

    fn move_logs(&self, caller: &Caller, id: DbssInstanceId, to: DbssInstanceStatus) -> Result<()> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            get(tx, project, id)?;
            tx.dbss_instances().change(&project, &id, |row| {
                row.status = to;
                row.updated_at = now;
            })?;
            Ok(())
        })
    }

    /// Takes a directory off the list and orders a last backup of what is new in it; its backups
    /// live on, and nothing in it is touched.
    pub fn remove_logs(&self, caller: &Caller, id: DbssInstanceId) -> Result<JobId> {
        let project = project(caller)?;
        let now = self.now();
        self.order(|tx| {
            let row = get(tx, project, id)?;
            let (_, job) = self.order_log_backup(tx, &row, &Why::Last)?;
            for tag in tx.dbss_instances().tags(&project, Some(&id))? {
                tx.dbss_instances().remove_tag(&project, &id, &tag.key)?;
            }
            tx.dbss_instances().change(&project, &id, |row| {
                row.removed_at = Some(now);
                row.next_backup_at = None;
                row.automatic = false;
                row.updated_at = now;
            })?;
            Ok(job)
        })
    }

    /// How many more directories the project may have.
    pub fn logs_quota(&self, caller: &Caller) -> Result<u64> {
        let project = project(caller)?;
        self.read(|tx| Ok(INSTANCES_MAX.saturating_sub(count(tx, project)?)))
    }
}

fn count(tx: &Tx<'_>, project: ProjectId) -> Result<u64> {
    let one = catalog::Page {
        limit: 1,
        ..catalog::Page::default()
    };
    Ok(tx.dbss_instances().list(&project, &one)?.total)
}

fn check_days(field: &'static str, days: u32) -> Result<()> {
    if (RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(&days) {
        return Ok(());
    }
    let problem = format!("must be from {RETENTION_DAYS_MIN} to {RETENTION_DAYS_MAX}");
    Err(Error::invalid(field, problem))
}

fn check_percent(percent: u32) -> Result<()> {
    if percent <= 100 {
        return Ok(());
    }
    Err(Error::invalid("hurry_percent", "must be from 0 to 100"))
}

fn check_zone(minutes: i64) -> Result<()> {
    if minutes.abs() <= ZONE_MAX {
        return Ok(());
    }
    let problem = "must be at most 14 hours away from UTC";
    Err(Error::invalid("timezone", problem))
}

fn insert(tx: &Tx<'_>, row: &DbssInstanceRow, place: (u64, u64)) -> Result<()> {
    let project = row.project_id;
    if tx.projects().get(&project)?.is_none() {
        return Err(Error::not_found(Reason::NoSuchProject, project));
    }
    if tx.dbss_instances().named(&project, &row.name)?.is_some() {
        let about = format!("an audit instance called {}", row.name);
        return Err(Error::conflict(Reason::AlreadyExists, about));
    }
    if count(tx, project)? >= INSTANCES_MAX {
        let about = format!("at most {INSTANCES_MAX} audit instances");
        return Err(Error::quota(Reason::TooManyInstances, about));
    }
    for other in tx.dbss_instances().any_project_list()? {
        // One whose directory is gone for now is told by its path alone.
        let same_place =
            open(&other).is_ok_and(|logs| logs.identity().is_ok_and(|one| one == place));
        if same_place || other.path == row.path {
            let about = format!("audit instance {} reads that directory", other.id);
            return Err(Error::conflict(Reason::DirectoryTaken, about));
        }
    }
    Ok(tx.dbss_instances().insert(row)?)
}

pub(crate) fn view(tx: &Tx<'_>, caller: &Caller, row: DbssInstanceRow) -> Result<Instance> {
    let tags = tx.dbss_instances().tags(&row.project_id, Some(&row.id))?;
    Ok(Instance {
        path: caller.is_admin.then(|| path_of(&row)),
        id: row.id,
        project_id: row.project_id,
        name: row.name,
        comment: row.comment,
        format: row.format,
        status: row.status,
        zone_minutes: row.zone_minutes,
        retention_days: row.retention_days,
        hurry_percent: row.hurry_percent,
        created_at: row.created_at,
        tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    })
}

/// Notes whether a directory could be read.
pub(crate) fn note_readable(
    control: &Control,
    project: ProjectId,
    id: DbssInstanceId,
    readable: bool,
) -> Result<()> {
    let found = if readable {
        DbssInstanceStatus::Active
    } else {
        DbssInstanceStatus::Error
    };
    control.write(|tx| {
        let Some(row) = any(tx, project, id)? else {
            return Ok(());
        };
        if row.status != DbssInstanceStatus::Stopped && row.status != found {
            tx.dbss_instances()
                .change(&project, &id, |row| row.status = found)?;
        }
        Ok(())
    })
}
