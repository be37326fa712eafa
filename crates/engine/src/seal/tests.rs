//! Tests of `seal`.

use strongroom_testkit::entropy::SeededEntropy;

use super::*;

fn keys(root: u8, repository: u8) -> KeyTree {
    KeyTree::new(&[root; 32], RepositoryId::from_bytes([repository; 16]))
}

fn sealed(seal: &Seal, place: &Place, plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    seal.seal(place, &mut buffer, 0);
    buffer
}

#[test]
fn what_was_sealed_opens_at_its_place_and_nowhere_else() {
    let keys = keys(1, 1);
    let seal = Seal::fresh(&keys, Kind::DataPack, &SeededEntropy::new(1));
    let place = Place::new(Part::Segment, 3, 700, 5);
    let bytes = sealed(&seal, &place, b"plain");
    let mut out = Vec::new();
    seal.open(&place, &bytes, &mut out).unwrap();
    assert_eq!(out, b"plain");

    let elsewhere = [
        Place {
            part: Part::Directory,
            ..place
        },
        Place { number: 4, ..place },
        Place {
            offset: 701,
            ..place
        },
        Place {
            plain_len: 6,
            ..place
        },
        Place { codec: 1, ..place },
        Place {
            name: [1; 16],
            ..place
        },
    ];
    for other in elsewhere {
        assert_eq!(
            seal.open(&other, &bytes, &mut out),
            Err(Damage::Altered { at: other.offset }),
            "{other:?}"
        );
        assert!(
            out.is_empty(),
            "nothing unauthenticated is left in the buffer"
        );
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let seal = Seal::fresh(&keys(1, 1), Kind::Run, &SeededEntropy::new(2));
    let place = Place::new(Part::Entries, 0, 92, 9);
    let bytes = sealed(&seal, &place, b"some text");
    let mut out = Vec::new();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(seal.open(&place, &bad, &mut out).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(
            seal.open(&place, &bytes[..len], &mut out).is_err(),
            "{len} bytes"
        );
    }
}

#[test]
fn a_header_says_what_is_wrong_with_it() {
    let ours = keys(1, 1);
    let seal = Seal::fresh(&ours, Kind::TreePack, &SeededEntropy::new(3));
    let header = *seal.header();
    assert!(Seal::of(&ours, Kind::TreePack, &header).is_ok());

    let error = |keys: &KeyTree, kind, bytes: &[u8]| Seal::of(keys, kind, bytes).err().unwrap();
    assert_eq!(
        error(&keys(2, 1), Kind::TreePack, &header),
        Damage::WrongKey
    );
    assert_eq!(
        error(&keys(1, 2), Kind::TreePack, &header),
        Damage::Foreign {
            found: RepositoryId::from_bytes([1; 16])
        }
    );
    assert_eq!(
        error(&ours, Kind::DataPack, &header),
        Damage::WrongKind {
            expected: 1,
            found: 2
        }
    );
    assert_eq!(
        error(&ours, Kind::TreePack, &header[..91]),
        Damage::Truncated {
            expected: 92,
            found: 91
        }
    );
    let with = |at: usize, value: u8| {
        let mut bad = header;
        bad[at] = value;
        error(&ours, Kind::TreePack, &bad)
    };
    assert_eq!(with(8, 2), Damage::TooNew { found: 2, known: 1 });
    assert_eq!(
        with(11, 9),
        Damage::UnknownAlgorithm {
            what: "cipher",
            found: 9
        }
    );
    for bit in 0..header.len() * 8 {
        let mut bad = header;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(Seal::of(&ours, Kind::TreePack, &bad).is_err(), "bit {bit}");
    }
}

#[test]
fn the_salt_alone_yields_the_same_seal() {
    let keys = keys(1, 1);
    let seal = Seal::fresh(&keys, Kind::DataPack, &SeededEntropy::new(4));
    let again = Seal::with_salt(&keys, Kind::DataPack, &seal.salt());
    assert_eq!(seal.header(), again.header());
}
