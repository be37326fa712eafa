//! Orders: nothing is paid for here, so what an order would bring about happens at once, and the
//! answer names an order that is done.

use strongroom_control::words::ChargingMode;
use strongroom_model::GiB;
use strongroom_wire::cbr::{
    self as wire,
    order::{ChangeOrderRequest, OrderReply, OrderResult, OrderVaultReply, UpdateOrderReply},
};

use super::{
    vaults,
    words::{asked, id, ids},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

const DONE: &str = "success";

pub(super) fn change(cloud: &Cloud, call: &Call<wire::ChangeOrder>) -> Result<OrderReply, Failure> {
    Ok(done(resized(cloud, &call.caller()?, &call.body)?))
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateOrder>,
) -> Result<UpdateOrderReply, Failure> {
    Ok(UpdateOrderReply {
        order_id: resized(cloud, &call.caller()?, &call.body)?,
        ret_code: "0".to_owned(),
        ret_msg: DONE.to_owned(),
    })
}

pub(super) fn charging_mode(
    cloud: &Cloud,
    call: &Call<wire::ChangeVaultChargeMode>,
) -> Result<OrderReply, Failure> {
    let vaults = ids("vault_ids", &call.body.vault_ids)?;
    let mode: ChargingMode = asked(call.body.charging_mode)?;
    if !(1..=9).contains(&call.body.period_num) {
        return Err(Failure::malformed("period_num", "must be from 1 to 9"));
    }
    let order = cloud
        .control
        .order_charging_mode(&call.caller()?, &vaults, mode)?;
    Ok(done(order))
}

/// Makes the vault that is ordered. Despite the operation's name it is a pre-paid one.
pub(super) fn vault(
    cloud: &Cloud,
    call: &Call<wire::CreatePostPaidVault>,
) -> Result<OrderVaultReply, Failure> {
    let new = vaults::asked_for(call.body.vault.clone())?;
    let made = cloud.control.create_vault(&call.caller()?, new)?;
    let order = OrderResult {
        cloud_service_id: "cbr".to_owned(),
        order_id: cloud.control.order_id(),
        subscribe_result: 1,
        resource_id: made.id.to_string(),
    };
    Ok(OrderVaultReply {
        orders: vec![order],
        ret_code: 0,
        err_text: DONE.to_owned(),
        error_code: "0".to_owned(),
    })
}

fn resized(
    cloud: &Cloud,
    caller: &strongroom_control::Caller,
    order: &ChangeOrderRequest,
) -> Result<String, Failure> {
    let vault = id("resourceId", &order.resource_id)?;
    let size = GiB(order.product_info.resource_size);
    Ok(cloud.control.order_vault_size(caller, vault, size)?)
}

fn done(order_id: String) -> OrderReply {
    OrderReply {
        order_id,
        ret_code: 0,
        ret_msg: DONE.to_owned(),
    }
}
