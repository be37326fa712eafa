//! How much space is used.

use strongroom_control::usage::UsageFilter;
use strongroom_wire::cbr::{
    self as wire,
    usage::{StorageUsage, StorageUsageReply, SummaryReply},
};

use super::{
    pages::page,
    words::{id_maybe, kind, resource_type},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn storage(
    cloud: &Cloud,
    call: &Call<wire::ShowStorageUsage>,
) -> Result<StorageUsageReply, Failure> {
    let caller = call.caller()?;
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = UsageFilter {
        resource_id: id_maybe("resource_id", query.resource_id.as_ref())?,
        kinds: query.resource_type.map(|of| kind(of).into_iter().collect()),
    };
    let listed = cloud.control.storage_usage(&caller, &filter, &page)?;
    Ok(StorageUsageReply {
        resource_count: listed.total,
        storage_usage: listed.items.into_iter().map(present).collect(),
    })
}

pub(super) fn summary(
    cloud: &Cloud,
    call: &Call<wire::ShowSummary>,
) -> Result<SummaryReply, Failure> {
    let summary = cloud.control.summary(&call.caller()?)?;
    let used_size = summary.used.0.div_ceil(1 << 30);
    Ok(SummaryReply {
        size: summary.size.0,
        used_size,
    })
}

fn present(usage: strongroom_control::usage::StorageUsage) -> StorageUsage {
    StorageUsage {
        backup_count: usage.backup_count,
        backup_size: usage.backup_size.0,
        resource_id: usage.resource_id.to_string(),
        resource_name: usage.resource_name,
        resource_type: resource_type(usage.kind),
        backup_size_multiaz: Some(0),
    }
}
