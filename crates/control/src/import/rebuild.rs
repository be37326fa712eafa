//! The catalog made anew from the data alone: for the day on which the database is lost.
//!
//! For each vault the key record beside its data is opened with the master key, then the
//! repository with the data key; the newest note, or else the youngest manifest, says what the
//! vault was. Users and their secrets are not among the data: whoever rebuilds makes new ones.
//!
//! Invariant: ids are what they were, of projects too, so that what others remember stays true. A
//! vault that cannot be read is named and stands in the way of no other.

use strongroom_catalog::{
    DomainRow, EnterpriseProjectRow, ProjectRow, Tx, VaultResourceRow, VaultRow,
};
use strongroom_engine::{Error as EngineError, Repository, Unlock};
use strongroom_model::{
    Bytes, Timestamp, VaultId,
    state::{ProtectStatus, VaultStatus},
};
use strongroom_store::{ErrorKind, Key, Store};

use super::{
    bring::{Brought, Said, Trouble, bring_in},
    note,
    rows::{self, Known},
};
use crate::{
    Control, Error, Reason, Result,
    jobs::{self, chain},
    keys::{self, OpenRecord},
    schedule,
};

/// A vault whose data were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The vault.
    pub vault: VaultId,
    /// The region that keeps it; `None` is the service's own.
    pub region: Option<String>,
}

/// What became of one vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuilt {
    /// It is in the catalog.
    Back {
        /// Its name.
        name: String,
        /// The service's region, if that was written down.
        region: Option<String>,
        /// Its backups.
        brought: Brought,
    },
    /// It is no vault but holds the backups of a project's databases, which are in the catalog.
    Depot {
        /// How many there are.
        backups: u64,
    },
    /// Nothing was ever saved in it, and no note tells what it was.
    Empty,
    /// It cannot be read, and why.
    Unreadable(String),
}

impl Control {
    /// Takes a vault whose data were found into the catalog; can be repeated.
    ///
    /// An error is one of the catalog; one of the vault's data is [`Rebuilt::Unreadable`].
    pub fn rebuild_vault(&self, found: &Found) -> Result<Rebuilt> {
        match self.rebuild(found) {
            Ok(rebuilt) => Ok(rebuilt),
            Err(Stop::Control(error)) => Err(error),
            Err(Stop::Unreadable(why)) => Ok(Rebuilt::Unreadable(why)),
        }
    }

