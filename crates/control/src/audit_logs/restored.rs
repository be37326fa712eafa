//! A segment that was restored: a read-only set of lines, apart from the live logs.
//!
//! It is a view through the repository and no second copy: restoring reads the segment to its end
//! and compares it with its head, and from then on its lines are read where they are stored. So
//! ten gigabytes are restored without room for ten gigabytes, and nobody can change them.

use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use strongroom_engine::{
    Error as EngineError, ManifestId, Repository,
    tree::{Progress, cat},
};
use strongroom_model::{Timestamp, content::TreePath};
use strongroom_source::audit::{Format, Span, scan::Scanner};

use super::{
    chain::Chain,
    head::{FILE, Segment},
    of_engine,
};
use crate::{Error, Reason, Result};

/// Lines that were restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredSet {
    /// Whose logs.
    pub instance: String,
    /// The segment's number.
    pub number: u64,
    /// The manifest, as text.
    pub manifest: String,
    /// The hash of the segment's head.
    pub link: String,
    /// The SHA-256 of the lines.
    pub sha256: String,
    /// How many lines.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What they look like.
    pub format: Format,
    /// The earliest time in a line.
    pub first_event: Option<Timestamp>,
    /// The latest.
    pub last_event: Option<Timestamp>,
    /// From which files they are.
    pub spans: Vec<Span>,
}

impl Chain<'_> {
    /// Reads a segment to its end, compares it with its head, and hands it out.
    pub fn restore(&self, number: u64, progress: &Progress) -> Result<RestoredSet> {
        let segment = self.segment(number)?;
        if segment.deleted.is_some() {
            return Err(Error::not_found(Reason::NoSuchBackup, number));
        }
        compare(self.repository, segment, progress)?.map_err(|what| Error::Conflict {
            reason: Reason::DataDamaged,
            message: format!("segment {number} {what}"),
        })?;
        let (written, _) = self.written(segment)?;
        let head = written.head;
        Ok(RestoredSet {
            instance: head.instance,
            number,
            manifest: segment.manifest.to_string(),
            link: segment.link.clone(),
            sha256: head.sha256,
            lines: head.lines,
            bytes: head.bytes,
            format: head.format,
            first_event: head.first_event,
            last_event: head.last_event,
            spans: written.spans,
        })
    }
}

/// Whether a segment holds the lines that its head says; what is wrong, if it does not.
pub(super) fn compare(
    repository: &Repository,
    segment: &Segment,
    progress: &Progress,
) -> Result<Result<(), String>> {
    let mut sum = Sum {
        hash: Context::new(&SHA256),
        bytes: 0,
        lines: 0,
    };
    let head = &segment.head;
    match write(repository, &segment.manifest, 0, &mut sum, progress) {
        Ok(()) => {}
        Err(error @ (EngineError::Cancelled | EngineError::Store { .. })) => {
            return Err(of_engine(error));
        }
        Err(error) => {
            return Ok(Err(format!(
                "cannot be read: {}",
                crate::jobs::chain(&error)
            )));
        }
    }
    let sha256 = hex::encode(sum.hash.finish());
    Ok(if sum.bytes != head.bytes {
        Err(format!("holds {} bytes, not {}", sum.bytes, head.bytes))
    } else if sha256 != head.sha256 {
        Err("holds other lines than its head says".to_owned())
    } else if head.format != Format::PostgresCsv && sum.lines != head.lines {
        Err(format!("holds {} lines, not {}", sum.lines, head.lines))
    } else {
        Ok(())
    })
}

/// Writes the lines of a segment from a place on.
fn write(
    repository: &Repository,
    manifest: &ManifestId,
    from: u64,
    out: &mut dyn Write,
    progress: &Progress,
) -> strongroom_engine::Result<()> {
    let path = TreePath::parse(FILE.as_bytes()).expect("a legal path");
    cat(repository, manifest, &path, from..u64::MAX, out, progress).map(drop)
}

/// Shows the lines of a restored segment, from a place on, until somebody has enough.
pub(super) fn show_lines(
    repository: &Repository,
    set: &RestoredSet,
    from: u64,
    progress: &Progress,
    mut scanner: Scanner<'_>,
) -> Result<()> {
    let id: ManifestId = set
        .manifest
        .parse()
        .map_err(|_| Error::invalid("restored set", "it names no manifest"))?;
    match write(repository, &id, from, &mut scanner, progress) {
        Ok(()) => scanner.finish(),
        Err(_) if scanner.has_enough() => {}
        Err(error) => return Err(of_engine(error)),
    }
    Ok(())
}

struct Sum {
    hash: Context,
    bytes: u64,
    lines: u64,
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
