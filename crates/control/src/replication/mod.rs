//! Copies of backups in other regions: which regions there are, and orders to copy.
//!
//! A region is another store of this service (docs/adr/0020-regions.md). A vault is kept by one
//! region for ever; one for copies by another region than the service's own. A copy is ordered
//! in one transaction with its replica's rows, its record and its job; the replica counts when
//! every byte of it was read back there, and needs nothing of its original.
//!
//! - `order`: what may be copied where, and the rows of an order
//! - `policy`: what a run of a policy copies
//! - `record`: what became of copies, as callers see it
//!
//! Invariants: a project writes only where its caller may; a backup has one replica in a region,
//! and a replica is not copied again.

pub(crate) mod order;
pub(crate) mod policy;
mod record;

pub use record::Replication;
pub(crate) use record::of_backup;

use strongroom_catalog::{self as catalog, Tx, VaultRow};
use strongroom_model::{BackupId, ProjectId, ReplicationId, VaultId};

use self::order::{Order, Placed, Source, Target};
use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, Vault, backups,
    control::project,
    identity::accounts::REGION,
    limits,
    page::LIMIT_MAX,
    permissions::{Ask, Role, permit, policies_of},
    vaults::{self, NewVault},
    words::{CloudType, ObjectType, ProtectType, stored},
};

/// What a user must be allowed in a project that takes copies.
const ACTION: &str = "cbr:backups:replicate";

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The region.
    pub region: String,
    /// The project, as the caller wrote it.
    pub project: String,
    /// The vault.
    pub vault: VaultId,
}

/// A backup to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCopy {
    /// The backup.
    pub backup_id: BackupId,
    /// Where to.
    pub destination: Destination,
    /// The replica's name; the backup's if absent.
    pub name: Option<String>,
    /// The replica's description; the backup's if absent.
    pub description: Option<String>,
}

/// A vault whose newest backups are to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVaultCopy {
    /// The vault.
    pub vault_id: VaultId,
    /// Where to.
    pub destination: Destination,
    /// Whether a schedule asks.
    pub auto_trigger: bool,
}

/// Copies that were ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The vault of the originals.
    pub vault_id: VaultId,
    /// What it takes, which decides the provider.
    pub object_type: ObjectType,
    /// The project of the originals.
    pub project_id: ProjectId,
    /// The region of the originals.
    pub source_region: String,
    /// Where the copies go.
    pub destination: Destination,
    /// Each backup with the record of its copy.
    pub copies: Vec<(BackupId, ReplicationId)>,
}

/// A region and where its backups can be copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// The other regions.
    pub destinations: Vec<String>,
}

/// Which vaults of a region to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExternalFilter {
    /// See [`Vault`].
    pub protect_type: Option<ProtectType>,
    /// See [`Vault`].
    pub object_type: Option<ObjectType>,
    /// See [`Vault`].
    pub cloud_type: Option<CloudType>,
    /// This one.
    pub vault_id: Option<VaultId>,
}

impl Control {
    /// The regions, the service's own first, each with those that its backups can be copied to.
    pub fn replication_regions(&self, caller: &Caller) -> Result<Vec<Region>> {
        project(caller)?;
        let names = self.read(|tx| self.region_names(tx))?;
        let others = |name: &String| {
            let others = names.iter().filter(|other| *other != name);
            others.cloned().collect()
        };
        let region = |name: &String| Region {
            name: name.clone(),
            destinations: others(name),
        };
        Ok(names.iter().map(region).collect())
    }

    /// The other regions, to which backups can be copied from the service's own.
    pub fn replication_destinations(&self) -> Vec<String> {
        self.other_regions().map(str::to_owned).collect()
    }

    /// The vaults of a project that a region keeps, oldest first.
    pub fn list_external_vaults(
        &self,
        caller: &Caller,
        (region, owner): (&str, &str),
        filter: &ExternalFilter,
        page: &Page,
    ) -> Result<Listed<Vault>> {
        project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let row_filter = catalog::VaultFilter {
            ids: filter.vault_id.into_iter().collect(),
            protect_type: filter.protect_type.map(String::from),
            object_type: filter.object_type.map(String::from),
            cloud_type: filter.cloud_type.map(String::from),
            ..catalog::VaultFilter::default()
        };
        self.read(|tx| {
            let owner = reachable_project(tx, caller, owner)?;
            let row_filter = catalog::VaultFilter {
                region: Some(self.region_of_name(tx, region)?),
                ..row_filter
            };
            let found = tx.vaults().list(&owner, &row_filter, &page)?;
            Listed::of_rows(found, |row| vaults::rows::view(tx, row))
        })
    }

    /// Orders a copy of a backup.
    pub fn copy_backup(&self, caller: &Caller, new: &NewCopy) -> Result<Ordered> {
        let project = project(caller)?;
        new.name
            .as_deref()
            .map_or(Ok(()), |name| limits::name("name", name))?;
        new.description
            .as_deref()
            .map_or(Ok(()), limits::description)?;
        self.order(|tx| {
            let backup = backups::rows::get(tx, project, new.backup_id)?;
            let source = Source::of(tx, project, backup.vault_id)?;
            let target = Target::of(self, tx, Some(caller), &source, &new.destination)?;
            order::copyable(tx, &backup, &target)?;
            let order = Order {
                source: &source,
                target: &target,
                name: new.name.as_deref(),
                description: new.description.as_deref(),
                policy: None,
                auto_trigger: false,
                retention_days: None,
            };
            let copies = order.place(self, tx, &caller.request_id, vec![backup])?;
            ordered(&source, &new.destination, &copies)
        })
    }

