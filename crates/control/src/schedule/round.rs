//! A round: what is due is ordered, what was missed is said, and each binding gets its next run.
//!
//! One transaction per binding: the run is claimed, its backups and jobs are written and the
//! binding moves on, or nothing of it happened. A second server finds the binding moved on, or the
//! run claimed. A binding that cannot be worked on is put off, so that it does not stand in the
//! way of the others.

use strongroom_catalog::{
    PolicyRow, PolicyType, Tx, VaultPolicyRow, VaultRow,
    policies::{Binding, Outcome, RunRow, ScheduledBackupRow},
};
use strongroom_model::{
    CheckpointId, Timestamp,
    retention::Rule,
    state::{TaskStatus, VaultStatus},
};

use super::{
    binding,
    ledger::{Ledger, Step},
    plan,
};
use crate::{
    Control, Error, Reason, Result,
    checkpoints::{SkippedResource, order},
    operation_logs::{self, OperationDetail, OperationFailure, OperationResource},
    policies,
    replication::{self, policy::CopyRun},
    vaults,
};

/// Bindings that are looked at together.
const BATCH: u32 = 200;
/// Backups, and runs whatever comes of them, that one round sees to. What is left is the next
/// round's, which comes soon: however much falls due at once, other work gets its turn.
const BACKUPS_MAX: u64 = 2000;
const RUNS_MAX: u64 = 500;
/// A binding that cannot be worked on is looked at again after that time.
const PUT_OFF_SECONDS: i64 = 600;
/// Missed runs are counted up to this number.
const MISSED_MAX: usize = 10_000;
/// Whose request it is.
const REQUEST: &str = "schedule";

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Runs whose backups were ordered.
    pub ordered: u64,
    /// Backups that were ordered.
    pub backups: u64,
    /// Runs that could not begin, or whose time had passed.
    pub failed: u64,
    /// Runs without a resource to back up.
    pub idle: u64,
    /// Bindings that were put off.
    pub put_off: u64,
    /// Whether more is due than one round does; the next should come soon.
    pub more: bool,
}

/// A run at its vault.
struct Run<'a> {
    vault: &'a VaultRow,
    policy: &'a PolicyRow,
    place: &'a VaultPolicyRow,
    row: RunRow,
    now: Timestamp,
}

/// What a run came to.
struct Done {
    outcome: Outcome,
    checkpoint: Option<CheckpointId>,
    backups: u64,
}

impl Control {
    /// One round of the scheduler; to be called about every minute.
    ///
    /// Decides by the catalog and the clock alone, so it does not matter who calls it how often.
    pub fn schedule_round(&self) -> Result<Round> {
        let now = self.now();
        let (ledger, step) = self.write(|tx| Ledger::tick(tx, now))?;
        if step == Step::Back {
            self.plan_all(now)?;
        }
        self.plan_forgotten(now)?;
        let mut round = Round::default();
        loop {
            let due = self.read(|tx| Ok(tx.vault_policies().any_project_due(now, BATCH)?))?;
            if due.is_empty() {
                return Ok(round);
            }
            for binding in &due {
                if round.is_enough() {
                    round.more = true;
                    return Ok(round);
                }
                match self.order(|tx| self.run_due(tx, binding, &ledger, now)) {
                    Ok(done) => round.add(done),
                    Err(error) => {
                        tracing::warn!(vault = %binding.place.vault_id, %error, "put off a run");
                        round.put_off += 1;
                        self.write(|tx| put_off(tx, &binding.place, now))?;
                    }
                }
            }
        }
    }

