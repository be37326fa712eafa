//! What a save may cost: space in proportion to what changed, memory in proportion to nothing.
//!
//! Others stored a fifth of a tree again after an edit of one file in a hundred, because they
//! joined small files before they cut them, or held hundreds of megabytes while they worked.

use std::{fs, ops::Range};

use strongroom_engine::{
    CreateOptions, Repository, Stream, Unlock,
    tree::{Progress, SaveOptions},
    volume::save_volume,
};
use strongroom_model::content::{BlockSource, FileTime, Result, Stat, TreePath};
use strongroom_store::Store;
use strongroom_testkit::{
    memory::MemorySource,
    tree::{Body, Content, Tree},
};

use crate::{
    scene::{KEY, body, create, entropy, keys, memory, options},
    tree::{NOW, directory, file, save},
};

fn random(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

#[test]
fn an_edit_of_one_small_file_in_a_hundred_stores_those_files_and_their_directories() {
    const LEN: usize = 5000;
    let mut tree = Tree::empty();
    let path = |n: u64| format!("d{:02}/f{n:04}", n / 40);
    for n in 0..2000_u64 {
        if n.is_multiple_of(40) {
            directory(&mut tree, &format!("d{:02}", n / 40));
        }
        file(&mut tree, &path(n), &random(n, LEN));
    }
    let repository = create(&memory());
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    for n in (0..2000).step_by(100) {
        let path = TreePath::parse(path(n).as_bytes()).unwrap();
        let entry = tree.0.get_mut(&path).unwrap();
        let mut bytes = random(n, LEN);
        bytes.splice(LEN / 2..LEN / 2, *b"edited");
        entry.body = Body::File(Content::solid(bytes));
        entry.changed.nanos += 1;
    }
    let source = MemorySource::new(tree, NOW);
    let second = save(&repository, &source, Some(first.manifest));
    assert_eq!(second.stats.changed, 20);
    assert_eq!(source.counts().files_opened(), 20);
    let (edited, nodes) = (20 * (LEN as u64 + 6), 20 * 8_000);
    let (whole, again) = (first.counts.stored_bytes, second.counts.stored_bytes);
    assert!(again < edited + nodes, "{again} of {whole} bytes");
}

/// A disk that is made up while it is read.
struct EndlessDisk {
    size: u64,
}

impl BlockSource for EndlessDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn stat(&self) -> Result<Option<Stat>> {
        Ok(None)
    }

    fn clock(&self) -> FileTime {
        NOW
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        for (piece, number) in buffer.chunks_mut(64 << 10).zip(offset >> 16..) {
            piece.copy_from_slice(&random(number, piece.len()));
        }
        Ok(())
    }

    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>> {
        Ok((from < self.size).then_some(from..self.size))
    }
}

/// The most memory that this process ever had; each test runs in one of its own.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() >> 10
}

#[test]
fn a_save_of_much_data_keeps_to_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let unlock = Unlock::Key(KEY);
    let created = Repository::create(store, &unlock, CreateOptions::default(), &*entropy(1));
    let progress = Progress::default();
    let mut wanted = SaveOptions::new(&progress, entropy(2));
    wanted.writer = options();
    let before = peak_mib();
    let disk = EndlessDisk { size: 320 << 20 };
    let saved = save_volume(&created.unwrap(), &disk, &wanted).unwrap();
    assert!(saved.counts.stored_bytes > disk.size);
    let peak = peak_mib();
    assert!(peak < 200, "{peak} MiB, {before} of them before");
}

#[test]
fn packs_of_tiny_chunks_are_closed_before_their_lists_grow_long() {
    let store = memory();
    let unlock = Unlock::Key(KEY);
    let created = Repository::create(
        store.clone(),
        &unlock,
        CreateOptions::default(),
        &*entropy(1),
    );
    let repository = created.unwrap();
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let mut data = writer.stream(Stream::Data);
    for n in 0..100_000_u64 {
        data.put(&n.to_le_bytes()).unwrap();
    }
    data.finish().unwrap();
    let mut tree = writer.stream(Stream::Tree);
    let root = tree.put(b"root").unwrap();
    tree.finish().unwrap();
    writer.commit(body(root)).unwrap();
    // They would all fit into one.
    let packs = keys(&store, "packs/").len();
    assert!((3..10).contains(&packs), "{packs} packs");
}
