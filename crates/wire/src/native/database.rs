//! Databases that operators register: addresses and passwords are never a tenant's word.

use serde::{Deserialize, Serialize};

use crate::{text::Secret, time::CbrTime};

paths! {
    /// `/native/v1/instances/{instance_id}…`
    InstancePath {
        /// The sharding layer.
        instance_id,
    }
}

/// A sharding layer to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRegistration {
    /// The project that it is for; the caller's if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Its name, unique in the project.
    pub name: String,
    /// What kind of layer it is: `spider`, `topology`.
    pub provider: String,
    /// How it is reached: `mysql://USER:PASSWORD@HOST:PORT`.
    pub url: Secret,
    /// The database servers behind it.
    pub data_nodes: Vec<DataNodeRegistration>,
    /// The text of its topology file, for `topology`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Days that its backups are kept; 30 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// When it is backed up every day, UTC, as `HH:MM`; 02:00 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_at: Option<String>,
}

/// A database server to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataNodeRegistration {
    /// Its name, unique behind its layer.
    pub name: String,
    /// How it is reached.
    pub url: Secret,
    /// Its data directory on the service's machine, from which its files are copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Or a command, in words, that writes a copy of its files to its standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_command: Option<Vec<String>>,
}

/// A sharding layer that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredInstance {
    /// Its id.
    pub id: String,
    /// The project that it is for.
    pub project_id: String,
    /// Its name.
    pub name: String,
    /// What kind of layer it is.
    pub provider: String,
    /// Its version.
    pub version: String,
    /// The database servers behind it.
    pub data_nodes: Vec<RegisteredDataNode>,
}

/// What is where, as an instance was told or as it was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopologyReply {
    /// The text of the topology file.
    pub topology: String,
}

/// A database server that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredDataNode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Copies that were ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesStarted {
    /// One for each data node that can be copied.
    pub copies: Vec<CopyStarted>,
}

/// A copy that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyStarted {
    /// The copy.
    pub copy_id: String,
    /// The job that makes it.
    pub job_id: String,
}

/// The answer of `ListCopies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// The oldest first.
    pub copies: Vec<CopyView>,
}

/// A copy of a data node's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyView {
    /// Its id.
    pub id: String,
    /// The data node.
    pub node_id: String,
    /// The data node's name then.
    pub node_name: String,
    /// `creating`, `normal` or `createfail`.
    pub status: String,
    /// How long it is.
    pub bytes: u64,
    /// From when on it can be rolled forward; null if the server keeps no log.
    pub from: Option<CbrTime>,
    /// The transactions that it holds.
    pub gtid: Option<String>,
    /// Why there is none.
    pub fail_reason: Option<String>,
    /// When it was asked for.
    pub created_at: CbrTime,
}

/// The answer of `ArchiveLogs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// One for the layer and for each data node; none if no data node is copied.
    pub logs: Vec<LogView>,
}

/// How far a server's log is archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// The data node, or the layer.
    pub server_id: String,
    /// What messages call it.
    pub name: String,
    /// Since when it is whole, on the server's clock.
    pub from: CbrTime,
    /// Up to when.
    pub until: CbrTime,
    /// Why it could not be read on; null if it could.
    pub problem: Option<String>,
    /// The last gap: what is missing.
    pub gap: Option<String>,
    /// When that was seen.
    pub gap_at: Option<CbrTime>,
}

/// A backup that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpInstanceReply {
    /// The backup.
    pub backup_id: String,
    /// The job that makes it.
    pub job_id: String,
}
