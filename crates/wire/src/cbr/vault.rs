//! Vaults: create, list, show, update, bind and release resources.
//!
//! Documents: "Creating a Vault", "Querying the Vault List", "Querying a Specified Vault",
//! "Modifying a Vault", "Associating Resources", "Removing Resources".

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Limit,
    resource::{ObjectType, ResourceCreate, VaultResource},
    tag::{Tag, TagRequest},
};
use crate::{
    query::Offset,
    text::{Description, Name, NamePrefix},
    time::CbrTime,
};

words! {
    /// The state of a vault (`billing.status`).
    VaultStatus, "vault status" {
        /// In use.
        Available = "available",
        /// Locked by the order system.
        Lock = "lock",
        /// Frozen by the order system.
        Frozen = "frozen",
        /// Is being deleted with all its backups.
        Deleting = "deleting",
        /// Its deletion failed.
        Error = "error",
    }

    /// How a vault is paid for.
    ChargingMode, "charging mode" {
        /// In advance.
        PrePaid = "pre_paid",
        /// By use.
        PostPaid = "post_paid",
    }

    /// Where a vault's resources are.
    CloudType, "cloud type" {
        /// In the cloud.
        Public = "public",
        /// Elsewhere.
        Hybrid = "hybrid",
    }

    /// How consistent a vault's backups are.
    ConsistentLevel, "consistency level" {
        /// Applications are asked to settle first.
        AppConsistent = "app_consistent",
        /// As after a power cut.
        CrashConsistent = "crash_consistent",
    }

    /// What a vault is for.
    ProtectType, "protection type" {
        /// Backups.
        Backup = "backup",
        /// Copies of backups.
        Replication = "replication",
        /// Backups of resources elsewhere.
        Hybrid = "hybrid",
    }
}

queries! {
    /// Filters of `ListVault`; all of them must hold.
    ListVaultQuery {
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// The vault's name.
        name: Option<String>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The id of the last row of the page before: undocumented, sent by openstacksdk.
        marker: Option<String>,
        /// Where its resources are.
        cloud_type: Option<CloudType>,
        /// What it is for.
        protect_type: Option<ProtectType>,
        /// What it takes.
        object_type: Option<ObjectType>,
        /// The enterprise project, or `all_granted_eps`.
        enterprise_project_id: Option<String>,
        /// Any of these vaults.
        id: Vec<String>,
        /// Bound to this policy.
        policy_id: Option<String>,
        /// Its state.
        status: Option<VaultStatus>,
        /// Holding any of these resources.
        resource_ids: Vec<String> as "resource_ids" | "resources_ids",
    }
}

/// A vault (tables Vault, `VaultGet`, `VaultCreateResource`: they differ in what they leave out).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vault {
    /// Size, use and kind.
    pub billing: Billing,
    /// Free text.
    pub description: Option<String>,
    /// The vault.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The project.
    pub project_id: String,
    /// The kind of resource, see [`provider`](super::resource::provider).
    pub provider_id: String,
    /// What is bound to it; empty, never missing.
    pub resources: Vec<VaultResource>,
    /// Its tags; empty, never missing.
    pub tags: Vec<Tag>,
    /// The enterprise project as text.
    pub enterprise_project_id: String,
    /// Whether matching resources are bound by themselves.
    pub auto_bind: bool,
    /// Which resources match; an object, never null.
    #[serde(default)]
    pub bind_rules: BindRules,
    /// Who created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// When it was created.
    pub created_at: CbrTime,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<CbrTime>,
    /// Whether it grows when it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_expand: Option<bool>,
    /// Whether somebody is told when the threshold is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smn_notify: Option<bool>,
    /// How full it may be before somebody is told, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// What the names of automatic backups start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_name_prefix: Option<String>,
    /// Whether it may be used beyond its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_billing: Option<bool>,
    /// The service that locked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_lock_source_service: Option<String>,
    /// Whether its automatic backups are safe from deletion before they expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Its availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
}

/// Size, use and kind of a vault (table Billing).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// The size of the bound resources, in GB.
    pub allocated: u64,
    /// How it is paid for.
    pub charging_mode: ChargingMode,
    /// Where its resources are.
    pub cloud_type: CloudType,
    /// How consistent its backups are.
    pub consistent_level: ConsistentLevel,
    /// What it takes.
    pub object_type: ObjectType,
    /// The order.
    pub order_id: Option<String>,
    /// The product.
    pub product_id: Option<String>,
    /// What it is for.
    pub protect_type: ProtectType,
    /// Its size in GB.
    pub size: u64,
    /// Its specification, see [`spec_code`](super::resource::spec_code).
    pub spec_code: String,
    /// Its state.
    pub status: VaultStatus,
    /// Where its data is.
    pub storage_unit: Option<String>,
    /// What its backups take, in MB.
    pub used: u64,
    /// Why it is frozen.
    pub frozen_scene: Option<String>,
    /// Whether its data is kept in several availability zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_multi_az: Option<bool>,
}

