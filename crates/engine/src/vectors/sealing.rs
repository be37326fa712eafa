//! Vectors of sealed segments and of the other pieces of objects.

use serde_json::{Value, json};

use super::{Same, frozen, xof};
use crate::{
    id::RepositoryId,
    keys::KeyTree,
    record,
    seal::{Kind, Part, Place, Seal},
    segment::{Codec, Decoding, Extent},
};

fn keys() -> KeyTree {
    KeyTree::new(&[0x22; 32], RepositoryId::from_bytes([0x11; 16]))
}

/// A frame as zstd wrote it when version 1 was frozen. Another encoder may find a shorter one, and
/// every decoder must take this one.
const FRAME: &str = "28b52ffd60e8025d000020616263640100e1af1c11";

/// Plain bytes, and what stands for them inside the seal.
fn contents(codec: Codec) -> (Vec<u8>, Vec<u8>) {
    match codec {
        Codec::Plain => (xof(10, 300), xof(10, 300)),
        Codec::Zstd => (b"abcd".repeat(250), hex::decode(FRAME).unwrap()),
    }
}

fn segment(kind: Kind, number: u32, offset: u32, codec: Codec) -> Value {
    let (plain, encoded) = contents(codec);
    let seal = Seal::with_salt(&keys(), kind, &[0x33; 32]);
    let extent = Extent {
        number,
        offset,
        sealed_len: u32::try_from(encoded.len() + 16).unwrap(),
        plain_len: u32::try_from(plain.len()).unwrap(),
        codec,
    };
    let mut sealed = encoded.clone();
    seal.seal(&extent.place(), &mut sealed, 0);
    let mut decoded = Vec::new();
    let mut decoding = Decoding::new().unwrap();
    decoding
        .decode(&seal, &extent, &sealed, &mut decoded)
        .unwrap();
    assert!(decoded == plain);
    json!({
        "kind": kind as u8,
        "number": number,
        "offset": offset,
        "codec": codec as u8,
        "plain": hex::encode(plain),
        "encoded": hex::encode(encoded),
        "sealed": hex::encode(sealed),
    })
}

fn piece(kind: Kind, place: &Place) -> Value {
    let plain = xof(11, place.plain_len as usize);
    let seal = Seal::with_salt(&keys(), kind, &[0x33; 32]);
    let mut sealed = plain.clone();
    seal.seal(place, &mut sealed, 0);
    let mut opened = Vec::new();
    seal.open(place, &sealed, &mut opened).unwrap();
    assert_eq!(opened, plain);
    json!({
        "kind": kind as u8,
        "part": place.part as u8,
        "number": place.number,
        "offset": place.offset,
        "name": hex::encode(place.name),
        "plain": hex::encode(plain),
        "sealed": hex::encode(sealed),
    })
}

#[test]
fn segments_and_other_pieces_are_sealed_as_in_version_1() {
    let segments = [
        segment(Kind::DataPack, 0, 92, Codec::Plain),
        segment(Kind::DataPack, 7, 70_000, Codec::Zstd),
        segment(Kind::TreePack, 0, 92, Codec::Zstd),
        segment(Kind::TreePack, u32::MAX, u32::MAX, Codec::Plain),
    ];
    let named = Place {
        name: [0x66; 16],
        ..Place::new(Part::Body, 0, 92, 40)
    };
    let pieces = [
        piece(Kind::Manifest, &named),
        piece(Kind::DataPack, &Place::new(Part::Directory, 0, 4000, 61)),
        piece(Kind::DataPack, &Place::new(Part::Padding, 0, 800, 0)),
        piece(Kind::Run, &Place::new(Part::Entries, 3, 1 << 40, 122)),
        piece(Kind::Run, &Place::new(Part::Filter, 0, 31_340, 64)),
    ];
    let record = record::seal(&keys(), Kind::Lease, &[0x66; 16], b"body", &Same(0x33));
    let made = json!({
        "cipher": 1,
        "root": hex::encode([0x22; 32]),
        "repository": hex::encode([0x11; 16]),
        "salt": hex::encode([0x33; 32]),
        "segments": segments,
        "pieces": pieces,
        "record": {
            "kind": Kind::Lease as u8,
            "name": hex::encode([0x66; 16]),
            "body": hex::encode(b"body"),
            "object": hex::encode(record),
        },
    });
    frozen("segments", &made);
}
