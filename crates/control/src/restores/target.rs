//! What is found at the place that a restore goes to, before anything is ordered.
//!
//! These looks answer the caller at once; the job looks again, since hours may lie between.

use std::path::{Path, PathBuf};

use strongroom_catalog::{BackupRow, ResourceRow};
use strongroom_model::ResourceKind;

use crate::{
    Error, Reason, Result,
    resources::{self, probe},
};

/// What is at the path of a resource.
pub(super) enum There {
    /// Something that a restore replaces.
    Something,
    /// Nothing at all.
    Nothing,
}

/// Looks at a resource that a backup is to be restored onto.
pub(super) fn look(resource: &ResourceRow, backup: &BackupRow) -> Result<There> {
    let path = resources::path_of(resource);
    match probe::size(resource.kind, &path) {
        Ok(size) if resource.kind == ResourceKind::Volume && size < backup.resource_size_bytes => {
            let (name, needed) = (&resource.name, backup.resource_size_bytes.0);
            let about = format!("{name} has {} bytes, the backup {needed}", size.0);
            Err(Error::conflict(Reason::TargetTooSmall, about))
        }
        Ok(_) => Ok(There::Something),
        Err(error) if error.is_vanished() && !path.exists() => Ok(There::Nothing),
        Err(error) => {
            tracing::info!(resource = %resource.id, %error, "a restore was refused");
            Err(Error::conflict(
                Reason::TargetStateForbidsRestore,
                &resource.name,
            ))
        }
    }
}

/// The full path of a place where nothing is yet, outside the service's own directories.
pub(super) fn new_place(path: &Path, own: &[PathBuf]) -> Result<PathBuf> {
    let wrong = |problem: String| Error::invalid("path", format!("{}: {problem}", path.display()));
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(wrong("must name a place in a directory".to_owned()));
    };
    if !path.is_absolute() {
        return Err(wrong("must be absolute".to_owned()));
    }
    let parent = parent
        .canonicalize()
        .map_err(|error| wrong(format!("its directory: {error}")))?;
    let place = parent.join(name);
    if own.iter().any(|own| place.starts_with(own)) {
        return Err(wrong("belongs to the service itself".to_owned()));
    }
    match place.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(place),
        Err(error) => Err(wrong(error.to_string())),
        Ok(_) => Err(wrong(
            "exists already; name a place that does not".to_owned(),
        )),
    }
}
