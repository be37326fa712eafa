//! Access keys, with their secret sealed, and tokens, known by their hash.
//!
//! A stolen catalog gives away no token and, without the master key, no secret.

use strongroom_model::{AccessKeyId, DomainId, ProjectId, Timestamp, UserId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::{Field, Json, Sealed, Value, words},
};

/// Whether an access key may be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It may not, for now.
    Inactive,
}

impl KeyStatus {
    /// The word for it, which is also the vendor's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Inactive]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

words!(KeyStatus);

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenScope {
    /// To say who its user is, and to get a scoped token.
    Unscoped,
    /// One project.
    Project(ProjectId),
    /// The matters of one domain.
    Domain(DomainId),
}

impl Field for TokenScope {
    fn to_value(&self) -> Value {
        Value::Text(match self {
            Self::Unscoped => "unscoped".to_owned(),
            Self::Project(id) => format!("project:{id}"),
            Self::Domain(id) => format!("domain:{id}"),
        })
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let text = String::from_value(value)?;
        let unknown = || format!("the unknown scope {text:?}");
        match text.split_once(':') {
            None if text == "unscoped" => Ok(Self::Unscoped),
            Some(("project", id)) => id.parse().map(Self::Project).map_err(|_| unknown()),
            Some(("domain", id)) => id.parse().map(Self::Domain).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

table! {
    /// A key pair for signing requests.
    pub struct AccessKeyRow, "access_keys", "access key", key ["access"] {
        /// The public half.
        access: AccessKeyId,
        /// Whose it is.
        user_id: UserId,
        /// The secret half, sealed by the caller.
        secret_sealed: Sealed,
        /// Whether it may be used.
        status: KeyStatus,
        /// What its user wrote about it.
        description: String,
        /// When it was made.
        created_at: Timestamp,
        /// When it last signed a request, roughly.
        last_used_at: Option<Timestamp>,
    }
}

table! {
    /// A token that was handed out.
    pub struct TokenRow, "tokens", "token", key ["hash"] {
        /// The BLAKE3 of the token's text.
        hash: [u8; 32],
        /// Whose it is.
        user_id: UserId,
        /// What it is good for.
        scope: TokenScope,
        /// How its user proved who they are.
        methods: Json<Vec<String>>,
        /// When it was handed out.
        issued_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
        /// When it was revoked, if it was.
        revoked_at: Option<Timestamp>,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("access", Ascending)];

/// The table of access keys.
pub struct AccessKeys<'t>(&'t Tx<'t>);

/// The table of tokens.
pub struct Tokens<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The access keys.
    pub fn access_keys(&self) -> AccessKeys<'_> {
        AccessKeys(self)
    }

    /// The tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }
}

impl AccessKeys<'_> {
    /// Adds a key.
    pub fn insert(&self, row: &AccessKeyRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The key with that public half.
    pub fn get(&self, access: &AccessKeyId) -> Result<Option<AccessKeyRow>> {
        self.0.one(&Filter::new().is("access", access))
    }

    /// The user's keys, the oldest first.
    pub fn of_user(&self, user: &UserId) -> Result<Vec<AccessKeyRow>> {
        self.0.select(&Filter::new().is("user_id", user), BY_AGE)
    }

    /// Changes a key and returns it; `NotFound` if there is none.
    pub fn change(
        &self,
        access: &AccessKeyId,
        edit: impl FnOnce(&mut AccessKeyRow),
    ) -> Result<AccessKeyRow> {
        self.0
            .change(&Filter::new().is("access", access), access, edit)
    }

    /// Removes a key; `false` if there was none.
    pub fn remove(&self, access: &AccessKeyId) -> Result<bool> {
        Ok(self
            .0
            .remove::<AccessKeyRow>(&Filter::new().is("access", access))?
            > 0)
    }
}

impl Tokens<'_> {
    /// Adds a token.
    pub fn insert(&self, row: &TokenRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The token with that hash, however old or revoked.
    pub fn get(&self, hash: &[u8; 32]) -> Result<Option<TokenRow>> {
        self.0.one(&Filter::new().is("hash", hash))
    }

    /// Revokes a token; `false` if there is none. A token stays revoked since the first time.
    pub fn revoke(&self, hash: &[u8; 32], now: Timestamp) -> Result<bool> {
        let sql = "UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?2) WHERE hash = ?1";
        Ok(self.0.execute(sql, &[hash.to_value(), now.to_value()])? > 0)
    }

    /// Revokes all tokens of a user; how many were good until now.
    pub fn revoke_of_user(&self, user: &UserId, now: Timestamp) -> Result<u64> {
        let sql = "UPDATE tokens SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL";
        self.0.execute(sql, &[user.to_value(), now.to_value()])
    }

    /// Forgets tokens that ended before that time; how many there were.
    pub fn remove_ended_before(&self, time: Timestamp) -> Result<u64> {
        self.0.execute(
            "DELETE FROM tokens WHERE expires_at < ?1",
            &[time.to_value()],
        )
    }
}