    fn rebuild(&self, found: &Found) -> Result<Rebuilt, Stop> {
        let store = self.store_in(found.region.as_deref(), found.vault)?;
        let record = match store.get(&Key::new(keys::RECORD_PATH).expect("a legal key")) {
            Ok(record) => self.master_key().open_record(&record)?,
            Err(error) if error.kind == ErrorKind::NotFound => {
                if let Some(backups) = self.rebuild_depot(&store, found.vault)? {
                    return Ok(Rebuilt::Depot { backups });
                }
                let why = "its key record is gone; was it being deleted?";
                return Err(Stop::Unreadable(why.to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        if record.vault != found.vault {
            let why = format!("its key record is that of vault {}", record.vault);
            return Err(Stop::Unreadable(why));
        }
        let repository = match Repository::open(store.clone(), &Unlock::Key(record.key())) {
            Ok(repository) => Some(repository),
            Err(EngineError::NotARepository { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let note = newest_note(&store, &record)?;
        let known = match (note.clone(), &repository) {
            (Some(known), _) => known,
            (None, Some(repository)) => match of_youngest(repository, &record)? {
                Some(known) => known,
                None => return Ok(Rebuilt::Empty),
            },
            (None, None) => return Ok(Rebuilt::Empty),
        };
        let now = self.now();
        let vault = self.write(|tx| put_vault(tx, &known, &record, found, now))?;
        let brought = match &repository {
            Some(repository) => bring_in(self, &vault, repository, &Said::by(note), None)?,
            None => Brought::default(),
        };
        // What failed backups left is found, and the use is measured.
        self.order(|tx| jobs::order_collection(self, tx, &vault))?;
        Ok(Rebuilt::Back {
            name: vault.name,
            region: known.region,
            brought,
        })
    }
}

/// What ends the rebuild of one vault.
enum Stop {
    Control(Error),
    Unreadable(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            error @ (Error::Invalid { .. } | Error::Conflict { .. }) => {
                Self::Unreadable(error.to_string())
            }
            // The key of a vault does not open.
            error @ Error::Unavailable { .. } if error.to_string().contains("vault's data") => {
                Self::Unreadable(chain(&error))
            }
            error => Self::Control(error),
        }
    }
}

impl From<strongroom_store::Error> for Stop {
    fn from(error: strongroom_store::Error) -> Self {
        Self::Unreadable(chain(&error))
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Unreadable(chain(&error))
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Engine(error) => error.into(),
            Trouble::Control(error) => error.into(),
        }
    }
}

/// The newest note whose rows are readable.
fn newest_note(store: &Store, record: &OpenRecord) -> Result<Option<Known>, Stop> {
    let Some(rows) = note::newest(store, record.vault, record.data_key())? else {
        return Ok(None);
    };
    match rows.read() {
        Ok(known) if known.vault.id == record.vault => Ok(Some(known)),
        Ok(_) => Ok(None),
        Err(error) => {
            tracing::warn!(vault = %record.vault, %error, "the note is left aside");
            Ok(None)
        }
    }
}

/// What the youngest manifest that speaks of the vault says.
fn of_youngest(repository: &Repository, record: &OpenRecord) -> Result<Option<Known>, Stop> {
    let mut youngest = None;
    for id in repository.manifests()? {
        let manifest = match repository.manifest(&id) {
            Ok(manifest) => manifest,
            Err(error @ EngineError::Store { .. }) => return Err(error.into()),
            Err(_) => continue,
        };
        let finished = manifest.body.finished;
        if youngest
            .as_ref()
            .is_some_and(|(known, _)| *known > finished)
        {
            continue;
        }
        if let Ok(known) = rows::of_labels(&manifest.body.labels)
            && known.vault.id == record.vault
        {
            youngest = Some((finished, known));
        }
    }
    Ok(youngest.map(|(_, known)| known))
}

/// Puts a vault and what it hangs on into the catalog, unless it is there.
fn put_vault(
    tx: &Tx<'_>,
    known: &Known,
    record: &OpenRecord,
    found: &Found,
    now: Timestamp,
) -> Result<VaultRow> {
    if let Some(there) = tx.vaults().any_project_get(&known.vault.id)? {
        return Ok(there);
    }
    put_project(tx, &known.domain, &known.project)?;
    put_labels(tx, known)?;
    let vault = VaultRow {
        status: VaultStatus::Available,
        used_bytes: Bytes(0),
        data_key_sealed: strongroom_catalog::Sealed(record.wrapped().to_vec()),
        region: found.region.clone(),
        ..known.vault.clone()
    };
    tx.vaults().insert(&vault)?;
    for tag in &known.tags {
        tx.vault_tags().set(tag)?;
    }
    for resource in &known.resources {
        if tx.resources().any_project_get(&resource.id)?.is_none() {
            tx.resources().insert(resource)?;
        }
    }
    for place in &known.places {
        let project = &place.project_id;
        let registered = tx.resources().get(project, &place.resource_id)?.is_some();
        // An old note may say what another vault's newer one denies.
        if registered
            && tx
                .vault_resources()
                .get(project, &place.resource_id)?
                .is_none()
        {
            tx.vault_resources().insert(&VaultResourceRow {
                protect_status: ProtectStatus::Available,
                backup_count: 0,
                backup_size_bytes: Bytes(0),
                ..place.clone()
            })?;
        }
    }
    put_terms(tx, known, now)?;
    Ok(vault)
}

/// The label that the vault is under. One that was made again by hand meanwhile keeps its name, and
/// this one gets another.
fn put_labels(tx: &Tx<'_>, known: &Known) -> Result<()> {
    let Some(project) = tx.projects().get(&known.project.id)? else {
        return Ok(());
    };
    let domain = project.domain_id;
    for label in &known.enterprise_projects {
        let table = tx.enterprise_projects();
        match table.get(&domain, &label.id)? {
            None => {
                let taken = table.by_name(&domain, &label.name)?.is_some();
                let name = if taken {
                    format!("{}-{}", label.name, label.id)
                } else {
                    label.name.clone()
                };
                table.insert(&EnterpriseProjectRow {
                    domain_id: domain,
                    name,
                    ..label.clone()
                })?;
            }
            // The note of another vault knew an older one.
            Some(there) if there.updated_at < label.updated_at => {
                table.change(&domain, &label.id, |row| {
                    row.name.clone_from(&label.name);
                    row.description.clone_from(&label.description);
                    row.kind.clone_from(&label.kind);
                    (row.enabled, row.updated_at) = (label.enabled, label.updated_at);
                })?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// How careful the service is with the vault, and the policies that it follows, which run on from
/// now.
fn put_terms(tx: &Tx<'_>, known: &Known, now: Timestamp) -> Result<()> {
    for safety in &known.safety {
        tx.trash().set_safety(safety)?;
    }
    for policy in &known.policies {
        let there = tx.policies().get(&policy.project_id, &policy.id)?;
        match there {
            None => tx.policies().insert(policy)?,
            // The note of another vault knew an older one.
            Some(there) if there.updated_at < policy.updated_at => {
                tx.policies()
                    .change(&policy.project_id, &policy.id, |row| *row = policy.clone())?;
            }
            Some(_) => {}
        }
    }
    for row in &known.organization_policies {
        let table = tx.organization_policies();
        match table.get(&row.domain_id, &row.id)? {
            None => table.insert(row)?,
            // The note of another vault knew an older one.
            Some(there) if there.updated_at < row.updated_at => {
                table.change(&row.domain_id, &row.id, |there| *there = row.clone())?;
            }
            Some(_) => {}
        }
    }
    for rollout in &known.rollouts {
        tx.organization_policies().set_rollout(rollout)?;
    }
    for binding in &known.bindings {
        let policy = tx.policies().get(&binding.project_id, &binding.policy_id)?;
        if let Some(policy) = policy {
            let mut binding = binding.clone();
            schedule::plan(&policy, &mut binding, now)?;
            tx.vault_policies().set(&binding)?;
        }
    }
    Ok(())
}

/// Puts an account and a project into the catalog, unless they are there.
pub(crate) fn put_project(tx: &Tx<'_>, domain: &DomainRow, project: &ProjectRow) -> Result<()> {
    let begun_anew = |what: &str, name: &str| {
        let about = format!(
            "{what} {name} is in the catalog under another id: the service was started anew before \
             its catalog was rebuilt; move that catalog away and rebuild into none"
        );
        Error::conflict(Reason::AlreadyExists, about)
    };
    if tx.domains().get(&domain.id)?.is_none() {
        if tx.domains().by_name(&domain.name)?.is_some() {
            return Err(begun_anew("domain", &domain.name));
        }
        tx.domains().insert(domain)?;
    }
    if tx.projects().get(&project.id)?.is_none() {
        let ProjectRow {
            domain_id, name, ..
        } = project;
        if tx.projects().by_name(domain_id, name)?.is_some() {
            return Err(begun_anew("project", name));
        }
        tx.projects().insert(project)?;
    }
    Ok(())
}
