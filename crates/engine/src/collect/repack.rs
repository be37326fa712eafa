//! Writes the needed chunks of sparse packs anew, so that the packs can go.
//!
//! The packs are in quarantine already, so a writer that starts now takes their chunks for absent
//! and stores what it is given. It ends without a manifest: the chunks are reached by the
//! manifests that reached them before, through the index.

use std::sync::Arc;

use strongroom_model::Entropy;

use super::mark::Marked;
use crate::{
    error::{Error, Result},
    id::{PackId, Stream},
    layout::Object,
    pack::Scratch,
    repository::Repository,
    segment::ChunkSpan,
    writer::WriterOptions,
};

/// Writes every marked chunk of `packs` anew.
pub(super) fn repack(
    repository: &Repository,
    packs: &[PackId],
    marked: &Marked,
    entropy: &Arc<dyn Entropy>,
) -> Result<()> {
    let writer = repository.writer(WriterOptions::default(), Arc::clone(entropy))?;
    let mut data = writer.stream(Stream::Data);
    let mut tree = writer.stream(Stream::Tree);
    let mut scratch = Scratch::new()?;
    let long = repository.sizes().segment * 3 / 2;
    for id in packs {
        let bytes = repository.pack_bytes(*id)?;
        let damaged = |damage| Error::damaged(Object::Pack(*id))(damage);
        let view = repository.open_pack(*id, &bytes).map_err(damaged)?;
        let stream = match view.directory().stream() {
            Stream::Data => &mut data,
            Stream::Tree => &mut tree,
        };
        for segment in view.directory().segments() {
            let is_needed = |chunk: &ChunkSpan| marked.contains(&chunk.id);
            if !segment.chunks().iter().any(is_needed) {
                continue;
            }
            let taken_over = segment.chunks().iter().all(is_needed)
                && stream.put_encoded(segment.chunks(), |out| {
                    view.open_encoded(segment.number(), out).map_err(damaged)
                })?;
            if taken_over {
                continue;
            }
            let mut put = Ok(());
            stream.expect_long(segment.plain_len() > long);
            view.decode_with(&mut scratch, segment.number(), &mut |chunk, bytes| {
                if put.is_ok() && marked.contains(&chunk) {
                    put = bytes
                        .map_err(damaged)
                        .and_then(|bytes| stream.put(bytes).map(drop));
                }
            });
            put?;
        }
    }
    data.finish()?;
    tree.finish()?;
    writer.close()
}
