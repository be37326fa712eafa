//! Tokens: sign in by password or by another token, for a project, an account or neither.
//!
//! Requests are read leniently, because every client leaves out something else; what they mean is
//! told by [`CreateTokenRequest::identity`] and [`CreateTokenRequest::scope`].

use serde::{Deserialize, Serialize};

use super::catalog::CatalogEntry;
use crate::{text::Secret, time::IamTime};

queries! {
    /// The query of `KeystoneCreateUserTokenByPassword` and `KeystoneValidateToken`.
    TokenQuery {
        /// Any value at all leaves the catalogue out.
        nocatalog: Option<String>,
    }
}

/// The request of `KeystoneCreateUserTokenByPassword` and of its siblings on the same path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTokenRequest {
    /// Who asks, and for what.
    pub auth: Auth,
}

/// Who asks for a token, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// Who.
    pub identity: IdentityRequest,
    /// For what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeRequest>,
}

/// Who asks for a token (tables `PwdIdentity`, `MfaIdentity`, `ScopedTokenIdentity`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityRequest {
    /// `password`, `token`; `totp` and `assume_role` are known and not supported.
    pub methods: Vec<String>,
    /// For the method of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordRequest>,
    /// For the method of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenById>,
}

/// The method `password` (table `PwdPassword`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRequest {
    /// The user.
    pub user: UserRequest,
}

/// A user and the password (table PwdPasswordUser): by id, or by name and account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRequest {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<NameOrId>,
    /// The password.
    pub password: Secret,
}

/// The method `token` (table `ScopedToken`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenById {
    /// The token.
    pub id: Secret,
}

/// A thing by id or by name (tables `AuthScopeDomain`, `PwdPasswordUserDomain`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NameOrId {
    /// The thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a token is for: a table, or the word `unscoped` that keystoneauth sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScopeRequest {
    /// A word.
    Word(String),
    /// A project or an account.
    Of(ScopeOf),
}

/// A project or an account (tables `AuthScope`, `TokenSocpeOption`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScopeOf {
    /// A project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectScope>,
    /// An account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<NameOrId>,
}

/// A project by id, or by name and account; the user's own account if none is named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProjectScope {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<NameOrId>,
}

/// How a caller proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// By password.
    Password(&'a UserRequest),
    /// By a token that it has.
    Token(&'a str),
}

/// What a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Nothing in particular: only to look at one's projects.
    Unscoped,
    /// A project.
    Project(&'a ProjectScope),
    /// An account.
    Domain(&'a NameOrId),
}

/// A request for a token that says too little or asks for what is not supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// No method that we know.
    #[error("identity.methods must be [\"password\"] or [\"token\"], not {0:?}")]
    Methods(Vec<String>),
    /// The method's own part is missing.
    #[error("identity.{0} is missing")]
    Missing(&'static str),
}

impl CreateTokenRequest {
    /// How the caller proves who it is.
    pub fn identity(&self) -> Result<Identity<'_>, TokenRequestError> {
        let identity = &self.auth.identity;
        let methods: Vec<&str> = identity.methods.iter().map(String::as_str).collect();
        match methods.as_slice() {
            ["password"] => {
                let password = identity.password.as_ref();
                let user = &password.ok_or(TokenRequestError::Missing("password"))?.user;
                if user.id.is_none() && user.name.is_none() {
                    return Err(TokenRequestError::Missing("password.user.name"));
                }
                Ok(Identity::Password(user))
            }
            ["token"] => {
                let token = identity.token.as_ref();
                Ok(Identity::Token(
                    &token.ok_or(TokenRequestError::Missing("token"))?.id.0,
                ))
            }
            _ => Err(TokenRequestError::Methods(identity.methods.clone())),
        }
    }

    /// What the token is asked for; a project comes before an account.
    pub fn scope(&self) -> Scope<'_> {
        match &self.auth.scope {
            Some(ScopeRequest::Of(ScopeOf {
                project: Some(project),
                ..
            })) => Scope::Project(project),
            Some(ScopeRequest::Of(ScopeOf {
                domain: Some(domain),
                ..
            })) => Scope::Domain(domain),
            _ => Scope::Unscoped,
        }
    }
}

/// The answer of `KeystoneCreateUserTokenByPassword` and `KeystoneValidateToken`. The token itself
/// is the header `X-Subject-Token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenReply {
    /// What there is to know about the token.
    pub token: Token,
}

