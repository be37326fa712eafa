//! What is promised to whoever keeps a store, and to whoever uses it.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::conformance;

const DAY: i64 = 86_400;

#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst) * 1_000_000)
    }
}

struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
    kept: Arc<Kept>,
    store: Store,
}

fn scene(terms: Terms) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000)));
    let kept = Kept::open(
        folder.path().to_str().unwrap(),
        terms,
        Arc::clone(&clock) as _,
    )
    .unwrap();
    Scene {
        store: kept.store(),
        folder,
        clock,
        kept,
    }
}

impl Scene {
    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.clock.now().plus_seconds(seconds)
    }
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

const WEEK: Terms = Terms {
    quota: None,
    keep_deleted_seconds: 7 * DAY,
};

#[test]
fn a_kept_store_keeps_the_contract_whatever_its_terms() {
    let quota = Some(1 << 30);
    for terms in [Terms::default(), WEEK, Terms { quota, ..WEEK }] {
        conformance(&scene(terms).store).unwrap();
    }
}

#[test]
fn what_is_retained_cannot_be_deleted_before_its_time() {
    let scene = scene(Terms::default());
    let name = key("packs/a");
    assert!(scene.store.retains().unwrap());
    let missing = scene.store.retain(&name, scene.in_seconds(DAY));
    assert_eq!(missing.unwrap_err().kind, ErrorKind::NotFound);
    scene.store.create_new(&name, b"x").unwrap();
    scene.store.retain(&name, scene.in_seconds(DAY)).unwrap();
    // Never shorter.
    scene.store.retain(&name, scene.in_seconds(1)).unwrap();
    scene.store.retain(&name, scene.in_seconds(-DAY)).unwrap();
    let until = scene.store.retained_until(&name).unwrap();
    assert_eq!(until, Some(scene.in_seconds(DAY)));
    scene.pass(DAY - 1);
    let refused = scene.store.delete(&name).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Retained);
    assert_eq!(scene.store.get(&name).unwrap(), "x");
    // Longer.
    scene.store.retain(&name, scene.in_seconds(10)).unwrap();
    scene.pass(9);
    assert_eq!(
        scene.store.delete(&name).unwrap_err().kind,
        ErrorKind::Retained
    );
    scene.pass(1);
    scene.store.delete(&name).unwrap();
    assert_eq!(
        scene.store.get(&name).unwrap_err().kind,
        ErrorKind::NotFound
    );
    // Nothing of it clings to the next object of that name.
    scene.store.create_new(&name, b"y").unwrap();
    scene.store.delete(&name).unwrap();
}

#[test]
fn a_lock_is_found_again_by_the_next_process() {
    let scene = scene(Terms::default());
    let name = key("packs/a");
    scene.store.create_new(&name, b"x").unwrap();
    scene.store.retain(&name, scene.in_seconds(DAY)).unwrap();
    let place = scene.folder.path().to_str().unwrap();
    let again = Kept::open(place, Terms::default(), Arc::clone(&scene.clock) as _).unwrap();
    let refused = again.store().delete(&name).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Retained);
}

#[test]
fn what_was_deleted_can_be_brought_back_until_its_time_is_over() {
    let scene = scene(WEEK);
    let (one, two) = (key("packs/a"), key("packs/b"));
    let before = scene.clock.now();
    for (name, bytes) in [(&one, "first"), (&two, "other")] {
        scene.store.create_new(name, bytes.as_bytes()).unwrap();
        scene.store.delete(name).unwrap();
    }
    // The same key again, within the same second.
    scene.store.create_new(&one, b"second").unwrap();
    scene.store.delete(&one).unwrap();
    assert_eq!(scene.kept.deleted(before).unwrap().len(), 3);
    scene.store.create_new(&two, b"newer").unwrap();
    assert_eq!(scene.kept.undelete(before).unwrap(), 1);
    assert_eq!(scene.store.get(&one).unwrap(), "second");
    assert_eq!(scene.store.get(&two).unwrap(), "newer");

    scene.pass(7 * DAY - 1);
    assert_eq!(scene.kept.purge().unwrap(), 0);
    scene.pass(1);
    assert_eq!(scene.kept.purge().unwrap(), 3);
    assert_eq!(scene.kept.deleted(before).unwrap(), []);
}

#[test]
fn there_is_as_much_room_as_was_said() {
    let quota = Some(10);
    let scene = scene(Terms { quota, ..WEEK });
    scene.store.create_new(&key("a"), b"123456").unwrap();
    scene.store.put_idempotent(&key("b"), b"1234").unwrap();
    let full = scene.store.create_new(&key("c"), b"1").unwrap_err();
    assert_eq!(full.kind, ErrorKind::NoSpace);
    let full = scene.store.put_idempotent(&key("c"), b"1").unwrap_err();
    assert_eq!(full.kind, ErrorKind::NoSpace);
    // What is there already is there already.
    scene.store.put_idempotent(&key("b"), b"1234").unwrap();
    let taken = scene.store.create_new(&key("a"), b"").unwrap_err();
    assert_eq!(taken.kind, ErrorKind::AlreadyExists);
    // What is deleted takes its room until it is gone.
    scene.store.delete(&key("a")).unwrap();
    let full = scene.store.create_new(&key("c"), b"1").unwrap_err();
    assert_eq!(full.kind, ErrorKind::NoSpace);
    scene.pass(8 * DAY);
    scene.kept.purge().unwrap();
    scene.store.create_new(&key("c"), b"123456").unwrap();
    assert_eq!(scene.kept.used().unwrap(), 10);
}

#[test]
fn of_a_retention_and_a_deletion_at_once_one_comes_first() {
    let scene = scene(Terms::default());
    for round in 0..50 {
        let name = key(&format!("packs/{round}"));
        scene.store.create_new(&name, b"x").unwrap();
        let until = scene.in_seconds(DAY);
        let (retained, deleted) = std::thread::scope(|threads| {
            let retain = threads.spawn(|| scene.store.retain(&name, until));
            let delete = threads.spawn(|| scene.store.delete(&name));
            (retain.join().unwrap(), delete.join().unwrap())
        });
        // Whoever was told that it is kept finds it.
        match (retained, deleted) {
            (Ok(()), Err(error)) => {
                assert_eq!(error.kind, ErrorKind::Retained);
                scene.store.get(&name).unwrap();
            }
            (Err(error), Ok(())) => assert_eq!(error.kind, ErrorKind::NotFound),
            both => panic!("{both:?}"),
        }
    }
}
