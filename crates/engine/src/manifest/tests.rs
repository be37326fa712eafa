//! Tests of `manifest`.

use proptest::{collection, option, prelude::*};

use super::*;

prop_compose! {
    fn manifest()(
        volume: bool, root: [u8; 32], sizes: [u64; 3], counts: [u64; 5], times: [i64; 2],
        previous in option::of(any::<[u8; 16]>()),
        labels in collection::btree_map(any::<String>(), any::<String>(), 0..4),
        complete: bool,
        problem_count: u64,
        problems in option::of(any::<[u8; 32]>()),
        runs in collection::vec(any::<[u8; 32]>(), 0..4),
    ) -> Manifest {
        let [logical_bytes, unique_bytes, stored_bytes] = sizes;
        let [files, directories, links, others, blocks] = counts;
        let body = Body {
            layer: if volume { Layer::Volume } else { Layer::Tree },
            root: ChunkId::from_bytes(root),
            logical_bytes,
            items: Items { files, directories, links, others, blocks },
            started: Timestamp::from_micros(times[0]),
            finished: Timestamp::from_micros(times[1]),
            previous: previous.map(ManifestId::from_bytes),
            labels,
            complete,
            problem_count,
            problems: problems.map(ChunkId::from_bytes),
        };
        let id = ManifestId::from_bytes([5; 16]);
        let runs = runs.into_iter().map(RunId::from_bytes).collect();
        Manifest { id, body, unique_bytes, stored_bytes, runs }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_manifest_comes_back_and_no_other_length_is_taken(manifest in manifest()) {
        let bytes = manifest.encode();
        prop_assert_eq!(Manifest::decode(manifest.id, &bytes), Ok(manifest.clone()));
        for len in 0..bytes.len() {
            prop_assert!(Manifest::decode(manifest.id, &bytes[..len]).is_err());
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert!(Manifest::decode(manifest.id, &longer).is_err());
        prop_assert!(bytes.len() > FENCE_BODY_LEN);
    }

    #[test]
    fn arbitrary_bytes_are_never_a_panic(bytes in collection::vec(any::<u8>(), 0..300)) {
        let _ = Manifest::decode(ManifestId::from_bytes([0; 16]), &bytes);
    }
}
