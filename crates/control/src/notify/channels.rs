//! Where people are told: webhooks, mail, heartbeat addresses.
//!
//! Addresses can hold secrets and mail servers want passwords, so settings are kept sealed under
//! the master key, bound to the channel's name.

use aws_lc_rs::aead::{Aad, Nonce};
use serde::{Deserialize, Serialize};
use strongroom_catalog::{self as catalog, Catalog, ChannelRow, Sealed, Tx};
use strongroom_model::{Entropy, ProjectId, Timestamp, entropy::random};

use crate::{Error, MasterKey, Reason, Result};

const SEAL_ROLE: &[u8] = b"strongroom notification channel";
const NONCE: usize = 12;

/// A channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// The project it is for; none is all of them.
    pub project_id: Option<ProjectId>,
    /// What it needs.
    pub settings: Settings,
}

/// What a channel needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Settings {
    /// Alarms are posted as JSON.
    Webhook {
        /// Where.
        url: String,
    },
    /// Alarms are mailed.
    Mail {
        /// The server: `smtp://host:25`, `smtps://user:password@host:465`; TLS is used wherever it
        /// is offered, and demanded by `smtps` and by `?tls=required`.
        server: String,
        /// The sender.
        from: String,
        /// The receivers.
        to: Vec<String>,
    },
    /// Asked for every few minutes as long as all is well.
    Heartbeat {
        /// Where.
        url: String,
    },
}

impl Settings {
    /// The kind as a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Mail { .. } => "mail",
            Self::Heartbeat { .. } => "heartbeat",
        }
    }

    fn check(&self) -> Result<()> {
        let starts = |url: &str, schemes: &[&str]| schemes.iter().any(|one| url.starts_with(one));
        let problem = match self {
            Self::Webhook { url } | Self::Heartbeat { url }
                if !starts(url, &["http://", "https://"]) =>
            {
                "the address must begin with http:// or https://"
            }
            Self::Mail { server, .. } if !starts(server, &["smtp://", "smtps://"]) => {
                "the server must begin with smtp:// or smtps://"
            }
            Self::Mail { to, .. } if to.is_empty() => "mail needs a receiver",
            _ => return Ok(()),
        };
        Err(Error::invalid("channel", problem))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({})", self.kind())
    }
}

/// The channels of an installation, for the service and for who owns its data directory.
pub struct Channels<'a> {
    /// Where they are kept.
    pub catalog: &'a Catalog,
    /// Seals their settings.
    pub master_key: &'a MasterKey,
    /// Makes nonces.
    pub entropy: &'a dyn Entropy,
}

impl Channels<'_> {
    /// Adds a channel; conflicts if there is one of that name.
    pub fn add(&self, channel: &Channel, now: Timestamp) -> Result<()> {
        crate::identity::accounts::check_name("name", &channel.name)?;
        channel.settings.check()?;
        let row = ChannelRow {
            name: channel.name.clone(),
            kind: channel.settings.kind().to_owned(),
            project_id: channel.project_id,
            settings_sealed: Sealed(self.seal(&channel.name, &channel.settings)?),
            created_at: now,
        };
        self.catalog
            .write(|tx| match tx.notifications().add_channel(&row) {
                Ok(()) => Ok(()),
                Err(catalog::Error::Duplicate(_)) => {
                    let message = format!("channel {}", row.name);
                    Err(Error::conflict(Reason::AlreadyExists, message))
                }
                Err(other) => Err(other.into()),
            })
    }

    /// The channels by name.
    pub fn list(&self) -> Result<Vec<Channel>> {
        let rows: Vec<ChannelRow> = self
            .catalog
            .read::<_, catalog::Error>(|tx| tx.notifications().channels())?;
        rows.into_iter()
            .map(|row| {
                Ok(Channel {
                    settings: self.open(&row.name, &row.settings_sealed.0)?,
                    name: row.name,
                    project_id: row.project_id,
                })
            })
            .collect()
    }

    /// Removes a channel and what was still to be told there; `false` if there was none.
    pub fn remove(&self, name: &str) -> Result<bool> {
        self.catalog
            .write(|tx| Ok(tx.notifications().remove_channel(name)?))
    }

    fn seal(&self, name: &str, settings: &Settings) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = random(self.entropy);
        let broken = |error| Error::bug("settings of a channel are plain data", error);
        let mut sealed = serde_json::to_vec(settings).map_err(broken)?;
        self.master_key
            .cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(name)),
                &mut sealed,
            )
            .expect("settings are shorter than what AES-GCM seals at once");
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<Settings> {
        let broken = || {
            let problem = format!(
                "the settings of channel {name} do not open: the master key is not the one they \
                 were sealed with"
            );
            Error::unavailable("the notification channel", problem)
        };
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut opened = sealed.to_vec();
        let opened = self
            .master_key
            .cipher()
            .open_in_place(nonce, Aad::from(associated(name)), &mut opened)
            .map_err(|_| broken())?;
        serde_json::from_slice(opened).map_err(|_| broken())
    }
}

/// A channel that alarms are told on, without its settings.
pub(crate) struct Told {
    pub(crate) name: String,
    project_id: Option<ProjectId>,
}

impl Told {
    pub(crate) fn concerns(&self, project: ProjectId) -> bool {
        self.project_id.is_none_or(|own| own == project)
    }
}

/// The channels that alarms are told on: a heartbeat tells by silence.
pub(crate) fn told(tx: &Tx<'_>) -> Result<Vec<Told>> {
    let rows = tx.notifications().channels()?.into_iter();
    let alarms = rows.filter(|row| row.kind != "heartbeat");
    Ok(alarms
        .map(|row| Told {
            name: row.name,
            project_id: row.project_id,
        })
        .collect())
}

fn associated(name: &str) -> Vec<u8> {
    [SEAL_ROLE, name.as_bytes()].concat()
}
