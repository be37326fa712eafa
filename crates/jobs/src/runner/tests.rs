//! The suite over the store in memory, and histories.

use proptest::prelude::*;

use crate::conformance::{MemoryBench, history};

crate::conformance_suite!(MemoryBench);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_history_ends_with_all_or_nothing_of_each_job(
        moves in proptest::collection::vec(any::<u8>(), 0..80)
    ) {
        history::play::<MemoryBench>(&moves);
    }
}
