//! `strongroom admin store`: stores that this service keeps for others.
//!
//! Each is a file in the data directory, so these commands work while `serve` runs; a new store and
//! a new secret count at once. The secret is shown once.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use strongroom_control::hosting::{Definition, Hosting, Kept, protocol};
use strongroom_model::{Clock as _, Timestamp};
use strongroom_store::limit::Rate;

use super::Desk;
use crate::{
    installation::{self, create_private, make_folder, replace_private},
    output::table,
    system::{SystemClock, SystemEntropy},
};

/// What is done with stores.
#[derive(Subcommand)]
pub(crate) enum StoreVerb {
    /// Keep a store for another service; prints its secret
    Add {
        /// Its name, which stands in the address
        name: String,
        /// For how many days what its user deletes can be brought back here
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        keep_deleted_days: u32,
        /// The most bytes in it, such as 500GiB
        #[arg(long, value_name = "SIZE", value_parser = size)]
        quota: Option<u64>,
        /// Where its objects go: a folder or an s3:// address; DIR/hosted/NAME if nothing is said
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Write the secret into this new file instead of printing it
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List stores
    List,
    /// Give a store another secret and print it; the one before opens nothing any more
    RenewSecret {
        /// Its name
        name: String,
        /// Write the secret into this new file instead of printing it
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List what was deleted and can be brought back
    Deleted {
        /// Its name
        name: String,
        /// Only what was deleted in the last so many days
        #[arg(long, value_name = "DAYS", default_value_t = 36_500)]
        days: u32,
    },
    /// Bring back what was deleted, where nothing else took its place
    Undelete {
        /// Its name
        name: String,
        /// What was deleted in the last so many days
        #[arg(long, value_name = "DAYS")]
        days: u32,
    },
}

/// A new store or secret.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<&'a Path>,
}

/// A store as it is listed.
#[derive(Serialize)]
struct Line {
    name: String,
    url: String,
    used_bytes: u64,
    quota_bytes: Option<u64>,
    keep_deleted_days: i64,
}

/// A deleted object as it is listed.
#[derive(Serialize)]
struct Gone {
    key: String,
    deleted_at: String,
    bytes: u64,
}

impl StoreVerb {
    pub(super) fn run(self, desk: &Desk<'_>) -> Result<()> {
        let folder = installation::hosted(&desk.installation.folder);
        let shelf = Shelf {
            hosting: Hosting::new(&folder, Arc::new(SystemClock)),
            folder,
            desk,
        };
        match self {
            Self::Add {
                name,
                keep_deleted_days,
                quota,
                url,
                secret_file,
            } => {
                let (mut made, secret) = Definition::new(keep_deleted_days, &SystemEntropy);
                made.quota_bytes = quota;
                made.url = url;
                shelf.add(&name, &made, &secret, secret_file.as_deref())
            }
            Self::List => shelf.list(),
            Self::RenewSecret { name, secret_file } => shelf.renew(&name, secret_file.as_deref()),
            Self::Deleted { name, days } => shelf.deleted(&name, days),
            Self::Undelete { name, days } => shelf.undelete(&name, days),
        }
    }
}

struct Shelf<'a> {
    hosting: Hosting,
    folder: PathBuf,
    desk: &'a Desk<'a>,
}

