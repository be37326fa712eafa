//! The day on which the backups of a vault end.

use strongroom_control::retention::NewExpiry;
use strongroom_wire::cbr::{self as wire, expiry::UpdateExpirationTimeReply};

use super::words::id;
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateExpirationTime>,
) -> Result<UpdateExpirationTimeReply, Failure> {
    let new = NewExpiry {
        vault_id: id("vault_id", &call.path.vault_id)?,
        day: call.body.expect_expiration_date.clone(),
        zone: call.body.time_zone.clone(),
    };
    let changed = cloud.control.set_expiry(&call.caller()?, &new)?;
    Ok(UpdateExpirationTimeReply {
        affected_backups_count: changed.affected,
        new_expiration_day: new.day,
        operation_log_id: changed.task.to_string(),
    })
}
