//! MariaDB's own programs: found, run, and their failures told in our words.
//!
//! Whoever a program connects to is in a file that only we can read, and never among the
//! arguments. A program ends with the thread that started it, even if this process is killed: one
//! that goes on writing to a server while the next start does its work again would spoil it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use super::super::{
    address::Address,
    error::{Error, Result},
};

/// Ends a program with the thread that started it.
const GUARD: &str = "setpriv";
/// What of a program's complaints is told.
const TOLD: usize = 600;

/// What is called, and the package of Debian that brings it.
pub(super) const NEEDED: &[(&str, &str)] = &[
    (GUARD, "util-linux"),
    ("mariadb", "mariadb-client"),
    ("mariadb-backup", "mariadb-backup"),
    ("mariadb-binlog", "mariadb-client"),
    ("mariadb-dump", "mariadb-client"),
    ("mariadbd", "mariadb-server"),
    ("mbstream", "mariadb-backup"),
];

/// A program about to be run for `server`.
pub(super) struct Program<'a> {
    server: &'a str,
    action: &'static str,
    command: Command,
    /// Where its complaints go.
    complaints: PathBuf,
}

/// Where a program is; servers lie where only administrators look.
pub(super) fn place(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let mut places = folders.map(|folder: PathBuf| folder.join(name));
    places.find(|place| place.is_file()).ok_or_else(|| {
        let package = NEEDED.iter().find(|(needed, _)| *needed == name);
        let package = package.map_or(name, |(_, package)| package);
        Error::Unfit(format!(
            "the program {name} is not on the service's machine; install the package {package}"
        ))
    })
}

impl<'a> Program<'a> {
    /// The program of that name; `action` is what it does for `server`, as a verb. Its complaints
    /// go to a file in `scratch`.
    pub(super) fn new(
        name: &str,
        server: &'a str,
        action: &'static str,
        scratch: &Path,
    ) -> Result<Self> {
        Self::of(&place(name)?, server, action, scratch)
    }

    /// A program anywhere.
    pub(super) fn of(
        program: &Path,
        server: &'a str,
        action: &'static str,
        scratch: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(place(GUARD)?);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let complaints = scratch.join(format!("{name}.log"));
        let file = private_file(&complaints)?;
        command.stderr(file);
        Ok(Self {
            server,
            action,
            command,
            complaints,
        })
    }

    pub(super) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    pub(super) fn spawn(&mut self) -> Result<Child> {
        self.command.spawn().map_err(Error::Stream)
    }

    /// Runs it to its end.
    pub(super) fn run(mut self) -> Result<()> {
        let status = self.command.status()?;
        self.ended(status)
    }

    /// Runs it to its end; what it says.
    pub(super) fn answer(mut self) -> Result<String> {
        let output = self.command.stdout(Stdio::piped()).spawn()?;
        let output = output.wait_with_output()?;
        self.ended(output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// An error if it failed.
    pub(super) fn ended(&self, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        Err(self.failed())
    }

    /// The error with what it complained of last.
    pub(super) fn failed(&self) -> Error {
        let cause = tail(&self.complaints).unwrap_or_default();
        let cause = if cause.is_empty() {
            "the program ended without a word".to_owned()
        } else {
            cause
        };
        if cause.contains("Access denied") {
            return Error::Denied {
                server: self.server.to_owned(),
                cause,
            };
        }
        if cause.contains("Can't connect to") {
            return Error::Unreachable {
                server: self.server.to_owned(),
                cause,
            };
        }
        Error::Refused {
            server: self.server.to_owned(),
            action: self.action,
            cause,
        }
    }
}

/// The last lines of a program's complaints, in one.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut told = String::new();
    for line in lines.iter().rev() {
        if told.len() + line.len() > TOLD && !told.is_empty() {
            break;
        }
        told = if told.is_empty() {
            line.trim().to_owned()
        } else {
            format!("{} / {told}", line.trim())
        };
    }
    Ok(told)
}

/// A file that only we can read.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    // One that is there may be open to others.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// An empty folder that only we can enter, in the place of what was there.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Writes who we are at that server where a program finds it; the argument that says so must be
/// the program's first.
pub(super) fn defaults(scratch: &Path, address: &Address) -> Result<String> {
    let path = scratch.join("client.cnf");
    let mut file = private_file(&path)?;
    let text = zeroize::Zeroizing::new(format!(
        "[client]\nprotocol=tcp\nhost={}\nport={}\nuser={}\npassword={}\n{}",
        quoted(address.host.trim_matches(['[', ']'])),
        address.port,
        quoted(&address.user),
        quoted(&address.password).as_str(),
        address.encryption.option_lines(quoted),
    ));
    file.write_all(text.as_bytes())?;
    Ok(format!("--defaults-file={}", path.display()))
}

/// A value of an option file.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn who_we_are_is_in_a_file_that_only_we_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::parse("mysql://a:p%22%5C%23x@[::1]:3307").unwrap();
        fs::write(folder.path().join("client.cnf"), "open to all").unwrap();
        defaults(folder.path(), &address).unwrap();
        let path = folder.path().join("client.cnf");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("host=\"::1\"\nport=3307\nuser=\"a\"\npassword=\"p\\\"\\\\#x\"\n"));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_last_words_and_one_that_is_missing_with_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let shell = Path::new("/bin/sh");
        let run = |script: &str| {
            let mut program = Program::of(shell, "node0", "be copied", folder.path()).unwrap();
            program.command().args(["-c", script]);
            program.run()
        };
        run("exit 0").unwrap();
        let failed = run("echo first >&2; echo ERROR: no space >&2; exit 3").unwrap_err();
        assert_eq!(
            failed.to_string(),
            "node0 cannot be copied: first / ERROR: no space"
        );
        let denied = run("echo Access denied for user >&2; exit 1").unwrap_err();
        assert!(matches!(denied, Error::Denied { .. }));
        let missing = place("mariadb-nothing").unwrap_err().to_string();
        assert!(missing.contains("mariadb-nothing"), "{missing}");
    }
}
