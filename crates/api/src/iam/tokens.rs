//! Tokens: handed out, looked at, ended.

use http::{HeaderName, HeaderValue};
use strongroom_control::identity::{
    Named, ProjectName, Proof, Scope, ScopeWish, Session, SignIn, UserName,
};
use strongroom_wire::{
    Empty,
    iam::{
        self as wire,
        token::{
            Identity, NameOrId, NamedId, ProjectScope, Scope as AskedScope, Token, TokenProject,
            TokenReply, TokenRequestError, TokenUser, UserRequest,
        },
    },
    time::IamTime,
};
use zeroize::Zeroizing;

use super::catalog;
use crate::{
    call::{Answer, Call},
    cloud::Cloud,
    failure::Failure,
    request::Request,
};

const SUBJECT: HeaderName = HeaderName::from_static("x-subject-token");

/// Hands out a token. Some SDKs sign this request too: what proves the caller is the body alone.
pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::KeystoneCreateUserTokenByPassword>,
) -> Result<Answer<TokenReply>, Failure> {
    let proof = match call.body.identity() {
        Ok(Identity::Password(user)) => {
            Proof::Password(user_name(user)?, Zeroizing::new(user.password.0.clone()))
        }
        Ok(Identity::Token(token)) => Proof::Token(Zeroizing::new(token.to_owned())),
        Err(problem @ TokenRequestError::Methods(_)) => {
            return Err(Failure::Unauthenticated(problem.to_string().into()));
        }
        Err(problem) => return Err(Failure::malformed("body", problem)),
    };
    let scope = match call.body.scope() {
        AskedScope::Unscoped => ScopeWish::Unscoped,
        AskedScope::Project(project) => ScopeWish::Project(project_name(project)?),
        AskedScope::Domain(domain) => ScopeWish::Domain(named(domain, "scope.domain")?),
    };
    let source = call.request.source();
    let issued = cloud.identity.sign_in(&SignIn {
        proof,
        scope,
        source,
    })?;
    let token = HeaderValue::from_str(&issued.token).map_err(|_| Failure::Broken)?;
    Ok(Answer {
        reply: present(cloud, &issued.session, call.query.nocatalog.is_none()),
        headers: vec![(SUBJECT, token)],
    })
}

pub(super) fn validate(
    cloud: &Cloud,
    call: &Call<wire::KeystoneValidateToken>,
) -> Result<Answer<TokenReply>, Failure> {
    let subject = subject(&call.request)?;
    let session = cloud.identity.inspect(call.session()?, subject)?;
    let token = HeaderValue::from_str(subject).map_err(|_| Failure::Broken)?;
    Ok(Answer {
        reply: present(cloud, &session, call.query.nocatalog.is_none()),
        headers: vec![(SUBJECT, token)],
    })
}

pub(super) fn check(
    cloud: &Cloud,
    call: &Call<wire::KeystoneCheckToken>,
) -> Result<Empty, Failure> {
    cloud
        .identity
        .inspect(call.session()?, subject(&call.request)?)?;
    Ok(Empty)
}

pub(super) fn revoke(
    cloud: &Cloud,
    call: &Call<wire::KeystoneRevokeToken>,
) -> Result<Empty, Failure> {
    cloud
        .identity
        .revoke(call.session()?, subject(&call.request)?)?;
    Ok(Empty)
}

fn subject(request: &Request) -> Result<&str, Failure> {
    let missing = || Failure::malformed("X-Subject-Token", "is missing");
    request.header(SUBJECT.as_str()).ok_or_else(missing)
}

fn user_name(user: &UserRequest) -> Result<UserName, Failure> {
    let domain = user
        .domain
        .as_ref()
        .map(|of| named(of, "user.domain"))
        .transpose()?;
    match (&user.id, &user.name) {
        (Some(id), _) => Ok(UserName::Id(id.clone())),
        (None, Some(name)) => Ok(UserName::Name(name.clone(), domain)),
        (None, None) => Err(Failure::malformed("body", "the user has no id and no name")),
    }
}

fn project_name(project: &ProjectScope) -> Result<ProjectName, Failure> {
    let domain = project
        .domain
        .as_ref()
        .map(|of| named(of, "project.domain"))
        .transpose()?;
    match (&project.id, &project.name) {
        (Some(id), _) => Ok(ProjectName::Id(id.clone())),
        (None, Some(name)) => Ok(ProjectName::Name(name.clone(), domain)),
        (None, None) => Err(Failure::malformed(
            "body",
            "the project has no id and no name",
        )),
    }
}

fn named(thing: &NameOrId, field: &str) -> Result<Named, Failure> {
    match (&thing.id, &thing.name) {
        (Some(id), _) => Ok(Named::Id(id.clone())),
        (None, Some(name)) => Ok(Named::Name(name.clone())),
        (None, None) => Err(Failure::malformed(
            "body",
            format!("{field} has no id and no name"),
        )),
    }
}

fn present(cloud: &Cloud, session: &Session, with_catalog: bool) -> TokenReply {
    let domain = NamedId {
        name: session.domain.name.clone(),
        id: session.domain.id.to_string(),
    };
    let roles = session.roles.iter().map(|role| NamedId {
        name: role.to_string(),
        id: catalog::stable_id(&format!("role {role}")),
    });
    TokenReply {
        token: Token {
            catalog: with_catalog.then(|| catalog::entries(&cloud.endpoints, session)),
            domain: (session.scope == Scope::Domain).then(|| domain.clone()),
            expires_at: IamTime::from_micros(session.expires_at.as_micros()),
            issued_at: IamTime::from_micros(session.issued_at.as_micros()),
            methods: session.methods.clone(),
            project: session.project().map(|project| TokenProject {
                name: project.name.clone(),
                id: project.id.to_string(),
                domain: domain.clone(),
            }),
            roles: roles.collect(),
            user: TokenUser {
                name: session.user.name.clone(),
                id: session.user.id.to_string(),
                password_expires_at: String::new(),
                domain: domain.clone(),
            },
        },
    }
}
