//! Instances: the old list and detail (v1), which Go clients read, and the newer ones (v3).

use serde::{Deserialize, Serialize};

use super::tag::Tag;
use crate::time::DdmTime;

queries! {
    /// What `DeleteInstance` asks for.
    DeleteInstanceQuery {
        /// Whether the data on the data nodes go too.
        delete_rds_data: Option<bool>,
    }

    /// What `DeleteDdmInstance` asks for.
    DeleteDdmInstanceQuery {
        /// Whether the data on the data nodes go too.
        delete_dn_data: Option<bool>,
    }
}

/// The answer of `ListInstances`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListInstancesReply {
    /// The page.
    pub instances: Vec<InstanceRow>,
    /// Rows over all pages.
    pub instance_num: u64,
    /// The page's number, from 1.
    pub page_no: u64,
    /// Rows of a page.
    pub page_size: u32,
    /// Rows over all pages.
    pub total_record: u64,
    /// How many pages there are.
    pub total_page: u64,
}

/// The answer of `ListDdms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDdmsReply {
    /// Rows over all pages.
    pub instance_num: u64,
    /// The page.
    pub instances: Vec<InstanceRow>,
    /// Rows of a page.
    pub page_size: u32,
    /// Rows over all pages.
    pub total: u64,
    /// How many pages there are.
    pub total_page: u64,
    /// The page's number, from 1.
    pub page_no: u64,
}

/// An instance in a list (tables `ShowInstanceBeanResponse`, `CustomerInstanceVO`). What the newer
/// list has and the older has not is `None` there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its id.
    pub id: String,
    /// What it does.
    pub status: String,
    /// Its name.
    pub name: String,
    /// When it was registered.
    pub created: DdmTime,
    /// When it was changed last.
    pub updated: DdmTime,
    /// Its zone.
    pub available_zone: String,
    /// Its network.
    pub vpc_id: String,
    /// Its part of the network.
    pub subnet_id: String,
    /// Its security group.
    pub security_group_id: String,
    /// How many nodes it has.
    pub node_count: u32,
    /// Its address.
    pub access_ip: String,
    /// Its port; text, as Go clients read it.
    pub access_port: String,
    /// Its cores; text.
    pub core_count: String,
    /// Its memory in GB; text.
    pub ram_capacity: String,
    /// What is wrong with it.
    pub error_msg: String,
    /// What is with its nodes.
    pub node_status: String,
    /// Its enterprise project.
    pub enterprise_project_id: String,
    /// Its project.
    pub project_id: String,
    /// Its version.
    pub engine_version: String,
    /// The order that it was bought by.
    pub order_id: String,
    /// Whether clients must encrypt.
    pub enable_ssl: bool,
    /// Its size.
    pub flavor_ref: String,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// The answer of `ShowInstance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceReply {
    /// What a list says of it too.
    #[serde(flatten)]
    pub row: InstanceRow,
    /// Its nodes.
    pub nodes: Vec<InstanceNode>,
    /// The account that it is managed by.
    pub admin_user_name: String,
}

/// A node of an instance (table `GetDetailfNodesInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceNode {
    /// What is with it.
    pub status: String,
    /// Its port; text.
    pub port: String,
    /// Its address.
    pub ip: String,
    /// Its group.
    pub group_id: String,
    /// Its id.
    pub node_id: String,
}

/// The answer of `ShowDdmDetail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailsReply {
    /// One instance.
    pub instances: Vec<InstanceDetail>,
}

/// An instance (table `InstanceDetail`), without what only a cloud has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceDetail {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Another name.
    pub alias: Option<String>,
    /// Its project.
    pub project_id: String,
    /// How its nodes work together.
    pub cluster_mode: String,
    /// What it does.
    pub status: String,
    /// Its version.
    pub datastore_version: String,
    /// What it is.
    pub datastore_type: Option<String>,
    /// When it was registered.
    pub create_at: DdmTime,
    /// When it was changed last.
    pub update_at: DdmTime,
    /// Its port.
    pub port: String,
    /// Its time zone.
    pub time_zone: String,
    /// Whether it is locked.
    pub is_frozen: bool,
    /// Whether it has no groups besides the first.
    pub only_default_group: bool,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Whether clients must encrypt: 1 or 0.
    pub enable_ssl: u8,
}

/// A group of nodes (table `DdmGroupInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// Where it is reached.
    pub endpoint: String,
    /// The same in IPv6.
    pub ipv6_endpoint: Option<String>,
    /// How many nodes it has.
    pub node_count: u32,
    /// Whether something spreads calls over them.
    pub load_balance: bool,
    /// Whether it is the first.
    pub is_default_group: bool,
    /// Its nodes.
    pub nodes: Vec<GroupNode>,
}

/// A node of a group (table `DdmNodeInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupNode {
    /// Its id.
    pub id: String,
    /// What is with it.
    pub status: String,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub az_code: String,
    /// Its part of the network.
    pub subnet_id: String,
}

/// The answer of `DeleteInstance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteInstanceReply {
    /// The instance.
    pub id: String,
    /// The job.
    pub job_id: String,
}

/// The body of `UpdateDdmInstanceName`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameRequest {
    /// The new name.
    pub name: String,
}

/// The answer of `UpdateDdmInstanceName`: it is done at once, so there is no job to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameReply {
    /// The job; empty.
    pub job_id: String,
}
