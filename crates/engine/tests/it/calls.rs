//! What an operation costs in calls to the store: these figures are round trips on S3.

use strongroom_engine::{ChunkId, Error, Found, Reader, Stream};
use strongroom_store::{Operation, Store, record::Recorder};

use crate::{scene::*, world::copy as twin};

fn recorded(store: &Store) -> (Recorder, Store) {
    let recorder = Recorder::counting();
    let wrapped = recorder.wrap(store);
    (recorder, wrapped)
}

/// Calls by operation, those that did not happen left out.
fn tally(recorder: &Recorder) -> Vec<(Operation, u64)> {
    let calls = |operation| (operation, recorder.tally(operation).calls);
    Operation::ALL
        .into_iter()
        .map(calls)
        .filter(|(_, calls)| *calls > 0)
        .collect()
}

#[test]
fn opening_reads_the_header_and_one_slot() {
    let store = memory();
    create(&store);
    let (recorder, wrapped) = recorded(&store);
    open(&wrapped);
    assert_eq!(
        tally(&recorder),
        [(Operation::Get, 2), (Operation::List, 1)]
    );
}

#[test]
fn listing_manifests_costs_two_listings() {
    let store = memory();
    let repository = create(&store);
    save(&repository, 2, 0..50).unwrap();
    save(&repository, 3, 0..80).unwrap();
    let (recorder, wrapped) = recorded(&store);
    let repository = open(&wrapped);
    let before = recorder.total();
    assert_eq!(repository.manifests().unwrap().len(), 2);
    assert_eq!(recorder.total() - before, 2);
}

#[test]
fn a_save_of_known_chunks_writes_a_lease_and_a_manifest_only() {
    let store = memory();
    save(&create(&store), 2, 0..50).unwrap();
    let (recorder, wrapped) = recorded(&store);
    save(&open(&wrapped), 3, 0..50).unwrap();
    let calls = |operation| recorder.tally(operation).calls;
    assert_eq!(calls(Operation::PutIdempotent), 0);
    assert_eq!(calls(Operation::CreateNew), 2);
    assert_eq!(calls(Operation::Delete), 1);
}

#[test]
fn a_chunk_costs_one_request_and_its_neighbour_none() {
    let store = memory();
    let repository = create(&store);
    let options = strongroom_engine::WriterOptions {
        run_entries: 1000,
        ..options()
    };
    let writer = repository.writer(options, entropy(2)).unwrap();
    let root = put(&writer, 0..50).unwrap();
    writer.commit(body(root)).unwrap();
    let (recorder, wrapped) = recorded(&store);
    let reader = open(&wrapped).reader();
    let list = reader.read(Stream::Tree, &root).unwrap();
    let ids: Vec<_> = list
        .as_chunks()
        .0
        .iter()
        .map(|id| ChunkId::from_bytes(*id))
        .collect();
    let cost = |id: &ChunkId| {
        let before = recorder.total();
        reader.read(Stream::Data, id).unwrap();
        recorder.total() - before
    };
    assert_eq!([0, 1].map(|n: usize| cost(&ids[n])), [1, 0]);
}

#[test]
fn chunks_asked_for_together_are_read_with_one_request_for_neighbours() {
    let store = memory();
    let repository = create(&store);
    let id = save(&repository, 2, 0..150).unwrap();
    let root = repository.manifest(&id).unwrap().body.root;
    let packs = keys(&store, "packs/").len() as u64;
    let (recorder, wrapped) = recorded(&store);
    let reader = open(&wrapped).reader();
    let list = reader.read(Stream::Tree, &root).unwrap();
    let ids: Vec<_> = list
        .as_chunks()
        .0
        .iter()
        .map(|id| ChunkId::from_bytes(*id))
        .collect();
    let before = recorder.tally(Operation::GetRange).calls;
    let chunks = reader.read_all(Stream::Data, &ids);
    for (chunk, n) in chunks.into_iter().zip(0..150) {
        assert_eq!(*chunk.unwrap(), *crate::scene::chunk(n));
    }
    let index_pages = 2 * keys(&store, "index/").len() as u64;
    let calls = recorder.tally(Operation::GetRange).calls - before;
    assert!(
        calls <= packs + index_pages,
        "{calls} requests for {packs} packs"
    );
    let before = recorder.total();
    for id in &ids {
        reader.read(Stream::Data, id).unwrap();
    }
    let segments_alone = recorder.total() - before;
    assert!(segments_alone <= packs, "{segments_alone} more");
}

