//! How a caller proves who it is.

use strongroom_wire::{
    iam::token::{
        Auth, CreateTokenRequest, IdentityRequest, NameOrId, PasswordRequest, ProjectScope,
        ScopeOf, ScopeRequest, UserRequest,
    },
    text::Secret,
};

/// How a caller proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all: only for what the service answers to anybody.
    Anonymous,
    /// By a token that it has.
    Token {
        /// The token.
        token: Secret,
        /// The project's id, if the token is for one.
        project_id: Option<String>,
    },
    /// By an access key; every request is signed.
    AccessKey {
        /// The public half.
        access_key: String,
        /// The secret half.
        secret_key: Secret,
        /// The project's id, if calls are to be for one.
        project_id: Option<String>,
    },
    /// By password; a token is fetched for the first call, and again when it is not good any more.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
        /// The name of the user's account.
        domain: String,
        /// The project.
        project: Option<ProjectChoice>,
    },
}

/// A project by id or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChoice {
    /// By id.
    Id(String),
    /// By name, within the user's account.
    Name(String),
}

/// The request for a token by password.
pub(crate) fn by_password(
    user: &str,
    password: &Secret,
    domain: &str,
    project: Option<&ProjectChoice>,
) -> CreateTokenRequest {
    let domain = NameOrId {
        id: None,
        name: Some(domain.to_owned()),
    };
    let project = project.map(|project| match project {
        ProjectChoice::Id(id) => ProjectScope {
            id: Some(id.clone()),
            ..ProjectScope::default()
        },
        ProjectChoice::Name(name) => ProjectScope {
            id: None,
            name: Some(name.clone()),
            domain: Some(domain.clone()),
        },
    });
    let user = UserRequest {
        id: None,
        name: Some(user.to_owned()),
        domain: Some(domain),
        password: password.clone(),
    };
    let scope = project.map(|project| {
        ScopeRequest::Of(ScopeOf {
            project: Some(project),
            domain: None,
        })
    });
    CreateTokenRequest {
        auth: Auth {
            identity: IdentityRequest {
                methods: vec!["password".to_owned()],
                password: Some(PasswordRequest { user }),
                token: None,
            },
            scope,
        },
    }
}
