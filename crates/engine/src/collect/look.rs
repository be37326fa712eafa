//! The two looks at what manifests need, written apart from each other.
//!
//! The first marks through [`reach`](crate::tree::reach), the walk that checks share. The second
//! reads nodes by itself, from their bytes and the format document alone, and asks the index where
//! each chunk lies. A mistake in either then costs space, not data: what the first overlooks, the
//! second holds fast.
//!
//! Invariant: a node that cannot be read ends the look with an error, and nothing is removed.

use std::collections::{BTreeSet, HashSet};

use super::mark::Marked;
use crate::{
    codec::{Decoder, Malformed},
    error::{Error, Result},
    id::{ChunkId, ManifestId, PackId, Stream},
    layout::Object,
    manifest::Manifest,
    reader::Reader,
    repository::Repository,
    tree::{Progress, Reached, Visit, Visitor, reach},
};

/// Marks every chunk that the manifest reaches.
pub(super) fn mark(
    reader: &Reader,
    manifest: &Manifest,
    marked: &mut Marked,
    nodes: &mut HashSet<ChunkId>,
    progress: &Progress,
) -> Result<()> {
    reach(
        reader,
        manifest,
        &mut Marking {
            manifest: manifest.id,
            marked,
            nodes,
            progress,
        },
    )
}

struct Marking<'a> {
    manifest: ManifestId,
    marked: &'a mut Marked,
    /// Nodes whose children are marked; exact, unlike the marks.
    nodes: &'a mut HashSet<ChunkId>,
    progress: &'a Progress,
}

impl Visitor for Marking<'_> {
    fn reach(&mut self, reached: Reached) -> Result<Visit> {
        self.progress.check()?;
        self.marked.mark(&reached.id);
        let new = reached.stream == Stream::Data || self.nodes.insert(reached.id);
        Ok(if new { Visit::Descend } else { Visit::Skip })
    }

    fn lose(&mut self, _: ChunkId, error: Error) -> Result<()> {
        Err(Error::CannotCollect {
            manifest: self.manifest,
            source: Box::new(error),
        })
    }
}

/// Whether a chunk that a manifest needs lies in one of `condemned` and in no pack that is there
/// and in no quarantine. Only the manifests in `gone`, which nothing can bring back, do not count:
/// one that was forgotten since may be restored while we look.
///
/// What the condemned packs hold they say themselves: an index run that is lost, damaged or not
/// yet written would make them look empty, and they are all that could replace it.
pub(super) fn needs_any(
    repository: &Repository,
    condemned: &BTreeSet<PackId>,
    gone: &BTreeSet<ManifestId>,
    progress: &Progress,
) -> Result<bool> {
    let mut manifests = repository.manifest_names()?;
    manifests.retain(|id| !gone.contains(id));
    repository.refresh_index()?;
    // Quarantines before packs: a pack that another collection removes between the two listings
    // is in its quarantine or not in the listing, never a safe place.
    let shunned: BTreeSet<PackId> = repository
        .quarantines()?
        .into_iter()
        .flat_map(|each| each.packs)
        .chain(condemned.iter().copied())
        .collect();
    let mut safe = HashSet::new();
    repository.packs(&mut |id, _| {
        if !shunned.contains(&id) {
            safe.insert(id);
        }
    })?;
    let reader = repository.reader();
    let mut second = Second {
        repository,
        held: repository.despite_merges(&mut || Held::by(repository, condemned, progress))?,
        safe,
        seen: HashSet::new(),
    };
    for id in manifests {
        let body = repository.manifest(&id)?.body;
        let mut nodes: Vec<ChunkId> = body.problems.into_iter().chain([body.root]).collect();
        while let Some(node) = nodes.pop() {
            progress.check()?;
            if !second.seen.insert(node) {
                continue;
            }
            if second.hangs_on_condemned(&node)? {
                return Ok(true);
            }
            let cannot = |source: Error| Error::CannotCollect {
                manifest: id,
                source: Box::new(source),
            };
            let bytes = reader.read(Stream::Tree, &node).map_err(cannot)?;
            let named = names(&bytes).map_err(|malformed| {
                cannot(Error::NodeMalformed {
                    id: node,
                    malformed,
                })
            })?;
            for chunk in named.data {
                if second.hangs_on_condemned(&chunk)? {
                    return Ok(true);
                }
            }
            nodes.extend(named.nodes);
        }
    }
    Ok(false)
}

struct Second<'a> {
    repository: &'a Repository,
    held: Held,
    safe: HashSet<PackId>,
    seen: HashSet<ChunkId>,
}

impl Second<'_> {
    fn hangs_on_condemned(&self, id: &ChunkId) -> Result<bool> {
        if !self.held.contains(id) {
            return Ok(false);
        }
        let packs = self.repository.packs_of(id)?;
        if packs.is_empty() {
            tracing::warn!(chunk = %id, "no index run names a chunk that is needed; repair the repository");
        }
        Ok(!packs.iter().any(|pack| self.safe.contains(pack)))
    }
}

/// The chunks in condemned packs: 4 bytes of each id, sorted. An id that shares them with another
/// costs a look into the index, no more; fifty million chunks cost 200 MB.
struct Held(Vec<u32>);

