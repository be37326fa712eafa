//! Audit instances: listed in the vendor's three ways, stopped, started, changed, taken off the
//! list.

use strongroom_control::{
    Listed, Page,
    dbss::{
        instances::{Instance, InstanceChange, RETENTION_DAYS_MAX, RETENTION_DAYS_MIN},
        statements::Summary,
        tasks::LogTask,
    },
};
use strongroom_wire::dbss::{
    self as wire, AcceptedReply, Done, DoneReply, StatusReply,
    instance::{
        ChargeModel, InstanceRow, InstanceTask, InstancesReply, JobRow, JobsReply,
        LastInstancesReply, OldInstancesReply, QuotaReply, SummaryReply, SummaryRow, VersionReply,
        Zone, ZoneType, ZonesReply,
    },
    setting::{Retention, SettingsReply},
};

use super::{
    backups::ACCEPTED,
    statements::database_of,
    words::{instance, millis, page, time},
};
use crate::{call::Call, cbr::words::shown, cloud::Cloud, failure::Failure};

/// It was done.
const DONE: DoneReply = DoneReply {
    result: Done::Success,
};
/// The percentage of a disk from which on the vendor's rule removes the oldest logs; backups are
/// made at once before that.
const USAGE_LIMIT: u32 = 85;

fn listed(
    cloud: &Cloud,
    caller: &strongroom_control::Caller,
    query: &wire::PageQuery,
) -> Result<Listed<Instance>, Failure> {
    let page = page(query.limit, query.offset);
    Ok(cloud.control.list_logs(caller, &page)?)
}

