//! Parity in a repository: stored with every pack, heals it, goes with it.

use strongroom_engine::{
    CreateOptions, Damage, Error, ManifestId, PackId, Repository, Unlock,
    collect::{CollectOptions, collect},
    layout::Object,
    parity,
    tree::Progress,
};
use strongroom_store::Store;

use crate::scene::{KEY, alter, entropy, keys, memory, save, small};

fn protected() -> (Store, Repository, ManifestId) {
    let options = CreateOptions {
        parity_percent: 10,
        ..small()
    };
    let store = memory();
    let repository =
        Repository::create(store.clone(), &Unlock::Key(KEY), options, &*entropy(1)).unwrap();
    let id = save(&repository, 2, 0..40).unwrap();
    (store, repository, id)
}

fn packs(repository: &Repository) -> Vec<PackId> {
    let mut packs = Vec::new();
    repository.packs(&mut |id, _| packs.push(id)).unwrap();
    packs
}

#[test]
fn every_pack_has_parity_that_heals_it_without_a_key() {
    let (store, repository, _) = protected();
    let packs = packs(&repository);
    assert_eq!(keys(&store, "parity/").len(), packs.len());
    for id in packs {
        let whole = repository.pack_bytes(id).unwrap();
        let object = repository.parity(id).unwrap().unwrap();
        parity::check(id, &object).unwrap();
        let mut damaged = whole.to_vec();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x40;
        assert_eq!(parity::heal(id, &damaged, &object).unwrap().bytes, whole);
        assert_eq!(repository.heal_pack(id, &damaged).unwrap().bytes, whole);
        // A pack of one shard or two is as good as mirrored.
        match repository.heal_pack(id, &[]) {
            Ok(healed) => assert!(whole.len() <= 2048 && healed.bytes == whole),
            Err(Error::Damaged { object, damage }) => {
                assert_eq!(object, Object::Pack(id));
                assert!(matches!(damage, Damage::BeyondParity { .. }));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn parity_that_rotted_or_is_gone_is_made_anew_from_a_whole_pack_only() {
    let (store, repository, _) = protected();
    let id = packs(&repository)[0];
    let whole = repository.pack_bytes(id).unwrap();
    let first = repository.parity(id).unwrap().unwrap();
    assert!(!repository.renew_parity(id, &whole).unwrap());
    alter(&store, &Object::Parity(id).key(), |bytes| bytes[300] ^= 1);
    assert!(repository.renew_parity(id, &whole[1..]).is_err());
    assert!(repository.renew_parity(id, &whole).unwrap());
    assert_eq!(repository.parity(id).unwrap().unwrap(), first);
    repository.remove(Object::Parity(id)).unwrap();
    assert!(repository.renew_parity(id, &whole).unwrap());
    assert_eq!(repository.parity(id).unwrap().unwrap(), first);
}

#[test]
fn parity_goes_with_its_pack() {
    let (store, repository, id) = protected();
    let before = keys(&store, "parity/").len();
    assert!(before > 0);
    repository.forget(&id, &*entropy(3)).unwrap();
    let options = CollectOptions::default();
    for seed in 4..8 {
        collect(&repository, &options, &Progress::default(), &entropy(seed)).unwrap();
    }
    assert_eq!(keys(&store, "packs/").len(), 0);
    assert_eq!(keys(&store, "parity/").len(), 0);
}
