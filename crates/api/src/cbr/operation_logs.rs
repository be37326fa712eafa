//! Operation logs: tasks listed and shown.

use strongroom_control::operation_logs::{
    OperationCopy, OperationDetail, OperationLog, OperationLogFilter, OperationResource,
};
use strongroom_model::state::TaskStatus;
use strongroom_wire::cbr::{
    self as wire,
    operation_log::{
        BackupDetail, CommonDetail, DeleteDetail, ExpirationDetail, ListOpLogsReply,
        OperationError, OperationExtraInfo, OperationLogReply, RemoveResourcesDetail,
        ReplicationDetail, RestoreDetail, SyncDetail, VaultDeleteDetail,
    },
    resource::{ObjectType, ResourceRef},
};

use super::{
    errors,
    pages::{limit_of, offset_of, page},
    words::{
        asked_maybe, enterprise_project, id, id_maybe, object_types_of_provider, provider_id,
        resource_type, shown, time, time_asked, vault_provider_id,
    },
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowOpLog>,
) -> Result<OperationLogReply, Failure> {
    let id = id("operation_log_id", &call.path.operation_log_id)?;
    let log = cloud.control.show_operation_log(&call.caller()?, id)?;
    Ok(OperationLogReply {
        operation_log: present(log),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListOpLogs>,
) -> Result<ListOpLogsReply, Failure> {
    let caller = call.caller()?;
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = OperationLogFilter {
        operation_type: asked_maybe(query.operation_type)?,
        status: query
            .status
            .and_then(|status| TaskStatus::parse(status.as_str())),
        vault_id: id_maybe("vault_id", query.vault_id.as_ref())?,
        vault_name: query.vault_name,
        resource_id: id_maybe("resource_id", query.resource_id.as_ref())?,
        resource_name: query.resource_name,
        object_types: query.provider_id.map(|id| object_types_of_provider(&id)),
        start_time: time_asked(query.start_time),
        end_time: time_asked(query.end_time),
        enterprise_project_id: enterprise_project(query.enterprise_project_id),
    };
    let listed = cloud.control.list_operation_logs(&caller, &filter, &page)?;
    Ok(ListOpLogsReply {
        operation_logs: listed.items.into_iter().map(present).collect(),
        count: listed.total,
        limit: limit_of(&page),
        offset: offset_of(&page),
    })
}

fn present(log: OperationLog) -> wire::operation_log::OperationLog {
    let provider = match (log.object_type, &log.resource) {
        (Some(vault), _) => Some(vault_provider_id(vault).to_owned()),
        (None, Some(resource)) => Some(provider_id(resource.kind).to_owned()),
        (None, None) => None,
    };
    let resource = concerned(&log);
    let mut extra_info = OperationExtraInfo {
        backup: None,
        common: CommonDetail {
            progress: u32::from(log.progress),
            request_id: log.request_id.unwrap_or_default(),
            task_id: log.job_id.map(|id| id.to_string()),
        },
        delete: None,
        sync: None,
        remove_resources: None,
        replication: None,
        resource,
        restore: None,
        vault_delete: None,
        update_expiration_time: None,
    };
    let policy_id = match &log.detail {
        OperationDetail::PolicyRun { policy_id, .. }
        | OperationDetail::ReplicationRun { policy_id, .. } => Some(policy_id.to_string()),
        OperationDetail::Replication(copy) => copy.policy_id.map(|id| id.to_string()),
        _ => None,
    };
    add_detail(&mut extra_info, log.detail);
    wire::operation_log::OperationLog {
        checkpoint_id: log.checkpoint_id.map(|id| id.to_string()),
        created_at: time(log.created_at),
        ended_at: log.ended_at.map(time),
        error_info: log
            .error
            .map_or_else(OperationError::default, |failure| OperationError {
                code: errors::code(failure.reason).code.to_owned(),
                message: failure.message,
            }),
        extra_info,
        id: log.id.to_string(),
        operation_type: shown(log.operation_type.as_str()),
        policy_id,
        project_id: log.project_id.to_string(),
        provider_id: provider,
        started_at: time(log.started_at.unwrap_or(log.created_at)),
        status: shown(log.status.as_str()),
        updated_at: time(log.updated_at),
        vault_id: log.vault_id.map(|id| id.to_string()),
        vault_name: log.vault_name,
    }
}

/// What the task is about. The vendor's table has a resource on every task; one about a whole
/// vault names the vault there.
fn concerned(log: &OperationLog) -> Option<ResourceRef> {
    if let Some(resource) = &log.resource {
        return Some(present_resource(resource.clone()));
    }
    let vault_type = log.object_type?;
    Some(ResourceRef {
        extra_info: None,
        id: log.vault_id?.to_string(),
        name: log.vault_name.clone(),
        resource_type: shown::<ObjectType>(vault_type.as_str()).resource_type()?,
    })
}

fn add_detail(extra: &mut OperationExtraInfo, detail: OperationDetail) {
    match detail {
        OperationDetail::Backup {
            backup_id,
            backup_name,
        } => {
            extra.backup = Some(BackupDetail {
                backup_id: backup_id.to_string(),
                backup_name: Some(backup_name),
                app_consistency_error_code: None,
                app_consistency_error_message: None,
                app_consistency_status: None,
            });
        }
        OperationDetail::Restore {
            backup_id,
            backup_name,
            target,
        } => {
            let (id, name) = target
                .map(|of| (of.id.to_string(), of.name))
                .unwrap_or_default();
            extra.restore = Some(RestoreDetail {
                backup_id: backup_id.to_string(),
                backup_name,
                target_resource_id: id,
                target_resource_name: name,
            });
        }
        OperationDetail::Delete {
            backup_id,
            backup_name,
        } => {
            extra.delete = Some(DeleteDetail {
                backup_id: backup_id.to_string(),
                backup_name,
            });
        }
        OperationDetail::PolicyRun { .. } | OperationDetail::ReplicationRun { .. } => {}
        OperationDetail::Replication(copy) => extra.replication = Some(present_copy(*copy)),
        OperationDetail::Expiry { affected, day } => {
            extra.update_expiration_time = Some(ExpirationDetail {
                affected_backups_count: affected,
                expiration_day: day,
            });
        }
        OperationDetail::Sync { imported, failed } => {
            extra.sync = Some(SyncDetail {
                sync_backup_num: imported,
                delete_backup_num: 0,
                err_sync_backup_num: failed,
            });
        }
        OperationDetail::VaultDelete { failed, total } => {
            extra.vault_delete = Some(vault_delete(failed, total));
        }
        OperationDetail::RemoveResources {
            failed,
            total,
            resources,
        } => {
            extra.remove_resources = Some(RemoveResourcesDetail {
                fail_count: failed,
                total_count: total,
                resources: Some(resources.into_iter().map(present_resource).collect()),
            });
        }
    }
}

fn present_copy(copy: OperationCopy) -> ReplicationDetail {
    ReplicationDetail {
        destination_backup_id: copy.destination_backup_id.to_string(),
        destination_checkpoint_id: copy.destination_checkpoint_id.to_string(),
        destination_project_id: copy.destination_project_id.to_string(),
        destination_region: copy.destination_region,
        source_backup_id: copy.source_backup_id.to_string(),
        source_checkpoint_id: copy.source_checkpoint_id.to_string(),
        source_project_id: copy.source_project_id.to_string(),
        source_region: copy.source_region,
        source_backup_name: copy.source_backup_name,
        destination_backup_name: copy.destination_backup_name,
    }
}

const fn vault_delete(failed: u64, total: u64) -> VaultDeleteDetail {
    VaultDeleteDetail {
        fail_count: failed,
        total_count: total,
        fail_delete_count: failed,
        total_delete_count: total,
    }
}

fn present_resource(resource: OperationResource) -> ResourceRef {
    ResourceRef {
        extra_info: None,
        id: resource.id.to_string(),
        name: Some(resource.name),
        resource_type: resource_type(resource.kind),
    }
}
