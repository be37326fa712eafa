//! Writes a volume as a qcow2 image (version 3): only the clusters that hold something.
//!
//! A cluster is a block of the volume. Where everything goes is known before the first byte of
//! content is read, since the block map says which blocks there are: header, reference counts,
//! tables, then the clusters in the order of the disk. So the image is written from front to end.
//! All numbers of the format are big-endian.

use std::{io::Write, ops::Range, panic::resume_unwind, thread};

use strongroom_model::content::TreePath;

use super::Exported;
use crate::{
    error::{Error, Result},
    id::{ChunkId, ManifestId, Stream},
    reader::{Chunk, Reader},
    repository::Repository,
    tree::{Cause, Part, Progress, loss::Losses},
    volume::{map::Blocks, top::Top},
};

/// Blocks read ahead.
const AHEAD_BLOCKS: usize = 64;
/// Disks are measured in sectors.
const SECTOR: u64 = 512;
/// Bytes of the header.
const HEADER_LEN: u32 = 104;
/// An entry of a table whose cluster has one reference.
const COPIED: u64 = 1 << 63;
/// The largest table of the first level, in bytes, that qemu opens.
const L1_BYTES_MAX: u64 = 32 << 20;

/// Writes the volume of a manifest to `out`. The size of the disk is rounded up to whole sectors.
pub fn export_qcow2(
    repository: &Repository,
    manifest: &ManifestId,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<Exported> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let top = Top::read(&reader, &manifest)?;
    let mut image = Image {
        reader: &reader,
        top,
        lost: Vec::new(),
        losses: Losses::default(),
        progress,
        out,
        written: 0,
    };
    let plan = image.plan()?;
    progress.expect_at_least(plan.data_clusters * plan.cluster);
    image.tables(&plan)?;
    image.data(&plan)?;
    image.out.flush().map_err(Error::output)?;
    let bytes = image.written;
    let (losses, losses_total) = image.losses.finish();
    Ok(Exported {
        items: plan.data_clusters,
        bytes,
        losses,
        losses_total,
    })
}

/// Where everything goes, in clusters from the front.
struct Plan {
    /// Bytes of a cluster.
    cluster: u64,
    /// Whether each entry of the first table leads to a second one.
    l1: Vec<bool>,
    count_table: u64,
    count_blocks: u64,
    l1_clusters: u64,
    l2_clusters: u64,
    data_clusters: u64,
}

impl Plan {
    fn new(cluster: u64, l1: Vec<bool>, data_clusters: u64) -> Self {
        let l2_clusters = l1.iter().filter(|used| **used).count() as u64;
        let l1_clusters = (l1.len() as u64 * 8).div_ceil(cluster);
        let fixed = 1 + l1_clusters + l2_clusters + data_clusters;
        // The counts are counted too: grow until they have room for themselves.
        let (mut count_table, mut count_blocks) = (1, 1);
        loop {
            let blocks = (fixed + count_table + count_blocks).div_ceil(cluster / 2);
            let table = (blocks * 8).div_ceil(cluster);
            if blocks <= count_blocks && table <= count_table {
                break;
            }
            (count_table, count_blocks) = (table.max(count_table), blocks.max(count_blocks));
        }
        Self {
            cluster,
            l1,
            count_table,
            count_blocks,
            l1_clusters,
            l2_clusters,
            data_clusters,
        }
    }

    fn count_blocks_at(&self) -> u64 {
        1 + self.count_table
    }

    fn l1_at(&self) -> u64 {
        self.count_blocks_at() + self.count_blocks
    }

    fn l2_at(&self) -> u64 {
        self.l1_at() + self.l1_clusters
    }

    fn data_at(&self) -> u64 {
        self.l2_at() + self.l2_clusters
    }

    fn total(&self) -> u64 {
        self.data_at() + self.data_clusters
    }

