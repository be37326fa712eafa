//! Nodes of an instance, and the data nodes behind it.

use serde::{Deserialize, Serialize};

use super::instance::InstanceNode;
use crate::text::Secret;

/// The answer of `ListNodes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListNodesReply {
    /// The page.
    pub nodes: Vec<InstanceNode>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// The answer of `ShowNode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldNodeReply {
    /// What is with it.
    pub status: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub node_id: String,
    /// Its address.
    pub private_ip: String,
    /// Its public address.
    pub floating_ip: String,
    /// Its server.
    pub server_id: String,
    /// Its part of the network.
    pub subnet_name: String,
    /// Its data disk.
    pub datavolume_id: String,
    /// Its address among resources.
    pub res_subnet_ip: String,
    /// Its system disk.
    pub systemvolume_id: String,
    /// Its group.
    pub group_id: String,
    /// Its part of the network.
    pub subnet_id: String,
}

/// The answer of `ShowDdmNodeDetail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReply {
    /// Its id.
    pub id: String,
    /// Its address.
    pub private_ip: String,
    /// What is with it.
    pub status: String,
    /// Its name.
    pub name: String,
    /// Its part of the network.
    pub subnet_id: String,
    /// Its zone.
    pub az_code: String,
    /// Its group.
    pub group_id: String,
}

/// The answer of `ListAvailableRds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableDataNodesReply {
    /// The page.
    pub data_nodes: Vec<AvailableDataNode>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// A data node that schemas can be made on (table `AvailableDnInstance`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableDataNode {
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
    /// Its address.
    pub private_ip: String,
    /// Its port.
    pub port: u32,
    /// Its time zone.
    pub time_zone: String,
}

/// The body of `CheckDataNodeConnection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConnectionsRequest {
    /// What to try.
    pub infos: Vec<CheckConnection>,
}

/// An account of a data node to try (table `EsdbCheckRdsConnectionRequestV3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConnection {
    /// Its address; the one that is registered is tried.
    pub endpoint: String,
    /// The user.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The data node.
    pub rds_instance_id: String,
}

/// The answer of `CheckDataNodeConnection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConnectionsReply {
    /// What came of it.
    pub rds_check_infos: Vec<CheckedConnection>,
}

/// What came of a try (table `CheckRdsConnectionResqVO`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedConnection {
    /// The data node.
    pub rds_instance_id: String,
    /// `true` or `false`; text.
    pub success: String,
    /// The code; empty if it worked.
    pub error_code: String,
    /// Why not; empty if it worked.
    pub error_message: String,
}

/// The answer of `ListDdmUsers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersReply {
    /// The page.
    pub users: Vec<User>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// An account of an instance (table `GetUsersListDetailResponsesV3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// What is with it.
    pub status: String,
    /// Its rights; backups have them all, this list has none.
    pub base_authority: Vec<String>,
    /// How long its password lives.
    pub password_lifetime: Option<u32>,
    /// What it is for: where it comes from.
    pub description: String,
    /// When it was made; not known here.
    pub created: String,
    /// The schemas that it may use.
    pub databases: Vec<UserDatabase>,
}

/// A schema of an account (table `GetUsersListdatabaseV3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDatabase {
    /// Its name.
    pub name: String,
}
