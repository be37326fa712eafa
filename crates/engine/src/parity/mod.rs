//! Parity: what heals a pack of which some bytes have rotted.
//!
//! Beside each pack lies one write-once object with parity shards of a Reed–Solomon code and a
//! checksum of every shard, so one knows which shards to distrust. Healing needs no key: all of it
//! is computed from sealed bytes, and what is healed must hash to the pack's name. So a damaged or
//! forged parity object can at worst heal nothing.
//!
//! Invariants: [`heal`] returns the pack's own bytes or an error; any damage that touches no more
//! data shards than there are sound parity shards is healed. Equal packs have equal parity, so
//! storing it twice is harmless.
//!
//! Format: docs/format.md, "Parity".

mod code;
mod field;
mod stored;

use std::ops::Range;

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Damage,
    id::{PackId, RepositoryId},
    pack::{END, FOOTER_LEN},
    seal::{self, MAGIC, VERSION},
};

/// Parity of so many hundredths of a pack at most.
pub const PERCENT_MAX: u8 = 100;
const OBJECT_KIND: u8 = 12;
/// The code of this module.
const CODE_CAUCHY_256: u8 = 1;
/// Data shards of a pack that is large enough.
const DATA_SHARDS: usize = 100;
const SHARD_LEN_MIN: usize = 1024;
const SHARD_LEN_STEP: usize = 64;
/// Damage may lie across the border of two shards.
const PARITY_SHARDS_MIN: usize = 2;
/// No pack is longer; bounds the memory of healing.
const PACK_LEN_MAX: usize = 128 << 20;
const SUM_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// A pack that is whole again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Healed {
    /// The pack; these bytes hash to its name.
    pub bytes: Vec<u8>,
    /// The parts of it that were bad, in the order of the pack.
    pub ranges: Vec<Range<u64>>,
}

/// How a pack is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Shape {
    /// Bytes of the pack.
    size: usize,
    shard_len: usize,
    data: usize,
    parity: usize,
}

impl Shape {
    /// The shape that writers choose.
    fn plan(size: usize, percent: u8) -> Self {
        let shard_len = size
            .div_ceil(DATA_SHARDS)
            .next_multiple_of(SHARD_LEN_STEP)
            .max(SHARD_LEN_MIN);
        let data = size.div_ceil(shard_len);
        let parity = (data * usize::from(percent)).div_ceil(100);
        Self {
            size,
            shard_len,
            data,
            parity: parity.max(PARITY_SHARDS_MIN.min(data)),
        }
    }

    fn check(self) -> Result<Self, Malformed> {
        let Self {
            size,
            shard_len,
            data,
            parity,
        } = self;
        let fits = (1..=PACK_LEN_MAX).contains(&size)
            && (1..=size.next_multiple_of(SHARD_LEN_MIN)).contains(&shard_len)
            && data == size.div_ceil(shard_len)
            && (1..=code::SHARDS_MAX - 1).contains(&parity)
            && data + parity <= code::SHARDS_MAX;
        fits.then_some(self)
            .ok_or(Malformed::new("shards do not fit the pack"))
    }

    /// The data shards of a pack; the last may be shorter.
    fn shards(self, pack: &[u8]) -> Vec<&[u8]> {
        pack.chunks(self.shard_len).collect()
    }

    const fn table_len(self) -> usize {
        TABLE_FIELDS_LEN + (self.data + self.parity) * SUM_LEN + HASH_LEN
    }
}

/// Bytes of the table in front of the checksums.
const TABLE_FIELDS_LEN: usize = 8 + 2 + 1 + 1 + 16 + 32 + 4 + 4 + 2 + 2;

/// What a parity object says of itself; it lies in the object twice.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Table {
    pack: PackId,
    shape: Shape,
    /// Of the data shards, then of the parity shards.
    sums: Vec<[u8; SUM_LEN]>,
}

