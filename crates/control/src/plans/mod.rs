//! Plans: what a deletion would take, before it takes it.
//!
//! A plan names every backup that would go and every resource whose last restorable copy is
//! among them. Its token is a digest of all that, so it is the consent to exactly this loss: when
//! anything of it has changed meanwhile (a backup more, one restorable copy less), the token does
//! not fit and nothing is deleted. In a guarded vault a deletion needs the token; elsewhere a plan
//! is a look ahead, and the vendors' calls do what their documents say.

use std::collections::BTreeSet;

use strongroom_catalog::{BackupFilter, BackupRow, Page, Tx, VaultRow};
use strongroom_model::{
    BackupId, Bytes, ProjectId, ResourceId, Timestamp, VaultId,
    state::{BackupStatus, VaultStatus},
};

use crate::{Caller, Control, Error, Reason, Result, backups, control::project, locks, vaults};

/// Something that deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A backup.
    DeleteBackup(BackupId),
    /// A vault with all that is in it.
    DeleteVault(VaultId),
    /// Resources leave a vault, and their backups there go.
    RemoveResources {
        /// The vault.
        vault: VaultId,
        /// The resources.
        resources: Vec<ResourceId>,
    },
}

/// What a deed would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The vault concerned.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// The backups that would go, the oldest first.
    pub goes: Vec<Going>,
    /// The resources of which no restorable backup would be left anywhere.
    pub last_copies: Vec<LastCopy>,
    /// Whether the key of the vault's data would go too.
    pub key_goes: bool,
    /// When what goes would be gone for good; absent if at once.
    pub recoverable_until: Option<Timestamp>,
    /// Whether the deed needs the token.
    pub guarded: bool,
    /// Why the deed would be refused as things are; absent if it would not.
    pub refused: Option<String>,
    /// The consent to exactly this.
    pub token: String,
}

/// A backup that would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// The backup.
    pub id: BackupId,
    /// Its name.
    pub name: String,
    /// What it is a backup of.
    pub resource_id: ResourceId,
    /// The resource's name at the time.
    pub resource_name: String,
    /// The instant that it shows.
    pub protected_at: Option<Timestamp>,
    /// What a restore would write.
    pub logical: Bytes,
    /// Whether it can be restored.
    pub restorable: bool,
    /// With how many projects it is shared.
    pub shared_with: u64,
}

/// A resource that would lose its last restorable copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCopy {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub resource_name: String,
}

/// Whether the caller has seen what a deed takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Consent<'a> {
    /// It calls as the vendors' documents say: enough where no guard is.
    Vendor,
    /// It shows the token of a plan.
    Token(&'a str),
}

impl Control {
    /// What a deed would take, if it were done now. Changes nothing.
    pub fn plan(&self, caller: &Caller, deed: &Deed) -> Result<Plan> {
        let project = project(caller)?;
        let now = self.now();
        self.read(|tx| plan(tx, project, deed, now))
    }

    /// Does what was planned, if the plan still holds.
    pub fn carry_out(&self, caller: &Caller, deed: &Deed, token: &str) -> Result<()> {
        let consent = Consent::Token(token);
        match deed {
            Deed::DeleteBackup(id) => self.delete_backup_with(caller, *id, consent),
            Deed::DeleteVault(id) => self.delete_vault_with(caller, *id, consent),
            Deed::RemoveResources { vault, resources } => self
                .remove_vault_resources_with(caller, *vault, resources.clone(), consent)
                .map(drop),
        }
    }
}

/// Refuses a deed that nobody has consented to, and a plan that does not hold any more.
pub(crate) fn consented(
    tx: &Tx<'_>,
    vault: &VaultRow,
    deed: &Deed,
    consent: Consent<'_>,
    now: Timestamp,
) -> Result<()> {
    let reason = match deed {
        Deed::DeleteBackup(_) => Reason::BackupNotDeletable,
        Deed::DeleteVault(_) => Reason::VaultNotDeletable,
        Deed::RemoveResources { .. } => Reason::VaultStateForbids,
    };
    match consent {
        Consent::Vendor if !locks::safety_of(tx, vault)?.guarded => Ok(()),
        Consent::Vendor => {
            let about = format!(
                "vault {} is guarded: look at the plan of this and give its token",
                vault.name
            );
            Err(Error::conflict(reason, about))
        }
        Consent::Token(token) => {
            if plan(tx, vault.project_id, deed, now)?.token == token {
                return Ok(());
            }
            let about = "the token is not that of the present plan: look at it again";
            Err(Error::conflict(reason, about))
        }
    }
}

fn plan(tx: &Tx<'_>, project: ProjectId, deed: &Deed, now: Timestamp) -> Result<Plan> {
    let (vault, rows) = taken(tx, project, deed)?;
    let safety = locks::safety_of(tx, &vault)?;
    let going: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    let mut last_copies = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows.iter().filter(|row| restorable(row)) {
        if seen.insert(row.resource_id) && !survives(tx, row, &going)? {
            last_copies.push(LastCopy {
                resource_id: row.resource_id,
                resource_name: row.resource_name.clone(),
            });
        }
    }
    let goes = rows
        .iter()
        .map(|row| going_of(tx, row))
        .collect::<Result<Vec<_>>>()?;
    let refused = refusal(tx, &vault, safety, deed, &rows, now)?;
    let grace = (safety.grace_days > 0).then_some(i64::from(safety.grace_days));
    let mut plan = Plan {
        vault_id: vault.id,
        vault_name: vault.name,
        goes,
        last_copies,
        key_goes: matches!(deed, Deed::DeleteVault(_)),
        recoverable_until: grace.map(|days| now.plus_seconds(days * 86_400)),
        guarded: safety.guarded,
        refused,
        token: String::new(),
    };
    plan.token = token(project, deed, &plan, safety.grace_days);
    Ok(plan)
}

