//! Writers against collectors: fences, quarantine, and the race that lost data elsewhere.

use std::sync::Arc;

use strongroom_engine::{
    Error, ManifestId, PackId, QuarantineId, Repository, Stream,
    layout::Object,
    quarantine::{Quarantine, Reason},
};
use strongroom_store::{
    Operation, Store,
    fault::{Fault, Faults, Rule},
};

use crate::scene::*;

fn all_packs(repository: &Repository) -> Vec<PackId> {
    let mut packs = Vec::new();
    repository.packs(&mut |id, _| packs.push(id)).unwrap();
    packs
}

/// Packs in which a live manifest has a chunk.
fn reachable(repository: &Repository) -> Vec<PackId> {
    let mut packs = Vec::new();
    for id in repository.manifests().unwrap() {
        let root = repository.manifest(&id).unwrap().body.root;
        packs.extend(repository.packs_of(&root).unwrap());
        let list = repository.reader().read(Stream::Tree, &root).unwrap();
        for id in list.as_chunks::<32>().0 {
            let id = strongroom_engine::ChunkId::from_bytes(*id);
            packs.extend(repository.packs_of(&id).unwrap());
        }
    }
    packs
}

/// First half of a collection: condemns what no manifest reaches, notes whom to wait for.
fn condemn(store: &Store) -> (Quarantine, Vec<ManifestId>) {
    let repository = open(store);
    let live = reachable(&repository);
    let mut dead = all_packs(&repository);
    dead.retain(|pack| !live.contains(pack));
    let quarantine = repository
        .quarantine(Reason::Unreachable, dead, &*entropy(70))
        .unwrap();
    let waits = repository.note_waits(quarantine.id, &*entropy(71)).unwrap();
    (quarantine, waits)
}

/// Second half: everybody waited for is gone, so look again and remove what is still dead.
fn sweep(store: &Store, quarantine: &Quarantine, waits: &[ManifestId]) {
    let repository = open(store);
    let leases = repository.lease_names().unwrap();
    assert!(
        waits.iter().all(|lease| !leases.contains(lease)),
        "the sweep came too early"
    );
    let live = reachable(&repository);
    let dead: Vec<_> = quarantine
        .packs
        .iter()
        .copied()
        .filter(|pack| !live.contains(pack))
        .collect();
    let (_, replaced) = repository
        .merge_runs(&|pack| !dead.contains(pack), &*entropy(72))
        .unwrap();
    for run in replaced {
        repository.remove(Object::Run(run)).unwrap();
    }
    for pack in dead {
        repository.remove(Object::Pack(pack)).unwrap();
    }
    repository.lift(quarantine.id).unwrap();
}

#[test]
fn a_fenced_writer_cannot_commit_and_a_committed_one_cannot_be_fenced() {
    let store = memory();
    let repository = create(&store);
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let root = put(&writer, 0..20).unwrap();
    let lease = repository.leases().unwrap().remove(0);
    assert_eq!(lease.id, writer.id());
    assert_eq!(lease.holder.unwrap().host, "test");
    let by = QuarantineId::from_bytes([7; 16]);
    open(&store).fence(&writer.id(), by, &*entropy(3)).unwrap();
    open(&store).fence(&writer.id(), by, &*entropy(4)).unwrap();
    let id = writer.id();
    assert!(matches!(writer.commit(body(root)), Err(Error::Fenced { id: fenced }) if fenced == id));
    assert!(repository.manifests().unwrap().is_empty());
    assert!(matches!(
        repository.manifest(&id),
        Err(Error::ManifestMissing { .. })
    ));

    let id = save(&repository, 5, 0..20).unwrap();
    let fenced = repository.fence(&id, by, &*entropy(6));
    assert!(matches!(fenced, Err(Error::Committed { .. })));
    assert_restores(&repository, &id, 0..20);
}

#[test]
fn a_fence_that_comes_just_before_the_commit_wins() {
    let store = memory();
    create(&store);
    let faults = Faults::new();
    let repository = open(&faults.wrap(&store));
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let root = put(&writer, 0..20).unwrap();
    let (collector, id) = (open(&store), writer.id());
    let fence = move || {
        collector
            .fence(&id, QuarantineId::from_bytes([7; 16]), &*entropy(3))
            .unwrap();
    };
    let rule = Rule::on(Operation::CreateNew).under("manifests/").nth(1);
    faults.add(rule, Fault::Before(Arc::new(fence)));
    assert!(matches!(
        writer.commit(body(root)),
        Err(Error::Fenced { .. })
    ));
    assert!(open(&store).manifests().unwrap().is_empty());
}

