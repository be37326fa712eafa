//! Reads every row of every table, to find values that nothing of this release wrote.

use crate::{
    audit::{AuditRow, SealRow},
    backups::BackupRow,
    checkpoints::CheckpointRow,
    error::{Error, Result},
    identity::{
        AccessKeyRow, DomainRow, GrantRow, PermissionGrantRow, PermissionPolicyRow, ProjectRow,
        TokenRow, UserRow,
    },
    jobs::{JobRow, StepRow},
    notifications::{AlarmRow, ChannelRow, NotificationRow},
    operation_logs::OperationLogRow,
    repositories::RepositoryRow,
    resources::ResourceRow,
    settings::SettingRow,
    table::Table,
    tx::Tx,
    vaults::{TagRow, VaultResourceRow, VaultRow},
};

/// Problems of one table beyond this many are not listed.
const ENOUGH: usize = 20;

/// Adds to `problems` what is wrong with the rows.
pub(crate) fn rows(tx: &Tx<'_>, problems: &mut Vec<String>) -> Result<()> {
    for table in [
        table::<SettingRow>,
        table::<DomainRow>,
        table::<ProjectRow>,
        table::<UserRow>,
        table::<GrantRow>,
        table::<AccessKeyRow>,
        table::<TokenRow>,
        table::<ResourceRow>,
        table::<VaultRow>,
        table::<VaultResourceRow>,
        table::<TagRow>,
        table::<CheckpointRow>,
        table::<BackupRow>,
        table::<RepositoryRow>,
        table::<OperationLogRow>,
        table::<JobRow>,
        table::<StepRow>,
        table::<PermissionPolicyRow>,
        table::<PermissionGrantRow>,
        table::<AuditRow>,
        table::<SealRow>,
        table::<AlarmRow>,
        table::<ChannelRow>,
        table::<NotificationRow>,
    ] {
        table(tx, problems)?;
    }
    Ok(())
}

fn table<R: Table>(tx: &Tx<'_>, problems: &mut Vec<String>) -> Result<()> {
    let sql = format!("SELECT {} FROM {}", R::COLUMNS.join(", "), R::NAME);
    let mut found = 0;
    tx.each(R::NAME, &sql, &[], |row| {
        match R::read(row) {
            Err(problem @ Error::Unreadable { .. }) if found < ENOUGH => {
                found += 1;
                problems.push(problem.to_string());
            }
            Err(Error::Unreadable { .. }) | Ok(_) => {}
            Err(other) => return Err(other),
        }
        Ok(())
    })
}
