//! Who did what with audit logs: the part of the audit trail that is about a directory.
//!
//! Calls that name their directory in the body and not in the path (starting, stopping, deleting)
//! are shown with every directory of the project: in a trail too much is better than too little.

use strongroom_model::{DbssInstanceId, Timestamp, UserId};

use crate::{Caller, Control, Error, Reason, Result, control::project, dbss::any};

/// Deeds that one list looks at, the newest: who wants older ones names a time.
const LOOKED_MAX: u32 = 10_000;

/// Something that was done, or tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number in the trail.
    pub seq: u64,
    /// The name of who did it; the id if the user is gone.
    pub user: String,
    /// When.
    pub at: Timestamp,
    /// The action, such as `dbss:auditBackup:delete`.
    pub action: String,
    /// What it was done to: the path.
    pub target: String,
    /// The address that it came from.
    pub source: String,
    /// The status and code of the answer.
    pub outcome: String,
}

impl Control {
    /// What was done with a directory, the newest first.
    pub fn log_operations(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<Operation>> {
        let project = project(caller)?;
        self.read(|tx| {
            any(tx, project, id)?.ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))?;
            let rows = tx.audit().about(
                &project,
                (from, until),
                &["dbss:", "native:auditInstances:"],
                &[&id.to_string(), "/audit/instance"],
                LOOKED_MAX,
            )?;
            let elsewhere = "/audit/instances";
            rows.into_iter()
                .filter(|row| !row.target.ends_with(elsewhere))
                .map(|row| {
                    let user = match row.who.parse::<UserId>() {
                        Ok(id) => tx.users().get(&id)?.map(|user| user.name),
                        Err(_) => None,
                    };
                    Ok(Operation {
                        seq: row.seq,
                        user: user.unwrap_or(row.who),
                        at: row.at,
                        action: row.operation,
                        target: row.target,
                        source: row.source,
                        outcome: row.outcome,
                    })
                })
                .collect()
        })
    }
}
