//! Databases that operators register: addresses and passwords are never a tenant's word.

use serde::{Deserialize, Serialize};

use crate::text::Secret;

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
    /// What kind of layer it is: `spider`.
    pub provider: String,
    /// How it is reached: `mysql://USER:PASSWORD@HOST:PORT`.
    pub url: Secret,
    /// The database servers behind it.
    pub data_nodes: Vec<DataNodeRegistration>,
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

/// A database server that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredDataNode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A backup that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpInstanceReply {
    /// The backup.
    pub backup_id: String,
    /// The job that makes it.
    pub job_id: String,
}
