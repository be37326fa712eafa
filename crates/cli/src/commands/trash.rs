//! `strongroom trash`: what was deleted and can be brought back.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_wire::{
    Empty,
    native::{BackupPath, ListTrash, UndeleteBackup, UndeleteVault, VaultPath, safety::Trash},
    path::NoPath,
    query::NoQuery,
};

use crate::{arguments::Context, connection::Connection, output::table};

/// What is done with the trash.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// List what can be brought back, and until when
    List,
    /// Bring a deleted backup or vault back
    Undelete {
        /// Its id, or a vault's name
        what: String,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let trash = connection
            .call::<ListTrash>(NoPath, NoQuery, Empty)
            .context("cannot list the trash")?;
        match self {
            Self::List => context.output.show(&trash, text),
            Self::Undelete { what } => {
                let id = undelete(&connection, &trash, &what)?;
                context.output.show(&id, Clone::clone)
            }
        }
    }
}

fn undelete(connection: &Connection, trash: &Trash, what: &str) -> Result<String> {
    if let Some(backup) = trash.backups.iter().find(|backup| backup.id == what) {
        let path = BackupPath {
            backup_id: backup.id.clone(),
        };
        connection
            .call::<UndeleteBackup>(path, NoQuery, Empty)
            .with_context(|| format!("cannot bring backup {what} back"))?;
        return Ok(backup.id.clone());
    }
    let mut meant = trash
        .vaults
        .iter()
        .filter(|vault| vault.id == what || vault.name == what);
    match (meant.next(), meant.next()) {
        (Some(vault), None) => {
            let path = VaultPath {
                vault_id: vault.id.clone(),
            };
            connection
                .call::<UndeleteVault>(path, NoQuery, Empty)
                .with_context(|| format!("cannot bring vault {what} back"))?;
            Ok(vault.id.clone())
        }
        (None, _) => bail!(
            "{what} is not in the trash; `strongroom trash list` shows what can be brought back"
        ),
        _ => bail!("several vaults in the trash are called {what}; name one by its id"),
    }
}

fn text(trash: &Trash) -> String {
    let vaults = trash.vaults.iter().map(|vault| {
        [
            vault.id.clone(),
            "vault".to_owned(),
            vault.name.clone(),
            format!("{} backups", vault.backups),
            vault.deleted_at.to_string(),
            vault.purge_at.to_string(),
        ]
    });
    let backups = trash.backups.iter().map(|backup| {
        [
            backup.id.clone(),
            "backup".to_owned(),
            backup.name.clone(),
            backup.resource_name.clone(),
            backup.deleted_at.to_string(),
            backup.purge_at.to_string(),
        ]
    });
    let heads = ["ID", "WHAT", "NAME", "OF", "DELETED", "GONE FOR GOOD"];
    table(heads, vaults.chain(backups))
}
