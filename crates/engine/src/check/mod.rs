//! Checks: is everything there, whole, authentic, and reachable from the manifests?
//!
//! Two grades. The structure: every index run hashes to its name and names packs that are there
//! with their full size and whose directories agree; every manifest opens and every chunk it needs
//! is in a pack that is there. All bytes: besides, every pack hashes to its name and every chunk
//! in it to its id. Nothing is repaired and nothing ends early: each damage is a finding that
//! names what it hits.
//!
//! A manifest that was deleted behind everybody's back leaves no trace in the repository; whoever
//! remembers names hands them in ([`CheckOptions::expected`]).

mod bytes;
mod chunks;
mod roster;

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use crate::{
    error::{Damage, Error, Result},
    id::{ManifestId, PackId},
    inspect::Runs,
    layout::{Object, prefix},
    quarantine::Reason,
    repository::Repository,
    tree::Progress,
};

/// How deep to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Depth {
    /// Objects, directories, index and nodes.
    #[default]
    Structure,
    /// Every byte, too.
    AllBytes,
}

/// What to check.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckOptions {
    /// How deep to look.
    pub depth: Depth,
    /// Manifests that must be there.
    pub expected: Vec<ManifestId>,
}

/// One damage.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What is bad, naming the object or chunk.
    pub error: Error,
    /// The manifests that need it, as far as the walk met it on their way.
    pub manifests: Vec<ManifestId>,
}

/// What a check looked at, and what it found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Manifests that were walked.
    pub manifests: u64,
    /// Index runs that were read.
    pub runs: u64,
    /// Packs in the store.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Chunks that were found needed (each once, as long as memory allows).
    pub chunks: u64,
    /// The damage; empty if all is well.
    pub findings: Vec<Finding>,
}

impl Checked {
    fn find(&mut self, error: Error, manifest: Option<ManifestId>) {
        self.findings.push(Finding {
            error,
            manifests: manifest.into_iter().collect(),
        });
    }
}

/// Checks: see the module's head. An error is a store that cannot be asked, never damage.
pub fn check(
    repository: &Repository,
    options: &CheckOptions,
    progress: &Progress,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let (mut leaving, mut condemned) = (BTreeSet::new(), BTreeSet::new());
    for quarantine in repository.readable_quarantines()? {
        if quarantine.reason == Reason::Damaged {
            condemned.extend(quarantine.packs.iter().copied());
        }
        leaving.extend(quarantine.packs);
    }
    slots_and_records(repository, &mut checked)?;
    let mut present = present(repository, &mut checked)?;
    // That these are damaged is known and provided for; what is lost with them is found below.
    present.retain(|id, _| !condemned.contains(id));
    let indexed = runs(repository, &present, &leaving, &mut checked)?;
    if options.depth == Depth::Structure {
        directories(repository, &present, &indexed, progress, &mut checked)?;
        manifests(repository, options, &present, progress, &mut checked)?;
        return Ok(checked);
    }
    // All bytes of the directories are read with the packs.
    let damages = thread::scope(|scope| {
        let bytes = scope.spawn(|| bytes::all(repository, &present, progress));
        let walked = manifests(repository, options, &present, progress, &mut checked);
        if walked.is_err() {
            progress.cancel();
        }
        let damages = bytes
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        walked.and(damages)
    })?;
    for damage in damages {
        checked.find(damage, None);
    }
    Ok(checked)
}

/// Name and size of every pack in the store.
fn present(repository: &Repository, checked: &mut Checked) -> Result<BTreeMap<PackId, u64>> {
    let mut present = BTreeMap::new();
    repository.packs(&mut |id, size| {
        present.insert(id, size);
    })?;
    checked.packs = present.len() as u64;
    checked.pack_bytes = present.values().sum();
    Ok(present)
}

