//! `strongroom backup`: backs one resource up now, through the vendor's own operations.
//!
//! What a beginner has not said is chosen: the vault that the resource is in, else one of its
//! kind, else a new one.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_wire::{
    Empty,
    cbr::{
        AddVaultResource, CreateCheckpoint, ListOpLogs, VaultPath,
        backup::{BackupReply, ListBackupsQuery},
        checkpoint::{CheckpointCreate, CheckpointParameters, CreateCheckpointRequest},
        operation_log::{ListOpLogsQuery, OperationType},
        resource::{ResourceCreate, ResourceType},
        vault::{AddVaultResourceRequest, ListVaultQuery, ProtectType, Vault, VaultStatus},
    },
    native::{Resource, ResourceKind},
    query::NoQuery,
};

use crate::{
    arguments::Context,
    commands::{backups, resource, task, vault},
    connection::Connection,
    output::Output,
};

/// What to back up, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The resource, by id or name
    resource: String,
    /// The vault, by id or name; one is found or made if nothing is said
    #[arg(long)]
    vault: Option<String>,
    #[command(flatten)]
    wish: Wish,
    /// Do not wait; print the ids of what was begun
    #[arg(long)]
    detach: bool,
}

/// What the backup is to be like.
#[derive(clap::Args, Default)]
pub(crate) struct Wish {
    /// A name for the backup
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Read everything, not only what has changed
    #[arg(long)]
    pub(crate) full: bool,
}

/// The ids of what was begun.
#[derive(Serialize)]
pub(crate) struct Begun {
    #[serde(rename = "vault_id")]
    vault: String,
    #[serde(rename = "checkpoint_id")]
    checkpoint: String,
    #[serde(rename = "task_id")]
    task: String,
    #[serde(rename = "backup_id")]
    backup: String,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let resource = resource::find(&connection, &self.resource)?;
        let vault = vault_for(&connection, &resource, self.vault.as_deref())?;
        let begun = begin(&connection, &resource, &vault, &self.wish)?;
        let output = context.output;
        if self.detach {
            let text = |begun: &Begun| format!("task {}\n{}", begun.task, begun.backup);
            return output.show(&begun, text);
        }
        let reply = finish(&connection, output, &resource, &begun)?;
        output.show(&reply, |reply| reply.backup.id.clone())
    }
}

/// Backs the resource up into the vault that suits, and waits for it.
pub(crate) fn back_up(
    connection: &Connection,
    output: Output,
    resource: &Resource,
    wish: &Wish,
) -> Result<BackupReply> {
    let vault = vault_for(connection, resource, None)?;
    let begun = begin(connection, resource, &vault, wish)?;
    finish(connection, output, resource, &begun)
}

/// The vault to use, with the resource in it.
fn vault_for(connection: &Connection, resource: &Resource, word: Option<&str>) -> Result<Vault> {
    let holding = ListVaultQuery {
        resource_ids: vec![resource.id.clone()],
        ..ListVaultQuery::default()
    };
    let holder = vault::list(connection, holding)?.vaults.pop();
    let wanted = word.map(|word| vault::find(connection, word)).transpose()?;
    let wanted = match (wanted.map(|reply| reply.vault), holder) {
        (None, Some(holder)) => return Ok(holder),
        (Some(wanted), Some(holder)) if wanted.id == holder.id => return Ok(holder),
        (Some(_), Some(holder)) => bail!(
            "{} is in vault {}; a resource is in one vault at a time",
            resource.name,
            holder.name
        ),
        (Some(wanted), None) => wanted,
        (None, None) => usual_vault(connection, resource.kind)?,
    };
    put_into(connection, &wanted, resource)?;
    Ok(wanted)
}

/// A vault that takes resources of that kind, made if there is none.
fn usual_vault(connection: &Connection, kind: ResourceKind) -> Result<Vault> {
    let query = ListVaultQuery {
        object_type: Some(vault::takes(kind)),
        protect_type: Some(ProtectType::Backup),
        status: Some(VaultStatus::Available),
        ..ListVaultQuery::default()
    };
    match vault::list(connection, query)?.vaults.into_iter().next() {
        Some(vault) => Ok(vault),
        None => vault::create_default(connection, kind, &format!("{kind}s")),
    }
}

fn put_into(connection: &Connection, vault: &Vault, resource: &Resource) -> Result<()> {
    let path = VaultPath {
        project_id: connection.project().to_owned(),
        vault_id: vault.id.clone(),
    };
    let request = AddVaultResourceRequest {
        resources: vec![ResourceCreate {
            extra_info: None,
            id: resource.id.clone(),
            resource_type: match resource.kind {
                ResourceKind::Share => ResourceType::Turbo,
                ResourceKind::Volume => ResourceType::Volume,
            },
            name: None,
        }],
    };
    connection
        .call::<AddVaultResource>(path, NoQuery, request)
        .with_context(|| format!("cannot put {} into vault {}", resource.name, vault.name))?;
    Ok(())
}

/// Asks for the backup, and finds the ids of what that began.
fn begin(
    connection: &Connection,
    resource: &Resource,
    vault: &Vault,
    wish: &Wish,
) -> Result<Begun> {
    let parameters = CheckpointParameters {
        incremental: Some(!wish.full),
        name: wish.name.as_deref().map(str::parse).transpose()?,
        resources: Some(vec![resource.id.clone()]),
        ..CheckpointParameters::default()
    };
    let request = CreateCheckpointRequest {
        checkpoint: CheckpointCreate {
            parameters: Some(parameters),
            vault_id: vault.id.clone(),
        },
    };
    let checkpoint = connection
        .call::<CreateCheckpoint>(connection.project_path(), NoQuery, request)
        .with_context(|| format!("cannot back up {}", resource.name))?
        .checkpoint;
    if let Some(skipped) = checkpoint.vault.skipped_resources.iter().flatten().next() {
        bail!(
            "{} was left out: {} ({})",
            skipped.name,
            skipped.reason,
            skipped.code
        );
    }
    let made = ListBackupsQuery {
        checkpoint_id: Some(checkpoint.id.clone()),
        ..ListBackupsQuery::default()
    };
    let made = backups::list(connection, &made)?.backups.pop();
    let logs = ListOpLogsQuery {
        resource_id: Some(resource.id.clone()),
        operation_type: Some(OperationType::Backup),
        ..ListOpLogsQuery::default()
    };
    let mut logs = connection
        .call::<ListOpLogs>(connection.project_path(), logs, Empty)?
        .operation_logs;
    logs.retain(|log| log.checkpoint_id.as_ref() == Some(&checkpoint.id));
    Ok(Begun {
        vault: vault.id.clone(),
        task: logs.pop().context("the backup has no task")?.id,
        backup: made.context("the restore point has no backup")?.id,
        checkpoint: checkpoint.id,
    })
}

/// Waits until the backup is made.
fn finish(
    connection: &Connection,
    output: Output,
    resource: &Resource,
    begun: &Begun,
) -> Result<BackupReply> {
    let what = format!("backing up {}", resource.name);
    task::wait(connection, output, &what, &begun.task)
        .with_context(|| format!("backup {} of {} failed", begun.backup, resource.name))?;
    backups::show(connection, &begun.backup)
}
