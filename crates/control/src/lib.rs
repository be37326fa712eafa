//! The use cases: protect, back up, restore, delete; quota and identity. No HTTP types.
//!
//! [`Control`] is the handle; each noun has a module with its use cases and what they speak:
//! - [`resources`]: paths that operators let a project protect; [`protectables`]: the same as
//!   tenants see them
//! - [`vaults`]: quota, resources, keys; [`tags`]: labels on them
//! - [`checkpoints`]: orders to back up; [`backups`]: what came of them; [`restores`]: the way back
//! - [`policies`]: calendars and retention; [`schedule`], [`retention`]: what makes them happen
//! - [`replication`]: copies in other regions
//! - [`hosting`]: stores that are kept for other services
//! - [`members`]: backups that two projects see; [`agents`]: clients on hosts; [`features`]
//! - [`plans`], [`trash`], [`locks`]: so that nothing is lost by mistake
//! - [`verification`]: every byte is read again now and then
//! - [`dbss`]: audit logs of databases; `audit_logs`: the chain that they are kept in
//! - [`ddm`]: sharding layers in front of databases; `depot`: where their backups are
//! - [`audit_logs`]: audit logs of databases, chained, proven, searched
//! - [`operation_logs`]: tasks as tenants follow them; [`usage`]: space; [`upkeep`]: now and then
//! - [`freshness`]: is everything backed up as promised; [`notify`]: who is told if not
//! - [`identity`]: who there is, and who calls; [`permissions`]: who may do what; [`audit`]: who
//!   did what
//! - [`words`]: the vendor's closed sets; [`page`]: windows on lists; [`error`]: refusals
//!
//! Every use case takes the [`Caller`] first and sees only the caller's project: an object of
//! another one is not found. Long work is a durable job; a use case only orders it.

pub mod agents;
pub mod audit;
pub mod audit_logs;
pub mod backups;
pub mod caller;
pub mod checkpoints;
mod control;
pub mod dbss;
pub mod ddm;
mod depot;
pub mod enterprise;
pub mod error;
pub mod features;
pub mod freshness;
pub mod hosting;
pub mod identity;
pub mod import;
pub mod jobs;
pub mod keys;
mod limits;
pub mod locks;
pub mod members;
mod migration;
pub mod notify;
pub mod operation_logs;
pub mod organization;
pub mod page;
pub mod permissions;
mod pipe;
pub mod plans;
pub mod policies;
pub mod protectables;
pub mod replication;
pub mod resources;
pub mod restores;
pub mod retention;
pub mod schedule;
mod sealed;
pub mod tags;
pub mod trash;
pub mod upkeep;
pub mod usage;
pub mod vaults;
pub mod verification;
pub mod words;

pub use caller::Caller;
pub use control::{Control, Parts, StoreOf, stores_below, vaults_below};
pub use error::{Error, Reason, Result};
pub use keys::MasterKey;
pub use page::{Listed, Page};
pub use resources::Resource;
pub use vaults::{Tag, Vault, VaultResource};
