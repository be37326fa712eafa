//! Goes through a directory and sorts its entries: what is unchanged is named again at once, what
//! has no content is read at once, files are handed out.

use std::sync::Arc;

use strongroom_model::content::{self, FileKind, Name, Stat};

use super::{
    Hand, Save, Work,
    big::BigFile,
    folder::{Folder, Opened, Place},
    pieces::{PIECE_BYTES, store_xattrs},
};
use crate::{
    error::Result,
    tree::{
        crew::lock,
        entry::{Body, Entry, Meta, Node, Xattrs},
        previous::Previous,
        problem::ProblemKind,
        sequence::Root,
    },
};

/// Files handed to one thread together: so many, or …
const BATCH_FILES: usize = 64;
/// … so many bytes, whichever comes first: about what shares a segment.
const BATCH_BYTES: u64 = 1 << 20;

/// A small file that has to be read.
pub(super) struct SmallFile {
    pub(super) slot: u64,
    pub(super) name: Name,
    pub(super) stat: Stat,
}

/// A directory that was found and not opened yet.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) stat: Stat,
    pub(super) previous: Option<Root>,
}

/// Small files on their way to a batch.
#[derive(Default)]
struct Batch {
    files: Vec<SmallFile>,
    bytes: u64,
}

impl Save<'_> {
    /// Opens a directory that was found and goes through it.
    pub(super) fn enter(&self, hand: &mut Hand, found: Found) -> Result<()> {
        let Found {
            place,
            stat,
            previous,
        } = found;
        let opened = place.folder.source.open_directory(&place.name);
        let opened = match opened.and_then(|source| self.read_directory(source)) {
            Ok(opened) => opened,
            Err(error) => {
                let path = place.folder.path().join(&place.name);
                let gone = self.note(path, &error);
                // What is known of a directory that cannot be read is kept: its place.
                let node = Node {
                    meta: Meta::of(&stat),
                    xattrs: Xattrs::Inline(Vec::new()),
                    body: Body::Directory(None),
                };
                let Place { folder, slot, name } = place;
                let entry = (!gone).then_some(Entry { name, node });
                return folder.fill(self, hand, slot, entry);
            }
        };
        let (source, stat, xattrs, names) = opened;
        let xattrs = store_xattrs(xattrs, &mut |node| hand.put_node(node))?;
        let previous = Previous::of(previous);
        let opened = Opened {
            source,
            meta: Meta::of(&stat),
            xattrs,
            names,
            previous,
        };
        self.scan(hand, &Folder::new(Some(place), opened))
    }

    /// Goes on through a directory until its end, or until too many entries wait.
    pub(super) fn scan(&self, hand: &mut Hand, folder: &Arc<Folder>) -> Result<()> {
        let mut batch = Batch::default();
        let mut scan = lock(&folder.scan);
        while !scan.names.as_slice().is_empty() {
            self.progress.check()?;
            let Some(slot) = folder.reserve() else {
                self.add_batch(folder, &mut batch);
                return Ok(());
            };
            let Some(name) = scan.names.next() else { break };
            let fetch = |id: &_| self.fetch_previous(id);
            let previous = scan.previous.find(&name, &fetch).map(|entry| entry.node);
            match folder.source.stat_entry(&name) {
                Ok(stat) => self.sort(hand, folder, slot, name, &stat, previous, &mut batch)?,
                Err(error) => {
                    self.note(folder.path().join(&name), &error);
                    folder.fill(self, hand, slot, None)?;
                }
            }
        }
        drop(scan);
        self.add_batch(folder, &mut batch);
        folder.end_scan(self, hand)
    }

    /// Deals with one entry, or puts it where it will be dealt with.
    #[expect(
        clippy::too_many_arguments,
        reason = "one entry and where it is on its way"
    )]
    fn sort(
        &self,
        hand: &mut Hand,
        folder: &Arc<Folder>,
        slot: u64,
        name: Name,
        stat: &Stat,
        previous: Option<Node>,
        batch: &mut Batch,
    ) -> Result<()> {
        if stat.kind == FileKind::Directory {
            let previous = previous.and_then(|node| match node.body {
                Body::Directory(root) => root,
                _ => None,
            });
            let place = Place {
                folder: Arc::clone(folder),
                slot,
                name,
            };
            self.crew.add_directory(Work::Enter(Found {
                place,
                stat: *stat,
                previous,
            }));
            return Ok(());
        }
        if self.links.see(stat) {
            self.stats.found(stat);
            self.progress.expect(if stat.kind == FileKind::File {
                stat.size
            } else {
                0
            });
        }
        let known = previous.is_some();
        if let Some(node) = previous.filter(|node| self.is_unchanged(node, stat)) {
            self.stats.unchanged();
            self.progress.advance(node.meta.size);
            return folder.fill(self, hand, slot, Some(Entry { name, node }));
        }
        self.stats.touched(stat, known);
        if stat.kind == FileKind::File {
            if stat.size > PIECE_BYTES as u64 {
                let place = Place {
                    folder: Arc::clone(folder),
                    slot,
                    name,
                };
                self.crew.add_files(Work::Piece(BigFile::new(place, *stat)));
            } else {
                batch.bytes += stat.size;
                batch.files.push(SmallFile {
                    slot,
                    name,
                    stat: *stat,
                });
                if batch.files.len() >= BATCH_FILES || batch.bytes >= BATCH_BYTES {
                    self.add_batch(folder, batch);
                }
            }
            return Ok(());
        }
        let node = self.special(hand, folder, &name, stat)?;
        folder.fill(self, hand, slot, node.map(|node| Entry { name, node }))
    }

    fn add_batch(&self, folder: &Arc<Folder>, batch: &mut Batch) {
        let Batch { files, .. } = std::mem::take(batch);
        if !files.is_empty() {
            self.crew.add_files(Work::Batch(Arc::clone(folder), files));
        }
    }

    /// An entry without content; `None` if it is not kept.
    fn special(
        &self,
        hand: &mut Hand,
        folder: &Folder,
        name: &Name,
        stat: &Stat,
    ) -> Result<Option<Node>> {
        let read = || -> content::Result<_> {
            let body = match stat.kind {
                FileKind::Symlink => Body::Symlink(folder.source.link_target(name)?),
                FileKind::Fifo => Body::Fifo,
                FileKind::CharDevice => Body::CharDevice(stat.special),
                FileKind::BlockDevice => Body::BlockDevice(stat.special),
                FileKind::Socket | FileKind::File | FileKind::Directory => return Ok(None),
            };
            Ok(Some((body, folder.source.xattrs_of_entry(name)?)))
        };
        match read() {
            Ok(Some((body, xattrs))) => {
                let xattrs = store_xattrs(xattrs, &mut |node| hand.put_node(node))?;
                Ok(Some(Node {
                    meta: Meta::of(stat),
                    xattrs,
                    body,
                }))
            }
            Ok(None) => {
                self.add_problem(folder.path().join(name), ProblemKind::Socket, String::new());
                Ok(None)
            }
            Err(error) => {
                self.note(folder.path().join(name), &error);
                Ok(None)
            }
        }
    }
}
