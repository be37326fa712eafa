//! Races and losses by which engines lost data, as tests under the names they are known by.
//!
//! Each test runs somebody's acts before every store call of somebody else, so that no order of
//! the two is left out; docs/integrity-notes.md tells the stories.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
};

use strongroom_engine::{
    ManifestId, Repository, Result,
    layout::Object,
    quarantine::Reason,
    tree::{Progress, SaveOptions, save_tree},
};
use strongroom_model::content::FileTime;
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::{image, memory::MemorySource, tree::Tree};

use crate::{
    scene::{create, entropy, keys, memory, open, options, replace},
    world::{
        Origin, Saves, assert_all_come_back, assert_sound, changed, collect_now, comes_back, copy,
        save, save_disk, tree,
    },
};

/// A save that has done all but its commit.
struct Paused {
    go: Sender<()>,
    save: JoinHandle<Result<ManifestId>>,
}

impl Paused {
    fn start(store: &Store, tree: Tree, seed: u64) -> Self {
        let (go, wait) = channel();
        let (arrived, arrives) = channel();
        let wait = Mutex::new(wait);
        let pause = move || {
            arrived.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        };
        let faults = Faults::new();
        let commit = Rule::on(Operation::CreateNew).under("manifests/").nth(1);
        faults.add(commit, Fault::Before(Arc::new(pause)));
        let repository = open(&faults.wrap(store));
        drop(faults);
        let save = thread::spawn(move || save(&repository, &tree, None, seed));
        arrives.recv().expect("it comes to its commit");
        Self { go, save }
    }

    fn commit(self) -> Result<ManifestId> {
        self.go.send(()).unwrap();
        self.save.join().unwrap()
    }
}

/// Two collectors at one quarantine: the first condemns, the second finds the packs needed again
/// and lifts, a writer relies on them, and the first, which learned nothing of it, goes on.
#[test]
fn packs_that_one_collector_gave_free_are_not_removed_by_another() {
    let store = memory();
    let repository = create(&store);
    let (old, other) = (tree(1), tree(2));
    let forgotten = save(&repository, &old, None, 2).unwrap();
    let kept = save(&repository, &other, None, 3).unwrap();
    let saves = Saves::from([(kept, Origin::Tree(other))]);
    repository.forget(&forgotten, &*entropy(4)).unwrap();
    let counting = Faults::new();
    collect_now(&open(&counting.wrap(&copy(&store))), 5).unwrap();
    let mut committed = 0;
    for call in 1..=counting.calls() {
        let twin = copy(&store);
        let paused: Arc<Mutex<Option<Paused>>> = Arc::default();
        let (slot, inner, tree) = (Arc::clone(&paused), twin.clone(), old.clone());
        let meanwhile = move || {
            let second = open(&inner);
            if second.restore_forgotten(&forgotten, &*entropy(6)).is_ok() {
                collect_now(&second, 7).unwrap();
                *slot.lock().unwrap() = Some(Paused::start(&inner, tree.clone(), 8));
                second.forget(&forgotten, &*entropy(9)).unwrap();
            }
        };
        let faults = Faults::new();
        faults.add(Rule::call(call), Fault::Before(Arc::new(meanwhile)));
        let collected = collect_now(&open(&faults.wrap(&twin)), 10);
        let mut saves = saves.clone();
        let begun = paused.lock().unwrap().take();
        if let Some(Ok(id)) = begun.map(Paused::commit) {
            saves.insert(id, Origin::Tree(old.clone()));
            committed += 1;
        }
        assert_all_come_back(&open(&twin), &saves);
        collected.unwrap();
        collect_now(&open(&twin), 11).unwrap();
        assert_sound(&open(&twin), &saves);
        assert!(
            keys(&twin, "quarantine/").is_empty(),
            "the race at call {call} left records behind"
        );
    }
    assert!(committed > 10, "only {committed} saves came to their end");
}

/// Prunes that trusted an incomplete index have removed packs full of needed chunks. A run that is
/// lost is no proof that its chunks are not needed: the packs can name them again.
#[test]
fn a_collection_with_a_lost_index_run_removes_nothing_that_the_packs_could_bring_back() {
    let store = memory();
    let repository = create(&store);
    let disk = image::random(4, 12 << 20);
    let forgotten = save(&repository, &tree(1), None, 2).unwrap();
    let kept = save_disk(&repository, &disk, 3).unwrap();
    let saves = Saves::from([(kept, Origin::Disk(disk))]);
    repository.forget(&forgotten, &*entropy(4)).unwrap();
    for run in keys(&store, "index/") {
        let twin = copy(&store);
        let bytes = twin.get(&run).unwrap();
        twin.delete(&run).unwrap();
        // What it cannot know it may refuse to decide.
        let _refused = collect_now(&open(&twin), 51);
        let _again = collect_now(&open(&twin), 52);
        replace(&twin, &run, &bytes);
        assert_all_come_back(&open(&twin), &saves);
    }
}

