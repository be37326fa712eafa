//! Measures what a client sees of lists of backups as the catalog grows.
//!
//! One process holds a service for each size, each with its own catalog in a file, and one with
//! nothing but handlers that answer fixed bytes; all listen with the same code. A case is a
//! request; all sizes are asked in turn, several times, so that the machine's moods hit all
//! alike. What counts are ratios: between sizes, and to the bare handler that answers the same
//! bytes. Server and clients share the machine, as they do in no installation.

#![expect(clippy::print_stdout, reason = "a tool that prints what it measured")]

mod cases;
mod client;
mod fill;
mod report;
mod server;
mod system;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use clap::Parser;

use crate::{
    cases::{CASES, Case},
    client::Load,
    report::Line,
    server::Server,
};

/// What to measure.
#[derive(Parser)]
struct Options {
    /// Backups of the one project, one service each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// How long each request is repeated.
    #[arg(long, default_value_t = 400)]
    millis: u64,
    /// How often everything is done; medians are shown.
    #[arg(long, default_value_t = 5)]
    reps: usize,
    /// Clients that ask at once.
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Only cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Where the catalogs are made; the default is a temporary folder.
    #[arg(long)]
    work: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(!options.sizes.is_empty(), "--sizes names no size");
    let folder = match &options.work {
        Some(work) => tempfile::tempdir_in(work)?,
        None => tempfile::tempdir()?,
    };
    let mut servers = Vec::new();
    for size in &options.sizes {
        let server = Server::start(&folder.path().join(size.to_string()), *size)?;
        println!("{size} backups were written in {:.1} s", server.filled_in);
        servers.push(server);
    }
    let load = Load {
        clients: options.clients,
        time: Duration::from_millis(options.millis),
    };
    let chosen: Vec<_> = CASES
        .iter()
        .filter(|case| case.name.contains(&options.only))
        .collect();
    let mut lines: Vec<Line> = chosen.iter().map(|case| Line::of(case)).collect();
    for rep in 0..options.reps {
        for (case, line) in chosen.iter().zip(&mut lines) {
            measure(case, line, (&servers, &load), rep)?;
        }
        println!("repetition {} of {}", rep + 1, options.reps);
    }
    println!("\n{}", report::markdown(&options.sizes, &lines));
    Ok(())
}

/// Asks each service, and a bare handler for the bytes that the largest one answers.
fn measure(
    case: &Case,
    line: &mut Line,
    (servers, load): (&[Server], &Load),
    rep: usize,
) -> Result<()> {
    let mut bare = None;
    for turn in 0..servers.len() {
        let place = (turn + rep) % servers.len();
        let server = &servers[place];
        let uri = case.path(&server.facts);
        let reply = server.ask(&uri)?;
        (case.check)(&server.facts, &reply)?;
        let rate = load.rate(server.address, &server.request(&uri), reply.len())?;
        line.add(place, rate);
        if place + 1 == servers.len() {
            bare = Some(reply);
        }
    }
    if let Some(reply) = bare {
        line.add_bare(server::bare(&reply, load)?);
    }
    Ok(())
}
