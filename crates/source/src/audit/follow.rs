//! Which of the files that are there is which of those that were read.
//!
//! A file keeps its mark while device and inode agree and its content does. A mark whose file is
//! gone, cut or replaced looks for its content in the other files: whoever copies a log and then
//! cuts it, or compresses it, leaves the same bytes elsewhere. A file that nobody claims is new,
//! unless it holds what a mark stands for: then it is a copy and left alone.
//!
//! Invariant: no file that holds what was read is taken for a new one, and no mark vanishes with
//! something unread without a gap.

use std::{
    fs::File,
    io::{self, ErrorKind},
};

use super::{
    format::Format,
    gap::{Gap, GapKind, Lost, Pending},
    listing::{Found, Listing, family, generation},
    packing::{Resumption, around, opening, packing, resume},
    position::{Mark, Packing, Position, State},
    record,
};

/// Closed files that are gone and remembered, so that one that comes back is not read again.
const GONE_MAX: usize = 64;

/// A mark, and the file in the listing that it is about.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) mark: Mark,
    pub(super) file: Option<usize>,
    /// Whether the file is as it was when it was read last.
    pub(super) unchanged: bool,
}

/// What became of the marks.
#[derive(Default)]
pub(super) struct Followed {
    pub(super) tracked: Vec<Tracked>,
    pub(super) gaps: Vec<Gap>,
    pub(super) pending: Vec<Pending>,
}

/// A file that no mark is about yet.
struct Fresh {
    file: usize,
    packing: Packing,
    opening: Vec<u8>,
    ended: io::Result<()>,
}

impl Fresh {
    /// Whether it is compressed and cut short within its first line.
    fn has_no_line(&self) -> bool {
        self.packing != Packing::Plain
            && self.ended.is_err()
            && memchr::memchr(b'\n', &self.opening).is_none()
    }
}

/// A mark whose file is not where it was.
struct Stray {
    mark: Mark,
    why: GapKind,
}

struct Follower<'a> {
    listing: &'a Listing,
    format: Format,
    out: Followed,
    strays: Vec<Stray>,
    fresh: Vec<Fresh>,
}

/// Finds the file of every mark, and marks for the others.
pub(super) fn follow(listing: &Listing, format: Format, position: &Position) -> Followed {
    let mut follower = Follower {
        listing,
        format,
        out: Followed::default(),
        strays: Vec::new(),
        fresh: Vec::new(),
    };
    follower.by_inode(position);
    follower.look_at_fresh();
    follower.by_content();
    follower.take_new();
    follower.out
}

