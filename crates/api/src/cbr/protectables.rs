//! Protectable resources: what a vault could take.

use strongroom_control::{
    Reason,
    protectables::{Protectable, ProtectableFilter},
    words::ProtectableType,
};
use strongroom_wire::cbr::{
    self as wire,
    protectable::{ListProtectableReply, Protectability, ProtectableReply},
};

use super::{
    errors,
    pages::page,
    vaults,
    words::{asked, id, id_maybe, resource_type},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

/// The page that the vendor's table allows; clients that ask for more get this much at a time.
const ROWS_MAX: u32 = 50;

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListProtectable>,
) -> Result<ListProtectableReply, Failure> {
    let caller = call.caller()?;
    let of: ProtectableType = asked(&call.path.protectable_type)?;
    let query = call.query.clone();
    let mut page = page(query.limit, query.offset, query.marker);
    page.limit = page.limit.min(ROWS_MAX);
    let filter = ProtectableFilter {
        name: query.name,
        id: id_maybe("id", query.id.as_ref())?,
        status: query.status,
        server_id: query.server_id,
    };
    let listed = cloud
        .control
        .list_protectables(&caller, of, &filter, &page)?;
    Ok(ListProtectableReply {
        instances: listed.items.into_iter().map(present).collect(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowProtectable>,
) -> Result<ProtectableReply, Failure> {
    let of: ProtectableType = asked(&call.path.protectable_type)?;
    let id = id("instance_id", &call.path.instance_id)?;
    let protectable = cloud.control.show_protectable(&call.caller()?, of, id)?;
    Ok(ProtectableReply {
        instance: present(protectable),
    })
}

fn present(protectable: Protectable) -> wire::protectable::Protectable {
    let resource = protectable.resource;
    let taken = protectable.vault.is_some();
    let (code, reason) = if taken {
        let reason = Reason::ResourceInVault;
        (errors::code(reason).code.to_owned(), reason.to_string())
    } else {
        Default::default()
    };
    wire::protectable::Protectable {
        children: Vec::new(),
        detail: serde_json::json!({
            "id": resource.id.to_string(),
            "name": resource.name,
            "size": resource.size.gib_ceil().0,
            "status": "available",
        }),
        id: resource.id.to_string(),
        name: resource.name,
        protectable: Protectability {
            code,
            reason,
            result: !taken,
            vault: protectable.vault.map(vaults::present).map(Box::new),
            message: None,
        },
        size: resource.size.gib_ceil().0,
        // The only word of the vendor for a resource that is there.
        status: "active".to_owned(),
        resource_type: resource_type(resource.kind),
    }
}
