//! Backups of audit logs and their switch.

use strongroom_control::dbss::{
    backups::{LogBackup, LogBackupFilter},
    switch::{NewSwitch, bucket_of},
};
use strongroom_wire::dbss::{
    self as wire, Accepted, AcceptedReply,
    backup::{
        BackupInfo, BackupMode, BackupStatusReply, Bucket, BucketsReply, ListBackupsReply,
        SizeUnit, TemplateReply,
    },
};

use super::words::{backup, instance, is_on, numbered, time, time_of};
use crate::{
    call::Call,
    cbr::words::{id, shown},
    cloud::Cloud,
    failure::Failure,
};

/// An order was taken.
pub(super) const ACCEPTED: AcceptedReply = AcceptedReply {
    result: Accepted::Success,
};

pub(super) fn status(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditBackupStatus>,
) -> Result<BackupStatusReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let standing = cloud.control.log_backup_standing(&call.caller()?, id)?;
    Ok(BackupStatusReply {
        status: standing.number(),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListAuditBackupInfo>,
) -> Result<ListBackupsReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let page = numbered(call.body.page.0, call.body.size.0)?;
    let filter = LogBackupFilter {
        from: call.body.start_time.map(time_of),
        until: call.body.end_time.map(time_of),
    };
    if filter
        .from
        .zip(filter.until)
        .is_some_and(|(from, until)| until < from)
    {
        return Err(Failure::malformed(
            "end_time",
            "must not be before start_time",
        ));
    }
    let caller = call.caller()?;
    let listed = cloud
        .control
        .list_log_backups(&caller, id, &filter, &page)?;
    Ok(ListBackupsReply {
        data_list: listed.items.into_iter().map(present).collect(),
        total_num: listed.total,
    })
}

fn present(backup: LogBackup) -> BackupInfo {
    let (file_size, file_size_unit) = size(backup.file_bytes.0);
    BackupInfo {
        backup_task_fail_reason: backup.backup_fail_reason,
        backup_time: time(backup.created_at),
        deleted: backup.progress.as_str() == "DELETED",
        end_time: backup.end_at.map(time),
        file_size,
        file_size_unit,
        id: backup.id.to_string(),
        mode: if backup.automatic {
            BackupMode::Automatic
        } else {
            BackupMode::Manual
        },
        name: backup.name,
        percentage: backup.percent,
        progress: shown(backup.progress.as_str()),
        restore_task_fail_reason: backup.restore_fail_reason,
        sha256: backup.sha256,
        start_time: backup.start_at.map(time),
    }
}

/// A size in the largest unit that it fills; whole units, rounded up.
fn size(bytes: u64) -> (u64, SizeUnit) {
    let units = [
        (1 << 30, SizeUnit::Giga),
        (1 << 20, SizeUnit::Mega),
        (1 << 10, SizeUnit::Kilo),
    ];
    let found = units.into_iter().find(|(unit, _)| bytes >= *unit);
    found.map_or((bytes, SizeUnit::Byte), |(unit, word)| {
        (bytes.div_ceil(unit), word)
    })
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteAuditBackupTask>,
) -> Result<AcceptedReply, Failure> {
    let (owner, id) = (instance(&call.path.instance_id)?, backup(&call.path.id)?);
    cloud
        .control
        .delete_log_backup(&call.caller()?, owner, id)?;
    Ok(ACCEPTED)
}

pub(super) fn restore(
    cloud: &Cloud,
    call: &Call<wire::RestoreAuditBackup>,
) -> Result<AcceptedReply, Failure> {
    let (owner, id) = (instance(&call.path.instance_id)?, backup(&call.path.id)?);
    cloud
        .control
        .restore_log_backup(&call.caller()?, owner, id)?;
    Ok(ACCEPTED)
}

pub(super) fn retry(
    cloud: &Cloud,
    call: &Call<wire::RetryAuditBackupTask>,
) -> Result<AcceptedReply, Failure> {
    let (owner, id) = (instance(&call.path.instance_id)?, backup(&call.path.id)?);
    cloud.control.retry_log_backup(&call.caller()?, owner, id)?;
    Ok(ACCEPTED)
}

pub(super) fn template(
    cloud: &Cloud,
    call: &Call<wire::SetAuditAutoBackupTemplate>,
) -> Result<TemplateReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let switch = cloud.control.log_switch(&call.caller()?, id)?;
    Ok(TemplateReply {
        bucket_name: switch.bucket_name,
        bucket_root_path: switch.bucket_root_path,
        cycle: shown(&switch.cycle),
        latest_backup_time: switch.latest_at.map(time),
        status: u8::from(switch.automatic),
        trigger_time: switch.trigger_at.map(time),
        triggered: switch.triggered,
    })
}

pub(super) fn set_switch(
    cloud: &Cloud,
    call: &Call<wire::SetAuditBackupSwitch>,
) -> Result<AcceptedReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let body = &call.body;
    let new = NewSwitch {
        automatic: is_on(body.status.0)?,
        cycle: body.cycle.as_str().to_owned(),
        trigger_at: time_of(body.trigger_time),
        bucket_name: body.bucket_name.clone(),
        bucket_root_path: body.bucket_root_path.clone(),
    };
    cloud.control.set_log_switch(&call.caller()?, id, &new)?;
    Ok(ACCEPTED)
}

pub(super) fn buckets(
    cloud: &Cloud,
    call: &Call<wire::ListAuditObsBuckets>,
) -> Result<BucketsReply, Failure> {
    let project = id("project_id", &call.path.project_id)?;
    Ok(BucketsReply {
        obs_list: vec![Bucket {
            bucket_name: bucket_of(project),
            location: cloud.endpoints.region.clone(),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_units_and_never_too_small() {
        for (bytes, number, unit) in [
            (0, 0, SizeUnit::Byte),
            (1023, 1023, SizeUnit::Byte),
            (1024, 1, SizeUnit::Kilo),
            (1025, 2, SizeUnit::Kilo),
            (5 << 20, 5, SizeUnit::Mega),
            ((1 << 30) + 1, 2, SizeUnit::Giga),
        ] {
            assert_eq!(size(bytes), (number, unit), "{bytes}");
        }
    }
}