/// What there is to know about a token (table `TokenResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Where the services are, unless it was not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Vec<CatalogEntry>>,
    /// The account it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<NamedId>,
    /// Until when it is good.
    pub expires_at: IamTime,
    /// Since when it is good.
    pub issued_at: IamTime,
    /// How its holder signed in.
    pub methods: Vec<String>,
    /// The project it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<TokenProject>,
    /// What its holder may do.
    pub roles: Vec<NamedId>,
    /// Whose it is.
    pub user: TokenUser,
}

/// An account or a role, by both (tables `TokenDomainResult`, `TokenRole`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedId {
    /// The name.
    pub name: String,
    /// The id.
    pub id: String,
}

/// The project of a token (table `TokenProjectResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenProject {
    /// Its name.
    pub name: String,
    /// The project.
    pub id: String,
    /// Its account.
    pub domain: NamedId,
}

/// The user of a token (table `TokenUserResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUser {
    /// The name.
    pub name: String,
    /// The user.
    pub id: String,
    /// When the password expires; empty if never.
    pub password_expires_at: String,
    /// The account.
    pub domain: NamedId,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(identity: &Value, scope: &Value) -> CreateTokenRequest {
        serde_json::from_value(json!({"auth": {"identity": identity, "scope": scope}})).unwrap()
    }

    fn by_password() -> Value {
        json!({"methods": ["password"], "password": {"user": {
            "name": "admin", "domain": {"name": "acme"}, "password": "let me in",
        }}})
    }

    #[test]
    fn a_user_is_named_by_id_or_by_name_and_account() {
        let by_name = request(&by_password(), &Value::Null);
        let Identity::Password(user) = by_name.identity().unwrap() else {
            panic!("not password")
        };
        assert_eq!(user.domain.as_ref().unwrap().name.as_deref(), Some("acme"));
        assert!(
            !format!("{by_name:?}").contains("let me in"),
            "the password is printed"
        );
        let by_id = json!({"methods": ["password"],
            "password": {"user": {"id": "u", "password": "x", "name": null}}});
        let by_id = request(&by_id, &Value::Null);
        assert!(matches!(by_id.identity(), Ok(Identity::Password(user)) if user.name.is_none()));
    }

    #[test]
    fn a_token_is_as_good_as_a_password() {
        let identity = json!({"methods": ["token"], "token": {"id": "t", "duration_seconds": 900}});
        assert_eq!(
            request(&identity, &Value::Null).identity(),
            Ok(Identity::Token("t"))
        );
    }

    #[test]
    fn what_is_missing_or_not_supported_is_named() {
        let said = |identity: Value| {
            request(&identity, &Value::Null)
                .identity()
                .unwrap_err()
                .to_string()
        };
        let mfa = said(json!({"methods": ["password", "totp"]}));
        assert!(mfa.starts_with("identity.methods must be"), "{mfa}");
        assert_eq!(
            said(json!({"methods": ["token"]})),
            "identity.token is missing"
        );
        let nameless = json!({"methods": ["password"], "password": {"user": {"password": "x"}}});
        assert_eq!(said(nameless), "identity.password.user.name is missing");
    }

    #[test]
    fn every_form_of_scope_that_clients_send_is_understood() {
        for unscoped in [
            Value::Null,
            json!("unscoped"),
            json!({}),
            json!({"project": null}),
        ] {
            let request = request(&by_password(), &unscoped);
            assert_eq!(request.scope(), Scope::Unscoped, "{unscoped}");
        }
        let both = json!({"project": {"name": "r-1"}, "domain": {"id": "d"}});
        let request_for = request(&by_password(), &both);
        assert!(matches!(request_for.scope(), Scope::Project(project) if project.id.is_none()));
        let of_account = json!({"project": {"name": "r-1", "domain": {"id": "d"}}});
        let request_for = request(&by_password(), &of_account);
        let Scope::Project(project) = request_for.scope() else {
            panic!("not a project")
        };
        assert_eq!(project.domain.as_ref().unwrap().id.as_deref(), Some("d"));
        let request_for = request(&by_password(), &json!({"domain": {"name": "acme"}}));
        assert!(matches!(request_for.scope(), Scope::Domain(_)));
    }
}
