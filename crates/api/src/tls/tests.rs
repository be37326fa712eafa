//! Certificates are good for whom they are for, and no longer than they should.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConnection,
    pki_types::{ServerName, UnixTime},
    time_provider::TimeProvider,
};
use strongroom_testkit::clock::ManualClock;

use super::*;

#[derive(Debug)]
struct ClientClock(Arc<ManualClock>);

impl TimeProvider for ClientClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A handshake without a network; the certificate that the client accepted.
fn handshake(
    server: &Arc<rustls::ServerConfig>,
    trusted: &Path,
    name: &str,
    clock: &Arc<ManualClock>,
) -> Result<Vec<u8>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(trusted).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let time = Arc::new(ClientClock(Arc::clone(clock)));
    let config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(client.peer_certificates().unwrap()[0].to_vec())
}

fn config(dir: &Path, clock: &Arc<ManualClock>) -> Arc<rustls::ServerConfig> {
    let ca = PrivateCa::open(dir, Arc::clone(clock) as _).unwrap();
    ca.server_config(&["cbr.example.org".to_owned(), "192.0.2.7".to_owned()])
        .unwrap()
}

#[test]
fn clients_that_trust_the_authority_accept_its_server_under_its_names_only() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, ca) = (
        Arc::new(ManualClock::default()),
        dir.path().join("tls/ca.pem"),
    );
    let server = config(&dir.path().join("tls"), &clock);
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "cbr.example.org",
        "192.0.2.7",
    ] {
        handshake(&server, &ca, name, &clock).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in ["ddm.example.org", "192.0.2.8"] {
        assert!(handshake(&server, &ca, name, &clock).is_err(), "{name}");
    }
    let other = tempfile::tempdir().unwrap();
    PrivateCa::open(other.path(), clock.clone()).unwrap();
    assert!(handshake(&server, &other.path().join("ca.pem"), "localhost", &clock).is_err());
}

#[test]
fn the_authority_is_made_once_and_only_its_owner_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, tls) = (Arc::new(ManualClock::default()), dir.path().join("tls"));
    config(&tls, &clock);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&tls), 0o700);
    assert_eq!(
        (mode(&tls.join("ca.pem")), mode(&tls.join("ca.key"))),
        (0o600, 0o600)
    );
    let before = fs::read(tls.join("ca.pem")).unwrap();
    // A year later, in another process, the clients still trust what they were told to.
    clock.advance_seconds(365 * DAY_SECONDS);
    let server = config(&tls, &clock);
    assert_eq!(fs::read(tls.join("ca.pem")).unwrap(), before);
    handshake(&server, &tls.join("ca.pem"), "localhost", &clock).unwrap();
    // A crash between key and certificate leaves no certificate without its key.
    fs::remove_file(tls.join("ca.pem")).unwrap();
    let server = config(&tls, &clock);
    handshake(&server, &tls.join("ca.pem"), "localhost", &clock).unwrap();
}

#[test]
fn a_server_that_runs_for_years_never_shows_an_expired_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, ca) = (Arc::new(ManualClock::default()), dir.path().join("ca.pem"));
    let server = config(dir.path(), &clock);
    let mut seen = vec![handshake(&server, &ca, "localhost", &clock).unwrap()];
    for _ in 0..20 {
        clock.advance_seconds(59 * DAY_SECONDS);
        seen.push(handshake(&server, &ca, "localhost", &clock).unwrap());
    }
    seen.dedup();
    assert!(
        (9..=12).contains(&seen.len()),
        "{} certificates in three years",
        seen.len()
    );
}

#[test]
fn what_is_no_certificate_is_refused_with_the_file_to_look_at() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    fs::write(&chain, "no certificate").unwrap();
    fs::write(&key, "no key").unwrap();
    let error = from_files(&chain, &key).unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");
    fs::write(dir.path().join("ca.pem"), "x").unwrap();
    fs::write(dir.path().join("ca.key"), "x").unwrap();
    let clock = Arc::new(ManualClock::default());
    let error = PrivateCa::open(dir.path(), clock)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("ca.key"), "{error}");
}
