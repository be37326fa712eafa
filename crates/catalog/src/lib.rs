//! What the service remembers: SQLite behind one contract.
//!
//! [`Catalog`] is the handle. [`Catalog::read`] and [`Catalog::write`] run a closure in a
//! transaction; its [`Tx`] reaches the tables, one module each:
//!
//! - [`identity`]: domains, projects, users, grants, policies, access keys, tokens
//! - [`resources`], [`vaults`]: what is protected, and where to
//! - [`policies`], [`resource_tags`]: when backups are made, of what, and how long they stay
//! - [`checkpoints`], [`backups`], [`repositories`]: what has been kept; [`members`]: for whom
//!   else; [`replications`]: copies elsewhere; [`checks`]: proof that data are good
//! - [`trash`]: what was deleted and can be brought back
//! - [`agents`], [`organization`], [`enterprise`]: clients on hosts, and what accounts say of all
//!   their projects
//! - [`operation_logs`], [`jobs`]: what is being done and what was done
//! - [`usage`]: what is counted once and kept true
//! - [`dbss`]: directories of audit logs and their backups
//! - [`ddm`]: sharding layers of databases and the backups of their metadata
//! - [`freshness`], [`notifications`]: whether backups are as fresh as promised, and who is told
//! - [`audit`], [`settings`]: who did what; what the first start chose
//!
//! Below them: `tx` (what every table can do), `query` (filters and pages), `table` and `value`
//! (rows as columns), `backend` (the private contract of a database), `sqlite`.
//!
//! Invariants: no SQL outside this crate; what `write` returned `Ok` for is durable; a function
//! that takes an id of a project's object takes the project too, unless it is called
//! `any_project_…`; a state changes only by a move that `model::state` knows.

pub mod agents;
pub mod audit;
mod backend;
pub mod backups;
mod catalog;
mod check;
pub mod checkpoints;
pub mod checks;
pub mod dbss;
pub mod ddm;
pub mod document;
pub mod enterprise;
pub mod error;
pub mod freshness;
pub mod identity;
pub mod jobs;
pub mod members;
pub mod notes;
pub mod notifications;
pub mod operation_logs;
pub mod organization;
pub mod policies;
mod query;
pub mod replications;
pub mod repositories;
pub mod resource_tags;
pub mod resources;
pub mod settings;
mod sqlite;
mod table;
pub mod trash;
mod tx;
pub mod usage;
mod value;
pub mod vaults;

pub use agents::{AgentFilter, AgentPath, AgentRow};
pub use audit::{AuditRow, Seal, SealRow};
pub use backups::{BackupFilter, BackupKey, BackupRow, Looked, SharedFilter};
pub use catalog::Catalog;
pub use checkpoints::CheckpointRow;
pub use checks::{BackupCheckRow, CheckSums, VaultCheckRow};
pub use dbss::{
    DbssBackupFilter, DbssBackupRow, DbssInstanceRow, DbssSums, DbssTagRow, DbssTaskRow, LogGap,
};
pub use ddm::{
    DataNodeName, DataNodeRow, DdmBackupFilter, DdmBackupRow, DdmInstanceRow, DdmLogPartRow,
    DdmLogRow, DdmNodeBackupRow, DdmTagRow, DdmTaskFilter, DdmTaskRow, DepotRow,
};
pub use document::{Columns, Document};
pub use enterprise::{
    EnterpriseMigrationFilter, EnterpriseMigrationRow, EnterpriseProjectFilter,
    EnterpriseProjectKey, EnterpriseProjectRow,
};
pub use error::{Error, Result};
pub use freshness::{DamagedRow, FreshnessRow, FullRow, PromiseRow, Sums};
pub use identity::{
    AccessKeyRow, DomainRow, GrantRow, KeyStatus, PermissionGrantRow, PermissionPolicyRow,
    ProjectRow, TokenRow, TokenScope, UserRow,
};
pub use members::{MemberRow, ShareStatus};
pub use notes::NoteRow;
pub use notifications::{AlarmRow, ChannelRow, NotificationRow, Which};
pub use operation_logs::{OperationLogFilter, OperationLogRow, OperationType};
pub use organization::{OrganizationPolicyRow, RolloutRow};
pub use policies::{PolicyFilter, PolicyRow, PolicyType, VaultPolicyRow};
pub use query::{Direction, Listed, Page};
pub use replications::{ReplicationRow, ReplicationStatus};
pub use repositories::RepositoryRow;
pub use resource_tags::ResourceTagRow;
pub use resources::{ResourceFilter, ResourceRow};
pub use trash::{Held, Trashed, VaultSafetyRow};
pub use tx::Tx;
pub use usage::{PlaceFilter, PlaceRow, ProjectUsage};
pub use value::{Json, Sealed};
pub use vaults::{TagRow, VaultFilter, VaultResourceRow, VaultRow};
