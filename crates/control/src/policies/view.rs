//! What callers say about policies and what they get to see of them.

use strongroom_model::{PolicyId, ProjectId, Timestamp, VaultId};

use super::Definition;
use crate::words::PolicyType;

/// A policy as its project sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// What it does.
    pub operation_type: PolicyType,
    /// Whether it runs.
    pub enabled: bool,
    /// How long backups stay, and where copies go.
    pub definition: Definition,
    /// The id of its calendar.
    pub trigger_id: String,
    /// The rules of its calendar, as they were set.
    pub pattern: Vec<String>,
    /// Over how many minutes its starts are spread.
    pub start_window_minutes: Option<u32>,
    /// From when its calendar counts.
    pub started_at: Timestamp,
    /// The vaults it is bound to.
    pub vaults: Vec<BoundVault>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A vault that a policy is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundVault {
    /// The vault.
    pub vault_id: VaultId,
    /// Where its copies go.
    pub destination_vault_id: Option<VaultId>,
    /// When the policy runs next here; none while it does not.
    pub next_run: Option<Timestamp>,
}

/// A policy to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// 1 to 64 letters, digits, `_`, `-`.
    pub name: String,
    /// What it does.
    pub operation_type: PolicyType,
    /// True if absent.
    pub enabled: Option<bool>,
    /// See [`Policy`].
    pub definition: Definition,
    /// 1 to 24 rules.
    pub pattern: Vec<String>,
    /// Not spread if absent.
    pub start_window: Option<StartWindow>,
}

impl NewPolicy {
    /// A backup policy with that calendar, whose backups stay for ever.
    pub fn new(name: impl Into<String>, pattern: &[&str]) -> Self {
        Self {
            name: name.into(),
            operation_type: PolicyType::Backup,
            enabled: None,
            definition: Definition::default(),
            pattern: pattern.iter().map(ToString::to_string).collect(),
            start_window: None,
        }
    }
}

/// What to change of a policy; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyChange {
    /// See [`NewPolicy`].
    pub name: Option<String>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// Replaces all of it.
    pub definition: Option<Definition>,
    /// Replaces all rules.
    pub pattern: Option<Vec<String>>,
    /// How starts are spread.
    pub start_window: Option<StartWindow>,
}

/// How the starts of a policy are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartWindow {
    /// All at the instant itself.
    Off,
    /// Over so many minutes after it, 60 to 480.
    Minutes(i64),
}

/// Which policies to list; `None` matches all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyFilter {
    /// That do this.
    pub operation_type: Option<PolicyType>,
    /// Bound to this vault.
    pub vault_id: Option<VaultId>,
}

/// A policy at a vault, to be bound or just bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultPolicy {
    /// The vault.
    pub vault_id: VaultId,
    /// The policy.
    pub policy_id: PolicyId,
    /// Where copies go; needed for a replication policy.
    pub destination_vault_id: Option<VaultId>,
}
