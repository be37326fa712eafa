//! `strongroom serve`: the whole service in one process.
//!
//! Order matters: the lock, then the catalog and the first start, then the sockets, then the files
//! that say where they are, then the jobs that an earlier process left, and only then the ready
//! line. Whoever has read that line can call.
//!
//! Ends on SIGTERM and SIGINT: requests under way finish, running jobs are left for the next start.

pub(crate) mod courier;
pub(crate) mod first_start;
mod hosting;
mod rounds;
mod stop;
mod upkeep;
mod watch;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use strongroom_api::{
    Cloud, Endpoints,
    limit::Limit,
    listen::{self, Listener},
    metrics::Metrics,
    origins::Sockets,
    tls::{self, PrivateCa},
};
use strongroom_catalog::{Catalog, Error as CatalogError};
use strongroom_control::{Control, Parts, stores_below, verification::Terms};
use strongroom_jobs::Options as RunnerOptions;
use strongroom_model::Entropy;
use strongroom_store::limit::Rate;
use strongroom_wire::flavor::Flavor;
use tracing_subscriber::EnvFilter;

use self::{courier::Post, hosting::Hosted, upkeep::Upkeep, watch::Watch};
use crate::{
    arguments::Context,
    commands::stores::Stores,
    installation::{Installation, Lock, replace_private},
    system::{SystemClock, SystemEntropy},
};

