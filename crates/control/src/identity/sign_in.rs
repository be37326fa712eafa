//! Signing in: a password or a token becomes a new token, a token becomes a [`Session`].
//!
//! Every refusal reads the same and costs the same: a stranger learns neither which users and
//! projects there are nor which of them was wrong.

use std::sync::Arc;

use strongroom_catalog::{Json, TokenRow, TokenScope, Tx, UserRow};
use strongroom_model::{ProjectId, Timestamp, UserId};
use zeroize::Zeroizing;

use super::{
    Domain, Identity, Scope, Session, User,
    accounts::{roles_in, shown_domain, shown_project, shown_user},
    secret::{self, token_hash},
    throttle::Throttle,
};
use crate::{
    Error, Reason, Result,
    permissions::{Policy, policies_of},
};

/// How long a token is good for.
pub const TOKEN_SECONDS: i64 = 24 * 3600;

/// An account, by either.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Named {
    /// Its id.
    Id(String),
    /// Its name.
    Name(String),
}

/// A user who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserName {
    /// By id.
    Id(String),
    /// By name; in the first domain if none is named.
    Name(String, Option<Named>),
}

/// A project to enter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProjectName {
    /// By id.
    Id(String),
    /// By name; in the user's own domain if none is named.
    Name(String, Option<Named>),
}

/// What a caller proves itself by.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A password.
    Password(UserName, Zeroizing<String>),
    /// A token that it has.
    Token(Zeroizing<String>),
}

/// What a session is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ScopeWish {
    /// Nothing in particular.
    Unscoped,
    /// A project.
    Project(ProjectName),
    /// The account.
    Domain(Named),
}

/// An attempt to sign in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// What the caller proves itself by.
    pub proof: Proof,
    /// What it wants to enter.
    pub scope: ScopeWish,
    /// The network address it comes from.
    pub source: String,
}

/// A new token: the text is handed out once and not kept.
#[derive(Debug)]
pub struct Issued {
    /// What the caller sends from now on.
    pub token: Zeroizing<String>,
    /// What it stands for.
    pub session: Session,
}

impl Identity {
    /// Hands out a token for a password or for another token. A token got by a token ends when
    /// that one does.
    pub fn sign_in(&self, attempt: &SignIn) -> Result<Issued> {
        match &attempt.proof {
            Proof::Password(name, password) => {
                let user = self.check_password(name, password, &attempt.source)?;
                self.issue(user, &attempt.scope, vec!["password".to_owned()], None)
            }
            Proof::Token(token) => {
                let session = self.session(token)?;
                let mut methods = vec!["token".to_owned()];
                methods.extend(
                    session
                        .methods
                        .iter()
                        .filter(|known| *known != "token")
                        .cloned(),
                );
                self.issue(
                    session.user.id,
                    &attempt.scope,
                    methods,
                    Some(session.expires_at),
                )
            }
        }
    }

    /// What a token stands for now; refused if it is not good (any more).
    pub fn session(&self, token: &str) -> Result<Arc<Session>> {
        let hash = token_hash(token).ok_or_else(not_good)?;
        let now = self.0.clock.now();
        if let Some(session) = self.0.proven.of_token(self.version()?, hash) {
            // The one thing that takes a right away and changes nothing.
            return if now < session.expires_at {
                Ok(session)
            } else {
                Err(not_good())
            };
        }
        let (version, session) = self.session_afresh(&hash, now)?;
        let session = Arc::new(session);
        self.0.proven.keep_token(version, hash, &session);
        Ok(session)
    }

    /// The session of a token from the catalog, and the version that both were seen with.
    fn session_afresh(&self, hash: &[u8; 32], now: Timestamp) -> Result<(u64, Session)> {
        self.read(|tx| {
            let version = tx.identity_version()?;
            let row = tx.tokens().get(hash)?.ok_or_else(not_good)?;
            if row.revoked_at.is_some() || row.expires_at <= now {
                return Err(not_good());
            }
            let (user, domain, changed_at) = user_of(tx, &row.user_id)?.ok_or_else(not_good)?;
            if row.issued_at < changed_at {
                return Err(not_good());
            }
            let scope = match row.scope {
                TokenScope::Unscoped => Scope::Unscoped,
                TokenScope::Domain(_) => Scope::Domain,
                TokenScope::Project(id) => project_scope(tx, &id)?.ok_or_else(not_good)?,
            };
            let times = (row.issued_at, row.expires_at);
            let session = enter(tx, user, domain, scope, row.methods.0, times)?;
            Ok((version, session.ok_or_else(not_good)?))
        })
    }