impl Follower<'_> {
    /// Files that are where they were.
    fn by_inode(&mut self, position: &Position) {
        let mut claimed = vec![false; self.listing.files.len()];
        for mark in &position.marks {
            let at = self.listing.files.iter().position(|file| {
                mark.state != State::Gone && file.stat.identity() == mark.stat.identity()
            });
            let Some(at) = at.filter(|at| claimed.get(*at) == Some(&false)) else {
                let why = GapKind::DeletedUnread;
                self.strays.push(Stray {
                    mark: mark.clone(),
                    why,
                });
                continue;
            };
            let Some(found) = self.listing.files.get(at) else {
                continue;
            };
            match self.same(found, mark) {
                Ok(None) => {
                    if let Some(claimed) = claimed.get_mut(at) {
                        *claimed = true;
                    }
                    self.track(mark, at);
                }
                Ok(Some(why)) => self.strays.push(Stray {
                    mark: mark.clone(),
                    why,
                }),
                Err(error) => {
                    if let Some(claimed) = claimed.get_mut(at) {
                        *claimed = true;
                    }
                    self.pend(found, &error);
                    // As it was known: what it is now nobody could see.
                    self.out.tracked.push(Tracked {
                        mark: mark.clone(),
                        file: None,
                        unchanged: false,
                    });
                }
            }
        }
        for (file, claimed) in claimed.into_iter().enumerate() {
            if !claimed {
                self.fresh.push(Fresh {
                    file,
                    packing: Packing::Plain,
                    opening: Vec::new(),
                    ended: Ok(()),
                });
            }
        }
    }

    /// Whether a file still holds what was read of it; why not, if it does not.
    fn same(&self, found: &Found, mark: &Mark) -> io::Result<Option<GapKind>> {
        let (now, then) = (&found.stat, &mark.stat);
        let untouched = (now.size, now.modified) == (then.size, then.modified);
        // A rename changes nothing but the time of the change; a compressed file would have to be
        // read for a proof, and nobody writes into one.
        if now == then || untouched && mark.packing != Packing::Plain {
            return Ok(None);
        }
        let file = self.listing.file(found)?;
        let packing = packing(&file)?;
        if packing != mark.packing {
            let emptied = found.stat.size == 0;
            return Ok(Some(if emptied {
                GapKind::Truncated
            } else {
                GapKind::Rewritten
            }));
        }
        if packing != Packing::Plain {
            // An inode that another file took over.
            let (began, _) = opening(self.listing.file(found)?, packing);
            if mark.opens_like(&began) == Some(false) {
                return Ok(Some(GapKind::Rewritten));
            }
        }
        match resume(file, packing, mark) {
            Ok(Resumption::Fits(_)) => Ok(None),
            Ok(Resumption::Short) => Ok(Some(GapKind::Truncated)),
            Ok(Resumption::Differs) => Ok(Some(if now.size < then.size {
                GapKind::Truncated
            } else {
                GapKind::Rewritten
            })),
            // A compressed stream that does not come so far is still being written, or damaged;
            // the reading will tell.
            Err(_) if packing != Packing::Plain => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn track(&mut self, mark: &Mark, at: usize) {
        let Some(found) = self.listing.files.get(at) else {
            return;
        };
        let mut mark = mark.clone();
        let unchanged = (mark.stat.size, mark.stat.modified)
            == (found.stat.size, found.stat.modified)
            && mark.stat.identity() == found.stat.identity();
        if !unchanged && mark.state == State::Closed {
            mark.state = State::Open;
        }
        if !unchanged {
            mark.unread = (mark.packing == Packing::Plain)
                .then(|| found.stat.size.saturating_sub(mark.offset));
        }
        mark.name.clone_from(&found.name);
        mark.stat = found.stat;
        self.out.tracked.push(Tracked {
            mark,
            file: Some(at),
            unchanged,
        });
    }

    fn pend(&mut self, found: &Found, error: &io::Error) {
        // What went away since the listing is found missing by the next one.
        if error.kind() != ErrorKind::NotFound {
            self.out.pending.push(Pending {
                file: found.name.clone(),
                why: error.to_string(),
            });
        }
    }

    /// Opens the files that no mark is about, and drops those that are no logs of this format.
    fn look_at_fresh(&mut self) {
        for mut fresh in std::mem::take(&mut self.fresh) {
            let Some(found) = self.listing.files.get(fresh.file) else {
                continue;
            };
            if found.stat.size == 0 {
                continue;
            }
            let looked = self.listing.file(found).and_then(|file| {
                let packing = packing(&file)?;
                Ok((packing, opening(file, packing)))
            });
            match looked {
                Ok((packing, (opening, ended))) => {
                    (fresh.packing, fresh.opening, fresh.ended) = (packing, opening, ended);
                    self.fresh.push(fresh);
                }
                Err(error) => self.pend(found, &error),
            }
        }
    }

    /// Strays whose content is in another file.
    fn by_content(&mut self) {
        let mut strays = std::mem::take(&mut self.strays);
        // Of two with the same beginning the one that was read further is the choosier.
        strays.sort_by_key(|stray| std::cmp::Reverse(stray.mark.offset));
        let mut gone = Vec::new();
        for stray in strays {
            let candidates: Vec<usize> = (0..self.fresh.len())
                .filter(|at| {
                    let fresh = self.fresh.get(*at);
                    fresh.is_some_and(|fresh| {
                        stray.mark.surely_opens_like(&fresh.opening) == Some(true)
                    })
                })
                .collect();
            let whole = candidates
                .iter()
                .copied()
                .find(|at| self.holds(*at, &stray.mark));
            if let Some(at) = whole {
                self.adopt(at, &stray.mark);
                continue;
            }
            self.miss(&stray);
            // A part of what was read, or the same file cut: nothing in it is new.
            if let Some(at) = candidates.first() {
                self.settle(*at, &stray.mark);
            } else if matches!(stray.mark.state, State::Closed | State::Gone) {
                let mut mark = stray.mark;
                mark.state = State::Gone;
                gone.push(mark);
            }
        }
        gone.sort_by_key(|mark| std::cmp::Reverse(mark.stat.changed));
        gone.truncate(GONE_MAX);
        let gone = gone.into_iter().map(|mark| Tracked {
            mark,
            file: None,
            unchanged: true,
        });
        self.out.tracked.extend(gone);
    }

    /// Whether a fresh file holds all that was read of a mark.
    fn holds(&self, at: usize, mark: &Mark) -> bool {
        let Some((fresh, found)) = self.at(at) else {
            return false;
        };
        let resumed = self
            .listing
            .file(found)
            .and_then(|file| resume(file, fresh.packing, &proven(mark)));
        match resumed {
            Ok(Resumption::Fits(_)) => true,
            Ok(_) => false,
            // The compression may be under way; the reading will tell.
            Err(_) => fresh.packing != Packing::Plain,
        }
    }

    fn at(&self, at: usize) -> Option<(&Fresh, &Found)> {
        let fresh = self.fresh.get(at)?;
        Some((fresh, self.listing.files.get(fresh.file)?))
    }

    /// Moves a mark to a fresh file.
    fn adopt(&mut self, at: usize, mark: &Mark) {
        let Some((fresh, found)) = self.at(at) else {
            return;
        };
        let mut mark = mark.clone();
        (mark.name, mark.stat) = (found.name.clone(), found.stat);
        mark.packing = fresh.packing;
        mark.unread =
            (fresh.packing == Packing::Plain).then(|| found.stat.size.saturating_sub(mark.offset));
        mark.state = State::Open;
        self.claim(at, mark);
    }

    /// Makes a mark for a fresh file that holds less than was read: at its end.
    fn settle(&mut self, at: usize, mark: &Mark) {
        let Some((fresh, found)) = self.at(at) else {
            return;
        };
        let mut mark = mark.clone();
        (mark.name, mark.stat) = (found.name.clone(), found.stat);
        (mark.packing, mark.state) = (fresh.packing, State::Open);
        if fresh.packing == Packing::Plain {
            let end = found.stat.size.min(mark.offset);
            let around = self.listing.file(found).and_then(|file| around(&file, end));
            let Ok((opening, recent)) = around else {
                return;
            };
            mark.advance(end, &opening, &recent);
            mark.unread = Some(found.stat.size - end);
        } else {
            // Its end is not known without reading it; it is not read again.
            (mark.state, mark.unread) = (State::Closed, Some(0));
        }
        self.claim(at, mark);
    }

    fn claim(&mut self, at: usize, mark: Mark) {
        let fresh = self.fresh.remove(at);
        self.out.tracked.push(Tracked {
            mark,
            file: Some(fresh.file),
            unchanged: false,
        });
    }

    /// Reports what a stray takes with it.
    fn miss(&mut self, stray: &Stray) {
        let mark = &stray.mark;
        if mark.state != State::Open {
            return;
        }
        let unread = mark.unread.filter(|unread| *unread > 0);
        self.out.gaps.push(Gap {
            kind: stray.why,
            file: mark.name.clone(),
            from: mark.offset,
            to: unread.map(|unread| mark.offset + unread),
            lost: unread.map_or(Lost::Unknown, Lost::Bytes),
        });
    }

    /// Marks for files that are new; copies of known ones are left alone.
    fn take_new(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.retain(|fresh| {
            let begun = self.has_begun(fresh);
            begun || self.format.fits(&fresh.opening) && !self.is_copy(fresh)
        });
        // Of copies of each other the one that may have most: plain, and the longest.
        fresh.sort_by_key(|fresh| {
            let found = self.listing.files.get(fresh.file);
            let size = found.map_or(0, |found| found.stat.size);
            (fresh.packing != Packing::Plain, std::cmp::Reverse(size))
        });
        let mut taken: Vec<Fresh> = Vec::new();
        for fresh in fresh {
            let twin =
                |other: &Fresh| !fresh.has_no_line() && is_prefix(&other.opening, &fresh.opening);
            if !taken.iter().any(twin) {
                taken.push(fresh);
            }
        }
        let mut new: Vec<_> = taken
            .iter()
            .filter_map(|fresh| self.new_mark(fresh))
            .collect();
        new.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, mark, file) in new {
            self.out.tracked.push(Tracked {
                mark,
                file: Some(file),
                unchanged: false,
            });
        }
    }

    /// Whether a file of a log that has others is being compressed, and no line of it can be read
    /// yet.
    fn has_begun(&self, fresh: &Fresh) -> bool {
        let Some(found) = self.listing.files.get(fresh.file) else {
            return false;
        };
        let of = family(&found.name);
        fresh.has_no_line()
            && self
                .listing
                .files
                .iter()
                .any(|file| file.name != found.name && family(&file.name) == of)
    }

    /// A mark for a file, and by what it is sorted among other new ones.
    fn new_mark(&mut self, fresh: &Fresh) -> Option<(impl Ord + use<>, Mark, usize)> {
        let found = self.listing.files.get(fresh.file)?;
        if fresh.has_no_line() {
            // Whoever compresses it has hardly begun: the original is read, if there is one.
            self.out.pending.push(Pending {
                file: found.name.clone(),
                why: "its compression has not come far".to_owned(),
            });
            return None;
        }
        let mark = Mark::new(
            found.name.clone(),
            found.stat,
            fresh.packing,
            &fresh.opening,
        );
        // The time is compared with others of the same log only: the zone does not matter.
        let began = record::time(self.format, &fresh.opening, super::Zone(0));
        let order = (
            began.unwrap_or(found.stat.modified / 1000),
            found.stat.modified,
            std::cmp::Reverse(generation(&found.name)),
            found.name.clone(),
        );
        Some((order, mark, fresh.file))
    }

    /// Whether a file begins like one that has a mark.
    fn is_copy(&self, fresh: &Fresh) -> bool {
        self.out.tracked.iter().any(|tracked| {
            match tracked.mark.surely_opens_like(&fresh.opening) {
                Some(same) => same,
                // Too short to be told by a hash: compared with what it may be a copy of.
                None => self.begins_with(tracked, &fresh.opening),
            }
        })
    }

    fn begins_with(&self, tracked: &Tracked, opening: &[u8]) -> bool {
        let file = tracked.file.and_then(|at| self.listing.files.get(at));
        let Some(found) = file.filter(|_| !opening.is_empty()) else {
            return false;
        };
        let read = self.listing.file(found).and_then(|file: File| {
            let packing = packing(&file)?;
            Ok(super::packing::opening(file, packing).0)
        });
        read.is_ok_and(|read| read.starts_with(opening))
    }
}

/// Whether one file begins with all that the other begins with.
fn is_prefix(a: &[u8], b: &[u8]) -> bool {
    let length = a.len().min(b.len());
    a.get(..length) == b.get(..length)
}

/// A mark by what was read of it only: a copy that was made earlier has less of the rest.
fn proven(mark: &Mark) -> Mark {
    Mark {
        unread: None,
        ..mark.clone()
    }
}