impl Shelf<'_> {
    fn add(
        &self,
        name: &str,
        definition: &Definition,
        secret: &str,
        secret_file: Option<&Path>,
    ) -> Result<()> {
        if !protocol::is_name(name) {
            bail!("a store's name has 1 to 64 lower-case letters, digits, '_' and '-'");
        }
        if self.hosting.definition(name)?.is_some() {
            bail!("there is a store {name} already; renew-secret gives it another secret");
        }
        // The secret first: a store whose secret nobody knows would be in the way of the next try.
        hand_out(secret, secret_file)?;
        make_folder(&self.folder)?;
        let text = serde_json::to_vec_pretty(definition)?;
        create_private(&self.hosting.file(name), &text)
            .with_context(|| format!("cannot define store {name}"))?;
        self.desk.record("native:stores:create", name)?;
        self.made(name, secret, secret_file)
    }

    fn renew(&self, name: &str, secret_file: Option<&Path>) -> Result<()> {
        let mut definition = self.definition(name)?;
        let secret = definition.renew_secret(&SystemEntropy);
        hand_out(&secret, secret_file)?;
        let text = serde_json::to_vec_pretty(&definition)?;
        replace_private(&self.hosting.file(name), &text)
            .with_context(|| format!("cannot define store {name}"))?;
        self.desk.record("native:stores:renewSecret", name)?;
        self.made(name, &secret, secret_file)
    }

    fn made(&self, name: &str, secret: &str, secret_file: Option<&Path>) -> Result<()> {
        let made = Made {
            name,
            secret: secret_file.is_none().then_some(secret),
            secret_file,
        };
        self.desk.context.output.show(&made, |made| {
            let file = made.secret_file.map(|file| file.display().to_string());
            file.unwrap_or_else(|| secret.to_owned())
        })
    }

    fn list(&self) -> Result<()> {
        let mut lines = Vec::new();
        for name in self.hosting.names()? {
            let definition = self.definition(&name)?;
            lines.push(Line {
                url: self.hosting.url(&name, &definition)?,
                used_bytes: self.kept(&name)?.used()?,
                quota_bytes: definition.quota_bytes,
                keep_deleted_days: definition.keep_deleted_days.into(),
                name,
            });
        }
        self.desk.context.output.show(&lines, |lines| {
            let rows = lines.iter().map(|line| {
                [
                    line.name.clone(),
                    line.used_bytes.to_string(),
                    line.quota_bytes
                        .map_or_else(String::new, |quota| quota.to_string()),
                    line.keep_deleted_days.to_string(),
                    line.url.clone(),
                ]
            });
            table(["NAME", "USED", "QUOTA", "KEEPS DAYS", "WHERE"], rows)
        })
    }

    fn deleted(&self, name: &str, days: u32) -> Result<()> {
        let found = self.kept(name)?.deleted(since(days))?;
        let gone: Vec<_> = found
            .into_iter()
            .map(|found| Gone {
                key: found.key.to_string(),
                deleted_at: found
                    .at
                    .to_jiff()
                    .map_or_else(String::new, |at| at.to_string()),
                bytes: found.bytes,
            })
            .collect();
        self.desk.context.output.show(&gone, |gone| {
            let rows = gone.iter().map(|gone| {
                [
                    gone.deleted_at.clone(),
                    gone.bytes.to_string(),
                    gone.key.clone(),
                ]
            });
            table(["DELETED", "BYTES", "OBJECT"], rows)
        })
    }

    fn undelete(&self, name: &str, days: u32) -> Result<()> {
        let back = self.kept(name)?.undelete(since(days))?;
        self.desk.record("native:stores:undelete", name)?;
        self.desk.said(&format!("{back} objects are back"))
    }

    fn definition(&self, name: &str) -> Result<Definition> {
        let found = self.hosting.definition(name);
        let found = found.with_context(|| format!("cannot read what store {name} is"))?;
        found.with_context(|| format!("there is no store {name}"))
    }

    fn kept(&self, name: &str) -> Result<Arc<Kept>> {
        let kept = self.hosting.open(name)?;
        kept.with_context(|| format!("there is no store {name}"))
    }
}

fn since(days: u32) -> Timestamp {
    SystemClock.now().plus_seconds(-i64::from(days) * 86_400)
}

/// Writes the secret into a new file that only its owner reads, if that is wanted.
fn hand_out(secret: &str, file: Option<&Path>) -> Result<()> {
    let Some(file) = file else {
        return Ok(());
    };
    let text = format!("{secret}\n");
    create_private(file, text.as_bytes())
        .with_context(|| format!("cannot write the secret to {}", file.display()))
}

/// A number of bytes in the words of a rate.
fn size(text: &str) -> Result<u64, String> {
    let read = text.parse::<Rate>().map(Rate::bytes_per_second);
    read.map_err(|_| format!("{text:?} is no size; write bytes such as 500G, 20GiB or 10MB"))
}
