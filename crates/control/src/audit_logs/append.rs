//! The next segment: read, stored and chained in one stream.
//!
//! One thread reads the logs and hashes their lines, another one stores them as they come, so
//! neither the length of a log nor of a line in it matters. The head is made when the last line has
//! passed, and is part of the manifest that makes the segment exist: a kill before it leaves
//! nothing that counts, a kill after it a whole segment, which the next look at the vault finds.
//!
//! Also the other way: a segment's lines are deleted, and its head stays.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    sync::{Arc, mpsc},
    thread,
};

use aws_lc_rs::digest::{Context, SHA256};
use strongroom_engine::{
    Error as EngineError,
    tree::{Input, Progress, SaveOptions, Saved, save_labelled_input},
};
use strongroom_model::{
    Clock, Entropy, Timestamp,
    content::{Attributes, Name},
};
use strongroom_source::audit::{self, Budget, LogDirectory, Pending, Position, Reading};

use super::{
    chain::Chain,
    head::{DELETED, FILE, Head, LABEL, Segment, VERSION, Written},
    of_engine, of_source,
};
use crate::{
    Error, Result,
    pipe::{PipeWriter, pipe},
};

/// Bytes of lines in one segment, unless somebody wants it otherwise: what a kill makes to be read
/// again.
pub const SEGMENT_BYTES: u64 = 1 << 30;

/// How a segment is made.
pub struct Append<'a> {
    /// Tells when the logs were looked at.
    pub clock: &'a dyn Clock,
    /// Names and keys are drawn from it.
    pub entropy: Arc<dyn Entropy>,
    /// Told how far it is.
    pub progress: &'a Progress,
    /// After how many bytes the segment ends.
    pub segment_bytes: u64,
    /// What stands beside the head; names that begin with `audit-segment` are taken.
    pub labels: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The segment; none if there was nothing new.
    pub segment: Option<Segment>,
    /// Logs that could not be read now; nothing of them is lost yet.
    pub pending: Vec<Pending>,
    /// Whether there is more for another segment at once.
    pub more: bool,
}

/// What a reading that finds nothing new does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quiet {
    /// It leaves nothing.
    Leaves,
    /// It leaves a segment without lines.
    Tells,
}

/// A reading that came to its end.
struct Taken {
    reading: Reading,
    sha256: String,
}

