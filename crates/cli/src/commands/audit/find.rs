//! Instances and backups as commands name them.

use anyhow::{Context as _, Result, bail};
use strongroom_wire::{
    Empty,
    dbss::{
        BackupPath, InstancePath, Limit, ListAuditBackupInfo, ListAuditInstancesLast, Number,
        PageQuery, ProjectPath,
        backup::{BackupInfo, ListBackupsReply, ListBackupsRequest},
        instance::InstanceRow,
    },
    query::{NoQuery, Offset},
};

use crate::connection::Connection;

/// Rows of a page.
const PAGE: u32 = 1000;

pub(super) fn project_path(connection: &Connection) -> ProjectPath {
    ProjectPath {
        project_id: connection.project().to_owned(),
    }
}

pub(super) fn path_of(connection: &Connection, instance_id: String) -> InstancePath {
    InstancePath {
        project_id: connection.project().to_owned(),
        instance_id,
    }
}

pub(super) fn backup_path(
    connection: &Connection,
    instance: &str,
    backup: &str,
) -> Result<BackupPath> {
    Ok(BackupPath {
        project_id: connection.project().to_owned(),
        instance_id: id_of(connection, instance)?,
        id: backup.to_owned(),
    })
}

/// Every instance, page after page.
pub(super) fn instances(connection: &Connection) -> Result<Vec<InstanceRow>> {
    let mut all: Vec<InstanceRow> = Vec::new();
    loop {
        let query = PageQuery {
            limit: Limit::new(PAGE),
            offset: Some(Offset(u32::try_from(all.len())?)),
        };
        let page = connection
            .call::<ListAuditInstancesLast>(project_path(connection), query, Empty)
            .context("cannot list audit instances")?;
        if page.instances.is_empty() {
            return Ok(all);
        }
        all.extend(page.instances);
    }
}

/// Every backup of an instance, page after page.
pub(super) fn backups(connection: &Connection, instance: &str) -> Result<ListBackupsReply> {
    let mut all: Vec<BackupInfo> = Vec::new();
    for page in 1.. {
        let request = ListBackupsRequest {
            page: Number(page),
            size: Number(PAGE),
            ..ListBackupsRequest::default()
        };
        let path = path_of(connection, instance.to_owned());
        let mut found = connection
            .call::<ListAuditBackupInfo>(path, NoQuery, request)
            .context("cannot list backups")?;
        let last = found.data_list.len() < PAGE as usize;
        all.extend(found.data_list);
        if last {
            found.data_list = all;
            return Ok(found);
        }
    }
    bail!("there is no end of backups")
}

/// The instance of that id or name.
pub(super) fn find(connection: &Connection, word: &str) -> Result<InstanceRow> {
    let mut found = instances(connection)?;
    found.retain(|instance| instance.id == word || instance.name == word);
    found.pop().with_context(|| {
        format!("there is no audit instance {word}; `strongroom audit list` shows them")
    })
}

/// The id of that id or name; one that is off the list is known by its id alone.
pub(super) fn id_of(connection: &Connection, word: &str) -> Result<String> {
    let is_id = word.len() == 32 && word.bytes().all(|one| one.is_ascii_hexdigit());
    if is_id {
        return Ok(word.to_owned());
    }
    Ok(find(connection, word)?.id)
}
