//! A directory of logs, read on from a position.
//!
//! Format and names decide which files count; everything else is told by content. Nothing is
//! written, locked or remembered here: what was read stands in the position alone, so a reading
//! that did not come to its end is done again from the same place.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{
    error::{Error, Result},
    follow::{Followed, Tracked, follow},
    format::{Format, Zone},
    gap::{Gap, GapKind, Lost, Pending},
    left,
    lines::{Ended, Intake, Rest, SinkFailed},
    listing::{self, Listing, Names, of_stat},
    packing::{Resumption, opening, packing, resume},
    position::{Packing, Position, State},
    pressure::Pressure,
    reading::{Budget, Reading, Span},
};

/// Files that [`detect`](LogDirectory::detect) looks into.
const DETECT_MAX: usize = 1000;

/// A directory with the logs of one database server.
#[derive(Clone, Debug)]
pub struct LogDirectory {
    path: PathBuf,
    format: Format,
    zone: Zone,
    names: Names,
}

impl LogDirectory {
    /// A directory whose files of that format are logs.
    pub fn open(path: &Path, format: Format) -> Result<Self> {
        let directory = Self {
            path: path.to_owned(),
            format,
            zone: Zone::default(),
            names: Names::like("*")?,
        };
        directory.list()?;
        Ok(directory)
    }

    /// The format of the newest file in a directory that has one.
    pub fn detect(path: &Path) -> Result<Option<Format>> {
        let mut listing = Listing::of(path, &Names::like("*")?)?;
        listing
            .files
            .sort_by_key(|file| std::cmp::Reverse(file.stat.modified));
        let newest = listing.files.iter().take(DETECT_MAX);
        let mut formats = newest.filter_map(|found| {
            let file = listing.file(found).ok()?;
            let packing = packing(&file).ok()?;
            Format::of(&opening(file, packing).0)
        });
        Ok(formats.next())
    }

    /// The same, with times that do not say otherwise in that zone.
    #[must_use]
    pub fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The same, of files only whose names agree with a pattern; `*` stands for anything.
    pub fn with_files(self, pattern: &str) -> Result<Self> {
        let names = Names::like(pattern)?;
        Ok(Self { names, ..self })
    }

    /// What its lines look like.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Where times that do not say otherwise are from.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode: the same directory under another name has the same.
    pub fn identity(&self) -> Result<(u64, u64)> {
        let directory = listing::open(&self.path)?;
        let stat = rustix::fs::fstat(&directory).map_err(|cause| self.unreadable(cause))?;
        Ok(of_stat(&stat).identity())
    }

    /// How full its file system is.
    pub fn pressure(&self) -> Result<Pressure> {
        let directory = listing::open(&self.path)?;
        Pressure::of(&directory).map_err(|cause| self.unreadable(cause))
    }

    fn unreadable(&self, cause: rustix::io::Errno) -> Error {
        Error::Directory {
            path: self.path.clone(),
            cause: cause.into(),
        }
    }

    pub(super) fn list(&self) -> Result<Listing> {
        Listing::of(&self.path, &self.names)
    }

    /// Passes on every whole line behind `from`, once, and says where the next reading begins.
    ///
    /// An error means that nothing counts as read: the same position gives the same lines again.
    pub fn read(
        &mut self,
        from: &Position,
        budget: Budget,
        sink: &mut dyn Write,
    ) -> Result<Reading> {
        if let Some(version) = from.unknown_version() {
            return Err(Error::BadPosition(version));
        }
        let listing = self.list()?;
        let Followed {
            mut tracked,
            mut gaps,
            mut pending,
        } = follow(&listing, self.format, from);
        let mut intake = Intake::new(self.format, self.zone, budget.bytes, sink);
        let newest = left::newest(&listing);
        let (mut spans, mut more) = (Vec::new(), false);
        for tracked in tracked.iter_mut().filter(|tracked| has_more(tracked)) {
            if intake.is_full() {
                more = true;
                break;
            }
            let before = tracked.mark.offset;
            match take(&listing, &newest, tracked, &mut intake)? {
                Outcome::Done => {}
                Outcome::More => more = true,
                Outcome::Pending(found) => pending.push(found),
                Outcome::Lost(gap) => gaps.push(gap),
            }
            if tracked.mark.offset > before {
                spans.push(span(tracked, before));
            }
        }
        let (first_event, last_event) = intake.times();
        let (lines, bytes) = (intake.lines, intake.bytes);
        gaps.append(&mut intake.gaps);
        left::close(&mut tracked, &newest);
        let position = Position {
            marks: tracked.into_iter().map(|tracked| tracked.mark).collect(),
            ..Position::default()
        };
        Ok(Reading {
            position,
            spans,
            gaps,
            pending,
            lines,
            bytes,
            first_event,
            last_event,
            more,
        })
    }
}

