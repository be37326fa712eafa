//! Whether every chunk that manifests need lies in a pack that is there.

use std::collections::{BTreeMap, HashMap, HashSet};

use strongroom_store::ErrorKind;

use super::{Checked, Finding, roster::Roster};
use crate::{
    error::{Damage, Error, Result},
    id::{ChunkId, ManifestId, PackId, Stream},
    layout::Object,
    manifest::Manifest,
    reader::Reader,
    repository::Repository,
    tree::{Progress, Reached, Visit, Visitor, reach},
};

/// Walks manifests, each node once.
pub(super) struct Walk<'a> {
    repository: &'a Repository,
    reader: Reader,
    present: &'a BTreeMap<PackId, u64>,
    /// The chunks that are in packs of the store.
    roster: Roster,
    progress: &'a Progress,
    checked: &'a mut Checked,
    nodes: HashSet<ChunkId>,
    /// The finding of each chunk that is lost.
    lost: HashMap<ChunkId, usize>,
    manifest: ManifestId,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        present: &'a BTreeMap<PackId, u64>,
        progress: &'a Progress,
        checked: &'a mut Checked,
    ) -> Result<Self> {
        Ok(Self {
            repository,
            reader: repository.reader(),
            present,
            roster: Roster::load(repository, present, progress)?,
            progress,
            checked,
            nodes: HashSet::new(),
            lost: HashMap::new(),
            manifest: ManifestId::from_bytes([0; 16]),
        })
    }

    /// Walks one manifest.
    pub(super) fn manifest(&mut self, manifest: &Manifest) -> Result<()> {
        self.manifest = manifest.id;
        self.checked.manifests += 1;
        let reader = std::mem::replace(&mut self.reader, self.repository.reader());
        let done = reach(&reader, manifest, self);
        self.reader = reader;
        done
    }

    pub(super) fn lost_manifest(&mut self, id: ManifestId, error: Error) {
        self.checked.find(error, Some(id));
    }

    fn chunk(&mut self, reached: Reached) -> Result<()> {
        let id = reached.id;
        if let Some(finding) = self.lost.get(&id) {
            self.blame(*finding);
            return Ok(());
        }
        if self.roster.contains(&id) {
            self.checked.chunks += 1;
            return Ok(());
        }
        let packs = self.repository.packs_of(&id)?;
        if packs.iter().any(|pack| self.present.contains_key(pack)) {
            self.checked.chunks += 1;
            return Ok(());
        }
        let stream = reached.stream;
        // Packs in quarantine for their damage do not count, but a part of them may still read.
        let read = self.reader.read(stream, &id);
        let error = match (packs.first(), read) {
            (Some(_), Ok(_)) => {
                self.checked.chunks += 1;
                return Ok(());
            }
            (_, Err(error @ Error::Store { .. })) => return Err(error),
            (None, _) => Error::ChunkMissing { id, stream },
            // The pack is one finding, however many chunks it held.
            (Some(pack), Err(_)) if !self.exists(pack)? => Error::Damaged {
                object: Object::Pack(*pack),
                damage: Damage::Missing,
            },
            (Some(_), Err(error)) => error,
        };
        self.report(id, error);
        Ok(())
    }

    fn exists(&self, pack: &PackId) -> Result<bool> {
        let object = Object::Pack(*pack);
        match self.repository.store().size(&object.key()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::store("look for a pack")(error)),
        }
    }

    fn report(&mut self, id: ChunkId, error: Error) {
        let same_pack = self.checked.findings.iter().position(|finding| {
            matches!((&finding.error, &error),
                (Error::Damaged { object: a, .. }, Error::Damaged { object: b, .. }) if a == b)
        });
        let finding = same_pack.unwrap_or_else(|| {
            self.checked.findings.push(Finding {
                error,
                manifests: Vec::new(),
            });
            self.checked.findings.len() - 1
        });
        self.lost.insert(id, finding);
        self.blame(finding);
    }

    fn blame(&mut self, finding: usize) {
        if let Some(finding) = self.checked.findings.get_mut(finding)
            && !finding.manifests.contains(&self.manifest)
        {
            finding.manifests.push(self.manifest);
        }
    }
}

impl Visitor for Walk<'_> {
    fn reach(&mut self, reached: Reached) -> Result<Visit> {
        self.progress.check()?;
        let seen = reached.stream == Stream::Tree && !self.nodes.insert(reached.id);
        if seen {
            if let Some(finding) = self.lost.get(&reached.id) {
                self.blame(*finding);
            }
            return Ok(Visit::Skip);
        }
        self.chunk(reached)?;
        // A node that is known to be lost need not be asked for again.
        let lost = self.lost.contains_key(&reached.id);
        Ok(if lost { Visit::Skip } else { Visit::Descend })
    }

    fn lose(&mut self, id: ChunkId, error: Error) -> Result<()> {
        if let Error::Store { .. } | Error::Cancelled = error {
            return Err(error);
        }
        self.report(id, error);
        Ok(())
    }
}
