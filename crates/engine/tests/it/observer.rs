//! An observer of the store who knows two contents and sees sizes and numbers of objects: he must
//! not tell which of them was saved.
//!
//! The attacks of 2025 on content-defined chunking recognise files by the lengths of their chunks,
//! also under secret parameters. The observer here is given more than they had: he may save both
//! contents as often as he likes under keys of his own, and learns the distribution of whatever
//! the sizes show. Then he is shown repositories under keys that he never saw. The same observer
//! tells the contents apart nearly always where boundaries do not depend on a key and objects
//! are not padded.

use std::collections::BTreeMap;

use strongroom_engine::{
    CreateOptions, PackId, Repository, Sizes, Stream, Unlock, WriterOptions,
    tree::{Progress, SaveOptions, save_tree},
};
use strongroom_model::content::{Attributes, FileTime, TreePath};
use strongroom_store::Store;
use strongroom_testkit::{
    dice::Dice,
    memory::MemorySource,
    tree::{Body, Content, Entry, Tree},
};

use crate::scene::{KEY, entropy, memory, options, small};

/// Repositories that the observer makes of each content, and that he is asked about.
const LESSONS: u64 = 150;
const QUESTIONS: u64 = 400;

/// What protects the repository.
#[derive(Clone, Copy, PartialEq)]
enum Protection {
    /// Keyed boundaries and padded objects, as they are.
    Full,
    /// One key that everybody knows, and sizes as they were without padding.
    None,
}

/// What the observer sees: sizes of objects by folder, in a canonical order.
type Sight = Vec<(String, u64)>;

fn tree(files: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::empty();
    for (inode, bytes) in (10..).zip(files) {
        let modified = FileTime::new(1_600_000_000, 0);
        let entry = Entry {
            inode,
            changed: modified,
            attributes: Attributes {
                mode: 0o644,
                uid: 1,
                gid: 1,
                modified,
                xattrs: Vec::new(),
            },
            body: Body::File(Content::solid(bytes.clone())),
        };
        let path = TreePath::parse(format!("file {inode}").as_bytes()).unwrap();
        tree.0.insert(path, entry);
    }
    tree
}

/// The size of a pack without its padding: header, segments, directory and footer.
fn without_padding(repository: &Repository, id: PackId) -> u64 {
    let directory = repository.pack_directory(id).unwrap();
    let end = directory
        .segments()
        .map(|segment| segment.bytes().end)
        .max();
    let segments = directory.segments().count() as u64;
    let chunks = directory.chunks().count() as u64;
    end.unwrap_or(92) + 4 + 17 * segments + 36 * chunks + 16 + 12
}

fn see(store: &Store, repository: &Repository, protection: Protection) -> Sight {
    let mut sight = Sight::new();
    store
        .list("", &mut |key, size| {
            let folder = key.as_str().split('/').next().unwrap().to_owned();
            sight.push((folder, size));
            Ok(())
        })
        .unwrap();
    if protection == Protection::None {
        sight.retain(|(folder, _)| folder != "packs");
        repository
            .packs(&mut |id, _| sight.push(("packs".to_owned(), without_padding(repository, id))))
            .unwrap();
    }
    sight.sort();
    sight
}

/// Saves the tree in a new repository, and looks at the store.
fn saved(tree: &Tree, seed: u64, protection: Protection) -> Sight {
    let store = memory();
    let sizes = Sizes {
        segment: 64 << 10,
        pack: 256 << 10,
        ..Sizes::default()
    };
    let root = match protection {
        Protection::Full => seed,
        Protection::None => 1,
    };
    let create = CreateOptions { sizes, ..small() };
    let unlock = Unlock::Key(KEY);
    let repository = Repository::create(store.clone(), &unlock, create, &*entropy(root)).unwrap();
    let progress = Progress::default();
    let source = MemorySource::new(tree.clone(), FileTime::new(1_800_000_000, 0));
    let mut save = SaveOptions::new(&progress, entropy(seed + 1_000_000));
    save.threads = 1;
    save.writer = WriterOptions {
        workers: Some(1),
        ..options()
    };
    save_tree(&repository, &source, &save).unwrap();
    see(&store, &repository, protection)
}

