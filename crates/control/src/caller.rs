//! Who calls a use case: the identity that a token or a signature proved.

use strongroom_model::{DomainId, ProjectId, UserId};

/// The proven identity behind one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// The user's account.
    pub domain_id: DomainId,
    /// The project that the token or signature is for; none if it is for the account.
    pub project_id: Option<ProjectId>,
    /// Whether the user operates the service: may name paths of the host.
    pub is_admin: bool,
    /// The id of the request, as in its reply's header and in operation logs.
    pub request_id: String,
    /// The network address it came from.
    pub source: String,
}
