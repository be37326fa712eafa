//! The files that the service leaves in its data directory for its clients.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use strongroom_wire::{native::Endpoints, text::Secret};

use crate::{Credentials, Error, Result};

/// Where the services are.
pub const ENDPOINTS: &str = "endpoints.json";

/// Who the first user is; readable by the service's own user only.
pub const ADMIN: &str = "admin.json";

/// A user with an access key: the first one in `admin.json`, others as `strongroom admin` prints
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's name.
    pub domain: String,
    /// The account.
    pub domain_id: String,
    /// The user's name.
    pub user: String,
    /// The password; not told again for users that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The project's name.
    pub project: String,
    /// The project.
    pub project_id: String,
    /// The public half of the access key.
    pub access_key: String,
    /// The secret half of the access key.
    pub secret_key: Secret,
    /// The certificate authority of the service, if it has one of its own.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl Account {
    /// The access key, for the account's project.
    pub fn credentials(&self) -> Credentials {
        Credentials::AccessKey {
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
            project_id: Some(self.project_id.clone()),
        }
    }
}

/// Reads `endpoints.json` of a data directory.
pub fn endpoints(data_dir: &Path) -> Result<Endpoints> {
    read(&data_dir.join(ENDPOINTS))
}

/// Reads `admin.json` of a data directory.
pub fn admin(data_dir: &Path) -> Result<Account> {
    read(&data_dir.join(ADMIN))
}

/// Reads a JSON file.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let file = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::read(path).map_err(file)?;
    serde_json::from_slice(&bytes).map_err(|source| Error::BadFile {
        path: path.to_owned(),
        source,
    })
}
