//! Reads small files: whole, one after the other, by one thread.
//!
//! A file that changes while it is read is read again, a few times; then it is kept as it was
//! read and recorded as changed. The stat kept with it is one that the file no longer has, so the
//! next save reads it again.

use std::sync::Arc;

use strongroom_model::content::{self, FileKind, Name, SourceFile, Stat, Xattr};

use super::{
    Hand, Save,
    folder::Folder,
    pieces::{ContentBuilder, Pieces, store_xattrs},
    scan::SmallFile,
};
use crate::{
    error::Result,
    tree::{
        entry::{Body, Content, Entry, INLINE_BYTES_MAX, Meta, Node},
        problem::ProblemKind,
    },
};

/// How often a file is read until it holds still.
const READS_MAX: u32 = 3;

/// How an attempt to read a file ended.
enum Attempt {
    Consistent(Node),
    /// The file was written to meanwhile; the stat is the new one.
    Torn(Node, Stat),
}

impl Save<'_> {
    /// Reads files of one directory that lie next to each other.
    pub(super) fn read_batch(
        &self,
        hand: &mut Hand,
        folder: &Arc<Folder>,
        files: Vec<SmallFile>,
    ) -> Result<()> {
        for SmallFile { slot, name, stat } in files {
            self.progress.check()?;
            let node = match self.links.read_before(&stat) {
                Some(node) => Some(node),
                None => self.read_file(hand, folder, &name, stat)?,
            };
            self.progress.advance(stat.size);
            folder.fill(self, hand, slot, node.map(|node| Entry { name, node }))?;
        }
        Ok(())
    }

    fn read_file(
        &self,
        hand: &mut Hand,
        folder: &Folder,
        name: &Name,
        mut before: Stat,
    ) -> Result<Option<Node>> {
        let file = match folder.source.open_file(name) {
            Ok(file) => file,
            Err(error) => {
                self.note(folder.path().join(name), &error);
                return Ok(None);
            }
        };
        for attempt in 1.. {
            match self.attempt(hand, &*file, &before)? {
                Ok(Attempt::Consistent(node)) => {
                    self.links.remember(&before, &node);
                    return Ok(Some(node));
                }
                Ok(Attempt::Torn(_, after)) if after.kind != FileKind::File => {
                    self.add_problem(
                        folder.path().join(name),
                        ProblemKind::Vanished,
                        format!("it is now a {}", after.kind),
                    );
                    return Ok(None);
                }
                Ok(Attempt::Torn(node, _)) if attempt == READS_MAX => {
                    let path = folder.path().join(name);
                    self.add_problem(path, ProblemKind::Changed, format!("read {attempt} times"));
                    return Ok(Some(node));
                }
                Ok(Attempt::Torn(_, after)) => before = after,
                Err(error) => {
                    self.note(folder.path().join(name), &error);
                    return Ok(None);
                }
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Reads the file once. The outer error is the repository's, the inner one the file's.
    fn attempt(
        &self,
        hand: &mut Hand,
        file: &dyn SourceFile,
        before: &Stat,
    ) -> Result<content::Result<Attempt>> {
        let read = if before.size <= INLINE_BYTES_MAX as u64 && before.allocated >= before.size {
            read_inline(file, before)
        } else {
            self.read_chunks(hand, file, before)?
        };
        let rest = read.and_then(|content| Ok((content, file.xattrs()?, file.stat()?)));
        let ((content, length), xattrs, after) = match rest {
            Ok(rest) => rest,
            Err(error) => return Ok(Err(error)),
        };
        let node = self.file_node(hand, before, content, length, xattrs)?;
        let torn = !before.same_version(&after) || length != before.size;
        Ok(Ok(if torn {
            Attempt::Torn(node, after)
        } else {
            Attempt::Consistent(node)
        }))
    }

    /// The node of a file, from what was read of it.
    pub(super) fn file_node(
        &self,
        hand: &mut Hand,
        stat: &Stat,
        content: Content,
        length: u64,
        xattrs: Vec<Xattr>,
    ) -> Result<Node> {
        self.stats.read(length);
        let xattrs = store_xattrs(xattrs, &mut |node| hand.put_node(node))?;
        let meta = Meta {
            size: length,
            ..Meta::of(stat)
        };
        Ok(Node {
            meta,
            xattrs,
            body: Body::File(content),
        })
    }

    fn read_chunks(
        &self,
        hand: &mut Hand,
        file: &dyn SourceFile,
        before: &Stat,
    ) -> Result<content::Result<(Content, u64)>> {
        let mut pieces = Pieces::of(before);
        let mut content = ContentBuilder::default();
        loop {
            let piece = match pieces.next(file, &self.cutter, &mut hand.buffer) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            };
            for extent in hand.put_piece(&piece)? {
                content.push(extent, &mut |node| hand.put_node(node))?;
            }
        }
        content.finish(&mut |node| hand.put_node(node)).map(Ok)
    }
}

/// Reads a file that lies in its directory's node.
fn read_inline(file: &dyn SourceFile, before: &Stat) -> content::Result<(Content, u64)> {
    let size = usize::try_from(before.size).expect("a few bytes");
    let mut bytes = vec![0; size];
    let count = file.read_at(&mut bytes, 0)?;
    bytes.truncate(count);
    Ok((Content::Inline(bytes), count as u64))
}
