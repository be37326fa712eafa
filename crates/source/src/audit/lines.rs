//! Whole lines of a stream, passed on in blocks, counted and dated on their way.
//!
//! A line of PostgreSQL's `csvlog` ends outside quotes only, unless a whole record follows: a
//! statement may have many lines of text. A line that is not finished waits, one that never will
//! be is taken as it is.
//!
//! Invariant: what is passed on are the bytes of the stream in order, without holes before lines
//! and without lines longer than [`LINE_MAX`]; a line that no end follows is given one.

use std::io::{self, Write};

use strongroom_model::Timestamp;

use super::{
    format::{Format, Zone, without_hole},
    gap::{Gap, GapKind, Lost},
    packing::{Resumed, fill, remember},
    position::Mark,
    postgres::{self, Begins},
    reading::LINE_MAX,
    record,
};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;
/// How much earlier than the line before a line may be: sessions write past each other.
const DISORDER_MICROS: i64 = 60_000_000;

/// Takes lines of one file after the other.
pub(super) struct Intake<'s> {
    format: Format,
    zone: Zone,
    sink: &'s mut dyn Write,
    buffer: Vec<u8>,
    budget: u64,
    pub(super) lines: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) gaps: Vec<Gap>,
}

/// What becomes of a last line without an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rest {
    /// It waits for its end.
    Waits,
    /// It is as long as it will ever be.
    Final,
}

/// How the reading of a file ended.
pub(super) enum Ended {
    /// With the file; that many bytes of a line without its end wait.
    File(u64),
    /// With the budget.
    Budget,
    /// With an error of the file; what came before it is taken.
    Failed(io::Error),
}

/// Who takes the lines gave up.
pub(super) struct SinkFailed(pub(super) io::Error);

/// A file in the middle of being taken.
struct Taking<'m> {
    mark: &'m mut Mark,
    opening: Vec<u8>,
    recent: Vec<u8>,
    offset: u64,
    /// Bytes of the buffer that are filled.
    filled: usize,
    /// Bytes of it in which no end of a line is.
    scanned: usize,
    quoted: bool,
    /// Whether quotes mean nothing just now.
    unquoted: bool,
    /// Where a line began that is too long to be kept.
    skipping: Option<u64>,
}

