//! What concerns an account rather than one vault: projects to share with, features of the
//! region, the move from predecessor services (of which nothing is ever left to do here).

use std::collections::BTreeMap;

use strongroom_control::{features, members::Receiver};
use strongroom_wire::cbr::{
    self as wire,
    account::{
        DomainProject, DomainProjectsReply, DomainReply, FeaturesReply, MigrateDomainReply,
        MigrateStatusReply, MigrationState, ProjectMigration, RegionProject, RegionProjectsReply,
        SelfLink,
    },
};

use super::words::id;
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn projects_of_domain(
    cloud: &Cloud,
    call: &Call<wire::ListDomainProjects>,
) -> Result<DomainProjectsReply, Failure> {
    let found = cloud
        .control
        .projects_of_account(&call.caller()?, &call.path.domain_name)?;
    let present = |found: Receiver| DomainProject {
        project_id: found.project_id.to_string(),
        project_name: found.project_name,
    };
    Ok(DomainProjectsReply {
        projects: found.into_iter().map(present).collect(),
    })
}

pub(super) fn domain_of_project(
    cloud: &Cloud,
    call: &Call<wire::ShowDomain>,
) -> Result<DomainReply, Failure> {
    let project = id("source_project_id", &call.path.source_project_id)?;
    let found = cloud.control.account_of_project(&call.caller()?, project)?;
    Ok(DomainReply {
        project_name: found.project_name,
        project_id: found.project_id.to_string(),
        domain_id: found.domain_id.to_string(),
        domain_name: found.domain_name,
    })
}

pub(super) fn projects(
    cloud: &Cloud,
    call: &Call<wire::ListProjects>,
) -> Result<RegionProjectsReply, Failure> {
    let origin = &cloud.endpoints.identity;
    let link = |rest: &str| SelfLink {
        itself: format!("{origin}/v3/{rest}"),
    };
    let found = cloud.identity.enterable_projects(call.session()?)?;
    let present = |project: strongroom_control::identity::Project| {
        let id = project.id.to_string();
        RegionProject {
            domain_id: project.domain_id.to_string(),
            is_domain: false,
            parent_id: project.domain_id.to_string(),
            name: project.name,
            description: String::new(),
            enabled: project.enabled,
            links: link(&format!("projects/{id}")),
            id,
        }
    };
    Ok(RegionProjectsReply {
        projects: found.into_iter().map(present).collect(),
        links: link("auth/projects"),
    })
}

pub(super) fn features(
    cloud: &Cloud,
    call: &Call<wire::ListFeatures>,
) -> Result<FeaturesReply, Failure> {
    call.session()?;
    Ok(features::all(
        &cloud.endpoints.region,
        &cloud.control.replication_destinations(),
    ))
}

pub(super) fn feature(
    cloud: &Cloud,
    call: &Call<wire::ShowFeature>,
) -> Result<FeaturesReply, Failure> {
    let key = &call.path.feature_key;
    let value = features::one(
        &cloud.endpoints.region,
        &cloud.control.replication_destinations(),
        key,
    )?;
    Ok(BTreeMap::from([(key.clone(), value)]))
}

/// The predecessor services never ran here, so everything has been moved.
pub(super) fn migrate(
    cloud: &Cloud,
    call: &Call<wire::MigrateDomain>,
) -> Result<MigrateDomainReply, Failure> {
    call.session()?;
    let region = cloud.endpoints.region.clone();
    Ok(BTreeMap::from([(region, MigrationState::Success)]))
}

pub(super) fn migration(
    cloud: &Cloud,
    call: &Call<wire::ShowMigrateStatus>,
) -> Result<MigrateStatusReply, Failure> {
    let found = cloud.control.projects_of_own_account(&call.caller()?)?;
    let present = |found: Receiver| ProjectMigration {
        status: MigrationState::Success,
        project_id: found.project_id.to_string(),
        project_name: found.project_name,
        region_id: Some(cloud.endpoints.region.clone()),
        progress: Some(100),
        fail_code: None,
        fail_reason: None,
    };
    Ok(MigrateStatusReply {
        status: MigrationState::Success,
        project_status: found.into_iter().map(present).collect(),
    })
}
