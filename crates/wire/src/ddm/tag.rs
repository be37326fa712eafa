//! Labels on instances: T Cloud Public's five calls.

use serde::{Deserialize, Serialize};

/// Labels of an instance; the answer of `ListInstanceTags`, the body of `BatchCreateTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// The labels.
    pub tags: Vec<Tag>,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// The answer of `ListProjectTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTagsReply {
    /// The page.
    pub tags: Vec<ProjectTag>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total_count: u64,
}

/// A key with all its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTag {
    /// The key.
    pub key: String,
    /// Its values.
    pub values: Vec<String>,
}

/// The body of `UpdateTag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagValue {
    /// The new value.
    pub value: String,
}
