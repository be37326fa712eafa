//! Every parser of bytes that come out of a store, for fuzzers and for the test that stands in for
//! them.
//!
//! A store is nobody we trust. Objects are authenticated before they are parsed, but the parsers in
//! front of that (headers, slots, footers, parity) see whatever lies there, and those behind it
//! must not fall over the bytes of another program or of our own mistakes. So each is a target that
//! takes anything: it may refuse, it must not panic, and where a value has one encoding, what it
//! accepts is encoded again and must be the same bytes.
//!
//! Built for tests and under `cfg(fuzzing)` only. `fuzz/` runs the targets under a coverage-guided
//! fuzzer and keeps their corpora; the tests here run the same corpora, mutated, in every run.
//!
//! Invariant: no parser of stored bytes without a target, and none without an input it accepts.

mod objects;
mod records;
mod trees;

#[cfg(test)]
mod tests;

use crate::{id::RepositoryId, keys::KeyTree};

/// A parser under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// What `fuzz/Cargo.toml` calls it.
    pub name: &'static str,
    /// Parses any bytes; says whether it accepted them. Panics where a promise is broken.
    pub parse: fn(&[u8]) -> bool,
}

/// All parsers, by name.
pub const TARGETS: &[Target] = &[
    Target {
        name: "block_map",
        parse: trees::block_map,
    },
    Target {
        name: "entries",
        parse: trees::entries,
    },
    Target {
        name: "extents",
        parse: trees::extents,
    },
    Target {
        name: "forgotten",
        parse: records::forgotten,
    },
    Target {
        name: "header",
        parse: objects::header,
    },
    Target {
        name: "index_directory",
        parse: objects::index_directory,
    },
    Target {
        name: "index_filter",
        parse: objects::index_filter,
    },
    Target {
        name: "index_page",
        parse: objects::index_page,
    },
    Target {
        name: "layout",
        parse: records::layout,
    },
    Target {
        name: "lease",
        parse: records::lease,
    },
    Target {
        name: "manifest",
        parse: records::manifest,
    },
    Target {
        name: "pack",
        parse: objects::pack,
    },
    Target {
        name: "pack_directory",
        parse: objects::pack_directory,
    },
    Target {
        name: "parity",
        parse: objects::parity,
    },
    Target {
        name: "problem_list",
        parse: trees::problem_list,
    },
    Target {
        name: "problems",
        parse: trees::problems,
    },
    Target {
        name: "quarantine",
        parse: records::quarantine,
    },
    Target {
        name: "record",
        parse: records::record,
    },
    Target {
        name: "replacement",
        parse: records::replacement,
    },
    Target {
        name: "segment",
        parse: objects::segment,
    },
    Target {
        name: "slot",
        parse: objects::slot,
    },
    Target {
        name: "tree_top",
        parse: trees::tree_top,
    },
    Target {
        name: "volume_top",
        parse: trees::volume_top,
    },
    Target {
        name: "waits",
        parse: records::waits,
    },
    Target {
        name: "xattrs",
        parse: trees::xattrs,
    },
];

/// Parses `data` with the target of that name.
pub fn parse(name: &str, data: &[u8]) -> bool {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("the target is in the list").parse)(data)
}

/// The keys under which the kept inputs were sealed.
fn keys() -> KeyTree {
    KeyTree::new(&[0x22; 32], RepositoryId::from_bytes([0x11; 16]))
}
