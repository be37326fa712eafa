//! A repository of tens of millions of chunks: opened, asked, checked and collected in bounded
//! memory.
//!
//! The index and the block map are real, and so are the packs, but each holds one tiny chunk: the
//! bytes of 3 TiB are the one thing that is left out. A tenth of the chunks is needed by nobody.

use std::{sync::Arc, time::Instant};

use strongroom_model::{Entropy, Timestamp};
use strongroom_store::Store;
use strongroom_testkit::entropy::SeededEntropy;

use super::{Location, RunBuilder};
use crate::{
    Body, ChunkId, CreateOptions, Items, Layer, Repository, Stream, Unlock, WriterOptions,
    check::{CheckOptions, check},
    collect::{CollectOptions, collect},
    layout::Object,
    pack::PackBuilder,
    segment::{Codec, Draft},
    tree::Progress,
    volume::{map, top::Top},
};

/// Chunks of one pack.
const PER_PACK: u64 = 640;
/// Every so many chunks there is one that nobody needs.
const DEAD: u64 = 10;

/// The chunk of that number; ids ascend with it.
fn id(number: u64, chunks: u64) -> ChunkId {
    let mut bytes = *blake3::hash(&number.to_le_bytes()).as_bytes();
    let step = u64::MAX / chunks;
    let noise = u64::from_le_bytes(*bytes.first_chunk().unwrap()) % step;
    bytes[..8].copy_from_slice(&(number * step + noise).to_be_bytes());
    ChunkId::from_bytes(bytes)
}

fn is_dead(number: u64) -> bool {
    number % DEAD == DEAD - 1
}

/// Stores so many packs of one chunk; tells where each chunk is.
fn store_packs(repository: &Repository, count: u64, entropy: &dyn Entropy) -> Vec<Location> {
    let objects = repository.objects();
    let pack = |number: u64| {
        let keys = objects.keys();
        let mut draft = Draft::new(Stream::Data);
        let bytes = [number.to_le_bytes(); 8].concat();
        draft.push(keys.chunk_id(Stream::Data, &bytes), &bytes);
        let mut pack = PackBuilder::new(keys, Stream::Data, Vec::new(), entropy);
        pack.append(&draft, Codec::Plain, &draft.bytes);
        let pack = pack.finish();
        let object = Object::Pack(pack.info.id);
        objects.put_named(object, &pack.bytes).unwrap();
        Location {
            pack: pack.info,
            extent: pack.segments[0].extent,
            start: 0,
            len: 64,
        }
    };
    (0..count).map(pack).collect()
}

/// Stores the index as one merge would have left it.
fn store_index(repository: &Repository, chunks: u64, entropy: &dyn Entropy) {
    let packs = store_packs(repository, chunks / PER_PACK, entropy);
    let (dead, live) = packs.split_at(packs.len() / 10);
    let mut builder = RunBuilder::default();
    for number in 0..chunks {
        let id = id(number, chunks);
        let packs = if is_dead(number) { dead } else { live };
        let at = u64::from_le_bytes(*id.as_bytes()[20..].first_chunk().unwrap());
        let at = usize::try_from(at % packs.len() as u64).unwrap();
        builder.add(id, &packs[at]);
        if builder.len() == 1 << 19 || number + 1 == chunks {
            let keys = repository.objects().keys();
            let run = std::mem::take(&mut builder).finish(keys, 1, entropy);
            let run = run.unwrap();
            let objects = repository.objects();
            objects.put_named(Object::Run(run.id), &run.bytes).unwrap();
        }
    }
}

/// Saves a volume whose blocks are the chunks that are needed.
fn save_map(repository: &Repository, chunks: u64, entropy: Arc<dyn Entropy>) {
    let writer = repository.writer(WriterOptions::default(), entropy);
    let writer = writer.unwrap();
    let mut tree = writer.stream(Stream::Tree);
    let mut map = map::Builder::new(chunks);
    for number in (0..chunks).filter(|number| !is_dead(*number)) {
        let mut put = |node: &[u8]| tree.put(node);
        map.push(number, id(number, chunks), &mut put).unwrap();
    }
    let top = Top {
        started: strongroom_model::content::FileTime::new(0, 0),
        size: chunks << 16,
        block: 1 << 16,
        version: None,
        root: map.finish(&mut |node| tree.put(node)).unwrap(),
    };
    let root = tree.put(&top.encode()).unwrap();
    tree.finish().unwrap();
    let now = Timestamp::from_micros(0);
    let body = Body {
        layer: Layer::Volume,
        root,
        logical_bytes: top.size,
        items: Items::default(),
        started: now,
        finished: now,
        previous: None,
        labels: std::collections::BTreeMap::new(),
        complete: true,
        problem_count: 0,
        problems: None,
    };
    writer.commit(body).unwrap();
}

/// The most memory that this process ever had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse::<u64>().unwrap() / 1024
}

/// `STRONGROOM_SCALE_CHUNKS=50000000 TMPDIR=/dev/shm cargo nextest run --release
/// -p strongroom-engine --run-ignored only millions_of_chunks --no-capture`
#[test]
#[ignore = "nightly: writes 100 bytes for each of so many chunks"]
fn millions_of_chunks_are_asked_checked_and_collected_in_bounded_memory() {
    let chunks = std::env::var("STRONGROOM_SCALE_CHUNKS");
    let chunks: u64 = chunks.map_or(2_000_000, |chunks| chunks.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(5));
    let unlock = Unlock::Key([7; 32]);
    let store = Store::open(place).unwrap();
    let options = CreateOptions::default();
    let repository = Repository::create(store, &unlock, options, &*entropy).unwrap();
    let started = Instant::now();
    let tell = |what: &str, started: Instant| {
        let seconds = started.elapsed().as_secs_f64();
        println!("{what}: {seconds:.2} s, peak {} MiB so far", peak_mib());
    };
    store_index(&repository, chunks, &*entropy);
    save_map(&repository, chunks, Arc::clone(&entropy));
    drop(repository);
    tell("made", started);

    let started = Instant::now();
    let repository = Repository::open(Store::open(place).unwrap(), &unlock).unwrap();
    let index = repository.index().unwrap();
    tell("opened with its index", started);

    for (what, salt, there) in [("known", 0, true), ("unknown", 1, false)] {
        let started = Instant::now();
        for number in (0..chunks).step_by(usize::try_from(chunks / 100_000).unwrap() + 1) {
            let mut asked = *id(number, chunks).as_bytes();
            asked[31] ^= salt;
            let asked = ChunkId::from_bytes(asked);
            let found = index.locations(repository.objects(), &asked).next();
            assert_eq!(found.transpose().unwrap().is_some(), there);
        }
        tell(&format!("100,000 {what} chunks looked up"), started);
    }
    drop(index);

    let started = Instant::now();
    let options = CheckOptions::default();
    let checked = check(&repository, &options, &Progress::default()).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    assert!(checked.chunks > chunks / 10 * 9);
    tell("checked", started);

    let started = Instant::now();
    let options = CollectOptions::default();
    let collected = collect(&repository, &options, &Progress::default(), &entropy).unwrap();
    // A filter tells what is needed: a dead pack of which it is wrong about one chunk is mixed.
    assert!(collected.packs_removed > 0, "{collected:?}");
    tell("collected", started);
    let checked = check(&repository, &CheckOptions::default(), &Progress::default()).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    assert!(peak_mib() <= 512, "{} MiB", peak_mib());
}
