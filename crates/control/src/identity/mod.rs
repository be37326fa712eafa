//! Identity: who there is, what they may enter, and who calls.
//!
//! - [`accounts`]: domains, projects, users, roles; the first start
//! - [`sign_in`]: passwords and tokens become [`Session`]s
//! - [`access_keys`]: keys that sign requests, and the sessions that they prove
//! - [`session`]: what a proven caller is and may do
//! - `proven`: what holds as long as nothing of identity changes, so that it is not made anew
//! - `password`, `secret`, `throttle`: how secrets are kept, and guessed slowly
//!
//! Invariants: a session is as the catalog is now, so taking something away works at
//! once; no refusal of a sign-in tells whether the user, the project or the password was wrong;
//! nothing here keeps a password or a token, and secrets of access keys are kept sealed.

pub mod access_keys;
pub mod accounts;
mod password;
mod proven;
mod secret;
pub mod session;
pub mod sign_in;
mod throttle;

use std::sync::Arc;

use strongroom_catalog::{Catalog, Tx};
use strongroom_model::{Clock, Entropy, Timestamp};

use crate::{Result, audit::Sealer, keys::MasterKey};

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
    sealer: Sealer,
    proven: proven::Proven,
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
        let sealer = Sealer::new(&master);
        Ok(Self(Arc::new(Inner {
            catalog,
            clock,
            entropy,
            master,
            passwords,
            throttle,
            sealer,
            proven: proven::Proven::default(),
        })))
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whether a look at who calls would begin at once, and not wait for others to end.
    pub fn is_free(&self) -> bool {
        self.0.catalog.is_free()
    }

    /// The version of all that sessions are made of, as it is now.
    fn version(&self) -> Result<u64> {
        Ok(self.0.catalog.identity_version()?)
    }

    pub(crate) fn read<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.catalog.read(body)
    }

    pub(crate) fn write<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.catalog.write(body)
    }
}

#[cfg(test)]
mod tests;
