//! Copies a live database into a new file.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    connection::{beside, check, file_error, sync_folder},
    session::problem,
};
use crate::error::{Error, Result};

/// Copies what `source` sees now to `path`, which must not exist.
///
/// The copy is made under another name, checked, made durable and then given its own name, so
/// that a file called `path` is always whole.
pub(super) fn copy(source: &Connection, path: &Path) -> Result<()> {
    let part = beside(path, &format!(".part-{}", std::process::id()));
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part);
    made.map_err(file_error("making the copy", &part))?;
    let copied = fill(source, &part).and_then(|()| {
        let file = fs::File::open(&part).and_then(|file| file.sync_all());
        file.map_err(file_error("syncing the copy", &part))?;
        // A link instead of a rename: it never replaces a file that is there.
        fs::hard_link(&part, path).map_err(file_error("naming the copy", path))
    });
    let removed = fs::remove_file(&part).map_err(file_error("removing", &part));
    copied.and(removed)?;
    sync_folder(path)
}

fn fill(source: &Connection, part: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(part, flags).map_err(problem)?;
    {
        let backup = Backup::new(source, &mut target).map_err(problem)?;
        // All pages in one step: one snapshot. In several, each commit of another connection
        // would start the copy over, and writers are not held up either way.
        match backup.step(-1).map_err(problem)? {
            StepResult::Done => {}
            _ => return Err(Error::Busy),
        }
    }
    // The header says "write-ahead log"; as one file it can be moved and opened read-only.
    target
        .pragma_update(None, "journal_mode", "DELETE")
        .map_err(problem)?;
    match check(&target)?.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(Error::Corrupt(format!("the copy has a problem: {first}"))),
    }
}
