//! The bodies of records, the seal around them, and the names of objects.

use std::str;

use super::keys;
use crate::{
    codec::Encoder,
    forget::decode_forgotten,
    holder::Holder,
    id::{ManifestId, QuarantineId},
    layout::Object,
    manifest::Manifest,
    quarantine::{self, Quarantine},
    record,
    repair::records::decode_replacement,
    seal::Kind,
};

pub(super) fn manifest(data: &[u8]) -> bool {
    Manifest::decode(ManifestId::from_bytes([1; 16]), data)
        .map(|manifest| assert_eq!(manifest.encode(), data))
        .is_ok()
}

pub(super) fn lease(data: &[u8]) -> bool {
    Holder::decode(data)
        .map(|holder| assert_eq!(holder.encode(), data))
        .is_ok()
}

pub(super) fn quarantine(data: &[u8]) -> bool {
    Quarantine::decode(QuarantineId::from_bytes([1; 16]), data)
        .map(|quarantine| assert_eq!(quarantine.encode(), data))
        .is_ok()
}

pub(super) fn waits(data: &[u8]) -> bool {
    quarantine::decode_waits(data)
        .map(|leases| {
            let mut again = Encoder::default();
            again.count(leases.len());
            for lease in leases {
                again.raw(lease.as_bytes());
            }
            assert_eq!(again.finish(), data);
        })
        .is_ok()
}

pub(super) fn forgotten(data: &[u8]) -> bool {
    decode_forgotten(data)
        .map(|id| assert_eq!(id.as_bytes(), data))
        .is_ok()
}

pub(super) fn replacement(data: &[u8]) -> bool {
    decode_replacement(data)
        .map(|(object, bytes)| {
            let mut again = Encoder::default();
            again.text(&object.path()).blob(&bytes);
            assert_eq!(again.finish(), data);
        })
        .is_ok()
}

/// The whole object, as each kind of record.
pub(super) fn record(data: &[u8]) -> bool {
    let keys = keys();
    [
        Kind::Manifest,
        Kind::Fence,
        Kind::Lease,
        Kind::Quarantine,
        Kind::Waits,
        Kind::Forgotten,
        Kind::Verdict,
        Kind::Replacement,
        Kind::Removal,
    ]
    .into_iter()
    .any(|kind| record::open(&keys, kind, &[0x66; 16], data).is_ok())
}

pub(super) fn layout(data: &[u8]) -> bool {
    str::from_utf8(data)
        .ok()
        .and_then(Object::parse)
        .map(|object| assert_eq!(object.path().as_bytes(), data))
        .is_some()
}
