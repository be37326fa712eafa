//! Who used the service.

use strongroom_control::dbss::operations::Operation;
use strongroom_wire::dbss::{
    self as wire,
    log::{Action, ActionFilter, OperateLog, OperateLogsReply, OperateLogsRequest, Outcome},
};

use super::words::{instance, numbered, span, time, window};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn list_old(
    cloud: &Cloud,
    call: &Call<wire::ListAuditOperateLogs>,
) -> Result<OperateLogsReply, Failure> {
    found(cloud, &call.caller()?, &call.path.instance_id, &call.body)
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListAuditOperateLogsNew>,
) -> Result<OperateLogsReply, Failure> {
    found(cloud, &call.caller()?, &call.path.instance_id, &call.body)
}

fn found(
    cloud: &Cloud,
    caller: &strongroom_control::Caller,
    id: &str,
    asked: &OperateLogsRequest,
) -> Result<OperateLogsReply, Failure> {
    let page = numbered(asked.page.0, asked.size.0)?;
    let (from, until) = span(&asked.time, cloud.clock.now())?;
    let all = cloud
        .control
        .log_operations(caller, instance(id)?, from, until)?;
    let wanted = |row: &OperateLog| {
        asked
            .user_name
            .as_ref()
            .is_none_or(|name| *name == row.user)
            && asked.result.is_none_or(|result| result == row.result)
            && asked.action.is_none_or(|action| is(action, row.action))
    };
    let rows: Vec<_> = all.into_iter().map(present).filter(wanted).collect();
    Ok(OperateLogsReply {
        total_num: rows.len() as u64,
        operate_log: window(rows, &page),
    })
}

fn is(filter: ActionFilter, action: Action) -> bool {
    match filter {
        ActionFilter::Create => action == Action::Create,
        ActionFilter::Delete => action == Action::Delete,
        ActionFilter::Download => action == Action::Download,
        ActionFilter::Update => action == Action::Update,
    }
}

fn present(operation: Operation) -> OperateLog {
    let mut words = operation.action.split(':').skip(1);
    let function = words.next().unwrap_or_default().to_owned();
    let verb = words.next().unwrap_or_default().to_owned();
    let done = operation.outcome.starts_with('2');
    OperateLog {
        id: operation.seq.to_string(),
        user: operation.user,
        time: time(operation.at),
        action: action(&verb),
        function,
        name: verb,
        description: format!(
            "{} from {}: {}",
            operation.target, operation.source, operation.outcome
        ),
        result: if done {
            Outcome::Success
        } else {
            Outcome::Fail
        },
    }
}

/// What a verb of ours is in the vendor's four: reading logs is fetching them.
fn action(verb: &str) -> Action {
    match verb {
        "create" | "backup" => Action::Create,
        "delete" => Action::Delete,
        _ if verb.starts_with("list") || verb.starts_with("get") || verb == "verify" => {
            Action::Download
        }
        _ => Action::Update,
    }
}
