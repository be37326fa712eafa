//! `strongroom repo repair`, and the healing of `repo check`: brings back what redundancy allows.
//!
//! Both plan first and show the plan; nothing is removed that still reads (see
//! [`strongroom_engine::repair`]). They fail as long as something stays damaged.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Repository,
    check::Depth,
    repair::{self, Plan, RepairOptions, Share},
    tree::Progress,
};
use strongroom_model::Bytes;
use strongroom_store::Store;

use super::{At, entropy};
use crate::{arguments::Context, progress};

/// How to repair.
#[derive(clap::Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    from: Mirrors,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Look at the structure only: faster, and rot inside packs stays undiscovered
    #[arg(long)]
    quick: bool,
}

/// Where else to look.
#[derive(clap::Args)]
pub(super) struct Mirrors {
    /// A mirror of the repository (`repo init --mirror-of`) that may have what is lost
    #[arg(long = "from", value_name = "MIRROR")]
    places: Vec<String>,
}

/// What was done, for programs.
#[derive(Serialize)]
struct Done {
    dry_run: bool,
    packs: u64,
    pack_bytes: u64,
    steps: Vec<String>,
    unhealed: Vec<String>,
}

impl Repair {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let mirrors = self.from.open(&self.at, &repository)?;
        let options = RepairOptions {
            mirrors: &mirrors,
            depth: if self.quick {
                Depth::Structure
            } else {
                Depth::AllBytes
            },
            share: Share::default(),
        };
        run(context, &repository, &options, self.dry_run)
    }
}

impl Mirrors {
    /// Opens the mirrors with what opens the repository.
    pub(super) fn open(&self, at: &At, repository: &Repository) -> Result<Vec<Repository>> {
        let mut mirrors = Vec::new();
        for place in &self.places {
            let store =
                Store::open(place).with_context(|| format!("{place} is no place for a mirror"))?;
            let mirror = Repository::open(store, &at.key.unlock()?)
                .with_context(|| format!("cannot open the mirror {place}"))?;
            if mirror.id() != repository.id() {
                bail!(
                    "{place} is no mirror of this repository; \
                     `strongroom repo copy {place} …` brings its manifests here"
                );
            }
            mirrors.push(mirror);
        }
        Ok(mirrors)
    }
}

/// Plans, shows, and unless it is a dry run does; fails if something stays damaged.
pub(super) fn run(
    context: &Context,
    repository: &Repository,
    options: &RepairOptions<'_>,
    dry_run: bool,
) -> Result<()> {
    let told = Progress::default();
    let plan = progress::watch(context.output, "looking for damage", &told, || {
        Ok(repair::plan(repository, options, &told)?)
    })
    .context("cannot plan a repair")?;
    if !dry_run && !plan.is_empty() {
        let told = Progress::default();
        progress::watch(context.output, "repairing", &told, || {
            Ok(plan.execute(repository, options, &told, &entropy())?)
        })
        .context("the repair was interrupted; nothing is worse than before, run it again")?;
    }
    let done = Done::new(&plan, dry_run);
    context.output.done(&done, Done::text)?;
    if !done.unhealed.is_empty() {
        bail!(
            "{} damages are not healed; `strongroom repo check` names the manifests they hit, and \
             the next save of the same data stores what is lost anew",
            done.unhealed.len()
        );
    }
    if dry_run && !done.steps.is_empty() {
        bail!("{} steps would be taken", done.steps.len());
    }
    Ok(())
}

impl Done {
    fn new(plan: &Plan, dry_run: bool) -> Self {
        Self {
            dry_run,
            packs: plan.packs,
            pack_bytes: plan.pack_bytes,
            steps: plan.steps.iter().map(ToString::to_string).collect(),
            unhealed: plan.unhealed.iter().map(ToString::to_string).collect(),
        }
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            let verb = if self.dry_run { "would" } else { "done:" };
            lines.push(format!("{verb} {step}"));
        }
        for unhealed in &self.unhealed {
            lines.push(format!("not healed: {unhealed}"));
        }
        lines.push(format!(
            "looked at {} packs ({}): {} steps, {} damages not healed",
            self.packs,
            Bytes(self.pack_bytes),
            self.steps.len(),
            self.unhealed.len()
        ));
        lines.join("\n")
    }
}
