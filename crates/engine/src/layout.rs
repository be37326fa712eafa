//! Where each object of a repository lies in the store, and what to call it in messages.
//!
//! Invariant: every key the engine ever reads or writes is made here, and [`Object::parse`] is
//! the inverse of [`Object::path`].
//!
//! Format: docs/format.md, "Objects".

use std::{fmt, str::FromStr};

use strongroom_store::Key;

use crate::id::{ForgetId, ManifestId, PackId, QuarantineId, RunId};

/// One object of a repository.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// The repository's header.
    Format,
    /// A key slot: the root key, wrapped.
    Slot([u8; 16]),
    /// The mark of an act that removes a key slot.
    Removal([u8; 16], [u8; 16]),
    /// A pack.
    Pack(PackId),
    /// The parity of a pack.
    Parity(PackId),
    /// An index run.
    Run(RunId),
    /// A manifest, or the fence in its place.
    Manifest(ManifestId),
    /// The lease of the writer of that manifest.
    Lease(ManifestId),
    /// A list of packs that are about to go.
    Quarantine(QuarantineId),
    /// The leases for which a quarantine waits.
    Waits(QuarantineId),
    /// What becomes of a quarantine: lifted, or swept.
    Outcome(QuarantineId),
    /// A record that a manifest is forgotten.
    Forgotten(ManifestId, ForgetId),
    /// The last word on a forgotten manifest: brought back, or gone for good.
    Verdict(ManifestId, ForgetId),
    /// A record that takes the place of a damaged one.
    Replacement([u8; 16]),
}

/// Prefixes under which objects of one kind are listed.
pub(crate) mod prefix {
    pub(crate) const SLOTS: &str = "keys/";
    pub(crate) const PACKS: &str = "packs/";
    pub(crate) const PARITY: &str = "parity/";
    pub(crate) const RUNS: &str = "index/";
    pub(crate) const MANIFESTS: &str = "manifests/";
    pub(crate) const LEASES: &str = "leases/";
    pub(crate) const QUARANTINE: &str = "quarantine/";
    pub(crate) const FORGOTTEN: &str = "forgotten/";
    pub(crate) const REPLACEMENTS: &str = "replacements/";
}

const WAITS: &str = ".waits";
const VERDICT: &str = ".verdict";

impl Object {
    /// The object's key in the store, as text.
    pub fn path(&self) -> String {
        match self {
            Self::Format => "format".to_owned(),
            Self::Slot(name) => format!("{}{}", prefix::SLOTS, hex::encode(name)),
            Self::Removal(name, act) => {
                let (name, act) = (hex::encode(name), hex::encode(act));
                format!("{}{name}.{act}", prefix::SLOTS)
            }
            Self::Pack(id) => beside_others(prefix::PACKS, id),
            Self::Parity(id) => beside_others(prefix::PARITY, id),
            Self::Run(id) => format!("{}{id}", prefix::RUNS),
            Self::Manifest(id) => format!("{}{id}", prefix::MANIFESTS),
            Self::Lease(id) => format!("{}{id}", prefix::LEASES),
            Self::Quarantine(id) => format!("{}{id}", prefix::QUARANTINE),
            Self::Waits(id) => format!("{}{id}{WAITS}", prefix::QUARANTINE),
            Self::Outcome(id) => format!("{}{id}{VERDICT}", prefix::QUARANTINE),
            Self::Forgotten(id, act) => format!("{}{id}.{act}", prefix::FORGOTTEN),
            Self::Verdict(id, act) => format!("{}{id}.{act}{VERDICT}", prefix::FORGOTTEN),
            Self::Replacement(name) => {
                format!("{}{}", prefix::REPLACEMENTS, hex::encode(name))
            }
        }
    }

    /// The object's key in the store.
    pub fn key(&self) -> Key {
        Key::new(&self.path()).expect("names of objects are hex digits, dots and slashes")
    }