/// How to serve.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The first of five consecutive ports; with port 0 each service gets a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// The name by which clients reach this host, for the token catalog and the certificate
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Serve HTTPS with a certificate by our own authority (DIR/tls/ca.pem)
    #[arg(long)]
    tls: bool,
    /// Serve HTTPS with your own certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let others than this machine call without TLS: passwords and data then cross the network
    /// for all to read
    #[arg(long)]
    insecure: bool,
    /// The name of the region, and of the first project; cannot change later
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    #[command(flatten)]
    stores: Stores,
    /// Keep objects for other services, which reach them here (see `admin store`)
    #[arg(long, value_name = "ADDR:PORT")]
    host_stores: Option<SocketAddr>,
    /// How many backups and restores run at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    workers: usize,
    /// Whose spelling the backup service's replies have: huawei shows nulls, otc leaves them out
    /// and writes times with an offset
    #[arg(long, value_name = "FLAVOR", default_value = "huawei")]
    flavor: Flavor,
    /// How many requests a second each project may make, five seconds' worth at once; 0 is any
    /// number
    #[arg(long, value_name = "N", default_value_t = 200)]
    requests_per_second: u32,
    /// Within so many days every byte of every vault is read again; 0 is never
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    verify_days: u32,
    /// How fast that reads at most: bytes per second such as 500K, 20M, 1GiB
    #[arg(long, value_name = "RATE", default_value = "64M")]
    verify_rate: Rate,
    /// End when standard input is closed, that is, with the program that started this one
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        log_to_stderr();
        self.refuse_plain()?;
        if self.listen.ip().is_unspecified() && self.host.is_none() {
            bail!(
                "{} is every address of this machine; say with --host which name clients use",
                self.listen.ip()
            );
        }
        let folder = std::path::absolute(context.data_dir())?;
        // Ends with this function, after everything that uses the directory.
        let _lock = Lock::take(&folder)?;
        let installation = Installation::open_or_make(&folder)?;
        let region = first_start::settle(&installation, self.region.as_deref())?;
        note_head(&installation)?;
        let tls = self.server_config(&folder)?;
        let sockets = Sockets::bind(self.listen).context("cannot listen")?;
        let hosted = self.host_stores.map(|at| Hosted::bind(at, &folder));
        let hosted = hosted.transpose()?;
        let endpoints = self.advertise(&sockets, hosted.as_ref(), &region, &folder)?;

        let control = self.control(&installation)?;
        let runner = control.runner(RunnerOptions {
            threads: self.workers.max(1),
            ..RunnerOptions::named(SystemEntropy.uuid().to_string())
        });
        let left = runner
            .adopt_orphans()
            .context("cannot take over unfinished jobs")?;
        if left > 0 {
            tracing::info!(jobs = left, "an earlier process left jobs; they go on");
        }
        runner.start().context("cannot start the workers")?;
        let upkeep = Upkeep::start(&control, self.terms()).context("cannot start the rounds")?;
        let watch = Watch::start(&control, Post::new()?).context("cannot start the watchdog")?;
        let cloud = Arc::new(cloud(
            installation,
            control,
            endpoints,
            (self.flavor, self.requests_per_second),
        ));
        let mut listeners = sockets.listeners(&cloud);
        let kept = hosted
            .map(|hosted| hosted.start(&cloud.control))
            .transpose()?;
        let (rounds, listener) = kept.unzip();
        listeners.extend(listener);
        let served = self.serve(listeners, tls, &cloud.endpoints);
        drop((watch, rounds));
        drop(upkeep);
        runner.drain();
        served
    }

    /// Refuses to let secrets and data cross a network for all to read.
    fn refuse_plain(&self) -> Result<()> {
        let far = |at: &&SocketAddr| !at.ip().is_loopback();
        let at = [Some(&self.listen), self.host_stores.as_ref()];
        match at.into_iter().flatten().find(far) {
            Some(at) if !self.encrypted() && !self.insecure => bail!(
                "{at} can be reached from other machines: add --tls (or --tls-cert and --tls-key), \
                 or say --insecure if something in front encrypts"
            ),
            _ => Ok(()),
        }
    }

    const fn terms(&self) -> Terms {
        Terms {
            days: self.verify_days,
            rate: Some(self.verify_rate),
        }
    }

    const fn encrypted(&self) -> bool {
        self.tls || self.tls_cert.is_some()
    }

    fn server_config(&self, folder: &Path) -> Result<Option<Arc<ServerConfig>>> {
        let config = match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => tls::from_files(chain, key)?,
            _ if self.tls => {
                let authority = PrivateCa::open(&folder.join("tls"), Arc::new(SystemClock))?;
                let mut names = vec![self.listen.ip().to_string()];
                names.extend(self.host_stores.map(|at| at.ip().to_string()));
                names.extend(self.host.clone());
                authority.server_config(&names)?
            }
            _ => return Ok(None),
        };
        Ok(Some(config))
    }

    /// Writes down where the services are.
    fn advertise(
        &self,
        sockets: &Sockets,
        hosted: Option<&Hosted>,
        region: &str,
        folder: &Path,
    ) -> Result<Endpoints> {
        let scheme = if self.encrypted() { "https" } else { "http" };
        let host = self.host.as_deref();
        let stores = hosted.map(|hosted| hosted.origin(scheme, host));
        let endpoints = Endpoints {
            stores: stores.transpose()?,
            ..sockets.endpoints(region, scheme, host)?
        };
        let path = folder.join("endpoints.json");
        let json = serde_json::to_vec_pretty(&endpoints)?;
        replace_private(&path, &json)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let ca_file = (self.tls && self.tls_cert.is_none()).then(|| folder.join("tls/ca.pem"));
        first_start::note_authority(folder, ca_file.as_deref())?;
        Ok(endpoints)
    }

    fn control(&self, installation: &Installation) -> Result<Control> {
        let mut own_paths = vec![installation.folder.clone()];
        own_paths.extend(self.stores.folders()?);
        let own = installation.identity.region()?;
        if let Some((name, _)) = self
            .stores
            .regions()
            .find(|(name, _)| own.as_deref() == Some(name))
        {
            bail!("{name} is this service's own region; --region-store is for others");
        }
        Ok(Control::new(Parts {
            catalog: installation.catalog.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            store_of: stores_below(&self.stores.home(installation)?),
            regions: self.stores.others(),
            master_key: installation.master.clone(),
            own_paths,
        }))
    }

    /// Serves until it is told to stop.
    fn serve(
        &self,
        listeners: Vec<Listener>,
        tls: Option<Arc<ServerConfig>>,
        endpoints: &Endpoints,
    ) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            // Each use case holds one; more at once would only wait for the catalog.
            .max_blocking_threads(64)
            .build()
            .context("cannot start the runtime")?;
        let _entered = runtime.enter();
        let stopped = stop::watch(self.until_stdin_closes)?;
        println!(
            "strongroom ready: identity {} cbr {}",
            endpoints.identity, endpoints.cbr
        );
        let served = runtime.block_on(listen::serve(listeners, tls, stopped));
        served.context("a service ended unexpectedly")
    }
}

fn cloud(
    installation: Installation,
    control: Control,
    endpoints: Endpoints,
    (flavor, requests_per_second): (Flavor, u32),
) -> Cloud {
    let catalog = installation.catalog;
    Cloud {
        control,
        identity: installation.identity,
        endpoints,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        flavor,
        limit: Limit::new(requests_per_second),
        metrics: Metrics::default(),
        health: Box::new(move || health(&catalog)),
    }
}

/// Says in the log what the audit trail hangs on, so that a copy of the log can prove that the
/// trail was not cut short.
fn note_head(installation: &Installation) -> Result<()> {
    if let Some(head) = installation.identity.audit_head()? {
        let seal = hex::encode(head.seal);
        tracing::info!(seq = head.seq, %seal, "the audit trail goes on after this record");
    }
    Ok(())
}

/// What of the parts below does not work.
fn health(catalog: &Catalog) -> BTreeMap<String, String> {
    let looked = catalog.read::<_, CatalogError>(|tx| tx.domains().list().map(drop));
    let problem = looked
        .err()
        .map(|error| ("catalog".to_owned(), error.to_string()));
    problem.into_iter().collect()
}

/// Logs to standard error, as `RUST_LOG` says, as JSON where nobody watches.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A second subscriber in one process can only be a test's.
    let _ = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().try_init()
    };
}
