//! Records that do not open: replaced from a mirror, or dropped where that means the same.
//!
//! A store cannot replace an object in one step, so the new bytes are stored as a replacement
//! record first; whoever is interrupted between removing and creating is finished from that.
//!
//! What dropping means: a damaged forgetting record forgets nothing, as if it were not there; a
//! damaged verdict may have brought its manifest back, so the manifest counts; a wait list is
//! made again from the leases of the day, among which are all of the first list that still stand.

use std::sync::Arc;

use strongroom_model::{Entropy, entropy::random};

use super::{Plan, RepairOptions, Step, Unhealed};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Damage, Error, Result},
    layout::{Object, prefix},
    quarantine::Quarantine,
    repository::Repository,
    seal::Kind,
    slot::Slot,
};

/// What is done about one record.
#[derive(Debug)]
pub(super) enum RecordStep {
    Drop(Object),
    Replace { object: Object, bytes: Vec<u8> },
    Finish { replacement: Object },
}

/// Looks at every record.
pub(super) fn plan(
    repository: &Repository,
    options: &RepairOptions<'_>,
    plan: &mut Plan,
) -> Result<()> {
    for replacement in under(repository, prefix::REPLACEMENTS)? {
        match read_replacement(repository, replacement) {
            Ok((object, _)) => {
                plan.steps.push(Step::Finish { object });
                plan.records.push(RecordStep::Finish { replacement });
            }
            Err(Error::Damaged { object, damage }) => drop_it(plan, object, damage),
            Err(error) => return Err(error),
        }
    }
    for folder in [
        prefix::SLOTS,
        prefix::MANIFESTS,
        prefix::LEASES,
        prefix::QUARANTINE,
        prefix::FORGOTTEN,
    ] {
        for object in under(repository, folder)? {
            let Some(damage) = damage(repository, object)? else {
                continue;
            };
            match from_mirror(repository, options, object)? {
                Some((mirror, bytes)) => {
                    plan.steps.push(Step::Replace {
                        object,
                        damage,
                        mirror,
                    });
                    plan.records.push(RecordStep::Replace { object, bytes });
                }
                None if can_be_dropped(object) => drop_it(plan, object, damage),
                None => plan.unhealed.push(Unhealed {
                    object,
                    damage,
                    chunks: 0,
                }),
            }
        }
    }
    Ok(())
}

/// The quarantines that will stand when their records are replaced.
pub(super) fn replaced_quarantines(
    repository: &Repository,
    records: &[RecordStep],
) -> Vec<Quarantine> {
    let keys = repository.objects().keys();
    let replaced = records.iter().filter_map(|record| match record {
        RecordStep::Replace {
            object: Object::Quarantine(id),
            bytes,
        } => {
            let body = crate::record::open(keys, Kind::Quarantine, id.as_bytes(), bytes).ok()?;
            Quarantine::decode(*id, &body).ok()
        }
        _ => None,
    });
    replaced.collect()
}

fn drop_it(plan: &mut Plan, object: Object, damage: Damage) {
    plan.steps.push(Step::Drop { object, damage });
    plan.records.push(RecordStep::Drop(object));
}

const fn can_be_dropped(object: Object) -> bool {
    matches!(
        object,
        Object::Waits(_) | Object::Forgotten(..) | Object::Verdict(..)
    )
}

fn under(repository: &Repository, prefix: &str) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    repository.objects_under(prefix, &mut |object, _| objects.push(object))?;
    Ok(objects)
}

/// How the record is bad; `None` if it opens or is gone.
pub(super) fn damage(repository: &Repository, object: Object) -> Result<Option<Damage>> {
    match repository.open_record(object) {
        Ok(())
        | Err(Error::Damaged {
            damage: Damage::Missing,
            ..
        }) => Ok(None),
        Err(Error::Damaged { damage, .. }) => Ok(Some(damage)),
        Err(error) => Err(error),
    }
}

/// The record's bytes from the first mirror where it opens.
fn from_mirror(
    repository: &Repository,
    options: &RepairOptions<'_>,
    object: Object,
) -> Result<Option<(usize, Vec<u8>)>> {
    for (number, mirror) in options.mirrors.iter().enumerate() {
        match mirror.objects().get(object) {
            Ok(bytes) if repository.opens(object, &bytes) => {
                return Ok(Some((number, bytes.to_vec())));
            }
            Ok(_) | Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

impl RecordStep {
    pub(super) fn execute(
        &self,
        repository: &Repository,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<()> {
        match self {
            // Whoever reads well now was misread before, and stays.
            Self::Drop(object) if damage(repository, *object)?.is_none() => Ok(()),
            Self::Drop(Object::Forgotten(id, act) | Object::Verdict(id, act)) => {
                repository.clear_forgotten(id, *act)
            }
            Self::Drop(object) => repository.remove(*object),
            Self::Replace { object, bytes } => {
                let replacement = Object::Replacement(random(&**entropy));
                store_replacement(repository, replacement, *object, bytes, &**entropy)?;
                finish(repository, replacement)
            }
            Self::Finish { replacement } => finish(repository, *replacement),
        }
    }
}

/// Puts the replacement's bytes in the place of a record that does not open.
fn finish(repository: &Repository, replacement: Object) -> Result<()> {
    let (object, bytes) = match read_replacement(repository, replacement) {
        Ok(read) => read,
        Err(Error::Damaged {
            damage: Damage::Missing,
            ..
        }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if damage(repository, object)?.is_some() {
        repository.remove(object)?;
    }
    match repository.store().create_new(&object.key(), &bytes) {
        Ok(()) => {}
        // It opens, or another repair was here.
        Err(error) if error.kind == strongroom_store::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::store("write a record")(error)),
    }
    repository.remove(replacement)
}

fn store_replacement(
    repository: &Repository,
    replacement: Object,
    object: Object,
    bytes: &[u8],
    entropy: &dyn Entropy,
) -> Result<()> {
    let Object::Replacement(name) = replacement else {
        return Ok(());
    };
    let mut body = Encoder::default();
    body.text(&object.path()).blob(bytes);
    let body = body.finish();
    let objects = repository.objects();
    objects.create(replacement, Kind::Replacement, &name, &body, entropy)?;
    Ok(())
}

fn read_replacement(repository: &Repository, replacement: Object) -> Result<(Object, Vec<u8>)> {
    let Object::Replacement(name) = replacement else {
        return Err(Error::damaged(replacement)(Damage::Missing));
    };
    let objects = repository.objects();
    let body = objects.open(replacement, Kind::Replacement, &name)?;
    decode_replacement(&body).map_err(|malformed| Error::damaged(replacement)(malformed.into()))
}

/// What a replacement record replaces, and with which bytes.
pub(crate) fn decode_replacement(body: &[u8]) -> Result<(Object, Vec<u8>), Malformed> {
    let mut from = Decoder::new(body);
    let object = Object::parse(from.text()?);
    let bytes = from.blob()?.to_vec();
    from.finish()?;
    Ok((
        object.ok_or(Malformed::new("replaces nothing that is known"))?,
        bytes,
    ))
}

impl Repository {
    /// Whether bytes that were found elsewhere are this repository's record of that name.
    fn opens(&self, object: Object, bytes: &[u8]) -> bool {
        let keys = self.objects().keys();
        match crate::inspect::record_kinds(&object) {
            Some((kinds, name)) => kinds
                .iter()
                .any(|kind| crate::record::open(keys, *kind, name, bytes).is_ok()),
            None => {
                matches!(object, Object::Slot(_))
                    && Slot::parse(bytes).is_ok_and(|slot| slot.repository() == self.id())
            }
        }
    }
}
