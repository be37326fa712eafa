//! A real S3 server for the time of a test, `SeaweedFS`, which `cargo xtask test` installs.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::HttpRequestBody,
};
use strongroom_store::config::Environment;

/// A running server with one bucket, `strongroom`.
pub(crate) struct Server {
    process: Child,
    s3_port: u16,
    _directory: tempfile::TempDir,
}

/// Starts a server; `None` if the user asked to go without.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(crate) fn start() -> Option<Server> {
    if env::var("STRONGROOM_SKIP_S3").is_ok_and(|value| value == "1") {
        eprintln!("SKIPPED: STRONGROOM_SKIP_S3=1, nothing was tried against an S3 server");
        return None;
    }
    let program = find().expect(
        "no S3 server to test against: run cargo xtask test, which installs it \
         (or set STRONGROOM_TEST_WEED to the path of SeaweedFS's `weed`, \
         or STRONGROOM_SKIP_S3=1 to go without)",
    );
    // Somebody else may take a port between our choice and the server's start.
    Some(
        (0..3)
            .find_map(|_| try_start(&program))
            .expect("the server starts, see its log above"),
    )
}

fn find() -> Option<PathBuf> {
    if let Some(path) = env::var_os("STRONGROOM_TEST_WEED") {
        return Some(path.into());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|place| place.join("weed"))
        .find(|place| place.is_file())
}

#[expect(clippy::print_stderr, reason = "why the server did not start")]
fn try_start(program: &Path) -> Option<Server> {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("s3.json");
    fs::write(
        &config,
        r#"{"identities":[{"name":"test","credentials":[{"accessKey":"testkey",
        "secretKey":"testsecret"}],"actions":["Admin","Read","Write","List","Tagging"]}]}"#,
    )
    .unwrap();
    let [master, volume, filer, s3_port] = free_ports();
    let log_path = directory.path().join("log");
    let log = File::create(&log_path).unwrap();
    let process = Command::new(program)
        .arg("server")
        .arg(format!("-dir={}", directory.path().display()))
        .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"])
        .args(["-volume.max=50", "-master.volumeSizeLimitMB=64"])
        .arg(format!("-master.port={master}"))
        .arg(format!("-volume.port={volume}"))
        .arg(format!("-filer.port={filer}"))
        .arg(format!("-s3.port={s3_port}"))
        .arg(format!("-s3.config={}", config.display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("the S3 server can be executed");
    let mut server = Server {
        process,
        s3_port,
        _directory: directory,
    };
    if server.becomes_ready(filer) {
        return Some(server);
    }
    eprintln!("{}", fs::read_to_string(log_path).unwrap_or_default());
    None
}

/// Four ports that are free, as is the one 10,000 above each, where the server speaks gRPC.
fn free_ports() -> [u16; 4] {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let first = 20_000 + u16::try_from(std::process::id() % 9_000).unwrap();
    let mut free = (first..40_000).filter(|port| is_free(*port) && is_free(port + 10_000));
    [(); 4].map(|()| free.next().expect("some ports are free"))
}

impl Server {
    /// The URL of a store under that prefix.
    pub(crate) fn url(&self, prefix: &str) -> String {
        let port = self.s3_port;
        format!("s3://strongroom/{prefix}?endpoint=http://127.0.0.1:{port}")
    }

    /// Makes a bucket with object lock.
    pub(crate) fn make_locked_bucket(&self, name: &str) {
        let mut request = http::Request::builder()
            .method("PUT")
            .uri(format!("http://127.0.0.1:{}/{name}", self.s3_port))
            .header("x-amz-bucket-object-lock-enabled", "true")
            .body(HttpRequestBody::empty())
            .unwrap();
        let credential = AwsCredential {
            key_id: "testkey".into(),
            secret_key: "testsecret".into(),
            token: None,
        };
        AwsAuthorizer::new(&credential, "s3", "us-east-1")
            .try_authorize(&mut request, None)
            .unwrap();
        let (parts, _) = request.into_parts();
        let mut headers = String::new();
        for (name, value) in &parts.headers {
            write!(headers, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.s3_port)).unwrap();
        let host = format!("Host: 127.0.0.1:{}\r\n", self.s3_port);
        let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        write!(stream, "PUT /{name} HTTP/1.1\r\n{host}{headers}{rest}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// The environment with the credentials of every such server.
    pub(crate) fn environment() -> Environment {
        Environment {
            access_key_id: Some("testkey".into()),
            secret_access_key: Some("testsecret".into()),
            ..Environment::default()
        }
    }

    fn becomes_ready(&mut self, filer: u16) -> bool {
        for _ in 0..600 {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            // A bucket is a directory of the filer.
            if ask(self.s3_port, "GET /healthz").starts_with("HTTP/1.1 200")
                && ask(filer, "POST /buckets/strongroom/").starts_with("HTTP/1.1 201")
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _dead_already = self.process.kill();
        let _dead_already = self.process.wait();
    }
}

/// The answer to a request without a body; empty if nobody answers yet.
fn ask(port: u16, request: &str) -> String {
    let mut answer = String::new();
    let _no_answer_yet = (|| {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let rest = "Host: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        write!(stream, "{request} HTTP/1.1\r\n{rest}")?;
        stream.read_to_string(&mut answer)
    })();
    answer
}
