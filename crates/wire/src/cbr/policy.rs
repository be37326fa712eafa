//! Policies: calendars, retention, and which vaults follow them.
//!
//! Documents: "Creating a Policy", "Querying the Policy List", "Querying a Single Policy",
//! "Modifying a Policy", "Applying a Policy to a Vault", "Removing a Policy from a Vault",
//! "Configuring Vault Resources", "Changing the Expiration Time". Fields that nobody set are left
//! out of replies, as in the documented examples.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Limit;
use crate::{query::Offset, text::Name};

words! {
    /// What a policy does.
    PolicyOperation, "operation type" {
        /// Makes backups.
        Backup = "backup",
        /// Copies them to another region.
        Replication = "replication",
    }

    /// What is done to resources of a vault. The documents say that `suspend` has the policy
    /// cover a resource and `unsuspend` leaves it out; that is what it does here too.
    SetResourceAction, "action" {
        /// The policy covers them.
        Suspend = "suspend",
        /// The policy leaves them out.
        Unsuspend = "unsuspend",
    }
}

queries! {
    /// Filters of `ListPolicies`. The documents know no pages; openstacksdk asks for them.
    ListPoliciesQuery {
        /// What they do.
        operation_type: Option<PolicyOperation>,
        /// Bound to this vault.
        vault_id: Option<String>,
        /// Rows in the page.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The id of the last row of the page before.
        marker: Option<String>,
    }
}

/// A policy (table Policy).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether it runs.
    pub enabled: bool,
    /// The policy.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How long backups stay, and where copies go; an object, never null.
    pub operation_definition: OperationDefinition,
    /// What it does.
    pub operation_type: PolicyOperation,
    /// Its calendar.
    pub trigger: Trigger,
    /// The vaults it is bound to; null in the documents' reply to `CreatePolicy`.
    pub associated_vaults: Option<Vec<AssociatedVault>>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_type: Option<String>,
}

/// A vault that a policy is bound to (table `PolicyAssociateVault`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedVault {
    /// Where its copies go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_vault_id: Option<String>,
    /// The vault.
    pub vault_id: String,
}

/// How long backups stay, and where copies go (table `PolicyoODCreate`). −1, and 0 but for
/// `full_backup_interval`, mean "not given".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OperationDefinition {
    /// The newest of so many days stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_backups: Option<i64>,
    /// Whose the copies are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_project_id: Option<String>,
    /// Where the copies go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_region: Option<String>,
    /// Whether copies travel faster for more money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_acceleration: Option<bool>,
    /// The newest so many stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_backups: Option<i64>,
    /// The newest of so many months stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_backups: Option<i64>,
    /// They stay so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_duration_days: Option<i64>,
    /// Where days begin, such as `UTC+08:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The newest of so many weeks stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week_backups: Option<i64>,
    /// The newest of so many years stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_backups: Option<i64>,
    /// Every so many backups one is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_backup_interval: Option<i64>,
    /// A vault of another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_account_urn: Option<String>,
    /// What stays by weekday or day of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advanced_retention_rules: Option<AdvancedRetentionRules>,
}

/// Long-term rules (table `PolicyAdvancedRetentionRules`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdvancedRetentionRules {
    /// By weekday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly_retention_rules: Option<RetentionRule>,
    /// By day of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_retention_rules: Option<RetentionRule>,
    /// By day and month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly_retention_rules: Option<RetentionRule>,
}

/// A long-term rule (tables `PolicyWeeklyRetentionRules`, `PolicyMonthlyRetentionRules` and
/// `PolicyYearlyRetentionRules`: each has some of the fields).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetentionRule {
    /// `WEEKLY` or `MONTHLY`, in any case: the documents have both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_type: Option<String>,
    /// Such as `JANUARY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_months: Option<Vec<String>>,
    /// `FIRST` to `FOURTH`, `LAST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_weeks: Option<Vec<String>>,
    /// Such as `MO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_of_week: Option<Vec<String>>,
    /// 1 to 28; −1 for the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_of_month: Option<Vec<i64>>,
    /// For how many weeks, months or years; −1 switches the rule off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_duration_periods: Option<i64>,
}

/// A calendar (table `PolicyTriggerResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The calendar.
    pub id: String,
    /// Always `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its rules.
    pub properties: TriggerProperties,
    /// Always `time`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub trigger_type: Option<String>,
}

