//! So that nothing is lost by mistake: plans of deletions, the trash, how careful the service is.
//!
//! Times are as CBR shows them.

use serde::{Deserialize, Serialize};

use crate::time::CbrTime;

/// Something that deletes; exactly one of the three is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// A backup.
    DeleteBackup {
        /// The backup.
        backup_id: String,
    },
    /// A vault with all that is in it.
    DeleteVault {
        /// The vault.
        vault_id: String,
    },
    /// Resources leave a vault, and their backups there go.
    RemoveResources {
        /// The vault.
        vault_id: String,
        /// The resources.
        resource_ids: Vec<String>,
    },
}

/// What a deletion would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The vault concerned.
    pub vault_id: String,
    /// Its name.
    pub vault_name: String,
    /// The backups that would go, the oldest first.
    pub goes: Vec<Going>,
    /// The resources of which no restorable backup would be left anywhere.
    pub last_copies: Vec<LastCopy>,
    /// Whether the key of the vault's data would go too.
    pub key_goes: bool,
    /// When what goes would be gone for good; null if at once.
    pub recoverable_until: Option<CbrTime>,
    /// Whether the deletion needs the token.
    pub guarded: bool,
    /// Why the deletion would be refused as things are; null if it would not.
    pub refused: Option<String>,
    /// The consent to exactly this.
    pub token: String,
}

/// A backup that would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// The backup.
    pub backup_id: String,
    /// Its name.
    pub name: String,
    /// What it is a backup of.
    pub resource_id: String,
    /// The resource's name at the time.
    pub resource_name: String,
    /// The instant that it shows.
    pub protected_at: Option<CbrTime>,
    /// What a restore would write, in bytes.
    pub logical_bytes: u64,
    /// Whether it can be restored.
    pub restorable: bool,
    /// With how many projects it is shared.
    pub shared_with: u64,
}

/// A resource that would lose its last restorable copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCopy {
    /// The resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
}

/// What can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trash {
    /// Backups, without those that went with their vault.
    pub backups: Vec<TrashedBackup>,
    /// Vaults.
    pub vaults: Vec<TrashedVault>,
}

/// A backup that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashedBackup {
    /// The backup.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its vault.
    pub vault_id: String,
    /// What it is a backup of.
    pub resource_id: String,
    /// The resource's name at the time.
    pub resource_name: String,
    /// The instant that it shows.
    pub protected_at: Option<CbrTime>,
    /// When it was deleted.
    pub deleted_at: CbrTime,
    /// When it goes for good.
    pub purge_at: CbrTime,
}

/// A vault that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashedVault {
    /// The vault.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many backups come back with it.
    pub backups: u64,
    /// When it was deleted.
    pub deleted_at: CbrTime,
    /// When it goes for good.
    pub purge_at: CbrTime,
}

/// How careful the service is with a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSafety {
    /// Whether automatic backups are kept from deletion until they expire; never unset.
    pub locked: bool,
    /// Whether that holds for backups made by hand too; never unset.
    pub locks_manual: bool,
    /// Whether what deletes needs the token of its plan.
    pub guarded: bool,
    /// Days that what was deleted can be brought back; 0 if it goes at once.
    pub grace_days: u32,
}

/// What to change of it; what is missing stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultSafetyChange {
    /// True locks for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// True extends the lock for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks_manual: Option<bool>,
    /// False after true is for operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded: Option<bool>,
    /// Less than before is for operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<u32>,
}

/// How long what is deleted can be brought back where no vault says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grace {
    /// In days; 0 if it goes at once.
    pub grace_days: u32,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deed_is_one_of_three_and_nothing_is_guessed() {
        let deed: Deed =
            serde_json::from_value(json!({"delete_vault": {"vault_id": "v"}})).unwrap();
        assert_eq!(
            deed,
            Deed::DeleteVault {
                vault_id: "v".to_owned()
            }
        );
        for bad in [
            json!({}),
            json!({"delete_vault": {}}),
            json!({"delete_everything": {}}),
            json!({"delete_vault": {"vault_id": "v", "force": true}}),
        ] {
            assert!(
                serde_json::from_value::<Deed>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }
}
