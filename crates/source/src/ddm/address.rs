//! Where a database is and who we are there.
//!
//! The password is for the connection and for sealing; neither `Debug` nor `Display` shows it.

use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

use mysql::{Opts, OptsBuilder, SslOpts};
use zeroize::Zeroizing;

use super::error::{Error, Result};

/// The port of a database when none is named.
const PORT: u16 = 3306;

/// How a connection is encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Encryption {
    /// Not at all.
    #[default]
    Off,
    /// With whoever answers: nobody can listen, but somebody could stand in between.
    Required,
    /// With a server whose certificate names its host and comes from one of these authorities, or
    /// from one that the public knows.
    Verified {
        /// A file with certificates of authorities, as PEM.
        authorities: Option<PathBuf>,
    },
}

/// Where a database is and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// How connections are encrypted.
    pub encryption: Encryption,
}

impl Address {
    /// Reads `mysql://USER:PASSWORD@HOST:PORT?ssl-mode=MODE&ssl-ca=FILE`.
    pub fn parse(url: &str) -> Result<Self> {
        let rest = url
            .strip_prefix("mysql://")
            .or_else(|| url.strip_prefix("mariadb://"))
            .ok_or(Error::BadAddress("the address is not one of a database"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let encryption = Encryption::parse(query)?;
        let opts = Opts::from_url(&format!("mysql://{rest}"))
            .map_err(|_| Error::BadAddress("the address is malformed"))?;
        let user = opts.get_user().unwrap_or_default().to_owned();
        if user.is_empty() {
            return Err(Error::BadAddress("the address names no user"));
        }
        let host = opts.get_ip_or_hostname().into_owned();
        if host.is_empty() {
            return Err(Error::BadAddress("the address names no host"));
        }
        let port = if opts.get_tcp_port() == 0 {
            PORT
        } else {
            opts.get_tcp_port()
        };
        Ok(Self {
            host,
            port,
            user,
            password: Zeroizing::new(opts.get_pass().unwrap_or_default().to_owned()),
            encryption,
        })
    }

    /// The text that [`parse`](Self::parse) reads, password and all; for sealing.
    pub fn secret_text(&self) -> Zeroizing<String> {
        let password = Zeroizing::new(encode(&self.password));
        Zeroizing::new(format!(
            "mysql://{}:{}@{}:{}{}",
            encode(&self.user),
            password.as_str(),
            self.host_in_url(),
            self.port,
            self.encryption.query()
        ))
    }

    fn host_in_url(&self) -> String {
        if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }

    /// Whether the other names the same server, whoever we are there.
    pub fn is_at(&self, host: &str, port: u16) -> bool {
        let bare = |host: &str| host.trim_matches(['[', ']']).to_ascii_lowercase();
        let local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1" | "");
        let (ours, theirs) = (bare(&self.host), bare(host));
        self.port == port && (ours == theirs || local(&ours) && local(&theirs))
    }

    pub(super) fn options(&self) -> OptsBuilder {
        OptsBuilder::new()
            .ip_or_hostname(Some(self.host.trim_matches(['[', ']'])))
            .tcp_port(self.port)
            .user(Some(self.user.clone()))
            .pass(Some(self.password.as_str()))
            // The user of a socket is another one than that of an address.
            .prefer_socket(false)
            .ssl_opts(self.encryption.options())
    }
}

impl Encryption {
    fn parse(query: &str) -> Result<Self> {
        let (mut mode, mut authorities) = ("DISABLED".to_owned(), None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("ssl-mode", word)) => mode = word.to_ascii_uppercase(),
                Some(("ssl-ca", path)) => authorities = Some(PathBuf::from(decode(path)?)),
                _ => {
                    let problem = "behind the port an address knows ssl-mode and ssl-ca only";
                    return Err(Error::BadAddress(problem));
                }
            }
        }
        if authorities.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(Error::BadAddress("ssl-ca must be an absolute path"));
        }
        match (mode.as_str(), authorities) {
            ("VERIFY_IDENTITY", authorities) => Ok(Self::Verified { authorities }),
            ("DISABLED", None) => Ok(Self::Off),
            ("REQUIRED", None) => Ok(Self::Required),
            ("DISABLED" | "REQUIRED", Some(_)) => Err(Error::BadAddress(
                "ssl-ca has a meaning with ssl-mode=VERIFY_IDENTITY only",
            )),
            ("VERIFY_CA", _) => Err(Error::BadAddress(
                "ssl-mode=VERIFY_CA would trust every name that a public authority certifies; use \
                 VERIFY_IDENTITY",
            )),
            ("PREFERRED", _) => Err(Error::BadAddress(
                "ssl-mode=PREFERRED would go on without encryption and not tell; use REQUIRED or \
                 VERIFY_IDENTITY",
            )),
            _ => Err(Error::BadAddress(
                "ssl-mode is DISABLED, REQUIRED or VERIFY_IDENTITY",
            )),
        }
    }

    fn query(&self) -> String {
        match self {
            Self::Off => String::new(),
            Self::Required => "?ssl-mode=REQUIRED".to_owned(),
            Self::Verified { authorities: None } => "?ssl-mode=VERIFY_IDENTITY".to_owned(),
            Self::Verified {
                authorities: Some(path),
            } => {
                let path = encode(&path.to_string_lossy());
                format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={path}")
            }
        }
    }

    fn options(&self) -> Option<SslOpts> {
        let options = SslOpts::default();
        match self {
            Self::Off => None,
            Self::Required => Some(options.with_danger_accept_invalid_certs(true)),
            Self::Verified { authorities } => {
                Some(options.with_root_cert_path(authorities.clone()))
            }
        }
    }

    /// The same for the programs of `MariaDB`, as lines of an option file.
    pub(super) fn option_lines(&self, quoted: impl Fn(&str) -> String) -> String {
        match self {
            Self::Off => String::new(),
            Self::Required => "ssl=1\nssl-verify-server-cert=0\n".to_owned(),
            Self::Verified { authorities } => {
                let mut lines = "ssl=1\nssl-verify-server-cert=1\n".to_owned();
                if let Some(path) = authorities {
                    let path = quoted(&path.to_string_lossy());
                    writeln!(lines, "ssl-ca={path}").expect("writing to a String cannot fail");
                }
                lines
            }
        }
    }
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

