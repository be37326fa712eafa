//! Directories of audit logs: registered by operators, backed up and proven when somebody asks.

use strongroom_control::dbss::instances::{InstanceChange, NewInstance};
use strongroom_model::Timestamp;
use strongroom_wire::{
    native::{
        self as wire, TaskStarted,
        audit_log::{
            AuditInstanceSettings, AuditJobReply, BackUpAuditInstanceReply, RegisteredAuditInstance,
        },
    },
    time::IamTime,
};

use crate::{
    call::Call,
    cbr::words::{id, id_maybe, shown},
    cloud::Cloud,
    dbss::{zone_minutes, zone_text},
    failure::Failure,
};

pub(super) fn register(
    cloud: &Cloud,
    call: &Call<wire::RegisterAuditInstance>,
) -> Result<RegisteredAuditInstance, Failure> {
    let body = &call.body;
    let new = NewInstance {
        name: body.name.clone(),
        path: body.path.clone().into(),
        format: body.format.clone(),
        project_id: id_maybe("project_id", body.project_id.as_ref())?,
        retention_days: body.keep_days,
        zone_minutes: zone(body.timezone.as_deref())?.unwrap_or_default(),
        hurry_percent: body.hurry_percent,
    };
    let made = cloud.control.register_logs(&call.caller()?, new)?;
    let path = made.path.unwrap_or_default();
    Ok(RegisteredAuditInstance {
        id: made.id.to_string(),
        project_id: made.project_id.to_string(),
        name: made.name,
        path: path.display().to_string(),
        format: made.format,
    })
}

fn zone(text: Option<&str>) -> Result<Option<i64>, Failure> {
    let malformed = || Failure::malformed("timezone", "expected a zone such as +02:00");
    text.map(|text| zone_minutes(text).ok_or_else(malformed))
        .transpose()
}

pub(super) fn change(
    cloud: &Cloud,
    call: &Call<wire::ChangeAuditInstance>,
) -> Result<AuditInstanceSettings, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let body = &call.body;
    let change = InstanceChange {
        name: body.name.clone(),
        comment: body.comment.clone(),
        retention_days: body.keep_days,
        zone_minutes: zone(body.timezone.as_deref())?,
        hurry_percent: body.hurry_percent,
    };
    let caller = call.caller()?;
    cloud.control.change_logs(&caller, instance, &change)?;
    let now = cloud.control.show_logs(&caller, instance)?;
    Ok(AuditInstanceSettings {
        id: now.id.to_string(),
        name: now.name,
        comment: now.comment,
        keep_days: now.retention_days,
        timezone: zone_text(now.zone_minutes),
        hurry_percent: now.hurry_percent,
    })
}

pub(super) fn back_up(
    cloud: &Cloud,
    call: &Call<wire::BackUpAuditInstance>,
) -> Result<BackUpAuditInstanceReply, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let (backup, job) = cloud.control.back_up_logs(&call.caller()?, instance)?;
    Ok(BackUpAuditInstanceReply {
        backup_id: backup.to_string(),
        job_id: job.to_string(),
    })
}

pub(super) fn verify(
    cloud: &Cloud,
    call: &Call<wire::VerifyAuditInstance>,
) -> Result<TaskStarted, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let time = |time: Option<IamTime>| time.map(|time| Timestamp::from_micros(time.as_micros()));
    let (from, to) = (time(call.body.from), time(call.body.to));
    let job = cloud
        .control
        .verify_logs(&call.caller()?, instance, from, to)?;
    Ok(TaskStarted {
        job_id: job.to_string(),
    })
}

pub(super) fn job(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditJob>,
) -> Result<AuditJobReply, Failure> {
    let id = id("job_id", &call.path.job_id)?;
    let task = cloud.control.show_log_task(&call.caller()?, id)?;
    Ok(AuditJobReply {
        id: task.id.to_string(),
        name: task.name,
        status: shown(task.status.as_str()),
        progress: task.progress,
        fail_reason: task.fail_reason,
        report: task.report,
    })
}
