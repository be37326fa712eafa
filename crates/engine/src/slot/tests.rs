//! Tests of `slot`.

use strongroom_testkit::entropy::SeededEntropy;

use super::*;

const CHEAP: PassphraseCost = PassphraseCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};
const ROOT: [u8; 32] = [9; 32];

fn slot(unlock: &Unlock) -> Vec<u8> {
    let repository = RepositoryId::from_bytes([1; 16]);
    Slot::wrap(&ROOT, repository, unlock, CHEAP, &SeededEntropy::new(1)).unwrap()
}

fn opens(object: &[u8], unlock: &Unlock) -> bool {
    Slot::parse(object).is_ok_and(|slot| slot.unwrap(unlock).is_some_and(|root| *root == ROOT))
}

#[test]
fn a_slot_opens_with_its_own_key_only() {
    let (key, other) = (Unlock::Key([1; 32]), Unlock::Key([2; 32]));
    let words = Unlock::Passphrase(Passphrase::new("correct horse"));
    let wrong = Unlock::Passphrase(Passphrase::new("correct horse "));
    assert!(opens(&slot(&key), &key));
    assert!(opens(&slot(&words), &words));
    assert!(!opens(&slot(&key), &other));
    assert!(!opens(&slot(&key), &words));
    assert!(!opens(&slot(&words), &key));
    assert!(!opens(&slot(&words), &wrong));
}

#[test]
fn every_flipped_bit_and_every_other_length_of_a_slot_is_refused() {
    let key = Unlock::Key([1; 32]);
    let object = slot(&key);
    assert_eq!(object.len(), SLOT_LEN);
    for bit in 0..object.len() * 8 {
        let mut bad = object.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!opens(&bad, &key), "bit {bit}");
    }
    for len in 0..object.len() {
        assert!(Slot::parse(&object[..len]).is_err());
    }
    assert!(Slot::parse(&[object.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn fields_that_a_way_does_not_use_must_be_zero() {
    let key = slot(&Unlock::Key([1; 32]));
    let words = slot(&Unlock::Passphrase(Passphrase::new("x")));
    // After magic, version, kind, way, repository and salt: the key's id, then the cost.
    let (id, cost) = (60..76, 76..88);
    for (object, unused) in [(key, cost), (words, id)] {
        for at in unused {
            let mut bad = object.clone();
            bad[at] = 1;
            let refused = Slot::parse(&bad).err();
            let reserved = Malformed::new("reserved fields are not zero").into();
            assert_eq!(refused, Some(reserved), "byte {at}");
        }
    }
}

#[test]
fn a_slot_cannot_ask_for_more_memory_than_allowed() {
    let words = Unlock::Passphrase(Passphrase::new("x"));
    let mut object = slot(&words);
    object[76..80].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Slot::parse(&object).unwrap().unwrap(&words).is_none());
}

#[test]
fn a_slot_of_an_unknown_kind_is_left_alone() {
    let key = Unlock::Key([1; 32]);
    let mut object = slot(&key);
    object[11] = 99;
    assert!(Slot::parse(&object).unwrap().unwrap(&key).is_none());
}

#[test]
fn secrets_are_never_printed() {
    let words = Unlock::Passphrase(Passphrase::new("hunter2"));
    assert!(!format!("{words:?} {:?}", Passphrase::new("hunter2")).contains("hunter"));
    assert!(!format!("{:?}", Unlock::Key([7; 32])).contains('7'));
}
