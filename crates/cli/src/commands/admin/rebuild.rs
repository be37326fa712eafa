//! `strongroom admin rebuild-catalog`: the catalog made anew from the data, when it is lost.
//!
//! Works on a stopped service whose `catalog.sqlite` is gone (or was begun by an earlier run of
//! this command). The master key must be there: without it nobody reads the data. At the end the
//! first user gets a new password and a new access key, written to `admin.json` as at the first
//! start; everybody else is made anew by the operator.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_control::{
    Control, Parts,
    import::{Found, Rebuilt},
    stores_below, vaults_below,
};

use crate::{
    arguments::Context,
    commands::{serve::first_start, stores::Stores},
    installation::{Installation, Lock, require_master_key},
    system::{SystemClock, SystemEntropy},
};

/// How to rebuild.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    stores: Stores,
    /// The region's name, if nothing beside the data tells it
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
}

/// What is said at the end.
#[derive(Serialize)]
struct Report {
    vaults: Vec<Line>,
    backups: u64,
    lost: u64,
}

/// What became of one vault.
#[derive(Serialize)]
struct Line {
    id: String,
    name: Option<String>,
    backups: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<String>,
}

impl Options {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let folder = std::path::absolute(context.data_dir())?;
        let _lock = Lock::take(&folder)?;
        require_master_key(&folder)?;
        let installation = Installation::open_or_make(&folder)?;
        let home = self.stores.home(&installation)?;
        let control = Control::new(Parts {
            catalog: installation.catalog.clone(),
            clock: std::sync::Arc::new(SystemClock),
            entropy: std::sync::Arc::new(SystemEntropy),
            store_of: stores_below(&home),
            regions: self.stores.others(),
            master_key: installation.master.clone(),
            own_paths: vec![installation.folder.clone()],
        });
        let mut region = self.region.clone();
        let mut report = Report {
            vaults: Vec::new(),
            backups: 0,
            lost: 0,
        };
        for found in self.found(&home)? {
            let rebuilt = control
                .rebuild_vault(&found)
                .with_context(|| format!("cannot rebuild vault {}", found.vault))?;
            report.add(&found, rebuilt, &mut region);
        }
        if !report.vaults.iter().any(|line| line.problem.is_none()) {
            let found = report.vaults.len();
            context.output.show(&report, Report::text)?;
            bail!("none of {found} vaults came back, so nothing was begun; is the store right?");
        }
        first_start::settle(&installation, region.as_deref())?;
        context.output.show(&report, Report::text)?;
        let unread = report
            .vaults
            .iter()
            .filter(|line| line.problem.is_some())
            .count();
        if unread > 0 || report.lost > 0 {
            bail!(
                "{unread} vaults and {} backups could not be read; what could be is in the \
                 catalog, and this command can be run again",
                report.lost
            );
        }
        Ok(())
    }

    /// The vaults of every region.
    fn found(&self, home: &str) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let regions = self.stores.regions().map(|(name, url)| (Some(name), url));
        for (region, url) in std::iter::once((None, home)).chain(regions) {
            let vaults = vaults_below(url).with_context(|| format!("cannot list {url}"))?;
            found.extend(vaults.into_iter().map(|vault| Found {
                vault,
                region: region.map(str::to_owned),
            }));
        }
        Ok(found)
    }
}

impl Report {
    fn add(&mut self, found: &Found, rebuilt: Rebuilt, known_region: &mut Option<String>) {
        let mut line = Line {
            id: found.vault.to_string(),
            name: None,
            backups: 0,
            problem: None,
            lost: Vec::new(),
        };
        match rebuilt {
            Rebuilt::Back {
                name,
                region,
                brought,
            } => {
                *known_region = known_region.take().or(region);
                line.name = Some(name);
                line.backups = brought.new + brought.known;
                line.lost = brought.lost;
            }
            Rebuilt::Depot { backups } => {
                line.name = Some("backups of databases".to_owned());
                line.backups = backups;
            }
            Rebuilt::Empty => line.problem = Some("nothing tells what it was".to_owned()),
            Rebuilt::Unreadable(why) => line.problem = Some(why),
        }
        self.backups += line.backups;
        self.lost += line.lost.len() as u64;
        self.vaults.push(line);
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for vault in &self.vaults {
            let name = vault.name.as_deref().unwrap_or("?");
            lines.push(match &vault.problem {
                None => format!("{} {name}: {} backups", vault.id, vault.backups),
                Some(problem) => format!("{} cannot be read: {problem}", vault.id),
            });
            lines.extend(
                vault
                    .lost
                    .iter()
                    .map(|lost| format!("    lost: manifest {lost}")),
            );
        }
        lines.push(format!(
            "{} vaults, {} backups; the new password and key are in admin.json",
            self.vaults.len(),
            self.backups
        ));
        lines.join("\n")
    }
}
