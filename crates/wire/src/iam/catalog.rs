//! Where the services are.
//!
//! Every address ends in the project's id, already filled in: one client appends it only where it
//! is missing, another never does.

use serde::{Deserialize, Serialize};

use super::SelfLink;

/// The answer of `KeystoneShowCatalog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogReply {
    /// The services.
    pub catalog: Vec<CatalogEntry>,
    /// The catalogue's own address.
    pub links: SelfLink,
}

/// A service (tables Catalog and `TokenCatalog`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Where it is.
    pub endpoints: Vec<CatalogEndpoint>,
    /// The service.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What clients look for, such as `cbr`.
    #[serde(rename = "type")]
    pub service_type: String,
}

/// Where a service is (tables `CatalogEndpoints` and `TokenCatalogEndpoint`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEndpoint {
    /// The endpoint.
    pub id: String,
    /// `public`.
    pub interface: String,
    /// The region.
    pub region: String,
    /// The region again.
    pub region_id: String,
    /// The address.
    pub url: String,
}
