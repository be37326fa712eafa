//! Writes a volume to a stream: a disk in order, holes as zeroes.
//!
//! The engine hands over blocks by their place, the zeroes between them in advance. With one
//! restoring thread blocks come in the order of the disk, so whatever lies in front of a block has
//! been announced before; nothing needs to be kept but ranges.

use std::{
    io::{self, Write},
    ops::Range,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use strongroom_engine::tree::Progress;
use strongroom_model::content::{BlockSink, Error, Result};

/// Zeroes are written in pieces of this many bytes.
const ZEROES: &[u8] = &[0; 64 << 10];

/// A stream as a place to restore to, for one thread.
pub(super) struct Stream<'a, W> {
    told: &'a Progress,
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    /// Bytes written so far.
    at: u64,
    size: u64,
    failed: Option<io::Error>,
}

impl<'a, W: Write> Stream<'a, W> {
    /// Writes to `out`; a restore told of by `told` ends when that fails.
    pub(super) fn new(out: W, told: &'a Progress) -> Self {
        let state = State {
            out,
            at: 0,
            size: 0,
            failed: None,
        };
        Self {
            told,
            state: Mutex::new(state),
        }
    }

    /// Writes the zeroes at the end; fails if any write did.
    pub(super) fn finish(self) -> io::Result<()> {
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        state.zeroes_to(state.size)?;
        state.out.flush()
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the first failure and ends the restore: nobody reads what would come after it.
    fn note(&self, state: &mut State<W>, done: io::Result<()>) -> Result<()> {
        done.map_err(|error| {
            self.told.cancel();
            let told = io::Error::from(error.kind());
            state.failed.get_or_insert(error);
            Error::io("write", Path::new("standard output"))(told)
        })
    }
}

impl<W: Write> State<W> {
    fn zeroes_to(&mut self, end: u64) -> io::Result<()> {
        while self.at < end {
            let count = (end - self.at).min(ZEROES.len() as u64);
            self.out
                .write_all(&ZEROES[..usize::try_from(count).unwrap_or(ZEROES.len())])?;
            self.at += count;
        }
        Ok(())
    }

    fn write(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        if offset < self.at {
            return Err(io::Error::other("a disk came out of order"));
        }
        self.zeroes_to(offset)?;
        self.out.write_all(data)?;
        self.at += data.len() as u64;
        Ok(())
    }
}

impl<W: Write + Send> BlockSink for Stream<'_, W> {
    fn prepare(&self, size: u64) -> Result<()> {
        self.state().size = size;
        Ok(())
    }

    fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        let mut state = self.state();
        let done = state.write(data, offset);
        self.note(&mut state, done)
    }

    fn zero(&self, _: Range<u64>) -> Result<()> {
        // Whatever is not written before the next block, or the end, reads as zeroes.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_the_zeroes_around_them_come_out_in_order() {
        let told = Progress::default();
        let mut out = Vec::new();
        let stream = Stream::new(&mut out, &told);
        stream.prepare(200_000).unwrap();
        stream.zero(0..100_000).unwrap();
        stream.write_at(b"block", 100_000).unwrap();
        stream.write_at(b"next", 100_005).unwrap();
        assert!(stream.write_at(b"late", 3).is_err());
        drop(stream);

        out.clear();
        let stream = Stream::new(&mut out, &told);
        stream.prepare(200_000).unwrap();
        stream.write_at(b"block", 100_000).unwrap();
        stream.finish().unwrap();
        assert_eq!(out.len(), 200_000);
        assert_eq!(&out[100_000..100_005], b"block");
        assert!(
            out[..100_000]
                .iter()
                .chain(&out[100_005..])
                .all(|byte| *byte == 0)
        );
    }
}
