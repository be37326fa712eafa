//! Writes a tree, or a part of it, as a tar archive.
//!
//! Members come in the order of the tree, a directory before what is in it. Holes are kept in the
//! form that GNU tar calls sparse format 1.0. Names of one inode become hard links to the first.

use std::{collections::HashMap, fmt::Write as _, io::Write, ops::Range};

use strongroom_model::content::{LinkGroup, TreePath};

use super::{
    Exported,
    content::{Piece, visit_content},
    pax::{BLOCK, Kind, Member},
};
use crate::{
    error::{Error, Result},
    id::ManifestId,
    reader::Reader,
    repository::Repository,
    tree::{
        Cause, Part, Progress,
        entry::{Body, Content, Entry, Extent, Node},
        find::{Extents, attributes, fetch, find},
        loss::Losses,
        sequence::{Item as _, Items},
        top::Top,
    },
};

/// Archives end on a multiple of this.
const RECORD: u64 = 10_240;
/// Holes that are worth a map, in bytes.
const HOLES_MIN: u64 = 64 << 10;
/// A file in more parts than these is written without a map, so that the map fits into memory.
const REGIONS_MAX: usize = 1 << 20;

/// Writes what is at `path` in the tree of a manifest to `out`.
pub fn export_tar(
    repository: &Repository,
    manifest: &ManifestId,
    path: &TreePath,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<Exported> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let node = find(&reader, Top::read(&reader, &manifest)?.root, path)?;
    progress.expect_at_least(if path.as_bytes().is_empty() {
        manifest.body.logical_bytes
    } else {
        node.meta.size
    });
    let mut archive = Archive {
        reader: &reader,
        out,
        progress,
        written: 0,
        items: 0,
        links: HashMap::new(),
        losses: Losses::default(),
    };
    archive.all(path, &node)?;
    archive.finish()
}

struct Archive<'a> {
    reader: &'a Reader,
    out: &'a mut dyn Write,
    progress: &'a Progress,
    written: u64,
    items: u64,
    /// The first name of each inode that has more of them, and how many are to come.
    links: HashMap<LinkGroup, (Vec<u8>, u64)>,
    losses: Losses,
}

