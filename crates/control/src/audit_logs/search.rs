//! Lines of live logs and of restored segments that agree with what somebody asks for.
//!
//! Everything is streamed once; of what agrees only places are kept, no more than a page needs, and
//! the lines of the page are read again at the end. So neither the size of the logs nor the number
//! of lines that agree matters to memory. A line that is live and restored is found once: restored
//! segments say of which bytes of which file they are.

use std::{
    collections::{BTreeMap, BinaryHeap},
    fmt, io,
    ops::ControlFlow,
    str::FromStr,
};

use strongroom_engine::{Repository, tree::Progress};
use strongroom_model::Timestamp;
use strongroom_source::audit::{
    Format, LogDirectory, Record, Span, StatementKind, Zone,
    scan::{self, LiveFile, LiveFiles},
};

use super::{
    agree::Matcher,
    of_source,
    restored::{RestoredSet, stream},
};
use crate::{Error, Result};

/// The furthest place in a list of hits that can be asked for.
pub const REACH_MAX: usize = 100_000;
/// Bytes of a statement that a list shows; [`show`] has all of it.
pub const STATEMENT_MAX: usize = 64 << 10;

/// Bytes between two hits that are rather read than passed over.
const NEAR: u64 = 4 << 20;

/// Where to look.
pub enum Logs<'a> {
    /// The logs as they are now.
    Live(&'a LogDirectory),
    /// A segment that was restored.
    Restored(&'a Repository, &'a RestoredSet, Zone),
}

/// In which order hits are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// How a statement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Succeeded,
    /// Not.
    Failed,
}

/// What is asked for; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// The database account, exactly.
    pub user: Option<String>,
    /// The database, exactly.
    pub database: Option<String>,
    /// The client's address, exactly.
    pub client_ip: Option<String>,
    /// The object, exactly.
    pub object: Option<String>,
    /// What kind of statement.
    pub kind: Option<StatementKind>,
    /// A part of the statement, in capital or small letters.
    pub keyword: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// In which order.
    pub order: Order,
    /// Hits that are left out.
    pub offset: usize,
    /// Hits that are shown.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many lines agree.
    pub total: u64,
    /// The page.
    pub hits: Vec<Hit>,
}

/// A line that agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// By which it is found again as long as its logs are there.
    pub id: HitId,
    /// The file, or the segment.
    pub origin: String,
    /// When.
    pub time: Option<Timestamp>,
    /// The database account.
    pub user: String,
    /// Where the client was.
    pub host: String,
    /// The database.
    pub database: String,
    /// The object.
    pub object: String,
    /// What the log calls the event.
    pub operation: String,
    /// The statement.
    pub statement: String,
    /// What the server answered.
    pub return_code: Option<i64>,
    /// The connection.
    pub connection: String,
    /// The statement's number.
    pub query: String,
    /// What kind of statement.
    pub kind: StatementKind,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// The name of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitId {
    /// Of a live log: the file's inode and the place in it.
    Live(u64, u64),
    /// Of a segment: its number and the place in it.
    Restored(u64, u64),
}

impl fmt::Display for HitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, a, b) = match self {
            Self::Live(file, place) => ('a', file, place),
            Self::Restored(number, place) => ('b', number, place),
        };
        write!(f, "{letter}{a:016x}{b:016x}")
    }
}

impl FromStr for HitId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || Error::invalid("id", "malformed id of a statement");
        let (letter, digits) = text.split_at_checked(1).ok_or_else(malformed)?;
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed());
        }
        let (a, b) = digits.split_at(16);
        let number = |digits| u64::from_str_radix(digits, 16).map_err(|_| malformed());
        match letter {
            "a" => Ok(Self::Live(number(a)?, number(b)?)),
            "b" => Ok(Self::Restored(number(a)?, number(b)?)),
            _ => Err(malformed()),
        }
    }
}

