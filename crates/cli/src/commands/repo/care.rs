//! `strongroom repo check`, `forget`, `collect`, `stats`: looking after a repository.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Manifest, Repository,
    check::{self, CheckOptions, Checked, Depth},
    collect::{self, CollectOptions, Collected},
    repair::{RepairOptions, Share},
    stats::{self, Stats},
    tree::Progress,
};
use strongroom_model::Bytes;

use super::{
    At, entropy, manifests,
    repair::{self, Mirrors},
    trust,
};
use crate::{arguments::Context, output::chain, progress, system::SystemEntropy};

/// How to look for damage.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    at: At,
    /// Read and verify every byte, not only the structure
    #[arg(long)]
    read_data: bool,
    /// Heal damaged packs from what is left of them, parity and mirrors
    #[arg(long, requires = "read_data")]
    heal: bool,
    /// Read and heal one part of the packs, for a check spread over many nights: `2/7`
    #[arg(long, value_name = "N/OF", requires = "heal", value_parser = share)]
    part: Option<Share>,
    #[command(flatten)]
    from: Mirrors,
    /// Check the store instead: whether it keeps what a repository rests on, such as that of
    /// several creators of one name a single one wins; needs no key
    #[arg(long, conflicts_with = "read_data")]
    store: bool,
}

/// A part such as `2/7`.
fn share(text: &str) -> Result<Share> {
    let (part, of) = text.split_once('/').context("write it as 2/7")?;
    let (part, of): (u32, u32) = (part.parse()?, of.parse()?);
    if part == 0 || part > of {
        bail!("parts are numbered from 1 to {of}");
    }
    Ok(Share { part: part - 1, of })
}

/// What to forget.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Forget {
    #[command(flatten)]
    at: At,
    /// Manifests: ids, beginnings of ids, or tags
    #[arg(required_unless_present = "keep_last")]
    manifests: Vec<String>,
    /// Of each path that was saved, keep this many and forget the older ones
    #[arg(long, value_name = "N", conflicts_with = "manifests")]
    keep_last: Option<usize>,
}

/// What a check found, for programs.
#[derive(Serialize)]
struct Found {
    manifests: u64,
    packs: u64,
    pack_bytes: u64,
    chunks: u64,
    damage: Vec<Damage>,
}

/// One damage, for programs.
#[derive(Serialize)]
struct Damage {
    what: String,
    manifests: Vec<String>,
}

impl Check {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        if self.store {
            return trust::check(context, &self.at);
        }
        let repository = self.at.open()?;
        if self.heal {
            let mirrors = self.from.open(&self.at, &repository)?;
            let options = RepairOptions {
                mirrors: &mirrors,
                depth: Depth::AllBytes,
                share: self.part.unwrap_or_default(),
            };
            return repair::run(context, &repository, &options, false);
        }
        let told = Progress::default();
        let options = CheckOptions {
            depth: if self.read_data {
                Depth::AllBytes
            } else {
                Depth::Structure
            },
            ..CheckOptions::default()
        };
        let checked = progress::watch(context.output, "checking", &told, || {
            Ok(check::check(&repository, &options, &told)?)
        })
        .context("cannot check the repository")?;
        let found = Found::new(&checked);
        for damage in &found.damage {
            context.output.event("problem", damage)?;
        }
        context
            .output
            .done(&found, |found| found.text(self.read_data))?;
        if !found.damage.is_empty() {
            bail!(
                "{} damages were found; what does not need them still restores. \
                 `strongroom repo repair` heals what it can and keeps new saves off the rest",
                found.damage.len()
            );
        }
        Ok(())
    }
}

impl Found {
    fn new(checked: &Checked) -> Self {
        let damage = checked.findings.iter().map(|finding| Damage {
            what: chain(&anyhow::Error::new(finding.error.clone())),
            manifests: finding.manifests.iter().map(ToString::to_string).collect(),
        });
        Self {
            manifests: checked.manifests,
            packs: checked.packs,
            pack_bytes: checked.pack_bytes,
            chunks: checked.chunks,
            damage: damage.collect(),
        }
    }

    fn text(&self, read_data: bool) -> String {
        let mut lines = Vec::new();
        for damage in &self.damage {
            lines.push(damage.what.clone());
            if !damage.manifests.is_empty() {
                lines.push(format!("  needed by {}", damage.manifests.join(", ")));
            }
        }
        let how = if read_data {
            "every byte"
        } else {
            "the structure"
        };
        lines.push(format!(
            "looked at {how} of {} manifests, {} chunks, {} packs ({}): {} damages",
            self.manifests,
            self.chunks,
            self.packs,
            Bytes(self.pack_bytes),
            self.damage.len()
        ));
        lines.join("\n")
    }
}

