//! Access keys: pairs of a public id and a secret that signs requests.
//!
//! The secret is told once, when the key is made, and kept sealed, because a signature can only
//! be checked by making it again.

use std::sync::Arc;

use strongroom_catalog::{AccessKeyRow, Sealed, Tx};
use strongroom_model::{AccessKeyId, Timestamp, UserId};
use zeroize::Zeroizing;

use super::{
    Identity, ScopeWish, Session,
    accounts::user_row,
    proven::{Proof, Signed},
    secret,
    sign_in::{enter, user_of, wished_scope},
};
use crate::{Error, Reason, Result};

pub use strongroom_catalog::KeyStatus;

/// How many access keys a user can have.
pub const KEYS_MAX: usize = 2;
/// How exact "last used" is; an exact one would write to the catalog on every request.
const LAST_USED_SECONDS: i64 = 3600;
/// How long the session that a signature proves could be used, if anybody kept it.
const SESSION_SECONDS: i64 = 15 * 60;
const DESCRIPTION_CHARACTERS_MAX: usize = 255;

/// An access key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub access: AccessKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// What its user wrote about it.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_used_at: Option<Timestamp>,
}

/// An access key that was just made.
#[derive(Debug)]
pub struct NewAccessKey {
    /// The key.
    pub key: AccessKey,
    /// Its secret, which cannot be asked for again.
    pub secret: Zeroizing<String>,
}

/// What checks a signature.
#[derive(Debug)]
pub struct SigningKey {
    /// The public half.
    pub access: AccessKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// The secret half.
    pub secret: Zeroizing<String>,
}

impl Identity {
    /// The key that a request says it is signed with; refused if it may not be used.
    pub fn signing_key(&self, access: &AccessKeyId) -> Result<Arc<SigningKey>> {
        if let Some(key) = self.0.proven.key(self.version()?, access) {
            return Ok(key);
        }
        let (version, row) = self.read(|tx| {
            let version = tx.identity_version()?;
            Ok((version, tx.access_keys().get(access)?))
        })?;
        let row = row
            .filter(|row| row.status == KeyStatus::Active)
            .ok_or_else(refused)?;
        let secret = secret::open(&self.0.master, access, &row.secret_sealed.0)?;
        let key = Arc::new(SigningKey {
            access: row.access,
            user_id: row.user_id,
            secret,
        });
        self.0.proven.keep_key(version, &key);
        Ok(key)
    }

    /// The session of a request whose signature holds. Forbidden if the key's user has no
    /// business in the scope; refused like a bad signature if the user is shut out.
    pub fn session_of_key(&self, key: &SigningKey, wish: &ScopeWish) -> Result<Arc<Session>> {
        let now = self.0.clock.now();
        let proof = Proof::Signature(key.access.clone(), wish.clone());
        let stale = |noted: Timestamp| noted.plus_seconds(LAST_USED_SECONDS) <= now;
        let known = self.0.proven.of_signature(self.version()?, &proof);
        if let Some(known) = known.filter(|known| !stale(known.noted_at)) {
            return Ok(Arc::new(Session {
                issued_at: now,
                expires_at: now.plus_seconds(SESSION_SECONDS),
                ..Session::clone(&known.session)
            }));
        }
        let (version, session, last) = self.read(|tx| {
            let version = tx.identity_version()?;
            let (user, domain, _) = user_of(tx, &key.user_id)?.ok_or_else(refused)?;
            let nowhere = || Error::forbidden("the access key's user has no role there");
            let scope = wished_scope(tx, &user, &domain, wish)?.ok_or_else(nowhere)?;
            let times = (now, now.plus_seconds(SESSION_SECONDS));
            let session = enter(tx, user, domain, scope, vec!["ak/sk".to_owned()], times)?;
            let row = tx.access_keys().get(&key.access)?;
            let last = row.and_then(|row| row.last_used_at);
            Ok((version, session.ok_or_else(nowhere)?, last))
        })?;
        let session = Arc::new(session);
        let fresh = last.filter(|last| !stale(*last));
        if let Some(noted_at) = fresh.or_else(|| self.note_use(&key.access, now)) {
            let signed = Signed {
                session: Arc::clone(&session),
                noted_at,
            };
            self.0.proven.keep(version, proof, signed);
        }
        Ok(session)
    }

    /// Notes that a key was used; when, if that worked. The request is as good without the note.
    fn note_use(&self, access: &AccessKeyId, now: Timestamp) -> Option<Timestamp> {
        let noted = self.write(|tx| {
            Ok(tx
                .access_keys()
                .change(access, |row| row.last_used_at = Some(now))?)
        });
        if let Err(error) = noted {
            tracing::warn!(%error, %access, "cannot note the use of a key");
            return None;
        }
        Some(now)
    }

