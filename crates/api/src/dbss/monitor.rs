//! What the host of an instance does, upgrades, and whether statistics are counted.
//!
//! The host is the service's own. An instance is a directory and is as new as the service is.
//! Statistics of statements are exact with every backup, so counting them can neither be switched
//! off nor be late; of risks there are none.

use strongroom_control::{Caller, Page, dbss::monitor::Sample};
use strongroom_model::Timestamp;
use strongroom_wire::{
    dbss::{
        self as wire,
        monitor::{
            Business, DiskInfo, MonitorReply, OnOff, StatisticsOrder, StatisticsReply,
            StatisticsStatus, SystemInfo, TrafficInfo, UpgradeStatus, UpgradesReply,
        },
    },
    operation::Empty,
};

use super::words::{instance, millis, span, time};
use crate::{call::Call, cloud::Cloud, failure::Failure};

/// No instance can be upgraded for itself.
const NO_UPGRADE: u8 = 2;
/// More than a project can have.
const ALL: Page = Page {
    limit: 1000,
    offset: 0,
    marker: None,
};

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowInstanceMonitorInfo>,
) -> Result<MonitorReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let (from, until) = span(&call.body.time, cloud.clock.now())?;
    let found = cloud
        .control
        .monitor_logs(&call.caller()?, id, from, until)?;
    let gibibytes = |bytes: u64| round(bytes, 1 << 30);
    let of = |disk: Option<strongroom_control::dbss::monitor::Pressure>| {
        let used = disk.map_or(0, |disk| disk.used_percent());
        disk.map_or((0.0, 0.0, used), |disk| {
            (gibibytes(disk.free), gibibytes(disk.total), used)
        })
    };
    let (data, swap, system) = (of(Some(found.logs)), of(found.temporary), of(found.system));
    Ok(MonitorReply {
        disk_infos: DiskInfo {
            id: name(found.at),
            data_available: data.0,
            data_total: data.1,
            data_use_percent: data.2,
            swap_available: swap.0,
            swap_total: swap.1,
            swap_use_percent: swap.2,
            system_available: system.0,
            system_total: system.1,
            system_use_percent: system.2,
            time: time(found.at),
        },
        system_infos: found.samples.iter().map(system_of).collect(),
        traffic_infos: found.samples.iter().map(traffic_of).collect(),
    })
}

fn system_of(sample: &Sample) -> SystemInfo {
    SystemInfo {
        id: name(sample.at),
        cpu_use: f64::from(sample.processors_percent),
        mem_use: f64::from(sample.memory_percent),
        time: time(sample.at),
    }
}

fn traffic_of(sample: &Sample) -> TrafficInfo {
    TrafficInfo {
        id: name(sample.at),
        rxmegabytes: round(sample.received_per_second, 1_000_000),
        txmegabytes: round(sample.sent_per_second, 1_000_000),
        time: time(sample.at),
    }
}

/// A sample is called after its moment.
fn name(at: Timestamp) -> String {
    millis(at).to_string()
}

/// In that unit, to a thousandth.
fn round(bytes: u64, unit: u64) -> f64 {
    let thousandths = u128::from(bytes) * 1000 / u128::from(unit);
    f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / 1000.0
}

pub(super) fn upgrades(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditUpgradeStatus>,
) -> Result<UpgradesReply, Failure> {
    let found = cloud.control.list_logs(&call.caller()?, &ALL)?;
    let version = env!("CARGO_PKG_VERSION");
    let state = |id: String| UpgradeStatus {
        instance_id: id,
        current_version: version.to_owned(),
        upgrade_version: version.to_owned(),
        status: NO_UPGRADE,
        total: 0,
        steps: Vec::new(),
    };
    let ids = found.items.iter().map(|one| one.id.to_string());
    Ok(UpgradesReply {
        audit_upgrade_infos: ids.map(state).collect(),
    })
}

pub(super) fn statistics(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditTaskStatus>,
) -> Result<StatisticsReply, Failure> {
    let business = business(&call.path.busi_type)?;
    statistics_of(cloud, &call.caller()?, &call.path.project_id, business)
}

fn statistics_of(
    cloud: &Cloud,
    caller: &Caller,
    project: &str,
    business: Business,
) -> Result<StatisticsReply, Failure> {
    let found = cloud.control.log_summaries(caller, &ALL)?;
    let now = cloud.clock.now();
    let first = found.items.iter().filter_map(|one| one.first_line_at).min();
    let counted = business == Business::Audit;
    let when = |time: Timestamp| counted.then(|| millis(time));
    Ok(StatisticsReply {
        id: u64::from(!counted) + 1,
        project_id: project.to_owned(),
        busi_type: business,
        task_switch: if counted { OnOff::On } else { OnOff::Off },
        task_status: if counted {
            StatisticsStatus::Succeeded
        } else {
            StatisticsStatus::Ready
        },
        total_num: found.total,
        completed_num: if counted { found.total } else { 0 },
        begin_time: when(now),
        end_time: when(now),
        query_begin_time: first.and_then(when),
        query_end_time: when(now),
    })
}

pub(super) fn count(
    cloud: &Cloud,
    call: &Call<wire::UpdateAuditTaskStatus>,
) -> Result<Empty, Failure> {
    let business = business(&call.path.busi_type)?;
    call.caller()?;
    let _ = cloud;
    let wanted = match (call.body.oper_type, call.body.code) {
        (StatisticsOrder::Execute, _) => OnOff::On,
        (StatisticsOrder::Switch, Some(code)) => code,
        (StatisticsOrder::Switch, None) => {
            return Err(Failure::malformed("code", "must be on or off"));
        }
    };
    match (business, wanted) {
        (Business::Audit, OnOff::On) | (Business::Risk, OnOff::Off) => Ok(Empty),
        (Business::Audit, OnOff::Off) => Err(Failure::malformed(
            "code",
            "statements are counted with every backup, which cannot be switched off",
        )),
        (Business::Risk, OnOff::On) => Err(Failure::malformed(
            "busi_type",
            "there are no rules for risks, so there is nothing to be counted",
        )),
    }
}

fn business(word: &str) -> Result<Business, Failure> {
    word.parse()
        .map_err(|_| Failure::malformed("busi_type", "must be audit or risk"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_to_a_thousandth() {
        assert!((round(1_610_612_736, 1 << 30) - 1.5).abs() < 1e-9);
        assert!((round(1_234_567, 1_000_000) - 1.234).abs() < 1e-9);
        assert!(round(0, 1 << 30).abs() < 1e-9);
    }
}
