//! The key tree: one random root key, and from it a key per purpose.
//!
//! Each purpose has its own derivation context, and the repository's id goes into every
//! derivation, so a key of one purpose or repository is useless for another.
//!
//! Invariant: keys are never printed and are wiped when dropped.
//!
//! Format: docs/format.md, "Keys".

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::{ChunkId, RepositoryId, Stream};

/// Bytes in every key.
pub(crate) const KEY_LEN: usize = 32;

/// The keys of one repository.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct KeyTree {
    root: [u8; KEY_LEN],
    data_ids: [u8; KEY_LEN],
    tree_ids: [u8; KEY_LEN],
    chunker: [u8; KEY_LEN],
    packs: [u8; KEY_LEN],
    index: [u8; KEY_LEN],
    records: [u8; KEY_LEN],
    header: [u8; KEY_LEN],
    #[zeroize(skip)]
    repository: RepositoryId,
}

impl KeyTree {
    /// Derives the tree from a root key.
    pub(crate) fn new(root: &[u8; KEY_LEN], repository: RepositoryId) -> Self {
        let derive = |context: &str| {
            let mut hasher = blake3::Hasher::new_derive_key(context);
            hasher.update(root).update(repository.as_bytes());
            *hasher.finalize().as_bytes()
        };
        Self {
            root: *root,
            data_ids: derive("strongroom repository v1: ids of data chunks"),
            tree_ids: derive("strongroom repository v1: ids of tree chunks"),
            chunker: derive("strongroom repository v1: chunk boundaries"),
            packs: derive("strongroom repository v1: packs"),
            index: derive("strongroom repository v1: index runs"),
            records: derive("strongroom repository v1: manifests and records"),
            header: derive("strongroom repository v1: header"),
            repository,
        }
    }

    /// The root key, to be wrapped for another slot.
    pub(crate) const fn root(&self) -> &[u8; KEY_LEN] {
        &self.root
    }

    /// The repository these keys belong to.
    pub(crate) const fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// The id of a chunk with these bytes.
    pub(crate) fn chunk_id(&self, stream: Stream, bytes: &[u8]) -> ChunkId {
        let key = match stream {
            Stream::Data => &self.data_ids,
            Stream::Tree => &self.tree_ids,
        };
        ChunkId::from_bytes(*blake3::keyed_hash(key, bytes).as_bytes())
    }

    /// The key that decides where file chunks end.
    pub(crate) const fn chunker(&self) -> &[u8; KEY_LEN] {
        &self.chunker
    }

    /// The key from which each pack's own key is derived.
    pub(crate) const fn packs(&self) -> &[u8; KEY_LEN] {
        &self.packs
    }

    /// The key from which each index run's own key is derived.
    pub(crate) const fn index(&self) -> &[u8; KEY_LEN] {
        &self.index
    }

    /// The key from which the own key of each manifest, lease and other record is derived.
    pub(crate) const fn records(&self) -> &[u8; KEY_LEN] {
        &self.records
    }

    /// The authenticator of the repository's header.
    pub(crate) fn header_mac(&self, header: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.header, header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_purpose_root_and_repository() {
        let tree = |root, id| KeyTree::new(&[root; 32], RepositoryId::from_bytes([id; 16]));
        let (a, b, c) = (tree(1, 1), tree(2, 1), tree(1, 2));
        let mut seen = std::collections::BTreeSet::new();
        for keys in [&a, &b, &c] {
            let purposes = [
                &keys.data_ids,
                &keys.tree_ids,
                &keys.chunker,
                &keys.packs,
                &keys.index,
            ];
            seen.extend(purposes.map(|key| *key));
            seen.extend([keys.records, keys.header]);
        }
        assert_eq!(seen.len(), 21);
    }

    #[test]
    fn a_chunk_has_different_ids_as_data_and_as_tree() {
        let keys = KeyTree::new(&[7; 32], RepositoryId::from_bytes([7; 16]));
        assert_ne!(
            keys.chunk_id(Stream::Data, b"x"),
            keys.chunk_id(Stream::Tree, b"x")
        );
    }
}
