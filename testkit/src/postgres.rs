//! A real PostgreSQL server for tests, with `pgaudit` and its log in CSV, in a directory of its
//! own.
//!
//! Debian's packages bring the programs (`cargo xtask` sees that they are there). The server
//! refuses to be run by root, so there it is run by the account that the package made. It listens
//! on a socket only: no port can be taken.
//!
//! Invariant: a server never outlives its [`Database`].

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);
/// The account that Debian's package makes.
const ACCOUNT: &str = "postgres";
/// The port that names the socket.
const PORT: &str = "5432";

/// A running server.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    log_name: String,
    child: Option<Child>,
}

impl Database {
    /// Starts a server in a new directory below `folder`, which others may then pass through; its
    /// logs are called so, with the letters of `strftime`.
    pub fn start(folder: &Path, name: &str, log_name: &str) -> io::Result<Self> {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
        let folder = folder.join(name);
        for place in [&folder, &folder.join("audit")] {
            fs::create_dir(place)?;
            if let Some((user, group)) = account()? {
                chown(place, Some(user), Some(group))?;
            }
        }
        let mut database = Self {
            folder,
            log_name: log_name.to_owned(),
            child: None,
        };
        let data = database.data();
        let mut making = as_account(&programs()?.join("initdb"))?;
        making.args(["--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]);
        making.arg("--username=postgres").arg("-D").arg(&data);
        said(&making.stdin(Stdio::null()).output()?)?;
        database.up()?;
        database.sql("CREATE EXTENSION pgaudit")?;
        Ok(database)
    }

    /// Starts the server, again after [`kill`](Self::kill).
    pub fn up(&mut self) -> io::Result<()> {
        let mut server = as_account(&programs()?.join("postgres"))?;
        server
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(&self.folder);
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "shared_buffers=16MB",
            "logging_collector=on",
            "log_destination=csvlog",
            "log_rotation_age=0",
            "log_rotation_size=0",
            "log_timezone=UTC",
            "log_connections=on",
            "shared_preload_libraries=pgaudit",
            "pgaudit.log=all",
            "pgaudit.log_catalog=off",
        ] {
            server.args(["-c", setting]);
        }
        server
            .arg("-c")
            .arg(format!(
                "log_directory={}",
                self.audit_directory().display()
            ))
            .arg("-c")
            .arg(format!("log_filename={}", self.log_name))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.join("said"))?);
        self.child = Some(server.spawn()?);
        let until = Instant::now() + START;
        while self.sql("SELECT 1").is_err() {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?;
            if ended.flatten().is_some() || Instant::now() > until {
                let why = fs::read_to_string(self.folder.join("said")).unwrap_or_default();
                return Err(io::Error::other(why));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// What the server answers, tabs between columns; each statement by itself.
    pub fn sql(&self, statement: &str) -> io::Result<String> {
        let output = Command::new(programs()?.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "postgres", "-p", PORT, "-d", "postgres", "-h"])
            .arg(&self.folder)
            .args(["-c", statement])
            .stdin(Stdio::null())
            .output()?;
        said(&output)
    }

    /// Has the server go on in another log.
    pub fn rotate(&self) -> io::Result<()> {
        self.sql("SELECT pg_rotate_logfile()").map(drop)
    }

    /// Where the logs are.
    pub fn audit_directory(&self) -> PathBuf {
        self.folder.join("audit")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Ends the server as a power cut would: the first process, which takes the others with it.
    pub fn kill(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        child.kill()?;
        child.wait()?;
        // The others see that it is gone; whoever comes before they have ended is refused.
        let lock = format!("{}/.s.PGSQL.{PORT}.lock", self.folder.display());
        let _ = fs::remove_file(lock);
        self.wait_for_others()
    }

    /// Waits until no process works in the data directory any more.
    fn wait_for_others(&self) -> io::Result<()> {
        let (data, until) = (self.data(), Instant::now() + START);
        while works_in(&data)? {
            if Instant::now() > until {
                return Err(io::Error::other("processes of the server did not end"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What is left is below a temporary folder.
        let _ = self.kill();
    }
}

/// Whether the working directory of a process is that one.
fn works_in(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir("/proc")? {
        let place = entry?.path().join("cwd");
        if fs::read_link(place).is_ok_and(|place| place == folder) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a program wrote, or why it failed.
fn said(output: &std::process::Output) -> io::Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(why))
}

/// Where the programs are of the newest version that has `pgaudit`: Debian keeps them out of the
/// way.
fn programs() -> io::Result<PathBuf> {
    let audits = |version: &u32| {
        let control = format!("/usr/share/postgresql/{version}/extension/pgaudit.control");
        Path::new(&control).is_file()
    };
    let newest = fs::read_dir("/usr/lib/postgresql")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(audits)
        .max()
        .ok_or_else(|| io::Error::other("no PostgreSQL with pgaudit is installed"))?;
    Ok(format!("/usr/lib/postgresql/{newest}/bin").into())
}

/// Who runs the server if we are root.
fn account() -> io::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let ids = (fields.next()? == ACCOUNT).then(|| fields.nth(1)?.parse().ok());
        Some((ids??, fields.next()?.parse().ok()?))
    });
    let missing = || io::Error::other("there is no account to run PostgreSQL");
    found.map(Some).ok_or_else(missing)
}

fn as_account(program: &Path) -> io::Result<Command> {
    let mut command = Command::new(program);
    if let Some((user, group)) = account()? {
        command.uid(user).gid(group);
    }
    // A folder that the account may be in.
    command.current_dir("/");
    Ok(command)
}
