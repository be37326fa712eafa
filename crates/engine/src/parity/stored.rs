//! Parity objects in the store: made with each pack, asked for when a pack is bad.

use strongroom_store::Bytes;

use super::{Healed, build, check, heal};
use crate::{
    error::{Damage, Error, Result},
    id::PackId,
    layout::Object,
    repository::Repository,
};

impl Repository {
    /// Hundredths of each pack that are stored again as parity; 0 is none.
    pub fn parity_percent(&self) -> u8 {
        self.header().parity_percent
    }

    /// Stores the parity of a pack whose bytes are whole and durable, if the repository keeps any.
    /// Returns the bytes that it takes.
    pub(crate) fn protect(&self, id: PackId, pack: &[u8]) -> Result<u64> {
        let percent = self.parity_percent();
        if percent == 0 {
            return Ok(0);
        }
        let object = build(self.id(), id, pack, percent);
        self.objects().put_named(Object::Parity(id), &object)?;
        Ok(object.len() as u64)
    }

    /// Removes a pack for good, and then its parity: what is interrupted is done again by whoever
    /// has the pack's name on a list.
    pub(crate) fn remove_pack(&self, id: PackId) -> Result<()> {
        self.objects().delete(Object::Pack(id))?;
        if self.parity_percent() == 0 {
            return Ok(());
        }
        self.objects().delete(Object::Parity(id))
    }

    /// The parity object of a pack; `None` if there is none.
    pub fn parity(&self, id: PackId) -> Result<Option<Bytes>> {
        match self.objects().get(Object::Parity(id)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Damaged {
                damage: Damage::Missing,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Computes the bytes of a damaged pack from what is left of it (nothing, if it is missing) and
    /// its parity object. Stores nothing.
    pub fn heal_pack(&self, id: PackId, damaged: &[u8]) -> Result<Healed> {
        let parity = self.objects().get(Object::Parity(id))?;
        heal(id, damaged, &parity).map_err(|damage| {
            let object = match damage {
                Damage::BeyondParity { .. } => Object::Pack(id),
                _ => Object::Parity(id),
            };
            Error::damaged(object)(damage)
        })
    }

    /// Makes the parity object of a whole pack anew if it is missing or does not hold; says whether
    /// that was so. A repository that keeps no parity has none to renew.
    pub fn renew_parity(&self, id: PackId, pack: &[u8]) -> Result<bool> {
        if self.parity_percent() == 0 {
            return Ok(false);
        }
        if blake3::hash(pack).as_bytes() != id.as_bytes() {
            return Err(Error::damaged(Object::Pack(id))(Damage::WrongName));
        }
        if let Some(parity) = self.parity(id)? {
            if check(id, &parity).is_ok() {
                return Ok(false);
            }
            self.objects().delete(Object::Parity(id))?;
        }
        self.protect(id, pack).map(|_| true)
    }
}
