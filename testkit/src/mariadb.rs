//! Real MariaDB servers for tests, each with a directory, a socket and a port of its own.
//!
//! Debian's packages bring the programs (`cargo xtask` sees that they are there). An empty data
//! directory is made once for each version and copied, because making one takes seconds.
//!
//! Invariant: a server never outlives its [`Database`].

use std::{
    fmt::Write as _,
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);
/// The user that tests give to the service; it may do everything.
pub const USER: &str = "app";
/// Its password, with letters that an address must escape.
pub const PASSWORD: &str = "p@ss/word'1";

/// How a server is set up.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a server"
)]
pub struct Setup {
    /// With the Spider engine.
    pub spider: bool,
    /// Without a binary log.
    pub no_log: bool,
    /// With an audit log, [`AUDIT_LOG`] in a directory of its own.
    pub audit: bool,
    /// Reached over the network with TLS alone, by a certificate of its own
    /// ([`Database::certificate`]).
    pub tls: bool,
}

/// The audit log's name in [`Database::audit_directory`].
pub const AUDIT_LOG: &str = "server_audit.log";

/// A running server.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    port: u16,
    setup: Setup,
    child: Option<Child>,
}

impl Database {
    /// Starts a server in a new directory below `folder`, with [`USER`] in it.
    pub fn start(folder: &Path, name: &str, setup: Setup) -> io::Result<Self> {
        let folder = folder.join(name);
        copy(&template()?, &folder)?;
        if setup.audit {
            fs::create_dir(folder.join("audit"))?;
        }
        if setup.tls {
            let names = vec!["127.0.0.1".to_owned()];
            let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
            fs::write(folder.join("cert.pem"), made.cert.pem())?;
            fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
        }
        let mut database = Self {
            folder,
            port: 0,
            setup,
            child: None,
        };
        database.up()?;
        let password = PASSWORD.replace('\'', "''");
        database.sql(&format!(
            "CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}'; \
             GRANT ALL ON *.* TO {USER}@'127.0.0.1' WITH GRANT OPTION"
        ))?;
        Ok(database)
    }

