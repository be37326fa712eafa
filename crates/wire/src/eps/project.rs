//! Enterprise projects: created, listed, shown, changed, switched on and off, deleted.

use serde::{Deserialize, Serialize};

words! {
    /// What an enterprise project is for.
    Kind, "type" {
        /// Production.
        Prod = "prod",
        /// A trial.
        Poc = "poc",
    }

    /// What an enterprise project can be told.
    Action, "action" {
        /// To take resources again.
        Enable = "enable",
        /// To take no more resources.
        Disable = "disable",
    }

    /// What a list can be sorted by.
    SortKey, "sort key" {
        /// When it was made.
        CreatedAt = "created_at",
        /// When it was changed.
        UpdatedAt = "updated_at",
        /// Its name.
        Name = "name",
    }

    /// Which way a list is sorted.
    SortDir, "sort direction" {
        /// The newest first.
        Desc = "desc",
        /// The oldest first.
        Asc = "asc",
    }
}

queries! {
    /// Filters of `ListEnterpriseProject`; all of them must hold.
    ListEnterpriseProjectQuery {
        /// With this id.
        id: Option<String>,
        /// Rows in the page, 1 to 1000; as text, for its bounds have a code of their own.
        limit: Option<String>,
        /// With this text in its name.
        name: Option<String>,
        /// Rows to skip.
        offset: Option<String>,
        /// Which way.
        sort_dir: Option<SortDir>,
        /// By what.
        sort_key: Option<SortKey>,
        /// 1 on, 2 off.
        status: Option<String>,
        /// What it is for.
        kind: Option<Kind> as "type",
    }
}

/// The body of `CreateEnterpriseProject` and `UpdateEnterpriseProject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterpriseProjectRequest {
    /// Its name.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is for; production if nothing is said.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The body of the two actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// Which.
    pub action: Action,
}

/// An enterprise project (table `EpDetail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterpriseProject {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Free text; may be empty.
    pub description: String,
    /// 1 on, 2 off.
    pub status: u8,
    /// When it was made.
    pub created_at: String,
    /// When it was changed.
    pub updated_at: String,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it may be deleted.
    pub delete_flag: bool,
}

/// One enterprise project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterpriseProjectReply {
    /// The enterprise project.
    pub enterprise_project: EnterpriseProject,
}

/// The answer of `ListEnterpriseProject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEnterpriseProjectReply {
    /// The page.
    pub enterprise_projects: Vec<EnterpriseProject>,
    /// Rows over all pages.
    pub total_count: u64,
}

/// The answer of `ShowEnterpriseProjectQuota`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotasReply {
    /// The quotas.
    pub quotas: Quotas,
}

/// The quotas of an account (table `QuotasDetail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas {
    /// One row per kind of thing.
    pub resources: Vec<Quota>,
}

/// How many of a kind there may be and are (table `EpQuotas`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// How many there may be.
    pub quota: u64,
    /// Of what.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub used: u64,
}

/// The answer of `ShowEpConfigs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigsReply {
    /// What is supported.
    pub support_item: SupportItem,
}

/// What is supported (table `EnterpriseProjectConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportItem {
    /// Whether enterprise projects can be deleted, as text.
    pub delete_ep_support: String,
}
