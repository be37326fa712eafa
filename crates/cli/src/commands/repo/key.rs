//! What opens a repository: a key file, or a passphrase from the environment.
//!
//! A key file holds 64 hexadecimal digits and costs nothing to use; `init` makes it, private to its
//! owner, if it is not there. A passphrase costs a second of work with each command, on purpose.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use strongroom_engine::{Passphrase, Unlock};
use strongroom_model::entropy::random;
use zeroize::Zeroizing;

use crate::{installation::create_private, system::SystemEntropy};

const PASSPHRASE: &str = "STRONGROOM_PASSPHRASE";

/// What opens the repository.
#[derive(clap::Args)]
pub(crate) struct Key {
    /// A file with the key; without one, `STRONGROOM_PASSPHRASE` is the passphrase
    #[arg(long = "key-file", value_name = "FILE", env = "STRONGROOM_KEY_FILE")]
    file: Option<PathBuf>,
}

impl Key {
    /// The key in that file.
    pub(super) const fn of(file: PathBuf) -> Self {
        Self { file: Some(file) }
    }

    /// The key file, if there is one.
    pub(super) const fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    /// The key, or the passphrase.
    pub(super) fn unlock(&self) -> Result<Unlock> {
        match &self.file {
            Some(file) => read(file),
            None => passphrase_of(PASSPHRASE).with_context(|| {
                format!(
                    "there is no key: name a key file with --key-file (`repo init` makes it) or \
                     STRONGROOM_KEY_FILE, or set {PASSPHRASE}"
                )
            }),
        }
    }

    /// The same; makes the key file if it is not there.
    pub(super) fn unlock_or_make(&self) -> Result<Unlock> {
        match &self.file {
            Some(file) => read_or_make(file),
            None => self.unlock(),
        }
    }
}

/// The key in a file.
fn read(file: &Path) -> Result<Unlock> {
    let text = fs::read_to_string(file).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read the key file {}", file.display()))?;
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *key).with_context(|| {
        format!(
            "the key file {} does not hold 64 hexadecimal digits",
            file.display()
        )
    })?;
    Ok(Unlock::Key(*key))
}

/// The key in a file, which is made if it is not there.
pub(super) fn read_or_make(file: &Path) -> Result<Unlock> {
    let key = Zeroizing::new(random::<32>(&SystemEntropy));
    let text = Zeroizing::new(format!("{}\n", hex::encode(*key)));
    match create_private(file, text.as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            let what = format!("cannot write the key file {}", file.display());
            return Err(error).context(what);
        }
    }
    read(file)
}

/// The passphrase in an environment variable.
pub(super) fn passphrase_of(variable: &str) -> Result<Unlock> {
    match env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(Unlock::Passphrase(Passphrase::new(text))),
        _ => bail!("{variable} is not set, or empty"),
    }
}