impl Chain<'_> {
    /// Reads on in the logs and stores what is new as the next segment.
    pub fn append(&mut self, logs: &mut LogDirectory, order: &Append<'_>) -> Result<Appended> {
        self.next(logs, order, Quiet::Leaves)
    }

    /// The same, and if nothing is new a segment that says just that: so that a time without
    /// events can be proven to have had none.
    pub fn attest(&mut self, logs: &mut LogDirectory, order: &Append<'_>) -> Result<Appended> {
        self.next(logs, order, Quiet::Tells)
    }

    fn next(
        &mut self,
        logs: &mut LogDirectory,
        order: &Append<'_>,
        quiet: Quiet,
    ) -> Result<Appended> {
        let (from, began) = (self.position()?, order.clock.now());
        let (writer, mut reader) = pipe();
        let (say, hear) = mpsc::sync_channel(1);
        let (format, budget) = (
            logs.format(),
            Budget {
                bytes: order.segment_bytes.max(1),
            },
        );
        let begin = &from;
        thread::scope(|scope| {
            let reading = scope.spawn(move || read(logs, begin, budget, writer, &say));
            let stored = self.store(&mut reader, &hear, begin, began, (format, quiet), order);
            // A save that failed reads no more; the reading must see that, not wait for ever.
            drop(reader);
            let read = reading.join();
            match (read, stored) {
                (Ok(Err(error)), _) if !matches!(error, audit::Error::Sink(_)) => {
                    Err(of_source(&error))
                }
                (Err(_), _) => Err(Error::bug(
                    "the reading of audit logs panicked",
                    "see the log",
                )),
                (_, stored) => stored,
            }
        })
    }

    fn store(
        &mut self,
        reader: &mut impl Read,
        hear: &mpsc::Receiver<Taken>,
        from: &Position,
        began: Timestamp,
        (format, quiet): (audit::Format, Quiet),
        order: &Append<'_>,
    ) -> Result<Appended> {
        // A reading that finds nothing new must leave nothing.
        let mut first = [0];
        let some = fill(reader, &mut first).map_err(unread)?;
        let mut ended = None;
        if some == 0 {
            let read = hear.recv().map_err(unread)?;
            if quiet == Quiet::Leaves && !read.reading.is_news(from) {
                return Ok(Appended {
                    segment: None,
                    pending: read.reading.pending,
                    more: read.reading.more,
                });
            }
            ended = Some(read);
        }
        let mut bytes = io::Cursor::new(&first[..some]).chain(reader);
        let mut said = None;
        let labels = || {
            let read = ended.or_else(|| hear.recv().ok());
            let Some(read) = read else {
                return BTreeMap::new();
            };
            let (head, outcome) = self.head(read, began, format, order);
            said = Some(outcome);
            head
        };
        let saved = save(self, &mut bytes, order, labels)?;
        let (pending, more) = said.ok_or_else(|| unread("the reading said nothing"))?;
        let segment = self.take_over(&saved)?;
        Ok(Appended {
            segment: Some(segment),
            pending,
            more,
        })
    }

    /// The labels of the next segment.
    fn head(
        &self,
        read: Taken,
        began: Timestamp,
        format: audit::Format,
        order: &Append<'_>,
    ) -> (BTreeMap<String, String>, (Vec<Pending>, bool)) {
        let Taken { reading, sha256 } = read;
        let last = self.last();
        let written = Written {
            head: Head {
                version: VERSION,
                instance: self.instance.clone(),
                number: last.map_or(0, |last| last.head.number) + 1,
                previous: last.map(|last| last.link.clone()),
                sha256,
                lines: reading.lines,
                bytes: reading.bytes,
                first_event: reading.first_event,
                last_event: reading.last_event,
                looked_from: last.map_or(began, |last| last.head.looked_at),
                // What came into the logs while they were read may be missing from it.
                looked_at: began,
                more: reading.more,
                format,
                gaps: reading.gaps,
                pending: reading.pending.clone(),
            },
            spans: reading.spans,
            position: reading.position,
        };
        let text = serde_json::to_string(&written).expect("a head is plain data");
        let mut labels = order.labels.clone();
        labels.insert(LABEL.to_owned(), text);
        (labels, (reading.pending, reading.more))
    }

    /// Takes a manifest that was just written into the chain.
    fn take_over(&mut self, saved: &Saved) -> Result<Segment> {
        let manifest = self
            .repository
            .manifest(&saved.manifest)
            .map_err(of_engine)?;
        let segment = Segment::of(&manifest)
            .ok_or_else(|| Error::bug("a segment has no head", saved.manifest.to_string()))?;
        let settled = Arc::make_mut(&mut self.settled);
        settled.segments.push(Arc::new(segment.clone()));
        Ok(segment)
    }

    /// Deletes the lines of a segment; what proves the chain stays. Can be repeated.
    pub fn delete(&mut self, number: u64, order: &Append<'_>) -> Result<()> {
        let segment = self.segment(number)?.clone();
        if segment.deleted.is_some() {
            return Ok(());
        }
        let (_, text) = self.written(&segment)?;
        let mut labels = order.labels.clone();
        labels.insert(LABEL.to_owned(), text);
        let now = order.clock.now();
        labels.insert(DELETED.to_owned(), now.as_micros().to_string());
        // First what stays, then the lines go: a kill between leaves both.
        let saved = save(self, &mut io::empty(), order, || labels)?;
        match self.repository.forget(&segment.manifest, &*order.entropy) {
            Ok(()) | Err(EngineError::ManifestMissing { .. }) => {}
            Err(error) => return Err(of_engine(error)),
        }
        for known in &mut Arc::make_mut(&mut self.settled).segments {
            if known.head.number == number {
                let known = Arc::make_mut(known);
                (known.manifest, known.deleted) = (saved.manifest, Some(now));
            }
        }
        Ok(())
    }
}

/// Saves a stream as a segment's lines.
fn save(
    chain: &Chain<'_>,
    bytes: &mut dyn Read,
    order: &Append<'_>,
    labels: impl FnOnce() -> BTreeMap<String, String>,
) -> Result<Saved> {
    let options = SaveOptions::new(order.progress, Arc::clone(&order.entropy));
    let input = Input {
        bytes,
        name: Name::new(FILE.as_bytes()).expect("a legal name"),
        attributes: Attributes {
            mode: 0o400,
            ..Attributes::default()
        },
    };
    save_labelled_input(chain.repository, input, order.clock, &options, labels).map_err(of_engine)
}

/// Reads the logs into a pipe, and says what was read before the pipe ends.
fn read(
    logs: &mut LogDirectory,
    from: &Position,
    budget: Budget,
    mut out: PipeWriter,
    say: &mpsc::SyncSender<Taken>,
) -> audit::Result<()> {
    let mut sink = Hashing {
        out: &mut out,
        hash: Context::new(&SHA256),
    };
    let reading = logs.read(from, budget, &mut sink)?;
    let sha256 = hex::encode(sink.hash.finish());
    let told = say.send(Taken { reading, sha256 });
    told.map_err(|_| audit::Error::Sink(io::ErrorKind::BrokenPipe.into()))?;
    out.finish().map_err(audit::Error::Sink)
}

struct Hashing<'a> {
    out: &'a mut PipeWriter,
    hash: Context,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn unread(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable("the audit logs", cause)
}
