//! Copies into a repository with other keys: chunks get new names, nodes are built around them.
//!
//! Every byte is read, verified and hashed anew, unless an earlier copy tells the new name of a
//! chunk: the pairs of names are learned again from a manifest and its copy, walked side by side.
//! Lists are built anew rather than translated, because keys decide where they are cut; so a copy
//! of a copy, back in the first repository, has the very chunks it had.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{COPY_OF, Copied, CopyOptions, fail, read_back};
use crate::{
    error::{Error, Result},
    id::{ChunkId, ManifestId, PackId, Stream},
    manifest::{Body as ManifestBody, Layer, Manifest},
    reader::Reader,
    repository::Repository,
    tree::{
        entry::{Body, Content, Entry, Extent, Node, Xattrs},
        find::fetch,
        problem,
        sequence::{Builder, Items, Root},
        top::{self, Top},
    },
    volume::{map, top::Top as VolumeTop},
    writer::{StreamWriter, Writer},
};
use strongroom_model::content::Xattr;

/// Pairs of names that are kept: a bound on memory, at about 100 bytes each.
const PAIRS_MAX: usize = 1 << 20;

/// Copies manifests in order; each is committed by a writer of its own.
pub(super) fn copy(
    source: &Repository,
    dest: &Repository,
    manifests: &[Manifest],
    options: &CopyOptions<'_>,
    copied: &mut Copied,
) -> Result<()> {
    let Copies {
        of: mut copies,
        as_wanted,
    } = copies(source, dest, options.labels)?;
    let mut pairs = Pairs::default();
    for manifest in manifests {
        if as_wanted.contains(&manifest.id) {
            copied.present.push(manifest.id);
            continue;
        }
        if pairs.0.is_empty() {
            pairs.learn(source, dest, manifest, &copies)?;
        }
        match one(source, dest, manifest, &copies, &mut pairs, options) {
            Ok((id, stored)) => {
                copies.insert(manifest.id, id);
                copied.copied.push((manifest.id, id));
                copied.stored_bytes += stored;
            }
            Err(error) => {
                // Packs of a copy that failed were perhaps not read back: nobody may rely on them
                // because it named their chunks.
                pairs = Pairs::default();
                fail(copied, manifest, error)?;
            }
        }
    }
    Ok(())
}

/// The manifests of the source that the destination has copies of.
#[derive(Default)]
struct Copies {
    /// A copy of each.
    of: BTreeMap<ManifestId, ManifestId>,
    /// Those with a copy that says what is wanted.
    as_wanted: BTreeSet<ManifestId>,
}

impl Copies {
    fn add(&mut self, original: ManifestId, copy: ManifestId, as_wanted: bool) {
        if as_wanted {
            self.as_wanted.insert(original);
            self.of.insert(original, copy);
        } else {
            self.of.entry(original).or_insert(copy);
        }
    }
}

fn copies(
    source: &Repository,
    dest: &Repository,
    labels: Option<&BTreeMap<String, String>>,
) -> Result<Copies> {
    let mut copies = Copies::default();
    let (ours, theirs) = (format!("{}.", source.id()), format!("{}.", dest.id()));
    let origin = |manifest: &Manifest, of: &str| -> Option<ManifestId> {
        let label = manifest.body.labels.get(COPY_OF)?;
        label.strip_prefix(of)?.parse().ok()
    };
    let says = |manifest: &Manifest| {
        let said = manifest.body.labels.iter();
        labels.is_none_or(|labels| said.filter(|(name, _)| *name != COPY_OF).eq(labels.iter()))
    };
    let there: BTreeSet<ManifestId> = dest.manifests()?.into_iter().collect();
    for id in &there {
        match dest.manifest(id) {
            Ok(manifest) => {
                if let Some(original) = origin(&manifest, &ours) {
                    copies.add(original, *id, says(&manifest));
                }
            }
            Err(error @ Error::Store { .. }) => return Err(error),
            // A copy that cannot be read is made again.
            Err(_) => {}
        }
    }
    // What was once copied from there is there, under its own labels.
    for id in source.manifests()? {
        if let Ok(manifest) = source.manifest(&id)
            && let Some(from) = origin(&manifest, &theirs).filter(|from| there.contains(from))
        {
            copies.add(id, from, labels.is_none());
        }
    }
    Ok(copies)
}

