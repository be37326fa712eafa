//! Where a database is and who we are there.
//!
//! The password is for the connection and for sealing; neither `Debug` nor `Display` shows it.

use std::fmt::{self, Write as _};

use mysql::{Opts, OptsBuilder};
use zeroize::Zeroizing;

use super::error::{Error, Result};

/// The port of a database when none is named.
const PORT: u16 = 3306;

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
}

impl Address {
    /// Reads `mysql://USER:PASSWORD@HOST:PORT`; what comes behind the port is not looked at.
    pub fn parse(url: &str) -> Result<Self> {
        let rest = url
            .strip_prefix("mysql://")
            .or_else(|| url.strip_prefix("mariadb://"))
            .ok_or(Error::BadAddress("the address is not one of a database"))?;
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
        })
    }

    /// The text that [`parse`](Self::parse) reads, password and all; for sealing.
    pub fn secret_text(&self) -> Zeroizing<String> {
        let encode = |text: &str| {
            let mut out = String::with_capacity(text.len() * 3);
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() {
                    out.push(char::from(byte));
                } else {
                    write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
                }
            }
            out
        };
        let password = Zeroizing::new(encode(&self.password));
        Zeroizing::new(format!(
            "mysql://{}:{}@{}:{}",
            encode(&self.user),
            password.as_str(),
            self.host_in_url(),
            self.port
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
    }
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