pub(super) fn list_old(
    cloud: &Cloud,
    call: &Call<wire::ListAuditInstances>,
) -> Result<OldInstancesReply, Failure> {
    let found = listed(cloud, &call.caller()?, &call.query)?;
    Ok(OldInstancesReply {
        servers: found.items.iter().map(|one| row(cloud, one)).collect(),
        total: found.total,
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListAuditInstancesNew>,
) -> Result<InstancesReply, Failure> {
    let found = listed(cloud, &call.caller()?, &call.query)?;
    let instances: Vec<_> = found
        .items
        .iter()
        .map(|one| InstanceRow {
            instance_id: Some(one.id.to_string()),
            enterprise_project_id: Some("0".to_owned()),
            timezone: Some(zone_text(one.zone_minutes)),
            supported_feature: Some(Vec::new()),
            ..row(cloud, one)
        })
        .collect();
    Ok(InstancesReply {
        servers: instances.clone(),
        instances,
        total: found.total,
    })
}

pub(super) fn list_last(
    cloud: &Cloud,
    call: &Call<wire::ListAuditInstancesLast>,
) -> Result<LastInstancesReply, Failure> {
    let found = listed(cloud, &call.caller()?, &call.query)?;
    let instances = found.items.iter().map(|one| InstanceRow {
        supported_feature: Some(Vec::new()),
        ..row(cloud, one)
    });
    Ok(LastInstancesReply {
        instances: instances.collect(),
        total: found.total,
    })
}

fn row(cloud: &Cloud, one: &Instance) -> InstanceRow {
    let region = cloud.endpoints.region.clone();
    let databases = u64::from(database_of(one).is_some());
    InstanceRow {
        charge_model: ChargeModel::Demand,
        comment: one.comment.clone(),
        config_num: databases,
        connect_ip: String::new(),
        connect_ipv6: None,
        cpu: 0,
        created: time(one.created_at).to_string(),
        database_limit: 1,
        effect: None,
        expired: None,
        id: one.id.to_string(),
        keep_days: None,
        name: one.name.clone(),
        new_version: None,
        port_id: String::new(),
        ram: 0,
        region: region.clone(),
        remain_days: None,
        resource_id: one.id.to_string(),
        resource_spec_code: String::new(),
        scene: None,
        security_group_id: String::new(),
        specification: String::new(),
        status: shown(one.status.as_str()),
        subnet_id: String::new(),
        task: InstanceTask::None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vpc_id: String::new(),
        zone: region,
        instance_id: None,
        enterprise_project_id: None,
        timezone: None,
        supported_feature: None,
    }
}

pub(super) fn jobs_old(
    cloud: &Cloud,
    call: &Call<wire::ListAuditInstanceJobs>,
) -> Result<JobsReply, Failure> {
    let id = instance(&call.path.resource_id)?;
    let found = cloud.control.list_log_tasks(&call.caller()?, id)?;
    Ok(JobsReply {
        jobs: found.into_iter().map(job).collect(),
    })
}

pub(super) fn jobs(
    cloud: &Cloud,
    call: &Call<wire::ListAuditInstanceJobsNew>,
) -> Result<JobsReply, Failure> {
    let id = instance(&call.path.resource_id)?;
    let found = cloud.control.list_log_tasks(&call.caller()?, id)?;
    Ok(JobsReply {
        jobs: found.into_iter().map(job).collect(),
    })
}

fn job(task: LogTask) -> JobRow {
    let instance_id = task.instance_id.to_string();
    JobRow {
        job_id: task.id.to_string(),
        status: shown(task.status.as_str()),
        job_type: Some(task.name),
        server_id: instance_id.clone(),
        server_name: task.instance_name,
        resource_id: instance_id,
        begin_time: millis(task.created_at),
        end_time: task.ended_at.map_or(0, millis),
        charge_mode: ChargeModel::Demand,
        error_code: None,
        fail_reason: task.fail_reason,
        ha_id: None,
        ha_name: None,
    }
}

pub(super) fn quota_old(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditQuota>,
) -> Result<QuotaReply, Failure> {
    left(cloud, &call.caller()?, &call.path.project_id)
}

pub(super) fn quota(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditQuotaNew>,
) -> Result<QuotaReply, Failure> {
    left(cloud, &call.caller()?, &call.path.project_id)
}

fn left(
    cloud: &Cloud,
    caller: &strongroom_control::Caller,
    project: &str,
) -> Result<QuotaReply, Failure> {
    Ok(QuotaReply {
        project_id: project.to_owned(),
        audit_quota: cloud.control.logs_quota(caller)?,
        cpu: 0,
        ram: 0,
    })
}

pub(super) fn settings(
    cloud: &Cloud,
    call: &Call<wire::ShowLogRetentionCommonSettings>,
) -> Result<SettingsReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_logs(&call.caller()?, id)?;
    Ok(SettingsReply {
        log_retention: Retention {
            retention_days: found.retention_days,
            range_days_min: RETENTION_DAYS_MIN,
            range_days_max: RETENTION_DAYS_MAX,
        },
        data_usage_limit: USAGE_LIMIT,
    })
}

pub(super) fn update_settings(
    cloud: &Cloud,
    call: &Call<wire::UpdateLogRetentionCommonSettings>,
) -> Result<StatusReply, Failure> {
    let change = InstanceChange {
        retention_days: Some(call.body.retention_days.0),
        ..InstanceChange::default()
    };
    let id = instance(&call.path.instance_id)?;
    cloud.control.change_logs(&call.caller()?, id, &change)?;
    Ok(StatusReply {
        status: Done::Success,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn version(
    _: &Cloud,
    _: &Call<wire::ShowServerVersion>,
) -> Result<VersionReply, Failure> {
    Ok(VersionReply {
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

pub(super) fn time_zone(
    cloud: &Cloud,
    call: &Call<wire::SetAuditInstanceTimeZone>,
) -> Result<StatusReply, Failure> {
    let minutes = zone_minutes(&call.body.timezone)
        .ok_or_else(|| Failure::malformed("timezone", "expected a zone such as GMT+08:00"))?;
    let change = InstanceChange {
        zone_minutes: Some(minutes),
        ..InstanceChange::default()
    };
    let id = instance(&call.path.instance_id)?;
    cloud.control.change_logs(&call.caller()?, id, &change)?;
    Ok(StatusReply {
        status: Done::Success,
    })
}

/// Minutes that a zone is ahead of UTC: `GMT+08:00`, `UTC-3`, `+02:00`, `UTC`.
pub(crate) fn zone_minutes(text: &str) -> Option<i64> {
    let rest = text
        .strip_prefix("GMT")
        .or_else(|| text.strip_prefix("UTC"));
    let rest = rest.unwrap_or(text);
    if rest.is_empty() {
        return Some(0).filter(|_| !text.is_empty());
    }
    let (sign, rest) = match rest.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let number = |text: &str, below: i64| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_digit());
        let number: i64 = text.parse().ok().filter(|_| digits)?;
        Some(number).filter(|number| *number < below)
    };
    Some(sign * (number(hours, 24)? * 60 + number(minutes, 60)?))
}

/// A zone in the vendor's form.
pub(crate) fn zone_text(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

pub(super) fn reboot(
    cloud: &Cloud,
    call: &Call<wire::RebootAuditInstanceNew>,
) -> Result<DoneReply, Failure> {
    let id = instance(&call.body.instance_id)?;
    cloud.control.look_again(&call.caller()?, id)?;
    Ok(DONE)
}

pub(super) fn start(
    cloud: &Cloud,
    call: &Call<wire::StartAuditInstanceNew>,
) -> Result<DoneReply, Failure> {
    let id = instance(&call.body.instance_id)?;
    cloud.control.start_logs(&call.caller()?, id)?;
    Ok(DONE)
}

pub(super) fn stop(
    cloud: &Cloud,
    call: &Call<wire::StopAuditInstanceNew>,
) -> Result<DoneReply, Failure> {
    let id = instance(&call.body.instance_id)?;
    cloud.control.stop_logs(&call.caller()?, id)?;
    Ok(DONE)
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateAuditInstanceNew>,
) -> Result<DoneReply, Failure> {
    let change = InstanceChange {
        name: call.body.name.clone(),
        comment: call.body.comment.clone(),
        ..InstanceChange::default()
    };
    let id = instance(&call.path.instance_id)?;
    cloud.control.change_logs(&call.caller()?, id, &change)?;
    Ok(DONE)
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteInstancesNew>,
) -> Result<AcceptedReply, Failure> {
    // Logs that somebody's database writes are not removed because the list of them changes.
    if call.body.delete_volume == Some(true) {
        let problem = "the logs of a registered instance stay where they are";
        return Err(Failure::malformed("delete_volume", problem));
    }
    let id = instance(&call.body.id)?;
    cloud.control.remove_logs(&call.caller()?, id)?;
    Ok(ACCEPTED)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn zones(
    cloud: &Cloud,
    _: &Call<wire::ListAvailabilityZoneInfosNew>,
) -> Result<ZonesReply, Failure> {
    let region = &cloud.endpoints.region;
    Ok(ZonesReply {
        azs: vec![Zone {
            zone_name: region.clone(),
            zone_number: 1,
            az_type: ZoneType::Dedicated,
            alias: region.clone(),
            alias_us: region.clone(),
        }],
    })
}

pub(super) fn summary(
    cloud: &Cloud,
    call: &Call<wire::ListAuditSummaryInfos>,
) -> Result<SummaryReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let caller = call.caller()?;
    let all = cloud.control.log_summaries(
        &caller,
        &Page {
            limit: 1000,
            ..Page::default()
        },
    )?;
    let found = cloud.control.log_summaries(&caller, &page)?;
    let now = millis(cloud.clock.now());
    let sum = |of: fn(&Summary) -> u64| all.items.iter().map(of).sum();
    let rows = found.items.iter().zip(page.offset + 1..);
    Ok(SummaryReply {
        project_id: call.path.project_id.clone(),
        audit_duration: all
            .items
            .iter()
            .map(|one| one.days)
            .max()
            .unwrap_or_default(),
        total_sql: sum(|one| one.lines),
        total_risk: 0,
        today_sql: sum(|one| one.lines_today),
        today_risk: 0,
        today_session: 0,
        update_time: now,
        data_list: rows
            .map(|(one, place)| SummaryRow {
                id: place,
                status: "1".to_owned(),
                project_id: call.path.project_id.clone(),
                instance_id: place,
                instance_name: one.name.clone(),
                audit_duration: one.days,
                total_sql: one.lines,
                total_risk: 0,
                today_sql: one.lines_today,
                today_risk: 0,
                today_session: 0,
                update_time: now,
                reserve1: None,
                reserve2: None,
            })
            .collect(),
        total: found.total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_in_their_usual_forms_and_told_in_one() {
        for (text, minutes) in [
            ("GMT+08:00", Some(480)),
            ("UTC-3", Some(-180)),
            ("+05:30", Some(330)),
            ("UTC", Some(0)),
            ("", None),
            ("Berlin", None),
            ("GMT+8:", None),
            ("GMT+25", None),
            ("+é", None),
        ] {
            assert_eq!(zone_minutes(text), minutes, "{text}");
        }
        assert_eq!(zone_text(-90), "GMT-01:30");
        assert_eq!(zone_text(480), "GMT+08:00");
    }
}
