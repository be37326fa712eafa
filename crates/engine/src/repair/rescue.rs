//! Chunks of damaged packs: who else has them, and writing them anew.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use strongroom_model::Entropy;

use super::{Bad, Plan, RepairOptions, Step, Unhealed, step::Origin, survey};
use crate::{
    Chunk,
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, Stream},
    index::{Index, Location},
    layout::Object,
    reader::Reader,
    repository::Repository,
    tree::{Progress, Reached, Visit, Visitor, reach},
    writer::WriterOptions,
};

/// A chunk to be written anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    id: ChunkId,
    stream: Stream,
    origin: Origin,
    /// Its place in the damaged pack, if that is known.
    location: Option<Location>,
}

/// Finds an origin for every chunk of a bad pack that no whole pack has.
pub(super) fn plan(
    repository: &Repository,
    options: &RepairOptions<'_>,
    bad: &Bad,
    progress: &Progress,
    plan: &mut Plan,
) -> Result<()> {
    let sources = Sources::new(repository, options);
    let index = repository.index()?;
    let reindexed = reindexed(repository, bad, &plan.reindex)?;
    let elsewhere =
        |id: &ChunkId| reindexed.contains(id) || is_elsewhere(repository, options, &index, bad, id);
    let mut planned = HashSet::new();
    for (id, pack) in &bad.packs {
        progress.check()?;
        let mut counts: BTreeMap<Origin, usize> = BTreeMap::new();
        let mut lost = 0;
        for (chunk, location) in &pack.chunks {
            if planned.contains(chunk) || elsewhere(chunk) {
                continue;
            }
            let stream = location.pack.stream;
            match sources.find(stream, chunk, Some(location))? {
                Some(origin) => {
                    planned.insert(*chunk);
                    *counts.entry(origin).or_default() += 1;
                    plan.rescue.push(Wanted {
                        id: *chunk,
                        stream,
                        origin,
                        location: Some(*location),
                    });
                }
                None => lost += 1,
            }
        }
        let damage = pack.damage.clone();
        if !bad.condemned.contains(id) {
            plan.condemn[usize::from(lost > 0)].push(*id);
            plan.steps.push(Step::Condemn {
                pack: *id,
                damage: damage.clone(),
            });
        }
        plan.steps
            .extend(counts.into_iter().map(|(origin, chunks)| Step::Rescue {
                pack: Some(*id),
                origin,
                chunks,
            }));
        if lost > 0 {
            plan.unhealed.push(Unhealed {
                object: Object::Pack(*id),
                damage,
                chunks: lost,
            });
        }
    }
    if options.share.is_whole() {
        for number in 0..options.mirrors.len() {
            missing(repository, &sources, number, &elsewhere, &mut planned, plan)?;
        }
    }
    Ok(())
}

