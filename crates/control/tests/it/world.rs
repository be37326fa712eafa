//! A small world for each test: two projects, an operator, tenants, files, a catalog, stores.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use strongroom_catalog::{
    Catalog, DdmLogPartRow, PolicyType, ResourceRow, Tx, VaultPolicyRow,
    identity::{DomainRow, ProjectRow},
    jobs::WithEnded,
};
use strongroom_control::{
    Caller, Control, MasterKey, Page, Parts, Reason, Resource, Result, StoreOf, Vault,
    backups::{Backup, BackupFilter, BackupSort},
    checkpoints::NewCheckpoint,
    keys::RECORD_PATH,
    operation_logs::{OperationFailure, OperationLog},
    resources::NewResource,
    restores::{NewRestore, RestoreTarget},
    stores_below,
    vaults::{AddedResource, NewVault, VaultFilter},
    words::ObjectType,
};
use strongroom_engine::{Error as EngineError, Repository, Unlock};
use strongroom_jobs::{Options, Runner};
use strongroom_model::{
    BackupId, Bytes, CheckpointId, Clock, DomainId, Entropy, GiB, ProjectId, ResourceId,
    ResourceKind, UserId, VaultId,
};
use strongroom_store::{
    Key, Store,
    fault::Faults,
    kept::{Kept, Terms},
};
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use tempfile::TempDir;

/// Another region, and the folder of its data.
pub(crate) const FAR: &str = "far";

/// The room in memory that a simulated year takes at most.
const MEMORY_BYTES: u64 = 8 << 30;

/// What a test needs; gone with it.
pub(crate) struct World {
    /// Dropped first: what is mounted in the way of removing `dir`.
    mounts: Mutex<Vec<Mounted>>,
    /// The use cases.
    pub(crate) control: Control,
    /// The operator, working in the first project.
    pub(crate) admin: Caller,
    /// A tenant of the first project.
    pub(crate) alice: Caller,
    /// A tenant of the second project.
    pub(crate) mallory: Caller,
    /// The time.
    pub(crate) clock: Arc<ManualClock>,
    /// Where the data of the world are.
    pub(crate) dir: TempDir,
    /// What goes wrong with the stores of vaults.
    pub(crate) faults: Faults,
    catalog: Catalog,
    entropy: Arc<SeededEntropy>,
}

impl World {
    /// A fresh world.
    pub(crate) fn new() -> Self {
        Self::inside(tempfile::tempdir().unwrap())
    }

    /// A fresh world in memory, if the system has much room for files there: a disk takes longer
    /// for what a power cut would leave than for everything else, and months are long.
    pub(crate) fn in_memory() -> Self {
        let place = Path::new("/dev/shm");
        let room = rustix::fs::statvfs(place).map_or(0, |facts| facts.f_bavail * facts.f_frsize);
        if room < MEMORY_BYTES {
            return Self::new();
        }
        Self::inside(tempfile::tempdir_in(place).unwrap())
    }

