//! The data directory of a service: everything it keeps, private to its user.
//!
//! ```text
//! DIR/lock              held by the one `serve` that runs in it
//! DIR/catalog.sqlite    what the service remembers
//! DIR/master.key        64 hexadecimal digits; STRONGROOM_MASTER_KEY instead, if set
//! DIR/repositories/     the data of the vaults, unless it is in another store
//! DIR/hosted/           stores that are kept for other services
//! DIR/tls/              our own authority and the server's certificate
//! DIR/endpoints.json    where the services listen
//! DIR/admin.json        who the first user is
//! ```
//!
//! Invariants: a directory that has a catalog never gets a new master key, because that would make
//! all its data unreadable in silence; files appear whole or not at all.

mod private;

use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use strongroom_catalog::Catalog;
use strongroom_control::{MasterKey, identity::Identity};

use crate::system::{SystemClock, SystemEntropy};

pub(crate) use private::{create_private, make_folder, replace_private};

/// The folder of the stores that are kept for other services.
pub(crate) fn hosted(folder: &Path) -> PathBuf {
    folder.join("hosted")
}

/// The environment variable that holds the master key instead of its file.
const MASTER_KEY: &str = "STRONGROOM_MASTER_KEY";

/// An opened data directory.
pub(crate) struct Installation {
    /// The directory, absolute.
    pub(crate) folder: PathBuf,
    pub(crate) catalog: Catalog,
    pub(crate) master: MasterKey,
    pub(crate) identity: Identity,
}

/// Says that this process alone serves from the directory; ends with the process, however it ends.
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Installation {
    /// Opens the directory, which must have been served from before.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        if !folder.join("catalog.sqlite").exists() {
            bail!(
                "{} is not the data directory of a service; name it with --data-dir, or make it \
                 with `strongroom serve --data-dir {0}`",
                folder.display()
            );
        }
        Self::over(folder)
    }

    /// Opens the directory or makes it.
    pub(crate) fn open_or_make(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        make_folder(&folder)?;
        Self::over(folder)
    }

    fn over(folder: PathBuf) -> Result<Self> {
        let master = master_key(&folder)?;
        let path = folder.join("catalog.sqlite");
        let catalog =
            Catalog::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let identity = Identity::new(
            catalog.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            master.clone(),
        )?;
        Ok(Self {
            folder,
            catalog,
            master,
            identity,
        })
    }
}

impl Lock {
    /// Takes the directory for this process.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        make_folder(folder)?;
        let path = folder.join("lock");
        let file = private::open_private(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(fs::TryLockError::WouldBlock) => bail!(
                "another strongroom serves from {}; stop it first, or name another directory \
                 with --data-dir",
                folder.display()
            ),
            Err(fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }
}

/// The key of the environment, else of the file, which is made for a directory without a catalog.
fn master_key(folder: &Path) -> Result<MasterKey> {
    if let Ok(text) = env::var(MASTER_KEY) {
        return MasterKey::from_hex(&text).with_context(|| format!("{MASTER_KEY} is not a key"));
    }
    let path = folder.join("master.key");
    match read_key(&path) {
        Ok(key) => return key,
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
        Err(_) => {}
    }
    if folder.join("catalog.sqlite").exists() {
        bail!(
            "the master key is missing: bring {} back from where you keep it, or set \
             {MASTER_KEY}; without it the data of the vaults cannot be read",
            path.display()
        );
    }
    let key = MasterKey::generate(&SystemEntropy);
    match create_private(&path, format!("{}\n", key.to_hex()).as_bytes()) {
        Ok(()) => Ok(key),
        // Somebody else was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_key(&path)?,
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Refuses a directory without a master key: one made now would open nothing.
pub(crate) fn require_master_key(folder: &Path) -> Result<()> {
    let path = folder.join("master.key");
    if env::var_os(MASTER_KEY).is_some() || path.exists() {
        return Ok(());
    }
    bail!(
        "the master key is missing: bring {} back from where you keep it, or set {MASTER_KEY}; \
         without it the data of the vaults cannot be read",
        path.display()
    )
}

fn read_key(path: &Path) -> io::Result<Result<MasterKey>> {
    let text = fs::read_to_string(path)?;
    Ok(MasterKey::from_hex(&text).with_context(|| format!("{} is damaged", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_with_a_catalog_never_gets_a_new_master_key() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = Installation::open_or_make(&data).unwrap().master.to_hex();
        let again = Installation::open(&data).unwrap().master.to_hex();
        assert_eq!(first, again);

        fs::remove_file(data.join("master.key")).unwrap();
        let error = Installation::open_or_make(&data).err().unwrap().to_string();
        assert!(error.contains("master key is missing"), "{error}");
        assert!(!data.join("master.key").exists());
    }

    #[test]
    fn everything_in_it_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let _installation = Installation::open_or_make(&data).unwrap();
        let _lock = Lock::take(&data).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        for entry in fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn one_process_serves_from_a_directory_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).err().unwrap().to_string();
        assert!(error.contains("another strongroom"), "{error}");
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