/// Plans what manifests need, no pack here has and a mirror has.
fn missing(
    repository: &Repository,
    sources: &Sources<'_>,
    number: usize,
    elsewhere: &dyn Fn(&ChunkId) -> bool,
    planned: &mut HashSet<ChunkId>,
    plan: &mut Plan,
) -> Result<()> {
    let (reader, mirror) = &sources.mirrors[number];
    let mut absent = Absent {
        elsewhere,
        planned,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    for id in repository.manifest_names()? {
        let manifest = match repository.manifest(&id) {
            Err(Error::Damaged { .. }) => mirror.manifest(&id),
            read => read,
        };
        match manifest {
            Ok(manifest) => reach(reader, &manifest, &mut absent)?,
            Err(Error::Damaged { .. } | Error::ManifestMissing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut chunks = 0;
    for Reached { id, stream } in absent.found {
        if read(reader, stream, &id)?.is_some() {
            chunks += 1;
            plan.rescue.push(Wanted {
                id,
                stream,
                origin: Origin::Mirror(number),
                location: None,
            });
        }
    }
    if chunks > 0 {
        plan.steps.push(Step::Rescue {
            pack: None,
            origin: Origin::Mirror(number),
            chunks,
        });
    }
    Ok(())
}

/// Collects the chunks that no pack here has.
struct Absent<'a> {
    elsewhere: &'a dyn Fn(&ChunkId) -> bool,
    planned: &'a mut HashSet<ChunkId>,
    seen: HashSet<ChunkId>,
    found: Vec<Reached>,
}

impl Visitor for Absent<'_> {
    fn reach(&mut self, reached: Reached) -> Result<Visit> {
        if !self.seen.insert(reached.id) {
            return Ok(Visit::Skip);
        }
        if !(self.elsewhere)(&reached.id) && self.planned.insert(reached.id) {
            self.found.push(reached);
        }
        Ok(Visit::Descend)
    }

    fn lose(&mut self, _: ChunkId, error: Error) -> Result<()> {
        match error {
            Error::Store { .. } => Err(error),
            _ => Ok(()),
        }
    }
}

/// The chunks of bad packs that packs hold which will be indexed again.
fn reindexed(repository: &Repository, bad: &Bad, packs: &[PackId]) -> Result<HashSet<ChunkId>> {
    let wanted: BTreeSet<&ChunkId> = bad
        .packs
        .values()
        .flat_map(|pack| pack.chunks.keys())
        .collect();
    let mut found = HashSet::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    for pack in packs.iter().filter(|pack| !bad.leaving.contains(pack)) {
        match repository.pack_directory(*pack) {
            Ok(directory) => found.extend(
                directory
                    .chunks()
                    .map(|chunk| chunk.id)
                    .filter(|id| wanted.contains(id)),
            ),
            Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether a pack that is whole and stays has the chunk.
fn is_elsewhere(
    repository: &Repository,
    options: &RepairOptions<'_>,
    index: &Index,
    bad: &Bad,
    id: &ChunkId,
) -> bool {
    index
        .locations(repository.objects(), id)
        .flatten()
        .any(|location| {
            let pack = &location.pack.id;
            let unseen = !options.share.has(pack)
                && !bad.condemned.contains(pack)
                && !bad.leaving.contains(pack)
                && !bad.packs.contains_key(pack);
            unseen || bad.whole.contains(pack)
        })
}

/// Where chunks may still be had.
pub(super) struct Sources<'a> {
    repository: Repository,
    here: Reader,
    mirrors: Vec<(Reader, &'a Repository)>,
    /// The pack that was healed last, and its bytes.
    healed: RefCell<Option<(PackId, Option<Vec<u8>>)>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(repository: &Repository, options: &RepairOptions<'a>) -> Self {
        let mirrors = options.mirrors.iter();
        Self {
            repository: repository.clone(),
            here: repository.reader(),
            healed: RefCell::default(),
            mirrors: mirrors.map(|mirror| (mirror.reader(), mirror)).collect(),
        }
    }

    /// The first origin that yields the chunk.
    fn find(
        &self,
        stream: Stream,
        id: &ChunkId,
        location: Option<&Location>,
    ) -> Result<Option<Origin>> {
        let origins = [Origin::Rest, Origin::Parity]
            .into_iter()
            .chain((0..self.mirrors.len()).map(Origin::Mirror));
        for origin in origins {
            if self.get(origin, stream, id, location)?.is_some() {
                return Ok(Some(origin));
            }
        }
        Ok(None)
    }

    fn get(
        &self,
        origin: Origin,
        stream: Stream,
        id: &ChunkId,
        location: Option<&Location>,
    ) -> Result<Option<Vec<u8>>> {
        match origin {
            Origin::Rest => {
                if let Some(location) = location {
                    let found = quiet(self.here.read_at(location, stream, id))?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                read(&self.here, stream, id)
            }
            Origin::Parity => match location {
                Some(location) => self.parity_of(location, id),
                None => Ok(None),
            },
            Origin::Mirror(number) => match self.mirrors.get(number) {
                Some((reader, _)) => read(reader, stream, id),
                None => Ok(None),
            },
        }
    }
}

impl Sources<'_> {
    fn parity_of(&self, location: &Location, id: &ChunkId) -> Result<Option<Vec<u8>>> {
        let pack = location.pack.id;
        let mut healed = self.healed.borrow_mut();
        if healed.as_ref().is_none_or(|(known, _)| *known != pack) {
            *healed = Some((pack, survey::healed(&self.repository, pack)?));
        }
        let Some((_, Some(bytes))) = &*healed else {
            return Ok(None);
        };
        let Ok(view) = self.repository.open_pack(pack, bytes) else {
            return Ok(None);
        };
        let mut found = None;
        view.decode(location.extent.number, &mut |chunk, bytes| {
            if chunk == *id {
                found = bytes.ok().map(<[u8]>::to_vec);
            }
        })?;
        Ok(found)
    }
}

fn read(reader: &Reader, stream: Stream, id: &ChunkId) -> Result<Option<Vec<u8>>> {
    quiet(reader.read(stream, id))
}

/// Damage is an answer here; a store that cannot be asked is not.
fn quiet(read: Result<Chunk>) -> Result<Option<Vec<u8>>> {
    match read {
        Ok(chunk) => Ok(Some(chunk.to_vec())),
        Err(error @ (Error::Store { .. } | Error::Compressor { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Writes the planned chunks anew. Their packs are in quarantine by now, so that none of them
/// counts as known.
pub(super) fn execute(
    repository: &Repository,
    wanted: &[Wanted],
    options: &RepairOptions<'_>,
    progress: &Progress,
    entropy: &Arc<dyn Entropy>,
) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let sources = Sources::new(repository, options);
    let writer = repository.writer(WriterOptions::default(), Arc::clone(entropy))?;
    let mut streams: HashMap<Stream, _> = HashMap::new();
    for stream in [Stream::Data, Stream::Tree] {
        streams.insert(stream, writer.stream(stream));
    }
    for chunk in wanted {
        progress.check()?;
        let location = chunk.location.as_ref();
        let bytes = sources.get(chunk.origin, chunk.stream, &chunk.id, location)?;
        let Some(bytes) = bytes else {
            // It could be read a moment ago: the next repair looks again.
            return Err(Error::ChunkLost {
                id: chunk.id,
                stream: chunk.stream,
                pack: location.map_or(PackId::from_bytes([0; 32]), |place| place.pack.id),
                bytes: location.map_or(0..0, |place| place.extent.bytes()),
                damage: Damage::Missing,
            });
        };
        let stream = streams.get_mut(&chunk.stream);
        stream.expect("there is one for each kind").put(&bytes)?;
    }
    for (_, stream) in streams.drain() {
        stream.finish()?;
    }
    writer.close()?;
    repository.refresh_index().map(drop)
}
