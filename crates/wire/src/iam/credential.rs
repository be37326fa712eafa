//! Access keys of users. The secret half is told once, when the key is made.

use serde::{Deserialize, Serialize};

use crate::{text::Secret, time::IamTime};

words! {
    /// Whether an access key may be used.
    CredentialStatus, "status" {
        /// It may.
        Active = "active",
        /// It may not.
        Inactive = "inactive",
    }
}

queries! {
    /// Filters of `ListPermanentAccessKeys`.
    ListCredentialsQuery {
        /// The user; the caller if nothing is said.
        user_id: Option<String>,
    }
}

/// The request of `CreatePermanentAccessKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCredentialRequest {
    /// The key to be.
    pub credential: CredentialCreate,
}

/// An access key to be (table `CreateCredentialOption`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialCreate {
    /// Whose it is.
    pub user_id: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The answer of `CreatePermanentAccessKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCredentialReply {
    /// The key with its secret.
    pub credential: NewCredential,
}

/// An access key with its secret (table `CreateCredentialResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCredential {
    /// When it was made.
    pub create_time: IamTime,
    /// The public half.
    pub access: String,
    /// The secret half.
    pub secret: Secret,
    /// Whether it may be used.
    pub status: CredentialStatus,
    /// Whose it is.
    pub user_id: String,
    /// Free text.
    pub description: String,
}

/// The answer of `ListPermanentAccessKeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsReply {
    /// The keys.
    pub credentials: Vec<Credential>,
}

/// The answer of `ShowPermanentAccessKey` and `UpdatePermanentAccessKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialReply {
    /// The key.
    pub credential: Credential,
}

/// An access key (tables Credentials, `ShowCredential` and `UpdateCredentialResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Whose it is.
    pub user_id: String,
    /// The public half.
    pub access: String,
    /// Whether it may be used.
    pub status: CredentialStatus,
    /// When it was made.
    pub create_time: IamTime,
    /// When it was last used; `ShowPermanentAccessKey` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_use_time: Option<IamTime>,
    /// Free text.
    pub description: String,
}

/// The request of `UpdatePermanentAccessKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateCredentialRequest {
    /// What changes.
    pub credential: CredentialUpdate,
}

/// What can change of an access key (table `UpdateCredentialOption`); what is missing stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CredentialUpdate {
    /// Whether it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CredentialStatus>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
