//! A server of our own on a copy of another's files: rolled forward by its log to an instant, and
//! then carried, database by database, into an empty server that runs.
//!
//! The server listens on no port; only we can enter the folder where its socket is. It ends with
//! this value, and with this process.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use super::program::{NEEDED, Program, defaults, place, private_file, private_folder};
use crate::ddm::{
    address::Address,
    capture::OWN_SCHEMAS,
    error::{Error, Result},
    session::{literal, quoted},
};

/// How often the server is asked whether it is there, and how many times.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 20 * 60 * 10;
/// The account that only this server has.
const USER: &str = "strongroom";

/// Refuses to begin without every program that is needed.
pub fn programs() -> Result<()> {
    NEEDED
        .iter()
        .try_for_each(|(name, _)| place(name).map(drop))
}

/// Unpacks a copy into the folder, which becomes a new one.
pub fn extract(name: &str, folder: &Path, from: &mut dyn Read) -> Result<()> {
    private_folder(folder)?;
    let scratch = beside(folder);
    private_folder(&scratch)?;
    let mut program = Program::new("mbstream", name, "be unpacked", &scratch)?;
    program
        .command()
        .args(["-x", "-C"])
        .arg(folder)
        .stdin(Stdio::piped());
    let mut child = program.spawn()?;
    let copied = match child.stdin.take() {
        Some(mut stdin) => io::copy(from, &mut stdin),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    program.ended(child.wait()?)?;
    copied?;
    Ok(())
}

/// Makes the files of a copy fit together.
pub fn prepare(name: &str, folder: &Path) -> Result<()> {
    let scratch = beside(folder);
    let mut program = Program::new("mariadb-backup", name, "be made ready", &scratch)?;
    program
        .command()
        .arg("--prepare")
        .arg(format!("--target-dir={}", folder.display()));
    program.run()
}

/// Where what belongs to the work on a folder of files is kept.
fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".run");
    folder.with_file_name(name)
}

/// A server of our own.
pub struct Private {
    name: String,
    folder: PathBuf,
    scratch: PathBuf,
    child: Child,
}