impl<'s> Intake<'s> {
    pub(super) fn new(format: Format, zone: Zone, budget: u64, sink: &'s mut dyn Write) -> Self {
        Self {
            format,
            zone,
            sink,
            buffer: vec![0; BLOCK],
            budget,
            lines: 0,
            bytes: 0,
            first: None,
            last: None,
            gaps: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.budget
    }

    /// Takes the lines of a file, and moves its mark on.
    pub(super) fn take(
        &mut self,
        resumed: Resumed,
        mark: &mut Mark,
        rest: Rest,
    ) -> Result<Ended, SinkFailed> {
        let Resumed {
            mut reader,
            opening,
            recent,
        } = resumed;
        let offset = mark.offset;
        let mut taking = Taking {
            mark,
            opening,
            recent,
            offset,
            filled: 0,
            scanned: 0,
            quoted: false,
            unquoted: false,
            skipping: None,
        };
        loop {
            if taking.filled == self.buffer.len() {
                self.make_room(&mut taking)?;
            }
            let room = self.buffer.get_mut(taking.filled..).unwrap_or_default();
            let read = match fill(&mut reader, room) {
                Ok(read) => read,
                Err(error) => {
                    taking.note();
                    return Ok(Ended::Failed(error));
                }
            };
            if read == 0 {
                return self.end(taking, rest);
            }
            taking.filled += read;
            self.pass(&mut taking)?;
            if self.is_full() {
                taking.note();
                return Ok(Ended::Budget);
            }
        }
    }

    /// Passes on the lines of the buffer that are whole.
    fn pass(&mut self, taking: &mut Taking<'_>) -> Result<(), SinkFailed> {
        let (mut start, mut block) = (0, 0);
        while !self.is_full_after(start - block) {
            let Some(end) = self.next_end(taking) else {
                break;
            };
            if let Some(from) = taking.skipping.take() {
                let to = taking.offset + end as u64;
                self.too_long(taking, from, to);
                (start, block) = (end, end);
                continue;
            }
            let line = self.buffer.get(start..end).unwrap_or_default();
            if line.first() == Some(&0) {
                // A hole: the writer's file was cut, and it went on where it was.
                self.put(block..start)?;
                let line = self.buffer.get(start..end).unwrap_or_default();
                start = end - without_hole(line).len();
                block = start;
            }
            let line = self.buffer.get(start..end).unwrap_or_default();
            let time = record::time(self.format, line, self.zone);
            self.lines += 1;
            self.date(taking, time, start);
            start = end;
        }
        self.put(block..start)?;
        self.consume(taking, start);
        Ok(())
    }

    fn is_full_after(&self, waiting: usize) -> bool {
        self.bytes + waiting as u64 >= self.budget
    }

    /// The end of the next line.
    fn next_end(&self, taking: &mut Taking<'_>) -> Option<usize> {
        let filled = self.buffer.get(..taking.filled).unwrap_or_default();
        let quotes =
            self.format == Format::PostgresCsv && taking.skipping.is_none() && !taking.unquoted;
        let quoted = quotes.then_some(&mut taking.quoted);
        line_end(filled, &mut taking.scanned, quoted)
    }

    fn date(&mut self, taking: &mut Taking<'_>, time: Option<i64>, start: usize) {
        let Some(time) = time else {
            return;
        };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let before = taking.mark.latest.replace(time);
        if before.is_some_and(|before| before.saturating_sub(time) > DISORDER_MICROS) {
            let at = taking.offset + start as u64;
            self.gaps.push(Gap {
                kind: GapKind::ClockRanBack,
                file: taking.mark.name.clone(),
                from: at,
                to: Some(at),
                lost: Lost::Nothing,
            });
        }
    }

    fn put(&mut self, range: std::ops::Range<usize>) -> Result<(), SinkFailed> {
        let bytes = self.buffer.get(range).unwrap_or_default();
        self.sink.write_all(bytes).map_err(SinkFailed)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Drops the first bytes of the buffer: they are dealt with.
    fn consume(&mut self, taking: &mut Taking<'_>, count: usize) {
        let done = self.buffer.get(..count).unwrap_or_default();
        remember(done, &mut taking.opening, &mut taking.recent);
        taking.offset += count as u64;
        self.buffer.copy_within(count..taking.filled, 0);
        taking.filled -= count;
        taking.scanned -= count;
    }

    /// Makes the buffer longer for a long line, or gives the line up.
    fn make_room(&mut self, taking: &mut Taking<'_>) -> Result<(), SinkFailed> {
        if taking.skipping.is_none() && self.buffer.len() < LINE_MAX {
            let longer = self.buffer.len().saturating_mul(2).min(LINE_MAX);
            self.buffer.resize(longer, 0);
            return Ok(());
        }
        if std::mem::take(&mut taking.quoted) {
            // A quote that nobody closed: what stands there are lines like others.
            (taking.scanned, taking.unquoted) = (0, true);
            let passed = self.pass(taking);
            taking.unquoted = false;
            return passed;
        }
        let held = self.buffer.get(..taking.filled).unwrap_or_default();
        if taking.skipping.is_none() && !without_hole(held).is_empty() {
            taking.note();
            taking.skipping = Some(taking.offset);
        }
        // The bytes count as read only when the end of their line is found; see `end`.
        self.consume(taking, taking.filled);
        Ok(())
    }

    fn too_long(&mut self, taking: &Taking<'_>, from: u64, to: u64) {
        self.gaps.push(Gap {
            kind: GapKind::LineTooLong,
            file: taking.mark.name.clone(),
            from,
            to: Some(to),
            lost: Lost::Bytes(to - from),
        });
    }

    /// The file ended.
    fn end(&mut self, mut taking: Taking<'_>, rest: Rest) -> Result<Ended, SinkFailed> {
        let held = self.buffer.get(..taking.filled).unwrap_or_default();
        let text = without_hole(held);
        if let Some(from) = taking.skipping {
            let to = taking.offset + taking.filled as u64;
            if rest == Rest::Waits {
                // Nothing is noted, so the line is looked at again from its beginning.
                return Ok(Ended::File(to - from));
            }
            self.too_long(&taking, from, to);
        } else if rest == Rest::Waits {
            let waits = taking.filled as u64;
            taking.note();
            return Ok(Ended::File(waits));
        } else if !text.is_empty() {
            let start = taking.filled - text.len();
            // A hole at the end is no part of the line either.
            let hole = text.iter().rev().take_while(|byte| **byte == 0).count();
            let text = text.get(..text.len() - hole).unwrap_or_default();
            let end = start + text.len();
            let time = record::time(self.format, text, self.zone);
            let ends = text.last() == Some(&b'\n');
            self.lines += 1;
            self.date(&mut taking, time, start);
            self.put(start..end)?;
            if !ends {
                self.sink.write_all(b"\n").map_err(SinkFailed)?;
                self.bytes += 1;
            }
        }
        self.consume_all(&mut taking);
        taking.note();
        Ok(Ended::File(0))
    }

    fn consume_all(&mut self, taking: &mut Taking<'_>) {
        taking.scanned = taking.filled;
        self.consume(taking, taking.filled);
    }

    /// The range of times of all lines.
    pub(super) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (
            self.first.map(Timestamp::from_micros),
            self.last.map(Timestamp::from_micros),
        )
    }
}

/// The end of the next line behind `scanned`, which moves on; `quoted` says whether that place is
/// between quotes, where they count.
pub(super) fn line_end(
    bytes: &[u8],
    scanned: &mut usize,
    mut quoted: Option<&mut bool>,
) -> Option<usize> {
    loop {
        let rest = bytes.get(*scanned..).unwrap_or_default();
        let found = match quoted {
            Some(_) => memchr::memchr2(b'\n', b'"', rest),
            None => memchr::memchr(b'\n', rest),
        };
        let Some(found) = found else {
            *scanned = bytes.len();
            return None;
        };
        *scanned += found + 1;
        match &mut quoted {
            Some(quoted) if rest.get(found) == Some(&b'"') => **quoted = !**quoted,
            Some(quoted) if **quoted => {
                match postgres::whole_record(bytes.get(*scanned..).unwrap_or_default()) {
                    Begins::Text => {}
                    Begins::Record => {
                        // Whoever wrote the line died before its end.
                        **quoted = false;
                        return Some(*scanned);
                    }
                    Begins::Undecided => {
                        *scanned -= 1;
                        return None;
                    }
                }
            }
            _ => return Some(*scanned),
        }
    }
}

impl Taking<'_> {
    /// Notes in the mark how far it was read, unless that is in the middle of a line that is
    /// skipped.
    fn note(&mut self) {
        if self.skipping.is_none() && self.offset > self.mark.offset {
            self.mark.advance(self.offset, &self.opening, &self.recent);
        }
    }
}
