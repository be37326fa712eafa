//! What commands about audit logs print for people.

use strongroom_wire::{
    dbss::{backup::BackupInfo, instance::InstanceRow, statement::ListSqlsReply},
    native::audit_log::AuditInstanceSettings,
    time::DbssTime,
};

use crate::output::table;

pub(super) fn rows_of(instances: &[InstanceRow]) -> String {
    let rows = instances.iter().map(|instance| {
        [
            instance.id.clone(),
            instance.name.clone(),
            instance.status.to_string(),
            instance.created.clone(),
        ]
    });
    table(["ID", "NAME", "STATUS", "CREATED"], rows)
}

pub(super) fn rows_of_backups(backups: &[BackupInfo]) -> String {
    let shown = |time: Option<DbssTime>| time.map(|time| time.to_string()).unwrap_or_default();
    let rows = backups.iter().map(|backup| {
        [
            backup.id.clone(),
            backup.progress.to_string(),
            format!("{} {}", backup.file_size, backup.file_size_unit),
            shown(backup.start_time),
            shown(backup.end_time),
            backup.backup_time.to_string(),
        ]
    });
    let heads = ["ID", "PROGRESS", "SIZE", "FROM", "TO", "CREATED"];
    table(heads, rows)
}

pub(super) fn rows_of_settings(now: &AuditInstanceSettings) -> String {
    let row = [
        now.id.clone(),
        now.name.clone(),
        now.keep_days.to_string(),
        now.timezone.clone(),
        format!("{} %", now.hurry_percent),
        now.comment.clone(),
    ];
    let heads = ["ID", "NAME", "DAYS", "ZONE", "HURRY", "COMMENT"];
    table(heads, [row])
}

pub(super) fn rows_of_statements(found: &ListSqlsReply) -> String {
    let rows = found.sqls.iter().map(|item| {
        let sql = &item.sql;
        [
            sql.start_time.clone(),
            sql.db_user.clone(),
            sql.client_ip.clone(),
            sql.db_instance.clone(),
            sql.sql_response.to_string(),
            sql.sql_statement.clone(),
        ]
    });
    let heads = ["TIME", "USER", "CLIENT", "DATABASE", "RESULT", "STATEMENT"];
    table(heads, rows)
}
