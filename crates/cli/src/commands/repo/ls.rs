//! `strongroom repo ls`: the entries of a saved tree, as they are found.
//!
//! What cannot be listed because it is damaged is told after everything else, and the command
//! fails: a list that looks whole is whole.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use strongroom_engine::{
    Error, Layer,
    tree::{Depth, Listed, Loss, list},
};
use strongroom_model::content::{FileKind, FileTime, TreePath};

use super::{At, manifests, restore::inside};
use crate::{arguments::Context, rows::Rows};

/// How many losses are told one by one.
const LOSSES_TOLD: usize = 50;

/// What to list.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// The manifest: its id or the beginning of it, a tag, or `latest`
    manifest: String,
    /// A folder or file inside; the root if nothing is said
    path: Option<PathBuf>,
    /// Everything below, not only the entries of the folder
    #[arg(long, short)]
    recursive: bool,
    /// Mode, links, owner, size and time too
    #[arg(long, short)]
    long: bool,
}

/// An entry, for programs.
#[derive(Serialize)]
struct Row {
    path: String,
    /// The bytes of the path, if `path` had to escape some.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    modified: String,
    inode: u64,
    links: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let manifest = manifests::find(&repository, &self.manifest)?;
        if manifest.body.layer == Layer::Volume {
            bail!(
                "{} is a volume and holds no files; `repo cat` writes it to standard output, \
                 `repo export` to an image",
                manifest.id
            );
        }
        let path = inside(&manifest, self.path.as_ref())?;
        let depth = if self.recursive {
            Depth::All
        } else {
            Depth::One
        };
        let mut rows = Rows::new(context.output);
        let mut visit = |entry: Listed| {
            let row = Row::new(&entry);
            rows.row(&row, |row| if self.long { row.line() } else { row.name() })
                .map_err(Error::output)
        };
        let losses = list(&repository, &manifest.id, &path, depth, &mut visit)
            .with_context(|| format!("cannot list {path} of {}", manifest.id))?;
        rows.finish()?;
        if !losses.is_empty() {
            bail!(
                "the list is not whole: {} parts of it are lost\n{}",
                losses.len(),
                told(&losses)
            );
        }
        Ok(())
    }
}

impl Row {
    fn new(entry: &Listed) -> Self {
        Self {
            path: entry.path.to_string(),
            path_hex: raw(&entry.path),
            kind: word(entry.kind),
            mode: format!("{:04o}", entry.mode),
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            modified: time(entry.modified),
            inode: entry.inode,
            links: entry.links,
            target: entry.target.as_deref().map(escaped),
        }
    }

    fn name(&self) -> String {
        let mark = if self.kind == "directory" { "/" } else { "" };
        format!("{}{mark}", self.path)
    }

    /// One line of the long form, in the order that everybody knows from `ls -l`.
    fn line(&self) -> String {
        let target = match &self.target {
            Some(target) => format!(" -> {target}"),
            None => String::new(),
        };
        format!(
            "{}{} {:>3} {:>5} {:>5} {:>12} {} {}{target}",
            letter(self.kind),
            permissions(&self.mode),
            self.links,
            self.uid,
            self.gid,
            self.size,
            self.modified,
            self.path,
        )
    }
}

/// The first of many losses, one a line.
pub(super) fn told(losses: &[Loss]) -> String {
    let lines = losses
        .iter()
        .take(LOSSES_TOLD)
        .map(|loss| format!("  {loss}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The bytes of a path in hexadecimal digits, if its text does not say them plainly.
pub(super) fn raw(path: &TreePath) -> Option<String> {
    let plain = path.as_bytes().is_empty() || path.to_string().as_bytes() == path.as_bytes();
    (!plain).then(|| hex::encode(path.as_bytes()))
}

/// The kind of an entry in one word, for programs.
pub(super) const fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "symlink",
        FileKind::Fifo => "fifo",
        FileKind::Socket => "socket",
        FileKind::CharDevice => "character_device",
        FileKind::BlockDevice => "block_device",
    }
}

fn letter(kind: &str) -> char {
    match kind {
        "directory" => 'd',
        "symlink" => 'l',
        "fifo" => 'p',
        "character_device" => 'c',
        "block_device" => 'b',
        _ => '-',
    }
}

/// `rwxr-xr-x`, with setuid, setgid and sticky in their places.
fn permissions(octal: &str) -> String {
    let mode = u32::from_str_radix(octal, 8).unwrap_or_default();
    let mut text = String::with_capacity(9);
    for (shift, special, with, without) in [
        (6, 0o4000, 's', 'S'),
        (3, 0o2000, 's', 'S'),
        (0, 0o1000, 't', 'T'),
    ] {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special == 0, bits & 1 == 0) {
            (true, true) => '-',
            (true, false) => 'x',
            (false, true) => without,
            (false, false) => with,
        });
    }
    text
}

/// A time to the nanosecond, as RFC 3339 writes it; one that no calendar holds as seconds.
pub(super) fn time(time: FileTime) -> String {
    let nanos = i32::try_from(time.nanos).unwrap_or_default();
    let stamp = Timestamp::new(time.seconds, 0)
        .and_then(|stamp| stamp.checked_add(jiff::SignedDuration::new(0, nanos)));
    match stamp {
        Ok(stamp) => stamp
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
            .to_string(),
        Err(_) => format!("{}.{:09}", time.seconds, time.nanos),
    }
}

/// Bytes as text: a path's way of escaping, for what may be no path at all.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for part in bytes.utf8_chunks() {
        for letter in part.valid().chars() {
            if letter.is_control() || letter == '\\' {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        for byte in part.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_look_as_everywhere() {
        for (octal, text) in [
            ("0755", "rwxr-xr-x"),
            ("4755", "rwsr-xr-x"),
            ("2644", "rw-r-Sr--"),
            ("1777", "rwxrwxrwt"),
            ("0000", "---------"),
        ] {
            assert_eq!(permissions(octal), text);
        }
    }

    #[test]
    fn times_are_told_to_the_nanosecond_before_1970_and_outside_all_calendars_too() {
        assert_eq!(time(FileTime::new(0, 5)), "1970-01-01T00:00:00.000000005Z");
        assert_eq!(
            time(FileTime::new(-1, 999_999_999)),
            "1969-12-31T23:59:59.999999999Z"
        );
        assert_eq!(
            time(FileTime::new(i64::MAX, 1)),
            format!("{}.000000001", i64::MAX)
        );
    }

    #[test]
    fn what_is_no_text_is_escaped_and_told_in_hexadecimal_too() {
        let path = TreePath::parse(b"a/\xff\n").unwrap();
        assert_eq!(path.to_string(), escaped(path.as_bytes()));
        assert_eq!(raw(&path).unwrap(), "612fff0a");
        assert_eq!(raw(&TreePath::parse("a/é".as_bytes()).unwrap()), None);
    }
}
