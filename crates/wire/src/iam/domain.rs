//! Domains, which people call accounts.

use serde::{Deserialize, Serialize};

use super::SelfLink;

queries! {
    /// Filters of `KeystoneListAuthDomains`.
    ListDomainsQuery {
        /// The account's name: undocumented, sent by gophertelekomcloud.
        name: Option<String>,
    }
}

/// The answer of `KeystoneListAuthDomains`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainsReply {
    /// The accounts that the caller may enter; SDKs take the first.
    pub domains: Vec<Domain>,
    /// The list's address.
    pub links: SelfLink,
}

/// An account (table Domains).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Whether it is in use.
    pub enabled: bool,
    /// The account, 32 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub links: SelfLink,
    /// Free text.
    pub description: String,
}
