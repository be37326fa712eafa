//! A binary log, event by event: where transactions begin, when, and which change definitions.
//!
//! Only headers are read, and of the event that opens a group of changes its flags. Positions are
//! compared with what each event says of itself, so a byte too many or too few is noticed here and
//! not when somebody needs the log.
//!
//! The server stamps events with seconds, and with the one in which a statement began. What stands
//! in a log is in the order of commits; so "up to a second" means: up to the first group that is
//! stamped later.

use std::io::{self, Read};

use super::super::error::{Error, Result};

/// The first bytes of a log file.
pub const MAGIC: &[u8; 4] = b"\xfebin";
/// Bytes of an event's header.
const HEADER: usize = 19;
const HEADER_LENGTH: u64 = HEADER as u64;
/// The longest event: a row of the largest size with what surrounds it.
const EVENT_MAX: u64 = 4 << 30;

const ROTATE: u8 = 4;
const FORMAT: u8 = 15;
const GROUP: u8 = 162;
/// Flag of a group: it changes definitions.
const DEFINITION: u8 = 32;

/// Where a group of changes begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// The place in the file.
    pub offset: u64,
    /// Seconds since 1970.
    pub second: i64,
    /// Its number, as the server counts: domain, server, sequence.
    pub gtid: (u32, u32, u64),
    /// Whether it changes definitions: tables, schemas, accounts.
    pub definition: bool,
}

/// What a walk saw besides groups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Where it ended.
    pub end: u64,
    /// When the file was begun and by which server, if its head was there.
    pub head: Option<String>,
    /// The file that follows, if the last event says so.
    pub next: Option<String>,
    /// The last group.
    pub last: Option<Group>,
}

/// Whether a walk goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// To the next group.
    On,
    /// Not beyond the beginning of this one.
    Stop,
}

/// Reads events that stand at `offset` of a file; with 0 the file's first bytes come before them.
/// `visit` is called at each group of changes.
pub fn walk(from: &mut dyn Read, offset: u64, visit: &mut dyn FnMut(&Group) -> Go) -> Result<Seen> {
    let mut at = offset;
    let mut seen = Seen::default();
    if offset == 0 {
        let mut magic = [0; 4];
        from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(bad("it does not begin as one", 0));
        }
        at = 4;
    }
    loop {
        let mut header = [0; HEADER];
        let read = fill(from, &mut header)?;
        if read == 0 {
            seen.end = at;
            return Ok(seen);
        }
        if read < header.len() {
            return Err(bad("it ends inside of an event", at));
        }
        let event = Event::of(&header);
        if event.length < HEADER_LENGTH || event.length > EVENT_MAX {
            return Err(bad("an event has an impossible length", at));
        }
        let end = at + event.length;
        // The place is told in four bytes and starts anew behind them.
        if event.end != 0 && u64::from(event.end) != end & 0xffff_ffff {
            return Err(bad("an event is not where it says it is", at));
        }
        let body = event.length - HEADER_LENGTH;
        let head = body.min(1024);
        let mut start = vec![0; usize::try_from(head).unwrap_or(0)];
        from.read_exact(&mut start)
            .map_err(|_| bad("it ends inside of an event", at))?;
        match event.kind {
            GROUP => {
                let group = event.group(at, &start)?;
                if visit(&group) == Go::Stop {
                    seen.end = at;
                    return Ok(seen);
                }
                seen.last = Some(group);
            }
            FORMAT => seen.head = Some(format!("{}-{}", event.second, event.server)),
            ROTATE => seen.next = rotation(&start),
            _ => {}
        }
        skip(from, body - head).map_err(|_| bad("it ends inside of an event", at))?;
        at = end;
    }
}

/// Length and head of the description that a part from the middle of a file begins with.
pub(super) fn description(from: &mut dyn Read) -> Result<(u64, String)> {
    let mut start = [0; 4 + HEADER];
    from.read_exact(&mut start)
        .map_err(|_| bad("it has no head", 0))?;
    let (magic, header) = start.split_at(4);
    let event = Event::of(header);
    if magic != MAGIC || event.kind != FORMAT || event.length < HEADER_LENGTH {
        return Err(bad("it does not begin as one", 0));
    }
    let head = format!("{}-{}", event.second, event.server);
    Ok((4 + event.length, head))
}

struct Event {
    second: i64,
    kind: u8,
    server: u32,
    length: u64,
    end: u32,
}

impl Event {
    fn of(header: &[u8]) -> Self {
        Self {
            second: i64::from(number(header, 0)),
            kind: header.get(4).copied().unwrap_or_default(),
            server: number(header, 5),
            length: u64::from(number(header, 9)),
            end: number(header, 13),
        }
    }

    fn group(&self, offset: u64, body: &[u8]) -> Result<Group> {
        let (Some(flags), true) = (body.get(12), body.len() >= 13) else {
            return Err(bad("a group has no number", offset));
        };
        let sequence = u64::from(number(body, 0)) | u64::from(number(body, 4)) << 32;
        Ok(Group {
            offset,
            second: self.second,
            gtid: (number(body, 8), self.server, sequence),
            definition: flags & DEFINITION != 0,
        })
    }
}

/// Four bytes, the lowest first.
fn number(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    for (to, from) in four.iter_mut().zip(bytes.iter().skip(at)) {
        *to = *from;
    }
    u32::from_le_bytes(four)
}

/// The name of the file that follows; behind it there may be a checksum.
fn rotation(body: &[u8]) -> Option<String> {
    let name: Vec<u8> = body
        .iter()
        .skip(8)
        .copied()
        .take_while(u8::is_ascii_graphic)
        .collect();
    let text = String::from_utf8(name).ok()?;
    let digits = text.rsplit_once('.')?.1;
    // The checksum may look like letters; a name ends with its six digits or more.
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let surplus = digits.len() - count;
    text.get(..text.len() - surplus).map(ToOwned::to_owned)
}

fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn skip(from: &mut dyn Read, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut from.take(bytes), &mut io::sink())?;
    if skipped < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn bad(problem: &str, offset: u64) -> Error {
    Error::Damaged(format!("a binary log is damaged at {offset}: {problem}"))
}

#[cfg(test)]
mod tests;
