//! What a copy of a server's files holds, seen while it passes by.
//!
//! The copy comes as one stream: pieces of files, each with its name, its place and a checksum,
//! and an end for every file. It is kept as it is; this looks on, so that a stream that was cut
//! short is no copy, and takes the small files that say which place in the log the copy shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use super::super::error::{Error, Result};

const MAGIC: &[u8; 8] = b"XBSTCK01";
/// The longest name of a file in a stream.
const NAME_MAX: usize = 4096;
/// Files whose text is taken, and how much of it.
const TAKEN: &[&str] = &[
    "mariadb_backup_binlog_info",
    "mariadb_backup_checkpoints",
    "mariadb_backup_info",
    "xtrabackup_binlog_info",
    "xtrabackup_checkpoints",
    "xtrabackup_info",
];
const TEXT_MAX: usize = 64 << 10;

/// Looks at a stream while it is written to `out`.
pub struct Watcher<'a> {
    out: &'a mut dyn Write,
    /// What is read of a piece before its bytes.
    head: Vec<u8>,
    /// Bytes of the piece's content that are still to come, and whether they are taken.
    left: u64,
    taking: Option<String>,
    open: BTreeSet<Vec<u8>>,
    texts: BTreeMap<String, Vec<u8>>,
    problem: Option<String>,
    passed: u64,
}

/// What a whole stream held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How long it was.
    pub bytes: u64,
    /// The small files that were taken.
    texts: BTreeMap<String, Vec<u8>>,
}

impl<'a> Watcher<'a> {
    /// Passes on to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            head: Vec::new(),
            left: 0,
            taking: None,
            open: BTreeSet::new(),
            texts: BTreeMap::new(),
            problem: None,
            passed: 0,
        }
    }

    /// What the stream held; an error if it was not whole.
    pub fn finish(self) -> Result<Contents> {
        let problem = if let Some(problem) = self.problem {
            Some(problem)
        } else if self.passed == 0 {
            Some("it is empty".to_owned())
        } else if !self.head.is_empty() || self.left > 0 || !self.open.is_empty() {
            Some("it is cut short".to_owned())
        } else {
            None
        };
        match problem {
            Some(problem) => Err(Error::Damaged(format!(
                "the copy of the server's files is not usable: {problem}"
            ))),
            None => Ok(Contents {
                bytes: self.passed,
                texts: self.texts,
            }),
        }
    }

    /// Looks at bytes; how many of them were used.
    fn look(&mut self, bytes: &[u8]) -> Result<usize, String> {
        if self.left > 0 {
            let now = usize::try_from(self.left.min(bytes.len() as u64)).unwrap_or(bytes.len());
            if let Some(name) = &self.taking {
                let text = self.texts.entry(name.clone()).or_default();
                let room = TEXT_MAX.saturating_sub(text.len()).min(now);
                text.extend(bytes.iter().take(room));
            }
            self.left -= now as u64;
            return Ok(now);
        }
        let need = self.needed()?;
        let now = (need - self.head.len()).min(bytes.len());
        self.head.extend(bytes.iter().take(now));
        if self.head.len() == need && self.needed()? == need {
            self.begin();
        }
        Ok(now)
    }

    /// How long the head of this piece is, as far as that can be told.
    fn needed(&self) -> Result<usize, String> {
        const FIXED: usize = 14;
        if self.head.len() < FIXED {
            return Ok(FIXED);
        }
        if self.head.get(..8) != Some(MAGIC) {
            return Err("it is not a stream of files".to_owned());
        }
        let length = usize::try_from(number(&self.head, 10, 4)).unwrap_or(usize::MAX);
        if length == 0 || length > NAME_MAX {
            return Err("a file in it has no name".to_owned());
        }
        // Behind the name: of a piece its length, place and checksum; of a hole where it ends; of a
        // file that was renamed meanwhile its new name; of an end, or of a file that was removed
        // meanwhile, nothing.
        match self.head.get(9) {
            Some(b'P') => Ok(FIXED + length + 20),
            Some(b'E' | b'D') => Ok(FIXED + length),
            Some(b'S') => Ok(FIXED + length + 8),
            Some(b'R') if self.head.len() < FIXED + length + 4 => Ok(FIXED + length + 4),
            Some(b'R') => {
                let new = usize::try_from(number(&self.head, FIXED + length, 4));
                match new {
                    Ok(new) if (1..=NAME_MAX).contains(&new) => Ok(FIXED + length + 4 + new),
                    _ => Err("a file in it has no name".to_owned()),
                }
            }
            _ => Err("a piece in it is of an unknown kind".to_owned()),
        }
    }

    /// The head is whole.
    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let length = usize::try_from(number(&head, 10, 4)).unwrap_or_default();
        let name = head.get(14..14 + length).unwrap_or_default().to_vec();
        match head.get(9) {
            Some(b'P') => {}
            // What is behind a hole is still to come, if only the end.
            Some(b'S') => {
                self.open.insert(name);
                return;
            }
            // An empty file ends without having had a piece.
            _ => {
                self.open.remove(&name);
                return;
            }
        }
        self.left = number(&head, 14 + length, 8);
        let text = String::from_utf8(name.clone()).ok();
        self.taking = text.filter(|name| TAKEN.contains(&name.as_str()));
        self.open.insert(name);
    }
}