fn one(
    source: &Repository,
    dest: &Repository,
    manifest: &Manifest,
    copies: &BTreeMap<ManifestId, ManifestId>,
    pairs: &mut Pairs,
    options: &CopyOptions<'_>,
) -> Result<(ManifestId, u64)> {
    options.progress.expect(manifest.body.logical_bytes);
    let writer = dest.writer(options.writer.clone(), options.entropy.clone())?;
    let mut copy = Copy::new(source, dest, &writer, pairs, options);
    let root = match manifest.body.layer {
        Layer::Tree => copy.tree(manifest)?,
        Layer::Volume => copy.volume(manifest)?,
    };
    let problems = copy.problems(manifest)?;
    let relied = copy.finish()?;
    let mut labels = options.labels.unwrap_or(&manifest.body.labels).clone();
    labels.insert(
        COPY_OF.to_owned(),
        format!("{}.{}", source.id(), manifest.id),
    );
    let previous = manifest.body.previous.as_ref();
    let body = ManifestBody {
        root,
        problems,
        labels,
        previous: previous.and_then(|id| copies.get(id)).copied(),
        ..manifest.body.clone()
    };
    let id = writer.commit_after(body, |own| {
        read_back(dest, own.into_iter().chain(relied), &*options.entropy)
    })?;
    let stored = dest.manifest(&id)?.stored_bytes;
    Ok((id, stored))
}

/// One manifest on its way.
struct Copy<'a> {
    from: Arc<Reader>,
    dest: &'a Repository,
    writer: &'a Writer,
    data: StreamWriter,
    nodes: StreamWriter,
    pairs: &'a mut Pairs,
    /// Packs that were there already although no copy tells of them: an interrupted copy, perhaps.
    relied: BTreeSet<PackId>,
    options: &'a CopyOptions<'a>,
}

impl<'a> Copy<'a> {
    fn new(
        source: &Repository,
        dest: &'a Repository,
        writer: &'a Writer,
        pairs: &'a mut Pairs,
        options: &'a CopyOptions<'a>,
    ) -> Self {
        Self {
            from: Arc::new(source.reader()),
            dest,
            writer,
            data: writer.stream(Stream::Data),
            nodes: writer.stream(Stream::Tree),
            pairs,
            relied: BTreeSet::new(),
            options,
        }
    }

    fn finish(self) -> Result<BTreeSet<PackId>> {
        self.data.finish()?;
        self.nodes.finish()?;
        Ok(self.relied)
    }

    /// The name that the data chunk has in the destination, which has it after this.
    fn chunk(&mut self, id: ChunkId) -> Result<ChunkId> {
        self.options.progress.check()?;
        if let Some(new) = self.pairs.0.get(&id)
            && self.writer.contains(Stream::Data, new)?
        {
            return Ok(*new);
        }
        let bytes = self.from.read(Stream::Data, &id)?;
        self.options.progress.advance(bytes.len() as u64);
        self.note(Stream::Data, &bytes)?;
        let new = self.data.put(&bytes)?;
        self.pairs.add(id, new);
        Ok(new)
    }

    fn node(&mut self, bytes: &[u8]) -> Result<ChunkId> {
        self.note(Stream::Tree, bytes)?;
        self.nodes.put(bytes)
    }

    /// Notes the packs that have the chunk already, to be read back.
    fn note(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let id = self.dest.objects().keys().chunk_id(stream, bytes);
        if self.writer.contains(stream, &id)? {
            let packs = self.dest.packs_of(&id)?;
            self.relied.extend(packs.first());
        }
        Ok(())
    }

    fn extent(&mut self, extent: Extent) -> Result<Extent> {
        Ok(match extent {
            Extent::Data { id, length } => Extent::Data {
                id: self.chunk(id)?,
                length,
            },
            hole @ Extent::Hole(_) => hole,
        })
    }

    fn tree(&mut self, manifest: &Manifest) -> Result<ChunkId> {
        let Top { started, root } = Top::read(&self.from, manifest)?;
        let root = self.directories(root)?;
        self.node(&Top { started, root }.encode())
    }

