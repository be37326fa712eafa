//! The handle on all use cases, and what it is made of.
//!
//! `Control` is cheap to clone and remembers nothing that matters: everything it knows is in the
//! catalog and in the repositories, so that a second one over the same two knows the same. That
//! is what makes `kill -9` harmless.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use strongroom_catalog::{Catalog, Tx, VaultRow};
use strongroom_model::{BackupId, Clock, Entropy, ProjectId, Timestamp, VaultId};
use strongroom_store::{ErrorKind, Key, Store, registry};

use crate::{
    Caller, Error, MasterKey, Result, audit_logs::Heads, dbss::monitor::Samples,
    freshness::watchdog::Round,
};

/// Opens the store that holds one vault's repository and nothing else.
pub type StoreOf = Arc<dyn Fn(VaultId) -> strongroom_store::Result<Store> + Send + Sync>;

/// What a [`Control`] works with.
pub struct Parts {
    /// What the service remembers.
    pub catalog: Catalog,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Where the repository of each vault is; see [`stores_below`].
    pub store_of: StoreOf,
    /// The same for each other region, by its name.
    pub regions: BTreeMap<String, StoreOf>,
    /// Wraps the data keys.
    pub master_key: MasterKey,
    /// The service's own directories: no resource may be inside of one, and a share around one
    /// leaves it out.
    pub own_paths: Vec<PathBuf>,
}

/// One store for each vault, `<url>/<vault id>`; a query (`?endpoint=…`) stays behind.
pub fn stores_below(url: &str) -> StoreOf {
    let url = url.to_owned();
    Arc::new(move |vault| Store::open(&registry::below(&url, &vault.to_string())))
}

/// The vaults that have something below `url`, as [`stores_below`] puts them there.
pub fn vaults_below(url: &str) -> strongroom_store::Result<Vec<VaultId>> {
    let store = Store::open(url)?;
    let mut found = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        // One key of each folder tells of it; the listing goes on behind its last possible one.
        let mut first = None;
        let listed = store.list_after("", after.as_ref(), &mut |key, _| {
            first = Some(key);
            Err(strongroom_store::Error::new(ErrorKind::Other).because("enough"))
        });
        let Some(key) = first else {
            return listed.map(|()| found);
        };
        let folder = key.as_str().split('/').next().unwrap_or_default();
        found.extend(folder.parse::<VaultId>());
        after = Some(Key::new(&format!("{folder}/{}", "z".repeat(100))).unwrap_or(key));
    }
}

/// The handle on all use cases.
#[derive(Clone)]
pub struct Control {
    parts: Arc<Parts>,
    waker: Arc<OnceLock<Waker>>,
    round: Arc<Mutex<Option<Round>>>,
    panics: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    heads: Arc<Heads>,
    samples: Arc<Samples>,
    logs: Arc<Mutex<BTreeMap<String, Arc<Mutex<()>>>>>,
    retained: Arc<Mutex<BTreeMap<BackupId, Timestamp>>>,
}

/// Called whenever jobs were ordered.
type Waker = Box<dyn Fn() + Send + Sync>;

impl Control {
    /// The use cases over `parts`.
    pub fn new(mut parts: Parts) -> Self {
        for path in &mut parts.own_paths {
            // Paths of resources are resolved too; what does not exist yet stays as it is named.
            *path = path.canonicalize().unwrap_or_else(|_| path.clone());
        }
        Self {
            parts: Arc::new(parts),
            waker: Arc::default(),
            round: Arc::default(),
            panics: Arc::default(),
            heads: Arc::default(),
            samples: Arc::default(),
            logs: Arc::default(),
            retained: Arc::default(),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn time(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.parts.entropy
    }

    pub(crate) fn shared_entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.parts.entropy)
    }

    /// Heads of segments of audit logs that were read before: they never change.
    pub(crate) fn heads(&self) -> &Heads {
        &self.heads
    }

    /// What the host did.
    pub(crate) fn samples(&self) -> &Samples {
        &self.samples
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.parts.master_key
    }

    pub(crate) fn own_paths(&self) -> &[PathBuf] {
        &self.parts.own_paths
    }

