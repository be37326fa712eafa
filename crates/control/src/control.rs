//! The handle on all use cases, and what it is made of.
//!
//! `Control` is cheap to clone and holds no state of its own: everything it knows is in the
//! catalog and in the repositories, so that a second one over the same two knows the same.

use std::{path::PathBuf, sync::Arc};

use strongroom_model::{Clock, Entropy, ProjectId};

use crate::{Caller, Error, Result};

/// What a [`Control`] works with.
pub struct Parts {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Where repositories are made: a store's URL; each vault has `<url>/<vault id>`.
    pub store_url: String,
    /// The service's own directories, which no resource may be inside of.
    pub own_paths: Vec<PathBuf>,
}

/// The handle on all use cases.
#[derive(Clone)]
pub struct Control {
    parts: Arc<Parts>,
}

impl Control {
    /// The use cases over `parts`.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// Refuses: the use case lands with the catalog.
    pub(crate) fn pending<T, A>(&self, caller: &Caller, _arguments: A) -> Result<T> {
        project(caller)?;
        let _ = (
            &self.parts.store_url,
            &self.parts.own_paths,
            self.parts.clock.now(),
        );
        let _ = self.parts.entropy.uuid();
        Err(Error::Unavailable {
            what: "this use case".into(),
            source: None,
        })
    }
}

/// The project that the caller works in.
pub(crate) fn project(caller: &Caller) -> Result<ProjectId> {
    caller
        .project_id
        .ok_or_else(|| Error::forbidden("this needs a token for a project"))
}