    /// Copies a node and everything below it; directories on the way are on a list, not on the
    /// stack.
    fn directories(&mut self, top: Node) -> Result<Node> {
        let mut top = self.plain(top)?;
        let Body::Directory(Some(root)) = top.body else {
            return Ok(top);
        };
        let from = Arc::clone(&self.from);
        let mut open = vec![Open::new(root)];
        loop {
            let directory = open.last_mut().expect("the loop ends with the last");
            let Some(entry) = directory.items.next(&fetch(&from)) else {
                let Open { list, entry, .. } = open.pop().expect("it was there");
                let root = list.finish(&mut |node| self.node(node))?;
                let Some(mut entry) = entry else {
                    top.body = Body::Directory(root);
                    return Ok(top);
                };
                entry.node.body = Body::Directory(root);
                let above = open.last_mut().expect("only the first has no entry");
                self.append(above, &entry)?;
                continue;
            };
            let mut entry = entry.map_err(|lost| *lost.error)?;
            entry.node = self.plain(entry.node)?;
            self.options.progress.finish_items(1);
            if let Body::Directory(Some(root)) = entry.node.body {
                open.push(Open {
                    entry: Some(entry),
                    ..Open::new(root)
                });
            } else {
                self.append(directory, &entry)?;
            }
        }
    }

    fn append(&mut self, directory: &mut Open, entry: &Entry) -> Result<()> {
        let keys = self.dest.objects().keys();
        let hash = keys.chunk_id(Stream::Tree, entry.name.as_bytes());
        let hash = u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("ids are longer"));
        directory
            .list
            .push(entry, hash, &mut |node| self.node(node))
    }

    /// Copies what belongs to a node, but for what is below a directory.
    fn plain(&mut self, mut node: Node) -> Result<Node> {
        let from = Arc::clone(&self.from);
        if let Xattrs::List(root) = node.xattrs {
            let mut items: Items<Xattr> = Items::all(Some(root));
            let mut list = Builder::default();
            while let Some(item) = items.next(&fetch(&from)) {
                let item = item.map_err(|lost| *lost.error)?;
                list.push(&item, 1, &mut |node| self.node(node))?;
            }
            let root = list.finish(&mut |node| self.node(node))?;
            node.xattrs = root.map_or(Xattrs::Inline(Vec::new()), Xattrs::List);
        }
        match &mut node.body {
            Body::File(Content::Extents(extents)) => {
                for extent in extents {
                    *extent = self.extent(*extent)?;
                }
            }
            Body::File(content @ Content::List(_)) => {
                let Content::List(root) = *content else {
                    return Ok(node);
                };
                *content = self.content(root)?;
            }
            _ => {}
        }
        Ok(node)
    }

    fn content(&mut self, root: Root) -> Result<Content> {
        let from = Arc::clone(&self.from);
        let mut items: Items<Extent> = Items::all(Some(root));
        let mut list = Builder::default();
        while let Some(item) = items.next(&fetch(&from)) {
            let extent = self.extent(item.map_err(|lost| *lost.error)?)?;
            list.push(&extent, extent.hash(), &mut |node| self.node(node))?;
        }
        let root = list.finish(&mut |node| self.node(node))?;
        Ok(root.map_or(Content::Extents(Vec::new()), Content::List))
    }

    fn volume(&mut self, manifest: &Manifest) -> Result<ChunkId> {
        let mut top = VolumeTop::read(&self.from, manifest)?;
        let mut blocks = map::Blocks::of(top.root, top.blocks());
        let mut builder = map::Builder::new(top.blocks());
        while let Some(block) = blocks.next(&self.from, &mut |_| Ok(())) {
            let (number, id) = block.map_err(|lost| lost.error)?;
            let id = self.chunk(id)?;
            builder.push(number, id, &mut |node| self.node(node))?;
        }
        top.root = builder.finish(&mut |node| self.node(node))?;
        self.node(&top.encode())
    }

    fn problems(&mut self, manifest: &Manifest) -> Result<Option<ChunkId>> {
        let problems = top::problems(&self.from, manifest)?;
        let root = problem::store(&problems, &mut |node| self.node(node))?;
        root.map(|root| self.node(&top::encode_problems(&root)))
            .transpose()
    }
}