/// A line that agrees, by its place; sorted by time, then by where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Microseconds since 1970; negated where the oldest come first.
    time: i64,
    part: usize,
    place: i64,
}

/// One stream of lines.
enum Part<'a> {
    Live(&'a LogDirectory, usize, LiveFile),
    Restored(&'a Repository, &'a RestoredSet, Zone),
}

/// All streams of a search.
struct Parts<'a> {
    streams: Vec<Part<'a>>,
    live: Vec<LiveFiles>,
    spans: Vec<&'a Span>,
}

/// The lines that agree.
pub fn search(query: &Query, logs: &[Logs<'_>], progress: &Progress) -> Result<Found> {
    let reach = query.offset.saturating_add(query.limit);
    if reach > REACH_MAX {
        let problem = format!("offset and limit must not add up to more than {REACH_MAX}");
        return Err(Error::invalid("offset", problem));
    }
    let parts = Parts::of(query, logs)?;
    let matcher = Matcher::new(query);
    // The worst of the best stands on top.
    let mut best: BinaryHeap<std::cmp::Reverse<Key>> = BinaryHeap::new();
    let mut total = 0;
    for (number, part) in parts.streams.iter().enumerate() {
        let (format, zone) = part.form();
        let mut latest = 0;
        parts.walk(part, 0, progress, &mut |place, line| {
            if progress.is_cancelled() {
                return ControlFlow::Break(());
            }
            let (agrees, time) = matcher.agrees(format, zone, line);
            latest = time.map_or(latest, Timestamp::as_micros);
            if agrees && !parts.is_restored(part, place) {
                total += 1;
                best.push(std::cmp::Reverse(query.order.key(latest, number, place)));
                if best.len() > reach {
                    best.pop();
                }
            }
            ControlFlow::Continue(())
        })?;
    }
    if progress.is_cancelled() {
        return Err(super::of_engine(strongroom_engine::Error::Cancelled));
    }
    let page: Vec<Key> = best
        .into_sorted_vec()
        .into_iter()
        .map(|std::cmp::Reverse(key)| key)
        .skip(query.offset)
        .collect();
    let hits = parts.read(&page, query.order, progress)?;
    Ok(Found { total, hits })
}

/// The line of that name, if its logs are there; its statement is whole.
pub fn show(id: HitId, logs: &[Logs<'_>], progress: &Progress) -> Result<Option<Hit>> {
    let parts = Parts::of(&Query::default(), logs)?;
    for part in &parts.streams {
        let place = match (part, id) {
            (Part::Live(_, _, file), HitId::Live(inode, place)) if file.inode == inode => place,
            (Part::Restored(_, set, _), HitId::Restored(number, place)) if set.number == number => {
                place
            }
            _ => continue,
        };
        let mut hit = None;
        let (format, zone) = part.form();
        parts.walk(part, place, progress, &mut |_, line| {
            hit = Some(part.hit(id, &Record::of(format, line, zone), usize::MAX));
            ControlFlow::Break(())
        })?;
        if hit.is_some() {
            return Ok(hit);
        }
    }
    Ok(None)
}

impl Order {
    fn key(self, time: i64, part: usize, place: u64) -> Key {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        match self {
            Self::NewestFirst => Key { time, part, place },
            Self::OldestFirst => Key {
                time: time.saturating_neg(),
                part: usize::MAX - part,
                place: -place,
            },
        }
    }

    /// The stream and the place that a key is of.
    fn place(self, key: Key) -> (usize, u64) {
        let part = match self {
            Self::NewestFirst => key.part,
            Self::OldestFirst => usize::MAX - key.part,
        };
        (part, key.place.unsigned_abs())
    }
}

impl Part<'_> {
    fn form(&self) -> (Format, Zone) {
        match self {
            Self::Live(directory, ..) => (directory.format(), directory.zone()),
            Self::Restored(_, set, zone) => (set.format, *zone),
        }
    }

    fn id(&self, place: u64) -> HitId {
        match self {
            Self::Live(_, _, file) => HitId::Live(file.inode, place),
            Self::Restored(_, set, _) => HitId::Restored(set.number, place),
        }
    }

    fn hit(&self, id: HitId, record: &Record<'_>, most: usize) -> Hit {
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
    fn of(query: &Query, logs: &'a [Logs<'a>]) -> Result<Self> {
        let (mut parts, mut live, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        for logs in logs {
            match logs {
                Logs::Live(directory) => {
                    let files = directory.live().map_err(|error| of_source(&error))?;
                    for file in files.files() {
                        parts.push(Part::Live(directory, live.len(), file.clone()));
                    }
                    live.push(files);
                }
                Logs::Restored(repository, set, zone) => {
                    spans.extend(&set.spans);
                    let early = query.to.zip(set.first_event);
                    let late = query.from.zip(set.last_event);
                    let outside = early.is_some_and(|(to, first)| first > to)
                        || late.is_some_and(|(from, last)| last < from);
                    if !outside {
                        parts.push(Part::Restored(repository, set, *zone));
                    }
                }
            }
        }
        Ok(Self {
            streams: parts,
            live,
            spans,
        })
    }

    /// Whether a line of a live log is also in a restored segment, which shows it.
    fn is_restored(&self, part: &Part<'_>, place: u64) -> bool {
        let Part::Live(_, _, file) = part else {
            return false;
        };
        self.spans
            .iter()
            .any(|span| (span.from..span.to).contains(&place) && file.holds(span))
    }

    /// Shows the lines of a stream from a place on.
    fn walk(
        &self,
        part: &Part<'_>,
        from: u64,
        progress: &Progress,
        visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        let (format, _) = part.form();
        let mut visit = |place: u64, line: &[u8]| visit(from + place, line);
        match part {
            Part::Restored(repository, set, _) => {
                stream(repository, set, from, progress, |lines| {
                    scan::lines(lines, format, &mut visit)
                })
            }
            Part::Live(_, number, file) => {
                let Some(files) = self.live.get(*number) else {
                    return Ok(());
                };
                let read = |error: io::Error| Error::unavailable("the live audit logs", error);
                match files.open(file, from) {
                    Ok(mut open) => scan::lines(&mut open, format, &mut visit).map_err(read),
                    // Rotated away since the directory was listed; its lines have another name.
                    Err(scan_error) if is_gone(&scan_error) => Ok(()),
                    Err(error) => Err(of_source(&error)),
                }
            }
        }
    }

    /// Reads the lines of a page.
    fn read(&self, page: &[Key], order: Order, progress: &Progress) -> Result<Vec<Hit>> {
        let mut wanted: BTreeMap<usize, BTreeMap<u64, usize>> = BTreeMap::new();
        for (at, key) in page.iter().enumerate() {
            let (part, place) = order.place(*key);
            wanted.entry(part).or_default().insert(place, at);
        }
        let mut hits: Vec<Option<Hit>> = vec![None; page.len()];
        for (number, mut places) in wanted {
            let Some(part) = self.streams.get(number) else {
                continue;
            };
            let (format, zone) = part.form();
            while let Some(from) = places.first_key_value().map(|(place, _)| *place) {
                let left = places.len();
                self.walk(part, from, progress, &mut |place, line| {
                    if let Some(at) = places.remove(&place)
                        && let Some(hit) = hits.get_mut(at)
                    {
                        let record = Record::of(format, line, zone);
                        *hit = Some(part.hit(part.id(place), &record, STATEMENT_MAX));
                    }
                    match places.first_key_value() {
                        Some((next, _)) if *next < place + NEAR => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                })?;
                if places.len() == left {
                    // The live log is not what it was a moment ago.
                    break;
                }
            }
        }
        Ok(hits.into_iter().flatten().collect())
    }
}

fn is_gone(error: &strongroom_source::audit::Error) -> bool {
    use strongroom_source::audit::Error as E;
    matches!(error, E::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
}
