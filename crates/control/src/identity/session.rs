//! Sessions: who a proven caller is, and in which scope.
//!
//! A session is what a token stands for, or what one signed request proves. It says what the
//! catalog says at the time of the request, so that disabling a user or a project, or taking a
//! role away, works at once and not when a token runs out.

use strongroom_model::{DomainId, ProjectId, Timestamp, UserId};

use crate::{
    Caller, Error, Result,
    permissions::{Ask, Policy, permit},
};

pub use crate::permissions::Role;

/// An account as others see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Its name, unique in the installation.
    pub name: String,
}

/// A project as others see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name, unique in its domain; a region's default project is named like the region.
    pub name: String,
    /// The account it belongs to.
    pub domain_id: DomainId,
    /// Whether anybody may act for it.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user as others see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name, unique in its domain.
    pub name: String,
    /// The account it belongs to.
    pub domain_id: DomainId,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// Whether it operates the service.
    pub is_admin: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a session is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// One project.
    Project(Project),
    /// The account.
    Domain,
    /// Nothing but finding out what there is.
    Unscoped,
}

/// A proven caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The user.
    pub user: User,
    /// The user's account.
    pub domain: Domain,
    /// What it is for.
    pub scope: Scope,
    /// The user's roles in the scope.
    pub roles: Vec<Role>,
    /// The custom policies that concern the user in the scope.
    pub policies: Vec<Policy>,
    /// How it was proven: `password`, `token`; a signature is `ak/sk`.
    pub methods: Vec<String>,
    /// When it began.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// The project it is for.
    pub const fn project(&self) -> Option<&Project> {
        match &self.scope {
            Scope::Project(project) => Some(project),
            Scope::Domain | Scope::Unscoped => None,
        }
    }

    /// Whether it is for the project with that id, as spelt in a path.
    pub fn acts_for(&self, project_id: &str) -> bool {
        let id = project_id.parse::<ProjectId>();
        id.is_ok_and(|id| self.project().is_some_and(|project| project.id == id))
    }

    /// Whether that is the caller's account, of which the session is for a project.
    pub fn is_of(&self, domain_id: &str) -> bool {
        self.project().is_some() && self.domain.id.to_string() == domain_id.to_ascii_lowercase()
    }

    /// Whether roles and policies permit it.
    pub fn permits(&self, action: &str, target: Option<(&str, &str)>) -> bool {
        let account = self.domain.id.to_string();
        let ask = Ask {
            action,
            account: &account,
            target,
        };
        permit(&self.roles, &self.policies, &ask)
    }

    /// Refuses all but operators.
    pub fn require_admin(&self) -> Result<()> {
        if self.user.is_admin {
            Ok(())
        } else {
            Err(Error::forbidden(
                "only an operator (a user with the role admin) may do this",
            ))
        }
    }

    /// The same identity for a use case.
    pub fn caller(&self, request_id: String, source: String) -> Caller {
        Caller {
            user_id: self.user.id,
            domain_id: self.user.domain_id,
            project_id: self.project().map(|project| project.id),
            is_admin: self.user.is_admin,
            request_id,
            source,
        }
    }
}