    /// Makes an access key for a user; for the operator.
    pub fn create_key(&self, user: UserId, description: &str) -> Result<NewAccessKey> {
        check_description(description)?;
        self.write(|tx| self.insert_key(tx, user, description))
    }

    /// Makes an access key for the caller, or by an operator for another user.
    pub fn create_key_for(
        &self,
        session: &Session,
        user: UserId,
        description: &str,
    ) -> Result<NewAccessKey> {
        self.own_user(session, user)?;
        self.create_key(user, description)
    }

    /// The access keys of a user, the oldest first.
    pub fn list_keys(&self, session: &Session, user: UserId) -> Result<Vec<AccessKey>> {
        self.own_user(session, user)?;
        let rows = self.read(|tx| Ok(tx.access_keys().of_user(&user)?))?;
        Ok(rows.into_iter().map(shown).collect())
    }

    /// One access key.
    pub fn show_key(&self, session: &Session, access: &AccessKeyId) -> Result<AccessKey> {
        let missing = || Error::not_found(Reason::NoSuchAccessKey, access);
        let row = self
            .read(|tx| Ok(tx.access_keys().get(access)?))?
            .ok_or_else(missing)?;
        self.own_user(session, row.user_id).map_err(|_| missing())?;
        Ok(shown(row))
    }

    /// Changes what is given of an access key.
    pub fn update_key(
        &self,
        session: &Session,
        access: &AccessKeyId,
        status: Option<KeyStatus>,
        description: Option<String>,
    ) -> Result<AccessKey> {
        self.show_key(session, access)?;
        check_description(description.as_deref().unwrap_or_default())?;
        let row = self.write(|tx| {
            Ok(tx.access_keys().change(access, |row| {
                row.status = status.unwrap_or(row.status);
                if let Some(description) = description {
                    row.description = description;
                }
            })?)
        })?;
        Ok(shown(row))
    }

    /// Ends an access key.
    pub fn delete_key(&self, session: &Session, access: &AccessKeyId) -> Result<()> {
        self.show_key(session, access)?;
        self.write(|tx| Ok(tx.access_keys().remove(access).map(drop)?))
    }

    pub(super) fn insert_key(
        &self,
        tx: &Tx<'_>,
        user: UserId,
        description: &str,
    ) -> Result<NewAccessKey> {
        user_row(tx, &user)?;
        if tx.access_keys().of_user(&user)?.len() >= KEYS_MAX {
            let message = format!("a user has at most {KEYS_MAX} access keys; delete one");
            return Err(Error::QuotaExceeded {
                reason: Reason::AlreadyExists,
                message,
            });
        }
        let (access, secret) = secret::access_key(self.0.entropy.as_ref());
        let sealed = secret::seal(&self.0.master, &access, &secret, self.0.entropy.as_ref());
        let row = AccessKeyRow {
            access,
            user_id: user,
            secret_sealed: Sealed(sealed),
            status: KeyStatus::Active,
            description: description.to_owned(),
            created_at: self.0.clock.now(),
            last_used_at: None,
        };
        tx.access_keys().insert(&row)?;
        Ok(NewAccessKey {
            key: shown(row),
            secret,
        })
    }

    /// Lets a caller at its own keys, and an operator at those of its domain.
    fn own_user(&self, session: &Session, user: UserId) -> Result<()> {
        if user == session.user.id {
            return Ok(());
        }
        session.require_admin()?;
        let row = self.read(|tx| user_row(tx, &user))?;
        if row.domain_id == session.domain.id {
            Ok(())
        } else {
            Err(Error::not_found(Reason::NoSuchUser, user))
        }
    }
}

fn shown(row: AccessKeyRow) -> AccessKey {
    let AccessKeyRow {
        access,
        user_id,
        status,
        description,
        created_at,
        last_used_at,
        ..
    } = row;
    AccessKey {
        access,
        user_id,
        status,
        description,
        created_at,
        last_used_at,
    }
}

fn check_description(text: &str) -> Result<()> {
    if text.chars().count() > DESCRIPTION_CHARACTERS_MAX {
        let problem = format!("must have at most {DESCRIPTION_CHARACTERS_MAX} characters");
        return Err(Error::invalid("description", problem));
    }
    Ok(())
}

fn refused() -> Error {
    Error::Unauthenticated {
        message: "the access key or the signature is wrong".to_owned(),
    }
}