    /// The object that lies at `path`; `None` if no object of a repository does.
    pub fn parse(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        let object = match folder {
            "" => Self::Format,
            "keys" => match name.split_once('.') {
                None => Self::Slot(slot_name(name)?),
                Some((name, act)) => Self::Removal(slot_name(name)?, slot_name(act)?),
            },
            "replacements" => Self::Replacement(slot_name(name)?),
            "packs" => Self::Pack(hex_name(name.split_once('/')?.1)?),
            "parity" => Self::Parity(hex_name(name.split_once('/')?.1)?),
            "index" => Self::Run(hex_name(name)?),
            "manifests" => Self::Manifest(hex_name(name)?),
            "leases" => Self::Lease(hex_name(name)?),
            "quarantine" => match name.split_once('.') {
                None => Self::Quarantine(hex_name(name)?),
                Some((name, "waits")) => Self::Waits(hex_name(name)?),
                Some((name, _)) => Self::Outcome(hex_name(name)?),
            },
            "forgotten" => {
                let (id, act) = name.split_once('.')?;
                match act.strip_suffix(VERDICT) {
                    None => Self::Forgotten(hex_name(id)?, hex_name(act)?),
                    Some(act) => Self::Verdict(hex_name(id)?, hex_name(act)?),
                }
            }
            _ => return None,
        };
        (object.path() == path).then_some(object)
    }
}

/// The path of a pack or its parity: a folder by the first two digits keeps folders short.
fn beside_others(prefix: &str, id: &PackId) -> String {
    let name = id.to_string();
    format!("{prefix}{}/{name}", &name[..2])
}

fn slot_name(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn hex_name<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("the repository's header"),
            Self::Slot(name) => write!(f, "key slot {}", hex::encode(name)),
            Self::Removal(name, _) => write!(f, "mark on key slot {}", hex::encode(name)),
            Self::Pack(id) => write!(f, "pack {id}"),
            Self::Parity(id) => write!(f, "parity of pack {id}"),
            Self::Run(id) => write!(f, "index run {id}"),
            Self::Manifest(id) => write!(f, "manifest {id}"),
            Self::Lease(id) => write!(f, "lease {id}"),
            Self::Quarantine(id) => write!(f, "quarantine record {id}"),
            Self::Waits(id) => write!(f, "wait list of quarantine record {id}"),
            Self::Outcome(id) => write!(f, "verdict on quarantine record {id}"),
            Self::Forgotten(id, _) => write!(f, "record that manifest {id} is forgotten"),
            Self::Verdict(id, _) => write!(f, "verdict on forgotten manifest {id}"),
            Self::Replacement(name) => write!(f, "replacement record {}", hex::encode(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_found_again_by_its_path() {
        let (pack, run) = (PackId::from_bytes([0x1f; 32]), RunId::from_bytes([2; 32]));
        let (id, act) = (
            ManifestId::from_bytes([3; 16]),
            ForgetId::from_bytes([4; 16]),
        );
        let quarantine = QuarantineId::from_bytes([5; 16]);
        for object in [
            Object::Format,
            Object::Slot([9; 16]),
            Object::Removal([9; 16], [8; 16]),
            Object::Pack(pack),
            Object::Parity(pack),
            Object::Run(run),
            Object::Manifest(id),
            Object::Lease(id),
            Object::Quarantine(quarantine),
            Object::Waits(quarantine),
            Object::Outcome(quarantine),
            Object::Forgotten(id, act),
            Object::Verdict(id, act),
            Object::Replacement([6; 16]),
        ] {
            assert_eq!(Object::parse(&object.path()), Some(object));
            assert_eq!(object.key().to_string(), object.path());
        }
        assert!(Object::Pack(pack).path().starts_with("packs/1f/1f1f"));
    }

    #[test]
    fn a_path_of_any_other_form_is_no_object() {
        let pack = Object::Pack(PackId::from_bytes([0x1f; 32])).path();
        for path in [
            "",
            "formats",
            "keys/",
            "index/ab",
            "leases/zz",
            "x/y",
            "packs/1f",
            "parity/1f",
        ] {
            assert_eq!(Object::parse(path), None, "{path:?}");
        }
        assert_eq!(Object::parse(&pack.replace("1f/", "1e/")), None);
        assert_eq!(Object::parse(&pack.to_uppercase()), None);
    }
}
