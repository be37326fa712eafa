//! The vocabulary every other crate speaks: ids, times, sizes, states.
//!
//! Pure: no I/O, no async, no wire JSON, no database. What reads a clock or rolls dice does it
//! through [`Clock`] and [`Entropy`], which the binary (or a test) hands in.
//!
//! - [`id`]: one newtype per kind of object
//! - [`time`]: microsecond timestamps and the injected clock
//! - [`chain()`]: an error with its causes
//! - [`cycle`]: when backups of audit logs are due
//! - [`entropy`]: injected randomness and ids made from it
//! - [`size`]: bytes, MiB and GiB, with the vendor's rounding
//! - [`state`]: the states of backups, checkpoints, vaults, resources and tasks, and legal moves
//! - [`kind`]: the kinds of resource that can be protected
//! - [`schedule`], [`retention`]: when backups are due, and which of them stay
//! - [`content`]: files and disks as sources show them and sinks take them

mod chain;
pub mod content;
pub mod cycle;
pub mod entropy;
pub mod id;
pub mod kind;
pub mod retention;
pub mod schedule;
pub mod size;
pub mod state;
pub mod time;

pub use chain::chain;
pub use entropy::Entropy;
pub use id::{
    AccessKeyId, AgentId, BackupId, CheckpointId, DataNodeId, DbssBackupId, DbssInstanceId,
    DdmBackupId, DdmInstanceId, DdmNodeId, DomainId, EnterpriseProjectId, JobId, MemberId,
    OperationLogId, OrganizationPolicyId, PolicyId, ProjectId, ReplicationId, ResourceId, UserId,
    VaultId,
};
pub use kind::ResourceKind;
pub use size::{Bytes, GiB};
pub use time::{Clock, Timestamp};
