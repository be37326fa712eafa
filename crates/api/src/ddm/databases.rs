//! Logical schemas: listed, shown, made, dropped, carried.

use strongroom_control::ddm::{
    instances::Node,
    schemas::{Data, NewSchema, Schema},
};
use strongroom_model::DdmInstanceId;
use strongroom_wire::ddm::{
    self as wire,
    database::{
        CreateDatabaseReply, DatabaseDataNode, DatabaseReply, DatabaseRow, DeleteDatabaseReply,
        ExportedDataNode, ListDatabasesReply, OldDatabase, OldDatabaseReply, PhysicalDatabase,
        SchemaMetadataReply, Shard, ShardMode, UploadMetadataReply, UsedDataNode,
    },
};

use super::words::{instance, millis, page, required, time};
use crate::{
    call::Call,
    cbr::words::{id, ids},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListDatabases>,
) -> Result<ListDatabasesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let id = instance(&call.path.instance_id)?;
    let listed = cloud.control.list_schemas(&call.caller()?, id, &page)?;
    Ok(ListDatabasesReply {
        databases: listed.items.iter().map(row).collect(),
        total: listed.total,
    })
}

pub(super) fn show_old(
    cloud: &Cloud,
    call: &Call<wire::ShowDatabase>,
) -> Result<OldDatabaseReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let name = &call.path.ddm_dbname;
    let schema = cloud.control.show_schema(&call.caller()?, id, name)?;
    let since = millis(schema.since);
    let row = row(&schema);
    let physical = schema.shards.iter().zip(0..).map(|((node, name), slot)| {
        let named = schema.nodes.iter().find(|known| known.id == *node);
        PhysicalDatabase {
            dbslot: slot,
            name: name.clone(),
            status: "RUNNING".to_owned(),
            created: since,
            updated: since,
            id: node.to_string(),
            id_name: named.map(|node| node.name.clone()).unwrap_or_default(),
        }
    });
    Ok(OldDatabaseReply {
        database: OldDatabase {
            databases: physical.collect(),
            name: row.name,
            created: since,
            status: row.status,
            updated: since,
            shard_mode: row.shard_mode,
            shard_number: row.shard_number,
            shard_unit: row.shard_unit,
            data_vips: schema
                .nodes
                .iter()
                .map(|node| format!("{}:{}", node.host, node.port))
                .collect(),
            used_rds: row.used_rds,
        },
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowInstanceDatabase>,
) -> Result<DatabaseReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let name = &call.path.database_name;
    let schema = cloud.control.show_schema(&call.caller()?, id, name)?;
    let row = row(&schema);
    let shards = schema
        .shards
        .iter()
        .zip(0..)
        .map(|((node, name), index)| Shard {
            data_node_id: node.to_string(),
            physical_db_name: name.clone(),
            status: "RUNNING".to_owned(),
            shard_index: index,
        });
    let nodes = schema.nodes.iter().map(|node| DatabaseDataNode {
        id: node.id.to_string(),
        status: node.status.clone(),
        name: node.name.clone(),
        engine_name: node.engine.clone(),
        engine_version: node.version.clone(),
    });
    Ok(DatabaseReply {
        shards: shards.collect(),
        status: row.status,
        created: time(schema.since),
        updated: time(schema.since),
        name: row.name,
        shard_mode: row.shard_mode,
        shard_number: row.shard_number,
        data_nodes: nodes.collect(),
    })
}

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreateDdmDatabase>,
) -> Result<CreateDatabaseReply, Failure> {
    let (caller, body) = (call.caller()?, &call.body);
    let owner = instance(&call.path.instance_id)?;
    let accounts: Result<Vec<_>, Failure> = body
        .dn_instances
        .iter()
        .map(|node| {
            let password = node.user_password.0.clone();
            Ok((
                id("dn_instances", &node.id)?,
                node.user_name.clone(),
                password,
            ))
        })
        .collect();
    let accounts = accounts?;
    let nodes: Vec<_> = accounts.iter().map(|(node, ..)| *node).collect();
    must_work(cloud, call, owner, &accounts)?;
    let new = NewSchema {
        name: body.name.clone(),
        sharded: body.shard_mode == ShardMode::Cluster,
        shards: body.shard_number,
        nodes,
    };
    let job = cloud.control.create_schema(&caller, owner, &new)?;
    Ok(CreateDatabaseReply {
        name: new.name,
        job_id: job.to_string(),
    })
}