/// Asks for chunks as they come; says how often each was right, and which are lost.
fn visit(reader: &Reader, ids: &[ChunkId], chunks: &[u64]) -> (Vec<u32>, Vec<usize>) {
    let (mut right, mut lost) = (vec![0; ids.len()], Vec::new());
    let visited = reader.visit(Stream::Data, ids, &mut |found| {
        match found {
            Found::Chunks {
                bytes,
                chunks: here,
            } => {
                for (at, range) in here {
                    assert_eq!(bytes[range.clone()], *crate::scene::chunk(chunks[*at]));
                    right[*at] += 1;
                }
            }
            Found::Lost(at, _) => lost.push(at),
        }
        Ok(())
    });
    visited.unwrap();
    (right, lost)
}

#[test]
fn chunks_that_are_handed_out_as_they_come_come_once_each_or_are_named_as_lost() {
    let store = memory();
    let repository = create(&store);
    let id = save(&repository, 2, 0..150).unwrap();
    let root = repository.manifest(&id).unwrap().body.root;
    let list = repository.reader().read(Stream::Tree, &root).unwrap();
    let (all, _) = list.as_chunks::<32>();
    let all: Vec<_> = all.iter().map(|id| ChunkId::from_bytes(*id)).collect();
    // Segments wanted whole, in part, and twice.
    let wanted = [
        (0..150).collect(),
        (0..150).rev().step_by(7).collect(),
        vec![3, 3, 80, 3],
    ];
    for chunks in &wanted {
        let chunks: &Vec<u64> = chunks;
        let ids: Vec<_> = chunks
            .iter()
            .map(|n| all[usize::try_from(*n).unwrap()])
            .collect();
        let (right, lost) = visit(&open(&store).reader(), &ids, chunks);
        assert!(
            right.iter().all(|times| *times == 1) && lost.is_empty(),
            "{right:?} {lost:?}"
        );
    }
    let chunks: Vec<u64> = (0..150).collect();
    let mut some = 0;
    for pack in keys(&store, "packs/") {
        let harmed = twin(&store);
        alter(&harmed, &pack, |bytes| bytes[150] ^= 1);
        let (right, lost) = visit(&open(&harmed).reader(), &all, &chunks);
        assert!((0..150).all(|at| right[at] + u32::from(lost.contains(&at)) == 1));
        some += lost.len();
    }
    assert!((1..150).contains(&some), "{some} lost");
}

#[test]
fn whoever_is_handed_chunks_can_end_it() {
    let store = memory();
    let repository = create(&store);
    let id = save(&repository, 2, 0..150).unwrap();
    let root = repository.manifest(&id).unwrap().body.root;
    let reader = repository.reader();
    let list = reader.read(Stream::Tree, &root).unwrap();
    let (ids, _) = list.as_chunks::<32>();
    let ids: Vec<_> = ids.iter().map(|id| ChunkId::from_bytes(*id)).collect();
    let mut given = 0;
    let ended = reader.visit(Stream::Data, &ids, &mut |_| {
        given += 1;
        Err(Error::Cancelled)
    });
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert_eq!(given, 1);
}

#[test]
fn many_saves_leave_few_runs_and_every_chunk_in_them() {
    let store = memory();
    let repository = create(&store);
    let saves: Vec<_> = (0..60)
        .map(|n| save(&repository, 100 + n, n * 10..n * 10 + 15).unwrap())
        .collect();
    assert!(keys(&store, "index/").len() <= 17);
    for (n, id) in (0..).zip(&saves) {
        let (good, errors) = crate::scene::load(&open(&store), id, n * 10..n * 10 + 15).unwrap();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(good, 15);
    }
}

#[test]
fn a_writer_and_a_reader_find_what_others_merged_meanwhile() {
    let store = memory();
    let first = save(&create(&store), 1, 0..20).unwrap();
    let (reading, writing) = (open(&store), open(&store));
    // Both have the index in memory, and none of its pages.
    let reader = reading.reader();
    let root = reading.manifest(&first).unwrap().body.root;
    let writer = writing.writer(options(), entropy(900)).unwrap();
    reading.packs_of(&ChunkId::from_bytes([1; 32])).unwrap();
    let old = keys(&store, "index/");
    for n in 1..40 {
        save(&open(&store), 200 + n, n * 20..n * 20 + 20).unwrap();
    }
    assert!(old.iter().all(|run| !keys(&store, "index/").contains(run)));
    put(&writer, 0..20).unwrap();
    assert_eq!(writer.counts().new_chunks, 0);
    assert!(reader.read(Stream::Tree, &root).is_ok());
}
