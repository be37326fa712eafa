//! Real sockets on loopback: plain and TLS, large bodies, an orderly end.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
};

use axum::{Router, routing::get};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::pem::PemObject as _,
};
use strongroom_api::{listen, origins::Sockets, tls::PrivateCa};
use strongroom_testkit::clock::ManualClock;
use tokio::sync::{Notify, watch};

use crate::cloud::TestCloud;

/// A served cloud; stops when it is dropped.
struct Served {
    at: SocketAddr,
    cbr: SocketAddr,
    stop: Option<watch::Sender<bool>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    fn new(cloud: &TestCloud, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoints = sockets.endpoints("eu-test", "http", None).unwrap();
        let address = |origin: &str| origin.strip_prefix("http://").unwrap().parse().unwrap();
        let (at, cbr) = (address(&endpoints.identity), address(&endpoints.cbr));
        let listeners = sockets.listeners(&cloud.cloud);
        let (stop, stopped) = watch::channel(false);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .unwrap()
                .block_on(listen::serve(listeners, tls, stopped))
                .unwrap();
        });
        Self {
            at,
            cbr,
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

/// Sends bytes and reads all of the answer.
fn exchange(stream: &mut (impl std::io::Read + std::io::Write), request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let mut answer = Vec::new();
    // A TLS peer that just closes is no error here: the length was told.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn request(line: &str, more: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n").into_bytes()
}

#[test]
fn every_service_answers_on_its_own_port() {
    let cloud = TestCloud::new();
    let served = Served::new(&cloud, None);
    let mut stream = TcpStream::connect(served.at).unwrap();
    let answer = exchange(&mut stream, &request("GET /readyz", ""));
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let mut stream = TcpStream::connect(served.cbr).unwrap();
    let answer = exchange(&mut stream, &request("GET /", ""));
    assert!(
        answer.starts_with("HTTP/1.1 300 Multiple Choices"),
        "{answer}"
    );
    assert!(answer.contains("\"id\":\"v3\""), "{answer}");
}

#[test]
fn a_body_that_is_too_large_gets_its_answer_though_it_is_still_being_sent() {
    let cloud = TestCloud::new();
    let served = Served::new(&cloud, None);
    let mut stream = TcpStream::connect(served.cbr).unwrap();
    let mut bytes = request(
        "POST /v3/p/vaults",
        &format!("Content-Length: {}\r\n", 13 << 20),
    );
    bytes.resize(bytes.len() + (13 << 20), b' ');
    let answer = exchange(&mut stream, &bytes);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("APIGW.0201"), "{answer}");
    // Who asks first is told before it sends.
    let mut stream = TcpStream::connect(served.cbr).unwrap();
    let more = format!(
        "Content-Length: {}\r\nExpect: 100-continue\r\n",
        1_u64 << 40
    );
    let answer = exchange(&mut stream, &request("POST /v3/p/vaults", &more));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn tls_clients_that_trust_the_authority_get_in_and_noise_does_no_harm() {
    let cloud = TestCloud::new();
    let dir = tempfile::tempdir().unwrap();
    // The client's idea of time is the real one, so the authority's must not be the past.
    let clock = Arc::new(ManualClock::default());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    clock.advance_seconds(i64::try_from(now).unwrap() - 1_767_323_045);
    let ca = PrivateCa::open(dir.path(), clock).unwrap();
    let file = ca.file().to_owned();
    let served = Served::new(&cloud, Some(ca.server_config(&[]).unwrap()));

    let mut noise = TcpStream::connect(served.at).unwrap();
    noise.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = noise.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "no plain text on a TLS port");

    let mut roots = RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_file(file).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(served.at).unwrap());
    let answer = exchange(&mut stream, &request("GET /v3", ""));
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn requests_under_way_are_finished_before_the_end() {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, go_on) = (Arc::clone(&entered), Arc::clone(&go_on));
        get(move || async move {
            entered.notify_one();
            go_on.notified().await;
            "finished"
        })
    };
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    let router = Router::new().route("/slow", slow);
    let listeners = vec![listen::Listener {
        service: "slow",
        socket,
        router,
    }];
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let served = runtime.spawn(listen::serve(listeners, None, stopped));
    let client = thread::spawn(move || {
        exchange(
            &mut TcpStream::connect(at).unwrap(),
            &request("GET /slow", ""),
        )
    });
    runtime.block_on(entered.notified());
    // An idle connection holds nothing up.
    let idle = TcpStream::connect(at).unwrap();
    stop.send(true).unwrap();
    go_on.notify_one();
    runtime.block_on(served).unwrap().unwrap();
    assert!(client.join().unwrap().ends_with("finished"));
    assert!(TcpStream::connect(at).is_err(), "nobody listens any more");
    drop(idle);
}

#[test]
fn five_ports_follow_each_other_or_the_one_that_is_taken_is_named() {
    let free = |first: u16| Sockets::bind(SocketAddr::from(([127, 0, 0, 1], first)));
    // Somewhere there are five free ports in a row.
    let mut first = 20_000;
    let sockets = loop {
        match free(first) {
            Ok(sockets) => break sockets,
            Err(_) => first += 7,
        }
    };
    let endpoints = sockets
        .endpoints("r", "https", Some("backup.example.org"))
        .unwrap();
    assert_eq!(
        endpoints.identity,
        format!("https://backup.example.org:{first}")
    );
    assert_eq!(endpoints.console, endpoints.identity);
    assert_eq!(
        endpoints.eps,
        format!("https://backup.example.org:{}", first + 4)
    );
    let taken = free(first).err().unwrap().to_string();
    assert!(taken.contains(&format!("127.0.0.1:{first}")), "{taken}");
    assert!(free(65_533).is_err());
}