impl Table {
    fn encode(&self, repository: RepositoryId) -> Vec<u8> {
        let Shape {
            size,
            shard_len,
            data,
            parity,
        } = self.shape;
        let mut table = Encoder::with_capacity(self.shape.table_len());
        table
            .raw(MAGIC)
            .u16(VERSION)
            .u8(OBJECT_KIND)
            .u8(CODE_CAUCHY_256)
            .raw(repository.as_bytes())
            .raw(self.pack.as_bytes())
            .count(size)
            .count(shard_len)
            .u16(narrow(data))
            .u16(narrow(parity));
        for sum in &self.sums {
            table.raw(sum);
        }
        let mut table = table.finish();
        let hash = blake3::hash(&table);
        table.extend_from_slice(hash.as_bytes());
        table
    }

    /// Reads the table at the front of `bytes`.
    fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        if &decoder.array::<8>()? != MAGIC {
            return Err(Malformed::new("does not start with the format's magic").into());
        }
        seal::version(decoder.u16()?)?;
        if decoder.u8()? != OBJECT_KIND {
            return Err(Malformed::new("is not a parity object").into());
        }
        match decoder.u8()? {
            CODE_CAUCHY_256 => {}
            found => {
                return Err(Damage::UnknownAlgorithm {
                    what: "parity code",
                    found,
                });
            }
        }
        decoder.array::<16>()?;
        let pack = PackId::from_bytes(decoder.array()?);
        let shape = Shape {
            size: decoder.u32()? as usize,
            shard_len: decoder.u32()? as usize,
            data: usize::from(decoder.u16()?),
            parity: usize::from(decoder.u16()?),
        }
        .check()?;
        let mut sums = Vec::with_capacity(shape.data + shape.parity);
        for _ in 0..shape.data + shape.parity {
            sums.push(decoder.array()?);
        }
        let hash: [u8; HASH_LEN] = decoder.array()?;
        if blake3::hash(&bytes[..shape.table_len() - HASH_LEN]) != hash {
            return Err(Damage::Altered { at: 0 });
        }
        Ok(Self { pack, shape, sums })
    }

    /// The table of a parity object, from whichever of its two places holds, and the place.
    fn find(object: &[u8]) -> Result<(Self, Copy), Damage> {
        Self::decode(object)
            .map(|table| (table, Copy::Front))
            .or_else(|damage| match Self::at_end(object) {
                Some(table) => Ok((table, Copy::End)),
                None => Err(damage),
            })
    }

    fn at_end(object: &[u8]) -> Option<Self> {
        let (rest, footer) = object.split_last_chunk::<FOOTER_LEN>()?;
        let (len, end) = footer.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let table = rest.get(rest.len().checked_sub(len)?..)?;
        let decoded = Self::decode(table).ok()?;
        (end == END && decoded.shape.table_len() == len).then_some(decoded)
    }
}

/// Where a table was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Copy {
    Front,
    End,
}

/// The parity object of a pack.
pub(crate) fn build(repository: RepositoryId, id: PackId, pack: &[u8], percent: u8) -> Vec<u8> {
    let shape = Shape::plan(pack.len(), percent);
    let shards = shape.shards(pack);
    let parity = code::encode(&shards, shape.parity, shape.shard_len);
    let data = shards.iter().map(|shard| sum(shard, shape.shard_len));
    let table = Table {
        pack: id,
        shape,
        sums: data
            .chain(parity.iter().map(|shard| sum(shard, shape.shard_len)))
            .collect(),
    };
    let table = table.encode(repository);
    let mut object =
        Vec::with_capacity(2 * table.len() + shape.parity * shape.shard_len + FOOTER_LEN);
    object.extend_from_slice(&table);
    for shard in parity {
        object.extend_from_slice(&shard);
    }
    object.extend_from_slice(&table);
    let len = u32::try_from(table.len()).expect("a table has a few KiB");
    object.extend_from_slice(&len.to_le_bytes());
    object.extend_from_slice(END);
    object
}

