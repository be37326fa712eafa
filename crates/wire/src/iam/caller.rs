//! Who a caller is: what SDKs ask for when no account can be listed.

use serde::{Deserialize, Serialize};

/// The answer of `ShowCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentityReply {
    /// The account.
    pub account_id: String,
    /// The user.
    pub principal_id: String,
    /// The user's full name, `iam::<account>:user:<name>`.
    pub principal_urn: String,
}