impl Held {
    /// Reads the directories of the packs, and of those that do not say it, what the index says.
    fn by(
        repository: &Repository,
        condemned: &BTreeSet<PackId>,
        progress: &Progress,
    ) -> Result<Self> {
        let (mut held, mut silent) = (Vec::new(), BTreeSet::new());
        for pack in condemned {
            progress.check()?;
            match repository.pack_directory(*pack) {
                Ok(directory) => held.extend(directory.chunks().map(|chunk| part(&chunk.id))),
                Err(Error::Damaged { .. }) => {
                    silent.insert(*pack);
                }
                Err(error) => return Err(error),
            }
        }
        let runs = repository.runs()?;
        if let (false, Some((run, damage))) = (silent.is_empty(), runs.damaged.first()) {
            return Err(Error::Damaged {
                object: Object::Run(*run),
                damage: damage.clone(),
            });
        }
        for run in runs.open {
            if run.packs().any(|pack| silent.contains(&pack.id)) {
                repository.run_entries(run.id, &mut |chunk| {
                    if silent.contains(&chunk.pack) {
                        held.push(part(&chunk.span.id));
                    }
                })?;
            }
        }
        held.sort_unstable();
        held.dedup();
        Ok(Self(held))
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.0.binary_search(&part(id)).is_ok()
    }
}

fn part(id: &ChunkId) -> u32 {
    u32::from_le_bytes(*id.as_bytes().first_chunk().expect("an id has 32 bytes"))
}

/// What a node names.
#[derive(Default)]
struct Named {
    nodes: Vec<ChunkId>,
    data: Vec<ChunkId>,
}

/// Reads a node by its role, the first byte (docs/format.md, "Trees", "Lists", "Block maps").
fn names(bytes: &[u8]) -> Result<Named, Malformed> {
    let mut from = Decoder::new(bytes);
    let mut named = Named::default();
    match from.u8()? {
        role @ 1..=4 => list(role, &mut from, &mut named)?,
        5 => {
            from.raw(8 + 4)?;
            entry(&mut from, &mut named)?;
        }
        6 => root(&mut from, &mut named)?,
        7 => map(&mut from, &mut named)?,
        8 => {
            from.raw(8 + 4 + 8 + 4)?;
            if from.flag()? {
                from.raw(12 + 12 + 8 + 8)?;
            }
            if from.flag()? {
                named.nodes.push(id(&mut from)?);
            }
        }
        _ => return Err(Malformed::new("is no known kind of node")),
    }
    from.finish()?;
    Ok(named)
}

fn id(from: &mut Decoder<'_>) -> Result<ChunkId, Malformed> {
    from.array().map(ChunkId::from_bytes)
}

fn root(from: &mut Decoder<'_>, named: &mut Named) -> Result<(), Malformed> {
    from.u8()?;
    named.nodes.push(id(from)?);
    Ok(())
}

fn list(role: u8, from: &mut Decoder<'_>, named: &mut Named) -> Result<(), Malformed> {
    let level = from.u8()?;
    for _ in 0..from.u32()? {
        if level > 0 {
            named.nodes.push(id(from)?);
            from.raw(8 + 8)?;
            from.blob()?;
            continue;
        }
        match role {
            1 => {
                from.blob()?;
                entry(from, named)?;
            }
            2 => extent(from, named)?,
            3 => {
                from.blob()?;
                from.blob()?;
            }
            // Problems name no chunks, so their texts need no reading.
            _ => {
                let rest = from.remaining();
                from.raw(rest)?;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn entry(from: &mut Decoder<'_>, named: &mut Named) -> Result<(), Malformed> {
    let kind = from.u8()?;
    from.raw(2 + 4 + 4 + 8 + 12 + 12 + 8 + 8 + 8)?;
    match from.u8()? {
        0 => {}
        1 => {
            for _ in 0..from.u32()? {
                from.blob()?;
                from.blob()?;
            }
        }
        _ => root(from, named)?,
    }
    match kind {
        1 => match from.u8()? {
            0 => from.blob().map(drop),
            1 => {
                let extents = from.u32()?;
                (0..extents).try_for_each(|_| extent(from, named))
            }
            _ => root(from, named),
        },
        2 => {
            if from.flag()? {
                root(from, named)?;
            }
            Ok(())
        }
        3 => from.blob().map(drop),
        4 => Ok(()),
        5 | 6 => from.u64().map(drop),
        _ => Err(Malformed::new("is no known kind of entry")),
    }
}

fn extent(from: &mut Decoder<'_>, named: &mut Named) -> Result<(), Malformed> {
    if from.flag()? {
        from.u64()?;
    } else {
        named.data.push(id(from)?);
        from.u32()?;
    }
    Ok(())
}

fn map(from: &mut Decoder<'_>, named: &mut Named) -> Result<(), Malformed> {
    let level = from.u8()?;
    let present: [u8; 128] = from.array()?;
    let children = present.iter().map(|byte| byte.count_ones()).sum::<u32>();
    for _ in 0..children {
        let child = id(from)?;
        if level == 0 {
            &mut named.data
        } else {
            &mut named.nodes
        }
        .push(child);
    }
    Ok(())
}
