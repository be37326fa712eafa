//! Copies manifests into another repository, so that they restore with the first one gone.
//!
//! Into a repository with keys of its own, chunks are decoded, named anew and stored unless they
//! are there; nodes are built again around the new names ([`rekey`]). Into a mirror, which has the
//! same id and keys, packs and manifests go byte for byte ([`mirror`]). Both store only what is
//! missing, read back what they stored before a manifest names it, and create the manifest last:
//! a copy that was interrupted leaves garbage that the next one uses.
//!
//! Invariant: a manifest of the destination names only chunks that were read back there.
//!
//! Format: docs/format.md, "Copies".

mod mirror;
mod rekey;

use std::{collections::BTreeMap, sync::Arc};

use strongroom_model::Entropy;

pub use self::mirror::create_mirror;
use crate::{
    error::{Damage, Error, Result},
    id::{ManifestId, PackId},
    layout::Object,
    manifest::Manifest,
    quarantine::Reason,
    repository::Repository,
    tree::Progress,
    writer::WriterOptions,
};

/// The label of a copy: repository and manifest that it was made of, with a dot between.
pub const COPY_OF: &str = "copy-of";

/// What to copy.
pub struct CopyOptions<'a> {
    /// The manifests; none means all that count.
    pub manifests: &'a [ManifestId],
    /// How the destination is written.
    pub writer: WriterOptions,
    /// How far it is.
    pub progress: &'a Progress,
    /// Randomness for names and keys.
    pub entropy: Arc<dyn Entropy>,
    /// What the copies say in place of the labels of their originals. A manifest then counts as
    /// there only if a copy of it says just this. A mirror has the originals, labels and all.
    pub labels: Option<&'a BTreeMap<String, String>>,
}

/// What a copy did.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Manifests that were copied, and their names in the destination.
    pub copied: Vec<(ManifestId, ManifestId)>,
    /// Manifests that were there already.
    pub present: Vec<ManifestId>,
    /// Manifests that cannot be copied whole, and why.
    pub failed: Vec<(ManifestId, Error)>,
    /// Bytes that were stored in the destination.
    pub stored_bytes: u64,
}

/// Copies manifests, the oldest first. Damage in the source fails the manifests that it hits and
/// no others.
pub fn copy(source: &Repository, dest: &Repository, options: &CopyOptions<'_>) -> Result<Copied> {
    // Saves since the index was loaded count, too.
    source.refresh_index()?;
    let mut copied = Copied::default();
    let mut manifests = Vec::new();
    let wanted = if options.manifests.is_empty() {
        source.manifests()?
    } else {
        options.manifests.to_vec()
    };
    for id in wanted {
        match source.manifest(&id) {
            Ok(manifest) => manifests.push(manifest),
            Err(error @ Error::Store { .. }) => return Err(error),
            Err(error) => copied.failed.push((id, error)),
        }
    }
    manifests.sort_by_key(|manifest| (manifest.body.finished, manifest.id));
    if source.id() == dest.id() {
        mirror::copy(source, dest, &manifests, options, &mut copied)?;
    } else {
        rekey::copy(source, dest, &manifests, options, &mut copied)?;
    }
    Ok(copied)
}

/// Sorts the end of one manifest: damage of the source is told, everything else ends the copy.
fn fail(copied: &mut Copied, manifest: &Manifest, error: Error) -> Result<()> {
    match error {
        Error::Damaged { .. }
        | Error::ChunkMissing { .. }
        | Error::ChunkLost { .. }
        | Error::ChunkRole { .. }
        | Error::NodeMalformed { .. } => {
            copied.failed.push((manifest.id, error));
            Ok(())
        }
        error => Err(error),
    }
}

/// Reads packs back from the store; they must hash to their names. One that does not goes into
/// quarantine, so that the next copy stores its chunks anew.
fn read_back(
    dest: &Repository,
    packs: impl IntoIterator<Item = PackId>,
    entropy: &dyn Entropy,
) -> Result<()> {
    for pack in packs {
        let bytes = dest.pack_bytes(pack)?;
        if blake3::hash(&bytes).as_bytes() != pack.as_bytes() {
            dest.quarantine(Reason::Damaged, vec![pack], entropy)?;
            return Err(Error::damaged(Object::Pack(pack))(Damage::WrongName));
        }
    }
    Ok(())
}
