//! Enterprise Project Service: an account's labels over vaults, across its projects.
//!
//! - `table`: the operations
//! - [`project`]: enterprise projects; [`resource`]: what is under them, and its moves
//! - [`version`]: version documents, answered without a token
//!
//! Times are UTC to the second with `Z`.

pub mod project;
pub mod resource;
mod table;
pub mod version;

pub use table::*;

paths! {
    /// `/v1.0/enterprise-projects/{enterprise_project_id}…`
    EnterpriseProjectPath {
        /// The enterprise project; "0" is the default one.
        enterprise_project_id,
    }

    /// `/v1.0/associated-resources/{resource_id}`
    ResourcePath {
        /// The resource: a vault.
        resource_id,
    }

    /// `/{api_version}`
    VersionPath {
        /// Such as `v1.0`.
        api_version,
    }
}