    /// Orders copies of the newest good backup of each resource of a vault that is not there yet.
    pub fn copy_checkpoint(&self, caller: &Caller, new: &NewVaultCopy) -> Result<Ordered> {
        let project = project(caller)?;
        self.order(|tx| {
            let source = Source::of(tx, project, new.vault_id)?;
            let target = Target::of(self, tx, Some(caller), &source, &new.destination)?;
            let mut newest = order::newest_good(tx, &source.vault)?;
            if newest.is_empty() {
                let about = format!("{} holds no good backup", source.vault.name);
                return Err(Error::conflict(Reason::NothingToBackUp, about));
            }
            let mut refusal = None;
            newest.retain(|backup| match order::copyable(tx, backup, &target) {
                Ok(()) => true,
                Err(error) => {
                    refusal = Some(error);
                    false
                }
            });
            match refusal {
                Some(error) if newest.is_empty() => return Err(error),
                _ => {}
            }
            let order = Order {
                source: &source,
                target: &target,
                name: None,
                description: None,
                policy: None,
                auto_trigger: new.auto_trigger,
                retention_days: None,
            };
            let copies = order.place(self, tx, &caller.request_id, newest)?;
            ordered(&source, &new.destination, &copies)
        })
    }

    /// The names of all regions, the service's own first.
    fn region_names(&self, tx: &Tx<'_>) -> Result<Vec<String>> {
        let mut names = vec![home(tx)?];
        names.extend(self.other_regions().map(str::to_owned));
        Ok(names)
    }

    /// The region of that name, as rows have it.
    fn region_of_name(&self, tx: &Tx<'_>, name: &str) -> Result<Option<String>> {
        if home(tx)? == name {
            return Ok(None);
        }
        if self.other_regions().any(|known| known == name) {
            return Ok(Some(name.to_owned()));
        }
        let known = self.region_names(tx)?.join(", ");
        let about = format!("{name} is not configured; there are {known}");
        Err(Error::conflict(Reason::RegionTakesNoCopies, about))
    }

    /// The region that is to keep a new vault: the one that its zone names; for copies another one
    /// than the service's own, if there is one.
    pub(crate) fn region_for(&self, tx: &Tx<'_>, new: &NewVault) -> Result<Option<String>> {
        let others: Vec<&str> = self.other_regions().collect();
        if let Some(zone) = &new.availability_zone {
            if others.contains(&zone.as_str()) {
                return Ok(Some(zone.clone()));
            }
            if home(tx)? == *zone {
                return Ok(None);
            }
        }
        if new.protect_type != ProtectType::Replication {
            return Ok(None);
        }
        match others.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some((*only).to_owned())),
            many => {
                let problem = format!(
                    "must name the region that keeps the copies, for there are several: {}",
                    many.join(", ")
                );
                Err(Error::invalid("availability_zone", problem))
            }
        }
    }
}

/// The name of the region that keeps a vault.
fn region_name(tx: &Tx<'_>, vault: &VaultRow) -> Result<String> {
    vault.region.clone().map_or_else(|| home(tx), Ok)
}

/// The name of the service's own region.
fn home(tx: &Tx<'_>) -> Result<String> {
    let named = tx.settings().get(REGION)?;
    Ok(named.unwrap_or_else(|| "local".to_owned()))
}

/// The project of that id, if the caller may put copies into it: its own, or one of its account
/// in which it has the right to.
fn reachable_project(tx: &Tx<'_>, caller: &Caller, id: &str) -> Result<ProjectId> {
    let refused = || Error::conflict(Reason::ProjectTakesNoCopies, id);
    let id: ProjectId = id.parse().map_err(|_| refused())?;
    if caller.project_id == Some(id) {
        return Ok(id);
    }
    let row = tx.projects().get(&id)?;
    row.filter(|row| row.enabled && row.domain_id == caller.domain_id)
        .ok_or_else(refused)?;
    let words = tx.grants().roles(&caller.user_id, &id)?;
    let roles: Vec<_> = words.iter().filter_map(|word| Role::parse(word)).collect();
    let policies = policies_of(tx, &caller.user_id, Some(&id))?;
    let account = caller.domain_id.to_string();
    let ask = Ask {
        action: ACTION,
        account: &account,
        target: None,
    };
    if permit(&roles, &policies, &ask) {
        Ok(id)
    } else {
        Err(refused())
    }
}

fn ordered(source: &Source, destination: &Destination, copies: &[Placed]) -> Result<Ordered> {
    Ok(Ordered {
        vault_id: source.vault.id,
        object_type: stored(&source.vault.object_type)?,
        project_id: source.vault.project_id,
        source_region: source.region.clone(),
        destination: destination.clone(),
        copies: copies.iter().map(Into::into).collect(),
    })
}
