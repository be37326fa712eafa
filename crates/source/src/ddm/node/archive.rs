//! What a server has logged since we last looked, fetched file by file and checked.
//!
//! A log is followed by file and place. It goes on where we left it if the server still has the
//! file, the file is at least as long, and it began when ours began; anything else is a gap, which
//! is told and never papered over. What is fetched is walked from end to end before it counts.

use std::{
    fs::File,
    io::{BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    log::{self, Go, Group},
    program::{Program, defaults, private_folder},
};
use crate::ddm::{
    address::Address,
    error::{Error, Result},
    session::Session,
};

/// Where we are in a server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The file.
    pub file: String,
    /// How much of it we have.
    pub offset: u64,
    /// When it was begun, and by which server.
    pub head: String,
    /// What the server said it had done when we had all of it.
    pub gtid: Option<String>,
}

/// A file of a server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// How long it is.
    pub size: u64,
}

/// What a server says of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The server's clock before it was asked, in seconds since 1970.
    pub second: i64,
    /// Its files, the oldest first.
    pub files: Vec<LogFile>,
    /// What it has done.
    pub gtid: String,
}

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing new was logged.
    Still,
    /// From that place on.
    From(String, u64),
    /// What was logged next is gone, and why. A new beginning can be made.
    Gap(String),
}

/// A piece of a log file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The server's file.
    pub file: String,
    /// Where the piece begins in it.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// When the file was begun, and by which server.
    pub head: String,
    /// Where the bytes lie.
    pub path: PathBuf,
    /// Bytes in front of them that the server does not have there.
    pub skip: u64,
    /// Changes of definitions: place and second.
    pub changes: Vec<(u64, i64)>,
}

impl Part {
    /// The bytes.
    pub fn open(&self) -> Result<File> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.skip))?;
        Ok(file)
    }
}

/// Asks a server for its log; `None` if it keeps none.
pub fn survey(name: &str, address: &Address) -> Result<Option<Survey>> {
    let mut session = Session::open(name, address)?;
    let looked = session.look()?;
    if looked.engine != "MariaDB" {
        let why = format!("{name} is no MariaDB server; its log cannot be followed");
        return Err(Error::Unfit(why));
    }
    if session.variable("log_bin")?.as_deref() != Some("ON") {
        return Ok(None);
    }
    let sql = "SELECT UNIX_TIMESTAMP(), @@global.gtid_binlog_pos";
    let said = session.first("say the time", sql, |row| (row.text(), row.text()))?;
    let (second, gtid) = said.unwrap_or_default();
    let files = session.all("list its logs", "SHOW BINARY LOGS", &[], |row| LogFile {
        name: row.text(),
        size: row.text().parse().unwrap_or_default(),
    })?;
    Ok(Some(Survey {
        second: second.parse().unwrap_or_default(),
        files,
        gtid,
    }))
}

/// What is to be fetched from a server that says this, when we are there.
pub fn follow(survey: &Survey, followed: Option<&Followed>) -> Standing {
    let Some(newest) = survey.files.last() else {
        return Standing::Gap("the server lists no log file".to_owned());
    };
    let Some(followed) = followed else {
        return Standing::From(newest.name.clone(), 0);
    };
    let Some(ours) = survey.files.iter().find(|file| file.name == followed.file) else {
        let older = |file: &LogFile| number(&file.name) > number(&followed.file);
        let how = if survey.files.iter().all(older) {
            "was purged before all of it was read"
        } else {
            "is not there any more: the log was reset, or the server is another one"
        };
        return Standing::Gap(format!("{} {how}", followed.file));
    };
    if ours.size < followed.offset {
        let why = "is shorter than it was: the log was reset, or the server is another one";
        return Standing::Gap(format!("{} {why}", followed.file));
    }
    if ours.size == followed.offset && newest.name == ours.name {
        if followed
            .gtid
            .as_ref()
            .is_some_and(|gtid| *gtid != survey.gtid)
        {
            let why = "is another one of the same length: the log was reset";
            return Standing::Gap(format!("{} {why}", followed.file));
        }
        return Standing::Still;
    }
    Standing::From(followed.file.clone(), followed.offset)
}

