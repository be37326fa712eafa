//! Sizes fall into classes, and padding costs what it is allowed to.

use super::*;

#[test]
fn packs_grow_by_no_more_than_a_block_or_a_64th() {
    for len in (93..40_000_000).step_by(9_973) {
        let size = padded(Kind::DataPack, len);
        assert!(
            size >= len && size - len < PACK_STEP_MIN.max(len / 64 + 1),
            "{len}"
        );
        assert_eq!(padded(Kind::DataPack, size), size, "{len}");
    }
}

#[test]
fn all_sizes_of_records_are_few() {
    let sizes = |kind, max| -> std::collections::BTreeSet<_> {
        (1..max).map(|len| padded(kind, len)).collect()
    };
    assert_eq!(sizes(Kind::Lease, COARSE_MAX).len(), 9);
    assert_eq!(sizes(Kind::Run, COARSE_MAX).len(), 5);
    assert_eq!(sizes(Kind::Run, 2 * COARSE_MAX).len(), 5 + 8);
    assert_eq!(sizes(Kind::DataPack, 16 << 10).len(), 4);
}

#[test]
fn no_manifest_is_as_short_as_a_fence() {
    let fence = padded(Kind::Fence, 128);
    assert_eq!(fence, 256);
    assert!((1..10_000).all(|len| padded(Kind::Manifest, len) > fence));
}
