//! Copies in other regions: ordered, and shown on their originals.

use strongroom_control::replication::{
    Destination, ExternalFilter, NewCopy, NewVaultCopy, Ordered, Replication,
};
use strongroom_wire::cbr::{
    self as wire,
    backup::{ReplicationExtraInfo, ReplicationRecord},
    replication::{
        BackupReplication, CheckpointReplication, CopiedBackup, CopyBackupReply,
        CopyCheckpointReply, ListExternalVaultReply, ReplicationCapabilitiesReply,
        ReplicationRegion,
    },
};

use super::{
    errors,
    pages::{limit_of, offset_of, page},
    vaults,
    words::{asked_maybe, id, id_maybe, shown, time, vault_provider_id},
};
use crate::{call::Call, cloud::Cloud, failure::Failure, service::Service};

/// Adds these operations to the service.
pub(super) fn serve(service: Service<Cloud>) -> Service<Cloud> {
    service
        .serve(copy_backup)
        .serve(copy_checkpoint)
        .serve(capabilities)
        .serve(external_vaults)
}

fn copy_backup(cloud: &Cloud, call: &Call<wire::CopyBackup>) -> Result<CopyBackupReply, Failure> {
    let asked = &call.body.replicate;
    own_account(asked.cross_account_urn.as_ref())?;
    let new = NewCopy {
        backup_id: id("backup_id", &call.path.backup_id)?,
        destination: Destination {
            region: asked.destination_region.clone(),
            project: asked.destination_project_id.clone(),
            vault: id("destination_vault_id", &asked.destination_vault_id)?,
        },
        name: asked.name.clone().map(String::from),
        description: asked.description.clone().map(String::from),
    };
    let ordered = cloud.control.copy_backup(&call.caller()?, &new)?;
    let record = ordered.copies.first().map(|(_, record)| record.to_string());
    Ok(CopyBackupReply {
        replication: BackupReplication {
            backup_id: new.backup_id.to_string(),
            provider_id: vault_provider_id(ordered.object_type).to_owned(),
            project_id: ordered.project_id.to_string(),
            source_region: ordered.source_region,
            destination_project_id: ordered.destination.project,
            destination_region: ordered.destination.region,
            destination_vault_id: ordered.destination.vault.to_string(),
            replication_record_id: record.unwrap_or_default(),
        },
    })
}

fn copy_checkpoint(
    cloud: &Cloud,
    call: &Call<wire::CopyCheckpoint>,
) -> Result<CopyCheckpointReply, Failure> {
    let asked = &call.body.replicate;
    own_account(asked.cross_account_urn.as_ref())?;
    let new = NewVaultCopy {
        vault_id: id("vault_id", &asked.vault_id)?,
        destination: Destination {
            region: asked.destination_region.clone(),
            project: asked.destination_project_id.clone(),
            vault: id("destination_vault_id", &asked.destination_vault_id)?,
        },
        auto_trigger: asked.auto_trigger.unwrap_or(false),
    };
    let ordered = cloud.control.copy_checkpoint(&call.caller()?, &new)?;
    Ok(CopyCheckpointReply {
        replication: present_order(ordered),
    })
}

fn capabilities(
    cloud: &Cloud,
    call: &Call<wire::ShowReplicationCapabilities>,
) -> Result<ReplicationCapabilitiesReply, Failure> {
    let regions = cloud.control.replication_regions(&call.caller()?)?;
    Ok(ReplicationCapabilitiesReply {
        regions: regions
            .into_iter()
            .map(|region| ReplicationRegion {
                name: region.name,
                replication_destinations: region.destinations,
            })
            .collect(),
    })
}

fn external_vaults(
    cloud: &Cloud,
    call: &Call<wire::ListExternalVault>,
) -> Result<ListExternalVaultReply, Failure> {
    let query = call.query.clone();
    let needed = |field: &str, text: Option<String>| {
        let missing = || Failure::malformed(field, "is needed");
        text.filter(|text| !text.is_empty()).ok_or_else(missing)
    };
    let region = needed("region_id", query.region_id)?;
    let owner = needed("external_project_id", query.external_project_id)?;
    let page = page(query.limit, query.offset, None);
    let filter = ExternalFilter {
        protect_type: asked_maybe(query.protect_type)?,
        object_type: asked_maybe(query.objcet_type)?,
        cloud_type: asked_maybe(query.cloud_type)?,
        vault_id: id_maybe("vault_id", query.vault_id.as_ref())?,
    };
    let caller = call.caller()?;
    let listed = cloud
        .control
        .list_external_vaults(&caller, (&region, &owner), &filter, &page)?;
    Ok(ListExternalVaultReply {
        vaults: listed.items.into_iter().map(vaults::present).collect(),
        count: listed.total,
        limit: limit_of(&page),
        offset: offset_of(&page),
    })
}

/// A vault of another account is named by a name that nothing here gives out.
fn own_account(urn: Option<&String>) -> Result<(), Failure> {
    if urn.is_none_or(String::is_empty) {
        return Ok(());
    }
    let problem = "copies into another account are not made here; share the backup instead";
    Err(Failure::malformed("cross_account_urn", problem))
}

fn present_order(ordered: Ordered) -> CheckpointReplication {
    CheckpointReplication {
        backups: ordered
            .copies
            .iter()
            .map(|(backup, record)| CopiedBackup {
                backup_id: backup.to_string(),
                replication_record_id: record.to_string(),
            })
            .collect(),
        provider_id: vault_provider_id(ordered.object_type).to_owned(),
        project_id: ordered.project_id.to_string(),
        vault_id: ordered.vault_id.to_string(),
        source_region: ordered.source_region,
        destination_project_id: ordered.destination.project,
        destination_region: ordered.destination.region,
        destination_vault_id: ordered.destination.vault.to_string(),
    }
}

/// A copy on the wire.
pub(super) fn present(copy: Replication) -> ReplicationRecord {
    let (fail_code, fail_reason) = copy
        .failure
        .map(|(reason, text)| (errors::code(reason).code.to_owned(), text))
        .unwrap_or_default();
    let vault = copy.destination_vault_id.to_string();
    ReplicationRecord {
        created_at: time(copy.created_at),
        destination_backup_id: copy.destination_backup_id.to_string(),
        destination_checkpoint_id: copy.destination_checkpoint_id.to_string(),
        destination_project_id: copy.destination_project_id.to_string(),
        destination_region: copy.destination_region,
        destination_vault_id: vault.clone(),
        extra_info: ReplicationExtraInfo {
            progress: u32::from(copy.progress),
            fail_code,
            fail_reason,
            auto_trigger: copy.auto_trigger,
            destination_vault_id: vault.clone(),
            destinatio_vault_id: vault,
        },
        id: copy.id.to_string(),
        source_backup_id: copy.source_backup_id.to_string(),
        source_checkpoint_id: copy.source_checkpoint_id.to_string(),
        source_project_id: copy.source_project_id.to_string(),
        source_region: copy.source_region,
        status: shown(copy.status.as_str()),
        vault_id: copy.source_vault_id.to_string(),
    }
}
