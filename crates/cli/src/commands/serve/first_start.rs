//! The first start: an account, a region's project, a user, and the one file that tells about them.
//!
//! The catalog takes the user first and keeps no secret that could be read back, so a crash before
//! `admin.json` is written would lose the only copy. A mark beside it says that this has happened;
//! the next start then makes new secrets. Who removes `admin.json` by hand gets no new one.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use anyhow::{Context, Result};

use crate::{
    commands::admin::Account,
    installation::{Installation, create_private, replace_private},
};

const ADMIN: &str = "admin.json";
const MARK: &str = "first-start";
/// The region if nothing is said.
const REGION: &str = "local";

/// Makes what the first start makes, once; the region's name.
pub(crate) fn settle(installation: &Installation, region: Option<&str>) -> Result<String> {
    let identity = &installation.identity;
    let known = identity.region()?;
    let region = region.map(str::to_owned).or_else(|| known.clone());
    let region = region.unwrap_or_else(|| REGION.to_owned());
    let (mark, admin) = (
        installation.folder.join(MARK),
        installation.folder.join(ADMIN),
    );
    if known.is_none() {
        tolerate(create_private(&mark, b""), ErrorKind::AlreadyExists)?;
    }
    let made = identity
        .first_start(&region)
        .context("cannot make the first user")?;
    let lost = made.is_none() && mark.exists() && !admin.exists();
    let made = if lost {
        Some(
            identity
                .renew_first_user()
                .context("cannot give the first user new secrets")?,
        )
    } else {
        made
    };
    if let Some(made) = made {
        write(&admin, &Account::first(&made))?;
    }
    tolerate(fs::remove_file(&mark), ErrorKind::NotFound)?;
    Ok(region)
}

/// Says in `admin.json` which authority to trust: it changes with the options of `serve`.
pub(super) fn note_authority(folder: &Path, ca_file: Option<&Path>) -> Result<()> {
    let path = folder.join(ADMIN);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut account: Account = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not what it should be", path.display()))?;
    let ca_file = ca_file.map(|path| path.to_string_lossy().into_owned());
    if account.ca_file != ca_file {
        account.ca_file = ca_file;
        write(&path, &account)?;
    }
    Ok(())
}

fn write(path: &Path, account: &Account) -> Result<()> {
    let json = serde_json::to_vec_pretty(account)?;
    replace_private(path, &json).with_context(|| format!("cannot write {}", path.display()))
}

fn tolerate(done: io::Result<()>, kind: ErrorKind) -> io::Result<()> {
    done.or_else(|error| {
        if error.kind() == kind {
            Ok(())
        } else {
            Err(error)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(folder: &Path) -> (String, String) {
        let text = fs::read(folder.join(ADMIN)).unwrap();
        let account: Account = serde_json::from_slice(&text).unwrap();
        (account.password.unwrap(), account.secret_key.unwrap())
    }

    #[test]
    fn the_first_user_is_told_once_and_a_crash_before_that_makes_new_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::open_or_make(folder.path()).unwrap();
        assert_eq!(settle(&installation, Some("eu-de")).unwrap(), "eu-de");
        let first = secrets(folder.path());
        assert_eq!(settle(&installation, None).unwrap(), "eu-de");
        assert_eq!(secrets(folder.path()), first);
        settle(&installation, Some("other")).unwrap_err();

        // As after a crash between the catalog and the file.
        fs::remove_file(folder.path().join(ADMIN)).unwrap();
        fs::write(folder.path().join(MARK), b"").unwrap();
        settle(&installation, None).unwrap();
        assert_ne!(secrets(folder.path()), first);
        assert!(!folder.path().join(MARK).exists());

        fs::remove_file(folder.path().join(ADMIN)).unwrap();
        settle(&installation, None).unwrap();
        assert!(
            !folder.path().join(ADMIN).exists(),
            "who removed it meant it"
        );
    }

    #[test]
    fn the_authority_to_trust_follows_the_options() {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::open_or_make(folder.path()).unwrap();
        settle(&installation, None).unwrap();
        let before = secrets(folder.path());
        let told = |ca_file: Option<&Path>| {
            note_authority(folder.path(), ca_file).unwrap();
            let text = fs::read(folder.path().join(ADMIN)).unwrap();
            serde_json::from_slice::<Account>(&text).unwrap().ca_file
        };
        assert_eq!(told(Some(Path::new("/ca"))).as_deref(), Some("/ca"));
        assert_eq!(told(None), None);
        assert_eq!(secrets(folder.path()), before);
    }
}
