//! The preview of retention: which backups of a vault exist on a day to come, and why others go.
//!
//! The catalog is read once; what follows is pure ([`strongroom_model::retention::preview`]) and is
//! done without holding a transaction. A preview can suppose another policy than the vault has, so
//! that whoever is about to bind or change one sees first what that would cost.

use std::collections::BTreeMap;

use strongroom_catalog::{
    BackupFilter, BackupRow, Page, PolicyRow, PolicyType, Tx, VaultPolicyRow, VaultRow,
};
use strongroom_model::{
    BackupId, PolicyId, ProjectId, ResourceId, Timestamp, VaultId,
    retention::{Cause, Fate, Hold, Known, Life, Outlook, Run, Terms, Zone, preview},
    state::BackupStatus,
};

use super::{Promises, end_of_day, of_vault};
use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    operation_logs::OperationResource,
    policies, resources,
    schedule::{self, Ledger},
    vaults,
};

/// Verdicts that one preview may work out: about a second.
const STEPS_MAX: u64 = 1_000_000;

/// How far a preview looks if nothing is said.
const AHEAD_DAYS: i64 = 30;

/// What to look ahead at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreview {
    /// The vault.
    pub vault_id: VaultId,
    /// To the end of that day in UTC, `YYYY-MM-DD`; 30 days ahead if absent.
    pub day: Option<String>,
    /// As though the vault followed this policy; the one that it has if absent.
    pub policy_id: Option<PolicyId>,
    /// Only of this resource.
    pub resource_id: Option<ResourceId>,
}

/// What retention will do in a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The policy that was supposed, if there is one.
    pub policy_id: Option<PolicyId>,
    /// To when it looks.
    pub until: Timestamp,
    /// From when on backups may go; later than now after the clock jumped.
    pub deletes_from: Timestamp,
    /// Every backup that there is or will be until then: resource by resource, the newest first.
    pub backups: Vec<Foreseen>,
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// Its id and name; none for one that is not made yet.
    pub backup: Option<(BackupId, String)>,
    /// What it is of.
    pub resource: OperationResource,
    /// Whether a calendar asked for it.
    pub scheduled: bool,
    /// The instant it was made for.
    pub at: Timestamp,
    /// From when on it is there; none for one that is there already.
    pub begins: Option<Timestamp>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What the catalog says, before anything is worked out.
struct Situation {
    policy: Option<PolicyRow>,
    made_under: Option<usize>,
    runs: Option<VaultPolicyRow>,
    resources: BTreeMap<ResourceId, Held>,
    deletes_from: Timestamp,
}

/// A resource with its backups, and whether runs will make more.
struct Held {
    resource: OperationResource,
    covered: bool,
    scheduled: Vec<Known<(BackupId, usize)>>,
    names: Vec<String>,
    others: Vec<BackupRow>,
    /// What decides about its scheduled backups.
    terms: Terms,
}

impl Control {
    /// Which backups of a vault exist on a day to come, and when and why each of the others goes.
    ///
    /// Supposes that every run succeeds and that nobody changes anything.
    pub fn preview_retention(&self, caller: &Caller, new: &NewPreview) -> Result<Preview> {
        let project = project(caller)?;
        let now = self.now();
        let until = match &new.day {
            Some(day) => end_of_day("day", day, &Zone::default())?,
            None => now.plus_seconds(AHEAD_DAYS * 86_400),
        };
        if until <= now {
            return Err(Error::invalid("day", "that day is over: name one to come"));
        }
        let situation = self.read(|tx| Situation::read(tx, project, new, now))?;
        let mut backups = Vec::new();
        let mut steps = STEPS_MAX;
        for held in situation.resources.values() {
            backups.extend(situation.of_resource(held, (now, until), &mut steps)?);
        }
        Ok(Preview {
            policy_id: situation.policy.map(|policy| policy.id),
            until,
            deletes_from: situation.deletes_from,
            backups,
        })
    }
}

