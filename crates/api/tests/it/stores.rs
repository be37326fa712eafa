//! Stores that are kept for others, used over real sockets by the backend that another service has.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use axum::Router;
use strongroom_api::{listen, stores, tls::PrivateCa};
use strongroom_control::hosting::{Definition, Hosting};
use strongroom_model::{Clock, Timestamp};
use strongroom_store::{
    ErrorKind, Key, Store, conformance,
    fault::{Fault, Faults, Rule},
    retry::{RetryPolicy, Wait, retrying},
};
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use tokio::sync::watch;

/// A router on a socket; stops when it is dropped.
struct Served {
    at: SocketAddr,
    stop: Option<watch::Sender<bool>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    fn new(router: Router, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = socket.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let listeners = vec![listen::Listener {
            service: "stores",
            socket,
            router,
        }];
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build();
            let served = listen::serve(listeners, tls, stopped);
            runtime.unwrap().block_on(served).unwrap();
        });
        Self {
            at,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A host with the stores `mine` (a week's grace) and `other`.
struct Host {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    served: Served,
}

impl Host {
    fn new() -> Self {
        Self::over(None, |_| {})
    }

    fn over(tls: Option<Arc<rustls::ServerConfig>>, change: impl Fn(&mut Definition)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let hosted = folder.path().join("hosted");
        fs::create_dir(&hosted).unwrap();
        let hosting = Hosting::new(&hosted, Arc::clone(&clock) as _);
        for (seed, name) in ["mine", "other"].into_iter().enumerate() {
            let entropy = SeededEntropy::new(seed as u64);
            let (mut definition, secret) = Definition::new(7, &entropy);
            change(&mut definition);
            let text = serde_json::to_vec(&definition).unwrap();
            fs::write(hosting.file(name), text).unwrap();
            write_secret(&folder.path().join(name), &secret);
        }
        let served = Served::new(stores::router(Arc::new(hosting)), tls);
        Self {
            folder,
            clock,
            served,
        }
    }

    fn secret_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of a store, with the secret of one.
    fn url(&self, place: &str, secret_of: &str) -> String {
        let secret = self.secret_file(secret_of);
        let at = self.served.at;
        format!(
            "strongroom://{at}/{place}?tls=off&secret={}",
            secret.display()
        )
    }

    fn open(&self, place: &str) -> Store {
        Store::open(&self.url(place, "mine")).unwrap()
    }
}

fn write_secret(file: &Path, secret: &str) {
    fs::write(file, secret).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn cause(error: &strongroom_store::Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

struct AtOnce;

impl Wait for AtOnce {
    fn wait(&self, _: std::time::Duration) {}
}

#[test]
fn a_store_of_another_service_keeps_the_contract() {
    let host = Host::new();
    conformance(&host.open("mine")).unwrap();
    conformance(&host.open("mine/some/prefix")).unwrap();
}

#[test]
fn it_keeps_the_contract_though_calls_fail_and_replies_are_lost() {
    let host = Host::over(None, |definition| definition.quota_bytes = Some(1 << 30));
    let faults = Faults::new();
    faults.add(Rule::any().every(7), Fault::Refuse(ErrorKind::Throttled));
    faults.add(
        Rule::any().every(11),
        Fault::LoseReply(ErrorKind::Unavailable),
    );
    let policy = RetryPolicy {
        attempts: 500,
        ..RetryPolicy::default()
    };
    let store = faults.wrap(&host.open("mine"));
    conformance(&retrying(&store, policy, Arc::new(AtOnce))).unwrap();
}

#[test]
fn it_is_reached_with_tls_by_who_trusts_its_authority_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    // The client's idea of time is the real one, so the authority's must not be the past.
    let clock = Arc::new(ManualClock::default());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    clock.advance_seconds(i64::try_from(now).unwrap() - clock.now().as_seconds());
    let authority = PrivateCa::open(&folder.path().join("ca"), clock.clone()).unwrap();
    let ca = authority.file().to_owned();
    let other = PrivateCa::open(&folder.path().join("other"), clock).unwrap();
    let other = other.file().to_owned();
    let host = Host::over(Some(authority.server_config(&[]).unwrap()), |_| {});
    let open = |ca: Option<&Path>| {
        let (at, secret) = (host.served.at, host.secret_file("mine"));
        let ca = ca.map_or_else(String::new, |ca| format!("&ca={}", ca.display()));
        let url = format!("strongroom://{at}/mine?secret={}{ca}", secret.display());
        let policy = RetryPolicy {
            attempts: 1,
            ..RetryPolicy::default()
        };
        strongroom_store::remote::open_patient(&url, policy)
    };
    let store = open(Some(&ca)).unwrap();
    store.create_new(&key("a"), b"x").unwrap();
    assert_eq!(store.get(&key("a")).unwrap(), "x");
    for stranger in [open(Some(&other)), open(None)] {
        let refused = stranger.unwrap().get(&key("a")).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
    }
}

#[test]
fn nobody_gets_into_a_store_without_its_secret() {
    let host = Host::new();
    host.open("mine").create_new(&key("a"), b"x").unwrap();
    for (place, secret) in [("mine", "other"), ("other", "mine"), ("none", "mine")] {
        let store = Store::open(&host.url(place, secret)).unwrap();
        let calls = [
            store.get(&key("a")).map(drop),
            store.size(&key("a")).map(drop),
            store.create_new(&key("b"), b"y"),
            store.put_idempotent(&key("b"), b"y"),
            store.delete(&key("a")),
            store.list("", &mut |_, _| Ok(())),
            store.retain(&key("a"), Timestamp::from_micros(i64::MAX)),
            store.retains().map(drop),
        ];
        for call in calls {
            assert_eq!(call.unwrap_err().kind, ErrorKind::Denied, "{place}");
        }
    }
    assert_eq!(host.open("mine").get(&key("a")).unwrap(), "x");
    // Another store's prefix is a place in one's own.
    let inside = host.open("mine/other");
    assert_eq!(inside.get(&key("a")).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn what_is_retained_there_stays_whoever_asks() {
    let host = Host::new();
    let store = host.open("mine");
    assert!(store.retains().unwrap());
    store.create_new(&key("packs/a"), b"x").unwrap();
    let day = host.clock.now().plus_seconds(86_400);
    store.retain(&key("packs/a"), day).unwrap();
    let until = store.retained_until(&key("packs/a")).unwrap().unwrap();
    assert_eq!(until.as_seconds(), day.as_seconds());
    assert_eq!(store.retained_until(&key("packs/b")).unwrap(), None);
    let refused = store.delete(&key("packs/a")).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Retained);
    assert!(cause(&refused).contains("423"), "{}", cause(&refused));
    host.clock.advance_seconds(86_400);
    store.delete(&key("packs/a")).unwrap();
    let missing = store.retain(&key("packs/b"), day).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}

#[test]
fn a_full_store_says_so_and_keeps_what_it_has() {
    let host = Host::over(None, |definition| definition.quota_bytes = Some(1000));
    let store = host.open("mine");
    store.create_new(&key("a"), &[1; 900]).unwrap();
    let full = store.put_idempotent(&key("b"), &[2; 200]).unwrap_err();
    assert_eq!(full.kind, ErrorKind::NoSpace);
    assert!(cause(&full).contains("900 of 1000"), "{}", cause(&full));
    assert_eq!(store.get(&key("a")).unwrap(), &[1; 900][..]);
}

#[test]
fn what_answers_but_is_no_such_store_is_never_an_empty_one() {
    let somebody = Router::new().fallback(|| async { (http::StatusCode::NOT_FOUND, "what?") });
    let cheerful = Router::new().fallback(|| async { "welcome" });
    for router in [somebody, cheerful] {
        let served = Served::new(router, None);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        write_secret(&file, "x");
        let (at, file) = (served.at, file.display());
        let store = Store::open(&format!("strongroom://{at}/mine?tls=off&secret={file}")).unwrap();
        let calls = [
            store.get(&key("a")).map(drop),
            store.size(&key("a")).map(drop),
            store.delete(&key("a")),
            store.create_new(&key("a"), b"x"),
            store.list("", &mut |_, _| Ok(())),
        ];
        for call in calls {
            let refused = call.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Unsupported);
            assert!(cause(&refused).contains("check host and port"));
        }
    }
}

#[test]
fn a_page_of_keys_that_was_cut_short_is_no_end_of_the_list() {
    let cut = Router::new().fallback(|| async {
        let mark = [("strongroom-store", "1")];
        (mark, "a 1\nb 2\n")
    });
    let served = Served::new(cut, None);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    write_secret(&file, "x");
    let (at, file) = (served.at, file.display());
    let url = format!("strongroom://{at}/mine?tls=off&secret={file}");
    let policy = RetryPolicy {
        attempts: 1,
        ..RetryPolicy::default()
    };
    let store = strongroom_store::remote::open_patient(&url, policy).unwrap();
    let failed = store.list("", &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(failed.kind, ErrorKind::Unavailable);
    assert!(cause(&failed).contains("cut short"), "{}", cause(&failed));
}

/// Sends a request by hand and reads all of the answer.
fn exchange(at: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _cut_off = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let host = Host::new();
    let secret = fs::read_to_string(host.secret_file("mine")).unwrap();
    let head = |length: u64| {
        format!(
            "PUT /v1/stores/mine/objects/a?put=create HTTP/1.1\r\nHost: x\r\n\
             Authorization: Bearer {secret}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    let answer = exchange(host.served.at, &head(100), &[7; 60]);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    let store = host.open("mine");
    assert_eq!(store.get(&key("a")).unwrap_err().kind, ErrorKind::NotFound);
    // Too long is refused before anything is read.
    let answer = exchange(host.served.at, &head(1 << 40), &[]);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    // A stranger's body is not read at all.
    let stranger = head(1 << 20).replace(&secret, "guess");
    let answer = exchange(host.served.at, &stranger, &[]);
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let chunked = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let answer = exchange(host.served.at, &chunked, b"1\r\nx\r\n0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(store.get(&key("a")).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_server_that_is_away_for_a_moment_is_waited_for() {
    let host = Host::new();
    let at = host.served.at;
    let store = host.open("mine");
    store.create_new(&key("a"), b"x").unwrap();
    let hosting = Hosting::new(&host.folder.path().join("hosted"), host.clock.clone());
    drop(host.served);
    let coming = thread::spawn(move || {
        // The port is free for whoever comes next; the client meets a closed door first.
        assert!(TcpStream::connect(at).is_err());
        let socket = TcpListener::bind(at).unwrap();
        let (stop, stopped) = watch::channel(false);
        let listeners = vec![listen::Listener {
            service: "stores",
            socket,
            router: stores::router(Arc::new(hosting)),
        }];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let served = runtime.spawn(listen::serve(listeners, None, stopped));
        (runtime, served, stop)
    });
    assert_eq!(store.get(&key("a")).unwrap(), "x");
    let (runtime, served, stop) = coming.join().unwrap();
    drop(stop);
    runtime.block_on(served).unwrap().unwrap();
}