/// A directory that is being copied.
struct Open {
    items: Items<Entry>,
    list: Builder<Entry>,
    /// What it is in the directory above; none for the topmost.
    entry: Option<Entry>,
}

impl Open {
    fn new(root: Root) -> Self {
        Self {
            items: Items::all(Some(root)),
            list: Builder::default(),
            entry: None,
        }
    }
}

/// The names of data chunks there and here.
#[derive(Default)]
struct Pairs(HashMap<ChunkId, ChunkId>);

impl Pairs {
    fn add(&mut self, from: ChunkId, to: ChunkId) {
        if self.0.len() >= PAIRS_MAX {
            self.0.clear();
        }
        self.0.insert(from, to);
    }

    /// Learns pairs from the nearest manifest that was copied before.
    fn learn(
        &mut self,
        source: &Repository,
        dest: &Repository,
        manifest: &Manifest,
        copies: &BTreeMap<ManifestId, ManifestId>,
    ) -> Result<()> {
        let previous = manifest.body.previous.filter(|id| copies.contains_key(id));
        let Some(known) = previous.or_else(|| copies.keys().next_back().copied()) else {
            return Ok(());
        };
        let (ours, theirs) = match (source.manifest(&known), dest.manifest(&copies[&known])) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (Err(error @ Error::Store { .. }), _) | (_, Err(error @ Error::Store { .. })) => {
                return Err(error);
            }
            // Without pairs everything is read, that is all.
            _ => return Ok(()),
        };
        let (from, to) = (
            names(&source.reader(), &ours)?,
            names(&dest.reader(), &theirs)?,
        );
        if from.len() == to.len() {
            self.0.extend(from.into_iter().zip(to));
        }
        Ok(())
    }
}

/// The names of a manifest's data chunks in the order of its content, as many as are worth keeping.
fn names(reader: &Reader, manifest: &Manifest) -> Result<Vec<ChunkId>> {
    let mut names = Vec::new();
    let walked = match manifest.body.layer {
        Layer::Tree => names_of_tree(reader, manifest, &mut names),
        Layer::Volume => names_of_volume(reader, manifest, &mut names),
    };
    match walked {
        Err(error @ Error::Store { .. }) => Err(error),
        // What cannot be read teaches nothing.
        Err(_) => Ok(Vec::new()),
        Ok(()) => Ok(names),
    }
}

fn names_of_volume(reader: &Reader, manifest: &Manifest, names: &mut Vec<ChunkId>) -> Result<()> {
    let top = VolumeTop::read(reader, manifest)?;
    let mut blocks = map::Blocks::of(top.root, top.blocks());
    while let Some(block) = blocks.next(reader, &mut |_| Ok(())) {
        names.push(block.map_err(|lost| lost.error)?.1);
        if names.len() >= PAIRS_MAX {
            break;
        }
    }
    Ok(())
}

fn names_of_tree(reader: &Reader, manifest: &Manifest, names: &mut Vec<ChunkId>) -> Result<()> {
    let root = Top::read(reader, manifest)?.root;
    let mut open: Vec<Items<Entry>> = Vec::new();
    if let Body::Directory(root) = root.body {
        open.push(Items::all(root));
    }
    let mut add = |extent: &Extent| {
        if let Extent::Data { id, .. } = extent {
            names.push(*id);
        }
        names.len() < PAIRS_MAX
    };
    while let Some(directory) = open.last_mut() {
        let Some(entry) = directory.next(&fetch(reader)) else {
            open.pop();
            continue;
        };
        match entry.map_err(|lost| *lost.error)?.node.body {
            Body::Directory(root) => open.push(Items::all(root)),
            Body::File(Content::Extents(extents)) if !extents.iter().all(&mut add) => {
                return Ok(());
            }
            Body::File(Content::List(root)) => {
                let mut items: Items<Extent> = Items::all(Some(root));
                while let Some(item) = items.next(&fetch(reader)) {
                    if !add(&item.map_err(|lost| *lost.error)?) {
                        return Ok(());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
