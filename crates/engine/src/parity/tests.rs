//! Parity heals what it promises, says so when it cannot, and never makes anything up.

use proptest::prelude::*;
use strongroom_testkit::dice::Dice;

use super::*;

const REPOSITORY: RepositoryId = RepositoryId::from_bytes([1; 16]);

/// A pack's name and bytes; to parity they are any bytes.
fn pack(seed: u64, len: usize) -> (PackId, Vec<u8>) {
    let bytes = Dice::new(seed).bytes(len);
    (PackId::from_bytes(*blake3::hash(&bytes).as_bytes()), bytes)
}

/// Different shards of `shape`, chosen by `dice`.
fn choose(dice: &mut Dice, from: usize, count: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..from).collect();
    (0..count)
        .map(|_| left.swap_remove(usize::try_from(dice.below(left.len() as u64)).unwrap()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_m_bad_shards_heal_and_one_more_is_refused(
        seed: u64,
        len in 1_usize..60_000,
        percent in 1_u8..=100,
    ) {
        let (id, whole) = pack(seed, len);
        let object = build(REPOSITORY, id, &whole, percent);
        prop_assert_eq!(check(id, &object), Ok(()));
        let shape = Shape::plan(len, percent);
        let mut dice = Dice::new(seed);
        // Bad ones of both kinds: a bad parity shard heals nothing, and is not trusted.
        let bad_parity = usize::try_from(dice.below(shape.parity as u64 + 1)).unwrap();
        let sound = shape.parity - bad_parity;
        for bad_data in [sound.min(shape.data), sound + 1] {
            if bad_data > shape.data {
                continue;
            }
            let (mut damaged, mut parity) = (whole.clone(), object.clone());
            let mut bad = choose(&mut dice, shape.data, bad_data);
            bad.sort_unstable();
            for i in &bad {
                let start = i * shape.shard_len;
                let inside = dice.below((shape.shard_len.min(len - start)) as u64);
                damaged[start + usize::try_from(inside).unwrap()] ^= 1 << dice.below(8);
            }
            for j in choose(&mut dice, shape.parity, bad_parity) {
                parity[shape.table_len() + j * shape.shard_len] ^= 1;
            }
            let healed = heal(id, &damaged, &parity);
            if bad_data <= sound {
                let healed = healed.unwrap();
                prop_assert_eq!(&healed.bytes, &whole);
                let starts: Vec<_> = healed.ranges.iter().map(|range| range.start).collect();
                let wanted: Vec<_> = bad.iter().map(|i| (i * shape.shard_len) as u64).collect();
                prop_assert_eq!(starts, wanted);
            } else {
                let beyond = Damage::BeyondParity { bad: bad_data, healable: sound };
                prop_assert_eq!(healed, Err(beyond));
            }
        }
    }

    #[test]
    fn healing_takes_any_bytes_for_pack_and_parity(
        damaged in proptest::collection::vec(any::<u8>(), 0..300),
        parity in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert!(heal(PackId::from_bytes([7; 32]), &damaged, &parity).is_err());
    }
}

#[test]
fn a_pack_that_is_cut_or_longer_or_of_other_bytes_heals_if_enough_of_it_stands() {
    let (id, whole) = pack(1, 50_000);
    let object = build(REPOSITORY, id, &whole, 10);
    let heals = |damaged: &[u8]| heal(id, damaged, &object).map(|healed| healed.bytes);
    assert_eq!(heals(&whole[..47_000]), Ok(whole.clone()));
    assert_eq!(
        heals(&[whole.as_slice(), &[0; 99]].concat()),
        Ok(whole.clone())
    );
    assert!(matches!(heals(&[]), Err(Damage::BeyondParity { .. })));
    // A byte that is gone shifts all that follows.
    assert!(matches!(
        heals(&whole[1..]),
        Err(Damage::BeyondParity { .. })
    ));
    assert_eq!(heals(&whole[..49_000]), Ok(whole));
}

#[test]
fn full_parity_heals_a_pack_that_is_gone() {
    let (id, whole) = pack(2, 20_000);
    let object = build(REPOSITORY, id, &whole, 100);
    assert_eq!(heal(id, &[], &object).unwrap().bytes, whole);
}

#[test]
fn one_rotten_place_of_the_parity_object_does_not_keep_it_from_healing() {
    let (id, whole) = pack(3, 9_000);
    let object = build(REPOSITORY, id, &whole, 30);
    let mut damaged = whole.clone();
    damaged[8_500] ^= 1;
    for at in 0..object.len() {
        let mut parity = object.clone();
        parity[at] ^= 0x10;
        assert!(check(id, &parity).is_err(), "byte {at}");
        assert_eq!(
            heal(id, &damaged, &parity).unwrap().bytes,
            whole,
            "byte {at}"
        );
    }
    let first_shard = Shape::plan(whole.len(), 30).table_len() + SHARD_LEN_MIN;
    for len in (0..object.len()).step_by(7) {
        let healed = heal(id, &damaged, &object[..len]);
        assert!(check(id, &object[..len]).is_err());
        assert_eq!(healed.is_ok(), len >= first_shard, "cut to {len} bytes");
    }
}

#[test]
fn the_parity_of_another_pack_is_refused() {
    let ((a, bytes), (b, others)) = (pack(4, 5_000), pack(5, 5_000));
    let parity = build(REPOSITORY, b, &others, 20);
    assert_eq!(heal(a, &bytes, &parity), Err(Damage::WrongName));
    assert_eq!(check(a, &parity), Err(Damage::WrongName));
    // Made for it by somebody who lies: what is healed must hash to the name.
    let forged = build(REPOSITORY, a, &others, 20);
    assert_eq!(heal(a, &others, &forged), Err(Damage::WrongName));
}

#[test]
fn a_newer_version_and_an_unknown_code_are_named() {
    let (id, whole) = pack(6, 100);
    let object = build(REPOSITORY, id, &whole, 10);
    let with = |at: usize, value: u8| {
        let mut bad = object.clone();
        bad[at] = value;
        Table::decode(&bad).unwrap_err()
    };
    assert_eq!(with(8, 7), Damage::TooNew { found: 7, known: 1 });
    let what = "parity code";
    assert_eq!(with(11, 2), Damage::UnknownAlgorithm { what, found: 2 });
}

#[test]
fn shapes_keep_their_promises() {
    for (size, percent, data, parity) in [
        (1, 1, 1, 1),
        (1_025, 1, 2, 2),
        (50_000, 10, 49, 5),
        (16 << 20, 10, 100, 10),
        (64 << 20, 100, 100, 100),
    ] {
        let shape = Shape::plan(size, percent);
        assert_eq!(
            (shape.data, shape.parity),
            (data, parity),
            "{size} {percent}"
        );
        assert_eq!(shape.check(), Ok(shape));
    }
}
