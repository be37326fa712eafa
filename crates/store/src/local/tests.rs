//! What survives a power cut, a failed system call and a dead writer.
//!
//! [`Trace`] stands between the backend and the kernel. The order of the calls it saw is judged by
//! the rule a file system gives: bytes are safe after the file's sync, a name after the sync of its
//! directory, and nothing before that.

use std::{
    collections::HashMap,
    fs as std_fs,
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::fs::PermissionsExt,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rustix::{
    fs::{CWD, FlockOperation, flock},
    io::{self, Errno},
};

use super::{Local, TEMPORARY, disk::Disk, disk::Kernel};
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::Store,
};

/// One change of the disk, with absolute paths.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    MakeDirectory(PathBuf),
    Create(PathBuf),
    Write(PathBuf),
    SyncFile(PathBuf),
    Publish(PathBuf, PathBuf),
    SyncDirectory(PathBuf),
    Remove(PathBuf),
    /// The caller was told that the object is stored.
    Acknowledged(PathBuf),
}

/// How the calls of a [`Trace`] go wrong.
#[derive(Clone, Copy)]
enum Trouble {
    None,
    /// Call `n` does nothing and fails so.
    FailAt(usize, Errno),
    /// From call `n` on, nothing is done any more: the process is dead.
    DeadFrom(usize),
    /// The first publication finds that its temporary file was removed.
    Thief,
}

#[derive(Clone)]
struct Trace(Arc<Mutex<Log>>);

struct Log {
    events: Vec<Event>,
    calls: usize,
    trouble: Trouble,
    files: HashMap<RawFd, PathBuf>,
}

impl Trace {
    fn new(trouble: Trouble) -> Self {
        let (events, files) = Default::default();
        Self(Arc::new(Mutex::new(Log {
            events,
            calls: 0,
            trouble,
            files,
        })))
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().events.clone()
    }

    fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// Counts a call, lets it happen unless there is trouble, and notes it when it succeeded.
    fn call<T>(&self, event: Event, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut log = self.0.lock().unwrap();
        log.calls += 1;
        match log.trouble {
            Trouble::FailAt(n, errno) if log.calls == n => return Err(errno),
            Trouble::DeadFrom(n) if log.calls >= n => return Err(Errno::IO),
            _ => {}
        }
        let done = act()?;
        log.events.push(event);
        Ok(done)
    }

    fn acknowledge(&self, path: PathBuf) {
        self.0
            .lock()
            .unwrap()
            .events
            .push(Event::Acknowledged(path));
    }

    fn name_of(&self, file: BorrowedFd<'_>) -> PathBuf {
        self.0.lock().unwrap().files[&file.as_raw_fd()].clone()
    }
}

/// The path of a name below an open directory.
fn absolute(root: BorrowedFd<'_>, path: &Path) -> PathBuf {
    if root.as_raw_fd() == CWD.as_raw_fd() {
        return path.to_owned();
    }
    let root = std_fs::read_link(format!("/proc/self/fd/{}", root.as_raw_fd())).unwrap();
    if path.as_os_str().is_empty() {
        root
    } else {
        root.join(path)
    }
}

impl Disk for Trace {
    fn make_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let event = Event::MakeDirectory(absolute(root, path));
        self.call(event, || Kernel.make_directory(root, path))
    }

    fn create(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
        let name = absolute(root, path);
        let file = self.call(Event::Create(name.clone()), || Kernel.create(root, path))?;
        self.0.lock().unwrap().files.insert(file.as_raw_fd(), name);
        Ok(file)
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
        self.call(Event::Write(self.name_of(file)), || {
            Kernel.write(file, bytes)
        })
    }

    fn sync_file(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        self.call(Event::SyncFile(self.name_of(file)), || {
            Kernel.sync_file(file)
        })
    }

    fn publish(&self, root: BorrowedFd<'_>, from: &Path, to: &Path) -> io::Result<()> {
        let stolen = {
            let mut log = self.0.lock().unwrap();
            let stolen = matches!(log.trouble, Trouble::Thief);
            if stolen {
                log.trouble = Trouble::None;
            }
            stolen
        };
        if stolen {
            Kernel.remove(root, from)?;
        }
        let event = Event::Publish(absolute(root, from), absolute(root, to));
        self.call(event, || Kernel.publish(root, from, to))
    }

    fn sync_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let event = Event::SyncDirectory(absolute(root, path));
        self.call(event, || Kernel.sync_directory(root, path))
    }

    fn remove(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let event = Event::Remove(absolute(root, path));
        self.call(event, || Kernel.remove(root, path))
    }
}

