//! Writes content to a stream in order while several threads read what comes next.
//!
//! Nothing is left out silently: a reader of a stream cannot be told of a gap afterwards, so the
//! first loss ends it.
//!
//! Invariant: windows leave in the order they were taken in, and at most so many are in memory as
//! there are threads, and two.

use std::{
    collections::BTreeMap,
    io::Write,
    ops::Range,
    sync::{Condvar, Mutex, PoisonError},
    thread,
};

use crate::{
    error::{Error, Result},
    pieces::{Held, Piece, Wanted, load},
    reader::Reader,
    tree::{Progress, crew::lock},
};

/// Bytes that one thread reads at a time.
const WINDOW_BYTES: u64 = 2 << 20;
/// Holes have no bytes, but each takes memory.
const WINDOW_PIECES: usize = 4096;

/// Takes what is wanted next; `None` at the end.
pub(crate) type Next<'n> = dyn FnMut() -> Result<Option<Wanted>> + Send + 'n;

/// Where a stream goes, and which bytes of the whole belong into it.
pub(crate) struct Output<'o> {
    pub(crate) out: &'o mut dyn Write,
    pub(crate) range: Range<u64>,
    pub(crate) progress: &'o Progress,
}

/// Windows on their way from the readers to the writer.
struct Windows<'n> {
    next: Mutex<Source<'n>>,
    state: Mutex<State>,
    changed: Condvar,
    ahead: u64,
}

struct Source<'n> {
    next: &'n mut Next<'n>,
    taken: u64,
    ended: bool,
}

#[derive(Default)]
struct State {
    ready: BTreeMap<u64, Result<Vec<Piece>>>,
    written: u64,
    /// Number of windows, once the last was taken.
    end: Option<u64>,
    stopped: bool,
}

/// Writes everything that `next` wants, which comes in order, as far as it is in the range.
pub(crate) fn write_all<'n>(
    reader: &Reader,
    threads: usize,
    next: &'n mut Next<'n>,
    output: &mut Output<'_>,
) -> Result<()> {
    let windows = Windows {
        next: Mutex::new(Source {
            next,
            taken: 0,
            ended: false,
        }),
        state: Mutex::default(),
        changed: Condvar::new(),
        ahead: threads as u64 + 1,
    };
    thread::scope(|scope| {
        // Also when this thread panics, or the readers would wait for ever.
        let _stop = Stop(&windows);
        for _ in 0..threads {
            scope.spawn(|| {
                let _stop = Panicking(&windows);
                windows.read(reader);
            });
        }
        windows.write(output)
    })
}

struct Stop<'w, 'n>(&'w Windows<'n>);

impl Drop for Stop<'_, '_> {
    fn drop(&mut self) {
        lock(&self.0.state).stopped = true;
        self.0.changed.notify_all();
    }
}

struct Panicking<'w, 'n>(&'w Windows<'n>);

impl Drop for Panicking<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(Stop(self.0));
        }
    }
}

impl Windows<'_> {
    fn read(&self, reader: &Reader) {
        loop {
            let (number, wanted) = {
                let mut source = lock(&self.next);
                if source.ended {
                    return;
                }
                let wanted = source.window();
                if source.ended {
                    lock(&self.state).end = Some(source.taken);
                }
                (source.taken - 1, wanted)
            };
            let mut state = lock(&self.state);
            while number > state.written + self.ahead && !state.stopped {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.stopped {
                return;
            }
            drop(state);
            let pieces = wanted.map(|wanted| load(reader, vec![wanted]).pop().unwrap_or_default());
            lock(&self.state).ready.insert(number, pieces);
            self.changed.notify_all();
        }
    }

    fn write(&self, output: &mut Output<'_>) -> Result<()> {
        loop {
            let pieces = {
                let mut state = lock(&self.state);
                loop {
                    let number = state.written;
                    if let Some(pieces) = state.ready.remove(&number) {
                        break pieces?;
                    }
                    if state.end == Some(number) {
                        return Ok(());
                    }
                    if state.stopped {
                        // A reader's panic is on its way up.
                        return Err(Error::Cancelled);
                    }
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            };
            for piece in pieces {
                output.progress.check()?;
                output.write(piece)?;
            }
            lock(&self.state).written += 1;
            self.changed.notify_all();
        }
    }
}

impl Source<'_> {
    /// The next window; an error ends the source.
    fn window(&mut self) -> Result<Vec<Wanted>> {
        self.taken += 1;
        let (mut window, mut bytes) = (Vec::new(), 0);
        while bytes < WINDOW_BYTES && window.len() < WINDOW_PIECES {
            match (self.next)() {
                Ok(Some(wanted)) => {
                    if matches!(wanted.what, crate::pieces::What::Chunk(_)) {
                        bytes += wanted.length;
                    }
                    window.push(wanted);
                }
                Ok(None) => {
                    self.ended = true;
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(window)
    }
}

impl Output<'_> {
    fn write(&mut self, piece: Piece) -> Result<()> {
        match piece.held {
            Held::Data(chunk) => self.write_bytes(piece.position, &chunk),
            Held::Hole => self.write_zeroes(piece.position, piece.length),
            Held::Lost(error) => Err(error),
        }
    }

    /// Writes what of `bytes`, which lie at `position`, is in the range.
    pub(crate) fn write_bytes(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        let within = |at: u64| {
            usize::try_from(at.saturating_sub(position))
                .map_or(bytes.len(), |at| at.min(bytes.len()))
        };
        let wanted = bytes.get(within(self.range.start)..within(self.range.end));
        let wanted = wanted.unwrap_or_default();
        self.progress.advance(wanted.len() as u64);
        self.out.write_all(wanted).map_err(Error::output)
    }

    fn write_zeroes(&mut self, position: u64, length: u64) -> Result<()> {
        static ZEROES: [u8; 64 << 10] = [0; 64 << 10];
        let end = (position + length).min(self.range.end);
        let mut at = position.max(self.range.start);
        while at < end {
            self.progress.check()?;
            let step =
                usize::try_from(end - at).map_or(ZEROES.len(), |left| left.min(ZEROES.len()));
            self.write_bytes(at, ZEROES.get(..step).unwrap_or_default())?;
            at += step as u64;
        }
        Ok(())
    }
}
