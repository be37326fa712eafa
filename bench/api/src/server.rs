//! The services that are measured: ours over a filled catalog, and a bare handler.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};
use axum::{Router, routing::any};
use http::header;
use strongroom_api::{
    Cloud,
    limit::Limit,
    listen::{self, Listener},
    metrics::Metrics,
    origins::Sockets,
};
use strongroom_catalog::Catalog;
use strongroom_control::{
    Control, MasterKey, Parts,
    identity::{FirstStart, Identity, ProjectName, Proof, ScopeWish, SignIn, UserName},
    stores_below,
};
use tokio::{runtime::Runtime, sync::watch};

use crate::{
    client::{Connection, Load},
    fill::{self, Facts},
    system::{SystemClock, SystemEntropy},
};

const REGION: &str = "bench";

/// A service over a catalog of some size; ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) facts: Facts,
    /// How many seconds filling the catalog took.
    pub(crate) filled_in: f64,
    token: String,
    _serving: Serving,
}

impl Server {
    /// Makes a catalog with that many backups in the folder, and serves it.
    pub(crate) fn start(folder: &Path, backups: u64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let catalog = Catalog::open(folder.join("catalog.sqlite"))?;
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let master = MasterKey::generate(entropy.as_ref());
        let identity = Identity::new(
            catalog.clone(),
            clock.clone(),
            entropy.clone(),
            master.clone(),
        )?;
        let first = identity
            .first_start(REGION)?
            .context("the catalog is not new")?;
        let control = Control::new(Parts {
            catalog: catalog.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            store_of: stores_below(&folder.join("repositories").display().to_string()),
            regions: BTreeMap::new(),
            master_key: master,
            own_paths: Vec::new(),
        });
        let began = Instant::now();
        let facts = fill::fill(&catalog, &control, &first, backups)?;
        let filled_in = began.elapsed().as_secs_f64();
        let token = token(&identity, &first)?;
        let sockets = Sockets::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let endpoints = sockets.endpoints(REGION, "http", None)?;
        let address = endpoints
            .cbr
            .trim_start_matches("http://")
            .parse()
            .context("the origin of CBR is no address")?;
        let cloud = Arc::new(Cloud {
            control,
            identity,
            endpoints,
            clock,
            entropy,
            limit: Limit::new(0),
            metrics: Metrics::default(),
            flavor: strongroom_wire::flavor::Flavor::Huawei,
            health: Box::new(BTreeMap::new),
        });
        Ok(Self {
            address,
            facts,
            filled_in,
            token,
            _serving: Serving::start(sockets.listeners(&cloud))?,
        })
    }

    /// The bytes of a request for that path of the project.
    pub(crate) fn request(&self, uri: &str) -> Vec<u8> {
        let (project, token) = (self.facts.project, &self.token);
        format!("GET /v3/{project}{uri} HTTP/1.1\r\nhost: x\r\nx-auth-token: {token}\r\n\r\n")
            .into_bytes()
    }

    /// Asks once.
    pub(crate) fn ask(&self, uri: &str) -> Result<Vec<u8>> {
        let mut connection = Connection::open(self.address)?;
        let reply = connection.ask(&self.request(uri));
        Ok(reply.with_context(|| uri.to_owned())?.to_vec())
    }
}

fn token(identity: &Identity, first: &FirstStart) -> Result<String> {
    let project = ProjectName::Id(first.project.id.to_string());
    let issued = identity.sign_in(&SignIn {
        proof: Proof::Password(
            UserName::Id(first.user.id.to_string()),
            first.password.clone(),
        ),
        scope: ScopeWish::Project(project),
        source: "bench".into(),
    })?;
    Ok(issued.token.to_string())
}

/// How often a second a handler answers that knows the answer already.
pub(crate) fn bare(reply: &[u8], load: &Load) -> Result<f64> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    let bytes = axum::body::Bytes::copy_from_slice(reply);
    let answer = move || {
        let bytes = bytes.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], bytes) }
    };
    let listener = Listener {
        service: "bare",
        socket,
        router: Router::new().route("/{*any}", any(answer)),
    };
    let _serving = Serving::start(vec![listener])?;
    let request = b"GET /v3/x HTTP/1.1\r\nhost: x\r\n\r\n";
    load.rate(address, request, reply.len())
}

/// Listeners on a runtime of their own, until this is dropped.
struct Serving {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Serving {
    fn start(listeners: Vec<Listener>) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        // As the service makes its own.
        let runtime: Runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(64)
            .build()?;
        let serve = move || {
            let served = runtime.block_on(listen::serve(listeners, None, stopped));
            served.map_err(|error| anyhow!(error))
        };
        Ok(Self {
            stop,
            thread: Some(thread::spawn(serve)),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It fails only if the other end is gone, which is what is wanted.
        let _gone = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
