//! The bare pipeline: reads, cuts, hashes, looks up, compresses, seals and writes, nothing else.
//!
//! No metadata, no durable index, no verification while writing: what is left is the work that no
//! backup engine can do without, so its time is near this machine's limit and the yardstick of
//! `cargo xtask bench`. The way back decrypts, decompresses, verifies and writes.
//!
//! Invariant: what `reverse` writes is byte for byte what `forward` read, or it fails. Links and
//! permissions are left out on purpose; nobody should keep data with this.

#![expect(clippy::print_stdout, reason = "a tool that prints what it measured")]

mod cut;
mod forward;
mod recipe;
mod reverse;

use std::path::PathBuf;

use anyhow::Result;
use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use clap::Parser;

/// Packs are written when they reach this size.
const PACK: usize = 32 << 20;

#[derive(Parser)]
#[command(name = "limits", about = "The bare pipeline, forward and back")]
enum Cli {
    /// Packs everything below SOURCE into the new folder OUT.
    Forward {
        source: PathBuf,
        out: PathBuf,
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// The average length of a chunk.
        #[arg(long, value_name = "KIB", default_value_t = 1024)]
        average: usize,
    },
    /// Unpacks the folder PACKS below TARGET.
    Reverse {
        packs: PathBuf,
        target: PathBuf,
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

fn main() -> Result<()> {
    match Cli::parse() {
        Cli::Forward {
            source,
            out,
            threads,
            average,
        } => {
            let options = forward::Options {
                threads,
                average: average << 10,
            };
            let done = forward::run(&source, &out, &options)?;
            println!("{} bytes read, {} stored", done.read, done.stored);
        }
        Cli::Reverse {
            packs,
            target,
            threads,
        } => {
            let written = reverse::run(&packs, &target, threads)?;
            println!("{written} bytes written");
        }
    }
    Ok(())
}

/// The key of everything: speed is measured here, nothing is kept secret.
fn key() -> Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32])?))
}

/// No two pieces begin at one place of one pack.
fn nonce(pack: u32, offset: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&pack.to_le_bytes());
    bytes[4..].copy_from_slice(&offset.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn pack_name(pack: u32) -> String {
    format!("p{pack:06}")
}