fn decode(text: &str) -> Result<String> {
    let broken = Error::BadAddress("ssl-ca is malformed");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let Some(([high, low], tail)) = rest
            .split_first_chunk::<2>()
            .map(|(two, tail)| (*two, tail))
        else {
            return Err(broken);
        };
        let digit = |letter: u8| char::from(letter).to_digit(16);
        let (Some(high), Some(low)) = (digit(high), digit(low)) else {
            return Err(broken);
        };
        bytes.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| broken)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host_in_url(), self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mysql://{}:…@{self}", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_with_its_password_and_shown_without() {
        let address = Address::parse("mysql://app:p%40ss%2F%3A1@db.example:3307/x").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("db.example", 3307));
        assert_eq!(address.password.as_str(), "p@ss/:1");
        assert_eq!(Address::parse(&address.secret_text()).unwrap(), address);
        for shown in [format!("{address}"), format!("{address:?}")] {
            assert!(!shown.contains("ss"), "{shown}");
        }
        assert_eq!(Address::parse("mysql://a:b@h").unwrap().port, 3306);
    }

    #[test]
    fn encryption_is_said_behind_the_port_and_never_left_to_chance() {
        let of = |query: &str| Address::parse(&format!("mysql://a:b@h:1?{query}"));
        let verified = Encryption::Verified {
            authorities: Some(PathBuf::from("/etc/my ca.pem")),
        };
        for (query, expected) in [
            ("", Encryption::Off),
            ("ssl-mode=disabled", Encryption::Off),
            ("ssl-mode=REQUIRED", Encryption::Required),
            (
                "ssl-mode=VERIFY_IDENTITY",
                Encryption::Verified { authorities: None },
            ),
            ("ssl-ca=/etc/my%20ca.pem&ssl-mode=VERIFY_IDENTITY", verified),
        ] {
            let address = of(query).unwrap();
            assert_eq!(address.encryption, expected);
            assert_eq!(Address::parse(&address.secret_text()).unwrap(), address);
        }
        for (query, word) in [
            ("ssl-mode=PREFERRED", "not tell"),
            ("ssl-mode=VERIFY_CA&ssl-ca=/x", "use VERIFY_IDENTITY"),
            ("ssl-mode=maybe", "ssl-mode is"),
            ("ssl-mode=REQUIRED&ssl-ca=/x", "VERIFY_IDENTITY only"),
            ("ssl-mode=VERIFY_IDENTITY&ssl-ca=x", "absolute"),
            ("ssl-mode=VERIFY_IDENTITY&ssl-ca=/%4", "malformed"),
            ("tls=1", "ssl-mode and ssl-ca only"),
        ] {
            let error = of(query).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_database_is_refused_without_repeating_it() {
        for bad in [
            "",
            "http://app:secret@h",
            "mysql://h:3306",
            "mysql://:secret@h",
            "mysql://app:secret@h:99999",
        ] {
            let error = Address::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_server_on_this_machine_has_several_names() {
        let address = Address::parse("mysql://a:b@127.0.0.1:4000").unwrap();
        assert!(address.is_at("localhost", 4000) && address.is_at("127.0.0.1", 4000));
        assert!(!address.is_at("localhost", 4001) && !address.is_at("10.0.0.1", 4000));
    }
}
