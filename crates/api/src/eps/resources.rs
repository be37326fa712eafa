//! What is under enterprise projects: vaults, listed and moved.

use std::collections::BTreeMap;

use strongroom_control::enterprise::{BoundVault, Migration, MigrationFilter};
use strongroom_wire::{
    Empty,
    eps::{
        self as wire,
        resource::{
            AssociatedResourcesReply, BoundResource, FilterResourcesReply,
            ListMigrationRecordReply, ListProvidersReply, MigrationRecord, Provider,
            ResourceMappingReply, ResourceType,
        },
    },
};

use super::{time, window};
use crate::{
    call::Call,
    cbr::words::{id, id_maybe, ids, time_asked},
    cloud::Cloud,
    failure::Failure,
};

/// The one kind of resource here, and the service it is of.
const VAULT: &str = "vault";
const CBR: &str = "cbr";

pub(super) fn migrate(cloud: &Cloud, call: &Call<wire::MigrateResource>) -> Result<Empty, Failure> {
    is_vault("resource_type", &call.body.resource_type)?;
    let vault = id("resource_id", &call.body.resource_id)?;
    let region = call.body.region_id.as_deref();
    if region.is_some_and(|region| region != cloud.endpoints.region) {
        return Err(Failure::malformed("region_id", "is another region"));
    }
    let of = id_maybe("project_id", call.body.project_id.as_ref())?;
    let target = &call.path.enterprise_project_id;
    cloud
        .control
        .move_to_enterprise_project(&call.caller()?, target, vault, of)?;
    Ok(Empty)
}

pub(super) fn migrations(
    cloud: &Cloud,
    call: &Call<wire::ListMigrationRecord>,
) -> Result<ListMigrationRecordReply, Failure> {
    let query = call.query.clone();
    let filter = MigrationFilter {
        start_time: time_asked(query.start_time),
        end_time: time_asked(query.end_time),
        vault: id_maybe("resource_id", query.resource_id.as_ref())?,
    };
    let page = window(query.limit.as_ref(), query.offset.as_ref())?;
    let listed = cloud
        .control
        .list_enterprise_migrations(&call.caller()?, &filter, &page)?;
    let region = &cloud.endpoints.region;
    Ok(ListMigrationRecordReply {
        records: listed
            .items
            .into_iter()
            .map(|found| record(found, region))
            .collect(),
        total_count: listed.total,
    })
}

pub(super) fn providers(
    cloud: &Cloud,
    call: &Call<wire::ListProviders>,
) -> Result<ListProvidersReply, Failure> {
    let query = &call.query;
    let page = window(query.limit.as_ref(), query.offset.as_ref())?;
    let cbr = Provider {
        provider: CBR.to_owned(),
        provider_i18n_display_name: "Cloud Backup and Recovery".to_owned(),
        resource_types: vec![ResourceType {
            resource_type: VAULT.to_owned(),
            resource_type_i18n_display_name: "Vault".to_owned(),
            regions: vec![cloud.endpoints.region.clone()],
            global: false,
        }],
    };
    let wanted = query.provider.as_deref().is_none_or(|name| name == CBR);
    let all: Vec<_> = wanted.then_some(cbr).into_iter().collect();
    Ok(ListProvidersReply {
        total_count: all.len() as u64,
        providers: if page.offset == 0 { all } else { Vec::new() },
    })
}

pub(super) fn mapping(
    _: &Cloud,
    call: &Call<wire::ListResourceMapping>,
) -> Result<ResourceMappingReply, Failure> {
    call.session()?;
    Ok(ResourceMappingReply {
        resource_mapping: BTreeMap::from([(VAULT.to_owned(), CBR.to_owned())]),
    })
}

pub(super) fn associated(
    cloud: &Cloud,
    call: &Call<wire::ShowAssociatedResources>,
) -> Result<AssociatedResourcesReply, Failure> {
    let kind = call.query.resource_type.as_deref().unwrap_or(VAULT);
    is_vault("resource_type", kind)?;
    let vault = id("resource_id", &call.path.resource_id)?;
    let found = cloud.control.vault_anywhere(&call.caller()?, vault)?;
    Ok(AssociatedResourcesReply {
        id: found.id.to_string(),
        name: found.name,
        kind: None,
        associated_resources: Vec::new(),
        errors: Vec::new(),
    })
}

pub(super) fn filter(
    cloud: &Cloud,
    call: &Call<wire::ShowResourceBindEnterpriseProject>,
) -> Result<FilterResourcesReply, Failure> {
    let body = &call.body;
    if body.resource_types.is_empty() {
        return Err(Failure::malformed("resource_types", "must name a kind"));
    }
    for kind in &body.resource_types {
        is_vault("type", kind)?;
    }
    let projects = ids("projects", body.projects.as_deref().unwrap_or_default())?;
    let matches = body.matches.as_deref().unwrap_or_default();
    if matches.iter().any(|found| found.key != "resource_name") {
        return Err(Failure::malformed("matches", "knows resource_name only"));
    }
    let part = matches.first().map(|found| found.value.as_str());
    let page = strongroom_control::Page {
        limit: u32::try_from(body.limit.unwrap_or(1000)).unwrap_or(u32::MAX),
        offset: body.offset.unwrap_or(0),
        marker: None,
    };
    let id = &call.path.enterprise_project_id;
    let listed =
        cloud
            .control
            .vaults_of_enterprise_project(&call.caller()?, id, &projects, part, &page)?;
    let present = |found: BoundVault| BoundResource {
        enterprise_project_id: id.clone(),
        project_id: found.project_id.to_string(),
        project_name: found.project_name,
        resource_detail: None,
        resource_id: found.id.to_string(),
        resource_name: found.name,
        resource_type: VAULT.to_owned(),
    };
    Ok(FilterResourcesReply {
        resources: listed.items.into_iter().map(present).collect(),
        errors: Vec::new(),
        total_count: listed.total,
    })
}

fn is_vault(field: &str, kind: &str) -> Result<(), Failure> {
    if kind == VAULT || kind == "cbr_vault" {
        return Ok(());
    }
    Err(Failure::malformed(field, "the only kind here is vault"))
}

fn record(found: Migration, region: &str) -> MigrationRecord {
    MigrationRecord {
        associated: false,
        code: "200".to_owned(),
        message: "success".to_owned(),
        project_id: found.project_id.to_string(),
        project_name: found.project_name,
        region_id: region.to_owned(),
        event_time: time(found.at),
        user_name: found.user_name,
        operate_type: "migrate".to_owned(),
        resource_id: found.vault_id.to_string(),
        resource_name: found.vault_name,
        resource_type: VAULT.to_owned(),
        initiate_ep_id: found.to.0.clone(),
        initiate_ep_name: found.to.1.clone(),
        origin_ep_id: found.from.0,
        origin_ep_name: found.from.1,
        target_ep_id: found.to.0,
        target_ep_name: found.to.1,
        exist_failed: "false".to_owned(),
    }
}
