//! Who may do what: domains, projects, users, grants, policies, access keys, tokens.
//!
//! Secrets stand here only hashed or sealed; nothing in this crate can open them.

mod accounts;
mod credentials;
mod permissions;
mod version;

pub use accounts::{DomainRow, Domains, GrantRow, Grants, ProjectRow, Projects, UserRow, Users};
pub use credentials::{AccessKeyRow, AccessKeys, KeyStatus, TokenRow, TokenScope, Tokens};
pub use permissions::{PermissionGrantRow, PermissionPolicyRow, Permissions};
