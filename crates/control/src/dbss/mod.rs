//! Audit logs of databases: directories that operators register, backed up by a calendar into a
//! chain that proves itself.
//!
//! - [`instances`]: directories and what their owners set; [`tags`]: labels on them
//! - [`backups`]: ordered, listed, deleted, restored; [`switch`]: when they are made by themselves
//! - `round`: what happens by itself; [`watch`]: what should have happened
//! - [`monitor`]: what the host does
//! - [`statements`]: what is in the logs; [`tasks`]: what the vendor calls jobs
//! - [`operations`]: who did what with them; [`proof`]: that nothing is missing
//!
//! Invariants: work on one directory is done in the order it was asked for, one piece at a time;
//! how far a directory was read is told by the chain in the repository and by nothing else; a row
//! of a backup stays when its lines go.

pub mod backups;
pub mod instances;
pub mod monitor;
pub mod operations;
pub mod proof;
mod round;
pub mod statements;
pub mod switch;
pub mod tags;
pub mod tasks;
pub mod watch;

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::PathBuf};

use strongroom_catalog::{DbssInstanceRow, Tx};
use strongroom_model::{DbssInstanceId, ProjectId};
use strongroom_source::audit::{self as source, Format, LogDirectory, Zone};

use crate::{Error, Reason, Result};

pub use round::DbssRound;

/// The project's directory of that id that is still registered, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: DbssInstanceId) -> Result<DbssInstanceRow> {
    any(tx, project, id)?
        .filter(|row| row.removed_at.is_none())
        .ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))
}

/// The project's directory of that id, removed or not.
pub(crate) fn any(
    tx: &Tx<'_>,
    project: ProjectId,
    id: DbssInstanceId,
) -> Result<Option<DbssInstanceRow>> {
    Ok(tx.dbss_instances().get(&project, &id)?)
}

/// Work on one directory is done in the order it was asked for.
pub(crate) fn key(id: DbssInstanceId) -> String {
    format!("dbss:{id}")
}

/// Where a directory is.
pub(crate) fn path_of(row: &DbssInstanceRow) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&row.path))
}

/// The zone of local times in a directory's logs.
pub(crate) fn zone_of(row: &DbssInstanceRow) -> Zone {
    Zone(i32::try_from(row.zone_minutes).unwrap_or_default())
}

/// A directory, opened.
pub(crate) fn open(row: &DbssInstanceRow) -> Result<LogDirectory> {
    let format = Format::parse(&row.format)
        .ok_or_else(|| Error::bug("a row has an unknown format", row.format.clone()))?;
    let logs = LogDirectory::open(&path_of(row), format).map_err(|error| of_source(&error))?;
    Ok(logs.with_zone(zone_of(row)))
}

/// What is wrong with a directory, for its owner: the path stays the operator's.
pub(crate) fn of_source(error: &source::Error) -> Error {
    Error::Conflict {
        reason: Reason::LogsUnreadable,
        message: error.to_string(),
    }
}
