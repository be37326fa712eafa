//! Labels on audit instances.

use serde::{Deserialize, Serialize};

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// The body of `BatchAddResourceTag` and `BatchDeleteResourceTag`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TagsRequest {
    /// The labels.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Labels of the vendor's own services; refused unless empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_tags: Option<Vec<Tag>>,
}

/// The answer of `ListAuditTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagsReply {
    /// The labels.
    pub tags: Vec<Tag>,
    /// Labels of the vendor's own services: none.
    pub sys_tags: Vec<Tag>,
}

/// The answer of `ListProjectResourceTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTagsReply {
    /// Every key with all its values.
    pub tags: Vec<TagValues>,
}

/// A key with values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagValues {
    /// The key.
    pub key: String,
    /// The values.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A field and what is looked for in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The field: `resource_name`.
    pub key: String,
    /// A part of it.
    pub value: String,
}

/// The body of `ListResourceInstanceByTag` and `CountResourceInstanceByTag`: all that is given must
/// hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TagSearch {
    /// Fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<Match>>,
    /// Not with all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tags: Option<Vec<TagValues>>,
    /// With all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagValues>>,
    /// With one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_any: Option<Vec<TagValues>>,
    /// Not with any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tags_any: Option<Vec<TagValues>>,
    /// Labels of the vendor's own services, which nothing has here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys_tags: Option<Vec<TagValues>>,
    /// Without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_any_tag: Option<bool>,
}

/// The answer of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedReply {
    /// The page; empty where only the number was asked for.
    pub resources: Vec<Tagged>,
    /// How many there are.
    pub total_count: u64,
}

/// An instance that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// Its id.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// Nothing more.
    pub resource_detail: Option<serde_json::Value>,
    /// Its labels.
    pub tags: Vec<Tag>,
    /// Labels of the vendor's own services: none.
    pub sys_tags: Vec<Tag>,
}
