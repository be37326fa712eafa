//! `strongroom backups`: lists backups, with `--json` in the wire's own shape, or shows what one
//! holds and lacks.

use anyhow::{Context as _, Result, bail};
use strongroom_model::Bytes;
use strongroom_wire::{
    Empty,
    cbr::{
        BackupPath, ListBackups, ShowBackup,
        backup::{Backup, BackupReply, ListBackupsQuery, ListBackupsReply},
    },
    native::{self, BackupReport, ShowBackupReport},
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
    /// Show this one, by id, the beginning of it, or name: its bytes, when it was last verified,
    /// what could not be read
    backup: Option<String>,
    /// Only backups of this resource, by id or name
    #[arg(long, conflicts_with = "backup")]
    resource: Option<String>,
    /// Only backups in this vault, by id or name
    #[arg(long, conflicts_with = "backup")]
    vault: Option<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        if let Some(word) = &self.backup {
            let id = find(&connection, word)?;
            let backup = show(&connection, &id)?.backup;
            let report = report(&connection, id)?;
            return context.output.show(&report, |report| one(&backup, report));
        }
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

/// The id of the backup that the word means: its id, the beginning of it, or its name.
pub(crate) fn find(connection: &Connection, word: &str) -> Result<String> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    let mut found = list(connection, &ListBackupsQuery::default())?.backups;
    found.retain(|backup| means(word, &backup.id, &backup.name));
    match found.as_slice() {
        [backup] => Ok(backup.id.clone()),
        [] => bail!("there is no backup {word}; `strongroom backups` lists them"),
        several => bail!("{word} means {} backups; say more of the id", several.len()),
    }
}

fn means(word: &str, id: &str, name: &str) -> bool {
    !word.is_empty() && (name == word || id.starts_with(word))
}

fn report(connection: &Connection, backup_id: String) -> Result<BackupReport> {
    connection
        .call::<ShowBackupReport>(native::BackupPath { backup_id }, NoQuery, Empty)
        .context("cannot read what the backup holds")
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

fn one(backup: &Backup, report: &BackupReport) -> String {
    let verified = match (&report.verified_at, &report.damage) {
        (None, _) => "not yet".to_owned(),
        (Some(at), None) => at.to_string(),
        (Some(at), Some(damage)) => format!("{at}: {damage}"),
    };
    let rows = [
        ("backup", backup.id.clone()),
        ("name", backup.name.clone()),
        ("status", backup.status.to_string()),
        ("resource", backup.resource_name.clone()),
        ("created", backup.created_at.to_string()),
        ("restores to", Bytes(report.logical_bytes).to_string()),
        ("was new", Bytes(report.unique_bytes).to_string()),
        ("added to the store", Bytes(report.stored_bytes).to_string()),
        ("entries", report.items.to_string()),
        ("verified", verified),
        ("could not be read", report.problem_count.to_string()),
    ];
    let width = rows.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
    let mut lines: Vec<_> = rows
        .iter()
        .map(|(head, value)| format!("{head:width$}  {value}"))
        .collect();
    for problem in &report.problems {
        lines.push(format!("  {}: {}", problem.path, problem.problem));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::means;

    #[test]
    fn a_word_means_a_backup_by_the_beginning_of_its_id_or_its_whole_name() {
        let (id, name) = ("3c26df14-7928-49e2-9a6f-0d67f7ada7fd", "manualbk_ff4d");
        for word in ["3c26df14", "3c26df14-79", "manualbk_ff4d"] {
            assert!(means(word, id, name), "{word}");
        }
        for word in ["", "26df", "manualbk", "nope"] {
            assert!(!means(word, id, name), "{word:?}");
        }
    }
}
