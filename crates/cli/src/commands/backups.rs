//! `strongroom backups`: lists backups, with `--json` in the wire's own shape.

use anyhow::{Context as _, Result};
use strongroom_wire::{
    Empty,
    cbr::{
        BackupPath, ListBackups, ShowBackup,
        backup::{Backup, BackupReply, ListBackupsQuery, ListBackupsReply},
    },
    query::NoQuery,
};

use crate::{
    arguments::Context,
    commands::{resource, vault},
    connection::{Connection, is_id},
    output::table,
};

/// Which backups.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only backups of this resource, by id or name
    #[arg(long)]
    resource: Option<String>,
    /// Only backups in this vault, by id or name
    #[arg(long)]
    vault: Option<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let mut query = ListBackupsQuery::default();
        if let Some(word) = &self.resource {
            query.resource_id = Some(resource_id(&connection, word)?);
        }
        if let Some(word) = &self.vault {
            query.vault_id = Some(vault::find(&connection, word)?.vault.id);
        }
        let reply = list(&connection, &query)?;
        context.output.show(&reply, |reply| text(&reply.backups))
    }
}

/// The id that the word is, or that the resource of that name has: a resource that is no longer
/// registered still has backups.
fn resource_id(connection: &Connection, word: &str) -> Result<String> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    Ok(resource::find(connection, word)?.id)
}

/// Every backup that the query finds, page after page, as one page.
pub(crate) fn list(connection: &Connection, query: &ListBackupsQuery) -> Result<ListBackupsReply> {
    let mut all = page(connection, query.clone())?;
    while let Some(last) = all.backups.last() {
        if all.backups.len() as u64 >= all.count {
            break;
        }
        let mut query = query.clone();
        query.marker = Some(last.id.clone());
        let more = page(connection, query)?.backups;
        if more.is_empty() {
            break;
        }
        all.backups.extend(more);
    }
    Ok(all)
}

fn page(connection: &Connection, query: ListBackupsQuery) -> Result<ListBackupsReply> {
    connection
        .call::<ListBackups>(connection.project_path(), query, Empty)
        .context("cannot list backups")
}

/// The backup of that id.
pub(crate) fn show(connection: &Connection, id: &str) -> Result<BackupReply> {
    let path = BackupPath {
        project_id: connection.project().to_owned(),
        backup_id: id.to_owned(),
    };
    connection
        .call::<ShowBackup>(path, NoQuery, Empty)
        .with_context(|| format!("cannot find backup {id}"))
}

fn text(backups: &[Backup]) -> String {
    let rows = backups.iter().map(|backup| {
        let sort = match backup.incremental {
            Some(true) => "incremental",
            Some(false) => "full",
            None => "",
        };
        [
            backup.id.clone(),
            backup.name.clone(),
            backup.status.to_string(),
            sort.to_owned(),
            backup.resource_name.clone(),
            format!("{} GiB", backup.resource_size),
            backup.created_at.to_string(),
        ]
    });
    let heads = [
        "ID", "NAME", "STATUS", "SORT", "RESOURCE", "SIZE", "CREATED",
    ];
    table(heads, rows)
}
