//! Kinds of resource: the vendor's spellings, provider ids and specification codes.

use serde::{Deserialize, Serialize};

words! {
    /// What a resource is.
    ResourceType, "resource type" {
        /// A server with its disks.
        Server = "OS::Nova::Server",
        /// A disk.
        Volume = "OS::Cinder::Volume",
        /// A bare-metal server.
        BareMetalServer = "OS::Ironic::BareMetalServer",
        /// A file share.
        Turbo = "OS::Sfs::Turbo",
        /// A server of a hybrid cloud.
        NativeServer = "OS::Native::Server",
        /// A desktop.
        Desktop = "OS::Workspace::DesktopV2",
    }

    /// What a vault takes, and a kind of protectable resource.
    ObjectType, "object type" {
        /// Servers.
        Server = "server",
        /// Disks.
        Disk = "disk",
        /// File shares.
        Turbo = "turbo",
        /// Desktops.
        Workspace = "workspace",
        /// Servers of a hybrid cloud.
        Vmware = "vmware",
        /// Databases.
        Rds = "rds",
        /// Files of hosts with an agent.
        File = "file",
    }

    /// What goes on with a resource in its vault.
    ProtectStatus, "protection state" {
        /// Nothing.
        Available = "available",
        /// The last job failed.
        Error = "error",
        /// A backup of it waits or runs.
        Protecting = "protecting",
        /// A restore to it waits or runs.
        Restoring = "restoring",
        /// It is leaving the vault with its backups.
        Removing = "removing",
    }
}

/// The provider ids: constants that name the kind of a backup or vault.
pub mod provider {
    /// Servers, bare metal included, and vaults for copies of their backups.
    pub const SERVER: &str = "0daac4c5-6707-4851-97ba-169e36266b66";
    /// Disks.
    pub const DISK: &str = "d1603440-187d-4516-af25-121250c7cc97";
    /// File shares.
    pub const TURBO: &str = "3f3c3220-245c-4805-b811-758870015881";
    /// Servers of a hybrid cloud.
    pub const VMWARE: &str = "a13639de-00be-4e94-af30-26912d75e4a2";
    /// Desktops.
    pub const WORKSPACE: &str = "86a80900-71bf-4961-956a-d52df944f84a";
}

/// The specification codes of vaults.
pub mod spec_code {
    /// A vault for backups of servers.
    pub const SERVER: &str = "vault.backup.server.normal";
    /// A vault for backups of disks.
    pub const VOLUME: &str = "vault.backup.volume.normal";
    /// A vault for backups of file shares.
    pub const TURBO: &str = "vault.backup.turbo.normal";
    /// A vault for backups of databases.
    pub const DATABASE: &str = "vault.backup.database.normal";
    /// A vault for backups of a hybrid cloud.
    pub const HYBRID: &str = "vault.hybrid.server.normal";
    /// A vault for copies of backups of servers.
    pub const REPLICATION: &str = "vault.replication.server.normal";
}

impl ObjectType {
    /// The type of the resources in a vault of this kind; `None` where there is no single one.
    pub const fn resource_type(self) -> Option<ResourceType> {
        match self {
            Self::Server => Some(ResourceType::Server),
            Self::Disk => Some(ResourceType::Volume),
            Self::Turbo => Some(ResourceType::Turbo),
            Self::Workspace => Some(ResourceType::Desktop),
            Self::Vmware => Some(ResourceType::NativeServer),
            Self::Rds | Self::File => None,
        }
    }

    /// The provider id of a vault of this kind, if it has one.
    pub const fn provider_id(self) -> Option<&'static str> {
        match self {
            Self::Server => Some(provider::SERVER),
            Self::Disk => Some(provider::DISK),
            Self::Turbo => Some(provider::TURBO),
            Self::Workspace => Some(provider::WORKSPACE),
            Self::Vmware => Some(provider::VMWARE),
            Self::Rds | Self::File => None,
        }
    }

    /// The specification code of a vault of this kind for backups, if it has one.
    pub const fn spec_code(self) -> Option<&'static str> {
        match self {
            Self::Server => Some(spec_code::SERVER),
            Self::Disk => Some(spec_code::VOLUME),
            Self::Turbo => Some(spec_code::TURBO),
            Self::Vmware => Some(spec_code::HYBRID),
            Self::Rds => Some(spec_code::DATABASE),
            Self::Workspace | Self::File => None,
        }
    }
}

/// Which disks of a server take part (table `ResourceExtraInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResourceExtraInfo {
    /// Disks to leave out, later ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_volumes: Option<Vec<String>>,
    /// The only disks to back up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_volumes: Option<Vec<IncludedVolume>>,
}

/// A disk that takes part (table `ResourceExtraInfoIncludeVolumes`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncludedVolume {
    /// The disk.
    pub id: String,
    /// Which operating system is on it, in free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
}

/// A resource to bind to a vault (table `ResourceCreate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceCreate {
    /// Which disks of a server take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_info: Option<ResourceExtraInfo>,
    /// The resource.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// A name for it; ours knows its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A resource named by a request or a task (table Resource).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// Options of this run. Never sent in task lists: two clients fail on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_info: Option<ResourceExtraInfo>,
    /// The resource.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
}

/// A resource in a vault (table `ResourceResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultResource {
    /// Which disks of a server take part, as it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_info: Option<ResourceExtraInfo>,
    /// The resource.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What goes on with it.
    pub protect_status: ProtectStatus,
    /// Its size in GB.
    pub size: u64,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// What its backups take, in MB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_size: Option<u64>,
    /// How many backups of it there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_count: Option<u64>,
    /// Whether the vault's policy covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_protect: Option<bool>,
}
