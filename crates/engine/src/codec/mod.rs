//! Encodes and decodes every record of the format: little-endian, fixed widths, no padding.
//!
//! Our own rather than a serialisation framework's, because the bytes are a promise: each one is
//! in docs/format.md, a value has exactly one encoding, and a decoder refuses what it does not
//! know instead of guessing.
//!
//! Invariant: decoding never panics and never reserves memory for a length that the input does
//! not have; bytes left over are an error ([`Decoder::finish`]).

use std::collections::BTreeMap;

/// Bytes that are not a valid record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed record: {reason}")]
pub struct Malformed {
    /// Which rule is broken.
    pub reason: &'static str,
}

impl Malformed {
    /// A record that breaks the rule `reason`.
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// An encoder with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Appends eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Appends eight bytes, two's complement.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// Appends bytes whose number the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends a number of items as four bytes.
    pub fn count(&mut self, items: usize) -> &mut Self {
        self.u32(u32::try_from(items).expect("no record holds four thousand million items"))
    }

    /// Appends bytes with their number in front.
    pub fn blob(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len()).raw(bytes)
    }

    /// Appends UTF-8 with its number of bytes in front.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.blob(text.as_bytes())
    }

    /// Appends 0, or 1 and the bytes.
    pub fn optional(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            None => self.u8(0),
            Some(bytes) => self.u8(1).raw(bytes),
        }
    }

    /// Appends a map of texts in the order of its keys.
    pub fn map(&mut self, map: &BTreeMap<String, String>) -> &mut Self {
        self.count(map.len());
        for (key, value) in map {
            self.text(key).text(value);
        }
        self
    }

    /// The record.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes fields from the front of a record.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that are not taken yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Takes `len` bytes.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Malformed::new("shorter than its fields"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(Malformed::new("shorter than its fields"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes one byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    /// Takes two bytes.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Takes four bytes.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Takes eight bytes.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes eight bytes, two's complement.
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    /// Takes a number of items that have at least `item_len` bytes each; refuses a number for
    /// which the record is too short, so that nobody reserves memory for it.
    pub fn count(&mut self, item_len: usize) -> Result<usize, Malformed> {
        let count = self.u32()? as usize;
        match count.checked_mul(item_len) {
            Some(len) if len <= self.rest.len() => Ok(count),
            _ => Err(Malformed::new("counts more items than it holds")),
        }
    }

    /// Takes bytes with their number in front.
    pub fn blob(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.count(1)?;
        self.raw(len)
    }

    /// Takes UTF-8 with its number of bytes in front.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.blob()?).map_err(|_| Malformed::new("text is not UTF-8"))
    }

    /// Takes 0, or 1 and `N` bytes.
    pub fn optional<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Malformed> {
        Ok(if self.flag()? {
            Some(self.array()?)
        } else {
            None
        })
    }

    /// Takes a byte that is 0 or 1.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::new("a flag is neither 0 nor 1")),
        }
    }

    /// Takes a map of texts; refuses keys that are not in order or come twice.
    pub fn map(&mut self) -> Result<BTreeMap<String, String>, Malformed> {
        let mut map = BTreeMap::new();
        for _ in 0..self.count(8)? {
            let (key, value) = (self.text()?, self.text()?);
            if map
                .last_key_value()
                .is_some_and(|(last, _): (&String, _)| last.as_str() >= key)
            {
                return Err(Malformed::new("keys of a map are not in order"));
            }
            map.insert(key.to_owned(), value.to_owned());
        }
        Ok(map)
    }

    /// Ends the record; refuses bytes that no field took.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::new("longer than its fields"))
        }
    }
}

#[cfg(test)]
mod tests;
