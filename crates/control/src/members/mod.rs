//! Sharing: a project lets others restore one of its backups.
//!
//! A receiver sees the backup, answers, and once it has accepted may restore it onto its own
//! resources; everything else about the backup stays the owner's. The data stay where they are:
//! a receiver's vault is named by the share, for the safety copies that its restores take.
//!
//! Invariant: what a project may do with another one's backup is decided in [`visible`] and
//! nowhere else.

mod directory;
mod view;

pub use directory::Receiver;
pub(crate) use view::row_status;
pub use view::{Member, MemberAnswer, MemberFilter, MemberSort, NewMembers};

use strongroom_catalog::{BackupRow, MemberRow, ShareStatus, Tx};
use strongroom_model::{
    BackupId, MemberId, ProjectId, VaultId,
    state::{BackupStatus, VaultStatus},
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, backups,
    control::project,
    vaults,
    words::{ObjectType, stored},
};

/// Projects that one backup can be shared with.
const MEMBERS_MAX: usize = 10;

impl Control {
    /// Shares a backup with projects, all of them or none.
    pub fn add_members(
        &self,
        caller: &Caller,
        backup: BackupId,
        new: &NewMembers,
    ) -> Result<Vec<Member>> {
        let project = project(caller)?;
        if new.projects.is_empty() && new.domains.is_empty() {
            return Err(Error::invalid("members", "must name at least one project"));
        }
        let now = self.now();
        self.write(|tx| {
            let row = backups::rows::get(tx, project, backup)?;
            if row.status != BackupStatus::Available {
                return Err(Error::conflict(Reason::BackupNotShareable, row.status));
            }
            let receivers = receivers(tx, project, new)?;
            let held = tx.members().of_backup(&project, &backup)?;
            for receiver in &receivers {
                if held.iter().any(|row| row.dest_project_id == *receiver) {
                    return Err(Error::conflict(Reason::SharedAlready, receiver));
                }
            }
            if held.len() + receivers.len() > MEMBERS_MAX {
                let about = format!("at most {MEMBERS_MAX}");
                return Err(Error::quota(Reason::TooManyMembers, about));
            }
            let share = |receiver| {
                let row = MemberRow {
                    id: MemberId::new(self.entropy()),
                    project_id: project,
                    backup_id: backup,
                    dest_project_id: receiver,
                    status: ShareStatus::Pending,
                    vault_id: None,
                    created_at: now,
                    updated_at: None,
                };
                tx.members().insert(&row)?;
                Ok(Member::from(row))
            };
            receivers.into_iter().map(share).collect()
        })
    }

    /// With whom a backup is shared: the owner sees all, a receiver its own share.
    pub fn list_members(
        &self,
        caller: &Caller,
        backup: BackupId,
        filter: &MemberFilter,
        page: &Page,
    ) -> Result<Listed<Member>> {
        let project = project(caller)?;
        let mut found = self.read(|tx| of_backup(tx, project, backup))?;
        found.retain(|row| filter.matches(row));
        let mut found: Vec<_> = found.into_iter().map(Member::from).collect();
        filter.sort(&mut found);
        page.window(found, |member| member.id.to_string())
    }

    /// One share; `member` is the receiving project, or the share's own id.
    pub fn show_member(&self, caller: &Caller, backup: BackupId, member: &str) -> Result<Member> {
        let project = project(caller)?;
        self.read(|tx| {
            let found = of_backup(tx, project, backup)?;
            Ok(Member::from(named(found, member)?))
        })
    }

    /// Answers a share; only its receiver may.
    pub fn answer_member(
        &self,
        caller: &Caller,
        backup: BackupId,
        member: &str,
        answer: &MemberAnswer,
    ) -> Result<Member> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let row = named(of_backup(tx, project, backup)?, member)?;
            if row.dest_project_id != project {
                return Err(Error::not_found(Reason::NoSuchMember, member));
            }
            let (status, vault) = match answer {
                MemberAnswer::Accept { vault } => {
                    takes(tx, project, &row, *vault)?;
                    (ShareStatus::Accepted, Some(*vault))
                }
                MemberAnswer::Reject => (ShareStatus::Rejected, None),
            };
            if (row.status, row.vault_id) == (status, vault) {
                return Ok(Member::from(row));
            }
            let changed = tx.members().change(&row.project_id, &row.id, |row| {
                row.status = status;
                row.vault_id = vault;
                row.updated_at = Some(now);
            })?;
            Ok(Member::from(changed))
        })
    }

    /// Ends a share; only the owner may. A restore that runs goes on.
    pub fn remove_member(&self, caller: &Caller, backup: BackupId, member: &str) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            backups::rows::get(tx, project, backup)?;
            let row = named(tx.members().of_backup(&project, &backup)?, member)?;
            tx.members().remove(&project, &row.id)?;
            Ok(())
        })
    }
}

