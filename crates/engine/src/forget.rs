//! Forgetting: a record that a manifest counts no more, which can be taken back until a
//! collection says the last word.
//!
//! The manifest itself stays until its chunks go. Bringing it back and letting it go for good are
//! decided by one conditional create of the verdict, so that a sweep and a change of mind cannot
//! both win.
//!
//! Format: docs/format.md, "Forgetting".

use std::collections::BTreeSet;

use strongroom_model::Entropy;

use crate::{
    codec::{Decoder, Encoder},
    error::{Damage, Error, Result},
    id::{ForgetId, ManifestId},
    layout::{Object, prefix},
    repository::Repository,
    seal::Kind,
};

/// The last word on a forgotten manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It counts again.
    Restored,
    /// It and what only it needs may go.
    Final,
}

impl Repository {
    /// Forgets a manifest: it is not listed any more and keeps nothing alive.
    pub fn forget(&self, id: &ManifestId, entropy: &dyn Entropy) -> Result<()> {
        self.manifest(id)?;
        if self.forgotten()?.iter().any(|(manifest, _)| manifest == id) {
            return Ok(());
        }
        let act = ForgetId::random(entropy);
        let mut body = Encoder::default();
        body.raw(id.as_bytes());
        let (object, body) = (Object::Forgotten(*id, act), body.finish());
        self.objects()
            .create(object, Kind::Forgotten, act.as_bytes(), &body, entropy)?;
        Ok(())
    }

    /// Brings a forgotten manifest back, unless a collection has let it go.
    pub fn restore_forgotten(&self, id: &ManifestId, entropy: &dyn Entropy) -> Result<()> {
        for (manifest, act) in self.forgotten()? {
            if manifest == *id
                && self.decide(id, act, Verdict::Restored, entropy)? == Verdict::Final
            {
                return Err(Error::ManifestMissing { id: *id });
            }
        }
        self.manifest(id).map(drop)
    }

    /// Says the last word on one act of forgetting, unless it is said; returns what holds.
    pub fn decide(
        &self,
        id: &ManifestId,
        act: ForgetId,
        verdict: Verdict,
        entropy: &dyn Entropy,
    ) -> Result<Verdict> {
        let object = Object::Verdict(*id, act);
        let body = [match verdict {
            Verdict::Restored => 1,
            Verdict::Final => 2,
        }];
        if self
            .objects()
            .create(object, Kind::Verdict, act.as_bytes(), &body, entropy)?
        {
            Ok(verdict)
        } else {
            self.verdict(id, act)
        }
    }

    /// The manifests that are forgotten now, each with the act by which it is.
    pub fn forgotten(&self) -> Result<Vec<(ManifestId, ForgetId)>> {
        let (mut acts, mut decided) = (BTreeSet::new(), Vec::new());
        self.objects()
            .list(prefix::FORGOTTEN, &mut |object, _| match object {
                Object::Forgotten(id, act) => {
                    acts.insert((id, act));
                }
                Object::Verdict(id, act) => decided.push((id, act)),
                _ => {}
            })?;
        for (id, act) in decided {
            match self.verdict(&id, act) {
                Ok(Verdict::Restored) => {
                    acts.remove(&(id, act));
                }
                Ok(Verdict::Final) => {}
                // Cleared since the listing, and the record it was about before it.
                Err(Error::Damaged {
                    damage: Damage::Missing,
                    ..
                }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut forgotten = Vec::new();
        for (id, act) in acts {
            let object = Object::Forgotten(id, act);
            match self.objects().open(object, Kind::Forgotten, act.as_bytes()) {
                Ok(body) => {
                    let named = decode_forgotten(&body).map_err(Error::damaged(object))?;
                    forgotten.extend((named == id).then_some((id, act)));
                }
                Err(Error::Damaged {
                    damage: Damage::Missing,
                    ..
                }) => {}
                // A record that does not hold forgets nothing.
                Err(Error::Damaged { damage, .. }) => {
                    tracing::warn!(%object, %damage, "a forgetting record is damaged and ignored");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(forgotten)
    }

    /// Removes the records of one act of forgetting, after its manifest is gone or was restored.
    pub fn clear_forgotten(&self, id: &ManifestId, act: ForgetId) -> Result<()> {
        self.objects().delete(Object::Forgotten(*id, act))?;
        self.objects().delete(Object::Verdict(*id, act))
    }

    fn verdict(&self, id: &ManifestId, act: ForgetId) -> Result<Verdict> {
        let object = Object::Verdict(*id, act);
        let body = self.objects().open(object, Kind::Verdict, act.as_bytes())?;
        match body.as_slice() {
            [1] => Ok(Verdict::Restored),
            [2] => Ok(Verdict::Final),
            _ => Err(Error::damaged(object)(
                crate::codec::Malformed::new("no verdict").into(),
            )),
        }
    }
}

pub(crate) fn decode_forgotten(body: &[u8]) -> Result<ManifestId, Damage> {
    let mut decoder = Decoder::new(body);
    let id = ManifestId::from_bytes(decoder.array()?);
    decoder.finish()?;
    Ok(id)
}