#[test]
fn a_writer_that_starts_in_quarantine_stores_its_chunks_anew() {
    let store = memory();
    let repository = create(&store);
    let first = save(&repository, 2, 0..50).unwrap();
    repository.forget(&first, &*entropy(3)).unwrap();
    let (quarantine, waits) = condemn(&store);
    assert!(waits.is_empty());
    let second = save(&repository, 4, 0..50).unwrap();
    let manifest = repository.manifest(&second).unwrap();
    assert!(
        manifest.unique_bytes > 0,
        "nothing in quarantine is relied on"
    );
    sweep(&store, &quarantine, &waits);
    assert_restores(&open(&store), &second, 0..50);
    assert_restores(&repository, &second, 0..50);
}

#[test]
fn packs_that_are_quarantined_while_a_writer_runs_are_written_anew() {
    let store = memory();
    let repository = create(&store);
    let first = save(&repository, 2, 0..50).unwrap();
    let writer = repository.writer(options(), entropy(3)).unwrap();
    let root = put(&writer, 0..50).unwrap();
    assert_eq!(writer.counts().new_chunks, 0);
    repository.forget(&first, &*entropy(4)).unwrap();
    let (quarantine, waits) = condemn(&store);
    assert_eq!(waits, [writer.id()]);
    assert!(!quarantine.packs.is_empty());
    let second = writer.commit(body(root)).unwrap();
    sweep(&store, &quarantine, &waits);
    assert_restores(&open(&store), &second, 0..50);
}

#[test]
fn a_writer_whose_packs_vanish_under_it_fails_before_the_commit() {
    let store = memory();
    let repository = create(&store);
    save(&repository, 2, 0..50).unwrap();
    let writer = repository.writer(options(), entropy(3)).unwrap();
    let root = put(&writer, 0..50).unwrap();
    // A collector that keeps no rules: condemned and removed at once.
    let packs = all_packs(&repository);
    repository
        .quarantine(Reason::Damaged, packs.clone(), &*entropy(4))
        .unwrap();
    for pack in packs {
        repository.remove(Object::Pack(pack)).unwrap();
    }
    assert!(matches!(
        writer.commit(body(root)),
        Err(Error::Quarantined { .. })
    ));
    assert_eq!(repository.manifests().unwrap().len(), 1);
}

/// PBS PSA-2025-00019-1: the mark phase lists the old manifests, a new one is built on the oldest,
/// the oldest is pruned before its turn, and the chunks of both are swept. Here at every call of
/// the new writer.
#[test]
fn a_manifest_built_on_one_that_is_forgotten_and_collected_meanwhile_is_whole() {
    let calls = {
        let store = memory();
        save(&create(&store), 2, 0..50).unwrap();
        let faults = Faults::new();
        let repository = open(&faults.wrap(&store));
        save(&repository, 3, 0..60).unwrap();
        faults.calls()
    };
    for call in 1..=calls {
        let store = memory();
        let first = save(&create(&store), 2, 0..50).unwrap();
        let faults = Faults::new();
        let repository = open(&faults.wrap(&store));
        let condemned = Arc::new(std::sync::Mutex::new(None));
        let (inner, slot) = (store.clone(), Arc::clone(&condemned));
        let collect = move || {
            open(&inner).forget(&first, &*entropy(9)).unwrap();
            *slot.lock().unwrap() = Some(condemn(&inner));
        };
        faults.add(Rule::call(call), Fault::Before(Arc::new(collect)));
        let second = save(&repository, 3, 0..60).unwrap();
        if let Some((quarantine, waits)) = condemned.lock().unwrap().take() {
            sweep(&store, &quarantine, &waits);
        }
        assert_restores(&open(&store), &second, 0..60);
    }
}

#[test]
fn what_a_collection_waits_for_is_noted_once() {
    let store = memory();
    let repository = create(&store);
    let first = repository.writer(options(), entropy(2)).unwrap();
    let quarantine = repository
        .quarantine(Reason::Repacked, Vec::new(), &*entropy(3))
        .unwrap();
    let waits = repository.note_waits(quarantine.id, &*entropy(4)).unwrap();
    assert_eq!(waits, [first.id()]);
    let second = repository.writer(options(), entropy(5)).unwrap();
    first.abandon();
    assert_eq!(
        repository.note_waits(quarantine.id, &*entropy(6)).unwrap(),
        waits
    );
    assert_eq!(
        repository.quarantines().unwrap(),
        std::slice::from_ref(&quarantine)
    );
    repository.lift(quarantine.id).unwrap();
    assert!(repository.quarantines().unwrap().is_empty());
    second.abandon();
}

#[test]
fn a_quarantine_that_cannot_be_read_stops_writers() {
    let store = memory();
    let repository = create(&store);
    let quarantine = repository
        .quarantine(Reason::Unreachable, Vec::new(), &*entropy(3))
        .unwrap();
    alter(&store, &Object::Quarantine(quarantine.id).key(), |bytes| {
        bytes[100] ^= 1;
    });
    let refused = repository.writer(options(), entropy(4));
    assert!(matches!(
        refused.err(),
        Some(Error::Damaged {
            object: Object::Quarantine(_),
            ..
        })
    ));
    assert!(keys(&store, "leases/").is_empty());
}