    /// Starts the server again after [`kill`](Self::kill), on the same port.
    pub fn up(&mut self) -> io::Result<()> {
        let until = Instant::now() + START;
        loop {
            if self.port == 0 {
                self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            }
            let child = self.command().spawn()?;
            self.child = Some(child);
            while self.is_running()? {
                if self.sql("SELECT 1").is_ok() {
                    return Ok(());
                }
                if Instant::now() > until {
                    return Err(io::Error::other(self.log()));
                }
                thread::sleep(Duration::from_millis(50));
            }
            // Another program was faster to take the port.
            if Instant::now() > until || !self.log().contains("Bind on TCP/IP port") {
                return Err(io::Error::other(self.log()));
            }
            self.port = 0;
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(server());
        let inside = |name: &str| self.folder.join(name);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.folder.display()))
            .arg(format!("--socket={}", inside("s").display()))
            .arg(format!("--pid-file={}", inside("pid").display()))
            .arg(format!("--log-error={}", inside("log").display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"])
            .args(["--performance-schema=off", "--max-connections=50"])
            // What a test loses with the power is its own; servers are killed, machines are not.
            .args(["--sync-frm=0", "--innodb-flush-log-at-trx-commit=0"])
            .arg(format!("--server-id={}", self.port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.arg("--user=root");
        }
        if !self.setup.no_log {
            let log = inside("binlog");
            command.args([
                format!("--log-bin={}", log.display()),
                "--binlog-format=ROW".to_owned(),
            ]);
        }
        if self.setup.audit {
            let log = self.audit_directory().join(AUDIT_LOG);
            command
                .arg("--plugin-load-add=server_audit.so")
                .arg("--server-audit-logging=ON")
                .arg(format!("--server-audit-file-path={}", log.display()))
                // Rotated when a test says so.
                .args([
                    "--server-audit-file-rotate-size=1G",
                    "--server-audit-file-rotations=9",
                ]);
        }
        if self.setup.tls {
            command
                .arg(format!("--ssl-cert={}", inside("cert.pem").display()))
                .arg(format!("--ssl-key={}", inside("key.pem").display()))
                .arg("--require-secure-transport=ON");
        }
        if self.setup.spider {
            command.arg("--plugin-load-add=ha_spider.so");
        }
        command
    }

    fn is_running(&mut self) -> io::Result<bool> {
        let child = self.child.as_mut().ok_or(io::ErrorKind::NotFound)?;
        Ok(child.try_wait()?.is_none())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// What the server answers, tabs between columns; as its administrator.
    pub fn sql(&self, statements: &str) -> io::Result<String> {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "-uroot", "-N", "-B"])
            .arg(format!("--socket={}", self.folder.join("s").display()))
            .args(["-e", statements])
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ))
        }
    }

    /// Where the audit log is.
    pub fn audit_directory(&self) -> PathBuf {
        self.folder.join("audit")
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's certificate, which is its own authority.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// The address for the service.
    pub fn url(&self) -> String {
        self.url_with("p%40ss%2Fword%271")
    }

    /// The address with another password, as it stands in an address.
    pub fn url_with(&self, password: &str) -> String {
        format!("mysql://{USER}:{password}@127.0.0.1:{}", self.port)
    }

    /// Ends the server as a power cut would.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
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

/// A sharding layer with its servers: a Spider in front of `data` ones.
#[derive(Debug)]
pub struct Cluster {
    /// The layer.
    pub layer: Database,
    /// The servers.
    pub nodes: Vec<Database>,
}

impl Cluster {
    /// Starts servers named after `name`: a layer and `count` data nodes, all empty.
    pub fn start(folder: &Path, name: &str, count: usize) -> io::Result<Self> {
        let spider = Setup {
            spider: true,
            ..Setup::default()
        };
        let layer = Database::start(folder, name, spider)?;
        let nodes: io::Result<Vec<_>> = (0..count)
            .map(|number| Database::start(folder, &format!("{name}{number}"), Setup::default()))
            .collect();
        Ok(Self {
            layer,
            nodes: nodes?,
        })
    }

    /// Makes a physical database `shop_N` with the table on every node.
    pub fn fill_nodes(&self) -> io::Result<()> {
        for (number, node) in self.nodes.iter().enumerate() {
            node.sql(&format!(
                "CREATE DATABASE shop_{number}; CREATE TABLE shop_{number}.orders \
                 (id BIGINT PRIMARY KEY, note VARCHAR(100)) ENGINE=InnoDB"
            ))?;
        }
        Ok(())
    }

    /// Makes the schema `shop`: a table over all nodes, one on a single node, a view, a procedure,
    /// an account, and a hundred rows.
    pub fn fill(&self) -> io::Result<()> {
        self.fill_nodes()?;
        let (mut links, mut parts) = (String::new(), Vec::new());
        let password = PASSWORD.replace('\'', "''");
        for (number, node) in self.nodes.iter().enumerate() {
            write!(
                links,
                "CREATE SERVER dn{number} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', \
                 PORT {}, DATABASE 'shop_{number}', USER '{USER}', PASSWORD '{password}');",
                node.port
            )
            .map_err(io::Error::other)?;
            parts.push(format!(
                "PARTITION p{number} COMMENT = 'srv \"dn{number}\"'"
            ));
        }
        self.layer.sql(&format!(
            "{links} CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; \
             CREATE TABLE orders (id BIGINT PRIMARY KEY, note VARCHAR(100)) ENGINE=SPIDER \
             COMMENT='wrapper \"mysql\", table \"orders\"' PARTITION BY KEY (id) ({}); \
             CREATE TABLE first_part (id BIGINT PRIMARY KEY, note VARCHAR(100)) ENGINE=SPIDER \
             COMMENT='wrapper \"mysql\", srv \"dn0\", table \"orders\"'; \
             CREATE TABLE rates (code CHAR(3) PRIMARY KEY, rate DECIMAL(9,4)) ENGINE=InnoDB; \
             CREATE VIEW z_view AS SELECT id FROM orders; \
             CREATE VIEW a_view AS SELECT id FROM z_view; \
             CREATE PROCEDURE count_orders() SELECT COUNT(*) FROM orders; \
             CREATE USER reader@'%' IDENTIFIED BY 'a secret'; \
             GRANT SELECT ON shop.* TO reader@'%'; \
             CREATE ROLE clerks; GRANT INSERT ON shop.orders TO clerks; \
             GRANT clerks TO reader@'%'; \
             INSERT INTO orders SELECT seq, CONCAT('order ', seq) FROM seq_1_to_100",
            parts.join(", ")
        ))?;
        Ok(())
    }

    /// The words by which `strongroom resource add ddm` names the data nodes.
    pub fn node_words(&self) -> Vec<String> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .map(|(number, node)| format!("node{number}={}", node.url()))
            .collect()
    }

    /// The words by which it names their data directories.
    pub fn folder_words(&self) -> Vec<String> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .map(|(number, node)| format!("node{number}={}", node.folder().display()))
            .collect()
    }
}

/// The server's program. Debian puts it where only administrators look.
fn server() -> &'static str {
    const PLACE: &str = "/usr/sbin/mariadbd";
    if Path::new(PLACE).is_file() {
        PLACE
    } else {
        "mariadbd"
    }
}

/// An empty data directory of this version, made now if there is none yet.
fn template() -> io::Result<PathBuf> {
    let version = Command::new(server()).arg("--version").output()?;
    let version = blake3::hash(&version.stdout).to_hex();
    let name = format!("mariadb-{}", version.get(..16).unwrap_or_default());
    let place = scratch()?.join(name);
    if place.is_dir() {
        return Ok(place);
    }
    let making = tempfile::tempdir_in(scratch()?)?;
    let fresh = making.path().join("data");
    let mut install = Command::new("mariadb-install-db");
    install
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args([
            "--skip-test-db",
            "--skip-name-resolve",
            "--innodb-log-file-size=8M",
        ])
        .arg(format!("--datadir={}", fresh.display()))
        .stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        install.arg("--user=root");
    }
    let output = install.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    match fs::rename(&fresh, &place) {
        // Another test was faster.
        Err(_) if place.is_dir() => Ok(place),
        renamed => renamed.map(|()| place),
    }
}

/// A folder that stays from test to test: that of the build.
fn scratch() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let folder = match target {
        Some(target) => target.join("tmp"),
        None => std::env::temp_dir(),
    };
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
