//! What a store takes from the process's environment, read in this one place.
//!
//! Secrets come from here and never from a URL, because URLs end up in logs, shell histories and
//! catalogs.

use std::{env, fmt, path::PathBuf};

/// Settings from outside the URL; tests make their own.
#[derive(Clone, Default)]
pub struct Environment {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Option<String>,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Option<String>,
    /// `AWS_SESSION_TOKEN`
    pub session_token: Option<String>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`; the URL's wins
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`; the URL's wins
    pub endpoint: Option<String>,
    /// `STRONGROOM_S3_CA`: a file with the certificates, in PEM, of authorities that are trusted
    /// beside the system's
    pub authorities: Option<PathBuf>,
    /// `STRONGROOM_STORE_SECRET`: for a store of another Strongroom; a file that the URL names wins
    pub store_secret: Option<String>,
}

impl Environment {
    /// The variables of this process; empty ones count as unset.
    pub fn of_process() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let either = |first, second| variable(first).or_else(|| variable(second));
        Self {
            access_key_id: variable("AWS_ACCESS_KEY_ID"),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: variable("AWS_SESSION_TOKEN"),
            region: either("AWS_REGION", "AWS_DEFAULT_REGION"),
            endpoint: either("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            authorities: variable("STRONGROOM_S3_CA").map(PathBuf::from),
            store_secret: variable("STRONGROOM_STORE_SECRET"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Environment")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}
