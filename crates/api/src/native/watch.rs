//! Who did what, for auditors.

use strongroom_control::{Page, audit::Recorded};
use strongroom_wire::{
    native::ListAuditRecords,
    query::Limit,
    time::IamTime,
    watch::{AuditRecord, AuditRecords},
};

use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn audit(cloud: &Cloud, call: &Call<ListAuditRecords>) -> Result<AuditRecords, Failure> {
    let page = Page {
        limit: call.query.limit.map_or(100, Limit::rows),
        offset: call.query.offset.map_or(0, |offset| offset.0.into()),
        marker: None,
    };
    let listed = cloud.identity.audit_trail(&call.caller()?, &page)?;
    Ok(AuditRecords {
        records: listed.items.into_iter().map(present).collect(),
        total: listed.total,
    })
}

fn present(recorded: Recorded) -> AuditRecord {
    let deed = recorded.deed;
    AuditRecord {
        seq: recorded.seq,
        at: IamTime::from_micros(recorded.at.as_micros()),
        who: deed.who,
        project_id: deed.project_id.map(|id| id.to_string()),
        source: deed.source,
        request_id: deed.request_id,
        operation: deed.operation,
        target: deed.target,
        outcome: deed.outcome,
    }
}
