//! Measures the engine's stages on files: `cargo run --release --example speed -- FILE…`.
//!
//! Prints, per file: how fast it is cut and into what, how fast it is saved as new, saved again,
//! and read back. The repository lies in memory unless `REPO` names a store.

#![expect(clippy::print_stdout, reason = "an example that prints figures")]

use std::{
    collections::BTreeMap, env, error::Error, fs, path::Path, sync::Arc, thread, time::Instant,
};

use strongroom_engine::{
    Body, ChunkId, CreateOptions, Items, Layer, ManifestId, Repository, Stream, Unlock,
    WriterOptions,
};
use strongroom_model::Timestamp;
use strongroom_store::Store;
use strongroom_testkit::entropy::SeededEntropy;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    for path in env::args().skip(1) {
        measure(Path::new(&path))?;
    }
    Ok(())
}

fn measure(path: &Path) -> Outcome {
    let bytes = fs::read(path)?;
    let store = Store::open(&env::var("REPO").unwrap_or_else(|_| "memory:".to_owned()))?;
    let entropy = Arc::new(SeededEntropy::new(1));
    let unlock = Unlock::Key([1; 32]);
    let repository = Repository::create(store, &unlock, CreateOptions::default(), &*entropy)?;
    println!("{} ({} MiB)", path.display(), bytes.len() >> 20);

    let started = Start::now();
    let cuts: Vec<_> = repository.cutter().cuts(&bytes).collect();
    (1..10).for_each(|_| assert_eq!(repository.cutter().cuts(&bytes).count(), cuts.len()));
    report("cut ten times", 10 * bytes.len(), &started);
    let longest = cuts
        .iter()
        .filter(|cut| cut.len() == repository.cutter().max())
        .count();
    println!(
        "  {} chunks, mean {} KiB, {longest} of the longest size",
        cuts.len(),
        (bytes.len() / cuts.len().max(1)) >> 10
    );

    for what in ["save new", "save known"] {
        let started = Start::now();
        let (id, counts) = save(&repository, &bytes, &entropy)?;
        report(what, bytes.len(), &started);
        println!(
            "  stored {} MiB, new {}",
            counts.stored_bytes >> 20,
            counts.new_chunks
        );
        if what == "save known" {
            let started = Start::now();
            restore(&repository, &id)?;
            report("read", bytes.len(), &started);
        }
    }
    println!("  peak memory {}", peak_memory());
    Ok(())
}

/// Saves with two front threads, as a tree of two files would be.
fn save(
    repository: &Repository,
    bytes: &[u8],
    entropy: &Arc<SeededEntropy>,
) -> Outcome<(ManifestId, strongroom_engine::Counts)> {
    let writer = repository.writer(WriterOptions::default(), Arc::clone(entropy) as _)?;
    let halves = bytes.split_at(bytes.len() / 2);
    let cutter = repository.cutter();
    let put = |bytes: &[u8]| -> Outcome<Vec<ChunkId>> {
        let mut stream = writer.stream(Stream::Data);
        let ids = cutter.cuts(bytes).map(|cut| stream.put(&bytes[cut]));
        let ids = ids.collect::<Result<_, _>>()?;
        stream.finish()?;
        Ok(ids)
    };
    let ids = thread::scope(|scope| {
        let second = scope.spawn(|| put(halves.1));
        let mut ids = put(halves.0)?;
        ids.extend(second.join().expect("no panic")?);
        Ok::<_, Box<dyn Error + Send + Sync>>(ids)
    })?;
    let mut tree = writer.stream(Stream::Tree);
    let mut roots = Vec::new();
    for ids in ids.chunks(4096) {
        let list: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
        roots.extend_from_slice(tree.put(&list)?.as_bytes());
    }
    let root = tree.put(&roots)?;
    tree.finish()?;
    let counts = writer.counts();
    let body = Body {
        layer: Layer::Tree,
        root,
        logical_bytes: bytes.len() as u64,
        items: Items::default(),
        started: Timestamp::from_micros(0),
        finished: Timestamp::from_micros(0),
        previous: None,
        labels: BTreeMap::new(),
        complete: true,
        problem_count: 0,
        problems: None,
    };
    Ok((writer.commit(body)?, counts))
}

/// Reads everything with two threads.
fn restore(repository: &Repository, id: &ManifestId) -> Outcome {
    let reader = repository.reader();
    let list = |id: &ChunkId| -> Outcome<Vec<ChunkId>> {
        let bytes = reader.read(Stream::Tree, id)?;
        Ok(bytes
            .as_chunks::<32>()
            .0
            .iter()
            .map(|id| ChunkId::from_bytes(*id))
            .collect())
    };
    let mut ids = Vec::new();
    for part in list(&repository.manifest(id)?.body.root)? {
        ids.extend(list(&part)?);
    }
    thread::scope(|scope| {
        let threads: Vec<_> = ids
            .chunks(ids.len().div_ceil(2))
            .map(|ids| {
                scope.spawn(|| {
                    for batch in ids.chunks(64) {
                        for chunk in reader.read_all(Stream::Data, batch) {
                            chunk?;
                        }
                    }
                    Ok::<_, strongroom_engine::Error>(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    Ok(())
}

/// A point in time, by the wall and by the processor time of all threads.
struct Start {
    wall: Instant,
    cpu_ticks: u64,
}

impl Start {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            cpu_ticks: cpu_ticks(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(what: &str, bytes: usize, start: &Start) {
    let wall = start.wall.elapsed().as_secs_f64();
    let cpu = (cpu_ticks() - start.cpu_ticks) as f64 / 100.0;
    let rate = |seconds: f64| bytes as f64 / seconds.max(1e-9) / 1e6;
    println!(
        "  {what}: {wall:.3} s, {:.0} MB/s; {cpu:.2} s of processor, {:.0} MB/s of it",
        rate(wall),
        rate(cpu)
    );
}

/// User and system time of this process, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}
