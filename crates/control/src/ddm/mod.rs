//! Sharding layers: registered by operators, backed up every day, restored by their owners.
//!
//! - [`instances`]: layers and their data nodes; [`tags`]: labels on layers
//! - [`backups`]: what a layer knew at an instant; `round`: the daily ones, and those that go
//! - [`archive`]: logs of data nodes and layers, followed without a gap; [`copies`]: their files
//!   `pieces`: what is archived of a log, put together and strung again
//! - [`points`]: which points in time can be restored; [`recovery`]: going back to one
//! - [`restores`]: where and when to one may go back, and going back
//! - [`schemas`]: logical schemas, made, dropped, carried to another layer
//! - [`tasks`]: what the vendor calls jobs
//! - `reach`: layers and servers, opened with their sealed passwords
//!
//! Invariants: work on one layer is done in the order it was asked for, one piece at a time; before
//! something is dropped there is a good backup of what it was; no password leaves sealed rows but
//! to a database.

pub mod archive;
pub mod backups;
pub mod copies;
pub mod instances;
pub(crate) mod pieces;
pub mod points;
pub(crate) mod reach;
pub mod recovery;
pub mod restores;
mod round;
pub mod schemas;
pub mod tags;
pub mod tasks;

use strongroom_catalog::{DdmInstanceRow, Tx};
use strongroom_model::{DdmInstanceId, ProjectId};

use crate::{Error, Reason, Result};

pub use round::DdmRound;

/// The project's layer of that id that is still registered, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: DdmInstanceId) -> Result<DdmInstanceRow> {
    tx.ddm_instances()
        .get(&project, &id)?
        .filter(|row| row.removed_at.is_none())
        .ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))
}

/// Work on one layer is done in the order it was asked for.
pub(crate) fn key(id: DdmInstanceId) -> String {
    format!("ddm:{id}")
}

/// Refuses what must not wait behind other work on the layer.
pub(crate) fn idle(tx: &Tx<'_>, id: DdmInstanceId) -> Result<()> {
    if tx.jobs().unfinished_with_key(&key(id))? > 0 {
        return Err(Error::conflict(Reason::InstanceBusy, id));
    }
    Ok(())
}