/// A backup as a project sees it: its own, or one that is shared with it.
pub(crate) struct Visible {
    /// The backup.
    pub(crate) backup: BackupRow,
    /// The share; none if the backup is the project's own.
    pub(crate) share: Option<MemberRow>,
}

/// The backup of that id that the project may look at.
pub(crate) fn visible(tx: &Tx<'_>, project: ProjectId, id: BackupId) -> Result<Visible> {
    let absent = || Error::not_found(Reason::NoSuchBackup, id);
    if let Some(backup) = tx.backups().get(&project, &id)? {
        return Ok(Visible {
            backup,
            share: None,
        });
    }
    let share = tx.members().received(&project, &id)?;
    let share = share
        .filter(|share| share.status != ShareStatus::Rejected)
        .ok_or_else(absent)?;
    let backup = tx.backups().get(&share.project_id, &id)?;
    Ok(Visible {
        backup: backup.ok_or_else(absent)?,
        share: Some(share),
    })
}

/// The shares of a backup that the project may know of.
fn of_backup(tx: &Tx<'_>, project: ProjectId, backup: BackupId) -> Result<Vec<MemberRow>> {
    if tx.backups().get(&project, &backup)?.is_some() {
        return Ok(tx.members().of_backup(&project, &backup)?);
    }
    let received = tx.members().received(&project, &backup)?;
    let absent = || Error::not_found(Reason::NoSuchBackup, backup);
    let row = received.ok_or_else(absent)?;
    // In the owner's trash: gone, for everybody.
    tx.backups()
        .get(&row.project_id, &backup)?
        .ok_or_else(absent)?;
    Ok(vec![row])
}

fn named(shares: Vec<MemberRow>, member: &str) -> Result<MemberRow> {
    let is_meant =
        |row: &MemberRow| row.dest_project_id.to_string() == member || row.id.to_string() == member;
    let found = shares.into_iter().find(is_meant);
    found.ok_or_else(|| Error::not_found(Reason::NoSuchMember, member))
}

/// The projects that are meant, each once.
fn receivers(tx: &Tx<'_>, owner: ProjectId, new: &NewMembers) -> Result<Vec<ProjectId>> {
    let refused = |about: &dyn std::fmt::Display| Error::not_found(Reason::NoSuchReceiver, about);
    let mut found = Vec::new();
    for text in &new.projects {
        let id: ProjectId = text.parse().map_err(|_| refused(text))?;
        let known = tx.projects().get(&id)?;
        if id == owner || known.is_none_or(|project| !project.enabled) {
            return Err(refused(text));
        }
        if found.contains(&id) {
            return Err(Error::conflict(Reason::SharedAlready, id));
        }
        found.push(id);
    }
    for text in &new.domains {
        let id = text.parse().map_err(|_| refused(text))?;
        let projects = tx.projects().list(&id)?;
        let others = projects
            .into_iter()
            .filter(|project| project.enabled && project.id != owner);
        let before = found.len();
        for project in others {
            if !found.contains(&project.id) {
                found.push(project.id);
            }
        }
        if found.len() == before {
            return Err(refused(text));
        }
    }
    Ok(found)
}

/// Refuses a vault that cannot take the share.
fn takes(tx: &Tx<'_>, receiver: ProjectId, share: &MemberRow, vault: VaultId) -> Result<()> {
    let backup = tx.backups().get(&share.project_id, &share.backup_id)?;
    let backup = backup.ok_or_else(|| Error::not_found(Reason::NoSuchBackup, share.backup_id))?;
    let elsewhere = share.vault_id.filter(|taken| *taken != vault);
    if let (ShareStatus::Accepted, Some(elsewhere)) = (share.status, elsewhere) {
        return Err(Error::conflict(Reason::ShareTakenElsewhere, elsewhere));
    }
    let vault = vaults::rows::get(tx, receiver, vault)?;
    if vault.status != VaultStatus::Available {
        return Err(Error::conflict(
            Reason::VaultStateForbidsShare,
            vault.status,
        ));
    }
    if stored::<ObjectType>(&vault.object_type)?.kind() != Some(backup.kind) {
        let about = format!("{} takes {}", vault.name, vault.object_type);
        return Err(Error::conflict(Reason::ShareKindDiffers, about));
    }
    Ok(())
}