    /// Whether something of the service's own is inside of `path`.
    pub(crate) fn is_around_own(&self, path: &Path) -> bool {
        self.own_paths().iter().any(|own| own.starts_with(path))
    }

    /// The store of a vault's repository, in the vault's region.
    pub(crate) fn store_of(&self, vault: &VaultRow) -> strongroom_store::Result<Store> {
        self.store_in(vault.region.as_deref(), vault.id)
    }

    /// The store of the repository of a vault in that region; `None` is this service's own.
    pub(crate) fn store_in(
        &self,
        region: Option<&str>,
        vault: VaultId,
    ) -> strongroom_store::Result<Store> {
        let Some(region) = region else {
            return (self.parts.store_of)(vault);
        };
        let Some(stores) = self.parts.regions.get(region) else {
            let why = format!("region {region} is not configured; name its store again");
            return Err(strongroom_store::Error::new(ErrorKind::Denied).because(why));
        };
        stores(vault)
    }

    /// The names of the other regions.
    pub(crate) fn other_regions(&self) -> impl Iterator<Item = &str> {
        self.parts.regions.keys().map(String::as_str)
    }

    /// Runs `body` on one unchanging view of the catalog.
    pub(crate) fn read<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.parts.catalog.read(body)
    }

    /// As [`read`](Self::read), for a body of one statement: a view by itself.
    pub(crate) fn glance<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.parts.catalog.glance(body)
    }

    /// Runs `body` alone among writers; nothing of it stays if it fails.
    pub(crate) fn write<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.parts.catalog.write(body)
    }

    /// As [`write`](Self::write), for a body that orders jobs: wakes the workers.
    pub(crate) fn order<T>(&self, body: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let done = self.write(body)?;
        self.wake();
        Ok(done)
    }

    /// What the watchdog's last round found, for metrics; none before the first.
    pub fn last_round(&self) -> Option<Round> {
        self.round_slot().clone()
    }

    pub(crate) fn set_round(&self, round: Round) {
        *self.round_slot() = Some(round);
    }

    fn round_slot(&self) -> MutexGuard<'_, Option<Round>> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a round (of the scheduler, the upkeep, the watchdog) that panicked.
    pub fn count_panic(&self, round: &'static str) {
        *self.panics_slot().entry(round).or_default() += 1;
    }

    /// How many rounds panicked since the start, by their name; for metrics.
    pub fn panics(&self) -> BTreeMap<&'static str, u64> {
        self.panics_slot().clone()
    }

    fn panics_slot(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by whoever reads a server's log, so that nobody reads the same part of it.
    pub(crate) fn log_lock(&self, server: &str) -> Arc<Mutex<()>> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(logs.entry(server.to_owned()).or_default())
    }

    /// Until when the stores keep backups of locked vaults, as far as this process knows.
    pub(crate) fn retained(&self) -> MutexGuard<'_, BTreeMap<BackupId, Timestamp>> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where files lie that do not outlive the work on them.
    pub(crate) fn scratch(&self) -> PathBuf {
        let own = self.own_paths().first().cloned();
        own.unwrap_or_else(std::env::temp_dir).join("scratch")
    }

    /// Four hexadecimal digits for a name.
    pub(crate) fn four_digits(&self) -> String {
        hex::encode(strongroom_model::entropy::random::<2>(self.entropy()))
    }

    /// Has `waker` called whenever jobs were ordered; the first one stays.
    pub(crate) fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        // A second runner of one process has its timed look.
        let _ = self.waker.set(Box::new(waker));
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker();
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("catalog", &self.parts.catalog)
            .finish_non_exhaustive()
    }
}

/// The project that the caller works in.
pub(crate) fn project(caller: &Caller) -> Result<ProjectId> {
    caller
        .project_id
        .ok_or_else(|| Error::forbidden("this needs a token for a project"))
}

/// Refuses everybody but operators of the service.
pub(crate) fn operator(caller: &Caller) -> Result<()> {
    if caller.is_admin {
        return Ok(());
    }
    Err(Error::forbidden(
        "only an operator of the service may do this",
    ))
}
