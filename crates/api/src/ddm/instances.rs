//! Instances: listed, shown, renamed, taken off the list.

use strongroom_control::{Listed, Page, ddm::instances::Instance};
use strongroom_wire::ddm::{
    self as wire, JobReply,
    instance::{
        DeleteInstanceReply, DetailsReply, Group, GroupNode, InstanceDetail, InstanceNode,
        InstanceReply, InstanceRow, ListDdmsReply, ListInstancesReply, RenameReply,
    },
    tag::Tag,
};

use super::words::{group_id, instance, node_id, page, time};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn list_old(
    cloud: &Cloud,
    call: &Call<wire::ListInstances>,
) -> Result<ListInstancesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let listed = cloud.control.list_instances(&call.caller()?, &page)?;
    let (page_no, total_page) = pages(&listed, &page);
    Ok(ListInstancesReply {
        instance_num: listed.total,
        page_no,
        page_size: page.limit,
        total_record: listed.total,
        total_page,
        instances: listed
            .items
            .iter()
            .map(|instance| row(cloud, instance))
            .collect(),
    })
}

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListDdms>) -> Result<ListDdmsReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let page = Page {
        // The documents allow more rows than a page of ours has.
        limit: page.limit.min(1000),
        ..page
    };
    let listed = cloud.control.list_instances(&call.caller()?, &page)?;
    let (page_no, total_page) = pages(&listed, &page);
    let tagged = |instance: &Instance| InstanceRow {
        tags: Some(tags(instance)),
        ..row(cloud, instance)
    };
    Ok(ListDdmsReply {
        instance_num: listed.total,
        page_size: page.limit,
        total: listed.total,
        total_page,
        page_no,
        instances: listed.items.iter().map(tagged).collect(),
    })
}

/// The page's number from 1, and how many there are.
fn pages<T>(listed: &Listed<T>, page: &Page) -> (u64, u64) {
    let size = u64::from(page.limit);
    (page.offset / size + 1, listed.total.div_ceil(size))
}

pub(super) fn show_old(
    cloud: &Cloud,
    call: &Call<wire::ShowInstance>,
) -> Result<InstanceReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&call.caller()?, id)?;
    Ok(InstanceReply {
        nodes: vec![node(&found)],
        admin_user_name: String::new(),
        row: row(cloud, &found),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowDdmDetail>,
) -> Result<DetailsReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&call.caller()?, id)?;
    Ok(DetailsReply {
        instances: vec![detail(cloud, &found)],
    })
}

pub(super) fn delete_old(
    cloud: &Cloud,
    call: &Call<wire::DeleteInstance>,
) -> Result<DeleteInstanceReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    keeps_data("delete_rds_data", call.query.delete_rds_data)?;
    let job = cloud.control.remove_instance(&call.caller()?, id)?;
    Ok(DeleteInstanceReply {
        id: id.to_string(),
        job_id: job.to_string(),
    })
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteDdmInstance>,
) -> Result<JobReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    keeps_data("delete_dn_data", call.query.delete_dn_data)?;
    let job = cloud.control.remove_instance(&call.caller()?, id)?;
    Ok(JobReply {
        job_id: job.to_string(),
    })
}

/// Servers that somebody registered are not emptied because the list of them changes.
fn keeps_data(name: &'static str, asked: Option<bool>) -> Result<(), Failure> {
    match asked {
        Some(true) => Err(Failure::malformed(
            name,
            "the data of a registered instance stay; delete its schemas first",
        )),
        _ => Ok(()),
    }
}

pub(super) fn rename(
    cloud: &Cloud,
    call: &Call<wire::UpdateDdmInstanceName>,
) -> Result<RenameReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    cloud
        .control
        .rename_instance(&call.caller()?, id, &call.body.name)?;
    Ok(RenameReply {
        job_id: String::new(),
    })
}

/// A node as a list of the first version shows it.
pub(super) fn node(instance: &Instance) -> InstanceNode {
    InstanceNode {
        status: "normal".to_owned(),
        port: instance.port.to_string(),
        ip: instance.host.clone(),
        group_id: group_id(instance.id),
        node_id: node_id(instance.id).to_string(),
    }
}

fn row(cloud: &Cloud, instance: &Instance) -> InstanceRow {
    InstanceRow {
        id: instance.id.to_string(),
        status: instance.status.as_str().to_owned(),
        name: instance.name.clone(),
        created: time(instance.created_at),
        updated: time(instance.updated_at),
        available_zone: cloud.endpoints.region.clone(),
        vpc_id: String::new(),
        subnet_id: String::new(),
        security_group_id: String::new(),
        node_count: 1,
        access_ip: instance.host.clone(),
        access_port: instance.port.to_string(),
        core_count: String::new(),
        ram_capacity: String::new(),
        error_msg: String::new(),
        node_status: "normal".to_owned(),
        enterprise_project_id: "0".to_owned(),
        project_id: instance.project_id.to_string(),
        engine_version: instance.version.clone(),
        order_id: String::new(),
        enable_ssl: false,
        flavor_ref: String::new(),
        tags: None,
    }
}

fn tags(instance: &Instance) -> Vec<Tag> {
    let tags = instance.tags.iter();
    tags.map(|(key, value)| Tag {
        key: key.clone(),
        value: value.clone(),
    })
    .collect()
}

fn detail(cloud: &Cloud, instance: &Instance) -> InstanceDetail {
    InstanceDetail {
        id: instance.id.to_string(),
        name: instance.name.clone(),
        alias: None,
        project_id: instance.project_id.to_string(),
        cluster_mode: "Single".to_owned(),
        status: instance.status.as_str().to_owned(),
        datastore_version: instance.version.clone(),
        datastore_type: Some(instance.provider.clone()),
        create_at: time(instance.created_at),
        update_at: time(instance.updated_at),
        port: instance.port.to_string(),
        time_zone: "UTC+00:00".to_owned(),
        is_frozen: false,
        only_default_group: true,
        groups: vec![Group {
            id: group_id(instance.id),
            name: "default".to_owned(),
            role: "rw".to_owned(),
            endpoint: format!("{}:{}", instance.host, instance.port),
            ipv6_endpoint: None,
            node_count: 1,
            load_balance: false,
            is_default_group: true,
            nodes: vec![GroupNode {
                id: node_id(instance.id).to_string(),
                status: "normal".to_owned(),
                name: instance.name.clone(),
                az_code: cloud.endpoints.region.clone(),
                subnet_id: String::new(),
            }],
        }],
        enable_ssl: 0,
    }
}
