//! Identity: who there is, what they may enter, and who calls.
//!
//! - [`accounts`]: domains, projects, users, roles; the first start
//! - [`sign_in`]: passwords and tokens become [`Session`]s
//! - [`access_keys`]: keys that sign requests, and the sessions that they prove
//! - [`session`]: what a proven caller is and may do
//! - `password`, `secret`, `throttle`: how secrets are kept, and guessed slowly
//!
//! Invariants: a session is made from the catalog as it is now, so taking something away works at
//! once; no refusal of a sign-in tells whether the user, the project or the password was wrong;
//! nothing here keeps a password or a token, and secrets of access keys are kept sealed.

pub mod access_keys;
pub mod accounts;
mod password;
mod secret;
pub mod session;
pub mod sign_in;
mod throttle;

use std::sync::Arc;

use strongroom_catalog::{AuditRow, Catalog, Tx};
use strongroom_model::{Clock, Entropy, ProjectId};

use crate::{Result, keys::MasterKey};

pub use access_keys::{AccessKey, KeyStatus, NewAccessKey, SigningKey};
pub use accounts::{FirstStart, NewUser, ProjectFilter};
pub use session::{Domain, Project, Role, Scope, Session, User};
pub use sign_in::{Issued, Named, ProjectName, Proof, ScopeWish, SignIn, UserName};

/// The handle on identity. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    master: MasterKey,
    passwords: password::Passwords,
    throttle: throttle::Throttle,
}

/// Something that was done, or tried, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The user's id, or how the caller called itself if that was not proven.
    pub who: String,
    /// The project it concerned.
    pub project_id: Option<ProjectId>,
    /// The network address it came from.
    pub source: String,
    /// The request.
    pub request_id: String,
    /// The operation, such as `cbr:vaults:delete`.
    pub operation: String,
    /// What it was done to: the path.
    pub target: String,
    /// The status and code of the answer.
    pub outcome: String,
}

impl Identity {
    /// Identity over a catalog. Takes about as long as checking one password.
    pub fn new(
        catalog: Catalog,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master: MasterKey,
    ) -> Result<Self> {
        let passwords = password::Passwords::new(entropy.as_ref())?;
        let throttle = throttle::Throttle::default();
        Ok(Self(Arc::new(Inner {
            catalog,
            clock,
            entropy,
            master,
            passwords,
            throttle,
        })))
    }

    /// Adds to the audit trail, which nothing ever takes away from.
    pub fn record(&self, deed: Deed) -> Result<()> {
        let row = AuditRow {
            seq: 0,
            at: self.0.clock.now(),
            project_id: deed.project_id,
            who: deed.who,
            source: deed.source,
            request_id: deed.request_id,
            operation: deed.operation,
            target: deed.target,
            outcome: deed.outcome,
        };
        self.write(|tx| Ok(tx.audit().append(&row).map(drop)?))
    }

    fn read<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.catalog.read(body)
    }

    fn write<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.catalog.write(body)
    }
}

#[cfg(test)]
mod tests;
