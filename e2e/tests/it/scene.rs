//! What most tests begin with: a running service, a share and a disk image.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use strongroom_e2e::{binary::Program, data, service::Service};
use tempfile::TempDir;

/// A service with a registered share and a registered volume.
pub(crate) struct Scene {
    /// Everything is in here, and goes with it.
    pub(crate) folder: TempDir,
    pub(crate) service: Service,
    pub(crate) share: Registered,
    pub(crate) disk: Registered,
}

/// A resource and where its data lies.
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) path: PathBuf,
}

impl Scene {
    /// Starts the service and registers a share `files` and a volume `disk` of 64 MiB.
    pub(crate) fn set() -> Result<Self> {
        Self::set_with(&[])
    }

    /// As [`Self::set`], with options for `serve`.
    pub(crate) fn set_with(options: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let service = Service::start_with(&folder.path().join("service"), options)?;
        let program = service.program();
        let files = folder.path().join("files");
        fs::create_dir(&files)?;
        data::make_share(&files, 1)?;
        let image = folder.path().join("disk.img");
        data::make_image(&image, 64, 2)?;
        let share = register(&program, "share", "files", files)?;
        let disk = register(&program, "volume", "disk", image)?;
        Ok(Self {
            folder,
            service,
            share,
            disk,
        })
    }

    /// Commands against the service.
    pub(crate) fn program(&self) -> Program {
        self.service.program()
    }

    /// A path of that name beside the data.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Registers what lies at `path`.
pub(crate) fn register(
    program: &Program,
    kind: &str,
    name: &str,
    path: PathBuf,
) -> Result<Registered> {
    let id = program.last_line(&["resource", "add", kind, name, "--path", text(&path)])?;
    Ok(Registered { id, path })
}

/// The path as text; the paths of tests are.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Every file below the folder. Empty folders are the store's own affair.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<String>> {
    let mut found = listing(folder)?;
    found.retain(|name| !name.ends_with('/'));
    Ok(found)
}

/// Every path below the folder, relative to it and sorted; directories end with a slash.
pub(crate) fn listing(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    list(folder, folder, &mut found)?;
    found.sort();
    Ok(found)
}

fn list(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            found.push(format!("{name}/"));
            list(root, &path, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}