    /// What a token stands for, told to another session: to the same user or an operator.
    pub fn inspect(&self, session: &Session, token: &str) -> Result<Session> {
        let unknown = || Error::not_found(Reason::NoSuchToken, "X-Subject-Token");
        let subject = self.session(token).map_err(|_| unknown())?;
        let same_domain = subject.domain.id == session.domain.id;
        let may = subject.user.id == session.user.id || (session.user.is_admin && same_domain);
        if may {
            Ok(Arc::unwrap_or_clone(subject))
        } else {
            Err(unknown())
        }
    }

    /// Ends a token; of another user for operators only.
    pub fn revoke(&self, session: &Session, token: &str) -> Result<()> {
        self.inspect(session, token)?;
        let now = self.0.clock.now();
        let Some(hash) = token_hash(token) else {
            return Err(not_good());
        };
        self.write(|tx| Ok(tx.tokens().revoke(&hash, now).map(drop)?))
    }

    fn check_password(&self, name: &UserName, password: &str, source: &str) -> Result<UserId> {
        let found = self.read(|tx| find_user(tx, name))?;
        // By id if there is one: a user has several names, and guesses at each count as one.
        let who = found
            .as_ref()
            .map_or_else(|| format!("{name:?}"), |row| row.id.to_string());
        let key = Throttle::key(&who, source);
        let now = self.0.clock.now();
        if let Some(seconds) = self.0.throttle.wait(&key, now) {
            return Err(Error::quota(
                Reason::TooManyAttempts,
                format!("wait {seconds} s"),
            ));
        }
        let stored = found.as_ref().and_then(|row| row.password_hash.as_ref());
        let stored = stored.and_then(|hash| std::str::from_utf8(&hash.0).ok());
        // The hash is checked even for nobody: the time it takes tells nothing.
        if self.0.passwords.check(password, stored)
            && let Some(user) = found
            && user.enabled
        {
            self.0.throttle.succeeded(&key);
            return Ok(user.id);
        }
        self.0.throttle.failed(key, now);
        Err(refused())
    }

    fn issue(
        &self,
        user: UserId,
        wish: &ScopeWish,
        methods: Vec<String>,
        until: Option<Timestamp>,
    ) -> Result<Issued> {
        let token = Zeroizing::new(secret::token(self.0.entropy.as_ref()));
        let hash = token_hash(&token).ok_or_else(not_good)?;
        let now = self.0.clock.now();
        let expires_at = until.unwrap_or(now.plus_seconds(TOKEN_SECONDS));
        let session = self.write(|tx| {
            tx.tokens().remove_ended_before(now)?;
            // Looked at again, in the transaction: it may have been shut out meanwhile.
            let (user, domain, _) = user_of(tx, &user)?.ok_or_else(refused)?;
            let scope = wished_scope(tx, &user, &domain, wish)?.ok_or_else(refused)?;
            let session = enter(tx, user, domain, scope, methods.clone(), (now, expires_at))?
                .ok_or_else(refused)?;
            tx.tokens().insert(&TokenRow {
                hash,
                user_id: session.user.id,
                scope: match &session.scope {
                    Scope::Project(project) => TokenScope::Project(project.id),
                    Scope::Domain => TokenScope::Domain(session.domain.id),
                    Scope::Unscoped => TokenScope::Unscoped,
                },
                methods: Json(methods),
                issued_at: now,
                expires_at,
                revoked_at: None,
            })?;
            Ok(session)
        })?;
        Ok(Issued { token, session })
    }
}

