//! The proof that no line is missing or changed between two instants: ordered as a job, because it
//! reads everything; told as a report that is signed.

use strongroom_model::{DbssInstanceId, JobId, Timestamp};

use crate::{
    Caller, Control, Error, Reason, Result, audit_logs,
    control::project,
    dbss::{any, tasks},
    jobs,
};

impl Control {
    /// Orders the proof about a directory, which may be gone; the report is the job's.
    pub fn verify_logs(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<JobId> {
        let project = project(caller)?;
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return Err(Error::invalid("to", "must not be before from"));
        }
        self.order(|tx| {
            let row = any(tx, project, id)?;
            let row = row.ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))?;
            let order = tasks::Order {
                kind: jobs::AUDIT_VERIFY,
                name: tasks::VERIFY,
                instance: id,
                instance_name: &row.name,
                backup: None,
            };
            let params = jobs::params::AuditVerify {
                project,
                instance: id,
                from,
                to,
            };
            tasks::order(self, tx, project, &order, &params)
        })
    }

    /// The public half of the key that reports are signed with.
    pub fn report_key(&self) -> String {
        audit_logs::public_key(self.master_key())
    }
}
