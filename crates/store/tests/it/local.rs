//! The directory backend against real processes, real kills and a real full disk.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use strongroom_store::{ErrorKind, Key, Store};

use crate::child;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn open(directory: &Path) -> Store {
    Store::open(directory.to_str().unwrap()).unwrap()
}

fn object(number: u64) -> Key {
    key(&format!("objects/{:02x}/{number}", number % 16))
}

/// What the object of that number holds: up to 600 KiB that no other object holds.
fn content(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 7919 % (600 * 1024)).unwrap();
    number
        .to_le_bytes()
        .into_iter()
        .cycle()
        .take(length)
        .collect()
}

fn left_over(directory: &Path) -> usize {
    fs::read_dir(directory.join("tmp~")).map_or(0, Iterator::count)
}

/// The numbers of all objects, each of which is asserted to be whole.
fn all_whole(store: &Store) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    store
        .list("objects/", &mut |key, size| {
            let number = key.as_str().rsplit_once('/').unwrap().1.parse().unwrap();
            let expected = content(number);
            assert_eq!(size, expected.len() as u64, "{key} is torn");
            assert!(store.get(&key)? == expected, "{key} is torn");
            numbers.insert(number);
            Ok(())
        })
        .unwrap();
    numbers
}

#[test]
#[ignore = "the child of a_killed_writer_loses_nothing_it_acknowledged"]
fn endless_writer() {
    let Some((directory, first)) = child::task() else {
        return;
    };
    let store = open(&directory);
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number.is_multiple_of(2) {
                        store.create_new(&object(number), &content(number)).unwrap();
                    } else {
                        store
                            .put_idempotent(&object(number), &content(number))
                            .unwrap();
                    }
                    child::tell("stored", number);
                }
            });
        }
    });
}

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut acknowledged = BTreeSet::new();
    for round in 0..6 {
        let mut writer = child::start("local::endless_writer", &path, round * 1_000_000);
        let before_kill = 3 + 5 * round;
        acknowledged.extend((0..before_kill).map(|_| writer.next("stored").unwrap()));
        acknowledged.extend(writer.kill("stored"));

        let found = all_whole(&open(&path));
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
    }
    open(&path).create_new(&key("another"), b"x").unwrap();
    assert_eq!(
        left_over(&path),
        0,
        "the dead writers' temporary files are cleaned away"
    );
}

const PRIZES: u64 = 150;

#[test]
#[ignore = "the child of of_racing_processes_exactly_one_creates_each_object"]
fn racer() {
    let Some((directory, racer)) = child::task() else {
        return;
    };
    let store = open(&directory);
    child::await_go();
    for prize in 0..PRIZES {
        match store.create_new(
            &key(&format!("prize/{prize}")),
            racer.to_string().as_bytes(),
        ) {
            Ok(()) => child::tell("won", prize),
            Err(error) => assert_eq!(error.kind, ErrorKind::AlreadyExists),
        }
    }
}

#[test]
fn of_racing_processes_exactly_one_creates_each_object() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut racers: Vec<_> = (0..3)
        .map(|n| child::start("local::racer", &path, n))
        .collect();
    for racer in &mut racers {
        racer.next("ready").unwrap();
    }
    for racer in &mut racers {
        racer.go();
    }
    let won: Vec<Vec<u64>> = racers
        .into_iter()
        .map(|racer| racer.finish("won"))
        .collect();
    assert_eq!(won.iter().map(Vec::len).sum::<usize>() as u64, PRIZES);
    let store = open(&path);
    for (racer, prizes) in won.iter().enumerate() {
        for prize in prizes {
            let holder = store.get(&key(&format!("prize/{prize}"))).unwrap();
            assert_eq!(holder, racer.to_string(), "prize {prize}");
        }
    }
    assert_eq!(left_over(&path), 0);
}

/// A small file system in memory, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(at)
            .output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            refused => {
                eprintln!("SKIPPED: mounting a small disk needs root: {refused:?}");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "{} stays mounted",
            self.0.display()
        );
    }
}

#[test]
fn a_full_disk_is_reported_as_such_and_keeps_what_it_had() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&directory.path().join("disk")) else {
        return;
    };
    let path = disk.0.join("store");
    let store = open(&path);
    let content = |number: u64| vec![u8::try_from(number).unwrap(); 150_000];
    let mut stored = 0;
    let full = loop {
        match store.create_new(&object(stored), &content(stored)) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind, ErrorKind::NoSpace);
    assert!(stored > 5, "{stored} objects of 150 kB fit on 2 MiB");
    assert_eq!(
        left_over(&path),
        0,
        "the space of the refused object is free again"
    );
    assert_eq!(
        store.get(&object(stored)).unwrap_err().kind,
        ErrorKind::NotFound
    );
    for number in 0..stored {
        assert!(
            store.get(&object(number)).unwrap() == content(number),
            "object {number}"
        );
    }
    store.delete(&object(0)).unwrap();
    store
        .put_idempotent(&object(stored), &content(stored))
        .unwrap();
}
