//! What was committed comes back, and only what is new is stored.

use strongroom_engine::{ChunkSpan, Error, Stream, Unlock};

use crate::scene::*;

#[test]
fn what_was_committed_comes_back_from_a_fresh_start() {
    let store = memory();
    let repository = create(&store);
    let id = save(&repository, 2, 0..200).unwrap();
    assert_restores(&repository, &id, 0..200);
    let again = open(&store);
    assert_eq!(again.manifests().unwrap(), [id]);
    assert_restores(&again, &id, 0..200);
    assert!(keys(&store, "leases/").is_empty());
    assert!(keys(&store, "packs/").len() > 5);
    assert!(keys(&store, "index/").len() > 2);
}

#[test]
fn a_second_save_stores_only_what_is_new() {
    let store = memory();
    let repository = create(&store);
    save(&repository, 2, 0..100).unwrap();
    let packs = keys(&store, "packs/").len();
    let writer = open(&store).writer(options(), entropy(3)).unwrap();
    let root = put(&writer, 0..100).unwrap();
    let counts = writer.counts();
    assert_eq!((counts.new_chunks, counts.known_chunks), (0, 101));
    let id = writer.commit(body(root)).unwrap();
    assert_eq!(keys(&store, "packs/").len(), packs);
    let manifest = repository.manifest(&id).unwrap();
    assert_eq!((manifest.unique_bytes, manifest.stored_bytes), (0, 0));
    assert_restores(&repository, &id, 0..100);
}

#[test]
fn a_chunk_put_twice_is_stored_once() {
    let repository = create(&memory());
    let writer = repository.writer(options(), entropy(2)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| put(&writer, 0..300).unwrap());
        }
    });
    let counts = writer.counts();
    assert_eq!((counts.new_chunks, counts.known_chunks), (301, 602));
    writer.abandon();
}

#[test]
fn a_chunk_is_never_served_in_the_other_role() {
    let repository = create(&memory());
    let id = save(&repository, 2, 0..3).unwrap();
    let reader = repository.reader();
    let root = repository.manifest(&id).unwrap().body.root;
    assert!(matches!(
        reader.read(Stream::Data, &root),
        Err(Error::ChunkRole { .. })
    ));
    let list = reader.read(Stream::Tree, &root).unwrap();
    let data = strongroom_engine::ChunkId::from_bytes(*list.first_chunk().unwrap());
    assert!(matches!(
        reader.read(Stream::Tree, &data),
        Err(Error::ChunkRole { .. })
    ));
}

#[test]
fn a_wrong_key_and_an_empty_store_are_named() {
    let store = memory();
    create(&store);
    let open = |key| strongroom_engine::Repository::open(store.clone(), &Unlock::Key(key));
    assert!(matches!(
        open([1; 32]),
        Err(Error::WrongKey {
            slots: 1,
            given: "key"
        })
    ));
    let empty = strongroom_engine::Repository::open(memory(), &Unlock::Key(KEY));
    assert!(matches!(empty, Err(Error::NotARepository { .. })));
}

#[test]
fn a_commit_with_an_open_stream_is_refused() {
    let store = memory();
    let repository = create(&store);
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let mut stream = writer.stream(Stream::Tree);
    let root = stream.put(b"root").unwrap();
    assert!(matches!(
        writer.commit(body(root)),
        Err(Error::StreamsOpen { open: 1 })
    ));
    drop(stream);
    assert!(repository.manifests().unwrap().is_empty());
    assert!(keys(&store, "leases/").is_empty());
}

#[test]
fn chunks_of_no_or_too_many_bytes_are_refused() {
    let repository = create(&memory());
    let writer = repository.writer(options(), entropy(2)).unwrap();
    let mut stream = writer.stream(Stream::Data);
    assert!(matches!(
        stream.put(b""),
        Err(Error::ChunkSize { len: 0, .. })
    ));
    let long = vec![1; (1 << 20) + 1];
    assert!(matches!(stream.put(&long), Err(Error::ChunkSize { .. })));
    stream.put(&long[1..]).unwrap();
}

#[test]
fn long_content_lies_in_segments_twice_as_long() {
    for (long, least) in [(false, 8 << 10), (true, 16 << 10)] {
        let repository = create(&memory());
        let writer = repository.writer(options(), entropy(1)).unwrap();
        let mut data = writer.stream(Stream::Data);
        data.expect_long(long);
        for n in 0..100 {
            data.put(&chunk(n)).unwrap();
        }
        data.finish().unwrap();
        let mut tree = writer.stream(Stream::Tree);
        let root = tree.put(b"root").unwrap();
        tree.finish().unwrap();
        writer.commit(body(root)).unwrap();
        let mut lengths = Vec::new();
        let mut packs = Vec::new();
        repository.packs(&mut |id, _| packs.push(id)).unwrap();
        for pack in packs {
            let directory = repository.pack_directory(pack).unwrap();
            if directory.stream() == Stream::Data {
                let length = |chunks: &[ChunkSpan]| chunks.iter().map(|chunk| chunk.len).sum();
                lengths.extend(
                    directory
                        .segments()
                        .map(|each| -> u32 { length(each.chunks()) }),
                );
            }
        }
        lengths.sort_unstable();
        // The last one is as long as what was left.
        let shortest = lengths[1];
        let longest_chunk = 5 << 10;
        assert!(
            (least..least + longest_chunk).contains(&shortest),
            "{lengths:?}"
        );
    }
}
