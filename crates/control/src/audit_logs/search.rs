//! Lines of live logs and of restored segments that agree with what somebody asks for.
//!
//! Everything is streamed once, several streams at a time; of what agrees only places are kept, no
//! more than a page needs, and the lines of the page are read again at the end. So neither the size
//! of the logs nor the number of lines that agree matters to memory. A line that is live and
//! restored is found once: restored segments say of which bytes of which file they are.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fmt,
    ops::ControlFlow,
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
};

use strongroom_engine::{Repository, tree::Progress};
use strongroom_model::Timestamp;
use strongroom_source::audit::{LogDirectory, Record, StatementKind, Zone, scan::Line};

use super::{
    agree::Matcher,
    restored::RestoredSet,
    streams::{Part, Parts},
};
use crate::{Error, Result};

/// The furthest place in a list of hits that can be asked for.
pub const REACH_MAX: usize = 100_000;
/// Bytes of a statement that a list shows; [`show`] has all of it.
pub const STATEMENT_MAX: usize = 64 << 10;

/// Bytes between two hits that are rather read than passed over.
const NEAR: u64 = 4 << 20;
/// Streams that are read at once, at most: each may hold a line of the longest.
const WORKERS_MAX: usize = 4;

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

/// The best lines that were found, and how many in all.
#[derive(Default)]
struct Tally {
    total: u64,
    /// The worst of the best stands on top.
    best: BinaryHeap<Reverse<Key>>,
}

impl Tally {
    fn add(&mut self, key: Key, reach: usize) {
        self.total += 1;
        self.keep(Reverse(key), reach);
    }

    fn keep(&mut self, key: Reverse<Key>, reach: usize) {
        if self.best.len() < reach {
            self.best.push(key);
        } else if self.best.peek().is_some_and(|worst| key < *worst) {
            self.best.pop();
            self.best.push(key);
        }
    }

    fn join(&mut self, other: Self, reach: usize) {
        self.total += other.total;
        for key in other.best {
            self.keep(key, reach);
        }
    }
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
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || -> Result<Tally> {
        let mut tally = Tally::default();
        while !failed.load(Relaxed) {
            let number = next.fetch_add(1, Relaxed);
            if number >= parts.streams.len() {
                break;
            }
            let counted = parts.count(number, &matcher, reach, progress, &mut tally);
            counted.inspect_err(|_| failed.store(true, Relaxed))?;
        }
        Ok(tally)
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.min(WORKERS_MAX).min(parts.streams.len());
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut all = vec![work()];
        for other in others {
            let panicked = |_| Err(Error::bug("a search panicked", "see the log"));
            all.push(other.join().unwrap_or_else(panicked));
        }
        for found in all {
            tally.join(found?, reach);
        }
        Ok::<(), Error>(())
    })?;
    if progress.is_cancelled() {
        return Err(super::of_engine(strongroom_engine::Error::Cancelled));
    }
    let page: Vec<Key> = tally
        .best
        .into_sorted_vec()
        .into_iter()
        .map(|Reverse(key)| key)
        .skip(query.offset)
        .collect();
    let hits = parts.read(&page, query.order, progress)?;
    Ok(Found {
        total: tally.total,
        hits,
    })
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
        let mut take = |line: &Line<'_>| {
            hit = Some(part.hit(id, &Record::of(format, line.bytes, zone), usize::MAX));
            ControlFlow::Break(())
        };
        parts.walk(part, place, None, progress, &mut take)?;
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

impl Parts<'_> {
    /// Counts the lines of a stream that agree.
    fn count(
        &self,
        number: usize,
        matcher: &Matcher<'_>,
        reach: usize,
        progress: &Progress,
        tally: &mut Tally,
    ) -> Result<()> {
        let Some(part) = self.streams.get(number) else {
            return Ok(());
        };
        let (format, zone) = part.form();
        let mut look = |line: &Line<'_>| {
            if progress.is_cancelled() {
                return ControlFlow::Break(());
            }
            if matcher.agrees(format, zone, line) && !self.is_elsewhere(number, line.place) {
                tally.add(matcher.order().key(line.latest, number, line.place), reach);
            }
            ControlFlow::Continue(())
        };
        self.walk(part, 0, matcher.needle(), progress, &mut look)
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
                let mut take = |line: &Line<'_>| {
                    if let Some(at) = places.remove(&line.place)
                        && let Some(hit) = hits.get_mut(at)
                    {
                        let record = Record::of(format, line.bytes, zone);
                        *hit = Some(part.hit(part.id(line.place), &record, STATEMENT_MAX));
                    }
                    match places.first_key_value() {
                        Some((next, _)) if *next < line.place + NEAR => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                };
                self.walk(part, from, None, progress, &mut take)?;
                if places.len() == left {
                    // The live log is not what it was a moment ago.
                    break;
                }
            }
        }
        Ok(hits.into_iter().flatten().collect())
    }
}
