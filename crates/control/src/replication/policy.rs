//! What a run of a replication policy copies: the good backups of its vault that are not there
//! yet and would stay there by the policy's own retention.
//!
//! What retention would delete again is not copied, so a run after the replicas' end copies
//! nothing twice. Where a backup belongs among the others is here read from its time: this
//! decides what is copied, never what is deleted. In the vault of the copies the order in which
//! they were asked for counts (docs/adr/0014-clockwork.md).

use std::{cmp::Reverse, collections::BTreeMap};

use strongroom_catalog::{
    self as catalog, BackupFilter, BackupRow, PolicyRow, Tx, VaultPolicyRow, VaultRow,
    policies::ScheduledBackupRow,
};
use strongroom_model::{
    ResourceId, Timestamp, VaultId,
    retention::{Candidate, Rule, Verdict, judge},
    state::BackupStatus,
};

use super::{
    Destination,
    order::{self, Order, Placed, Source, Target},
};
use crate::{Caller, Control, Error, Result, policies};

/// Backups that one run copies at most; the next one copies the rest.
const COPIES_MAX: usize = 1000;
/// Places in the order of copies that each run has.
const PLACES: i64 = 1_000_000;

/// A run of a replication policy.
pub(crate) struct CopyRun<'a> {
    /// The vault of the originals.
    pub(crate) vault: &'a VaultRow,
    /// The policy.
    pub(crate) policy: &'a PolicyRow,
    /// Its place at the vault.
    pub(crate) place: &'a VaultPolicyRow,
    /// The run's place among all runs.
    pub(crate) seq: i64,
    /// The time.
    pub(crate) now: Timestamp,
}

/// Refuses to bind a replication policy to a vault that it could not copy from, or to where.
pub(crate) fn check_binding(
    control: &Control,
    tx: &Tx<'_>,
    caller: &Caller,
    vault: &VaultRow,
    (policy, destination): (&PolicyRow, VaultId),
) -> Result<()> {
    let source = Source::of(tx, vault.project_id, vault.id)?;
    let destination = destination_of(policy, destination)?;
    Target::fitting(control, tx, Some(caller), &source, &destination)?;
    Ok(())
}

/// Orders the copies of a run; how many there are.
pub(crate) fn order_run(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    run: &CopyRun<'_>,
) -> Result<u64> {
    let Some(destination) = run.place.destination_vault_id else {
        return Ok(0);
    };
    let source = Source::of(tx, run.vault.project_id, run.vault.id)?;
    let destination = destination_of(run.policy, destination)?;
    let target = Target::of(control, tx, None, &source, &destination)?;
    let rule = policies::definition_of(run.policy)?.rule()?;
    let wanted = wanted(tx, &source, &target, &rule, run.now)?;
    let order = Order {
        source: &source,
        target: &target,
        name: None,
        description: None,
        policy: Some(run.policy.id),
        auto_trigger: true,
        retention_days: rule.duration_days,
    };
    let originals: BTreeMap<_, _> = wanted.iter().map(|(at, row)| (row.id, *at)).collect();
    let rows = wanted.into_iter().map(|(_, row)| row).collect();
    let placed = order.place(control, tx, request_id, rows)?;
    for (number, copy) in (0..).zip(&placed) {
        tx.scheduled_backups().insert(&ScheduledBackupRow {
            backup_id: copy.replica.id,
            project_id: target.vault.project_id,
            vault_id: target.vault.id,
            resource_id: copy.replica.resource_id,
            policy_id: run.policy.id,
            run: run.seq.saturating_mul(PLACES).saturating_add(number),
            due_at: originals[&copy.original],
            max_backups: rule.max_backups,
            definition: Some(run.policy.definition.clone()),
            day_by_hand: false,
        })?;
    }
    Ok(placed.len() as u64)
}

fn destination_of(policy: &PolicyRow, vault: VaultId) -> Result<Destination> {
    let definition = policies::definition_of(policy)?;
    Ok(Destination {
        region: definition.destination_region.unwrap_or_default(),
        project: definition.destination_project_id.unwrap_or_default(),
        vault,
    })
}