    fn inside(dir: TempDir) -> Self {
        for inside in ["data", "files"] {
            fs::create_dir(dir.path().join(inside)).unwrap();
        }
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(7));
        let catalog = Catalog::open(dir.path().join("data/catalog.sqlite")).unwrap();
        let domain = DomainId::new(&*entropy);
        let (ours, theirs) = (ProjectId::new(&*entropy), ProjectId::new(&*entropy));
        let created_at = clock.now();
        catalog
            .write::<_, strongroom_catalog::Error>(|tx| {
                tx.domains().insert(&DomainRow {
                    id: domain,
                    name: "acme".into(),
                    created_at,
                })?;
                for (id, name) in [(ours, "ours"), (theirs, "theirs")] {
                    tx.projects().insert(&ProjectRow {
                        id,
                        domain_id: domain,
                        name: name.into(),
                        enabled: true,
                        created_at,
                    })?;
                }
                Ok(())
            })
            .unwrap();
        let caller = |project, is_admin| Caller {
            user_id: UserId::new(&*entropy),
            domain_id: domain,
            project_id: Some(project),
            is_admin,
            request_id: "request-1".into(),
            source: "127.0.0.1".into(),
        };
        let (admin, alice) = (caller(ours, true), caller(ours, false));
        let mallory = caller(theirs, false);
        let faults = Faults::new();
        let control = control(
            dir.path(),
            &catalog,
            &faults,
            Arc::clone(&clock) as _,
            &entropy,
        );
        Self {
            control,
            admin,
            alice,
            mallory,
            clock,
            dir,
            faults,
            catalog,
            entropy,
            mounts: Mutex::default(),
        }
    }

    /// Goes on with stores that are kept, as another service keeps them.
    pub(crate) fn keep_stores(&mut self) {
        let (data, clock) = (self.dir.path().join("data"), Arc::clone(&self.clock));
        let kept = move |vault: VaultId| {
            let url = data.join("repositories").join(vault.to_string());
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            Ok(Kept::open(url.to_str().unwrap(), Terms::default(), clock)?.store())
        };
        let own = self.dir.path().join("data");
        self.control = Control::new(Parts {
            catalog: self.catalog.clone(),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
            store_of: Arc::new(kept),
            regions: [].into(),
            master_key: master_key(),
            own_paths: vec![own],
        });
    }

    /// Goes on with another clock.
    pub(crate) fn set_clock(&mut self, clock: Arc<dyn Clock>) {
        self.control = control(
            self.dir.path(),
            &self.catalog,
            &self.faults,
            clock,
            &self.entropy,
        );
    }

    /// A second server on the same catalog and clock.
    pub(crate) fn second_control(&self) -> Control {
        control(
            self.dir.path(),
            &self.catalog,
            &self.faults,
            Arc::clone(&self.clock) as _,
            &self.entropy,
        )
    }

    /// Puts a copy of the world in its place, and a new service over it.
    pub(crate) fn become_copy(&mut self, copy: &Path) {
        self.catalog = Catalog::memory().unwrap();
        self.set_clock(Arc::clone(&self.clock) as _);
        for part in ["data", "files"] {
            let place = self.dir.path().join(part);
            fs::remove_dir_all(&place).unwrap();
            fs::rename(copy.join(part), &place).unwrap();
        }
        self.catalog = Catalog::open(self.dir.path().join("data/catalog.sqlite")).unwrap();
        self.set_clock(Arc::clone(&self.clock) as _);
    }

    /// Loses the catalog and goes on with an empty one.
    pub(crate) fn lose_catalog(&mut self) {
        self.catalog = Catalog::memory().unwrap();
        self.set_clock(Arc::clone(&self.clock) as _);
        let file = self.dir.path().join("data/catalog.sqlite");
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = fs::remove_file(file.with_file_name(name));
        }
        self.catalog = Catalog::open(file).unwrap();
        self.set_clock(Arc::clone(&self.clock) as _);
    }

    /// Makes a domain of the old name in the catalog, as a first start would.
    pub(crate) fn begin_anew(&self) {
        let row = DomainRow {
            id: DomainId::new(&*self.entropy),
            name: "acme".into(),
            created_at: self.clock.now(),
        };
        let insert = |tx: &Tx<'_>| tx.domains().insert(&row);
        self.catalog
            .write::<_, strongroom_catalog::Error>(insert)
            .unwrap();
    }

    /// Takes a backup's row out of the catalog, and nothing else.
    pub(crate) fn forget_row(&self, backup: &Backup) {
        let remove = |tx: &Tx<'_>| tx.backups().remove(&backup.project_id, &backup.id);
        let gone = self
            .catalog
            .write::<_, strongroom_catalog::Error>(remove)
            .unwrap();
        assert!(gone);
    }

    /// The tenant's vaults.
    pub(crate) fn vaults(&self) -> Vec<Vault> {
        let filter = VaultFilter::default();
        self.control
            .list_vaults(&self.alice, &filter, &Page::default())
            .unwrap()
            .items
    }

    /// How many manifests a vault's repository holds; 0 if there is none.
    pub(crate) fn manifests(&self, vault: VaultId) -> usize {
        manifests_in(self.store(vault), vault)
    }

    /// The path of something protected.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    /// Registers a share with a file in it.
    pub(crate) fn share(&self, name: &str) -> Resource {
        let path = self.file(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("hello.txt"), format!("hello from {name}")).unwrap();
        self.register(ResourceKind::Share, name).unwrap()
    }

    /// Registers an image of that many bytes, the first of them not zero.
    pub(crate) fn volume(&self, name: &str, size: u64) -> Resource {
        let file = fs::File::create(self.file(name)).unwrap();
        file.set_len(size).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, name.as_bytes(), 0).unwrap();
        self.register(ResourceKind::Volume, name).unwrap()
    }

    /// Registers what is at the path of that name, as the operator.
    pub(crate) fn register(&self, kind: ResourceKind, name: &str) -> Result<Resource> {
        let new = NewResource {
            kind,
            name: name.into(),
            path: self.file(name),
            project_id: None,
            tags: Vec::new(),
        };
        self.control.register_resource(&self.admin, new)
    }

    /// Makes a vault of 10 GiB with these resources, as the tenant.
    pub(crate) fn vault(
        &self,
        name: &str,
        object_type: ObjectType,
        resources: &[&Resource],
    ) -> Vault {
        let resources = resources.iter().map(|resource| added(resource)).collect();
        let new = NewVault {
            resources,
            ..NewVault::new(name, object_type, GiB(10))
        };
        self.control.create_vault(&self.alice, new).unwrap()
    }

    /// Runs all jobs that can run now.
    pub(crate) fn run(&self) {
        self.runner().run_until_idle().unwrap();
    }

    /// A runner without threads.
    pub(crate) fn runner(&self) -> Arc<Runner<Control>> {
        let runner = self
            .control
            .runner(Options::named(self.entropy.uuid().to_string()));
        runner.adopt_orphans().unwrap();
        runner
    }

    /// Backs the vault up and returns the one backup that this made.
    pub(crate) fn back_up(&self, vault: VaultId) -> Backup {
        self.clock.advance_seconds(1);
        let new = NewCheckpoint::of(vault);
        let checkpoint = self.control.create_checkpoint(&self.alice, new).unwrap();
        self.run();
        self.backup_of(checkpoint.id)
    }

    /// The one backup of a checkpoint.
    pub(crate) fn backup_of(&self, checkpoint: CheckpointId) -> Backup {
        let filter = BackupFilter {
            checkpoint_id: Some(checkpoint),
            ..BackupFilter::default()
        };
        let mut found = self.backups(&filter);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// The one backup that there is.
    pub(crate) fn only_backup(&self) -> Backup {
        let mut found = self.backups(&BackupFilter::default());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The newest backup with a name that begins so.
    pub(crate) fn backup_named(&self, prefix: &str) -> Backup {
        let found = self.backups(&BackupFilter::default());
        found
            .into_iter()
            .find(|backup| backup.name.starts_with(prefix))
            .unwrap()
    }

    /// The tenant's backups that match, newest first.
    pub(crate) fn backups(&self, filter: &BackupFilter) -> Vec<Backup> {
        let sort = BackupSort::default();
        self.control
            .list_backups(&self.alice, filter, &sort, &Page::default())
            .unwrap()
            .items
    }

    /// Restores as the operator; the task, or the failure that it ended with.
    pub(crate) fn restore(
        &self,
        backup_id: BackupId,
        target: RestoreTarget,
    ) -> Result<OperationLog, OperationFailure> {
        let new = NewRestore {
            backup_id,
            target,
            inside: None,
        };
        self.clock.advance_seconds(1);
        let id = self.control.restore_backup(&self.admin, new).unwrap();
        self.run();
        let log = self.control.show_operation_log(&self.alice, id).unwrap();
        match log.error.clone() {
            None => Ok(log),
            Some(failure) => Err(failure),
        }
    }

    /// Runs all jobs, letting the pauses between attempts pass.
    pub(crate) fn run_for_long(&self) {
        for _ in 0..20 {
            self.run();
            if self.unfinished_jobs() == 0 {
                return;
            }
            self.clock.advance_seconds(600);
        }
        panic!("{} jobs come to no end", self.unfinished_jobs());
    }

    fn unfinished_jobs(&self) -> u64 {
        let list = |tx: &Tx<'_>| {
            tx.jobs()
                .list(WithEnded::No, &strongroom_catalog::Page::ALL)
        };
        self.catalog
            .read::<_, strongroom_catalog::Error>(list)
            .unwrap()
            .total
    }

    /// The pieces of logs that the catalog names, by server and in order.
    pub(crate) fn pieces(&self) -> Vec<DdmLogPartRow> {
        let project = self.alice.project_id.unwrap();
        let all = |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for log in tx.ddm_points().any_project_logs()? {
                all.extend(tx.ddm_points().parts(&project, &log.server_id)?);
            }
            Ok(all)
        };
        self.catalog
            .read::<_, strongroom_catalog::Error>(all)
            .unwrap()
    }

    /// Takes a piece out of the catalog, and nothing else.
    pub(crate) fn forget_piece(&self, piece: &DdmLogPartRow) {
        let name = (piece.seq, piece.manifest_id.as_str());
        let remove = |tx: &Tx<'_>| {
            tx.ddm_points()
                .remove_part(&piece.project_id, &piece.server_id, name)
        };
        let gone = self
            .catalog
            .write::<_, strongroom_catalog::Error>(remove)
            .unwrap();
        assert!(gone);
    }

    /// The repository of the first project's database backups.
    pub(crate) fn depot(&self) -> Repository {
        let project = self.alice.project_id.unwrap();
        let row = self
            .catalog
            .read::<_, strongroom_catalog::Error>(|tx| tx.depots().get(&project))
            .unwrap()
            .unwrap();
        let store = self.store(row.vault_id);
        let record = store.get(&Key::new("depot.json").unwrap()).unwrap();
        let opened = master_key().open_record(&record).unwrap();
        Repository::open(store, &Unlock::Key(opened.key())).unwrap()
    }

    /// Says that so much of a vault's quota is used.
    pub(crate) fn set_used(&self, vault: VaultId, used: Bytes) {
        let project = self.alice.project_id.unwrap();
        self.catalog
            .write::<_, strongroom_catalog::Error>(|tx| {
                tx.vaults()
                    .change(&project, &vault, |row| row.used_bytes = used)
            })
            .unwrap();
    }

    /// Takes the next run from a vault's policy, as a release left it that did not run its type.
    pub(crate) fn forget_next_run(&self, vault: VaultId, operation_type: PolicyType) {
        let project = self.alice.project_id.unwrap();
        self.catalog
            .write::<_, strongroom_catalog::Error>(|tx| {
                let place = tx.vault_policies().get(&project, &vault, operation_type)?;
                tx.vault_policies().set(&VaultPolicyRow {
                    due_at: None,
                    start_at: None,
                    ..place.unwrap()
                })
            })
            .unwrap();
    }

    /// How many statements the catalog was asked.
    pub(crate) fn statements(&self) -> u64 {
        self.catalog.statements()
    }

    /// Puts resources into the catalog that nothing need be at.
    pub(crate) fn insert_resources(&self, rows: &[ResourceRow]) {
        let insert = |tx: &Tx<'_>| rows.iter().try_for_each(|row| tx.resources().insert(row));
        self.catalog
            .write::<_, strongroom_catalog::Error>(insert)
            .unwrap();
    }

    /// How many backups of the tenant match, whatever the page.
    pub(crate) fn backups_in_all(&self, filter: &BackupFilter) -> u64 {
        let (sort, page) = (BackupSort::default(), Page::default());
        let list = self.control.list_backups(&self.alice, filter, &sort, &page);
        list.unwrap().total
    }

    /// What of the tenant's project is kept counted otherwise than counting again says.
    pub(crate) fn counted_wrongly(&self) -> Vec<&'static str> {
        let project = self.alice.project_id.unwrap();
        let look = |tx: &Tx<'_>| tx.usage().differences(&project);
        self.catalog
            .read::<_, strongroom_catalog::Error>(look)
            .unwrap()
    }

    /// Spoils what is counted for the resource of a backup.
    pub(crate) fn spoil_counts(&self, of: &Backup) {
        let spoil = |tx: &Tx<'_>| {
            let (project, vault, resource) = (&of.project_id, &of.vault_id, &of.resource_id);
            let places = tx.vault_resources();
            places.change(project, vault, resource, |row| row.backup_count = 70)
        };
        self.catalog
            .write::<_, strongroom_catalog::Error>(spoil)
            .unwrap();
    }

    /// Makes a file that cannot be read, not even by root; `false` if this machine does not let
    /// us: root needs a bind mount for that.
    pub(crate) fn make_unreadable(&self, name: &str) -> bool {
        let path = self.file(name);
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(&path).is_err() {
            return true;
        }
        let Some(refusing) = refusing_file() else {
            return false;
        };
        let mount = Command::new("mount")
            .arg("--bind")
            .arg(refusing)
            .arg(&path)
            .status();
        let done = mount.is_ok_and(|status| status.success());
        self.mounts
            .lock()
            .unwrap()
            .extend(done.then_some(Mounted(path)));
        done
    }

    /// Puts the stores of all vaults on a file system of that size; `false` if this machine does
    /// not let us.
    pub(crate) fn small_disk_for_stores(&self, size: &str) -> bool {
        let place = self.dir.path().join("data/repositories");
        fs::create_dir_all(&place).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(&place)
            .status();
        let done = mount.is_ok_and(|status| status.success());
        self.mounts
            .lock()
            .unwrap()
            .extend(done.then_some(Mounted(place)));
        done
    }

    /// What all files of all stores take.
    pub(crate) fn bytes_of_stores(&self) -> u64 {
        fn bytes(path: &Path) -> u64 {
            let found = path.symlink_metadata().unwrap();
            if !found.is_dir() {
                return found.len();
            }
            fs::read_dir(path)
                .unwrap()
                .map(|entry| bytes(&entry.unwrap().path()))
                .sum()
        }
        bytes(&self.dir.path().join("data/repositories"))
    }

    /// Fills an image with bytes that depend on the seed.
    pub(crate) fn scribble(&self, name: &str, seed: u64) {
        let path = self.file(name);
        let mut bytes = fs::read(&path).unwrap();
        SeededEntropy::new(seed).fill(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    /// Loses every pack that a vault's store holds now.
    pub(crate) fn lose_packs(&self, vault: VaultId) {
        let store = self.store(vault);
        let mut packs = Vec::new();
        store
            .list("packs/", &mut |key, _| {
                packs.push(key);
                Ok(())
            })
            .unwrap();
        assert!(!packs.is_empty());
        for pack in &packs {
            store.delete(pack).unwrap();
        }
    }

    /// Spoils the middle of the largest pack that a vault's store holds now.
    pub(crate) fn spoil_largest_pack(&self, vault: VaultId) {
        let store = self.store(vault);
        let mut largest = None;
        store
            .list("packs/", &mut |key, size| {
                largest = largest.take().max(Some((size, key)));
                Ok(())
            })
            .unwrap();
        let (_, key) = largest.unwrap();
        let mut bytes = store.get(&key).unwrap().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0);
        store.delete(&key).unwrap();
        store.create_new(&key, &bytes).unwrap();
    }

    /// The store of a vault, without faults.
    pub(crate) fn store(&self, vault: VaultId) -> Store {
        let place = self
            .dir
            .path()
            .join("data/repositories")
            .join(vault.to_string());
        Store::open(place.to_str().unwrap()).unwrap()
    }

    /// The store of a vault in the other region, without faults.
    pub(crate) fn far_store(&self, vault: VaultId) -> Store {
        let place = self
            .dir
            .path()
            .join("data")
            .join(FAR)
            .join(vault.to_string());
        Store::open(place.to_str().unwrap()).unwrap()
    }

    /// How many objects the store of a vault holds.
    pub(crate) fn objects(&self, vault: VaultId) -> usize {
        let mut count = 0;
        self.store(vault)
            .list("", &mut |_, _| {
                count += 1;
                Ok(())
            })
            .unwrap();
        count
    }

    /// An id of nothing.
    pub(crate) fn nothing(&self) -> ResourceId {
        ResourceId::from_bytes(*self.entropy.uuid().as_bytes())
    }
}

