//! Headers, slots, packs, index runs, parity: what is parsed before or while it is authenticated.

use super::keys;
use crate::codec::Encoder;
use crate::{
    error::Damage,
    header::Header,
    id::{ChunkId, PackId},
    index::{self, ENTRY_LEN, Entry},
    pack::{self, PackView, Scratch},
    parity,
    seal::{Kind, Seal},
    segment::{Codec, Decoding, Extent, SEGMENT_MAX},
    slot::{Slot, SlotWay, Unlock},
};

pub(super) fn header(data: &[u8]) -> bool {
    let Ok(header) = Header::parse(data) else {
        return false;
    };
    assert!(header.sizes.are_sane());
    let authentic = Header::verify(data, &keys()).is_ok();
    assert!(!authentic || header.encode(&keys()) == data);
    authentic
}

pub(super) fn slot(data: &[u8]) -> bool {
    let Ok(slot) = Slot::parse(data) else {
        return false;
    };
    // Passphrases would cost what the input asks for, which is bounded and still far too slow.
    matches!(slot.way(), SlotWay::Key { .. }) && slot.unwrap(&Unlock::Key([0x55; 32])).is_some()
}

/// Takes an object apart as repair does, whose name need not match.
pub(super) fn pack(data: &[u8]) -> bool {
    let keys = keys();
    let id = PackId::from_bytes(*blake3::hash(data).as_bytes());
    let Ok(view) = PackView::open_unnamed(&keys, id, data) else {
        assert!(PackView::open(&keys, id, data).is_err());
        return false;
    };
    let mut scratch = Scratch::new().expect("memory for a decoder");
    let mut whole = true;
    for segment in view.directory().segments() {
        view.decode_with(&mut scratch, segment.number(), &mut |_, chunk| {
            whole &= chunk.is_ok();
        });
    }
    whole && PackView::open(&keys, id, data).is_ok()
}

pub(super) fn pack_directory(data: &[u8]) -> bool {
    let Ok(segments) = pack::decode_directory(data, u64::MAX) else {
        return false;
    };
    assert_eq!(pack::encode_directory(&segments), data);
    true
}

/// The first five bytes say what follows: the length when decoded and the codec. They are sealed
/// here, for what is tested lies behind the seal.
pub(super) fn segment(data: &[u8]) -> bool {
    let Some((len, rest)) = data.split_first_chunk::<4>() else {
        return false;
    };
    let Some((codec, encoded)) = rest.split_first() else {
        return false;
    };
    let Ok(codec) = Codec::parse(*codec) else {
        return false;
    };
    let seal = Seal::with_salt(&keys(), Kind::DataPack, &[0x33; 32]);
    let mut sealed = encoded.to_vec();
    let extent = Extent {
        number: 0,
        offset: 92,
        sealed_len: u32::try_from(sealed.len() + 16).unwrap_or(u32::MAX),
        plain_len: u32::from_le_bytes(*len),
        codec,
    };
    if extent.check().is_err() {
        return false;
    }
    seal.seal(&extent.place(), &mut sealed, 0);
    let mut decoding = Decoding::new().expect("memory for a decoder");
    let mut out = Vec::new();
    match decoding.decode(&seal, &extent, &sealed, &mut out) {
        Ok(()) => {
            assert_eq!(out.len(), extent.plain_len as usize);
            true
        }
        Err(damage) => {
            assert_eq!(damage, Damage::Undecodable);
            assert!(
                out.capacity() <= 2 * SEGMENT_MAX,
                "a length is not believed"
            );
            false
        }
    }
}

pub(super) fn index_directory(data: &[u8]) -> bool {
    match index::directory_round_trip(data) {
        Ok((again, end)) => {
            assert_eq!(again, data);
            assert!(end > 92);
            true
        }
        Err(_) => false,
    }
}

pub(super) fn index_page(data: &[u8]) -> bool {
    let (entries, rest) = data.as_chunks::<ENTRY_LEN>();
    let mut all = rest.is_empty() && !entries.is_empty();
    for bytes in entries {
        match Entry::decode(bytes) {
            Ok(entry) => {
                let mut again = Encoder::default();
                entry.encode(&mut again);
                assert_eq!(again.finish(), bytes);
            }
            Err(_) => all = false,
        }
    }
    all
}

/// The first 32 bytes are the chunk that is asked for.
pub(super) fn index_filter(data: &[u8]) -> bool {
    data.split_first_chunk::<32>()
        .is_some_and(|(id, filter)| index::may_contain(filter, &ChunkId::from_bytes(*id)))
}

/// Two bytes say how many belong to the pack; the rest is the parity object, which names the pack
/// that is asked for.
pub(super) fn parity(data: &[u8]) -> bool {
    let Some((len, rest)) = data.split_first_chunk::<2>() else {
        return false;
    };
    let (pack, object) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
    let Some(id) = object.get(28..60).and_then(|id| id.first_chunk::<32>()) else {
        return false;
    };
    let id = PackId::from_bytes(*id);
    let sound = parity::check(id, object).is_ok();
    match parity::heal(id, pack, object) {
        Ok(healed) => {
            assert_eq!(blake3::hash(&healed.bytes).as_bytes(), id.as_bytes());
            sound
        }
        Err(_) => false,
    }
}
