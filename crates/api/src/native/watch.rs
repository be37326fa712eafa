//! Who did what, for auditors; whether everything is backed up as promised, for everybody.

use strongroom_control::{
    Page,
    audit::Recorded,
    freshness::{self, State, Which},
};
use strongroom_model::Timestamp;
use strongroom_wire::{
    native::{ListAlarms, ListAuditRecords, ListFreshness, ShowStatus},
    query::Limit,
    time::IamTime,
    watch::{
        Alarm, Alarms, AuditRecord, AuditRecords, Freshness, FreshnessPage, FreshnessState, Status,
    },
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

pub(super) fn status(cloud: &Cloud, call: &Call<ShowStatus>) -> Result<Status, Failure> {
    let caller = call.caller()?;
    let counts = cloud.control.freshness_counts(&caller)?;
    let open = cloud
        .control
        .alarms(&caller, Which::Open, &Page::default())?;
    let word = |(state, count): (State, u64)| (state.as_str().to_owned(), count);
    Ok(Status {
        resources: counts.into_iter().map(word).collect(),
        alarms: open.items.into_iter().map(shown).collect(),
        alarm_count: open.total,
        watched_at: cloud.control.last_round().map(|round| time(round.at)),
    })
}

pub(super) fn freshness(
    cloud: &Cloud,
    call: &Call<ListFreshness>,
) -> Result<FreshnessPage, Failure> {
    let page = Page {
        limit: call.query.limit.map_or(Page::default().limit, Limit::rows),
        offset: 0,
        marker: call.query.marker.clone(),
    };
    let found = cloud.control.freshness(&call.caller()?, &page)?;
    Ok(FreshnessPage {
        resources: found.into_iter().map(fresh).collect(),
    })
}

pub(super) fn alarms(cloud: &Cloud, call: &Call<ListAlarms>) -> Result<Alarms, Failure> {
    let page = Page {
        limit: call.query.limit.map_or(Page::default().limit, Limit::rows),
        offset: call.query.offset.map_or(0, |offset| offset.0.into()),
        marker: None,
    };
    let which = if call.query.all == Some(true) {
        Which::All
    } else {
        Which::Open
    };
    let listed = cloud.control.alarms(&call.caller()?, which, &page)?;
    Ok(Alarms {
        alarms: listed.items.into_iter().map(shown).collect(),
        total: listed.total,
    })
}

const fn time(at: Timestamp) -> IamTime {
    IamTime::from_micros(at.as_micros())
}

fn shown(alarm: freshness::Alarm) -> Alarm {
    Alarm {
        seq: alarm.seq,
        kind: alarm.kind,
        vault_id: alarm.vault_id.to_string(),
        vault_name: alarm.vault_name,
        resource_id: alarm.resource_id.map(|id| id.to_string()),
        resource_name: alarm.resource_name,
        message: alarm.message,
        raised_at: time(alarm.raised_at),
        cleared_at: alarm.cleared_at.map(time),
    }
}

fn fresh(found: freshness::Freshness) -> Freshness {
    Freshness {
        resource_id: found.resource_id.to_string(),
        resource_name: found.resource_name,
        vault_id: found.vault_id.to_string(),
        vault_name: found.vault_name,
        state: match found.state {
            State::Fresh => FreshnessState::Fresh,
            State::Waiting => FreshnessState::Waiting,
            State::Failed => FreshnessState::Failed,
            State::Overdue => FreshnessState::Overdue,
            State::NeverBackedUp => FreshnessState::NeverBackedUp,
        },
        last_good_at: found.last_good_at.map(time),
        last_failed_at: found.last_failed_at.map(time),
        last_verified_at: found.last_verified_at.map(time),
        promised_seconds: found.promised_seconds,
        overdue_since: found.overdue_since.map(time),
    }
}
