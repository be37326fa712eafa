//! The commit: everything durable, one last look at the quarantines, then the manifest.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use strongroom_store::ErrorKind;

use super::{Shared, Writer, pipeline::Pipeline, release};
use crate::{
    error::{Error, Result},
    id::{ManifestId, PackId, QuarantineId},
    index::GENERATIONS_MAX,
    layout::Object,
    manifest::{Body, Manifest},
    pack::PackView,
    record,
    seal::Kind,
};

/// How often packs that are put into quarantine during the commit are written anew.
const ROUNDS: usize = 4;

impl Writer {
    /// Makes everything durable and then the manifest; returns its name.
    ///
    /// All streams must be finished. On an error nothing is committed, unless the store left open
    /// whether the manifest was written and could not be asked again; then the lease stays, and a
    /// collection finds out.
    pub fn commit(mut self, body: Body) -> Result<ManifestId> {
        self.make_durable()?;
        self.thin_out();
        // From here on the outcome decides about the lease.
        self.holds_lease = false;
        self.shared.write_manifest(body)
    }

    /// Commits if `check` has nothing against the packs that this writer wrote, which are durable
    /// by then.
    pub(crate) fn commit_after(
        mut self,
        body: Body,
        check: impl FnOnce(BTreeSet<PackId>) -> Result<()>,
    ) -> Result<ManifestId> {
        self.make_durable()?;
        check(self.shared.known.own_packs())?;
        self.holds_lease = false;
        self.shared.write_manifest(body)
    }

    /// Makes everything durable and ends without a manifest: what was stored is in the index, for
    /// manifests that reach it already. This is how a collection writes chunks anew.
    pub(crate) fn close(mut self) -> Result<()> {
        self.make_durable()?;
        self.thin_out();
        Ok(())
    }

    /// Merges index runs if there are too many. What fails here costs later readers some time.
    fn thin_out(&self) {
        let shared = &self.shared;
        if shared.known.runs() <= GENERATIONS_MAX {
            return;
        }
        if let Err(error) = shared.repository.thin_out_runs(&*shared.entropy) {
            tracing::warn!(%error, "the runs of the index are many and could not be merged");
        }
    }

    /// Waits for all that is under way, until nothing that was relied on is in quarantine.
    fn make_durable(&mut self) -> Result<()> {
        let open = self.shared.open_streams.load(Ordering::Acquire);
        if open > 0 {
            return Err(Error::StreamsOpen { open });
        }
        let mut affected = self.shared.newly_quarantined()?;
        for _ in 0..ROUNDS {
            for pack in affected {
                tracing::info!(%pack, "a pack relied on is in quarantine; writing it anew");
                self.rewrite(&pack)?;
            }
            if let Some(pipeline) = self.pipeline.take() {
                pipeline.finish();
            }
            self.shared.settle()?;
            affected = self.shared.newly_quarantined()?;
            if affected.is_empty() {
                return Ok(());
            }
            self.pipeline = Some(Pipeline::start(&self.shared, self.workers)?);
        }
        Err(Error::Quarantined { id: self.shared.id })
    }

    /// Puts every chunk of a pack; those that no other pack has are stored again.
    fn rewrite(&self, id: &PackId) -> Result<()> {
        let objects = self.shared.repository.objects();
        let quarantined = |_| Error::Quarantined { id: self.shared.id };
        let bytes = objects
            .get(Object::Pack(*id))
            .map_err(|error| match error {
                Error::Damaged { .. } => Error::Quarantined { id: self.shared.id },
                error => error,
            })?;
        let view = PackView::open(objects.keys(), *id, &bytes).map_err(quarantined)?;
        let mut stream = self.stream(view.directory().stream());
        for segment in view.directory().segments() {
            let mut put = Ok(());
            view.decode(segment.number(), &mut |_, chunk| {
                if put.is_ok() {
                    put = chunk
                        .map_err(quarantined)
                        .and_then(|bytes| stream.put(bytes).map(drop));
                }
            })?;
            put?;
        }
        stream.finish()
    }
}

impl Shared {
    /// Makes sure that nothing failed or is under way, and writes the last index run.
    fn settle(&self) -> Result<()> {
        self.failure.check()?;
        if self.memtable.under_way() > 0 {
            return Err(Error::WriterDied);
        }
        self.flush()
    }

    /// Packs that were relied on and that were put into quarantine since the last look.
    fn newly_quarantined(&self) -> Result<Vec<PackId>> {
        let quarantines = self.repository.quarantines()?;
        let packs: BTreeSet<_> = quarantines
            .into_iter()
            .flat_map(|each| each.packs)
            .collect();
        Ok(self.known.shun(packs))
    }

    fn write_manifest(&self, body: Body) -> Result<ManifestId> {
        let counts = self.counts();
        let runs = self
            .runs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let manifest = Manifest {
            id: self.id,
            body,
            unique_bytes: counts.unique_bytes,
            stored_bytes: counts.stored_bytes,
            runs,
        };
        let objects = self.repository.objects();
        let (id, object) = (self.id, Object::Manifest(self.id));
        let encoded = manifest.encode();
        let record = record::seal(
            objects.keys(),
            Kind::Manifest,
            id.as_bytes(),
            &encoded,
            &*self.entropy,
        );
        match objects.store().create_new(&object.key(), &record) {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                self.explain_taken(&manifest)?;
            }
            // The outcome is unknown, unless a fence can be had: then it cannot appear any more.
            Err(error) => match self.give_up() {
                Err(Error::Committed { .. }) => self.explain_taken(&manifest)?,
                _ => return Err(Error::store("write a manifest")(error)),
            },
        }
        release(&self.repository, &id);
        Ok(id)
    }

    /// The manifest's name is taken: by a fence, or by our own manifest after a lost reply.
    fn explain_taken(&self, ours: &Manifest) -> Result<()> {
        if self.repository.is_fence(&self.id)? {
            release(&self.repository, &self.id);
            return Err(Error::Fenced { id: self.id });
        }
        if self.repository.manifest(&self.id)? == *ours {
            Ok(())
        } else {
            Err(Error::Committed { id: self.id })
        }
    }

    /// After a write of the manifest whose outcome is unknown: fences ourselves off, so that the
    /// manifest cannot appear later. If that cannot be done either, the lease stays.
    fn give_up(&self) -> Result<()> {
        let by = QuarantineId::from_bytes([0; 16]);
        let fenced = self.repository.fence(&self.id, by, &*self.entropy);
        if let Err(error @ Error::Store { .. }) = &fenced {
            tracing::warn!(id = %self.id, %error, "it is unknown whether the manifest was written");
        }
        fenced
    }
}