/// A scratch directory and a store in it.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn base(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    fn root(&self) -> PathBuf {
        self.base().join("new/store")
    }

    fn open(&self, trace: &Trace) -> Store {
        Store::new(Local::on(&self.root(), Box::new(trace.clone())).unwrap())
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root().join(key.as_str())
    }

    /// Creates an object and notes in the trace when the caller may rely on it.
    fn create(&self, store: &Store, trace: &Trace, name: &str) -> Result<()> {
        let key = key(name);
        let done = store.create_new(&key, content(name).as_bytes());
        let exists = matches!(&done, Err(error) if error.kind == ErrorKind::AlreadyExists);
        if done.is_ok() || exists {
            trace.acknowledge(self.path(&key));
        }
        done
    }

    fn left_over(&self) -> Vec<PathBuf> {
        let entries = std_fs::read_dir(self.root().join(TEMPORARY));
        entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn content(name: &str) -> String {
    name.repeat(100)
}

/// Asserts that no power cut at any point of the trace tears or loses an object, when everything
/// outside `base` is durable from the start.
fn assert_survives_power_cuts(events: &[Event], base: &Path) {
    for (at, event) in events.iter().enumerate() {
        let before = &events[..at];
        match event {
            // From here on the name may be on disk: the bytes must be there already.
            Event::Publish(from, to) => {
                let synced = before
                    .iter()
                    .rposition(|e| *e == Event::SyncFile(from.clone()));
                let written = before
                    .iter()
                    .rposition(|e| *e == Event::Write(from.clone()));
                assert!(
                    synced.is_some() && synced > written,
                    "{to:?} is published unsynced"
                );
            }
            // From here on the name and all names above it must be on disk.
            Event::Acknowledged(object) => {
                for name in object.ancestors().take_while(|name| *name != base) {
                    let made = before.iter().rposition(|event| match event {
                        Event::Publish(_, to) => to == name,
                        Event::MakeDirectory(made) => made == name,
                        _ => false,
                    });
                    let parent = name.parent().unwrap().to_owned();
                    let synced = before
                        .iter()
                        .rposition(|e| *e == Event::SyncDirectory(parent.clone()));
                    assert!(
                        synced > made || made.is_none(),
                        "{name:?} is not durable in time"
                    );
                    assert!(
                        synced.is_some(),
                        "{name:?} was never synced by this process"
                    );
                }
            }
            _ => {}
        }
    }
}

#[test]
fn an_acknowledged_object_survives_a_power_cut_at_any_later_moment() {
    let bench = Bench::new();
    let trace = Trace::new(Trouble::None);
    let store = bench.open(&trace);
    for name in [
        "top",
        "a/b/c/one",
        "a/b/c/two",
        "a/b/three",
        "a/d/four",
        "five",
    ] {
        bench.create(&store, &trace, name).unwrap();
    }
    store.put_idempotent(&key("a/b/c/six"), b"six").unwrap();
    trace.acknowledge(bench.path(&key("a/b/c/six")));
    assert_survives_power_cuts(&trace.events(), &bench.base());
}

#[test]
fn what_a_dead_process_left_unsynced_is_synced_before_it_is_relied_on() {
    // The first writer dies after each of its steps in turn; the second writes beside it, into
    // the same key, and lists.
    let steps = {
        let (bench, trace) = (Bench::new(), Trace::new(Trouble::None));
        bench
            .create(&bench.open(&trace), &trace, "a/b/object")
            .unwrap();
        trace.calls()
    };
    for dead_from in 1..=steps + 1 {
        let bench = Bench::new();
        let first = Trace::new(Trouble::DeadFrom(dead_from));
        let _killed = bench.create(&bench.open(&first), &first, "a/b/object");

        let second = Trace::new(Trouble::None);
        let store = bench.open(&second);
        let done = bench.create(&store, &second, "a/b/object");
        let published = first
            .events()
            .iter()
            .any(|e| matches!(e, Event::Publish(..)));
        assert_eq!(done.is_err(), published, "dead from {dead_from}");
        bench.create(&store, &second, "a/b/another").unwrap();
        assert_survives_power_cuts(&second.events(), &bench.base());
        assert_eq!(
            store.get(&key("a/b/object")).unwrap(),
            content("a/b/object")
        );
        assert_eq!(
            bench.left_over(),
            Vec::<PathBuf>::new(),
            "dead from {dead_from}"
        );
    }
}

#[test]
fn an_object_is_listed_only_after_its_name_is_synced() {
    let bench = Bench::new();
    let writer = Trace::new(Trouble::None);
    bench
        .create(&bench.open(&writer), &writer, "a/b/object")
        .unwrap();

    let reader = Trace::new(Trouble::None);
    let store = bench.open(&reader);
    for prefix in ["", "a/b/", "a/b/ob"] {
        store
            .list(prefix, &mut |key, _| {
                let events = reader.events();
                for directory in ["", "a", "a/b"] {
                    let synced = Event::SyncDirectory(bench.root().join(directory));
                    assert!(
                        events.contains(&synced),
                        "{key} of {prefix:?} without {directory:?}"
                    );
                }
                Ok(())
            })
            .unwrap();
    }
    store.list("none/at/all", &mut |_, _| Ok(())).unwrap();
    bench.create(&store, &reader, "none/at/all").unwrap();
}

#[test]
fn a_listing_that_need_not_be_settled_shows_the_same_and_syncs_nothing() {
    let bench = Bench::new();
    let writer = Trace::new(Trouble::None);
    for name in ["a/b/object", "a/c/object", "top"] {
        bench.create(&bench.open(&writer), &writer, name).unwrap();
    }

    let reader = Trace::new(Trouble::None);
    let store = bench.open(&reader);
    for prefix in ["", "a/", "a/b/ob", "none/at/all"] {
        let before = reader.events().len();
        let mut seen = Vec::new();
        store
            .list_unsettled(prefix, &mut |key, size| {
                seen.push((key, size));
                Ok(())
            })
            .unwrap();
        assert_eq!(reader.events().len(), before, "{prefix:?}");
        let mut listed = Vec::new();
        store
            .list(prefix, &mut |key, size| {
                listed.push((key, size));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, listed, "{prefix:?}");
    }
}

#[test]
fn a_failure_of_any_system_call_leaves_the_object_whole_or_absent_and_no_debris() {
    let steps = {
        let (bench, trace) = (Bench::new(), Trace::new(Trouble::None));
        bench
            .create(&bench.open(&trace), &trace, "a/b/object")
            .unwrap();
        trace.calls()
    };
    assert!(steps > 8, "the trace sees the calls");
    for (n, errno) in (1..=steps).flat_map(|n| [(n, Errno::IO), (n, Errno::NOSPC)]) {
        let bench = Bench::new();
        let trace = Trace::new(Trouble::FailAt(n, errno));
        let store = bench.open(&trace);
        let failure = bench.create(&store, &trace, "a/b/object").unwrap_err();
        let expected = if errno == Errno::NOSPC {
            ErrorKind::NoSpace
        } else {
            ErrorKind::Other
        };
        assert_eq!(failure.kind, expected, "call {n}");
        match store.get(&key("a/b/object")) {
            Ok(bytes) => assert_eq!(bytes, content("a/b/object"), "call {n}"),
            Err(error) => assert_eq!(error.kind, ErrorKind::NotFound, "call {n}"),
        }
        assert_eq!(bench.left_over(), Vec::<PathBuf>::new(), "call {n}");

        // The same handle recovers, and what it acknowledges then is durable.
        match bench.create(&store, &trace, "a/b/object") {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind, ErrorKind::AlreadyExists, "call {n}"),
        }
        assert_survives_power_cuts(&trace.events(), &bench.base());
    }
}

#[test]
fn a_temporary_file_taken_away_is_written_again() {
    let bench = Bench::new();
    let trace = Trace::new(Trouble::Thief);
    bench
        .create(&bench.open(&trace), &trace, "a/object")
        .unwrap();
    assert_survives_power_cuts(&trace.events(), &bench.base());
    let written = trace
        .events()
        .iter()
        .filter(|e| matches!(e, Event::Write(_)))
        .count();
    assert_eq!(written, 2);
}

#[test]
fn a_directory_taken_away_is_made_again() {
    let bench = Bench::new();
    let trace = Trace::new(Trouble::None);
    let store = bench.open(&trace);
    bench.create(&store, &trace, "a/b/one").unwrap();
    std_fs::remove_dir_all(bench.root().join("a")).unwrap();
    std_fs::remove_dir_all(bench.root().join(TEMPORARY)).unwrap();
    bench.create(&store, &trace, "a/b/two").unwrap();
    assert_survives_power_cuts(&trace.events(), &bench.base());
}

#[test]
fn a_deletion_is_durable_before_it_is_reported() {
    let bench = Bench::new();
    let trace = Trace::new(Trouble::None);
    let store = bench.open(&trace);
    bench.create(&store, &trace, "a/object").unwrap();
    store.delete(&key("a/object")).unwrap();
    let last_two = trace.events().split_off(trace.events().len() - 2);
    let object = bench.root().join("a/object");
    let directory = bench.root().join("a");
    assert_eq!(
        last_two,
        [Event::Remove(object), Event::SyncDirectory(directory)]
    );
}

#[test]
fn only_the_temporary_files_of_dead_writers_are_cleaned_away() {
    let bench = Bench::new();
    let temporary = bench.root().join(TEMPORARY);
    std_fs::create_dir_all(&temporary).unwrap();
    std_fs::write(temporary.join("dead"), b"half an obj").unwrap();
    let living = std_fs::File::create(temporary.join("living")).unwrap();
    flock(&living, FlockOperation::LockExclusive).unwrap();

    // Reading cleans nothing: it may happen on a medium that is not ours to change.
    let store = bench.open(&Trace::new(Trouble::None));
    store
        .list("", &mut |key, _| panic!("{key} is listed"))
        .unwrap();
    assert_eq!(bench.left_over().len(), 2);

    store.create_new(&key("object"), b"x").unwrap();
    assert_eq!(bench.left_over(), [temporary.join("living")]);
    drop(living);
    let next = bench.open(&Trace::new(Trouble::None));
    next.create_new(&key("another"), b"x").unwrap();
    assert_eq!(bench.left_over(), Vec::<PathBuf>::new());
}

#[test]
fn objects_and_directories_are_for_their_owner_alone() {
    let bench = Bench::new();
    bench
        .open(&Trace::new(Trouble::None))
        .create_new(&key("a/object"), b"x")
        .unwrap();
    for (name, mode) in [
        ("", 0o700),
        ("a", 0o700),
        (TEMPORARY, 0o700),
        ("a/object", 0o400),
    ] {
        let metadata = std_fs::metadata(bench.root().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, mode, "{name:?}");
    }
}

#[test]
fn a_key_that_is_a_directory_of_others_is_refused_and_reads_as_missing() {
    let bench = Bench::new();
    let store = bench.open(&Trace::new(Trouble::None));
    store.create_new(&key("a/b"), b"x").unwrap();
    let kinds = |done: [Result<(), Error>; 2]| done.map(|done| done.unwrap_err().kind);
    let writes = [
        store.create_new(&key("a"), b"y"),
        store.create_new(&key("a/b/c"), b"y"),
    ];
    assert_eq!(kinds(writes), [ErrorKind::Unsupported; 2]);
    for missing in ["a", "a/b/c"] {
        let reads = [
            store.get(&key(missing)).map(drop),
            store.size(&key(missing)).map(drop),
        ];
        assert_eq!(kinds(reads), [ErrorKind::NotFound; 2], "{missing}");
        let range = store.get_range(&key(missing), 0..1);
        assert_eq!(range.unwrap_err().kind, ErrorKind::NotFound, "{missing}");
        store.delete(&key(missing)).unwrap();
    }
    assert_eq!(store.get(&key("a/b")).unwrap(), "x");
    assert_eq!(bench.left_over(), Vec::<PathBuf>::new());
}

#[test]
fn what_others_put_beside_the_objects_is_passed_over() {
    let bench = Bench::new();
    let store = bench.open(&Trace::new(Trouble::None));
    store.create_new(&key("a/object"), b"x").unwrap();
    std_fs::create_dir(bench.root().join("lost+found")).unwrap();
    std_fs::write(bench.root().join("lost+found/inode"), b"x").unwrap();
    std_fs::write(bench.root().join(".hidden"), b"x").unwrap();
    std_fs::write(bench.root().join("README"), b"x").unwrap();
    std::os::unix::net::UnixListener::bind(bench.root().join("socket")).unwrap();
    let mut keys = Vec::new();
    store
        .list("", &mut |key, size| {
            keys.push((key.to_string(), size));
            Ok(())
        })
        .unwrap();
    assert_eq!(keys, [("a/object".to_owned(), 1)]);
}

#[test]
fn a_listing_is_in_the_order_of_bytes_whatever_the_names() {
    let bench = Bench::new();
    let store = bench.open(&Trace::new(Trouble::None));
    let names = [
        "a-b", "a.b", "a/b-c/d", "a/b.c", "a/b/c", "a/b0", "a0", "b/a", "b0/a",
    ];
    for name in names.iter().rev() {
        store.create_new(&key(name), b"x").unwrap();
    }
    for (at, after) in names.iter().enumerate() {
        let mut found = Vec::new();
        store
            .list_after("", Some(&key(after)), &mut |key, _| {
                found.push(key.to_string());
                Ok(())
            })
            .unwrap();
        assert_eq!(found, names[at + 1..], "after {after}");
    }
}

#[test]
fn a_root_that_is_a_file_is_an_error_and_not_an_empty_store() {
    let bench = Bench::new();
    std_fs::create_dir(bench.base().join("new")).unwrap();
    std_fs::write(bench.root(), b"x").unwrap();
    let store = bench.open(&Trace::new(Trouble::None));
    let listed = store.list("", &mut |_, _| Ok(()));
    assert_eq!(listed.unwrap_err().kind, ErrorKind::Unsupported);
    let created = store.create_new(&key("object"), b"x");
    assert_eq!(created.unwrap_err().kind, ErrorKind::Unsupported);
}
