//! Quarantine records: packs that a collection will remove, said before it does.
//!
//! A writer that starts after the record takes the chunks of these packs for absent; one that
//! started before is waited for, and what it committed is looked at again before anything goes.
//! The waits record keeps, for a collector that crashes, which leases these are.
//!
//! Format: docs/format.md, "Quarantine and sweep".

use std::collections::BTreeSet;

use strongroom_model::Entropy;
use strongroom_store::ErrorKind;

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Damage, Error, Result},
    id::{ManifestId, PackId, QuarantineId},
    layout::{Object, prefix},
    repository::Repository,
    seal::Kind,
};

/// Why packs are in quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// No manifest reaches any of their chunks.
    Unreachable,
    /// The chunks that are still reached were written anew elsewhere.
    Repacked,
    /// They are damaged.
    Damaged,
}

/// What becomes of a quarantine; decided once, by whoever comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its packs stay, and writers may rely on them again.
    Lifted,
    /// Its packs go.
    Swept,
}

/// Packs that are about to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantine {
    /// The record's name.
    pub id: QuarantineId,
    /// Why.
    pub reason: Reason,
    /// Which.
    pub packs: Vec<PackId>,
}

impl Repository {
    /// Puts packs into quarantine: from now on, writers that start do not rely on them.
    pub fn quarantine(
        &self,
        reason: Reason,
        packs: Vec<PackId>,
        entropy: &dyn Entropy,
    ) -> Result<Quarantine> {
        let quarantine = Quarantine {
            id: QuarantineId::random(entropy),
            reason,
            packs,
        };
        let (id, body) = (quarantine.id, quarantine.encode());
        let object = Object::Quarantine(id);
        self.objects()
            .create(object, Kind::Quarantine, id.as_bytes(), &body, entropy)?;
        Ok(quarantine)
    }

    /// The quarantines that stand; a record that cannot be read is an error, for it may name packs
    /// that nobody may rely on.
    pub fn quarantines(&self) -> Result<Vec<Quarantine>> {
        // One that is missing was lifted since the listing.
        self.standing_quarantines(|damage| matches!(damage, Damage::Missing))
    }

    /// The quarantines that open; what the others name is unknown.
    pub(crate) fn readable_quarantines(&self) -> Result<Vec<Quarantine>> {
        self.standing_quarantines(|_| true)
    }

