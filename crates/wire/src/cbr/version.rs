//! Which versions of the API there are; answered without a token.
//!
//! Documents: "Querying API Versions", "Querying a Specified API Version" (T Cloud Public).

use serde::{Deserialize, Serialize};

words! {
    /// Whether a version is still to be used.
    VersionStatus, "version status" {
        /// It is the one to use.
        Current = "CURRENT",
        /// It still works.
        Supported = "SUPPORTED",
        /// It will go.
        Deprecated = "DEPRECATED",
    }
}

/// The answer of `ListApiVersions` and `ShowApiVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsReply {
    /// The versions, or the one that was asked for.
    pub versions: Vec<Version>,
}

/// A version of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Such as `v3`.
    pub id: String,
    /// Where it is.
    pub links: Vec<Link>,
    /// The oldest micro-version; empty where there are none.
    pub min_version: String,
    /// Whether it is still to be used.
    pub status: VersionStatus,
    /// When it was released, such as `2018-05-07T00:00:00Z`.
    pub updated: String,
    /// The newest micro-version; empty where there are none.
    pub version: String,
}

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// What the address is of.
    pub rel: String,
}
