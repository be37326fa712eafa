//! Enterprise projects: an account's labels over vaults, whichever project they are in.
//!
//! Whoever belongs to the account may look; only an operator changes them. What is under a label an
//! operator sees and moves in the whole account, others in the project that they act for. The
//! default one, "0", is always there, on, and cannot be changed.

mod view;

pub use view::{
    BoundVault, EnterpriseProject, EnterpriseProjectFilter, Kind, Migration, MigrationFilter,
    NewEnterpriseProject,
};

use strongroom_catalog::{
    self as catalog, EnterpriseMigrationRow, EnterpriseProjectRow, ProjectRow, Tx, VaultRow,
};
use strongroom_model::{DomainId, EnterpriseProjectId, ProjectId, VaultId};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, control::operator, page::LIMIT_MAX,
};

/// The id of the default enterprise project.
pub(crate) const DEFAULT: &str = "0";
/// Enterprise projects that an account may have.
pub const QUOTA: u64 = 100;

impl Control {
    /// Makes an enterprise project.
    pub fn create_enterprise_project(
        &self,
        caller: &Caller,
        new: &NewEnterpriseProject,
    ) -> Result<EnterpriseProject> {
        operator(caller)?;
        let kind = view::check(new)?;
        let now = self.now();
        self.write(|tx| {
            let all = every(tx, caller)?;
            if all.len() as u64 >= QUOTA {
                let about = format!("at most {QUOTA}");
                return Err(Error::quota(Reason::TooManyEnterpriseProjects, about));
            }
            not_taken(tx, caller, &new.name, None)?;
            let row = EnterpriseProjectRow {
                id: EnterpriseProjectId::new(self.entropy()),
                domain_id: caller.domain_id,
                name: new.name.clone(),
                description: new.description.clone().unwrap_or_default(),
                enabled: true,
                kind: kind.as_str().to_owned(),
                created_at: now,
                updated_at: now,
            };
            tx.enterprise_projects().insert(&row)?;
            Ok(EnterpriseProject::from(row))
        })
    }

    /// Changes name, description and kind of an enterprise project.
    pub fn update_enterprise_project(
        &self,
        caller: &Caller,
        id: &str,
        new: &NewEnterpriseProject,
    ) -> Result<EnterpriseProject> {
        operator(caller)?;
        let kind = view::check(new)?;
        let now = self.now();
        self.write(|tx| {
            let before = changeable(tx, caller, id)?;
            if !before.enabled {
                return Err(Error::conflict(
                    Reason::EnterpriseProjectDisabled,
                    &before.name,
                ));
            }
            not_taken(tx, caller, &new.name, Some(before.id))?;
            let changed =
                tx.enterprise_projects()
                    .change(&caller.domain_id, &before.id, |row| {
                        row.name.clone_from(&new.name);
                        if let Some(text) = &new.description {
                            row.description.clone_from(text);
                        }
                        if new.kind.is_some() {
                            kind.as_str().clone_into(&mut row.kind);
                        }
                        row.updated_at = now;
                    })?;
            Ok(EnterpriseProject::from(changed))
        })
    }

    /// Switches an enterprise project on or off; off, it takes no more vaults.
    pub fn enable_enterprise_project(
        &self,
        caller: &Caller,
        id: &str,
        enabled: bool,
    ) -> Result<()> {
        operator(caller)?;
        let now = self.now();
        self.write(|tx| {
            let row = changeable(tx, caller, id)?;
            tx.enterprise_projects()
                .change(&caller.domain_id, &row.id, |row| {
                    row.enabled = enabled;
                    row.updated_at = now;
                })?;
            Ok(())
        })
    }

    /// Deletes an enterprise project under which nothing is.
    pub fn delete_enterprise_project(&self, caller: &Caller, id: &str) -> Result<()> {
        operator(caller)?;
        self.write(|tx| {
            let row = changeable(tx, caller, id)?;
            let held = tx
                .enterprise_projects()
                .vaults(&caller.domain_id, id, &[])?;
            if !held.is_empty() {
                let about = format!("{} vaults are in {}", held.len(), row.name);
                return Err(Error::conflict(Reason::StillInUse, about));
            }
            tx.enterprise_projects()
                .remove(&caller.domain_id, &row.id)?;
            Ok(())
        })
    }

