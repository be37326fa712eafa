//! Export of statements that rules call risky. No rules are known here, so nothing is ever
//! exported: the switch can be off, and where to is kept and told again.

use strongroom_control::dbss::{instances::Instance, switch::Switch};
use strongroom_wire::dbss::{
    self as wire, AcceptedReply,
    risk::{RiskBucket, RiskTemplate, RiskTemplatesReply},
};

use super::{
    backups::ACCEPTED,
    statements::database_of,
    words::{instance, is_on},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListAuditBackupRiskTemplates>,
) -> Result<RiskTemplatesReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_logs(&call.caller()?, id)?;
    Ok(RiskTemplatesReply {
        templates: template(&found).into_iter().collect(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowAuditBackRiskTemplate>,
) -> Result<RiskTemplate, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_logs(&call.caller()?, id)?;
    known(&found, &call.path.db_id)
}

fn template(found: &Instance) -> Option<RiskTemplate> {
    database_of(found).map(|database| RiskTemplate {
        db_id: database.id,
        db_ip: database.ip,
        db_name: database.name,
        db_port: 0,
        id: None,
        status: 0,
    })
}

/// The template of that database, which must be the instance's.
fn known(found: &Instance, database: &str) -> Result<RiskTemplate, Failure> {
    template(found)
        .filter(|template| template.db_id == database)
        .ok_or_else(|| {
            let shown: String = database.chars().take(64).collect();
            let reason = strongroom_control::Reason::NoSuchInstance;
            Failure::Refused(strongroom_control::Error::not_found(reason, shown))
        })
}

pub(super) fn bucket(
    cloud: &Cloud,
    call: &Call<wire::ShowBackupRiskBucketPath>,
) -> Result<RiskBucket, Failure> {
    let id = instance(&call.path.instance_id)?;
    let caller = call.caller()?;
    let Switch {
        bucket_name,
        bucket_root_path,
        ..
    } = cloud.control.log_switch(&caller, id)?;
    Ok(RiskBucket {
        backup_domain_id: Some(caller.domain_id.to_string()),
        bucket_name,
        bucket_root_path: Some(bucket_root_path),
    })
}

pub(super) fn set_switch(
    cloud: &Cloud,
    call: &Call<wire::SetAuditBackupRiskSwitch>,
) -> Result<AcceptedReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_logs(&call.caller()?, id)?;
    known(&found, &call.body.db_id)?;
    if is_on(call.body.status.0)? {
        return Err(Failure::malformed(
            "status",
            "must be 0: no rules say which statement is a risk, so nothing could be exported",
        ));
    }
    Ok(ACCEPTED)
}

pub(super) fn set_bucket(
    cloud: &Cloud,
    call: &Call<wire::UpdateAuditRiskBucketPath>,
) -> Result<AcceptedReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let caller = call.caller()?;
    let RiskBucket {
        backup_domain_id,
        bucket_name,
        bucket_root_path,
    } = &call.body;
    let own = caller.domain_id.to_string();
    if backup_domain_id
        .as_ref()
        .is_some_and(|account| *account != own)
    {
        return Err(Failure::malformed(
            "backup_domain_id",
            "must be your own account",
        ));
    }
    let path = bucket_root_path.as_deref();
    cloud
        .control
        .set_log_root_path(&caller, id, bucket_name, path)?;
    Ok(ACCEPTED)
}
