//! The ways to open a repository: listed, added, removed.
//!
//! Every slot wraps the same root key, so keys are rotated by adding one slot and removing another,
//! and nothing else is written. Two people who each remove a slot at the same time must not lock
//! everybody out, and there is no lock: whoever removes marks the slot first and then looks whether
//! another one is left that nobody has marked. Of two, at least one sees the other's mark.
//!
//! Invariant: a slot goes only while one is left that is neither marked nor unreadable.
//!
//! Format: docs/format.md, "Key slots".

use std::collections::BTreeSet;

use strongroom_model::{Entropy, entropy::random};

use crate::{
    error::{Damage, Error, Result},
    layout::{Object, prefix},
    repository::Repository,
    seal::Kind,
    slot::{PassphraseCost, Slot, SlotWay, Unlock},
};

/// The name of a key slot.
pub type SlotName = [u8; 16];

/// A key slot, as whoever has opened the repository sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotSummary {
    /// Its name.
    pub name: SlotName,
    /// What opens it.
    pub way: SlotWay,
    /// Whether it is the one that opened the repository now.
    pub in_use: bool,
    /// Whether somebody has begun to remove it.
    pub leaving: bool,
}

/// Whether one's own way in may be removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnSlot {
    /// It stays.
    Stays,
    /// It may go.
    MayGo,
}

impl Repository {
    /// The slots of this repository that can be read; see [`Self::damaged_slots`] for others.
    pub fn slots(&self) -> Result<Vec<SlotSummary>> {
        let (mut names, mut marked) = (Vec::new(), BTreeSet::new());
        self.objects()
            .list(prefix::SLOTS, &mut |object, _| match object {
                Object::Slot(name) => names.push(name),
                Object::Removal(name, _) => {
                    marked.insert(name);
                }
                _ => {}
            })?;
        let mut slots = Vec::new();
        for name in names {
            let object = match self.objects().get(Object::Slot(name)) {
                Ok(object) => object,
                // Removed since the listing.
                Err(Error::Damaged {
                    damage: Damage::Missing,
                    ..
                }) => continue,
                Err(error) => return Err(error),
            };
            if let Some(slot) = Slot::parse(&object)
                .ok()
                .filter(|slot| slot.repository() == self.id())
            {
                slots.push(SlotSummary {
                    name,
                    way: slot.way(),
                    in_use: name == self.opened_by(),
                    leaving: marked.contains(&name),
                });
            }
        }
        slots.sort_by_key(|slot| slot.name);
        Ok(slots)
    }

    /// Lets the repository be opened in one more way; returns the slot's name.
    pub fn add_unlock(
        &self,
        unlock: &Unlock,
        cost: PassphraseCost,
        entropy: &dyn Entropy,
    ) -> Result<SlotName> {
        let root = self.objects().keys().root();
        let slot = Slot::wrap(root, self.id(), unlock, cost, entropy)?;
        let name = random(entropy);
        self.store()
            .create_new(&Object::Slot(name).key(), &slot)
            .map_err(Error::store("write a key slot"))?;
        Ok(name)
    }

    /// Removes a slot: what opened it opens the repository no more. The last one stays. Who has
    /// copied the slot or the root key keeps his copy.
    pub fn remove_slot(&self, name: SlotName, own: OwnSlot, entropy: &dyn Entropy) -> Result<()> {
        let slot = Object::Slot(name);
        if !self.slots()?.iter().any(|each| each.name == name) {
            return Err(Error::SlotMissing { slot });
        }
        if name == self.opened_by() && own == OwnSlot::Stays {
            return Err(Error::SlotInUse { slot });
        }
        let act = random(entropy);
        let mark = Object::Removal(name, act);
        self.objects()
            .create(mark, Kind::Removal, &act, &[], entropy)?;
        let left = self
            .slots()?
            .into_iter()
            .any(|each| !each.leaving && each.name != name && each.way != SlotWay::Unknown);
        if !left {
            self.objects().delete(mark)?;
            return Err(Error::LastSlot { slot });
        }
        self.objects().delete(slot)?;
        let mut marks = Vec::new();
        self.objects().list(prefix::SLOTS, &mut |object, _| {
            if matches!(object, Object::Removal(marked, _) if marked == name) {
                marks.push(object);
            }
        })?;
        marks
            .into_iter()
            .try_for_each(|mark| self.objects().delete(mark))
    }
}