/// The rules of a calendar (table `PolicyTriggerPropertiesResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerProperties {
    /// 1 to 24 rules of RFC 5545, in UTC; a list, never null.
    pub pattern: Vec<String>,
    /// When the calendar was made, such as `2019-05-08 06:57:05`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Over how many minutes starts are spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_window_minutes: Option<u32>,
}

/// The request of `CreatePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatePolicyRequest {
    /// The policy to be.
    pub policy: PolicyCreate,
}

/// A policy to be (table `PolicyCreate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCreate {
    /// Whether it runs; yes if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its name.
    pub name: Name,
    /// How long backups stay, and where copies go.
    pub operation_definition: OperationDefinition,
    /// What it does.
    pub operation_type: PolicyOperation,
    /// Its calendar.
    pub trigger: TriggerRequest,
}

/// A calendar to be (tables `PolicyTriggerReq` and `PolicyTriggerUpdateReq`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerRequest {
    /// Its rules.
    pub properties: TriggerPropertiesRequest,
}

/// The rules of a calendar to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerPropertiesRequest {
    /// 1 to 24 rules of RFC 5545, in UTC.
    pub pattern: Vec<String>,
    /// Over how many minutes starts are spread.
    #[serde(default, skip_serializing_if = "StartWindow::is_unsaid")]
    pub start_window_minutes: StartWindow,
}

/// Over how many minutes starts are spread; null is not the same as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartWindow {
    /// Nothing was said: a change leaves it.
    #[default]
    Unsaid,
    /// Null: not spread.
    Off,
    /// 60 to 480.
    Minutes(i64),
}

impl StartWindow {
    const fn is_unsaid(&self) -> bool {
        matches!(self, Self::Unsaid)
    }
}

impl Serialize for StartWindow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsaid | Self::Off => to.serialize_none(),
            Self::Minutes(minutes) => to.serialize_some(minutes),
        }
    }
}

impl<'de> Deserialize<'de> for StartWindow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let said = Option::deserialize(from)?;
        Ok(said.map_or(Self::Off, Self::Minutes))
    }
}

/// The request of `UpdatePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatePolicyRequest {
    /// What changes.
    pub policy: PolicyUpdate,
}

/// What can change of a policy (table `PolicyUpdate`); what is missing stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyUpdate {
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Replaces all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_definition: Option<OperationDefinition>,
    /// Replaces all rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerRequest>,
}

/// The answer of `CreatePolicy`, `ShowPolicy` and `UpdatePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReply {
    /// The policy.
    pub policy: Policy,
}

/// The answer of `ListPolicies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPoliciesReply {
    /// Rows over all pages.
    pub count: u64,
    /// The page.
    pub policies: Vec<Policy>,
}

/// The request of `AssociateVaultPolicy` (table `VaultAssociate`): either one policy or several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AssociatePolicyRequest {
    /// Where copies go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_vault_id: Option<String>,
    /// The policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_policy_ids: Option<Vec<String>>,
}

/// The answer of `AssociateVaultPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatePolicyReply {
    /// What is bound; the last of several.
    pub associate_policy: VaultPolicy,
}

/// The request of `DisassociateVaultPolicy` (table `VaultDissociate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DissociatePolicyRequest {
    /// The policy.
    pub policy_id: String,
}

/// The answer of `DisassociateVaultPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DissociatePolicyReply {
    /// What was bound.
    pub dissociate_policy: VaultPolicy,
}

/// A policy at a vault (table `VaultPolicyResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultPolicy {
    /// Where copies go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_vault_id: Option<String>,
    /// The policy.
    pub policy_id: String,
    /// The vault.
    pub vault_id: String,
}

/// The request of `SetVaultResource` (table `VaultSetResourceReq`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetVaultResourceRequest {
    /// Resources of the vault.
    pub resource_ids: Vec<String>,
    /// What is done to them.
    pub action: SetResourceAction,
}

/// The answer of `SetVaultResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetVaultResourceReply {
    /// What it was done to.
    pub set_resource_ids: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_start_window_is_left_ended_or_set() {
        for (said, expected) in [
            (json!({"pattern": []}), StartWindow::Unsaid),
            (
                json!({"pattern": [], "start_window_minutes": null}),
                StartWindow::Off,
            ),
            (
                json!({"pattern": [], "start_window_minutes": 90}),
                StartWindow::Minutes(90),
            ),
        ] {
            let read: TriggerPropertiesRequest = serde_json::from_value(said.clone()).unwrap();
            assert_eq!(read.start_window_minutes, expected, "{said}");
            assert_eq!(serde_json::to_value(&read).unwrap(), said);
        }
    }
}