impl Archive<'_> {
    /// Writes the entry at `top` and everything below it.
    fn all(&mut self, top: &TreePath, node: &Node) -> Result<()> {
        let name = match (&node.body, top.names().last()) {
            // What is in a folder lies beside the archive's own root, as with `tar -C folder .`
            (Body::Directory(_), _) | (_, None) => b".".to_vec(),
            (_, Some(name)) => [b"./", name.as_bytes()].concat(),
        };
        self.entry(top, name.clone(), node)?;
        let Body::Directory(root) = &node.body else {
            return Ok(());
        };
        let mut open = vec![(top.clone(), name, Items::<Entry>::all(*root))];
        while let Some((directory, inside, items)) = open.last_mut() {
            self.progress.check()?;
            match items.next(&fetch(self.reader)) {
                None => {
                    open.pop();
                }
                Some(Ok(Entry { name, node })) => {
                    let path = directory.join(&name);
                    let inside = [&**inside, b"/", name.as_bytes()].concat();
                    self.entry(&path, inside.clone(), &node)?;
                    if let Body::Directory(root) = &node.body {
                        open.push((path, inside, Items::all(*root)));
                    }
                }
                Some(Err(lost)) => {
                    let directory = directory.clone();
                    self.lose(&directory, Part::Entries, *lost.error)?;
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &TreePath, name: Vec<u8>, node: &Node) -> Result<()> {
        let (attributes, lost) = attributes(self.reader, node);
        if let Some(error) = lost {
            self.lose(path, Part::Attributes, error)?;
        }
        self.items += 1;
        let mut member = Member {
            path: name,
            kind: Kind::File,
            mode: node.meta.mode,
            uid: node.meta.uid,
            gid: node.meta.gid,
            size: 0,
            modified: node.meta.modified,
            link: Vec::new(),
            device: (0, 0),
            xattrs: attributes.xattrs,
            sparse: None,
        };
        if let Some(first) = self.first_name(node, &member.path) {
            member.kind = Kind::HardLink;
            member.link = first;
            self.progress.finish_items(1);
            return self.write(&member.encode());
        }
        match &node.body {
            Body::File(content) => return self.file(path, member, content, node.meta.size),
            Body::Directory(_) => {
                member.kind = Kind::Directory;
                member.path.push(b'/');
            }
            Body::Symlink(target) => {
                member.kind = Kind::Symlink;
                member.link.clone_from(target);
            }
            Body::Fifo => member.kind = Kind::Fifo,
            Body::CharDevice(number) | Body::BlockDevice(number) => {
                let half = |part: u64| u32::try_from(part).expect("half of 64 bits");
                member.device = (half(number >> 32), half(number & u64::from(u32::MAX)));
                member.kind = if matches!(node.body, Body::CharDevice(_)) {
                    Kind::CharDevice
                } else {
                    Kind::BlockDevice
                };
            }
        }
        self.progress.finish_items(1);
        self.write(&member.encode())
    }

    /// The name under which the same inode was written before.
    fn first_name(&mut self, node: &Node, name: &[u8]) -> Option<Vec<u8>> {
        let group = node.link_group()?;
        let Some((first, left)) = self.links.get_mut(&group) else {
            self.links.insert(group, (name.to_vec(), group.links - 1));
            return None;
        };
        let first = first.clone();
        *left -= 1;
        if *left == 0 {
            self.links.remove(&group);
        }
        Some(first)
    }

    fn file(
        &mut self,
        path: &TreePath,
        mut member: Member,
        content: &Content,
        size: u64,
    ) -> Result<()> {
        let whole = 0..size;
        let regions = regions(self.reader, content, size).unwrap_or_else(|| vec![whole.clone()]);
        let stored: u64 = regions.iter().map(|range| range.end - range.start).sum();
        let (regions, map) = if size - stored >= HOLES_MIN {
            let map = sparse_map(&regions, size);
            member.sparse = Some(size);
            member.size = stored + map.len() as u64;
            (regions, map)
        } else {
            member.size = size;
            (vec![whole], Vec::new())
        };
        self.write(&member.encode())?;
        self.write(&map)?;
        let (reader, progress) = (self.reader, self.progress);
        let begin = self.written;
        let mut spread = Spread {
            regions: regions.into_iter(),
            current: 0..0,
        };
        visit_content(
            reader,
            content,
            size,
            progress,
            &mut |at, piece| match piece {
                Piece::Bytes(bytes) => {
                    progress.advance(bytes.len() as u64);
                    spread.zeroes_to(at, self)?;
                    spread.current.start += bytes.len() as u64;
                    self.write(bytes)
                }
                Piece::Lost(length, error) => self.lose(path, Part::Bytes(at..at + length), error),
            },
        )?;
        spread.zeroes_to(u64::MAX, self)?;
        progress.finish_items(1);
        let odd = (self.written - begin) % BLOCK as u64;
        if odd > 0 {
            self.zeroes(BLOCK as u64 - odd)?;
        }
        Ok(())
    }

    fn lose(&mut self, path: &TreePath, part: Part, error: Error) -> Result<()> {
        match error {
            // Not a word about what is there: nothing can be said to be lost.
            Error::Store { .. } | Error::Cancelled => Err(error),
            error => {
                self.losses
                    .add(path.clone(), part, Cause::Repository(error));
                Ok(())
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(Error::output)
    }

    fn zeroes(&mut self, mut count: u64) -> Result<()> {
        let zeroes = [0; 8192];
        while count > 0 {
            self.progress.check()?;
            let step = usize::try_from(count).map_or(zeroes.len(), |left| left.min(zeroes.len()));
            self.write(zeroes.get(..step).unwrap_or_default())?;
            count -= step as u64;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Exported> {
        let end = (self.written + 2 * BLOCK as u64).next_multiple_of(RECORD);
        self.zeroes(end - self.written)?;
        self.out.flush().map_err(Error::output)?;
        let (losses, losses_total) = self.losses.finish();
        Ok(Exported {
            items: self.items,
            bytes: self.written,
            losses,
            losses_total,
        })
    }
}

/// Fills what of the regions nobody writes.
struct Spread {
    regions: std::vec::IntoIter<Range<u64>>,
    /// What is left of the region that is being written.
    current: Range<u64>,
}

impl Spread {
    /// Writes zeroes until the position `at` of the file is next.
    fn zeroes_to(&mut self, at: u64, archive: &mut Archive<'_>) -> Result<()> {
        loop {
            let end = self.current.end.min(at);
            if self.current.start < end {
                archive.zeroes(end - self.current.start)?;
                self.current.start = end;
            }
            if self.current.start < self.current.end {
                return Ok(());
            }
            if self
                .regions
                .as_slice()
                .first()
                .is_none_or(|next| next.start > at)
            {
                return Ok(());
            }
            self.current = self.regions.next().unwrap_or(0..0);
        }
    }
}

/// The parts of a file that are no hole: multiples of 512 bytes but for the last, since readers
/// disagree about what lies between others. `None` if there are too many, or not all are known.
fn regions(reader: &Reader, content: &Content, size: u64) -> Option<Vec<Range<u64>>> {
    if matches!(content, Content::Inline(_)) {
        return None;
    }
    let mut regions: Vec<Range<u64>> = Vec::new();
    let mut extents = Extents::from_offset(content, size, 0);
    while let Some((position, extent)) = extents.next(reader) {
        // A map must hold whatever happens between now and the reading: no map of a file with gaps.
        let extent = match extent {
            Ok(Extent::Hole(_)) => continue,
            Ok(extent) => extent,
            Err(_) => return None,
        };
        let end = position + extent.length();
        match regions.last_mut() {
            Some(last) if last.end >= position => last.end = last.end.max(end),
            _ => regions.push(position..end),
        }
        let last = regions.last_mut()?;
        let length = (last.end - last.start).next_multiple_of(BLOCK as u64);
        last.end = (last.start + length).min(size).max(end);
        if regions.len() > REGIONS_MAX {
            return None;
        }
    }
    Some(regions)
}

/// The map in front of the content: how many regions, then where each is and how long.
fn sparse_map(regions: &[Range<u64>], size: u64) -> Vec<u8> {
    let last = regions.last().map_or(0, |range| range.end);
    // A region of nothing tells where a hole at the end ends.
    let end = (last < size).then_some(size..size);
    let all: Vec<_> = regions.iter().chain(&end).collect();
    let mut map = format!("{}\n", all.len());
    for range in all {
        let _ = writeln!(map, "{}\n{}", range.start, range.end - range.start);
    }
    let mut map = map.into_bytes();
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}