/// Kopia decided by clocks what is old enough to go, and clocks lie. Here years between machines,
/// a clock that stands and one that runs backwards change neither what goes nor what stays.
#[test]
fn clocks_that_lie_by_decades_change_nothing() {
    const DECADE: i64 = 315_000_000;
    const NOW: i64 = 1_800_000_000;
    let clocks = [
        [NOW, NOW + 1000, NOW + 2000],
        [NOW, NOW, NOW],
        [NOW, NOW - DECADE, NOW - 2 * DECADE],
        [NOW, NOW + DECADE, NOW - DECADE],
        [0, NOW, -DECADE],
    ];
    let run = |[first, second, third]: [i64; 3]| {
        let store = memory();
        let repository = create(&store);
        let (old, new) = (tree(1), changed(&tree(1), 9));
        let a = save_at(&repository, &old, None, 2, first);
        let b = save_at(&repository, &new, Some(a), 3, second);
        repository.forget(&a, &*entropy(4)).unwrap();
        let collected = collect_now(&repository, 5).unwrap();
        let c = save_at(&open(&store), &old, Some(b), 6, third);
        let saves = Saves::from([(b, Origin::Tree(new)), (c, Origin::Tree(old))]);
        collect_now(&repository, 7).unwrap();
        assert_all_come_back(&open(&store), &saves);
        assert_sound(&open(&store), &saves);
        (collected.manifests_removed, collected.waiting_for.len())
    };
    let expected = run(clocks[0]);
    for clock in clocks {
        assert_eq!(run(clock), expected, "{clock:?}");
    }
}

fn save_at(
    repository: &Repository,
    tree: &Tree,
    previous: Option<ManifestId>,
    seed: u64,
    clock: i64,
) -> ManifestId {
    let progress = Progress::default();
    let source = MemorySource::new(tree.clone(), FileTime::new(clock, 0));
    let mut save = SaveOptions::new(&progress, entropy(seed));
    (save.previous, save.threads, save.writer) = (previous, 1, options());
    save_tree(repository, &source, &save).unwrap().manifest
}

/// Longhorn #1385: a damaged block is known by its name, so every later backup relies on it.
/// Here a lost or shortened pack is noticed by the next save, a rotten one once it is condemned.
#[test]
fn a_damaged_pack_does_not_poison_the_saves_that_come_after_it() {
    let store = memory();
    let repository = create(&store);
    let old = tree(1);
    let first = save(&repository, &old, None, 2).unwrap();
    for pack in keys(&store, "packs/") {
        let bytes = store.get(&pack).unwrap();
        let mut rotten = bytes.to_vec();
        rotten[100] ^= 1;
        for (damaged, previous) in [
            (None, None),
            (Some(&bytes[..bytes.len() - 1]), Some(first)),
            (Some(&rotten[..]), Some(first)),
        ] {
            let twin = copy(&store);
            twin.delete(&pack).unwrap();
            if let Some(damaged) = damaged {
                twin.create_new(&pack, damaged).unwrap();
            }
            let repository = open(&twin);
            if damaged == Some(&rotten[..]) {
                // Nothing short of reading it tells; whoever read it says so.
                let Some(Object::Pack(id)) = Object::parse(pack.as_str()) else {
                    unreachable!()
                };
                repository
                    .quarantine(Reason::Damaged, vec![id], &*entropy(3))
                    .unwrap();
            }
            let second = save(&repository, &old, previous, 4).unwrap();
            let saves = Saves::from([
                (first, Origin::Tree(old.clone())),
                (second, Origin::Tree(old.clone())),
            ]);
            assert!(
                comes_back(&open(&twin), &second, &saves[&second]),
                "{pack} poisons a new save"
            );
        }
    }
}

/// restic 0.8.2 lost an index whose upload was cancelled, and committed the snapshot.
#[test]
fn a_save_whose_index_is_not_stored_is_not_committed() {
    for fault in [
        Fault::Refuse(ErrorKind::Unavailable),
        Fault::LoseReply(ErrorKind::Unavailable),
    ] {
        let store = memory();
        create(&store);
        let faults = Faults::new();
        faults.add(
            Rule::on(Operation::PutIdempotent).under("index/").nth(1),
            fault,
        );
        let failed = save(&open(&faults.wrap(&store)), &tree(1), None, 2);
        assert_eq!(
            failed.unwrap_err().store_kind(),
            Some(ErrorKind::Unavailable)
        );
        assert!(open(&store).manifests().unwrap().is_empty());
        let id = save(&open(&store), &tree(1), None, 3).unwrap();
        assert!(comes_back(&open(&store), &id, &Origin::Tree(tree(1))));
    }
}

/// rest-server #142: an upload fails, is done again, and the cleaning up of the first attempt
/// takes the second's object away. Here nobody ever cleans up under an object's own name.
#[test]
fn an_object_is_never_removed_by_a_save_that_failed() {
    let store = memory();
    let repository = create(&store);
    let faults = Faults::new();
    let refuse = Rule::on(Operation::CreateNew).under("manifests/");
    faults.add(refuse, Fault::LoseReply(ErrorKind::Unavailable));
    let deletions = Rule::on(Operation::Delete).under("packs/");
    let panic = || panic!("a save removes a pack");
    faults.add(deletions, Fault::Before(Arc::new(panic)));
    faults.add(
        Rule::on(Operation::PutIdempotent).every(3),
        Fault::LoseReply(ErrorKind::Other),
    );
    let _failed = save(&open(&faults.wrap(&store)), &tree(1), None, 2);
    let id = save(&repository, &tree(1), None, 3).unwrap();
    assert!(comes_back(&open(&store), &id, &Origin::Tree(tree(1))));
}