    /// One enterprise project.
    pub fn show_enterprise_project(&self, caller: &Caller, id: &str) -> Result<EnterpriseProject> {
        self.read(|tx| find(tx, caller.domain_id, id))
    }

    /// The enterprise projects that match, the default one among them.
    pub fn list_enterprise_projects(
        &self,
        caller: &Caller,
        filter: &EnterpriseProjectFilter,
        page: &Page,
    ) -> Result<Listed<EnterpriseProject>> {
        let mut all = self.read(|tx| every(tx, caller))?;
        all.retain(|found| filter.matches(found));
        filter.sort(&mut all);
        page.window(all, |found| found.id.clone())
    }

    /// How many enterprise projects the account has, the default one not counted.
    pub fn count_enterprise_projects(&self, caller: &Caller) -> Result<u64> {
        Ok(self.read(|tx| every(tx, caller))?.len() as u64 - 1)
    }

    /// Puts a vault, of that project if one is named, under another enterprise project.
    pub fn move_to_enterprise_project(
        &self,
        caller: &Caller,
        id: &str,
        vault: VaultId,
        of: Option<ProjectId>,
    ) -> Result<()> {
        let now = self.now();
        self.write(|tx| {
            let target = find(tx, caller.domain_id, id)?;
            if !target.enabled {
                return Err(Error::conflict(
                    Reason::EnterpriseTargetDisabled,
                    &target.name,
                ));
            }
            let (project, before) = reachable_vault(tx, caller, vault)?;
            if of.is_some_and(|of| of != project.id) {
                return Err(Error::not_found(Reason::NoSuchVault, vault));
            }
            tx.vaults().change(&project.id, &vault, |row| {
                id.clone_into(&mut row.enterprise_project_id);
                row.updated_at = now;
            })?;
            let user = tx.users().get(&caller.user_id)?;
            Ok(tx.enterprise_projects().record(&EnterpriseMigrationRow {
                seq: 0,
                domain_id: caller.domain_id,
                at: now,
                user_id: caller.user_id,
                user_name: user.map(|user| user.name).unwrap_or_default(),
                project_id: project.id,
                project_name: project.name,
                vault_id: vault,
                vault_name: before.name,
                from_id: before.enterprise_project_id,
                to_id: id.to_owned(),
                outcome: "success".to_owned(),
            })?)
        })
    }

    /// The moves that match, the newest first, each with the names of both ends.
    pub fn list_enterprise_migrations(
        &self,
        caller: &Caller,
        filter: &MigrationFilter,
        page: &Page,
    ) -> Result<Listed<Migration>> {
        let rows = catalog::EnterpriseMigrationFilter {
            from: filter.start_time,
            to: filter.end_time,
            ..catalog::EnterpriseMigrationFilter::default()
        };
        page.rows(LIMIT_MAX)?;
        let found = self.read(|tx| {
            let open = reachable(tx, caller)?;
            let all = tx.enterprise_projects().migrations(
                &caller.domain_id,
                &rows,
                &catalog::Page::ALL,
            )?;
            let seen = all.rows.into_iter().filter(|row| {
                open.iter().any(|project| project.id == row.project_id)
                    && filter.vault.is_none_or(|vault| vault == row.vault_id)
            });
            seen.map(|row| view::migration(tx, row))
                .collect::<Result<Vec<_>>>()
        })?;
        page.window(found, |found| found.seq.to_string())
    }

    /// The vaults under an enterprise project, of the projects that the caller may enter.
    pub fn vaults_of_enterprise_project(
        &self,
        caller: &Caller,
        id: &str,
        projects: &[ProjectId],
        name_part: Option<&str>,
        page: &Page,
    ) -> Result<Listed<BoundVault>> {
        let found = self.read(|tx| {
            find(tx, caller.domain_id, id)?;
            let open = reachable(tx, caller)?;
            let all = tx
                .enterprise_projects()
                .vaults(&caller.domain_id, id, projects)?;
            let bound = all.into_iter().filter_map(|vault| {
                let project = open.iter().find(|project| project.id == vault.project_id)?;
                let named = name_part.is_none_or(|part| vault.name.contains(part));
                named.then(|| BoundVault {
                    id: vault.id,
                    name: vault.name,
                    project_id: project.id,
                    project_name: project.name.clone(),
                })
            });
            Ok(bound.collect::<Vec<_>>())
        })?;
        page.window(found, |found| found.id.to_string())
    }