    /// Gives bindings that have none their next run. Nothing that was missed is made up for: until
    /// now nobody promised them anything.
    fn plan_forgotten(&self, now: Timestamp) -> Result<()> {
        let forgotten = self.read(|tx| Ok(tx.vault_policies().any_project_unplanned(BATCH)?))?;
        if forgotten.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            for Binding { mut place, policy } in forgotten {
                plan(&policy, &mut place, now)?;
                if place.due_at.is_some() {
                    tx.vault_policies().set(&place)?;
                }
            }
            Ok(())
        })
    }

    /// Plans every binding anew from now on: the clock was set back, and what was planned may be
    /// a year away.
    fn plan_all(&self, now: Timestamp) -> Result<()> {
        let mut after = None;
        loop {
            let mut page =
                self.read(|tx| Ok(tx.vault_policies().any_project_page(after, BATCH)?))?;
            // The policies of one vault stay together, for the next page begins after a vault.
            if page.len() == BATCH as usize {
                let last = page[page.len() - 1].place.vault_id;
                page.retain(|binding| binding.place.vault_id != last);
            }
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.place.vault_id);
            self.write(|tx| {
                for Binding { mut place, policy } in page {
                    plan(&policy, &mut place, now)?;
                    tx.vault_policies().set(&place)?;
                }
                Ok(())
            })?;
        }
    }

    /// Does the run of a binding that is due; nothing if somebody else did.
    fn run_due(
        &self,
        tx: &Tx<'_>,
        binding: &Binding,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Result<Option<Done>> {
        let (project, vault) = (binding.place.project_id, binding.place.vault_id);
        let found = tx
            .vault_policies()
            .get(&project, &vault, binding.place.operation_type)?;
        let Some(mut place) = found.filter(|place| *place == binding.place) else {
            return Ok(None);
        };
        let Some(planned) = place.due_at else {
            return Ok(None);
        };
        let policy = policies::get(tx, project, place.policy_id)?;
        let vault = vaults::rows::get(tx, project, vault)?;
        let calendar = policies::calendar(&policy)?.reaching_back_to(planned);
        let due = plan::may_start(&policy, vault.id, &calendar, planned, now);
        let late = plan::is_late(&policy, vault.id, due, now);
        let earlier = calendar.count(planned.plus_micros(-1), due.plus_micros(-1), MISSED_MAX);
        let claimed = tx.policy_runs().claim(&RunRow {
            seq: 0,
            project_id: project,
            vault_id: vault.id,
            policy_id: policy.id,
            era: ledger.era,
            due_at: due,
            outcome: Outcome::Missed,
            checkpoint_id: None,
            decided_at: now,
        })?;
        let mut done = None;
        if let Some(row) = claimed {
            let missed = earlier + usize::from(late);
            let run = Run {
                vault: &vault,
                policy: &policy,
                place: &place,
                row,
                now,
            };
            if missed > 0 {
                self.note_missed(tx, &run, missed, planned)?;
            }
            let what = if late {
                Done::nothing(Outcome::Missed)
            } else {
                self.begin(tx, &run)?
            };
            let seq = run.row.seq;
            tx.policy_runs()
                .settle(&project, seq, what.outcome, what.checkpoint)?;
            place.runs += u64::from(what.outcome == Outcome::Ordered);
            done = Some(what);
        }
        plan(&policy, &mut place, due)?;
        tx.vault_policies().set(&place)?;
        Ok(done)
    }

    /// Orders the backups of a run, or says why there are none.
    fn begin(&self, tx: &Tx<'_>, run: &Run<'_>) -> Result<Done> {
        match self.order_run(tx, run) {
            Ok(done) => Ok(done),
            // What a rule forbids is a failed run; anything else is ours to try again.
            Err(error @ (Error::Conflict { .. } | Error::QuotaExceeded { .. })) => {
                let failure = OperationFailure {
                    reason: error.reason(),
                    message: error.to_string(),
                };
                self.note(tx, run, TaskStatus::Failed, None, failure, 1)?;
                Ok(Done::nothing(Outcome::Failed))
            }
            Err(error) => Err(error),
        }
    }

    fn order_run(&self, tx: &Tx<'_>, run: &Run<'_>) -> Result<Done> {
        if run.vault.status != VaultStatus::Available {
            let about = format!("{}: {}", run.vault.name, run.vault.status);
            return Err(Error::conflict(Reason::VaultStateForbidsBackup, about));
        }
        if run.policy.operation_type == PolicyType::Replication {
            return self.copy_run(tx, run);
        }
        binding::bind_resources(tx, run.vault, run.now)?;
        let held = tx
            .vault_resources()
            .of_vault(&run.vault.project_id, &run.vault.id)?;
        let covered: Vec<_> = held
            .into_iter()
            .filter(|(place, _)| place.auto_protect)
            .collect();
        if covered.is_empty() {
            return Ok(Done::nothing(Outcome::Idle));
        }
        let vault = self.grown_with_room(tx, run.vault)?;
        let choice = order::choose(&vault, covered)?;
        for skipped in &choice.skipped {
            self.note_skipped(tx, run, skipped)?;
        }
        let definition = policies::definition_of(run.policy)?;
        let rule = definition.rule()?;
        let order = order::Order {
            vault: &vault,
            name: self.automatic_name(&vault),
            description: None,
            incremental: !definition.is_full(run.place.runs),
            auto_trigger: true,
            retention_days: rule.duration_days.map(i64::from),
            skipped: choice.skipped,
            safety: false,
        };
        let resources: Vec<_> = choice.taken.iter().map(|resource| resource.id).collect();
        let placed = order.place(self, tx, REQUEST, choice.taken)?;
        for (backup, resource) in placed.backups.iter().zip(resources) {
            tx.scheduled_backups()
                .insert(&scheduled(run, &rule, *backup, resource))?;
        }
        Ok(Done {
            outcome: Outcome::Ordered,
            checkpoint: Some(placed.checkpoint.id),
            backups: placed.backups.len() as u64,
        })
    }

    fn copy_run(&self, tx: &Tx<'_>, run: &Run<'_>) -> Result<Done> {
        let copies = CopyRun {
            vault: run.vault,
            policy: run.policy,
            place: run.place,
            seq: run.row.seq,
            now: run.now,
        };
        let backups = replication::policy::order_run(self, tx, REQUEST, &copies)?;
        let outcome = if backups > 0 {
            Outcome::Ordered
        } else {
            Outcome::Idle
        };
        Ok(Done {
            outcome,
            checkpoint: None,
            backups,
        })
    }

    fn note_missed(
        &self,
        tx: &Tx<'_>,
        run: &Run<'_>,
        missed: usize,
        first: Timestamp,
    ) -> Result<()> {
        let from = first.to_jiff().map(|at| at.to_string()).unwrap_or_default();
        let message = format!(
            "{}: {} of policy {}, from {from} on",
            Reason::Missed.text(),
            if missed == 1 {
                "1 run".to_owned()
            } else {
                format!("{missed} runs")
            },
            run.policy.name,
        );
        let failure = OperationFailure {
            reason: Reason::Missed,
            message,
        };
        self.note(tx, run, TaskStatus::Failed, None, failure, missed as u64)
    }

    fn note_skipped(&self, tx: &Tx<'_>, run: &Run<'_>, skipped: &SkippedResource) -> Result<()> {
        let resource = OperationResource {
            id: skipped.id,
            kind: skipped.kind,
            name: skipped.name.clone(),
        };
        let failure = OperationFailure {
            reason: skipped.reason,
            message: skipped.message.clone(),
        };
        self.note(tx, run, TaskStatus::Skipped, Some(resource), failure, 1)
    }

    fn note(
        &self,
        tx: &Tx<'_>,
        run: &Run<'_>,
        status: TaskStatus,
        resource: Option<OperationResource>,
        failure: OperationFailure,
        runs: u64,
    ) -> Result<()> {
        let policy_id = run.policy.id;
        let detail = match run.policy.operation_type {
            PolicyType::Backup => OperationDetail::PolicyRun { policy_id, runs },
            PolicyType::Replication => OperationDetail::ReplicationRun { policy_id, runs },
        };
        let note = operation_logs::Note {
            vault: run.vault,
            resource,
            detail,
            status,
            failure,
        };
        operation_logs::note(self, tx, REQUEST, note)?;
        Ok(())
    }
}

