//! Cloud Backup and Recovery, version 3.
//!
//! Field order is the vendor tables' (their generator sorts most of them). A field is
//! `Option<T>` and shown as null where the documented examples show null; it is left out when
//! empty where they leave it out.
//!
//! - `table`: the 76 operations
//! - [`backup`], [`vault`], [`checkpoint`], [`expiry`], [`import`], [`operation_log`], [`policy`],
//!   [`protectable`], [`tag`], [`usage`], [`metadata`], [`version`], [`member`], [`agent`],
//!   [`account`], [`order`], [`organization`], [`replication`]: requests and replies
//! - [`resource`]: kinds of resource, provider ids, specification codes

pub mod account;
pub mod agent;
pub mod backup;
pub mod checkpoint;
pub mod expiry;
pub mod import;
pub mod member;
pub mod metadata;
pub mod operation_log;
pub mod order;
pub mod organization;
pub mod policy;
pub mod protectable;
pub mod replication;
pub mod resource;
mod table;
pub mod tag;
pub mod usage;
pub mod vault;
pub mod version;

pub use table::*;

paths! {
    /// `/v3/{project_id}/…`
    ProjectPath {
        /// The project, 32 hexadecimal digits.
        project_id,
    }

    /// `/v3/{project_id}/vaults/{vault_id}…` and `/v3/{project_id}/vault/{vault_id}/tags…`
    VaultPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The vault.
        vault_id,
    }

    /// `/v3/{project_id}/vault/{vault_id}/tags/{key}`
    VaultTagPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The vault.
        vault_id,
        /// The tag's key, percent-decoded.
        key,
    }

    /// `/v3/{project_id}/organization-policies/{organization_policy_id}…`
    OrganizationPolicyPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The organization's policy.
        organization_policy_id,
    }

    /// `/v3/{project_id}/backups/{backup_id}…`
    BackupPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The backup.
        backup_id,
    }

    /// `/v3/{project_id}/checkpoints/{checkpoint_id}`
    CheckpointPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The restore point.
        checkpoint_id,
    }

    /// `/v3/{project_id}/operation-logs/{operation_log_id}`
    OperationLogPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The task.
        operation_log_id,
    }

    /// `/v3/{project_id}/policies/{policy_id}`
    PolicyPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The policy.
        policy_id,
    }

    /// `/v3/{project_id}/protectables/{protectable_type}/instances`
    ProtectablesPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// An [`ObjectType`](resource::ObjectType) such as `turbo`.
        protectable_type,
    }

    /// `/v3/{project_id}/protectables/{protectable_type}/instances/{instance_id}`
    ProtectablePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// An [`ObjectType`](resource::ObjectType) such as `turbo`.
        protectable_type,
        /// The resource.
        instance_id,
    }

    /// `/v3/{project_id}/backups/{backup_id}/members/{member_id}`
    MemberPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The backup.
        backup_id,
        /// The receiving project.
        member_id,
    }

    /// `/v3/{project_id}/agents/{agent_id}…`
    AgentPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The agent.
        agent_id,
    }

    /// `/v3/{project_id}/cbr-features/{feature_key}`
    FeaturePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The feature.
        feature_key,
    }

    /// `/v3/{project_id}/orders/{order_id}`
    OrderPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The order.
        order_id,
    }

    /// `/v3/domain/{domain_name}/projects`
    DomainNamePath {
        /// The account's name.
        domain_name,
    }

    /// `/v3/domain/{source_project_id}`
    SourceProjectPath {
        /// The project whose account is asked for.
        source_project_id,
    }

    /// `/{api_version}`
    VersionPath {
        /// Such as `v3`.
        api_version,
    }
}

/// A page of up to 1000 rows.
pub type Limit = crate::query::Limit<1000>;