/// Records outside manifests: what forgets, and what keeps writers and collectors apart.
fn slots_and_records(repository: &Repository, checked: &mut Checked) -> Result<()> {
    for damage in repository.damaged_slots()? {
        checked.find(damage, None);
    }
    let mut records = Vec::new();
    for prefix in [prefix::LEASES, prefix::QUARANTINE, prefix::FORGOTTEN] {
        repository.objects_under(prefix, &mut |object, _| records.push(object))?;
    }
    for object in records {
        match repository.open_record(object) {
            // A record may come to its end while the check runs.
            Ok(())
            | Err(Error::Damaged {
                damage: Damage::Missing,
                ..
            }) => {}
            Err(error @ (Error::Damaged { .. } | Error::FormatTooNew { .. })) => {
                checked.find(error, None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The packs that the index names; a missing or short one is a finding.
fn runs(
    repository: &Repository,
    present: &BTreeMap<PackId, u64>,
    leaving: &BTreeSet<PackId>,
    checked: &mut Checked,
) -> Result<BTreeSet<PackId>> {
    let Runs {
        open: runs,
        damaged,
    } = repository.runs()?;
    for (run, damage) in damaged {
        checked.find(
            Error::Damaged {
                object: Object::Run(run),
                damage,
            },
            None,
        );
    }
    let mut named = BTreeMap::new();
    for run in &runs {
        checked.runs += 1;
        match repository.check_run(run.id) {
            // One that is not there any more was merged into another since the listing.
            Ok(())
            | Err(Error::Damaged {
                damage: Damage::Missing,
                ..
            }) => {}
            Err(error @ Error::Damaged { .. }) => checked.find(error, None),
            Err(error) => return Err(error),
        }
        named.extend(run.packs().map(|pack| (pack.id, u64::from(pack.size))));
    }
    for (id, size) in named.iter().filter(|(id, _)| !leaving.contains(id)) {
        let damage = match present.get(id) {
            Some(found) if found == size => continue,
            Some(found) => Damage::Truncated {
                expected: *size,
                found: *found,
            },
            None => Damage::Missing,
        };
        checked.find(
            Error::Damaged {
                object: Object::Pack(*id),
                damage,
            },
            None,
        );
    }
    Ok(named.into_keys().collect())
}

/// Whether the directory of each pack opens; those of unfinished saves too, for they cost space.
fn directories(
    repository: &Repository,
    present: &BTreeMap<PackId, u64>,
    indexed: &BTreeSet<PackId>,
    progress: &Progress,
    checked: &mut Checked,
) -> Result<()> {
    for id in present.keys().filter(|id| indexed.contains(id)) {
        progress.check()?;
        match repository.pack_directory(*id) {
            Ok(_) => {}
            Err(error @ (Error::Damaged { .. } | Error::FormatTooNew { .. })) => {
                let known = checked.findings.iter().any(|finding| {
                    matches!(&finding.error,
                        Error::Damaged { object: Object::Pack(pack), .. } if pack == id)
                });
                if !known {
                    checked.find(error, None);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Walks every manifest.
fn manifests(
    repository: &Repository,
    options: &CheckOptions,
    present: &BTreeMap<PackId, u64>,
    progress: &Progress,
    checked: &mut Checked,
) -> Result<()> {
    let names = match repository.manifests() {
        Ok(names) => names,
        // A damaged verdict: who is forgotten is unclear, so all are walked.
        Err(Error::Damaged { .. }) => repository.manifest_names()?,
        Err(error) => return Err(error),
    };
    for id in options.expected.iter().filter(|id| !names.contains(id)) {
        checked.find(Error::ManifestMissing { id: *id }, Some(*id));
    }
    // A forgotten one keeps nothing alive, but can be brought back, so its record is looked at.
    for id in repository
        .manifest_names()?
        .into_iter()
        .filter(|id| !names.contains(id))
    {
        match repository.manifest(&id) {
            Ok(_) | Err(Error::ManifestMissing { .. }) => {}
            Err(error @ (Error::Damaged { .. } | Error::FormatTooNew { .. })) => {
                checked.find(error, Some(id));
            }
            Err(error) => return Err(error),
        }
    }
    let mut walk = chunks::Walk::new(repository, present, progress, checked)?;
    for id in names {
        match repository.manifest(&id) {
            Ok(manifest) => walk.manifest(&manifest)?,
            Err(error @ (Error::Damaged { .. } | Error::FormatTooNew { .. })) => {
                walk.lost_manifest(id, error);
            }
            // Forgotten and collected since the listing, or a fence that does not hold.
            Err(Error::ManifestMissing { .. }) => {
                match repository.open_record(Object::Manifest(id)) {
                    Ok(())
                    | Err(Error::Damaged {
                        damage: Damage::Missing,
                        ..
                    }) => {}
                    Err(error @ Error::Damaged { .. }) => walk.lost_manifest(id, error),
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