/// The backups that a deed takes, the oldest first, and the vault that they are in.
fn taken(tx: &Tx<'_>, project: ProjectId, deed: &Deed) -> Result<(VaultRow, Vec<BackupRow>)> {
    let oldest_first = [(
        strongroom_catalog::BackupKey::CreatedAt,
        strongroom_catalog::Direction::Ascending,
    )];
    let of = |vault, resource| {
        let filter = BackupFilter {
            vault_id: Some(vault),
            resource_id: resource,
            ..BackupFilter::default()
        };
        tx.backups()
            .list(&project, &filter, &oldest_first, &Page::ALL)
    };
    match deed {
        Deed::DeleteBackup(id) => {
            let backup = backups::rows::get(tx, project, *id)?;
            let vault = vaults::rows::get(tx, project, backup.vault_id)?;
            Ok((vault, vec![backup]))
        }
        Deed::DeleteVault(id) => {
            let vault = vaults::rows::get(tx, project, *id)?;
            Ok((vault, of(*id, None)?.rows))
        }
        Deed::RemoveResources { vault, resources } => {
            let row = vaults::rows::get(tx, project, *vault)?;
            vaults::no_twins(resources.iter().copied())?;
            let mut rows = Vec::new();
            for resource in resources {
                let place = tx.vault_resources().get(&project, resource)?;
                if place.is_none_or(|place| place.vault_id != *vault) {
                    return Err(Error::conflict(Reason::ResourceNotInVault, resource));
                }
                rows.extend(of(*vault, Some(*resource))?.rows);
            }
            rows.sort_by_key(|row| (row.created_at, row.id));
            Ok((row, rows))
        }
    }
}

const fn restorable(row: &BackupRow) -> bool {
    let good = matches!(
        row.status,
        BackupStatus::Available | BackupStatus::WaitingRestore | BackupStatus::Restoring
    );
    good && row.manifest_id.is_some()
}

/// Whether a restorable backup of the same resource would be left, in whichever vault.
fn survives(tx: &Tx<'_>, row: &BackupRow, going: &BTreeSet<BackupId>) -> Result<bool> {
    let of_resource = BackupFilter {
        resource_id: Some(row.resource_id),
        ..BackupFilter::default()
    };
    let all = tx
        .backups()
        .list(&row.project_id, &of_resource, &[], &Page::ALL)?;
    Ok(all
        .rows
        .iter()
        .any(|other| restorable(other) && !going.contains(&other.id)))
}

fn going_of(tx: &Tx<'_>, row: &BackupRow) -> Result<Going> {
    let shares = tx.members().of_backup(&row.project_id, &row.id)?;
    Ok(Going {
        id: row.id,
        name: row.name.clone(),
        resource_id: row.resource_id,
        resource_name: row.resource_name.clone(),
        protected_at: row.protected_at,
        logical: row.logical_bytes,
        restorable: restorable(row),
        shared_with: shares.len() as u64,
    })
}

/// Why a deed would be refused as things are.
fn refusal(
    tx: &Tx<'_>,
    vault: &VaultRow,
    safety: locks::Safety,
    deed: &Deed,
    rows: &[BackupRow],
    now: Timestamp,
) -> Result<Option<String>> {
    if vault.status != VaultStatus::Available && !matches!(deed, Deed::DeleteVault(_)) {
        return Ok(Some(format!("vault {} is {}", vault.name, vault.status)));
    }
    let keeps_all = match deed {
        Deed::RemoveResources { .. } => vault.locked,
        Deed::DeleteVault(_) => vault.locked && !rows.is_empty(),
        Deed::DeleteBackup(_) => false,
    };
    if keeps_all {
        return Ok(Some(Reason::VaultLocked.text().to_owned()));
    }
    if let Some(kept) = rows.iter().find(|row| locks::keeps(safety, row, now)) {
        let text = Reason::LockedVaultKeepsBackup.text();
        return Ok(Some(format!("{text} ({})", kept.name)));
    }
    for row in rows {
        let busy = matches!(
            row.status,
            BackupStatus::WaitingProtect
                | BackupStatus::Protecting
                | BackupStatus::WaitingRestore
                | BackupStatus::Restoring
        );
        let key = crate::jobs::params::backup_key(row.id);
        if busy || tx.jobs().unfinished_with_key(&key)? > 0 {
            return Ok(Some(format!(
                "backup {} is {} or in use",
                row.name, row.status
            )));
        }
    }
    Ok(None)
}

/// A digest of the deed and of everything that it takes.
fn token(project: ProjectId, deed: &Deed, plan: &Plan, grace_days: u32) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("strongroom 2026-11 plan of a deletion");
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&project.to_string());
    add(&format!("{deed:?}"));
    add(&grace_days.to_string());
    for going in &plan.goes {
        add(&format!(
            "{} {} {}",
            going.id, going.restorable, going.shared_with
        ));
    }
    for last in &plan.last_copies {
        add(&last.resource_id.to_string());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
