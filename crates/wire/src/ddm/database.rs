//! Logical schemas: listed, shown, made, dropped, carried.

use serde::{Deserialize, Serialize};

use super::Millis;
use crate::{text::Secret, time::DdmTime};

words! {
    /// Whether a schema's rows are spread.
    ShardMode, "sharding mode" {
        /// Over several physical databases.
        Cluster = "cluster",
        /// Not at all.
        Single = "single",
    }
}

queries! {
    /// What `DeleteDdmDatabase` asks for.
    DeleteDatabaseQuery {
        /// Whether the physical databases go too.
        delete_dn_data: Option<bool>,
    }
}

/// The answer of `ListDatabases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDatabasesReply {
    /// The page.
    pub databases: Vec<DatabaseRow>,
    /// Rows over all pages.
    pub total: u64,
}

/// A schema in a list (table `GetDatabaseInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRow {
    /// Its name.
    pub name: String,
    /// Whether its rows are spread.
    pub shard_mode: ShardMode,
    /// Into how many physical databases.
    pub shard_number: u32,
    /// What is with it.
    pub status: String,
    /// Since when it is known, in milliseconds.
    pub created: Millis,
    /// Its data nodes.
    pub used_rds: Vec<UsedDataNode>,
    /// How many physical databases each has.
    pub shard_unit: u32,
}

/// A data node of a schema (table `GetDatabaseUsedRds`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedDataNode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What is with it.
    pub status: String,
    /// What is wrong with it.
    pub error_msg: String,
}

/// The answer of `ShowDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldDatabaseReply {
    /// The schema.
    pub database: OldDatabase,
}

/// A schema (table `GetDatabaseResponseBean`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldDatabase {
    /// Its name.
    pub name: String,
    /// Since when it is known, in milliseconds.
    pub created: Millis,
    /// What is with it.
    pub status: String,
    /// When it was changed last, in milliseconds.
    pub updated: Millis,
    /// Its physical databases.
    pub databases: Vec<PhysicalDatabase>,
    /// Whether its rows are spread.
    pub shard_mode: ShardMode,
    /// Into how many physical databases.
    pub shard_number: u32,
    /// How many physical databases each data node has.
    pub shard_unit: u32,
    /// Addresses of data nodes.
    #[serde(rename = "dataVips")]
    pub data_vips: Vec<String>,
    /// Its data nodes.
    pub used_rds: Vec<UsedDataNode>,
}

/// A physical database (table `GetDatabases`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhysicalDatabase {
    /// Its number.
    pub dbslot: u32,
    /// Its name.
    pub name: String,
    /// What is with it.
    pub status: String,
    /// Since when it is known, in milliseconds.
    pub created: Millis,
    /// When it was changed last, in milliseconds.
    pub updated: Millis,
    /// Its data node.
    pub id: String,
    /// Its data node's name.
    #[serde(rename = "idName")]
    pub id_name: String,
}

/// The answer of `ShowInstanceDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseReply {
    /// Its physical databases.
    pub shards: Vec<Shard>,
    /// What is with it.
    pub status: String,
    /// Since when it is known.
    pub created: DdmTime,
    /// When it was changed last.
    pub updated: DdmTime,
    /// Its name.
    pub name: String,
    /// Whether its rows are spread.
    pub shard_mode: ShardMode,
    /// Into how many physical databases.
    pub shard_number: u32,
    /// Its data nodes.
    pub data_nodes: Vec<DatabaseDataNode>,
}

/// A physical database (table `Shards`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its data node.
    pub data_node_id: String,
    /// Its name.
    pub physical_db_name: String,
    /// What is with it.
    pub status: String,
    /// Its number.
    pub shard_index: u32,
}

/// A data node of a schema (table `DataNodes`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseDataNode {
    /// Its id.
    pub id: String,
    /// What is with it.
    pub status: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub engine_name: String,
    /// Its version.
    pub engine_version: String,
}

/// The body of `CreateDdmDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDatabaseRequest {
    /// Its name.
    pub name: String,
    /// Whether its rows are spread.
    pub shard_mode: ShardMode,
    /// Into how many physical databases.
    pub shard_number: u32,
    /// Where to.
    pub dn_instances: Vec<DataNodeAccount>,
}

/// A data node with an account of it (table `DatabaseDnInstances`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataNodeAccount {
    /// The data node.
    pub id: String,
    /// The user.
    pub user_name: String,
    /// The password.
    pub user_password: Secret,
}

/// The answer of `CreateDdmDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDatabaseReply {
    /// Its name.
    pub name: String,
    /// The job.
    pub job_id: String,
}

/// The answer of `DeleteDdmDatabase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteDatabaseReply {
    /// The job.
    pub job_id: String,
    /// The schema.
    pub database_name: String,
}

/// The answer of `DownloadSchemaMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaMetadataReply {
    /// The schemas; for `UploadSchemaMetadata` only.
    pub compressed_databases_info: String,
    /// The data nodes then.
    pub data_nodes: Vec<ExportedDataNode>,
}

/// A data node of an export (table `DnInstanceInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedDataNode {
    /// Its id.
    pub instance_id: String,
    /// Its name.
    pub instance_name: String,
    /// Its address.
    pub access_host: String,
    /// Its port.
    pub access_port: u32,
    /// What it is.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
}

/// The body of `UploadSchemaMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadMetadataRequest {
    /// The schemas.
    pub compressed_databases_info: String,
    /// The data nodes that they go to.
    pub dn_instance: Vec<UploadDataNode>,
}

/// A data node with its administrator (table `DNInstance`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadDataNode {
    /// The data node.
    pub dn_instance_id: String,
    /// The user.
    pub admin_user: String,
    /// The password.
    pub admin_password: Secret,
}

/// The answer of `UploadSchemaMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadMetadataReply {
    /// The instance.
    pub instance_id: String,
    /// The instance's name.
    pub instance_name: String,
    /// The job.
    pub job_id: String,
}
