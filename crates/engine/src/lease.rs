//! Leases and fences: how writers and collectors agree without locks and without clocks.
//!
//! A writer creates its lease before it looks at anything, and its manifest under the lease's
//! name. A collector that wants to stop waiting for it creates a fence under that same name:
//! creating is atomic, so either the manifest exists and counts, or the writer can never commit.
//!
//! Invariant: a fence is never removed, for the writer it stops may sleep for years.
//!
//! Format: docs/format.md, "Leases, fences and the commit".

use strongroom_model::Entropy;

use crate::{
    error::{Damage, Error, Result},
    holder::Holder,
    id::{ManifestId, QuarantineId},
    layout::{Object, prefix},
    manifest::FENCE_BODY_LEN,
    repository::Repository,
    seal::Kind,
};

/// A writer at work, or one that ended without saying so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The manifest that may be committed under it.
    pub id: ManifestId,
    /// Who holds it; `None` if the record is damaged, which makes it no less a lease.
    pub holder: Option<Holder>,
}

impl Repository {
    /// The names of all leases.
    pub fn lease_names(&self) -> Result<Vec<ManifestId>> {
        let mut found = Vec::new();
        self.objects().list(prefix::LEASES, &mut |object, _| {
            if let Object::Lease(id) = object {
                found.push(id);
            }
        })?;
        Ok(found)
    }

    /// All leases, with their holders.
    pub fn leases(&self) -> Result<Vec<Lease>> {
        let mut leases = Vec::new();
        for id in self.lease_names()? {
            let object = Object::Lease(id);
            let opened = self.objects().open(object, Kind::Lease, id.as_bytes());
            let holder = match opened {
                Ok(body) => Holder::decode(&body).ok(),
                Err(Error::Damaged {
                    damage: Damage::Missing,
                    ..
                }) => continue,
                Err(Error::Damaged { .. }) => None,
                Err(error) => return Err(error),
            };
            leases.push(Lease { id, holder });
        }
        Ok(leases)
    }

    /// Makes sure that the writer of `id` never commits, on behalf of the quarantine `by`;
    /// [`Error::Committed`] if it has committed. Its lease is removed after this.
    pub fn fence(&self, id: &ManifestId, by: QuarantineId, entropy: &dyn Entropy) -> Result<()> {
        let object = Object::Manifest(*id);
        let created =
            self.objects()
                .create(object, Kind::Fence, id.as_bytes(), by.as_bytes(), entropy)?;
        if created || self.is_fence(id)? {
            self.release(id)
        } else {
            Err(Error::Committed { id: *id })
        }
    }

    /// Removes a lease whose writer committed, was fenced off or gave up before its commit.
    pub fn release(&self, id: &ManifestId) -> Result<()> {
        self.objects().delete(Object::Lease(*id))
    }

    /// Whether a fence stands where the manifest would.
    pub fn is_fence(&self, id: &ManifestId) -> Result<bool> {
        match self
            .objects()
            .open(Object::Manifest(*id), Kind::Fence, id.as_bytes())
        {
            Ok(body) => Ok(body.len() == FENCE_BODY_LEN),
            Err(Error::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn take_lease(
        &self,
        id: ManifestId,
        holder: &Holder,
        entropy: &dyn Entropy,
    ) -> Result<()> {
        let (object, body) = (Object::Lease(id), holder.encode());
        if self
            .objects()
            .create(object, Kind::Lease, id.as_bytes(), &body, entropy)?
        {
            Ok(())
        } else {
            Err(Error::Fenced { id })
        }
    }
}
