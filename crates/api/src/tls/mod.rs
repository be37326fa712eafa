//! TLS from a private certificate authority that the service keeps itself.
//!
//! `DIR/tls` holds the authority only: `ca.pem`, which clients are told to trust, and `ca.key`.
//! The server's own certificate is never stored: it is issued in memory when the process starts
//! and again when two thirds of its life are over, so a server that runs for years never shows
//! an expired one and no restart is needed.
//!
//! Invariant: the authority is made once. Its certificate is written after its key, so a crash
//! between the two leaves no certificate that nobody can sign for; the pair is then made anew.

use std::{
    fs,
    io::Write as _,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use strongroom_model::{Clock, Timestamp};

const CA_DAYS: i64 = 20 * 365;
const SERVER_DAYS: i64 = 90;
const DAY_SECONDS: i64 = 86_400;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the authority or of the operator's own certificate.
    #[error("cannot use {path} for TLS; check that it exists and is readable by this user")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that holds no PEM of the expected kind.
    #[error("{path} holds no usable PEM; restore it, or delete DIR/tls to make a new authority")]
    Pem {
        /// The file.
        path: PathBuf,
    },
    /// A certificate could not be made.
    #[error("cannot issue a certificate")]
    Issue(#[from] rcgen::Error),
    /// The certificate or its key is refused.
    #[error("cannot use the certificate")]
    Certificate(#[from] rustls::Error),
}

/// The private authority in `DIR/tls`; issues the server's certificate.
pub struct PrivateCa {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    clock: Arc<dyn Clock>,
}

impl PrivateCa {
    /// Opens the authority in `dir`, or makes one there: directory 0700, files 0600.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let file = dir.join("ca.pem");
        let key_file = dir.join("ca.key");
        if !file.exists() {
            make_dir(dir)?;
            let key = KeyPair::generate()?;
            let certificate = authority_params(&key, clock.now()).self_signed(&key)?;
            write_private(&key_file, key.serialize_pem().as_bytes())?;
            write_private(&file, certificate.pem().as_bytes())?;
        }
        let pem = fs::read_to_string(&key_file).map_err(|source| TlsError::File {
            path: key_file.clone(),
            source,
        })?;
        let key = KeyPair::from_pem(&pem).map_err(|_| TlsError::Pem { path: key_file })?;
        let issuer = Issuer::new(authority_params(&key, clock.now()), key);
        Ok(Self {
            issuer,
            file,
            clock,
        })
    }

    /// The certificate that clients must trust (the `ca_file` of admin.json).
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A server configuration whose certificate is good for `names`: DNS names or addresses.
    /// The loopback names are always among them.
    pub fn server_config(self, names: &[String]) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        let renewing = Renewing::new(self, names)?;
        Ok(finish(
            config_builder()?.with_cert_resolver(Arc::new(renewing)),
        ))
    }

    fn issue(&self, names: &[SanType]) -> Result<CertifiedKey, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.to_vec();
        params
            .distinguished_name
            .push(DnType::CommonName, "Strongroom");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        validity(&mut params, self.clock.now(), SERVER_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
    }
}

/// A server configuration from the operator's own certificate chain and key (PEM files).
pub fn from_files(chain: &Path, key: &Path) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let pem = |path: &Path| TlsError::Pem {
        path: path.to_owned(),
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .map_err(|_| pem(chain))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| pem(chain))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| pem(key))?;
    Ok(finish(
        config_builder()?.with_single_cert(certificates, key)?,
    ))
}

/// The server's certificate, issued anew when two thirds of its life are over.
struct Renewing {
    ca: PrivateCa,
    names: Vec<SanType>,
    current: Mutex<(Timestamp, Arc<CertifiedKey>)>,
}

impl Renewing {
    fn new(ca: PrivateCa, names: &[String]) -> Result<Self, TlsError> {
        let names = ["localhost", "127.0.0.1", "::1"]
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => Ok(SanType::IpAddress(address)),
                Err(_) => Ok(SanType::DnsName(name.try_into()?)),
            })
            .collect::<Result<Vec<_>, rcgen::Error>>()?;
        let current = Mutex::new((ca.clock.now(), Arc::new(ca.issue(&names)?)));
        Ok(Self { ca, names, current })
    }
}

impl std::fmt::Debug for Renewing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renewing")
    }
}

impl ResolvesServerCert for Renewing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.ca.clock.now();
        if now > current.0.plus_seconds(SERVER_DAYS * DAY_SECONDS * 2 / 3) {
            match self.ca.issue(&self.names) {
                Ok(fresh) => *current = (now, Arc::new(fresh)),
                // The old one is good for a month yet, and the next client tries again.
                Err(error) => tracing::error!(%error, "cannot renew the TLS certificate"),
            }
        }
        Some(Arc::clone(&current.1))
    }
}

fn authority_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The key's fingerprint tells the authorities of several installations apart, and makes the
    // name the same each time that the issuer is rebuilt from the key.
    let fingerprint = hex::encode(params.key_identifier(key).get(..6).unwrap_or_default());
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Strongroom CA {fingerprint}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now, CA_DAYS);
    params
}

fn validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    // A day back, for clients whose clocks are behind.
    params.not_before = day(now.plus_seconds(-DAY_SECONDS)).unwrap_or(params.not_before);
    params.not_after = day(now.plus_seconds(days * DAY_SECONDS)).unwrap_or(params.not_after);
}

fn day<T>(time: Timestamp) -> Option<T>
where
    T: From<std::time::SystemTime>,
{
    let since_epoch = std::time::Duration::from_secs(u64::try_from(time.as_seconds()).ok()?);
    Some(T::from(std::time::UNIX_EPOCH + since_epoch))
}

fn config_builder()
-> Result<rustls::ConfigBuilder<rustls::ServerConfig, rustls::server::WantsServerCert>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth())
}

fn finish(mut config: rustls::ServerConfig) -> Arc<rustls::ServerConfig> {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn make_dir(dir: &Path) -> Result<(), TlsError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| TlsError::File {
            path: dir.to_owned(),
            source,
        })
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