impl Write for Watcher<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() && self.problem.is_none() {
            match self.look(rest) {
                Ok(used) => rest = rest.get(used..).unwrap_or_default(),
                Err(problem) => self.problem = Some(problem),
            }
        }
        if let Some(problem) = &self.problem {
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem.clone()));
        }
        self.out.write_all(bytes)?;
        self.passed += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Contents {
    /// The small file of that name, by its newer or its older name.
    pub fn text(&self, name: &str) -> Option<String> {
        let of = |prefix: &str| self.texts.get(&format!("{prefix}{name}"));
        let bytes = of("mariadb_backup_").or_else(|| of("xtrabackup_"))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// What the file says behind `key = `.
    pub fn value(&self, file: &str, key: &str) -> Option<String> {
        let text = self.text(file)?;
        let mut lines = text.lines();
        let found = lines.find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        });
        found.filter(|value| !value.is_empty())
    }
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let digits = bytes.iter().skip(at).take(length);
    digits
        .rev()
        .fold(0, |sum, digit| sum << 8 | u64::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, content: &[u8]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend([0, b'P']);
        out.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(name.as_bytes());
        out.extend((content.len() as u64).to_le_bytes());
        out.extend([0; 12]);
        out.extend(content);
        out
    }

    fn end(name: &str) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend([0, b'E']);
        out.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(name.as_bytes());
        out
    }

    fn stream() -> Vec<u8> {
        let info = b"binlog.000007\t941\t0-1-4\n";
        [
            piece("ibdata1", &[1; 100]),
            piece("xtrabackup_binlog_info", info),
            end("xtrabackup_binlog_info"),
            end("empty.sdi"),
            // A hole, a file that was renamed and one that was removed meanwhile.
            [
                b"XBSTCK01\0S\x04\0\0\0hole".as_slice(),
                &[9, 0, 0, 0, 0, 0, 0, 0],
            ]
            .concat(),
            end("hole"),
            b"XBSTCK01\0R\x03\0\0\0old\x03\0\0\0new".to_vec(),
            b"XBSTCK01\0D\x04\0\0\0gone".to_vec(),
            piece("ibdata1", &[]),
            piece("ibdata1", &[2; 50]),
            end("ibdata1"),
            piece(
                "xtrabackup_checkpoints",
                b"backup_type = full\nto_lsn = 44538\n",
            ),
            end("xtrabackup_checkpoints"),
        ]
        .concat()
    }

    fn watch(bytes: &[u8], step: usize) -> Result<(Contents, Vec<u8>)> {
        let mut out = Vec::new();
        let mut watcher = Watcher::new(&mut out);
        for part in bytes.chunks(step) {
            if watcher.write_all(part).is_err() {
                break;
            }
        }
        let contents = watcher.finish()?;
        Ok((contents, out))
    }

    #[test]
    fn a_stream_passes_unchanged_and_its_small_files_are_read() {
        for step in [1, 7, 10_000] {
            let (contents, out) = watch(&stream(), step).unwrap();
            assert_eq!(out, stream());
            assert_eq!(contents.bytes, stream().len() as u64);
            let info = contents.text("binlog_info").unwrap();
            assert_eq!(info, "binlog.000007\t941\t0-1-4\n");
            let lsn = contents.value("checkpoints", "to_lsn");
            assert_eq!(lsn.as_deref(), Some("44538"));
            assert_eq!(contents.value("checkpoints", "nothing"), None);
        }
    }

    #[test]
    fn a_stream_that_is_cut_short_anywhere_is_no_copy() {
        let whole = stream();
        // Between two files nothing tells that more was to come but the program's own end.
        let last = piece(
            "xtrabackup_checkpoints",
            b"backup_type = full\nto_lsn = 44538\n",
        )
        .len()
            + end("xtrabackup_checkpoints").len();
        for cut in 0..=whole.len() {
            let complete = cut == whole.len() || cut == whole.len() - last;
            assert_eq!(watch(&whole[..cut], 64).is_ok(), complete, "{cut}");
        }
    }

    #[test]
    fn what_is_no_stream_is_refused_at_once() {
        for bad in [
            b"Could not connect to the server".to_vec(),
            [b"XBSTCK01\0Q\x01\0\0\0a".as_slice(), &[0; 20]].concat(),
            [b"XBSTCK01\0P\0\0\0\0".as_slice(), &[0; 20]].concat(),
            Vec::new(),
        ] {
            assert!(watch(&bad, 5).is_err());
        }
    }
}
