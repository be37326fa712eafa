//! Keys of a repository: added, removed, rotated, never all at once.

use std::thread;

use strongroom_engine::{
    Error, Passphrase, PassphraseCost, Repository, Unlock,
    slots::{OwnSlot, SlotName},
};
use strongroom_store::Store;

use crate::scene::{KEY, create, entropy, keys, memory, open};

const OTHER: [u8; 32] = [0x77; 32];
const COST: PassphraseCost = PassphraseCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn add(repository: &Repository, unlock: &Unlock, seed: u64) -> SlotName {
    repository
        .add_unlock(unlock, COST, &*entropy(seed))
        .unwrap()
}

fn own(repository: &Repository) -> SlotName {
    let slots = repository.slots().unwrap();
    slots.iter().find(|slot| slot.in_use).unwrap().name
}

fn opens(store: &Store, unlock: &Unlock) -> bool {
    match Repository::open(store.clone(), unlock) {
        Ok(_) => true,
        Err(Error::WrongKey { .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn keys_are_rotated_by_adding_one_and_removing_the_other() {
    let store = memory();
    let repository = create(&store);
    let before = own(&repository);
    let after = add(&repository, &Unlock::Key(OTHER), 2);
    let rotated = Repository::open(store.clone(), &Unlock::Key(OTHER)).unwrap();
    assert_eq!(own(&rotated), after);
    rotated
        .remove_slot(before, OwnSlot::Stays, &*entropy(3))
        .unwrap();
    assert!(!opens(&store, &Unlock::Key(KEY)));
    assert!(opens(&store, &Unlock::Key(OTHER)));
    assert_eq!(keys(&store, "keys/").len(), 1, "no mark is left");
}

#[test]
fn a_passphrase_opens_beside_a_key_and_a_wrong_one_does_not() {
    let store = memory();
    let unlock = |text: &str| Unlock::Passphrase(Passphrase::new(text));
    let slot = add(&create(&store), &unlock("right"), 2);
    assert!(opens(&store, &unlock("right")));
    assert!(!opens(&store, &unlock("wrong")));
    let repository = open(&store);
    repository
        .remove_slot(slot, OwnSlot::Stays, &*entropy(3))
        .unwrap();
    assert!(!opens(&store, &unlock("right")));
    assert!(matches!(
        repository.remove_slot(slot, OwnSlot::Stays, &*entropy(4)),
        Err(Error::SlotMissing { .. })
    ));
}

#[test]
fn ones_own_slot_goes_only_when_asked_twice_and_the_last_never() {
    let store = memory();
    let repository = create(&store);
    let mine = own(&repository);
    let remove = |own| repository.remove_slot(mine, own, &*entropy(3));
    assert!(matches!(
        remove(OwnSlot::Stays),
        Err(Error::SlotInUse { .. })
    ));
    assert!(matches!(
        remove(OwnSlot::MayGo),
        Err(Error::LastSlot { .. })
    ));
    assert_eq!(keys(&store, "keys/").len(), 1, "no mark is left");
    add(&repository, &Unlock::Key(OTHER), 4);
    remove(OwnSlot::MayGo).unwrap();
    assert!(!opens(&store, &Unlock::Key(KEY)));
    assert!(opens(&store, &Unlock::Key(OTHER)));
}

#[test]
fn two_who_add_at_once_both_get_in() {
    let store = memory();
    create(&store);
    thread::scope(|scope| {
        for n in 1..=2 {
            let repository = open(&store);
            scope.spawn(move || add(&repository, &Unlock::Key([n; 32]), u64::from(n) + 10));
        }
    });
    assert!(opens(&store, &Unlock::Key([1; 32])));
    assert!(opens(&store, &Unlock::Key([2; 32])));
    assert_eq!(open(&store).slots().unwrap().len(), 3);
}

#[test]
fn two_who_remove_each_others_slot_never_remove_both() {
    for round in 0..50 {
        let store = memory();
        let first = create(&store);
        let theirs = add(&first, &Unlock::Key(OTHER), 2);
        let second = Repository::open(store.clone(), &Unlock::Key(OTHER)).unwrap();
        let mine = own(&first);
        thread::scope(|scope| {
            scope.spawn(|| first.remove_slot(theirs, OwnSlot::Stays, &*entropy(3)));
            scope.spawn(|| second.remove_slot(mine, OwnSlot::Stays, &*entropy(4)));
        });
        let left = first.slots().unwrap().len();
        assert!(left >= 1, "round {round}");
    }
}