    fn header(&self, size: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let word = |out: &mut Vec<u8>, number: u32| out.extend_from_slice(&number.to_be_bytes());
        let long = |out: &mut Vec<u8>, number: u64| out.extend_from_slice(&number.to_be_bytes());
        let small = |number: u64| u32::try_from(number).expect("the plan is within qemu's limits");
        out.extend_from_slice(b"QFI\xfb");
        word(&mut out, 3);
        // No backing file.
        long(&mut out, 0);
        word(&mut out, 0);
        word(&mut out, self.cluster.trailing_zeros());
        long(&mut out, size);
        // Not encrypted.
        word(&mut out, 0);
        word(&mut out, small(self.l1.len() as u64));
        long(&mut out, self.l1_at() * self.cluster);
        long(&mut out, self.cluster);
        word(&mut out, small(self.count_table));
        // No snapshots, no features.
        word(&mut out, 0);
        long(&mut out, 0);
        for _ in 0..3 {
            long(&mut out, 0);
        }
        // Reference counts of 2 to the fourth power bits.
        word(&mut out, 4);
        word(&mut out, HEADER_LEN);
        out
    }
}

struct Image<'a> {
    reader: &'a Reader,
    top: Top,
    /// Blocks that the first look at the map could not find.
    lost: Vec<Range<u64>>,
    losses: Losses,
    progress: &'a Progress,
    out: &'a mut dyn Write,
    written: u64,
}