fn scheduled(
    run: &Run<'_>,
    rule: &Rule,
    backup_id: strongroom_model::BackupId,
    resource_id: strongroom_model::ResourceId,
) -> ScheduledBackupRow {
    ScheduledBackupRow {
        backup_id,
        project_id: run.vault.project_id,
        vault_id: run.vault.id,
        resource_id,
        policy_id: run.policy.id,
        run: run.row.seq,
        due_at: run.row.due_at,
        max_backups: rule.max_backups,
        definition: Some(run.policy.definition.clone()),
        day_by_hand: false,
    }
}

/// Looks at a binding again later.
fn put_off(tx: &Tx<'_>, place: &VaultPolicyRow, now: Timestamp) -> Result<()> {
    let later = VaultPolicyRow {
        start_at: Some(now.plus_seconds(PUT_OFF_SECONDS)),
        ..place.clone()
    };
    Ok(tx.vault_policies().set(&later)?)
}

impl Done {
    const fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            checkpoint: None,
            backups: 0,
        }
    }
}

impl Round {
    const fn is_enough(&self) -> bool {
        let runs = self.ordered + self.failed + self.idle + self.put_off;
        self.backups >= BACKUPS_MAX || runs >= RUNS_MAX
    }

    fn add(&mut self, done: Option<Done>) {
        let Some(done) = done else {
            return;
        };
        self.backups += done.backups;
        match done.outcome {
            Outcome::Ordered => self.ordered += 1,
            Outcome::Failed | Outcome::Missed => self.failed += 1,
            Outcome::Idle => self.idle += 1,
        }
    }
}
