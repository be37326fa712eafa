//! The streams that a search reads: the files of a directory as they are, and restored segments.
//!
//! Invariant: a line that is live and restored is shown by the restored segment and nobody else.

use std::{
    collections::BTreeMap,
    io,
    ops::{ControlFlow, Range},
};

use strongroom_engine::{Repository, tree::Progress};
use strongroom_source::audit::{
    Format, LogDirectory, Record, Zone,
    position::Head as Begins,
    scan::{Line, LiveFile, LiveFiles, Needle, Scanner},
};

use super::{
    of_source,
    restored::{RestoredSet, show_lines},
    search::{Hit, HitId, Logs, Query},
};
use crate::{Error, Result};

/// One stream of lines.
pub(super) enum Part<'a> {
    Live(&'a LogDirectory, usize, LiveFile),
    Restored(&'a Repository, &'a RestoredSet, Zone),
}

/// All streams of a search.
pub(super) struct Parts<'a> {
    pub(super) streams: Vec<Part<'a>>,
    live: Vec<LiveFiles>,
    /// Of each stream what is shown by others, in order.
    elsewhere: Vec<Vec<Range<u64>>>,
}

impl Part<'_> {
    pub(super) fn form(&self) -> (Format, Zone) {
        match self {
            Self::Live(directory, ..) => (directory.format(), directory.zone()),
            Self::Restored(_, set, zone) => (set.format, *zone),
        }
    }

    pub(super) fn id(&self, place: u64) -> HitId {
        match self {
            Self::Live(_, _, file) => HitId::Live(file.inode, place),
            Self::Restored(_, set, _) => HitId::Restored(set.number, place),
        }
    }

    pub(super) fn hit(&self, id: HitId, record: &Record<'_>, most: usize) -> Hit {
        let (kind, succeeded) = (record.kind(), record.succeeded());
        let mut end = record.statement.len().min(most);
        while !record.statement.is_char_boundary(end) {
            end -= 1;
        }
        Hit {
            id,
            origin: match self {
                Self::Live(_, _, file) => file.name.clone(),
                Self::Restored(_, set, _) => format!("segment {}", set.number),
            },
            time: record.time,
            user: record.user.clone().into_owned(),
            host: record.host.clone().into_owned(),
            database: record.database.clone().into_owned(),
            object: record.object.clone().into_owned(),
            operation: record.operation.clone().into_owned(),
            statement: record.statement.get(..end).unwrap_or_default().to_owned(),
            return_code: record.return_code,
            connection: record.connection.clone().into_owned(),
            query: record.query.clone().into_owned(),
            kind,
            succeeded,
        }
    }
}

impl<'a> Parts<'a> {
    pub(super) fn of(query: &Query, logs: &'a [Logs<'a>]) -> Result<Self> {
        let (mut streams, mut live) = (Vec::new(), Vec::new());
        let mut spans: BTreeMap<&Begins, Vec<Range<u64>>> = BTreeMap::new();
        for logs in logs {
            match logs {
                Logs::Live(directory) => {
                    let files = directory.live().map_err(|error| of_source(&error))?;
                    for file in files.files() {
                        streams.push(Part::Live(directory, live.len(), file.clone()));
                    }
                    live.push(files);
                }
                Logs::Restored(repository, set, zone) => {
                    for span in &set.spans {
                        if let Some(begins) = &span.begins {
                            spans.entry(begins).or_default().push(span.from..span.to);
                        }
                    }
                    let early = query.to.zip(set.first_event);
                    let late = query.from.zip(set.last_event);
                    let outside = early.is_some_and(|(to, first)| first > to)
                        || late.is_some_and(|(from, last)| last < from);
                    if !outside {
                        streams.push(Part::Restored(repository, set, *zone));
                    }
                }
            }
        }
        let elsewhere = streams.iter().map(|part| restored(part, &spans)).collect();
        Ok(Self {
            streams,
            live,
            elsewhere,
        })
    }

    /// Whether a line of a live log is also in a restored segment, which shows it.
    pub(super) fn is_elsewhere(&self, number: usize, place: u64) -> bool {
        let ranges = self.elsewhere.get(number).map_or(&[][..], Vec::as_slice);
        let behind = ranges.partition_point(|range| range.start <= place);
        let before = behind.checked_sub(1).and_then(|at| ranges.get(at));
        before.is_some_and(|range| place < range.end)
    }

    /// Shows the lines of a stream from a place on; with a needle, perhaps only those that hold it.
    pub(super) fn walk(
        &self,
        part: &Part<'_>,
        from: u64,
        needle: Option<&Needle>,
        progress: &Progress,
        visit: &mut dyn FnMut(&Line<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let scanner = Scanner::new(part.form(), from, needle, visit);
        match part {
            Part::Restored(repository, set, _) => {
                show_lines(repository, set, from, progress, scanner)
            }
            Part::Live(_, number, file) => {
                let Some(files) = self.live.get(*number) else {
                    return Ok(());
                };
                let read = |error: io::Error| Error::unavailable("the live audit logs", error);
                match files.open(file, from) {
                    Ok(mut open) => scanner.read(&mut open).map_err(read),
                    // Rotated away since the directory was listed; its lines have another name.
                    Err(scan_error) if is_gone(&scan_error) => Ok(()),
                    Err(error) => Err(of_source(&error)),
                }
            }
        }
    }
}

/// What restored segments show of a live log, in order and without overlaps.
fn restored(part: &Part<'_>, spans: &BTreeMap<&Begins, Vec<Range<u64>>>) -> Vec<Range<u64>> {
    let Part::Live(_, _, file) = part else {
        return Vec::new();
    };
    let own = spans.iter().filter(|(begins, _)| file.begins(begins));
    let mut ranges: Vec<Range<u64>> = own.flat_map(|(_, ranges)| ranges.clone()).collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn is_gone(error: &strongroom_source::audit::Error) -> bool {
    use strongroom_source::audit::Error as E;
    matches!(error, E::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
}
