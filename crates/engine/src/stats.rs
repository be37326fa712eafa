//! How much is in a repository, from listings and the index's directories alone.

use crate::{error::Result, repository::Repository};

/// Sizes of a repository.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Manifests that count.
    pub manifests: u64,
    /// Bytes of content that they stand for, as their owners see them.
    pub logical_bytes: u64,
    /// Bytes of chunks that were new when they were saved, before compression.
    pub unique_bytes: u64,
    /// Packs in the store.
    pub packs: u64,
    /// Bytes of packs.
    pub pack_bytes: u64,
    /// Index runs.
    pub runs: u64,
    /// Entries of the index; a chunk that was stored twice counts twice.
    pub index_entries: u64,
    /// Forgotten manifests that a collection has not let go yet.
    pub forgotten: u64,
    /// Packs that wait for their removal.
    pub quarantined_packs: u64,
    /// Bytes of all objects.
    pub stored_bytes: u64,
}

/// Measures a repository.
pub fn stats(repository: &Repository) -> Result<Stats> {
    let mut stats = Stats::default();
    for id in repository.manifests()? {
        let manifest = repository.manifest(&id)?;
        stats.manifests += 1;
        stats.logical_bytes += manifest.body.logical_bytes;
        stats.unique_bytes += manifest.unique_bytes;
    }
    repository.packs(&mut |_, size| {
        stats.packs += 1;
        stats.pack_bytes += size;
    })?;
    let runs = repository.runs()?.open;
    stats.runs = runs.len() as u64;
    stats.index_entries = runs.iter().map(|run| run.entries as u64).sum();
    stats.forgotten = repository.forgotten()?.len() as u64;
    let quarantines = repository.quarantines()?;
    stats.quarantined_packs = quarantines.iter().map(|each| each.packs.len() as u64).sum();
    stats.stored_bytes = repository.bytes_under("")?;
    Ok(stats)
}
