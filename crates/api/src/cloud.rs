//! What every handler works with: the use cases, who there is, and where the services are.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use strongroom_control::{
    Control,
    identity::{Identity, Session},
};
use strongroom_model::{Clock, Entropy, entropy::random};
use strongroom_wire::{
    Service,
    flavor::{self, Flavor},
};

use crate::{
    audit,
    authenticate::authenticate,
    failure::Failure,
    limit::Limit,
    metrics::Metrics,
    request::Request,
    service::{App, Outcome},
};

/// What every handler works with. Cheap to share, without state of its own.
pub struct Cloud {
    /// The use cases.
    pub control: Control,
    /// Who there is and who calls.
    pub identity: Identity,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Names requests.
    pub entropy: Arc<dyn Entropy>,
    /// Whose spelling the backup service's replies have.
    pub flavor: Flavor,
    /// How often a project may ask.
    pub limit: Limit,
    /// What was counted since the start.
    pub metrics: Metrics,
    /// Says whether the parts below can work, by part; empty if all can.
    pub health: Health,
}

/// Asks the parts below whether they can work: part to problem, empty if all is well.
pub type Health = Box<dyn Fn() -> BTreeMap<String, String> + Send + Sync>;

/// Where the services are: the content of `endpoints.json`. Origins have no closing slash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Endpoints {
    /// The region, which is also the name of the first project.
    pub region: String,
    /// Identity and our own API.
    pub identity: String,
    /// Cloud Backup and Recovery.
    pub cbr: String,
    /// The database middleware's backup API.
    pub ddm: String,
    /// The audit service's backup API.
    pub dbss: String,
    /// Enterprise projects.
    pub eps: String,
    /// The console.
    pub console: String,
    /// Stores that are kept for other services, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<String>,
}

impl App for Cloud {
    fn new_request_id(&self) -> String {
        hex::encode(random::<16>(self.entropy.as_ref()))
    }

    fn authenticate(
        &self,
        request: &Request,
        project: Option<&str>,
    ) -> Result<Arc<Session>, Failure> {
        authenticate(self, request, project)
    }

    fn is_free(&self) -> bool {
        self.identity.is_free()
    }

    fn admit(&self, session: &Session) -> Result<(), Failure> {
        self.limit.admit(session, self.clock.as_ref())
    }

    fn write<R: Serialize>(&self, service: Service, reply: &R) -> serde_json::Result<Vec<u8>> {
        match (self.flavor, service) {
            // Its documents know the backup service in a spelling of their own, and no other.
            (Flavor::Otc, Service::Cbr) => flavor::offset(reply),
            _ => serde_json::to_vec(reply),
        }
    }

    fn finished(&self, outcome: &Outcome<'_>) {
        self.metrics.count(outcome);
        audit::finished(self, outcome);
    }
}
