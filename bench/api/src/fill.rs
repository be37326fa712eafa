//! Fills a catalog with backups as a project of some size would have them.
//!
//! A hundred daily runs of every resource, two hundred resources to a vault, ten to a checkpoint:
//! ten times the backups are ten times the resources, vaults and checkpoints, over the same days.
//! One backup in a hundred failed, the first of each resource is a full one. Every fifth vault
//! beyond the first is in another enterprise project.

use anyhow::{Context as _, Result};
use strongroom_catalog::{BackupRow, Catalog, CheckpointRow, Error, Json, ResourceRow};
use strongroom_control::{
    Caller, Control,
    enterprise::NewEnterpriseProject,
    identity::FirstStart,
    vaults::{AddedResource, NewVault},
    words::ObjectType,
};
use strongroom_model::{
    BackupId, Bytes, CheckpointId, GiB, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::{BackupStatus, CheckpointStatus},
};

/// Backups of one resource.
const RUNS: u64 = 100;
/// Resources of one checkpoint.
const TOGETHER: usize = 10;
/// Resources of one vault.
const IN_A_VAULT: usize = 200;
/// When the first run was, in microseconds.
const FIRST: i64 = 1_700_000_000_000_000;
const DAY: i64 = 86_400_000_000;
/// Backups that one transaction writes.
const BATCH: usize = 20_000;

/// What cases need to know of a filled catalog.
pub(crate) struct Facts {
    pub(crate) project: ProjectId,
    pub(crate) backups: u64,
    pub(crate) vault: VaultId,
    pub(crate) resource: ResourceId,
    pub(crate) checkpoint: CheckpointId,
    pub(crate) name: String,
    /// A backup in the middle of the list.
    pub(crate) middle: BackupId,
}

/// Writes that many backups, rounded to whole resources.
pub(crate) fn fill(
    catalog: &Catalog,
    control: &Control,
    first: &FirstStart,
    backups: u64,
) -> Result<Facts> {
    let project = first.project.id;
    let resources = usize::try_from(backups / RUNS)?.max(1);
    let resources: Vec<_> = (0..resources).map(|n| resource(project, n)).collect();
    catalog.write::<_, Error>(|tx| {
        let mut all = resources.iter();
        all.try_for_each(|row| tx.resources().insert(row))
    })?;
    let caller = Caller {
        user_id: first.user.id,
        domain_id: first.domain.id,
        project_id: Some(project),
        is_admin: true,
        request_id: "bench".into(),
        source: "bench".into(),
    };
    let other = NewEnterpriseProject {
        name: "other".into(),
        description: None,
        kind: None,
    };
    let other = control.create_enterprise_project(&caller, &other)?.id;
    let mut vaults = Vec::new();
    for (number, held) in resources.chunks(IN_A_VAULT).enumerate() {
        let added = held.iter().map(|row| AddedResource {
            id: row.id,
            kind: Some(row.kind),
            extra_info: None,
        });
        let new = NewVault {
            resources: added.collect(),
            enterprise_project_id: (number % 5 == 4).then(|| other.clone()),
            ..NewVault::new(format!("vault-{number}"), ObjectType::Turbo, GiB(1000))
        };
        vaults.push(control.create_vault(&caller, new)?.id);
    }
    let mut rows = Vec::new();
    for run in 0..RUNS {
        for (number, together) in resources.chunks(TOGETHER).enumerate() {
            let vault = vaults[number * TOGETHER / IN_A_VAULT];
            rows.push((run, number, vault, together));
        }
    }
    let mut middle = None;
    for batch in rows.chunks(BATCH / TOGETHER) {
        catalog.write::<_, Error>(|tx| {
            for (run, number, vault, together) in batch {
                let checkpoint = checkpoint(project, *vault, (*run, *number));
                tx.checkpoints().insert(&checkpoint)?;
                for (place, of) in together.iter().enumerate() {
                    let row = backup(of, &checkpoint, (*run, *number * TOGETHER + place));
                    if *run == RUNS / 2 && *number == 0 {
                        middle = Some(row.id);
                    }
                    tx.backups().insert(&row)?;
                }
            }
            Ok(())
        })?;
    }
    let middle = middle.context("there is no backup")?;
    Ok(Facts {
        project,
        backups: resources.len() as u64 * RUNS,
        vault: vaults[0],
        resource: resources[0].id,
        checkpoint: CheckpointId::from_bytes(scattered(3, RUNS / 2, 0)),
        name: name(RUNS / 2, 0),
        middle,
    })
}

/// Ids that are spread like random ones, but known.
fn scattered(kind: u8, one: u64, two: usize) -> [u8; 16] {
    let mixed = (one << 40 ^ two as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = mixed ^ (mixed >> 29);
    let low = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ u64::from(kind);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mixed.to_be_bytes());
    id[8..].copy_from_slice(&low.to_be_bytes());
    id
}

fn resource(project_id: ProjectId, number: usize) -> ResourceRow {
    ResourceRow {
        id: ResourceId::from_bytes(scattered(1, 0, number)),
        project_id,
        kind: ResourceKind::Share,
        name: format!("share-{number}"),
        path: format!("/srv/shares/{number}").into(),
        size_bytes: Bytes(10 << 30),
        created_at: Timestamp::from_micros(FIRST),
        removed_at: None,
    }
}

fn name(run: u64, checkpoint: usize) -> String {
    format!("autobk_{run:02x}{checkpoint:06x}")
}

/// When a checkpoint's backups were asked for: all of a run within a day.
fn asked_at(run: u64, number: usize) -> Timestamp {
    let day = FIRST + i64::try_from(run).unwrap_or_default() * DAY;
    Timestamp::from_micros(day + i64::try_from(number).unwrap_or_default() * 700_001)
}

fn checkpoint(
    project_id: ProjectId,
    vault_id: VaultId,
    (run, number): (u64, usize),
) -> CheckpointRow {
    let at = asked_at(run, number);
    CheckpointRow {
        id: CheckpointId::from_bytes(scattered(3, run, number)),
        project_id,
        vault_id,
        status: CheckpointStatus::Available,
        name: name(run, number),
        description: None,
        retention_days: None,
        skipped: Json(serde_json::json!([])),
        incremental_asked: true,
        auto_trigger: true,
        created_at: at,
        updated_at: at,
    }
}

fn backup(of: &ResourceRow, checkpoint: &CheckpointRow, (run, number): (u64, usize)) -> BackupRow {
    let failed = (run + number as u64) % 100 == 7;
    let done = checkpoint.created_at.plus_seconds(90);
    BackupRow {
        replica_of: None,
        id: BackupId::from_bytes(scattered(4, run, number)),
        project_id: of.project_id,
        vault_id: checkpoint.vault_id,
        checkpoint_id: checkpoint.id,
        resource_id: of.id,
        resource_name: of.name.clone(),
        kind: of.kind,
        resource_size_bytes: of.size_bytes,
        name: checkpoint.name.clone(),
        description: None,
        status: if failed {
            BackupStatus::Error
        } else {
            BackupStatus::Available
        },
        incremental_asked: run > 0,
        incremental: run > 0,
        parent_id: None,
        manifest_id: Some(format!("{run:08x}{number:024x}")),
        stored_bytes: Bytes(1 << 20),
        unique_bytes: Bytes(1 << 21),
        logical_bytes: of.size_bytes,
        items: 1000,
        problems: Json(Vec::new()),
        fail_reason: failed.then(|| "a file could not be read".to_owned()),
        auto_trigger: true,
        created_at: checkpoint.created_at,
        updated_at: done,
        protected_at: (!failed).then_some(done),
        expired_at: None,
    }
}
