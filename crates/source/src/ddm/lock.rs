//! An instant at which nothing is being written, on a layer and all its servers at once.
//!
//! The layer is stopped first, so that no transaction is committed on one server and not yet on
//! another; then each server, so that what reaches it past the layer waits too. Only commits wait:
//! reading goes on. A lock goes with its session, so a process that dies holds up nobody.

use strongroom_model::DataNodeId;

use super::{
    document::{Place, Position},
    error::Result,
    session::{Columns, Session},
};

/// Stops commits on that server until [`release`], or until the session ends.
pub(super) fn hold(session: &mut Session) -> Result<()> {
    let action = "hold writes back for a moment";
    if is_maria(session)? {
        session.run(action, "BACKUP STAGE START")?;
        session.run(action, "BACKUP STAGE BLOCK_COMMIT")
    } else {
        session.run(action, "FLUSH TABLES WITH READ LOCK")
    }
}

/// Lets commits go on.
pub(super) fn release(session: &mut Session) -> Result<()> {
    let action = "let writes go on";
    if is_maria(session)? {
        session.run(action, "BACKUP STAGE END")
    } else {
        session.run(action, "UNLOCK TABLES")
    }
}

fn is_maria(session: &mut Session) -> Result<bool> {
    Ok(session.look()?.engine == "MariaDB")
}

/// Where the layer's own log is now; none if it keeps none.
pub(super) fn place(session: &mut Session) -> Result<Option<Place>> {
    let position = position(session, DataNodeId::from_bytes([0; 16]))?;
    let place = position.file.zip(position.offset);
    Ok(place.map(|(file, offset)| Place { file, offset }))
}

/// Where the server's log is now.
pub(super) fn position(session: &mut Session, node: DataNodeId) -> Result<Position> {
    let mut position = Position {
        node,
        gtid: None,
        file: None,
        offset: None,
        problem: None,
    };
    if session.variable("log_bin")?.as_deref() != Some("ON") {
        position.problem = Some("the server keeps no binary log".to_owned());
        return Ok(position);
    }
    let action = "say where its log is";
    let place = session.first(action, "SHOW MASTER STATUS", |row| (row.text(), row.text()))?;
    if let Some((file, offset)) = place {
        (position.file, position.offset) = (Some(file), offset.parse().ok());
    }
    let gtid = if is_maria(session)? {
        "SELECT @@global.gtid_binlog_pos"
    } else {
        "SELECT @@global.gtid_executed"
    };
    position.gtid = session.first(action, gtid, Columns::text)?;
    Ok(position)
}