/// Which resources a vault binds by itself (table `VaultBindRules`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BindRules {
    /// Any of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// The answer of `ListVault`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListVaultReply {
    /// The page.
    pub vaults: Vec<Vault>,
    /// Rows over all pages.
    pub count: u64,
    /// Rows that a page holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Rows that were skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// The answer of `CreateVault`, `ShowVault` and `UpdateVault`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VaultReply {
    /// The vault.
    pub vault: Vault,
}

/// The request of `CreateVault`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateVaultRequest {
    /// The vault to be.
    pub vault: VaultCreate,
}

/// A vault to be (table `VaultCreate`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VaultCreate {
    /// The policy to bind it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_policy_id: Option<String>,
    /// Size and kind.
    pub billing: BillingCreate,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Its name.
    pub name: Name,
    /// What to bind to it, at most 255; may be empty but not missing. Go programs write an empty
    /// list as null.
    #[serde(deserialize_with = "null_is_empty")]
    pub resources: Vec<ResourceCreate>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagRequest>>,
    /// The enterprise project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
    /// Whether to bind matching resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_bind: Option<bool>,
    /// Which resources match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_rules: Option<BindRules>,
    /// Whether to grow it when it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_expand: Option<bool>,
    /// How full it may be before somebody is told, 1 to 100 percent; 80 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Whether to tell somebody; yes if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smn_notify: Option<bool>,
    /// What the names of automatic backups start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_name_prefix: Option<NamePrefix>,
    /// Whether it may be used beyond its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_billing: Option<bool>,
    /// The service that locks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_lock_source_service: Option<String>,
    /// Whether to lock it, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Its availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
}

/// Size and kind of a vault to be (table `BillingCreate`). What only concerns orders (period,
/// renewal, payment, the console's address) is accepted and has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingCreate {
    /// Where its resources are; in the cloud if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_type: Option<CloudType>,
    /// How consistent its backups are to be.
    pub consistent_level: ConsistentLevel,
    /// What it takes.
    pub object_type: ObjectType,
    /// What it is for.
    pub protect_type: ProtectType,
    /// Its size, 10 to 10485760 GB.
    pub size: u64,
    /// How it is paid for; by use if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_mode: Option<ChargingMode>,
    /// Whether to keep its data in several availability zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_multi_az: Option<bool>,
}

fn null_is_empty<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// The request of `UpdateVault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateVaultRequest {
    /// What changes.
    pub vault: VaultUpdate,
}

/// What can change of a vault (table `VaultUpdate`); what is missing stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VaultUpdate {
    /// Size and consistency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<BillingUpdate>,
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether to bind matching resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_bind: Option<bool>,
    /// Which resources match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_rules: Option<BindRules>,
    /// Whether to grow it when it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_expand: Option<bool>,
    /// Whether to tell somebody when the threshold is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smn_notify: Option<bool>,
    /// How full it may be before somebody is told, 1 to 100 percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Whether to lock it; a locked vault stays locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

/// Size and consistency to change (table `BillingUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BillingUpdate {
    /// How consistent its backups are to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistent_level: Option<ConsistentLevel>,
    /// Its new size, 1 to 10485760 GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The request of `AddVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddVaultResourceRequest {
    /// What to bind, 1 to 256.
    pub resources: Vec<ResourceCreate>,
}

/// The answer of `AddVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddVaultResourceReply {
    /// What is bound now.
    pub add_resource_ids: Vec<String>,
}

/// The request of `RemoveVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveVaultResourceRequest {
    /// What to release, 1 to 256; its backups go with it.
    pub resource_ids: Vec<String>,
}

/// The answer of `RemoveVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveVaultResourceReply {
    /// What is being released.
    pub remove_resource_ids: Vec<String>,
}

/// The request of `BatchUpdateVault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchUpdateVaultRequest {
    /// What changes of all vaults.
    pub vault: VaultBatchUpdate,
}

/// What can change of all vaults at once (table `VaultBatchUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultBatchUpdate {
    /// Whether to tell somebody when the threshold is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smn_notify: Option<bool>,
    /// How full they may be before somebody is told, 1 to 100 percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i32>,
}

/// The answer of `BatchUpdateVault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchUpdateVaultReply {
    /// The vaults that changed.
    pub updated_vaults_id: Vec<String>,
}

/// The request of `MigrateVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrateVaultResourceRequest {
    /// The vault to move to.
    pub destination_vault_id: String,
    /// What moves.
    pub resource_ids: Vec<String>,
}

/// The answer of `MigrateVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrateVaultResourceReply {
    /// What moved.
    pub migrated_resources: Vec<String>,
}