/// The resource as a caller names it.
pub(crate) fn added(resource: &Resource) -> AddedResource {
    AddedResource {
        id: resource.id,
        kind: Some(resource.kind),
        extra_info: None,
    }
}

/// A control over the data directory in `dir`.
pub(crate) fn control(
    dir: &Path,
    catalog: &Catalog,
    faults: &Faults,
    clock: Arc<dyn Clock>,
    entropy: &Arc<SeededEntropy>,
) -> Control {
    let data = dir.join("data");
    let stores = |folder: &str| -> StoreOf {
        let (stores, faults) = (
            stores_below(data.join(folder).to_str().unwrap()),
            faults.clone(),
        );
        Arc::new(move |vault| Ok(faults.wrap(&stores(vault)?)))
    };
    let (near, far) = (stores("repositories"), stores(FAR));
    Control::new(Parts {
        catalog: catalog.clone(),
        clock,
        entropy: Arc::clone(entropy) as _,
        store_of: near,
        regions: [(FAR.to_owned(), far)].into(),
        master_key: master_key(),
        own_paths: vec![data],
    })
}

/// How many manifests that store of a vault holds; 0 if it has no repository.
pub(crate) fn manifests_in(store: Store, vault: VaultId) -> usize {
    let Ok(record) = store.get(&Key::new(RECORD_PATH).unwrap()) else {
        return 0;
    };
    let opened = master_key().open_record(&record).unwrap();
    assert_eq!(opened.vault, vault);
    match Repository::open(store, &Unlock::Key(opened.key())) {
        Ok(repository) => repository.manifests().unwrap().len(),
        Err(EngineError::NotARepository { .. }) => 0,
        Err(error) => panic!("{error}"),
    }
}

fn master_key() -> MasterKey {
    MasterKey::from_hex(&"5a".repeat(32)).unwrap()
}

/// A file that the kernel itself refuses to show, even to root.
fn refusing_file() -> Option<PathBuf> {
    let devices = fs::read_dir("/sys/bus/pci/devices").ok()?.flatten();
    devices
        .map(|device| device.path().join("rescan"))
        .find(|file| file.exists())
}

/// Something mounted in the world; gone with this.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// The reason of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T>) -> Reason {
    answer.expect_err("the call must be refused").reason()
}
