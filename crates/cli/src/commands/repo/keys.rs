//! `strongroom repo keys`: which keys and passphrases open a repository.
//!
//! Rotation is `add` and then `remove` with the new one: the root key is wrapped anew and no data
//! is touched. A key that was copied stays a copy.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use strongroom_engine::{
    PassphraseCost, Repository, SlotWay,
    slots::{OwnSlot, SlotName, SlotSummary},
};

use super::{At, key};
use crate::{arguments::Context, output::table, system::SystemEntropy};

const NEW_PASSPHRASE: &str = "STRONGROOM_NEW_PASSPHRASE";

/// What is done with the keys.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// List what opens the repository
    List(At),
    /// Let one more key or passphrase open the repository
    Add(Add),
    /// Take a way to open the repository away
    Remove(Remove),
}

/// What is added.
#[derive(clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    at: At,
    /// A file with the new key, made if it is not there; without one,
    /// `STRONGROOM_NEW_PASSPHRASE` is the new passphrase
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
}

/// What is removed.
#[derive(clap::Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    at: At,
    /// The slot's name, or its beginning
    #[arg(value_name = "SLOT")]
    slot: String,
    /// Remove it even if it is the one that opens the repository now
    #[arg(long)]
    force: bool,
}

/// A slot as programs see it.
#[derive(Serialize)]
struct Shown {
    slot: String,
    kind: &'static str,
    in_use: bool,
    leaving: bool,
}

impl Shown {
    fn new(slot: &SlotSummary) -> Self {
        Self {
            slot: hex::encode(slot.name),
            kind: match slot.way {
                SlotWay::Key { .. } => "key",
                SlotWay::Passphrase(_) => "passphrase",
                SlotWay::Unknown => "unknown",
            },
            in_use: slot.in_use,
            leaving: slot.leaving,
        }
    }
}

impl Verb {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List(at) => list(context, &at.open()?),
            Self::Add(add) => add.run(context),
            Self::Remove(remove) => remove.run(context),
        }
    }
}

fn list(context: &Context, repository: &Repository) -> Result<()> {
    let slots: Vec<_> = repository.slots()?.iter().map(Shown::new).collect();
    context.output.show(&slots, |slots| {
        let rows = slots.iter().map(|slot| {
            let note = match (slot.in_use, slot.leaving) {
                (true, _) => "in use",
                (_, true) => "removal was begun",
                _ => "",
            };
            [slot.slot.clone(), slot.kind.to_owned(), note.to_owned()]
        });
        table(["SLOT", "KIND", ""], rows)
    })
}

impl Add {
    fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let unlock = match &self.new_key_file {
            Some(file) => key::read_or_make(file)?,
            None => key::passphrase_of(NEW_PASSPHRASE).with_context(|| {
                format!("name a new key file with --new-key-file, or set {NEW_PASSPHRASE}")
            })?,
        };
        let name = repository
            .add_unlock(&unlock, PassphraseCost::default(), &SystemEntropy)
            .context("cannot add a way to open the repository")?;
        let name = hex::encode(name);
        context.output.show(&name, String::clone)
    }
}

impl Remove {
    fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let name = find(&repository.slots()?, &self.slot)?;
        let own = if self.force {
            OwnSlot::MayGo
        } else {
            OwnSlot::Stays
        };
        repository
            .remove_slot(name, own, &SystemEntropy)
            .with_context(|| format!("cannot remove key slot {}", hex::encode(name)))?;
        context.output.show(&hex::encode(name), String::clone)
    }
}

fn find(slots: &[SlotSummary], named: &str) -> Result<SlotName> {
    let fits = |slot: &&SlotSummary| hex::encode(slot.name).starts_with(named);
    let mut found = slots.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(slot), None) => Ok(slot.name),
        (None, _) => bail!("there is no key slot {named}; `repo keys list` shows them"),
        _ => bail!("several key slots begin with {named}; name more of it"),
    }
}
