//! Projects: the tenants of the backup services.
//!
//! SDKs look up the project whose name is the region's and insist on exactly one.

use serde::{Deserialize, Serialize};

use super::{PageLinks, SelfLink};

queries! {
    /// Filters of `KeystoneListProjects`; all of them must hold, texts exactly.
    ListProjectsQuery {
        /// The account.
        domain_id: Option<String>,
        /// The project's name.
        name: Option<String>,
        /// The project above.
        parent_id: Option<String>,
        /// Whether it is in use.
        enabled: Option<bool>,
        /// Whether it is an account.
        is_domain: Option<bool>,
        /// The page, from 1.
        page: Option<crate::query::Limit<{ u32::MAX }>>,
        /// Rows in a page.
        per_page: Option<crate::query::Limit<5000>>,
    }
}

/// The answer of `KeystoneListProjects` and its siblings for a user and for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectsReply {
    /// The list's address.
    pub links: PageLinks,
    /// The projects.
    pub projects: Vec<Project>,
}

/// The answer of `KeystoneShowProject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectReply {
    /// The project.
    pub project: Project,
}

/// A project (tables `ProjectResult` and `AuthProjectResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Whether it is an account.
    pub is_domain: bool,
    /// Free text.
    pub description: String,
    /// Its address.
    pub links: SelfLink,
    /// Whether it is in use.
    pub enabled: bool,
    /// The project, 32 hexadecimal digits.
    pub id: String,
    /// The project or account above.
    pub parent_id: String,
    /// The account.
    pub domain_id: String,
    /// Its name: the region's, or that with `_` and more.
    pub name: String,
}
