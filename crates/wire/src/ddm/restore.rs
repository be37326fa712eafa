//! The way back: what can be restored, to what, and the orders.

use serde::{Deserialize, Serialize};

use super::{Limit, Millis};
use crate::query::Offset;

queries! {
    /// What `ShowRelatedDns` asks for.
    RelatedDataNodesQuery {
        /// The time, in milliseconds.
        restore_time: Option<Millis>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// Rows in the page.
        limit: Option<Limit>,
    }

    /// What `ShowAvalibleRds` asks for.
    TargetDataNodesQuery {
        /// The instance that is restored to.
        target_instance_id: Option<String>,
        /// The data node whose place is to be taken.
        source_dn_instance_id: Option<String>,
        /// The time, in milliseconds.
        restore_time: Option<Millis>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// Rows in the page.
        limit: Option<Limit>,
    }
}

/// The answer of `ShowRelatedDns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedDataNodesReply {
    /// The data nodes then.
    pub related_data_nodes: Vec<RelatedDataNodeView>,
    /// The newest time that is kept, in milliseconds.
    pub latest_restorable_time: String,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// A data node as of a time (table `RelatedDnVO`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedDataNodeView {
    /// Its id.
    pub instance_id: String,
    /// Its name.
    pub instance_name: String,
    /// What it is now.
    pub instance_status: String,
    /// The size of its disk in GB; not known here.
    pub data_volume_size: u64,
    /// Its version.
    pub version: String,
    /// What it is.
    pub engine_name: String,
}

/// The answer of `ShowAvalibleRds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDataNodesReply {
    /// The page.
    pub target_data_nodes: Vec<TargetDataNode>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// A data node as a target (table `TargetDn4Restore`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDataNode {
    /// Its name.
    pub instance_name: String,
    /// Its id.
    pub instance_id: String,
    /// What it is.
    pub engine_name: String,
    /// What is with it.
    pub status: String,
    /// Whether it can be taken.
    pub available: bool,
    /// Why not; empty if it can.
    pub unavailable_reason: String,
    /// Its network.
    pub vpc_name: String,
    /// Its address.
    pub private_ip: String,
}

/// The answer of `ShowAvalibleDdms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInstancesReply {
    /// The page.
    pub instances: Vec<TargetInstance>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// An instance as a target (table `DDMInstance4Restore`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInstance {
    /// Its name.
    pub instance_name: String,
    /// Its id.
    pub instance_id: String,
    /// What is with it.
    pub status: String,
    /// Whether it can be taken.
    pub available: bool,
    /// Why not; empty if it can.
    pub unavailable_reason: String,
    /// Its network.
    pub vpc_name: String,
}

/// The answer of `ShowAvalibleTime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorableTimesReply {
    /// The page, the oldest first.
    pub restorable_time_intervals: Vec<TimeInterval>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// Times that can be restored (table `RestoreTimeInterval`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeInterval {
    /// The first, in milliseconds.
    pub start_time: String,
    /// The last, in milliseconds.
    pub end_time: String,
}

/// The body of `Restore2Exist`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverRequest {
    /// What it was.
    pub source: RecoverySource,
    /// Where to.
    pub target: RecoveryTarget,
    /// Which data node takes whose place.
    pub data_node_relations: Vec<DataNodeRelation>,
}

/// What is recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySource {
    /// The time, in milliseconds.
    pub restore_time: Millis,
    /// The instance, should the body say it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}

/// Where it is recovered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryTarget {
    /// The instance.
    pub instance_id: String,
}

/// A data node that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataNodeRelation {
    /// The data node that was.
    pub source_instance_id: String,
    /// The one that takes its place.
    pub target_instance_id: String,
}

/// The body of `RestoreMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreMetadataRequest {
    /// Which backup.
    pub source: MetadataSource,
    /// Where to.
    pub target: MetadataTarget,
}

/// Which backup: its id or a time; the id counts if both are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataSource {
    /// The time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_time: Option<Millis>,
    /// The backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
}

/// Where metadata go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataTarget {
    /// The instance.
    pub instance_id: String,
    /// Its data nodes.
    pub data_nodes: Vec<String>,
}
