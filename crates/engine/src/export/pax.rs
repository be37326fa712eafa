//! Headers of archive members: POSIX ustar, with a pax header in front where that is too small.
//!
//! Nanoseconds, extended attributes, long names, large numbers and maps of holes do not fit into
//! the 512 bytes of 1988; they are records of text (`length key=value`) in a member of their own.

use strongroom_model::content::{FileTime, Xattr};

/// Everything in an archive is a multiple of this.
pub(super) const BLOCK: usize = 512;

/// The largest number in eleven octal digits.
const OCTAL_11_MAX: u64 = 0o777_7777_7777;
/// The largest number in seven octal digits.
const OCTAL_7_MAX: u64 = 0o777_7777;
/// Longest name in the header itself.
const NAME_MAX: usize = 100;

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
    Extended,
}

impl Kind {
    const fn flag(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::HardLink => b'1',
            Self::Symlink => b'2',
            Self::CharDevice => b'3',
            Self::BlockDevice => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
            Self::Extended => b'x',
        }
    }
}

/// What an archive says about one entry.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Bytes of content in the archive.
    pub(super) size: u64,
    pub(super) modified: FileTime,
    /// Target of a link of either kind.
    pub(super) link: Vec<u8>,
    /// Major and minor number of a device.
    pub(super) device: (u32, u32),
    pub(super) xattrs: Vec<Xattr>,
    /// Of a file with holes: its real size. Its content begins with the map.
    pub(super) sparse: Option<u64>,
}

impl Member {
    /// The header, with the extended one in front if there is need.
    pub(super) fn encode(&self) -> Vec<u8> {
        let records = self.records();
        let mut out = Vec::with_capacity(BLOCK);
        if !records.is_empty() {
            let extended = Self {
                path: b"./PaxHeaders/entry".to_vec(),
                kind: Kind::Extended,
                mode: 0o644,
                size: records.len() as u64,
                link: Vec::new(),
                device: (0, 0),
                ..self.clone()
            };
            out.extend_from_slice(&extended.block());
            out.extend_from_slice(&records);
            out.resize(out.len().next_multiple_of(BLOCK), 0);
        }
        out.extend_from_slice(&self.block());
        out
    }

    fn records(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let text = [&self.path, &self.link].map(|name| std::str::from_utf8(name).is_ok());
        let long = [&self.path, &self.link].map(|name| name.len() > NAME_MAX);
        if long[0] && !text[0] || long[1] && !text[1] {
            record(&mut out, b"hdrcharset", b"BINARY");
        }
        match self.sparse {
            Some(size) => {
                record(&mut out, b"GNU.sparse.major", b"1");
                record(&mut out, b"GNU.sparse.minor", b"0");
                record(&mut out, b"GNU.sparse.name", &self.path);
                record(
                    &mut out,
                    b"GNU.sparse.realsize",
                    size.to_string().as_bytes(),
                );
            }
            None if long[0] => record(&mut out, b"path", &self.path),
            None => {}
        }
        if long[1] {
            record(&mut out, b"linkpath", &self.link);
        }
        for (key, number, max) in [
            (&b"size"[..], self.size, OCTAL_11_MAX),
            (b"uid", self.uid.into(), OCTAL_7_MAX),
            (b"gid", self.gid.into(), OCTAL_7_MAX),
            (b"SCHILY.devmajor", self.device.0.into(), OCTAL_7_MAX),
            (b"SCHILY.devminor", self.device.1.into(), OCTAL_7_MAX),
        ] {
            if number > max {
                record(&mut out, key, number.to_string().as_bytes());
            }
        }
        let FileTime { seconds, nanos } = self.modified;
        let fits = u64::try_from(seconds).is_ok_and(|seconds| seconds <= OCTAL_11_MAX);
        if nanos != 0 || !fits {
            record(&mut out, b"mtime", decimal(self.modified).as_bytes());
        }
        for xattr in &self.xattrs {
            let mut key = b"SCHILY.xattr.".to_vec();
            for byte in &xattr.name {
                // An equals sign would end the key.
                match byte {
                    b'=' => key.extend_from_slice(b"%3D"),
                    b'%' => key.extend_from_slice(b"%25"),
                    byte => key.push(*byte),
                }
            }
            record(&mut out, &key, &xattr.value);
        }
        out
    }

    fn block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, length: usize, bytes: &[u8]| {
            let length = bytes.len().min(length);
            if let (Some(to), Some(from)) = (block.get_mut(at..at + length), bytes.get(..length)) {
                to.copy_from_slice(from);
            }
        };
        let octal = |number: u64, digits: usize| {
            let max = (1_u64 << (3 * digits)) - 1;
            format!("{:0digits$o}\0", if number > max { 0 } else { number })
        };
        let seconds = u64::try_from(self.modified.seconds).unwrap_or_default();
        put(0, NAME_MAX, &self.path);
        put(100, 8, octal(self.mode.into(), 7).as_bytes());
        put(108, 8, octal(self.uid.into(), 7).as_bytes());
        put(116, 8, octal(self.gid.into(), 7).as_bytes());
        put(124, 12, octal(self.size, 11).as_bytes());
        put(136, 12, octal(seconds, 11).as_bytes());
        put(148, 8, b"        ");
        put(156, 1, &[self.kind.flag()]);
        put(157, NAME_MAX, &self.link);
        put(257, 8, b"ustar\x0000");
        put(329, 8, octal(self.device.0.into(), 7).as_bytes());
        put(337, 8, octal(self.device.1.into(), 7).as_bytes());
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        let sum = format!("{sum:06o}\0 ");
        if let Some(to) = block.get_mut(148..156) {
            to.copy_from_slice(sum.as_bytes());
        }
        block
    }
}

/// Appends a record; its length counts itself.
fn record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// A time as a decimal fraction of seconds, before 1970 with its sign.
fn decimal(time: FileTime) -> String {
    let FileTime { seconds, nanos } = time;
    if seconds >= 0 || nanos == 0 {
        return format!("{seconds}.{nanos:09}");
    }
    let (seconds, nanos) = (-(i128::from(seconds) + 1), 1_000_000_000 - nanos);
    format!("-{seconds}.{nanos:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_record_counts_its_own_digits() {
        for length in [1, 80, 89, 90, 91, 92, 980, 990, 995] {
            let mut out = Vec::new();
            record(&mut out, b"key", &vec![b'x'; length]);
            let text = String::from_utf8(out.clone()).unwrap();
            let (said, _) = text.split_once(' ').unwrap();
            assert_eq!(said.parse::<usize>().unwrap(), out.len(), "{length}");
        }
    }

    #[test]
    fn times_before_1970_are_told_with_their_sign() {
        assert_eq!(decimal(FileTime::new(5, 1)), "5.000000001");
        assert_eq!(decimal(FileTime::new(-1, 500_000_000)), "-0.500000000");
        assert_eq!(decimal(FileTime::new(-2, 999_999_999)), "-1.000000001");
        assert_eq!(decimal(FileTime::new(-7, 0)), "-7.000000000");
    }
}