impl Image<'_> {
    /// Goes through the map once, to know what there is.
    fn plan(&mut self) -> Result<Plan> {
        let cluster = u64::from(self.top.block);
        let per_table = cluster / 8;
        let tables = self.top.blocks().div_ceil(per_table).max(1);
        if tables * 8 > L1_BYTES_MAX {
            return Err(Error::BadOption {
                what: "a volume of this size and block",
                rule: "smaller for qcow2; export it raw",
            });
        }
        let mut l1 = vec![false; usize::try_from(tables).expect("a few MiB")];
        let mut data_clusters = 0;
        let mut map = Blocks::of(self.top.root, self.top.blocks());
        while let Some(next) = map.next(self.reader, &mut |_| self.progress.check()) {
            match next {
                Ok((block, _)) => {
                    let table = usize::try_from(block / per_table).expect("a few MiB");
                    if let Some(used) = l1.get_mut(table) {
                        *used = true;
                    }
                    data_clusters += 1;
                }
                Err(lost) => {
                    let bytes = self.bytes(&lost.blocks);
                    self.lose(bytes, lost.error)?;
                    self.lost.push(lost.blocks);
                }
            }
        }
        Ok(Plan::new(cluster, l1, data_clusters))
    }

    /// The next block of the same map, as it was when it was gone through first.
    fn next(&self, map: &mut Blocks) -> Option<Result<(u64, ChunkId)>> {
        loop {
            let known = |block: u64| self.lost.iter().any(|lost| lost.contains(&block));
            match map.next(self.reader, &mut |_| self.progress.check())? {
                // Lost before and found now: there is no room for it.
                Ok((block, _)) if known(block) => {}
                Ok(found) => return Some(Ok(found)),
                Err(lost) if known(lost.blocks.start) => {}
                Err(lost) => return Some(Err(lost.error)),
            }
        }
    }

    /// Writes everything in front of the content.
    fn tables(&mut self, plan: &Plan) -> Result<()> {
        self.write(&plan.header(self.top.size.next_multiple_of(SECTOR)))?;
        self.fill(plan)?;
        for block in 0..plan.count_blocks {
            self.long((plan.count_blocks_at() + block) * plan.cluster)?;
        }
        self.fill(plan)?;
        for _ in 0..plan.total() {
            self.write(&1_u16.to_be_bytes())?;
        }
        while self.written < plan.l1_at() * plan.cluster {
            self.fill_to((self.written + 1).next_multiple_of(plan.cluster))?;
        }
        let mut l2 = plan.l2_at();
        for used in &plan.l1 {
            self.long(if *used {
                (l2 * plan.cluster) | COPIED
            } else {
                0
            })?;
            l2 += u64::from(*used);
        }
        self.fill(plan)?;
        self.second_tables(plan)?;
        debug_assert_eq!(self.written, plan.data_at() * plan.cluster, "as planned");
        Ok(())
    }

    fn second_tables(&mut self, plan: &Plan) -> Result<()> {
        let per_table = plan.cluster / 8;
        let mut table = vec![0; usize::try_from(per_table).expect("at most 128 Ki")];
        let mut current = None;
        let mut data = plan.data_at();
        let mut map = Blocks::of(self.top.root, self.top.blocks());
        while let Some(found) = self.next(&mut map) {
            let (block, _) = found?;
            if current != Some(block / per_table) {
                if current.is_some() {
                    self.table(&mut table)?;
                }
                current = Some(block / per_table);
            }
            let index = usize::try_from(block % per_table).expect("at most 128 Ki");
            if let Some(entry) = table.get_mut(index) {
                *entry = (data * plan.cluster) | COPIED;
            }
            data += 1;
        }
        if current.is_some() {
            self.table(&mut table)?;
        }
        Ok(())
    }

    /// Writes a table and clears it.
    fn table(&mut self, table: &mut [u64]) -> Result<()> {
        let bytes: Vec<u8> = table.iter().flat_map(|entry| entry.to_be_bytes()).collect();
        table.fill(0);
        self.write(&bytes)
    }

    /// Writes the clusters, read ahead.
    fn data(&mut self, plan: &Plan) -> Result<()> {
        let mut map = Blocks::of(self.top.root, self.top.blocks());
        let reader = self.reader;
        let read = |window: Vec<(u64, ChunkId)>| {
            let (blocks, ids): (Vec<_>, Vec<_>) = window.into_iter().unzip();
            let chunks = reader.read_all(Stream::Data, &ids);
            blocks
                .into_iter()
                .zip(ids.into_iter().zip(chunks))
                .collect()
        };
        let mut window: Vec<_> = read(self.window(&mut map)?);
        while !window.is_empty() {
            let following = self.window(&mut map)?;
            window = thread::scope(|scope| {
                let following = scope.spawn(|| read(following));
                window
                    .into_iter()
                    .try_for_each(|(block, (id, chunk))| self.cluster(plan, block, id, chunk))?;
                Ok(following
                    .join()
                    .unwrap_or_else(|panic| resume_unwind(panic)))
            })?;
        }
        Ok(())
    }

    fn window(&self, map: &mut Blocks) -> Result<Vec<(u64, ChunkId)>> {
        let mut window = Vec::with_capacity(AHEAD_BLOCKS);
        while window.len() < AHEAD_BLOCKS
            && let Some(found) = self.next(map)
        {
            window.push(found?);
        }
        Ok(window)
    }

    fn cluster(
        &mut self,
        plan: &Plan,
        block: u64,
        id: ChunkId,
        chunk: Result<Chunk>,
    ) -> Result<()> {
        self.progress.check()?;
        let end = self.written + plan.cluster;
        match chunk {
            Ok(chunk) if chunk.len() as u64 <= plan.cluster => self.write(&chunk)?,
            Ok(_) => {
                let error = Error::ChunkMissing {
                    id,
                    stream: Stream::Data,
                };
                let bytes = self.bytes(&(block..block + 1));
                self.lose(bytes, error)?;
            }
            Err(error) => {
                let bytes = self.bytes(&(block..block + 1));
                self.lose(bytes, error)?;
            }
        }
        self.progress.advance(plan.cluster);
        self.progress.finish_items(1);
        // The last block of a disk may be short, a lost one is all zeroes.
        self.fill_to(end)
    }

    fn bytes(&self, blocks: &Range<u64>) -> Range<u64> {
        let at = |block: u64| {
            let at = block.saturating_mul(u64::from(self.top.block));
            at.min(self.top.size)
        };
        at(blocks.start)..at(blocks.end)
    }

    fn lose(&mut self, bytes: Range<u64>, error: Error) -> Result<()> {
        match error {
            // Not a word about what is there: nothing can be said to be lost.
            Error::Store { .. } | Error::Cancelled => Err(error),
            error => {
                let cause = Cause::Repository(error);
                self.losses.add(TreePath::root(), Part::Bytes(bytes), cause);
                Ok(())
            }
        }
    }

    fn long(&mut self, number: u64) -> Result<()> {
        self.write(&number.to_be_bytes())
    }

    /// Writes zeroes to the end of the cluster.
    fn fill(&mut self, plan: &Plan) -> Result<()> {
        self.fill_to(self.written.next_multiple_of(plan.cluster))
    }

    fn fill_to(&mut self, end: u64) -> Result<()> {
        let missing = usize::try_from(end.saturating_sub(self.written));
        let missing = missing.expect("at most a cluster");
        self.write(&vec![0; missing])
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(Error::output)
    }
}