/// Fetches a server's log from that place to its end, into files in `scratch`. `head` is what the
/// first file must have begun as; another one is a gap.
pub fn fetch(
    name: &str,
    address: &Address,
    (file, offset): (&str, u64),
    head: Option<&str>,
    scratch: &Path,
) -> Result<Result<Vec<Part>, String>> {
    private_folder(scratch)?;
    let into = scratch.join("logs");
    private_folder(&into)?;
    let server = format!("{name} at {address}");
    let mut program = Program::new("mariadb-binlog", &server, "hand out its log", scratch)?;
    program
        .command()
        .arg(defaults(scratch, address)?)
        .args(["--read-from-remote-server", "--raw", "--to-last-log"])
        .arg(format!("--result-file={}/", into.display()))
        .arg(format!("--start-position={}", offset.max(4)))
        .arg(file);
    if let Err(error) = program.run() {
        let text = error.to_string();
        // The server knows the file or the place no more.
        let gone = [
            "Could not find first log",
            "impossible position",
            "bogus data in log event",
        ];
        if gone.iter().any(|sign| text.contains(sign)) {
            return Ok(Err(format!(
                "{file} cannot be read on from {offset}: {text}"
            )));
        }
        return Err(error);
    }
    let mut names: Vec<String> = std::fs::read_dir(&into)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort_by_key(|name| number(name));
    let mut parts: Vec<Part> = Vec::new();
    for found in names {
        let from = if parts.is_empty() { offset } else { 0 };
        let part = check(&into, &found, from)?;
        let expected = if parts.is_empty() { Some(file) } else { None };
        if expected.is_some_and(|expected| expected != found) {
            return Ok(Err(format!("the server handed out {found} for {file}")));
        }
        if parts.is_empty() && head.is_some_and(|head| head != part.head) {
            let why = "began anew: the log was reset, or the server is another one";
            return Ok(Err(format!("{file} {why}")));
        }
        parts.push(part);
    }
    Ok(Ok(parts))
}

/// Walks a fetched file to its end.
fn check(folder: &Path, name: &str, from: u64) -> Result<Part> {
    let path = folder.join(name);
    let mut file = BufReader::new(File::open(&path)?);
    let (mut skip, mut head) = (0, None);
    if from > 0 {
        let (length, begun) = log::description(&mut file)?;
        (skip, head) = (length, Some(begun));
        file.seek(SeekFrom::Start(skip))?;
    }
    let mut changes = Vec::new();
    let seen = log::walk(&mut file, from, &mut |group: &Group| {
        if group.definition {
            changes.push((group.offset, group.second));
        }
        Go::On
    })?;
    let Some(head) = head.or(seen.head) else {
        return Err(Error::Damaged(format!("{name} has no head")));
    };
    Ok(Part {
        file: name.to_owned(),
        from,
        to: seen.end,
        head,
        path,
        skip,
        changes,
    })
}

/// The number that a log file's name ends with.
pub fn number(name: &str) -> u64 {
    let digits = name.rsplit('.').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(files: &[(&str, u64)], gtid: &str) -> Survey {
        let files = files.iter().map(|(name, size)| LogFile {
            name: (*name).to_owned(),
            size: *size,
        });
        Survey {
            second: 1000,
            files: files.collect(),
            gtid: gtid.to_owned(),
        }
    }

    fn at(file: &str, offset: u64) -> Followed {
        Followed {
            file: file.to_owned(),
            offset,
            head: "1-1".to_owned(),
            gtid: Some("0-1-5".to_owned()),
        }
    }

    #[test]
    fn a_log_goes_on_where_it_was_left() {
        let from = |file: &str, offset| Standing::From(file.to_owned(), offset);
        let two = survey(&[("b.000001", 100), ("b.000002", 50)], "0-1-5");
        assert_eq!(follow(&two, None), from("b.000002", 0));
        assert_eq!(
            follow(&two, Some(&at("b.000001", 100))),
            from("b.000001", 100)
        );
        assert_eq!(
            follow(&two, Some(&at("b.000002", 40))),
            from("b.000002", 40)
        );
        assert_eq!(follow(&two, Some(&at("b.000002", 50))), Standing::Still);
        // Six digits are not the end.
        let long = survey(&[("b.999999", 9), ("b.1000000", 50)], "0-1-5");
        assert_eq!(follow(&long, Some(&at("b.999999", 9))), from("b.999999", 9));
    }

    #[test]
    fn what_was_purged_reset_or_replaced_is_a_gap_with_its_reason() {
        let gap = |files: &[(&str, u64)], gtid, followed| match follow(
            &survey(files, gtid),
            Some(&followed),
        ) {
            Standing::Gap(why) => why,
            other => panic!("{other:?}"),
        };
        let purged = gap(&[("b.000007", 9)], "0-1-9", at("b.000006", 50));
        assert!(purged.contains("purged"), "{purged}");
        let reset = gap(&[("b.000001", 9)], "", at("b.000006", 50));
        assert!(reset.contains("reset"), "{reset}");
        let shorter = gap(&[("b.000006", 9)], "", at("b.000006", 50));
        assert!(shorter.contains("shorter"), "{shorter}");
        let same_length = gap(&[("b.000006", 50)], "0-1-2", at("b.000006", 50));
        assert!(same_length.contains("same length"), "{same_length}");
        gap(&[], "", at("b.000006", 50));
    }
}
