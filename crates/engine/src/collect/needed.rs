//! What one manifest needs of the store: for whoever has the store keep it from deletion.
//!
//! Index runs are left out: merging replaces them, and a repair makes them anew from the packs. So
//! are leases and records of deletions, which say nothing of what was saved.
//!
//! Invariant: never too few. A pack of which a chunk may be needed is among them.

use std::collections::HashSet;

use super::{look, mark::Marked, needs};
use crate::{
    error::Result,
    id::ManifestId,
    layout::{Object, prefix},
    repository::Repository,
    tree::Progress,
};

/// The objects without which the manifest does not open, the manifest itself last.
pub fn needed(
    repository: &Repository,
    manifest: ManifestId,
    progress: &Progress,
) -> Result<Vec<Object>> {
    repository.refresh_index()?;
    let runs = repository.runs()?.open;
    let mut marked = Marked::for_entries(runs.iter().map(|run| run.entries).sum());
    let body = repository.manifest(&manifest)?;
    let (reader, mut nodes) = (repository.reader(), HashSet::new());
    look::mark(&reader, &body, &mut marked, &mut nodes, progress)?;
    let packs = repository.despite_merges(&mut || needs(repository, &marked, progress))?;
    let mut objects = vec![Object::Format];
    for records in [prefix::SLOTS, prefix::REPLACEMENTS] {
        repository.objects_under(records, &mut |object, _| objects.push(object))?;
    }
    let mut parity = HashSet::new();
    if repository.parity_percent() > 0 {
        repository.objects_under(prefix::PARITY, &mut |object, _| {
            parity.insert(object);
        })?;
    }
    for (pack, _) in packs.into_iter().filter(|(_, need)| need.needed > 0) {
        objects.push(Object::Pack(pack));
        let beside = Object::Parity(pack);
        objects.extend(parity.contains(&beside).then_some(beside));
    }
    objects.push(Object::Manifest(manifest));
    Ok(objects)
}