impl Forget {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let chosen = match self.keep_last {
            Some(keep) => older(&repository, keep)?,
            None => self
                .manifests
                .iter()
                .map(|word| manifests::find(&repository, word))
                .collect::<Result<Vec<_>>>()?,
        };
        let mut forgotten = Vec::new();
        for manifest in &chosen {
            repository
                .forget(&manifest.id, &SystemEntropy)
                .with_context(|| format!("cannot forget {}", manifest.id))?;
            forgotten.push(manifest.id.to_string());
        }
        context.output.show(&forgotten, |forgotten| {
            let mut lines = vec![format!("{} manifests are forgotten", forgotten.len())];
            lines.extend(forgotten.iter().cloned());
            lines.join("\n")
        })
    }
}

/// All but the newest `keep` manifests of each path that was saved.
fn older(repository: &Repository, keep: usize) -> Result<Vec<Manifest>> {
    let mut manifests = manifests::all(repository)?;
    let mut seen: Vec<(Option<String>, usize)> = Vec::new();
    manifests.reverse();
    manifests.retain(|manifest| {
        let source = manifest.body.labels.get(manifests::SOURCE).cloned();
        let place = seen.iter().position(|(known, _)| *known == source);
        let place = place.unwrap_or_else(|| {
            seen.push((source, 0));
            seen.len() - 1
        });
        let (_, newer) = &mut seen[place];
        *newer += 1;
        *newer > keep
    });
    Ok(manifests)
}

/// What a collection did, for programs.
#[derive(Serialize)]
struct Freed {
    packs_removed: u64,
    bytes_removed: u64,
    packs_repacked: u64,
    manifests_removed: u64,
    packs_waiting: u64,
    bytes_waiting: u64,
    waiting_for: Vec<String>,
}

impl From<&Collected> for Freed {
    fn from(collected: &Collected) -> Self {
        Self {
            packs_removed: collected.packs_removed,
            bytes_removed: collected.bytes_removed,
            packs_repacked: collected.packs_repacked,
            manifests_removed: collected.manifests_removed,
            packs_waiting: collected.packs_waiting,
            bytes_waiting: collected.bytes_waiting,
            waiting_for: collected
                .waiting_for
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// `strongroom repo collect`.
pub(super) fn collect(context: &Context, at: &At) -> Result<()> {
    let repository = at.open()?;
    let told = Progress::default();
    let options = CollectOptions::default();
    let collected = progress::watch(context.output, "collecting", &told, || {
        Ok(collect::collect(&repository, &options, &told, &entropy())?)
    })
    .context("cannot collect")?;
    context.output.done(&Freed::from(&collected), |freed| {
        let mut lines = vec![format!(
            "{} packs ({}) are removed, {} written anew, {} forgotten manifests are gone",
            freed.packs_removed,
            Bytes(freed.bytes_removed),
            freed.packs_repacked,
            freed.manifests_removed,
        )];
        if freed.packs_waiting > 0 {
            lines.push(format!(
                "{} packs ({}) wait for {} writers; collect again when they have ended",
                freed.packs_waiting,
                Bytes(freed.bytes_waiting),
                freed.waiting_for.len()
            ));
        }
        lines.join("\n")
    })
}

/// Sizes, for programs.
#[derive(Serialize)]
struct Measured {
    manifests: u64,
    logical_bytes: u64,
    unique_bytes: u64,
    stored_bytes: u64,
    packs: u64,
    pack_bytes: u64,
    index_runs: u64,
    index_entries: u64,
    forgotten: u64,
    quarantined_packs: u64,
}

impl From<Stats> for Measured {
    fn from(stats: Stats) -> Self {
        Self {
            manifests: stats.manifests,
            logical_bytes: stats.logical_bytes,
            unique_bytes: stats.unique_bytes,
            stored_bytes: stats.stored_bytes,
            packs: stats.packs,
            pack_bytes: stats.pack_bytes,
            index_runs: stats.runs,
            index_entries: stats.index_entries,
            forgotten: stats.forgotten,
            quarantined_packs: stats.quarantined_packs,
        }
    }
}

/// `strongroom repo stats`.
pub(super) fn stats(context: &Context, at: &At) -> Result<()> {
    let measured = Measured::from(stats::stats(&at.open()?)?);
    context.output.show(&measured, |measured| {
        let lines = [
            format!("manifests  {}", measured.manifests),
            format!("logical    {}", Bytes(measured.logical_bytes)),
            format!("unique     {}", Bytes(measured.unique_bytes)),
            format!("stored     {}", Bytes(measured.stored_bytes)),
            format!(
                "packs      {} ({})",
                measured.packs,
                Bytes(measured.pack_bytes)
            ),
            format!(
                "index      {} runs, {} entries",
                measured.index_runs, measured.index_entries
            ),
            format!("forgotten  {}", measured.forgotten),
            format!("quarantine {} packs", measured.quarantined_packs),
        ];
        lines.join("\n")
    })
}
