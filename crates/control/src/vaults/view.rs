//! What callers say about vaults and what they get to see of them.

use serde_json::Value;
use strongroom_model::{
    Bytes, GiB, PolicyId, ProjectId, ResourceId, ResourceKind, Timestamp, UserId, VaultId,
    state::{ProtectStatus, VaultStatus},
};

use crate::words::{ChargingMode, CloudType, ConsistentLevel, ObjectType, ProtectType};

/// A label on a vault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// 1 to 36 characters.
    pub key: String,
    /// 0 to 43 characters.
    pub value: String,
}

/// A vault as its project sees it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the vendor's vault has that many switches"
)]
#[derive(Debug, Clone, PartialEq)]
pub struct Vault {
    /// Its id.
    pub id: VaultId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Who made it.
    pub user_id: UserId,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The quota.
    pub size: GiB,
    /// How much of the quota is used.
    pub used: Bytes,
    /// The sum of the sizes of its resources.
    pub allocated: GiB,
    /// What resources it takes.
    pub object_type: ObjectType,
    /// What it is for.
    pub protect_type: ProtectType,
    /// What instant its backups show.
    pub consistent_level: ConsistentLevel,
    /// As it was set.
    pub cloud_type: CloudType,
    /// As it was set.
    pub charging_mode: ChargingMode,
    /// As it was set.
    pub is_multi_az: bool,
    /// Whether resources with the tags of `bind_rules` are to be added by themselves.
    pub auto_bind: bool,
    /// Tags of resources to add.
    pub bind_rules: Vec<Tag>,
    /// Whether the quota grows by a quarter when it is reached.
    pub auto_expand: bool,
    /// Percentage of the quota at which a warning is due.
    pub threshold: u8,
    /// Whether to warn.
    pub smn_notify: bool,
    /// Whether it is locked: automatic backups and resources stay.
    pub locked: bool,
    /// Prefix of the names of automatic backups.
    pub backup_name_prefix: Option<String>,
    /// Whether it may be used beyond its quota.
    pub demand_billing: bool,
    /// The enterprise project; "0" is the default one.
    pub enterprise_project_id: String,
    /// As it was set.
    pub availability_zone: Option<String>,
    /// Its state.
    pub status: VaultStatus,
    /// What it protects, oldest first.
    pub resources: Vec<VaultResource>,
    /// Its labels, by key.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A resource in its vault.
#[derive(Debug, Clone, PartialEq)]
pub struct VaultResource {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Its size when it was last looked at.
    pub size: Bytes,
    /// What is going on with it.
    pub protect_status: ProtectStatus,
    /// What the caller who added it said, word for word.
    pub extra_info: Option<Value>,
    /// What its backups take in the vault.
    pub backup_size: Bytes,
    /// How many backups it has.
    pub backup_count: u64,
    /// Whether the vault's policy covers it.
    pub auto_protect: bool,
}

/// A resource that a caller wants in a vault.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedResource {
    /// Its id.
    pub id: ResourceId,
    /// What the caller says it is; `None` for a vendor's type that has no kind here.
    pub kind: Option<ResourceKind>,
    /// Options, given back word for word.
    pub extra_info: Option<Value>,
}

/// A vault to make.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVault {
    /// 1 to 64 letters, digits, `_`, `-`.
    pub name: String,
    /// At most 255 characters without `<` and `>`.
    pub description: Option<String>,
    /// 10 to 10485760.
    pub size: GiB,
    /// What resources it takes.
    pub object_type: ObjectType,
    /// What it is for.
    pub protect_type: ProtectType,
    /// What instant its backups show.
    pub consistent_level: ConsistentLevel,
    /// Public if absent.
    pub cloud_type: Option<CloudType>,
    /// By use if absent.
    pub charging_mode: Option<ChargingMode>,
    /// False if absent.
    pub is_multi_az: Option<bool>,
    /// At most 256.
    pub resources: Vec<AddedResource>,
    /// At most 20.
    pub tags: Vec<Tag>,
    /// "0" if absent.
    pub enterprise_project_id: Option<String>,
    /// False if absent.
    pub auto_bind: Option<bool>,
    /// At most 5.
    pub bind_rules: Vec<Tag>,
    /// False if absent.
    pub auto_expand: Option<bool>,
    /// 1 to 100; 80 if absent.
    pub threshold: Option<i64>,
    /// True if absent.
    pub smn_notify: Option<bool>,
    /// At most 32 characters.
    pub backup_name_prefix: Option<String>,
    /// False if absent.
    pub demand_billing: Option<bool>,
    /// False if absent.
    pub locked: Option<bool>,
    /// As given.
    pub availability_zone: Option<String>,
    /// A backup policy to bind.
    pub backup_policy_id: Option<PolicyId>,
}

impl NewVault {
    /// A vault with nothing but what every vault has.
    pub fn new(name: impl Into<String>, object_type: ObjectType, size: GiB) -> Self {
        Self {
            name: name.into(),
            description: None,
            size,
            object_type,
            protect_type: ProtectType::Backup,
            consistent_level: ConsistentLevel::Crash,
            cloud_type: None,
            charging_mode: None,
            is_multi_az: None,
            resources: Vec::new(),
            tags: Vec::new(),
            enterprise_project_id: None,
            auto_bind: None,
            bind_rules: Vec::new(),
            auto_expand: None,
            threshold: None,
            smn_notify: None,
            backup_name_prefix: None,
            demand_billing: None,
            locked: None,
            availability_zone: None,
            backup_policy_id: None,
        }
    }
}

/// What to change of a vault; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VaultChange {
    /// See [`NewVault`].
    pub name: Option<String>,
    /// 1 to 10485760, and not below what is used.
    pub size: Option<GiB>,
    /// See [`NewVault`].
    pub consistent_level: Option<ConsistentLevel>,
    /// See [`NewVault`].
    pub auto_bind: Option<bool>,
    /// Replaces all rules.
    pub bind_rules: Option<Vec<Tag>>,
    /// See [`NewVault`].
    pub auto_expand: Option<bool>,
    /// See [`NewVault`].
    pub threshold: Option<i64>,
    /// See [`NewVault`].
    pub smn_notify: Option<bool>,
    /// True locks the vault for ever; false on a locked vault is refused.
    pub locked: Option<bool>,
}

/// Which vaults to list; `None` and empty lists match all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VaultFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// See [`Vault`].
    pub cloud_type: Option<CloudType>,
    /// See [`Vault`].
    pub protect_type: Option<ProtectType>,
    /// See [`Vault`].
    pub object_type: Option<ObjectType>,
    /// One of these.
    pub ids: Vec<VaultId>,
    /// The vendor's word; one that is no state of ours matches nothing.
    pub status: Option<String>,
    /// Holding one of these.
    pub resource_ids: Vec<ResourceId>,
    /// See [`Vault`].
    pub enterprise_project_id: Option<String>,
    /// Bound to this policy.
    pub policy_id: Option<PolicyId>,
}
