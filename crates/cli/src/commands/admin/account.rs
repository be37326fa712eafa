//! The fields of `admin.json`: who somebody is and how to prove it.
//!
//! `serve` writes the whole object when it first starts; the commands of `admin` print those
//! fields that they know.

use std::path::Path;

use serde::{Deserialize, Serialize};
use strongroom_control::identity::{Domain, FirstStart, NewAccessKey, Project, User};
use strongroom_model::{Entropy, entropy::random};
use zeroize::Zeroizing;

/// Letters and digits that are not mistaken for each other.
const LETTERS: &[u8; 56] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// Who somebody is and how to prove it; only what is known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The account's name.
    pub(crate) domain: String,
    /// The account.
    pub(crate) domain_id: String,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project_id: Option<String>,
    /// The public half of its access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_key: Option<String>,
    /// The secret half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_key: Option<String>,
    /// The certificate of the authority that the service's own is signed by, with TLS.
    #[serde(default)]
    pub(crate) ca_file: Option<String>,
}

impl Account {
    /// Only the domain.
    pub(crate) fn of(domain: &Domain) -> Self {
        Self {
            domain: domain.name.clone(),
            domain_id: domain.id.to_string(),
            ..Self::default()
        }
    }

    /// Everything that the first start made.
    pub(crate) fn first(made: &FirstStart) -> Self {
        Self {
            password: Some(made.password.to_string()),
            ..Self::of(&made.domain)
        }
        .in_project(&made.project)
        .of_user(&made.user)
        .with_key(&made.key)
    }

    pub(crate) fn of_user(self, user: &User) -> Self {
        Self {
            user: Some(user.name.clone()),
            ..self
        }
    }

    pub(crate) fn in_project(self, project: &Project) -> Self {
        Self {
            project: Some(project.name.clone()),
            project_id: Some(project.id.to_string()),
            ..self
        }
    }

    pub(crate) fn with_key(self, key: &NewAccessKey) -> Self {
        Self {
            access_key: Some(key.key.access.to_string()),
            secret_key: Some(key.secret.to_string()),
            ..self
        }
    }

    /// One line per field that is known.
    pub(crate) fn text(&self) -> String {
        let fields = [
            ("domain", Some(&self.domain)),
            ("project", self.project.as_ref()),
            ("project_id", self.project_id.as_ref()),
            ("user", self.user.as_ref()),
            ("password", self.password.as_ref()),
            ("access_key", self.access_key.as_ref()),
            ("secret_key", self.secret_key.as_ref()),
            ("ca_file", self.ca_file.as_ref()),
        ];
        let known = fields
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        let lines: Vec<String> = known
            .map(|(name, value)| format!("{name:<12}{value}"))
            .collect();
        lines.join("\n")
    }
}

/// The certificate of the data directory's own authority, if it has one.
pub(crate) fn authority(folder: &Path) -> Option<String> {
    let path = folder.join("tls/ca.pem");
    path.exists().then(|| path.to_string_lossy().into_owned())
}

/// A random password of 24 letters: 139 bits.
pub(super) fn password(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut password = Zeroizing::new(String::with_capacity(24));
    while password.len() < 24 {
        let [draw] = random::<1>(entropy);
        // Every letter is as likely as the others: 224 is a multiple of 56.
        if draw < 224 {
            password.push(char::from(LETTERS[usize::from(draw) % LETTERS.len()]));
        }
    }
    password
}
