//! Tags of vaults, and vaults by tag.
//!
//! Documents: "Adding a Tag", "Batch Adding and Deleting Tags", "Querying Tags of a Vault",
//! "Querying Tags of a Project", "Querying Vaults by Tag". These paths say `/vault/`, singular.

use serde::{Deserialize, Serialize};

use super::{
    checkpoint::NumberText,
    resource::ObjectType,
    vault::{CloudType, Vault},
};
use crate::text::{TagKey, TagValue};

words! {
    /// What a batch of tags is for.
    TagAction, "action" {
        /// To be set; an existing key gets the new value.
        Create = "create",
        /// To be removed; a missing key is no error.
        Delete = "delete",
    }

    /// What a search by tag answers.
    SearchAction, "action" {
        /// A page of vaults.
        Filter = "filter",
        /// Their number only.
        Count = "count",
    }

    /// What a search can match besides tags.
    MatchKey, "match key" {
        /// The vault's name, anywhere in it.
        ResourceName = "resource_name",
    }
}

/// A tag as it is shown (table Tag).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
}

/// A tag to be set (tables `TagCreate` and `BulkCreateAndDeleteTags`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRequest {
    /// Its key.
    pub key: TagKey,
    /// Its value; needless for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<TagValue>,
}

/// The request of `CreateVaultTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateVaultTagsRequest {
    /// The tag.
    pub tag: TagRequest,
}

/// The request of `BatchCreateAndDeleteVaultTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchVaultTagsRequest {
    /// The tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagRequest>>,
    /// System tags; for the vendor's own services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_tags: Option<Vec<Tag>>,
    /// What to do with them.
    pub action: TagAction,
}

/// The answer of `ShowVaultTag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultTagsReply {
    /// The vault's tags.
    pub tags: Vec<Tag>,
    /// Its system tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_tags: Option<Vec<Tag>>,
}

/// The answer of `ShowVaultProjectTag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTagsReply {
    /// Every key in use.
    pub tags: Vec<TagValues>,
}

/// A key with several values (tables `TagsResp` and `TagsReq`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagValues {
    /// The key.
    pub key: String,
    /// The values in use, or any of those looked for; any at all if empty.
    pub values: Vec<String>,
}

/// The request of `ShowVaultResourceInstances`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchVaultsRequest {
    /// Only vaults without tags; the other tag filters do not count then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_any_tag: Option<bool>,
    /// All of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagValues>>,
    /// At least one of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_any: Option<Vec<TagValues>>,
    /// Not all of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tags: Option<Vec<TagValues>>,
    /// None of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tags_any: Option<Vec<TagValues>>,
    /// System tags; for the vendor's own services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_tags: Option<Vec<TagValues>>,
    /// Rows in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<NumberText>,
    /// Rows to skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<NumberText>,
    /// What to answer.
    pub action: SearchAction,
    /// What else must match; at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<Match>>,
    /// Where the vault's resources are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_type: Option<CloudType>,
    /// What the vault takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<ObjectType>,
}

/// What else must match (table Match).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// What of the vault.
    pub key: MatchKey,
    /// The text to find there.
    pub value: String,
}

/// The answer of `ShowVaultResourceInstances`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchVaultsReply {
    /// The page, unless only the number was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<TaggedVault>>,
    /// Rows over all pages.
    pub total_count: u64,
}

/// A vault found by tag (table `TagResource`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaggedVault {
    /// The vault.
    pub resource_id: String,
    /// All of it.
    pub resource_detail: TaggedVaultDetail,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its name.
    pub resource_name: String,
    /// Its system tags.
    pub sys_tags: Vec<Tag>,
}

/// All of a vault found by tag (table `InstancesResourceDetail`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaggedVaultDetail {
    /// The vault.
    pub vault: Vault,
}