/// Whatever the sizes may tell: all of them, some of them, their sums and numbers.
fn features(sight: &Sight) -> Vec<(String, u64)> {
    let mut features: BTreeMap<String, u64> = BTreeMap::new();
    for (folder, size) in sight {
        *features.entry(format!("number in {folder}")).or_default() += 1;
        *features.entry(format!("bytes in {folder}")).or_default() += size;
        let greatest = features.entry(format!("greatest in {folder}")).or_default();
        *greatest = (*greatest).max(*size);
        let least = features
            .entry(format!("least in {folder}"))
            .or_insert(u64::MAX);
        *least = (*least).min(*size);
    }
    let all = blake3::hash(format!("{sight:?}").as_bytes());
    let all = u64::from_le_bytes(*all.as_bytes().first_chunk().unwrap());
    features.insert("everything".to_owned(), all);
    features.into_iter().collect()
}

/// The observer: for each feature, how often he saw which value with which content.
#[derive(Default)]
struct Observer {
    seen: BTreeMap<(String, u64), [f64; 2]>,
}

impl Observer {
    fn learn(&mut self, sight: &Sight, content: usize) {
        for feature in features(sight) {
            self.seen.entry(feature).or_default()[content] += 1.0;
        }
    }

    /// The likelier content, by all features together.
    fn guess(&self, sight: &Sight) -> usize {
        let score: f64 = features(sight)
            .iter()
            .filter_map(|feature| self.seen.get(feature))
            .map(|[first, second]| ((first + 0.5) / (second + 0.5)).ln())
            .sum();
        usize::from(score < 0.0)
    }
}

/// How many questions of [`QUESTIONS`] the observer answers rightly.
fn right_answers(contents: &[Tree; 2], protection: Protection, seed: u64) -> u64 {
    let mut observer = Observer::default();
    for lesson in 0..LESSONS {
        for (content, tree) in contents.iter().enumerate() {
            let seed = seed + 10 + 2 * lesson + content as u64;
            observer.learn(&saved(tree, seed, protection), content);
        }
    }
    let mut dice = Dice::new(seed);
    (0..QUESTIONS)
        .filter(|question| {
            let content = usize::from(dice.chance(2));
            let sight = saved(&contents[content], seed + 100_000 + question, protection);
            observer.guess(&sight) == content
        })
        .count() as u64
}

/// Two contents of the same size: one large file each, and many files of equal sizes.
fn pairs() -> [[Tree; 2]; 2] {
    let mut dice = Dice::new(2025);
    let mut files = |count: usize, len: usize| -> Tree {
        let files: Vec<Vec<u8>> = (0..count).map(|_| dice.bytes(len)).collect();
        tree(&files)
    };
    [
        [files(1, 1 << 20), files(1, 1 << 20)],
        [files(12, 90_000), files(12, 90_000)],
    ]
}

#[test]
fn sizes_and_numbers_of_objects_do_not_tell_two_known_contents_apart() {
    for (n, pair) in pairs().iter().enumerate() {
        let right = right_answers(pair, Protection::Full, 7_000 * (n as u64 + 1));
        // Three and a half standard deviations from chance; the seeds are fixed.
        assert!(
            (165..=235).contains(&right),
            "pair {n}: {right} of {QUESTIONS}"
        );
    }
}

#[test]
fn the_same_observer_tells_them_apart_without_key_and_padding() {
    for (n, pair) in pairs().iter().enumerate() {
        let right = right_answers(pair, Protection::None, 7_000 * (n as u64 + 1));
        assert!(right >= 390, "pair {n}: {right} of {QUESTIONS}");
    }
}

#[test]
fn the_sizes_of_an_unpadded_pack_are_reckoned_rightly() {
    let store = memory();
    let repository =
        Repository::create(store.clone(), &Unlock::Key(KEY), small(), &*entropy(1)).unwrap();
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let mut stream = writer.stream(Stream::Data);
    stream.put(b"hello, strongroom").unwrap();
    stream.finish().unwrap();
    let mut tree = writer.stream(Stream::Tree);
    let root = tree.put(b"root").unwrap();
    tree.finish().unwrap();
    writer.commit(crate::scene::body(root)).unwrap();
    repository
        .packs(&mut |id, size| {
            let bare = without_padding(&repository, id);
            // The padding's own tag, and zeroes up to the class of 4 KiB.
            assert!(bare + 16 <= size && size == 4096, "{bare} of {size}");
        })
        .unwrap();
}