/// The originals to copy with the instants they were made for, the oldest first.
fn wanted(
    tx: &Tx<'_>,
    source: &Source,
    target: &Target,
    rule: &Rule,
    now: Timestamp,
) -> Result<Vec<(Timestamp, BackupRow)>> {
    let mut wanted = Vec::new();
    for (resource, originals) in originals(tx, &source.vault)? {
        wanted.extend(wanted_of(tx, (target, rule, now), resource, originals)?);
    }
    wanted.sort_by_key(|(at, row)| Reverse((*at, row.id)));
    wanted.truncate(COPIES_MAX);
    wanted.reverse();
    Ok(wanted)
}

/// The good backups of a vault by resource.
fn originals(tx: &Tx<'_>, vault: &VaultRow) -> Result<BTreeMap<ResourceId, Vec<BackupRow>>> {
    let filter = BackupFilter {
        vault_id: Some(vault.id),
        statuses: vec![BackupStatus::Available],
        replicas: Some(false),
        ..BackupFilter::default()
    };
    let mut found = BTreeMap::<_, Vec<_>>::new();
    let everything = catalog::Page::ALL;
    let listed = tx
        .backups()
        .list(&vault.project_id, &filter, &[], &everything)?;
    for row in listed.rows {
        found.entry(row.resource_id).or_default().push(row);
    }
    Ok(found)
}

/// Of one resource, what is not there and would stay there beside what is.
fn wanted_of(
    tx: &Tx<'_>,
    (target, rule, now): (&Target, &Rule, Timestamp),
    resource: ResourceId,
    originals: Vec<BackupRow>,
) -> Result<Vec<(Timestamp, BackupRow)>> {
    let vault = &target.vault;
    let there = tx
        .scheduled_backups()
        .of_vault(&vault.project_id, &vault.id, Some(&resource))?;
    let mut all: Vec<(Candidate, Option<BackupRow>)> = there
        .into_iter()
        .filter(|replica| replica.status == BackupStatus::Available)
        .map(|replica| {
            let candidate = Candidate {
                day_by_hand: false,
                at: replica.row.due_at,
                good: true,
                expires_at: replica.expired_at,
                max_backups: rule.max_backups,
            };
            (candidate, None)
        })
        .collect();
    for row in originals {
        match order::copyable(tx, &row, target) {
            Ok(()) => {}
            Err(Error::Conflict { .. }) => continue,
            Err(error) => return Err(error),
        }
        let planned = tx.scheduled_backups().get(&row.project_id, &row.id)?;
        let at = planned.map_or(row.created_at, |planned| planned.due_at);
        let days = rule.duration_days.map(i64::from);
        let candidate = Candidate {
            day_by_hand: false,
            at,
            good: true,
            expires_at: days.map(|days| at.plus_seconds(days * 86_400)),
            max_backups: rule.max_backups,
        };
        all.push((candidate, Some(row)));
    }
    all.sort_by_key(|(candidate, _)| Reverse(candidate.at));
    let seen: Vec<Candidate> = all.iter().map(|(candidate, _)| *candidate).collect();
    let verdicts = judge(Some(rule), &seen, now);
    let kept = all
        .into_iter()
        .zip(verdicts)
        .filter_map(|((candidate, row), verdict)| {
            let stays = matches!(verdict, Verdict::Stays(_));
            row.filter(|_| stays).map(|row| (candidate.at, row))
        });
    Ok(kept.collect())
}

/// The rule by which the replicas of one resource stay in a vault for copies: that of the policy
/// that made the newest, while it copies there.
pub(crate) fn rule_there(
    tx: &Tx<'_>,
    vault: &VaultRow,
    newest: Option<&ScheduledBackupRow>,
) -> Result<Option<Rule>> {
    let Some(newest) = newest else {
        return Ok(None);
    };
    let bound = tx.vault_policies().any_project_into(&vault.id)?;
    let policy = bound
        .into_iter()
        .map(|binding| binding.policy)
        .find(|policy| policy.id == newest.policy_id);
    policy
        .map(|policy| policies::definition_of(&policy)?.rule())
        .transpose()
}

impl From<&Placed> for (strongroom_model::BackupId, strongroom_model::ReplicationId) {
    fn from(placed: &Placed) -> Self {
        (placed.original, placed.record)
    }
}