fn has_more(tracked: &Tracked) -> bool {
    tracked.file.is_some() && !tracked.mark.is_exhausted()
}

fn span(tracked: &Tracked, from: u64) -> Span {
    let mark = &tracked.mark;
    Span {
        file: mark.name.clone(),
        device: mark.stat.device,
        inode: mark.stat.inode,
        begins: mark.heads.last().cloned(),
        from,
        to: mark.offset,
    }
}

/// What came of one file.
enum Outcome {
    Done,
    More,
    Pending(Pending),
    Lost(Gap),
}

/// Takes what a file has behind its mark.
fn take(
    listing: &Listing,
    newest: &BTreeMap<String, i64>,
    tracked: &mut Tracked,
    intake: &mut Intake<'_>,
) -> Result<Outcome> {
    let found = tracked.file.and_then(|at| listing.files.get(at));
    let Some(found) = found else {
        return Ok(Outcome::Done);
    };
    let packing = tracked.mark.packing;
    let resumed = match listing
        .file(found)
        .and_then(|file| resume(file, packing, &tracked.mark))
    {
        Ok(Resumption::Fits(resumed)) => resumed,
        // It changed since it was followed; the next look sees it as it is then.
        Ok(Resumption::Short | Resumption::Differs) if packing == Packing::Plain => {
            return Ok(Outcome::Done);
        }
        Ok(_) => return Ok(damaged(tracked, "it holds less than was read of it")),
        Err(error) => return Ok(failed(tracked, &error)),
    };
    // Of a plain file that its writer left two looks ago, and of a compressed one, a last line
    // without an end is whole.
    let left = tracked.unchanged && left::is_left(&tracked.mark, newest);
    let rest = if left || packing != Packing::Plain {
        Rest::Final
    } else {
        Rest::Waits
    };
    let taken = intake.take(resumed, &mut tracked.mark, rest);
    let ended = taken.map_err(|SinkFailed(cause)| Error::Sink(cause))?;
    let mark = &mut tracked.mark;
    Ok(match ended {
        Ended::File(waits) => {
            mark.unread = Some(waits);
            Outcome::Done
        }
        Ended::Budget => {
            let size = mark.stat.size;
            mark.unread = (packing == Packing::Plain).then(|| size.saturating_sub(mark.offset));
            if mark.is_exhausted() {
                Outcome::Done
            } else {
                Outcome::More
            }
        }
        Ended::Failed(error) => failed(tracked, &error),
    })
}

/// A file that failed while it was read.
fn failed(tracked: &mut Tracked, error: &std::io::Error) -> Outcome {
    let is_data = matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::InvalidData
            | ErrorKind::InvalidInput
            | ErrorKind::Other
    );
    if tracked.mark.packing != Packing::Plain && is_data {
        return damaged(tracked, &error.to_string());
    }
    Outcome::Pending(Pending {
        file: tracked.mark.name.clone(),
        why: error.to_string(),
    })
}

/// A compressed file whose stream ends early or is damaged: it may still be written, so only if it
/// does not change any more the rest is lost.
fn damaged(tracked: &mut Tracked, why: &str) -> Outcome {
    let mark = &mut tracked.mark;
    if !tracked.unchanged {
        return Outcome::Pending(Pending {
            file: mark.name.clone(),
            why: why.to_owned(),
        });
    }
    (mark.state, mark.unread) = (State::Closed, Some(0));
    Outcome::Lost(Gap {
        kind: GapKind::Unreadable,
        file: mark.name.clone(),
        from: mark.offset,
        to: None,
        lost: Lost::Unknown,
    })
}