impl Private {
    /// Starts a server on prepared files.
    pub fn start(name: &str, folder: &Path, password: &str) -> Result<Self> {
        let scratch = beside(folder);
        let options = scratch.join("own.cnf");
        let text = format!("[client]\nuser={USER}\npassword=\"{password}\"\nsocket=s\n");
        private_file(&options)?.write_all(text.as_bytes())?;
        let first = scratch.join("first.sql");
        let statements = format!(
            "SET sql_log_bin = 0;\n\
             CREATE OR REPLACE USER {USER}@localhost IDENTIFIED BY '{password}';\n\
             GRANT ALL ON *.* TO {USER}@localhost WITH GRANT OPTION;\n"
        );
        private_file(&first)?.write_all(statements.as_bytes())?;
        let mut program = Program::new("mariadbd", name, "be started on its copy", &scratch)?;
        let command = program.command();
        // What the files are like stands beside them.
        let like = folder.join("backup-my.cnf");
        if like.is_file() {
            command.arg(format!("--defaults-file={}", like.display()));
        } else {
            command.arg("--no-defaults");
        }
        command
            .arg(format!("--datadir={}", folder.display()))
            // A path as long as a folder's may be is too long for a socket; this one is short,
            // and in the folder of the files.
            .args([
                "--socket=s",
                "--skip-networking",
                "--skip-log-bin",
                "--skip-name-resolve",
            ])
            .args([
                "--event-scheduler=OFF",
                "--skip-slave-start",
                "--performance-schema=OFF",
            ])
            // What is lost with the power is made again.
            .args(["--innodb-flush-log-at-trx-commit=0", "--sync-frm=0"])
            .args(["--max-allowed-packet=1G", "--innodb-buffer-pool-size=128M"])
            .arg(format!("--pid-file={}", scratch.join("pid").display()))
            .arg(format!("--init-file={}", first.display()));
        if rustix::process::geteuid().is_root() {
            command.arg("--user=root");
        }
        let child = program.spawn()?;
        let mut private = Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            scratch,
            child,
        };
        for _ in 0..LOOKS {
            if private.child.try_wait()?.is_some() {
                return Err(program.failed());
            }
            if private.ask("SELECT 1").is_ok() {
                fs::remove_file(&first)?;
                return Ok(private);
            }
            thread::sleep(LOOK);
        }
        Err(program.failed())
    }

    fn client(&self, program: &'static str, action: &'static str) -> Result<Program<'_>> {
        let mut program = Program::new(program, &self.name, action, &self.scratch)?;
        let options = self.scratch.join("own.cnf");
        program
            .command()
            .current_dir(&self.folder)
            .arg(format!("--defaults-file={}", options.display()));
        Ok(program)
    }

    /// What the server answers: lines, tabs between columns.
    fn ask(&self, sql: &str) -> Result<String> {
        let mut client = self.client("mariadb", "answer on its copy")?;
        client.command().args(["-N", "-B", "-e", sql]);
        client.answer()
    }

    /// Does again what stands in a log file from `start` on.
    pub fn replay(&self, log: &Path, start: u64) -> Result<()> {
        let mut reader = Program::new("mariadb-binlog", &self.name, "read its log", &self.scratch)?;
        reader
            .command()
            .arg("--no-defaults")
            .arg(format!("--start-position={}", start.max(4)))
            .arg(log);
        let mut writer = self.client("mariadb", "do again what it logged")?;
        writer
            .command()
            .args(["--binary-mode", "--max-allowed-packet=1G"]);
        through(&mut reader, &mut writer)
    }

    /// The databases, without the server's own.
    pub fn databases(&self) -> Result<Vec<String>> {
        let answer = self.ask("SELECT schema_name FROM information_schema.schemata ORDER BY 1")?;
        let all = answer.lines().map(ToOwned::to_owned);
        Ok(all
            .filter(|name| !OWN_SCHEMAS.contains(&name.as_str()))
            .collect())
    }

    /// Carries all databases into the server at that address, and proves that they arrived.
    pub fn carry(&self, name: &str, address: &Address) -> Result<()> {
        let databases = self.databases()?;
        if databases.is_empty() {
            return Ok(());
        }
        let mut reader = self.client("mariadb-dump", "be read on its copy")?;
        reader
            .command()
            .args([
                "--single-transaction",
                "--quick",
                "--hex-blob",
                "--skip-lock-tables",
            ])
            .args([
                "--routines",
                "--events",
                "--triggers",
                "--max-allowed-packet=1G",
            ])
            .args(["--default-character-set=utf8mb4", "--databases", "--"])
            .args(&databases);
        let scratch = self.scratch.join("target");
        private_folder(&scratch)?;
        let server = format!("data node {name} at {address}");
        let mut writer = Program::new("mariadb", &server, "take the restored databases", &scratch)?;
        writer
            .command()
            .arg(defaults(&scratch, address)?)
            .args(["--binary-mode", "--max-allowed-packet=1G"])
            .arg("--default-character-set=utf8mb4");
        through(&mut reader, &mut writer)?;
        drop(writer);
        self.compare(&server, address, &databases)
    }

    /// Every table of ours has the same checksum there.
    fn compare(&self, server: &str, address: &Address, databases: &[String]) -> Result<()> {
        let scratch = self.scratch.join("target");
        let there = |sql: &str| {
            let mut client = Program::new("mariadb", server, "count its rows", &scratch)?;
            client
                .command()
                .arg(defaults(&scratch, address)?)
                .args(["-N", "-B", "-e", sql]);
            client.answer()
        };
        // Other versions may keep the same values in other bytes; then their number must do.
        let version = "SELECT VERSION()";
        let same = self.ask(version)? == there(version)?;
        for database in databases {
            let sql = format!(
                "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' \
                 AND table_schema = {}",
                literal(database)
            );
            for table in self.ask(&sql)?.lines() {
                let table = format!("{}.{}", quoted(database), quoted(&unescaped(table)));
                let sql = if same {
                    format!("CHECKSUM TABLE {table}")
                } else {
                    format!("SELECT COUNT(*) FROM {table}")
                };
                let (ours, theirs) = (self.ask(&sql)?, there(&sql)?);
                if ours != theirs {
                    let why = format!(
                        "table {table} did not arrive whole at {server}: {} instead of {}",
                        theirs.trim(),
                        ours.trim()
                    );
                    return Err(Error::Damaged(why));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // It holds nothing that is not made again.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Runs two programs, the output of one being the input of the other.
fn through(reader: &mut Program<'_>, writer: &mut Program<'_>) -> Result<()> {
    reader.command().stdout(Stdio::piped());
    let mut from = reader.spawn()?;
    let Some(output) = from.stdout.take() else {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
    };
    writer.command().stdin(output);
    let to = writer.spawn();
    // Only the child may hold the reading end, or a reader whose writer died would wait for ever.
    writer.command().stdin(Stdio::null());
    let mut to = match to {
        Ok(to) => to,
        Err(error) => {
            let _ended = from.kill();
            from.wait()?;
            return Err(error);
        }
    };
    let written = to.wait()?;
    let read = from.wait()?;
    // A writer that gave up is why the reader could not go on.
    writer.ended(written)?;
    reader.ended(read)
}

/// A name as it is, from what a client shows.
fn unescaped(shown: &str) -> String {
    let mut out = String::with_capacity(shown.len());
    let mut letters = shown.chars();
    while let Some(letter) = letters.next() {
        let meant = match letter {
            '\\' => letters.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            other => Some(other),
        };
        out.extend(meant);
    }
    out
}