/// The bytes of pack `id`, from what is left of it and its parity object. A pack that is missing
/// altogether is an empty one.
///
/// Fails with [`Damage::BeyondParity`] if more shards are bad than parity can make up for, and
/// with another [`Damage`] if it is the parity object that does not hold.
pub fn heal(id: PackId, damaged: &[u8], parity: &[u8]) -> Result<Healed, Damage> {
    let (table, place) = Table::find(parity)?;
    if table.pack != id {
        return Err(Damage::WrongName);
    }
    let shape = table.shape;
    let mut bytes = damaged[..damaged.len().min(shape.size)].to_vec();
    bytes.resize(shape.size, 0);
    let (data_sums, parity_sums) = table.sums.split_at(shape.data);
    let shards: Vec<Option<&[u8]>> = shape
        .shards(&bytes)
        .into_iter()
        .zip(data_sums)
        .map(|(shard, expected)| (sum(shard, shape.shard_len) == *expected).then_some(shard))
        .collect();
    let bad: Vec<usize> = (0..shape.data).filter(|i| shards[*i].is_none()).collect();
    let sound: Vec<(usize, &[u8])> = parity_shards(parity, &table, place)
        .enumerate()
        .zip(parity_sums)
        .filter_map(|((j, shard), expected)| Some((j, shard?, expected)))
        .filter(|(_, shard, expected)| sum(shard, shape.shard_len) == **expected)
        .map(|(j, shard, _)| (j, shard))
        .collect();
    if bad.len() > sound.len() {
        return Err(Damage::BeyondParity {
            bad: bad.len(),
            healable: sound.len(),
        });
    }
    let healed = code::solve(&shards, &sound[..bad.len()]);
    let mut ranges = Vec::with_capacity(bad.len());
    for (i, shard) in bad.into_iter().zip(healed) {
        let start = i * shape.shard_len;
        let range = start..(start + shape.shard_len).min(shape.size);
        bytes[range.clone()].copy_from_slice(&shard[..range.len()]);
        ranges.push(range.start as u64..range.end as u64);
    }
    if blake3::hash(&bytes).as_bytes() == id.as_bytes() {
        Ok(Healed { bytes, ranges })
    } else {
        Err(Damage::WrongName)
    }
}

/// Whether all of a parity object is as it was made: both tables and every parity shard. That the
/// pack agrees with it shows when the pack hashes to its name.
pub fn check(id: PackId, object: &[u8]) -> Result<(), Damage> {
    let table = Table::decode(object)?;
    if table.pack != id {
        return Err(Damage::WrongName);
    }
    let Shape {
        shard_len,
        data,
        parity,
        ..
    } = table.shape;
    let expected = 2 * table.shape.table_len() + parity * shard_len + FOOTER_LEN;
    if object.len() != expected {
        return Err(Damage::Truncated {
            expected: expected as u64,
            found: object.len() as u64,
        });
    }
    for (j, shard) in parity_shards(object, &table, Copy::Front).enumerate() {
        if shard.map(|shard| sum(shard, shard_len)) != Some(table.sums[data + j]) {
            let at = table.shape.table_len() + j * shard_len;
            return Err(Damage::Altered { at: at as u64 });
        }
    }
    if Table::at_end(object).as_ref() == Some(&table) {
        Ok(())
    } else {
        let at = object.len() - FOOTER_LEN - table.shape.table_len();
        Err(Damage::Altered { at: at as u64 })
    }
}

/// The parity shards of an object, as far as they are there, reckoned from the table that held.
fn parity_shards<'a>(
    object: &'a [u8],
    table: &Table,
    place: Copy,
) -> impl Iterator<Item = Option<&'a [u8]>> {
    let Shape {
        shard_len, parity, ..
    } = table.shape;
    let (table_len, all) = (table.shape.table_len(), parity * shard_len);
    let first = match place {
        Copy::Front => Some(table_len),
        Copy::End => object.len().checked_sub(FOOTER_LEN + table_len + all),
    };
    (0..parity).map(move |j| {
        let start = first? + j * shard_len;
        object.get(start..start + shard_len)
    })
}

/// The checksum of a shard, as if it were followed by zeroes up to `len`.
fn sum(shard: &[u8], len: usize) -> [u8; SUM_LEN] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(shard);
    let mut missing = len.saturating_sub(shard.len());
    while missing > 0 {
        let zeroes = [0; 256];
        let some = missing.min(zeroes.len());
        hasher.update(&zeroes[..some]);
        missing -= some;
    }
    let hash = *hasher.finalize().as_bytes();
    *hash
        .first_chunk()
        .expect("a hash is longer than a checksum")
}

fn narrow(shards: usize) -> u16 {
    u16::try_from(shards).expect("shards are at most 256")
}

#[cfg(test)]
mod tests;
