//! The version of everything that sessions are made of.
//!
//! Triggers of the database give it another value in the very statement that may take a right
//! away (see the migration), whoever makes it. So what was read together with the version holds
//! as long as the version does. It only grows.

use crate::{
    catalog::Catalog,
    error::{Error, Result},
    table::Row,
    tx::Tx,
};

impl Tx<'_> {
    /// The version of domains, projects, users, roles, policies, keys and tokens as this
    /// transaction sees them.
    pub fn identity_version(&self) -> Result<u64> {
        seen_by(self)
    }
}

impl Catalog {
    /// The same, as it is now: one look.
    pub fn identity_version(&self) -> Result<u64> {
        self.glance(seen_by)
    }
}

fn seen_by(tx: &Tx<'_>) -> Result<u64> {
    let sql = "SELECT version FROM identity_version";
    let read = |row: &mut Row| row.take("version");
    let found = tx.query("identity_version", sql, &[], read)?;
    let missing = || Error::Corrupt("the version of identity is missing".into());
    found.first().copied().ok_or_else(missing)
}
