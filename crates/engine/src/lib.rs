//! The repository: chunk, compress, seal, pack, index, manifest, read, check, collect.
