//! The way back: opens, decompresses, verifies and writes, in the order of the packs.
//!
//! Long files are laid out at their full length first and zeroes are not written, so an image
//! stays sparse.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt as _,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::aead::{Aad, LessSafeKey};
use crossbeam_channel::Receiver;
use zstd::bulk::Decompressor;

use crate::{
    key, nonce, pack_name,
    recipe::{Id, Piece, Place, Recipe},
};

/// Files longer than this are laid out sparse.
const LONG: u64 = 32 << 20;
/// No chunk is longer.
const CHUNK_MAX: usize = 8 << 20;

pub(crate) fn run(packs: &Path, target: &Path, threads: usize) -> Result<u64> {
    let Recipe { chunks, mut pieces } = Recipe::load(packs)?;
    fs::create_dir_all(target)?;
    let mut made = HashSet::new();
    for piece in &pieces {
        let dir = piece.path.parent().unwrap_or(Path::new(""));
        if made.insert(dir) {
            fs::create_dir_all(target.join(dir))?;
        }
    }
    let first = |piece: &Piece| {
        let number = usize::try_from(*piece.chunks.first()?).ok()?;
        let place = chunks.get(number)?.1;
        Some((place.pack, place.offset))
    };
    pieces.sort_by_key(first);
    let (send, queue) = crossbeam_channel::unbounded();
    for piece in pieces {
        send.send(piece)?;
    }
    drop(send);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| Worker::new(packs, target, &chunks)?.work(&queue)))
            .collect();
        let mut written = 0;
        for worker in workers {
            written += worker.join().expect("a worker does not panic")?;
        }
        Ok(written)
    })
}

struct Worker<'a> {
    packs: &'a Path,
    target: &'a Path,
    chunks: &'a [(Id, Place)],
    key: LessSafeKey,
    decompressor: Decompressor<'static>,
    open: HashMap<u32, File>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(packs: &'a Path, target: &'a Path, chunks: &'a [(Id, Place)]) -> Result<Self> {
        Ok(Self {
            packs,
            target,
            chunks,
            key: key()?,
            decompressor: Decompressor::new()?,
            open: HashMap::new(),
            sealed: Vec::new(),
            plain: vec![0; CHUNK_MAX],
        })
    }

    fn work(mut self, queue: &Receiver<Piece>) -> Result<u64> {
        let mut written = 0;
        while let Ok(piece) = queue.recv() {
            written += self.piece(&piece)?;
        }
        Ok(written)
    }

    fn piece(&mut self, piece: &Piece) -> Result<u64> {
        let path = self.target.join(&piece.path);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if piece.size > LONG {
            file.set_len(piece.size)?;
        }
        let mut at = piece.offset;
        for number in &piece.chunks {
            let chunk = self.chunks.get(usize::try_from(*number)?);
            let (id, place) = chunk.context("the recipe names an unknown chunk")?;
            let bytes = self.chunk(id, place)?;
            if piece.size <= LONG || bytes.iter().any(|byte| *byte != 0) {
                file.write_all_at(bytes, at)?;
            }
            at += u64::from(place.len);
        }
        Ok(at - piece.offset)
    }

    fn chunk(&mut self, id: &Id, place: &Place) -> Result<&[u8]> {
        let pack = match self.open.entry(place.pack) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(File::open(self.packs.join(pack_name(place.pack)))?)
            }
        };
        self.sealed.resize(usize::try_from(place.sealed)?, 0);
        pack.read_exact_at(&mut self.sealed, place.offset)?;
        let nonce = nonce(place.pack, place.offset);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(*id), &mut self.sealed)?;
        let bytes = if place.compressed {
            let len = self
                .decompressor
                .decompress_to_buffer(&*opened, &mut self.plain)?;
            &self.plain[..len]
        } else {
            &*opened
        };
        ensure!(
            blake3::hash(bytes).as_bytes() == id,
            "a chunk is not what it was"
        );
        Ok(bytes)
    }
}