/// A user who may come in, its domain, and since when its password is the one it is.
pub(super) fn user_of(tx: &Tx<'_>, id: &UserId) -> Result<Option<(User, Domain, Timestamp)>> {
    let Some(row) = tx.users().get(id)?.filter(|row| row.enabled) else {
        return Ok(None);
    };
    let Some(domain) = tx.domains().get(&row.domain_id)? else {
        return Ok(None);
    };
    let changed_at = row.password_changed_at;
    Ok(Some((shown_user(row), shown_domain(domain), changed_at)))
}

/// The session of a user in a scope; `None` if the user has no business there.
pub(super) fn enter(
    tx: &Tx<'_>,
    user: User,
    domain: Domain,
    scope: Scope,
    methods: Vec<String>,
    (issued_at, expires_at): (Timestamp, Timestamp),
) -> Result<Option<Session>> {
    let within = match &scope {
        Scope::Project(project) => Some(&project.id),
        Scope::Domain | Scope::Unscoped => None,
    };
    let policies = policies_of(tx, &user.id, within)?;
    let roles = match &scope {
        Scope::Project(project) if project.enabled => roles_in(tx, &user, project)?,
        Scope::Project(_) => Vec::new(),
        Scope::Domain | Scope::Unscoped if user.is_admin => vec![super::Role::Admin],
        Scope::Domain | Scope::Unscoped => Vec::new(),
    };
    if let Scope::Project(project) = &scope {
        let own = project.enabled && project.domain_id == user.domain_id;
        let by_policy = own && policies.iter().any(Policy::allows_something);
        if roles.is_empty() && !by_policy {
            return Ok(None);
        }
    }
    Ok(Some(Session {
        user,
        domain,
        scope,
        roles,
        policies,
        methods,
        issued_at,
        expires_at,
    }))
}

/// The scope that a caller wishes for; `None` if there is no such thing for it.
pub(super) fn wished_scope(
    tx: &Tx<'_>,
    user: &User,
    domain: &Domain,
    wish: &ScopeWish,
) -> Result<Option<Scope>> {
    let own = |named: &Named| match named {
        Named::Id(id) => *id == domain.id.to_string(),
        Named::Name(name) => *name == domain.name,
    };
    Ok(match wish {
        ScopeWish::Unscoped => Some(Scope::Unscoped),
        ScopeWish::Domain(named) => own(named).then_some(Scope::Domain),
        ScopeWish::Project(ProjectName::Id(id)) => match id.parse() {
            Ok(id) => project_scope(tx, &id)?,
            Err(_) => None,
        },
        ScopeWish::Project(ProjectName::Name(name, of)) if of.as_ref().is_none_or(own) => tx
            .projects()
            .by_name(&user.domain_id, name)?
            .map(|row| Scope::Project(shown_project(row))),
        ScopeWish::Project(ProjectName::Name(..)) => None,
    })
}

fn project_scope(tx: &Tx<'_>, id: &ProjectId) -> Result<Option<Scope>> {
    Ok(tx
        .projects()
        .get(id)?
        .map(|row| Scope::Project(shown_project(row))))
}

fn find_user(tx: &Tx<'_>, name: &UserName) -> Result<Option<UserRow>> {
    let (name, domain) = match name {
        UserName::Id(id) => {
            let Ok(id) = id.parse() else { return Ok(None) };
            return Ok(tx.users().get(&id)?);
        }
        UserName::Name(name, domain) => (name, domain),
    };
    let domain = match domain {
        Some(Named::Name(name)) => tx.domains().by_name(name)?,
        Some(Named::Id(id)) => match id.parse() {
            Ok(id) => tx.domains().get(&id)?,
            Err(_) => None,
        },
        None => tx.domains().list()?.into_iter().next(),
    };
    match domain {
        Some(domain) => Ok(tx.users().by_name(&domain.id, name)?),
        None => Ok(None),
    }
}

fn refused() -> Error {
    let message = "the user, the password or what it is to enter is wrong".to_owned();
    Error::Unauthenticated { message }
}

fn not_good() -> Error {
    Error::Unauthenticated {
        message: "the token is not valid or has ended".to_owned(),
    }
}
