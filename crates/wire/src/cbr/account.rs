//! What concerns an account rather than one vault: its projects, the features of the region, the
//! move from predecessor services.
//!
//! Documents: "Querying Projects of an Account", "Querying the Account of a Project", "Querying
//! Features", "Migrating Resources".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Limit;
use crate::{query::Offset, word::UnknownWord};

/// The answer of `ListDomainProjects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainProjectsReply {
    /// The account's projects.
    pub projects: Vec<DomainProject>,
}

/// A project by name (table `DomainProjectsInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainProject {
    /// The project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
}

/// The answer of `ShowDomain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainReply {
    /// The project's name.
    pub project_name: String,
    /// The project.
    pub project_id: String,
    /// Its account.
    pub domain_id: String,
    /// The account's name.
    pub domain_name: String,
}

/// The answer of `ListProjects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionProjectsReply {
    /// The caller's projects.
    pub projects: Vec<RegionProject>,
    /// Where the list is.
    pub links: SelfLink,
}

/// A project (table `ProjectsListInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionProject {
    /// Its account.
    pub domain_id: String,
    /// Always false: accounts are not among projects here.
    pub is_domain: bool,
    /// What it is in; its account.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The project.
    pub id: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// Where it is.
    pub links: SelfLink,
}

/// Where something is (table `SelfLinksInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfLink {
    /// The address.
    #[serde(rename = "self")]
    pub itself: String,
}

queries! {
    /// Ignored: the features are few.
    FeaturesQuery {
        /// Rows in the page.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
    }

    /// Which regions are asked for.
    MigrateStatusQuery {
        /// All of them, or this one.
        all_regions: Option<bool>,
    }
}

/// Features with their values: a flat map without a wrapper.
pub type FeaturesReply = BTreeMap<String, Value>;

/// The body of `MigrateDomain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MigrateDomainRequest {
    /// All regions, or this one.
    pub all_regions: bool,
    /// How much room to leave in the new vaults.
    pub reservation: Reservation,
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Reservation(f64);

impl TryFrom<f64> for Reservation {
    type Error = UnknownWord;

    fn try_from(part: f64) -> Result<Self, UnknownWord> {
        if (0.0..=1.0).contains(&part) {
            return Ok(Self(part));
        }
        Err(UnknownWord {
            what: "reservation",
            word: part.to_string(),
            known: &["a number from 0 to 1"],
        })
    }
}

impl From<Reservation> for f64 {
    fn from(reservation: Reservation) -> Self {
        reservation.0
    }
}

/// The answer of `MigrateDomain`: region to state.
pub type MigrateDomainReply = BTreeMap<String, MigrationState>;

words! {
    /// How far a move from predecessor services is.
    MigrationState, "migration state" {
        /// Under way.
        Running = "running",
        /// Under way.
        Migrating = "migrating",
        /// Done.
        Success = "success",
        /// Given up.
        Failed = "failed",
    }
}

/// The answer of `ShowMigrateStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrateStatusReply {
    /// How far all of it is.
    pub status: MigrationState,
    /// How far each project is.
    pub project_status: Vec<ProjectMigration>,
}

/// How far a project is (table `DomainMigrateProjectStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectMigration {
    /// How far it is.
    pub status: MigrationState,
    /// The project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_id: Option<String>,
    /// In percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<u32>,
    /// The code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_code: Option<i64>,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
}
