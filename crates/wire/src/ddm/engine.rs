//! What instances there are to be, and versions of the API.

use serde::{Deserialize, Serialize};

/// The answer of `ListDdmEngines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnginesReply {
    /// The page.
    pub engine_groups: Vec<Engine>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// An engine (table `EngineGroupInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The answer of `ListDdmFlavors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlavorsReply {
    /// Sizes by kind of processor; none, because instances are not built here.
    pub flavor_groups: Vec<serde_json::Value>,
}

/// The answer of `ListFlavors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldFlavorsReply {
    /// Sizes by kind of processor; none, because instances are not built here.
    #[serde(rename = "computeFlavorGroups")]
    pub groups: Vec<serde_json::Value>,
}

/// The answer of `ListEngines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldEnginesReply {
    /// The page.
    #[serde(rename = "engineGroups")]
    pub engine_groups: Vec<OldEngine>,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
}

/// An engine (table `EngineGroupsInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldEngine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is to be had.
    #[serde(rename = "supportAzs")]
    pub support_azs: Vec<Zone>,
}

/// A zone (table `SupportAzsInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it is preferred.
    pub favored: bool,
}

/// The answer of `ListApiVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsReply {
    /// The versions.
    pub versions: Vec<Version>,
}

/// A version (table `ApiVersion`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Such as `v3`.
    pub id: String,
    /// Where it is.
    pub links: Vec<Link>,
    /// What is with it.
    pub status: String,
    /// Its smaller version.
    pub version: String,
    /// When it was published.
    pub updated: String,
}

/// A link (table `LinkInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where to.
    pub href: String,
    /// What it is.
    pub rel: String,
}
