//! `strongroom resource`: registers what can be protected.
//!
//! A path of the host is an operator's word, so these commands go through the native API;
//! everything after that names resources by id.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_wire::native::{
    ListResources, ListResourcesQuery, RegisterResource, RemoveResource, Resource, ResourceKind,
    ResourcePath, ResourceRegistration, Resources, ShowResource,
};
use strongroom_wire::{Empty, path::NoPath, query::NoQuery};

use super::{audit, ddm};
use crate::{
    arguments::Context,
    connection::{Connection, is_id},
    output::table,
};

/// What is done with resources.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Register a directory, a disk, a sharding layer or audit logs; prints its id
    Add(Box<Add>),
    /// List what is registered
    List,
    /// Show one resource
    Show {
        /// Its id or name
        resource: String,
    },
    /// Forget a resource that is in no vault
    Remove {
        /// Its id or name
        resource: String,
    },
}

/// What is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A directory.
    Share,
    /// An image file or a block device.
    Volume,
    /// A sharding layer in front of databases.
    Ddm,
    /// A directory with audit logs of a database.
    Audit,
}

/// A resource to be.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// What it is: share (a directory), volume (an image file or block device), ddm (a sharding
    /// layer in front of databases) or audit (a directory with audit logs of a database)
    pub(crate) kind: Kind,
    /// Its name
    pub(crate) name: String,
    /// Where it is on the service's host
    #[arg(long, value_name = "PATH", required_unless_present = "url")]
    pub(crate) path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) layer: ddm::Layer,
    #[command(flatten)]
    pub(crate) logs: audit::Directory,
    /// A tag, by which vaults that bind resources by themselves find it; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<String>,
    /// The project that may protect it, by id; yours if nothing is said
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        match self {
            Self::Add(options) if options.kind == Kind::Ddm => {
                let added = ddm::add(&connection, *options)?;
                context.output.show(&added, |added| added.id.clone())
            }
            Self::Add(options) if options.kind == Kind::Audit => {
                let added = audit::add(&connection, *options)?;
                context.output.show(&added, |added| added.id.clone())
            }
            Self::Add(options) => {
                let resource = add(&connection, *options)?;
                context
                    .output
                    .show(&resource, |resource| resource.id.clone())
            }
            Self::List => {
                let resources = list(&connection, &ListResourcesQuery::default())?;
                let reply = Resources { resources };
                context.output.show(&reply, |reply| text(&reply.resources))
            }
            Self::Show { resource } => {
                let resource = find(&connection, &resource)?;
                let rows = |resource: &Resource| text(std::slice::from_ref(resource));
                context.output.show(&resource, rows)
            }
            Self::Remove { resource } => {
                let resource = find(&connection, &resource)?;
                let path = ResourcePath {
                    resource_id: resource.id.clone(),
                };
                connection
                    .call::<RemoveResource>(path, NoQuery, Empty)
                    .with_context(|| format!("cannot remove resource {}", resource.name))?;
                context
                    .output
                    .show(&resource, |resource| resource.id.clone())
            }
        }
    }
}

/// Registers a resource.
pub(crate) fn add(connection: &Connection, options: Add) -> Result<Resource> {
    let kind = match options.kind {
        Kind::Share => ResourceKind::Share,
        Kind::Volume => ResourceKind::Volume,
        Kind::Ddm | Kind::Audit => bail!("this has verbs of its own"),
    };
    let path = absolute(options.path)?;
    let registration = ResourceRegistration {
        project_id: options.project,
        kind,
        name: options.name,
        path,
        tags: tags(&options.tags)?,
    };
    let what = format!(
        "cannot register {} {}",
        registration.kind, registration.name
    );
    connection
        .call::<RegisterResource>(NoPath, NoQuery, registration)
        .context(what)
}

/// Where something is on the service's host, as the service is told it.
pub(crate) fn absolute(path: Option<PathBuf>) -> Result<String> {
    let path = path.context("say with --path where it is")?;
    let path =
        std::path::absolute(&path).with_context(|| format!("{} is not a path", path.display()))?;
    let Some(path) = path.to_str() else {
        bail!(
            "{} is not UTF-8; give it a link whose name is",
            path.display()
        );
    };
    Ok(path.to_owned())
}

/// `KEY=VALUE`, or a key alone.
fn tags(words: &[String]) -> Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            bail!("the tag {key} is given twice");
        }
    }
    Ok(tags)
}

/// The resource of that id or name.
pub(crate) fn find(connection: &Connection, word: &str) -> Result<Resource> {
    if is_id(word) {
        let path = ResourcePath {
            resource_id: word.to_owned(),
        };
        return connection
            .call::<ShowResource>(path, NoQuery, Empty)
            .with_context(|| format!("cannot find resource {word}"));
    }
    let query = ListResourcesQuery {
        name: Some(word.to_owned()),
        ..ListResourcesQuery::default()
    };
    let mut found = list(connection, &query)?;
    match (found.pop(), found.pop()) {
        (Some(resource), None) => Ok(resource),
        (None, _) => bail!(
            "there is no resource {word}; `strongroom resource list` shows what is registered"
        ),
        _ => bail!("several resources are called {word}; name one by its id"),
    }
}

/// Every resource that the query finds, page after page.
fn list(connection: &Connection, query: &ListResourcesQuery) -> Result<Vec<Resource>> {
    let mut resources: Vec<Resource> = Vec::new();
    loop {
        let mut query = query.clone();
        query.marker = resources.last().map(|resource| resource.id.clone());
        let page = connection
            .call::<ListResources>(NoPath, query, Empty)
            .context("cannot list resources")?;
        if page.resources.is_empty() {
            return Ok(resources);
        }
        resources.extend(page.resources);
    }
}

fn text(resources: &[Resource]) -> String {
    let rows = resources.iter().map(|resource| {
        [
            resource.id.clone(),
            resource.kind.to_string(),
            resource.name.clone(),
            strongroom_model::Bytes(resource.size).to_string(),
            resource.path.clone(),
        ]
    });
    table(["ID", "KIND", "NAME", "SIZE", "PATH"], rows)
}
