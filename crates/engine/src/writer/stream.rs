//! One thread's way into a writer: names chunks, asks who has them, groups the new ones.

use std::sync::{Arc, atomic::Ordering};

use crossbeam_channel::Sender;

use super::{Claim, Shared};
use crate::{
    error::{Error, Result},
    id::{ChunkId, Stream},
    segment::{CHUNK_MAX, ChunkSpan, Codec, Draft},
};

/// Puts chunks of one kind; consecutive new chunks are stored side by side.
///
/// Finish it before the commit. Dropping it hands over what it holds too, and the commit reports
/// what went wrong.
pub struct StreamWriter {
    shared: Arc<Shared>,
    jobs: Sender<Draft>,
    draft: Draft,
    segment: usize,
    long: bool,
}

impl StreamWriter {
    pub(super) fn new(shared: Arc<Shared>, jobs: Sender<Draft>, stream: Stream) -> Self {
        shared.open_streams.fetch_add(1, Ordering::AcqRel);
        let segment = shared.repository.sizes().segment as usize;
        let draft = shared.spare_draft(stream);
        Self {
            shared,
            jobs,
            draft,
            segment,
            long: false,
        }
    }

    /// Says whether what comes is part of something long. Its segments are twice as long, which
    /// compresses a little better; small files stay in short ones, of which less has to be decoded
    /// for one of them.
    pub fn expect_long(&mut self, long: bool) {
        self.long = long;
    }

    /// Stores a chunk of 1 byte to 1 MiB unless it is there, and returns its name. It is safe
    /// once the writer is committed.
    pub fn put(&mut self, bytes: &[u8]) -> Result<ChunkId> {
        self.shared.failure.check()?;
        if bytes.is_empty() || bytes.len() > CHUNK_MAX {
            return Err(Error::ChunkSize {
                len: bytes.len(),
                max: CHUNK_MAX,
            });
        }
        let stream = self.draft.stream;
        let id = self
            .shared
            .repository
            .objects()
            .keys()
            .chunk_id(stream, bytes);
        let claimed = self.shared.claim(stream, &id, bytes.len());
        match claimed.inspect_err(|error| self.shared.failure.set(error.clone()))? {
            Claim::Known => {}
            Claim::New => {
                self.draft.push(id, bytes);
                let full = if self.long {
                    (2 * self.segment).min(CHUNK_MAX)
                } else {
                    self.segment
                };
                if self.draft.bytes.len() >= full {
                    self.submit()?;
                }
            }
        }
        Ok(id)
    }

    /// Stores a segment as it was encoded before, if this repository has none of its chunks;
    /// `false` if it has some: put those it has not by themselves then. What is stored is decoded
    /// and compared like any other segment.
    pub(crate) fn put_encoded(
        &mut self,
        chunks: &[ChunkSpan],
        open: impl FnOnce(&mut Vec<u8>) -> Result<Codec>,
    ) -> Result<bool> {
        self.shared.failure.check()?;
        let stream = self.draft.stream;
        for chunk in chunks {
            if self.shared.has(stream, &chunk.id)? {
                return Ok(false);
            }
        }
        let mut draft = self.shared.spare_draft(stream);
        draft.encoded = Some(open(&mut draft.bytes)?);
        for chunk in chunks {
            // One that another thread claims at this moment is stored twice, which is no error.
            self.shared.claim_unknown(&chunk.id, chunk.len as usize);
        }
        draft.chunks.extend_from_slice(chunks);
        self.send(draft)?;
        Ok(true)
    }

    /// Hands over what is left.
    pub fn finish(mut self) -> Result<()> {
        self.submit()
    }

    fn submit(&mut self) -> Result<()> {
        self.shared.failure.check()?;
        if self.draft.chunks.is_empty() {
            return Ok(());
        }
        let fresh = self.shared.spare_draft(self.draft.stream);
        let full = std::mem::replace(&mut self.draft, fresh);
        self.send(full)
    }

    fn send(&self, draft: Draft) -> Result<()> {
        self.jobs.send(draft).map_err(|_| {
            self.shared.failure.set(Error::WriterDied);
            self.shared
                .failure
                .check()
                .err()
                .unwrap_or(Error::WriterDied)
        })
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        // An error here is the writer's first error and is returned by the commit.
        let _ = self.submit();
        self.shared.open_streams.fetch_sub(1, Ordering::AcqRel);
    }
}