impl Situation {
    fn read(tx: &Tx<'_>, project: ProjectId, new: &NewPreview, now: Timestamp) -> Result<Self> {
        let vault = vaults::rows::get(tx, project, new.vault_id)?;
        let (policy, runs) = supposed(tx, &vault, new.policy_id, now)?;
        let found = of_vault(tx, &vault, new.resource_id.as_ref())?;
        let promises = Promises::of(tx, &vault, policy.as_ref(), &found)?;
        let filter = BackupFilter {
            vault_id: Some(vault.id),
            resource_id: new.resource_id,
            ..BackupFilter::default()
        };
        let rows = tx.backups().list(&project, &filter, &[], &Page::ALL)?.rows;
        let mut rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut resources = BTreeMap::new();
        for (place, resource) in tx.vault_resources().of_vault(&project, &vault.id)? {
            if new.resource_id.is_none_or(|only| only == resource.id) {
                let held = Held::new(resources::named(&resource), place.auto_protect);
                resources.insert(resource.id, held);
            }
        }
        for (id, scheduled) in &found {
            for backup in scheduled {
                let Some(row) = rows.remove(&backup.row.backup_id) else {
                    continue;
                };
                let held = held_of(&mut resources, *id, &row);
                if let Some(subject) = promises.subject(backup) {
                    let key = (row.id, held.names.len());
                    held.names.push(row.name);
                    held.scheduled.push(Known { key, subject });
                }
            }
        }
        for row in rows.into_values() {
            let going = matches!(
                row.status,
                BackupStatus::WaitingDelete | BackupStatus::Deleting
            );
            if !going {
                held_of(&mut resources, row.resource_id, &row)
                    .others
                    .push(row);
            }
        }
        for (id, held) in &mut resources {
            let scheduled = found.get(id).map(Vec::as_slice).unwrap_or_default();
            held.terms = promises.terms_of(tx, &vault, scheduled)?;
        }
        let made_under = policy
            .as_ref()
            .and_then(|policy| promises.place(&policy.definition.0));
        Ok(Self {
            policy,
            made_under,
            runs,
            resources,
            deletes_from: Ledger::read(tx, now)?.deletes_from(now),
        })
    }

    fn of_resource(
        &self,
        held: &Held,
        (now, until): (Timestamp, Timestamp),
        steps: &mut u64,
    ) -> Result<Vec<Foreseen>> {
        let outlook = Outlook {
            terms: &held.terms,
            made_under: self.made_under,
            now,
            until,
            deletes_from: self.deletes_from,
        };
        let runs: Box<dyn Iterator<Item = Run>> = match (&self.policy, &self.runs) {
            (Some(policy), Some(place)) if held.covered => {
                Box::new(schedule::to_come(policy, place, now)?)
            }
            _ => Box::new(std::iter::empty()),
        };
        let lives = preview(&outlook, &held.scheduled, runs, steps)
            .map_err(|error| Error::invalid("day", error.to_string()))?;
        let mut all: Vec<_> = lives.into_iter().map(|life| held.foreseen(life)).collect();
        all.extend(held.others.iter().map(|row| held.other(row, &outlook)));
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        Ok(all)
    }
}

/// The policy that is supposed, and when it runs next.
fn supposed(
    tx: &Tx<'_>,
    vault: &VaultRow,
    asked: Option<PolicyId>,
    now: Timestamp,
) -> Result<(Option<PolicyRow>, Option<VaultPolicyRow>)> {
    let project = vault.project_id;
    let place = tx
        .vault_policies()
        .get(&project, &vault.id, PolicyType::Backup)?;
    let Some(id) = asked.or(place.as_ref().map(|place| place.policy_id)) else {
        return Ok((None, None));
    };
    let policy = policies::get(tx, project, id)?;
    if policy.operation_type != PolicyType::Backup {
        return Err(Error::conflict(Reason::PolicyNotApplicable, &policy.name));
    }
    let place = if let Some(place) = place.filter(|place| place.policy_id == id) {
        place
    } else {
        let mut place = VaultPolicyRow {
            project_id: project,
            vault_id: vault.id,
            policy_id: id,
            operation_type: PolicyType::Backup,
            destination_vault_id: None,
            runs: 0,
            due_at: None,
            start_at: None,
            added_at: now,
        };
        schedule::plan(&policy, &mut place, now)?;
        place
    };
    Ok((Some(policy), Some(place)))
}

/// The resource of a backup, which may have left the vault long ago.
fn held_of<'a>(
    resources: &'a mut BTreeMap<ResourceId, Held>,
    id: ResourceId,
    row: &BackupRow,
) -> &'a mut Held {
    resources
        .entry(id)
        .or_insert_with(|| Held::new(crate::backups::resource_of(row), false))
}

impl Held {
    fn new(resource: OperationResource, covered: bool) -> Self {
        Self {
            resource,
            covered,
            scheduled: Vec::new(),
            names: Vec::new(),
            others: Vec::new(),
            terms: Terms::default(),
        }
    }

    fn foreseen(&self, life: Life<(BackupId, usize)>) -> Foreseen {
        Foreseen {
            backup: life.key.map(|(id, name)| (id, self.names[name].clone())),
            resource: self.resource.clone(),
            scheduled: true,
            at: life.due,
            begins: life.begins,
            fate: life.fate,
        }
    }

    /// A backup that no calendar asked for goes by its own day alone.
    fn other(&self, row: &BackupRow, outlook: &Outlook<'_>) -> Foreseen {
        let fate = match row.expired_at {
            Some(day) if day.max(outlook.deletes_from) <= outlook.until => Fate::Goes {
                at: day.max(outlook.deletes_from),
                cause: Cause::Expired(day),
            },
            Some(day) => Fate::Stays(vec![Hold::Until(day)]),
            None => Fate::Stays(vec![Hold::Forever]),
        };
        Foreseen {
            backup: Some((row.id, row.name.clone())),
            resource: self.resource.clone(),
            scheduled: false,
            at: row.protected_at.unwrap_or(row.created_at),
            begins: None,
            fate,
        }
    }
}
