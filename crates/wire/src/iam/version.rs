//! Version documents, in Keystone's shape.
//!
//! They must be answered without a token: a client that is asked to sign in here waits for itself.

use serde::{Deserialize, Serialize};

/// The answer of `KeystoneListVersions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsReply {
    /// The versions.
    pub versions: Versions,
}

/// A list that Keystone wraps once more (table Versions).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The versions.
    pub values: Vec<Version>,
}

/// The answer of `KeystoneShowVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionReply {
    /// The version.
    pub version: Version,
}

/// A version of the identity API (table Version).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `stable`.
    pub status: String,
    /// When it was released, such as `2016-10-06T00:00:00Z`.
    pub updated: String,
    /// Where it is.
    pub links: Vec<VersionLink>,
    /// Such as `v3.6`.
    pub id: String,
    /// The kinds of body it speaks.
    #[serde(rename = "media-types")]
    pub media_types: Vec<MediaType>,
}

/// Where a version is (table `VersionLinks`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionLink {
    /// `self`.
    pub rel: String,
    /// The address.
    pub href: String,
}

/// A kind of body (table `VersionMediatypes`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaType {
    /// The vendor's name of it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// `application/json`.
    pub base: String,
}