    fn standing_quarantines(&self, overlooked: fn(&Damage) -> bool) -> Result<Vec<Quarantine>> {
        let mut names = Vec::new();
        self.objects().list(prefix::QUARANTINE, &mut |object, _| {
            if let Object::Quarantine(id) = object {
                names.push(id);
            }
        })?;
        let mut found = Vec::new();
        for id in names {
            match self.read_quarantine(id) {
                Ok(quarantine) => found.push(quarantine),
                Err(Error::Damaged { damage, .. }) if overlooked(&damage) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// One quarantine.
    pub(crate) fn read_quarantine(&self, id: QuarantineId) -> Result<Quarantine> {
        let object = Object::Quarantine(id);
        let body = self
            .objects()
            .open(object, Kind::Quarantine, id.as_bytes())?;
        Quarantine::decode(id, &body).map_err(Error::damaged(object))
    }

    /// Notes the leases that must be gone or fenced before the sweep of a quarantine: all that
    /// exist now, after the record became visible. A second call returns what the first noted.
    pub fn note_waits(&self, id: QuarantineId, entropy: &dyn Entropy) -> Result<Vec<ManifestId>> {
        let object = Object::Waits(id);
        let leases = self.lease_names()?;
        let mut body = Encoder::default();
        body.count(leases.len());
        for lease in &leases {
            body.raw(lease.as_bytes());
        }
        let body = body.finish();
        if self
            .objects()
            .create(object, Kind::Waits, id.as_bytes(), &body, entropy)?
        {
            return Ok(leases);
        }
        let body = self.objects().open(object, Kind::Waits, id.as_bytes())?;
        decode_waits(&body).map_err(Error::damaged(object))
    }

    /// Decides what becomes of a quarantine, unless it is decided; returns what holds, or `None`
    /// if the quarantine has ended.
    ///
    /// Two collectors may have come to different answers, each right when it looked. Without one
    /// decision, the one would give packs free and the other remove them under whoever relied on
    /// them then.
    pub fn settle(
        &self,
        id: QuarantineId,
        outcome: Outcome,
        entropy: &dyn Entropy,
    ) -> Result<Option<Outcome>> {
        let (object, name) = (Object::Outcome(id), id.as_bytes());
        let body = [match outcome {
            Outcome::Lifted => 1,
            Outcome::Swept => 2,
        }];
        let created = self
            .objects()
            .create(object, Kind::Verdict, name, &body, entropy)?;
        let holds = if created {
            Some(outcome)
        } else {
            self.outcome(id)?
        };
        // The record goes first and never comes back: whoever decides after that decides nothing.
        match self.store().size(&Object::Quarantine(id).key()) {
            Ok(_) => Ok(holds),
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.lift(id)?;
                Ok(None)
            }
            Err(error) => Err(Error::store("look for a quarantine record")(error)),
        }
    }

    /// What was decided about a quarantine, if it was.
    pub fn outcome(&self, id: QuarantineId) -> Result<Option<Outcome>> {
        let object = Object::Outcome(id);
        let opened = self.objects().open(object, Kind::Verdict, id.as_bytes());
        match opened.as_deref() {
            Ok([1]) => Ok(Some(Outcome::Lifted)),
            Ok([2]) => Ok(Some(Outcome::Swept)),
            Ok(_) => Err(Error::damaged(object)(Malformed::new("no verdict").into())),
            Err(Error::Damaged {
                damage: Damage::Missing,
                ..
            }) => Ok(None),
            Err(error) => Err(error.clone()),
        }
    }

    /// Ends a quarantine: after its packs are gone and no index run names them any more, or
    /// because it was decided that they stay.
    pub fn lift(&self, id: QuarantineId) -> Result<()> {
        self.objects().delete(Object::Quarantine(id))?;
        self.objects().delete(Object::Waits(id))?;
        self.objects().delete(Object::Outcome(id))
    }

    /// Removes what quarantines that ended left behind when somebody died at the very end.
    pub(crate) fn tidy_quarantines(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        self.objects()
            .list(prefix::QUARANTINE, &mut |object, _| match object {
                Object::Waits(id) | Object::Outcome(id) => {
                    names.insert(id);
                }
                _ => {}
            })?;
        for id in names {
            // These are made after the record: where it is missing now, it has ended.
            match self.store().size(&Object::Quarantine(id).key()) {
                Err(error) if error.kind == ErrorKind::NotFound => self.lift(id)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Quarantine {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u8(match self.reason {
            Reason::Unreachable => 1,
            Reason::Repacked => 2,
            Reason::Damaged => 3,
        });
        out.count(self.packs.len());
        for pack in &self.packs {
            out.raw(pack.as_bytes());
        }
        out.finish()
    }

    pub(crate) fn decode(id: QuarantineId, bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let reason = match decoder.u8()? {
            1 => Reason::Unreachable,
            2 => Reason::Repacked,
            3 => Reason::Damaged,
            found => {
                return Err(Damage::UnknownAlgorithm {
                    what: "quarantine reason",
                    found,
                });
            }
        };
        let packs = (0..decoder.count(PackId::LEN)?)
            .map(|_| decoder.array().map(PackId::from_bytes))
            .collect::<Result<_, Malformed>>()?;
        decoder.finish()?;
        Ok(Self { id, reason, packs })
    }
}

pub(crate) fn decode_waits(bytes: &[u8]) -> Result<Vec<ManifestId>, Damage> {
    let mut decoder = Decoder::new(bytes);
    let leases = (0..decoder.count(ManifestId::LEN)?)
        .map(|_| decoder.array().map(ManifestId::from_bytes))
        .collect::<Result<_, Malformed>>()?;
    decoder.finish()?;
    Ok(leases)
}
