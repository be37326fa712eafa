//! Version documents, answered without a token.

use serde::{Deserialize, Serialize};

/// The answer of `ListApiVersions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsReply {
    /// The versions.
    pub versions: Vec<Version>,
}

/// The answer of `ShowApiVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionReply {
    /// The version.
    pub version: Version,
}

/// A version of the API (table `VersionDetail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Such as `v1.0`.
    pub id: String,
    /// Where it is.
    pub links: Vec<Link>,
    /// Empty: there are no minor versions.
    pub version: String,
    /// `CURRENT`.
    pub status: String,
    /// When it was released.
    pub updated: String,
    /// Empty: there are no minor versions.
    pub min_version: String,
}

/// Where something is (table Link).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// `self`.
    pub rel: String,
}