/// Refuses accounts of data nodes that do not work, although ours are used: whoever names a data
/// node must be at home there.
fn must_work<O: strongroom_wire::Operation>(
    cloud: &Cloud,
    call: &Call<O>,
    owner: DdmInstanceId,
    accounts: &[(strongroom_model::DataNodeId, String, String)],
) -> Result<(), Failure> {
    let tried = cloud
        .control
        .check_connections(&call.caller()?, owner, accounts)?;
    match tried.into_iter().find_map(|connection| connection.problem) {
        None => Ok(()),
        Some(message) => Err(Failure::Refused(strongroom_control::Error::Conflict {
            reason: strongroom_control::Reason::DatabaseDenies,
            message,
        })),
    }
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteDdmDatabase>,
) -> Result<DeleteDatabaseReply, Failure> {
    let owner = instance(&call.path.instance_id)?;
    let name = &call.path.database_name;
    let data = if required("delete_dn_data", call.query.delete_dn_data)? {
        Data::Goes
    } else {
        Data::Stays
    };
    let job = cloud
        .control
        .drop_schema(&call.caller()?, owner, name, data)?;
    Ok(DeleteDatabaseReply {
        job_id: job.to_string(),
        database_name: name.clone(),
    })
}

pub(super) fn export(
    cloud: &Cloud,
    call: &Call<wire::DownloadSchemaMetadata>,
) -> Result<SchemaMetadataReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let export = cloud.control.export_schemas(&call.caller()?, id)?;
    let nodes = export.nodes.into_iter().map(|node| ExportedDataNode {
        instance_id: node.id.to_string(),
        instance_name: node.name,
        access_host: node.host,
        access_port: node.port,
        engine: node.engine,
        engine_version: node.version,
    });
    Ok(SchemaMetadataReply {
        data_nodes: nodes.collect(),
        compressed_databases_info: export.text,
    })
}

pub(super) fn import(
    cloud: &Cloud,
    call: &Call<wire::UploadSchemaMetadata>,
) -> Result<UploadMetadataReply, Failure> {
    let (caller, body) = (call.caller()?, &call.body);
    let owner = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&caller, owner)?;
    let names: Vec<_> = body
        .dn_instance
        .iter()
        .map(|node| node.dn_instance_id.clone())
        .collect();
    let nodes = ids("dn_instance_id", &names)?;
    let accounts: Vec<_> = nodes
        .iter()
        .zip(&body.dn_instance)
        .map(|(id, node)| (*id, node.admin_user.clone(), node.admin_password.0.clone()))
        .collect();
    must_work(cloud, call, owner, &accounts)?;
    let text = &body.compressed_databases_info;
    let job = cloud.control.import_schemas(&caller, owner, text, &nodes)?;
    Ok(UploadMetadataReply {
        instance_id: owner.to_string(),
        instance_name: found.name,
        job_id: job.to_string(),
    })
}

fn row(schema: &Schema) -> DatabaseRow {
    let shards = u32::try_from(schema.shards.len()).unwrap_or(u32::MAX);
    let nodes = u32::try_from(schema.nodes.len()).unwrap_or(u32::MAX);
    DatabaseRow {
        name: schema.name.clone(),
        shard_mode: if schema.sharded {
            ShardMode::Cluster
        } else {
            ShardMode::Single
        },
        shard_number: shards,
        status: "RUNNING".to_owned(),
        created: millis(schema.since),
        used_rds: schema.nodes.iter().map(used).collect(),
        shard_unit: shards.checked_div(nodes).unwrap_or_default(),
    }
}

fn used(node: &Node) -> UsedDataNode {
    UsedDataNode {
        id: node.id.to_string(),
        name: node.name.clone(),
        status: node.status.clone(),
        error_msg: String::new(),
    }
}
