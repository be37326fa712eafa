//! Whom a backup can be shared with: projects by account, accounts by project.
//!
//! Open to every proven caller, as the vendor's are: who wants to share must be able to find the
//! other one, and an id or a name opens nothing by itself.

use strongroom_catalog::{DomainRow, ProjectRow, Tx};
use strongroom_model::{DomainId, ProjectId};

use crate::{Caller, Control, Error, Reason, Result};

/// A project and its account, by id and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The project.
    pub project_id: ProjectId,
    /// Its name.
    pub project_name: String,
    /// Its account.
    pub domain_id: DomainId,
    /// The account's name.
    pub domain_name: String,
}

impl Control {
    /// The projects of the account of that name; none if there is no such account.
    pub fn projects_of_account(&self, _caller: &Caller, name: &str) -> Result<Vec<Receiver>> {
        self.read(|tx| {
            let Some(domain) = tx.domains().by_name(name)? else {
                return Ok(Vec::new());
            };
            of_domain(tx, &domain)
        })
    }

    /// The projects of the caller's own account.
    pub fn projects_of_own_account(&self, caller: &Caller) -> Result<Vec<Receiver>> {
        self.read(|tx| {
            let domain = tx.domains().get(&caller.domain_id)?;
            domain.map_or_else(|| Ok(Vec::new()), |domain| of_domain(tx, &domain))
        })
    }

    /// A project with its account.
    pub fn account_of_project(&self, _caller: &Caller, project: ProjectId) -> Result<Receiver> {
        let absent = || Error::not_found(Reason::NoSuchReceiver, project);
        self.read(|tx| {
            let row = tx.projects().get(&project)?;
            let row = row.filter(|row| row.enabled).ok_or_else(absent)?;
            let domain = tx.domains().get(&row.domain_id)?.ok_or_else(absent)?;
            Ok(receiver(row, &domain))
        })
    }
}

fn of_domain(tx: &Tx<'_>, domain: &DomainRow) -> Result<Vec<Receiver>> {
    let open = tx.projects().list(&domain.id)?;
    let open = open.into_iter().filter(|row| row.enabled);
    Ok(open.map(|row| receiver(row, domain)).collect())
}

fn receiver(row: ProjectRow, domain: &DomainRow) -> Receiver {
    Receiver {
        project_id: row.id,
        project_name: row.name,
        domain_id: domain.id,
        domain_name: domain.name.clone(),
    }
}
