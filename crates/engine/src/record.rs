//! Small sealed objects with a random name: manifests, fences, leases, quarantine and
//! forgetting records.
//!
//! A record is the common header and one sealed body with its length and padding, bound to the
//! record's name, so that one record renamed to another's place does not open.
//!
//! Format: docs/format.md, "Records".

use strongroom_model::Entropy;

use crate::{
    codec::Decoder,
    error::Damage,
    keys::KeyTree,
    padding,
    seal::{HEADER_LEN, Kind, Part, Place, Seal, TAG_LEN},
};

/// Bytes that a record has on top of what is sealed.
const OVERHEAD: usize = HEADER_LEN + TAG_LEN;
/// Bytes that say how long the body is; padding follows it.
const LENGTH_LEN: usize = 4;

/// Seals `body` as the record `name`.
pub(crate) fn seal(
    keys: &KeyTree,
    kind: Kind,
    name: &[u8; 16],
    body: &[u8],
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let seal = Seal::fresh(keys, kind, entropy);
    let size = padding::padded(kind, LENGTH_LEN + body.len() + OVERHEAD);
    let mut object = Vec::with_capacity(size);
    object.extend_from_slice(seal.header());
    object.extend_from_slice(&len(body).to_le_bytes());
    object.extend_from_slice(body);
    object.resize(size - TAG_LEN, 0);
    seal.seal(&place(name, size - OVERHEAD), &mut object, HEADER_LEN);
    object
}

/// The body of the record `name`.
pub(crate) fn open(
    keys: &KeyTree,
    kind: Kind,
    name: &[u8; 16],
    object: &[u8],
) -> Result<Vec<u8>, Damage> {
    let seal = Seal::of(keys, kind, object)?;
    let mut body = Vec::new();
    let sealed = object.get(HEADER_LEN..).unwrap_or_default();
    seal.open(
        &place(name, sealed.len().saturating_sub(TAG_LEN)),
        sealed,
        &mut body,
    )?;
    let mut decoder = Decoder::new(&body);
    let len = decoder.count(1)?;
    decoder.raw(len)?;
    padding::are_zeroes(decoder.raw(decoder.remaining())?)?;
    body.truncate(LENGTH_LEN + len);
    body.drain(..LENGTH_LEN);
    Ok(body)
}

fn len(body: &[u8]) -> u32 {
    u32::try_from(body.len()).expect("a record is far shorter than 4 GiB")
}

fn place(name: &[u8; 16], plain_len: usize) -> Place {
    let plain_len = u32::try_from(plain_len).expect("a record is far shorter than 4 GiB");
    Place {
        name: *name,
        ..Place::new(Part::Body, 0, HEADER_LEN as u64, plain_len)
    }
}

#[cfg(test)]
mod tests {
    use strongroom_testkit::entropy::SeededEntropy;

    use super::*;
    use crate::id::RepositoryId;

    #[test]
    fn a_record_opens_under_its_own_name_and_kind_only() {
        let keys = KeyTree::new(&[1; 32], RepositoryId::from_bytes([1; 16]));
        let entropy = SeededEntropy::new(1);
        let object = seal(&keys, Kind::Lease, &[5; 16], b"body", &entropy);
        assert_eq!(
            open(&keys, Kind::Lease, &[5; 16], &object).unwrap(),
            b"body"
        );
        assert!(open(&keys, Kind::Lease, &[6; 16], &object).is_err());
        assert!(open(&keys, Kind::Manifest, &[5; 16], &object).is_err());
        for len in 0..object.len() {
            assert!(open(&keys, Kind::Lease, &[5; 16], &object[..len]).is_err());
        }
    }
}
