//! Identity and Access Management: what clients need to sign in and to find their way.
//!
//! - `table`: the operations
//! - [`token`]: sign in, look at a token
//! - [`catalog`]: where the services are
//! - [`project`], [`domain`]: what a caller may enter
//! - [`credential`]: access keys; [`caller`]: who a caller is
//! - [`version`]: version documents, answered without a token

pub mod caller;
pub mod catalog;
pub mod credential;
pub mod domain;
pub mod project;
mod table;
pub mod token;
pub mod version;

pub use table::*;

use serde::{Deserialize, Serialize};

paths! {
    /// `/v3/projects/{project_id}`
    ProjectPath {
        /// The project, 32 hexadecimal digits.
        project_id,
    }

    /// `/v3/users/{user_id}/projects`
    UserPath {
        /// The user, 32 hexadecimal digits.
        user_id,
    }

    /// `/v3.0/OS-CREDENTIAL/credentials/{access_key}`
    CredentialPath {
        /// The public half of an access key.
        access_key,
    }
}

/// The address of a thing (table `LinksSelf`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfLink {
    /// Its address.
    #[serde(rename = "self")]
    pub itself: String,
}

/// The address of a list and of its neighbouring pages (table Links).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLinks {
    /// Its address.
    #[serde(rename = "self")]
    pub itself: String,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
}
