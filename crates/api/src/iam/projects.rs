//! What a caller may enter: projects and its account.

use strongroom_control::identity::{Project, ProjectFilter};
use strongroom_wire::iam::{
    self as wire, PageLinks, SelfLink,
    caller::CallerIdentityReply,
    domain::{Domain, DomainsReply},
    project::{ProjectReply, ProjectsReply},
};

use crate::{call::Call, cbr::words::id, cloud::Cloud, failure::Failure};

/// Lists projects. SDKs look up the one named like their region and insist on exactly one.
pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::KeystoneListProjects>,
) -> Result<ProjectsReply, Failure> {
    let session = call.session()?;
    let query = &call.query;
    let filter = ProjectFilter {
        domain_id: query.domain_id.clone().or_else(|| query.parent_id.clone()),
        name: query.name.clone(),
        enabled: query.enabled,
    };
    let contradicts = query.parent_id.as_ref().is_some_and(|parent| {
        query
            .domain_id
            .as_ref()
            .is_some_and(|domain| domain != parent)
    });
    let mut projects = if query.is_domain == Some(true) || contradicts {
        Vec::new()
    } else {
        cloud.identity.list_projects(session, &filter)?
    };
    if let Some(rows) = query.per_page {
        let rows = rows.rows() as usize;
        let before = query
            .page
            .map_or(0, |page| page.rows() as usize - 1)
            .saturating_mul(rows);
        projects = projects.into_iter().skip(before).take(rows).collect();
    }
    Ok(presented(cloud, "projects", projects))
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::KeystoneShowProject>,
) -> Result<ProjectReply, Failure> {
    let id = id("project_id", &call.path.project_id)?;
    let project = cloud.identity.show_project(call.session()?, id)?;
    Ok(ProjectReply {
        project: present(cloud, project),
    })
}

pub(super) fn of_user(
    cloud: &Cloud,
    call: &Call<wire::KeystoneListProjectsForUser>,
) -> Result<ProjectsReply, Failure> {
    let user = id("user_id", &call.path.user_id)?;
    let projects = cloud.identity.projects_of_user(call.session()?, user)?;
    Ok(presented(
        cloud,
        &format!("users/{user}/projects"),
        projects,
    ))
}

pub(super) fn enterable(
    cloud: &Cloud,
    call: &Call<wire::KeystoneListAuthProjects>,
) -> Result<ProjectsReply, Failure> {
    let projects = cloud.identity.enterable_projects(call.session()?)?;
    Ok(presented(cloud, "auth/projects", projects))
}

pub(super) fn domains(
    cloud: &Cloud,
    call: &Call<wire::KeystoneListAuthDomains>,
) -> Result<DomainsReply, Failure> {
    let domain = &call.session()?.domain;
    let identity = &cloud.endpoints.identity;
    let wanted = call
        .query
        .name
        .as_ref()
        .is_none_or(|name| *name == domain.name);
    let shown = wanted.then(|| Domain {
        enabled: true,
        id: domain.id.to_string(),
        name: domain.name.clone(),
        links: SelfLink {
            itself: format!("{identity}/v3/domains/{}", domain.id),
        },
        description: String::new(),
    });
    Ok(DomainsReply {
        domains: shown.into_iter().collect(),
        links: SelfLink {
            itself: format!("{identity}/v3/auth/domains"),
        },
    })
}

/// Who calls: what SDKs ask for when no account can be listed.
pub(super) fn caller(
    _: &Cloud,
    call: &Call<wire::ShowCallerIdentity>,
) -> Result<CallerIdentityReply, Failure> {
    let session = call.session()?;
    Ok(CallerIdentityReply {
        account_id: session.domain.id.to_string(),
        principal_id: session.user.id.to_string(),
        principal_urn: format!("iam::{}:user:{}", session.domain.id, session.user.name),
    })
}

fn presented(cloud: &Cloud, at: &str, projects: Vec<Project>) -> ProjectsReply {
    ProjectsReply {
        projects: projects
            .into_iter()
            .map(|project| present(cloud, project))
            .collect(),
        links: PageLinks {
            itself: format!("{}/v3/{at}", cloud.endpoints.identity),
            previous: None,
            next: None,
        },
    }
}

fn present(cloud: &Cloud, project: Project) -> wire::project::Project {
    let domain_id = project.domain_id.to_string();
    wire::project::Project {
        is_domain: false,
        description: String::new(),
        links: SelfLink {
            itself: format!("{}/v3/projects/{}", cloud.endpoints.identity, project.id),
        },
        enabled: project.enabled,
        id: project.id.to_string(),
        parent_id: domain_id.clone(),
        domain_id,
        name: project.name,
    }
}