    /// A vault, wherever the caller may look.
    pub fn vault_anywhere(&self, caller: &Caller, vault: VaultId) -> Result<BoundVault> {
        self.read(|tx| {
            let (project, row) = reachable_vault(tx, caller, vault)?;
            Ok(BoundVault {
                id: row.id,
                name: row.name,
                project_id: project.id,
                project_name: project.name,
            })
        })
    }
}

/// Refuses an enterprise project that the account does not have, or that takes nothing.
pub(crate) fn takes_vaults(tx: &Tx<'_>, domain: DomainId, id: &str) -> Result<()> {
    let wrong = |problem| Error::invalid("enterprise_project_id", problem);
    match find(tx, domain, id) {
        Ok(found) if found.enabled => Ok(()),
        Ok(_) => Err(wrong("names an enterprise project that is switched off")),
        Err(Error::NotFound { .. }) => Err(wrong("names no enterprise project of the account")),
        Err(other) => Err(other),
    }
}

fn find(tx: &Tx<'_>, domain: DomainId, id: &str) -> Result<EnterpriseProject> {
    let absent = || Error::not_found(Reason::NoSuchEnterpriseProject, id);
    if id == DEFAULT {
        let row = tx.domains().get(&domain)?.ok_or_else(absent)?;
        return Ok(view::default_one(&row));
    }
    let parsed = id.parse().map_err(|_| absent())?;
    let row = tx.enterprise_projects().get(&domain, &parsed)?;
    Ok(EnterpriseProject::from(row.ok_or_else(absent)?))
}

fn every(tx: &Tx<'_>, caller: &Caller) -> Result<Vec<EnterpriseProject>> {
    let oldest_first = (
        catalog::EnterpriseProjectKey::CreatedAt,
        catalog::Direction::Ascending,
    );
    let rows = tx.enterprise_projects().list(
        &caller.domain_id,
        &catalog::EnterpriseProjectFilter::default(),
        oldest_first,
    )?;
    let mut all = vec![find(tx, caller.domain_id, DEFAULT)?];
    all.extend(rows.into_iter().map(EnterpriseProject::from));
    Ok(all)
}

fn changeable(tx: &Tx<'_>, caller: &Caller, id: &str) -> Result<EnterpriseProjectRow> {
    if id == DEFAULT {
        return Err(Error::conflict(Reason::DefaultEnterpriseProject, id));
    }
    let absent = || Error::not_found(Reason::NoSuchEnterpriseProject, id);
    let parsed = id.parse().map_err(|_| absent())?;
    tx.enterprise_projects()
        .get(&caller.domain_id, &parsed)?
        .ok_or_else(absent)
}

fn not_taken(
    tx: &Tx<'_>,
    caller: &Caller,
    name: &str,
    own: Option<EnterpriseProjectId>,
) -> Result<()> {
    let found = tx.enterprise_projects().by_name(&caller.domain_id, name)?;
    if found.is_some_and(|found| Some(found.id) != own) {
        return Err(Error::conflict(Reason::AlreadyExists, name));
    }
    Ok(())
}

/// The projects in which the caller sees and moves vaults: an operator all of the account, others
/// the one they act for, since what they may do elsewhere their roles there say.
fn reachable(tx: &Tx<'_>, caller: &Caller) -> Result<Vec<ProjectRow>> {
    let all = tx.projects().list(&caller.domain_id)?;
    let own = |row: &ProjectRow| caller.is_admin || caller.project_id == Some(row.id);
    Ok(all
        .into_iter()
        .filter(|row| row.enabled && own(row))
        .collect())
}

fn reachable_vault(tx: &Tx<'_>, caller: &Caller, vault: VaultId) -> Result<(ProjectRow, VaultRow)> {
    for project in reachable(tx, caller)? {
        if let Some(row) = tx.vaults().get(&project.id, &vault)? {
            return Ok((project, row));
        }
    }
    Err(Error::not_found(Reason::NoSuchVault, vault))
}
