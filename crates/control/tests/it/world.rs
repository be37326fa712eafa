//! A small world for each test: two projects, an operator, tenants, files, a catalog, stores.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use strongroom_catalog::{
    Catalog,
    identity::{DomainRow, ProjectRow},
};
use strongroom_control::{
    Caller, Control, MasterKey, Parts, Reason, Resource, Result, Vault,
    resources::NewResource,
    stores_below,
    vaults::{AddedResource, NewVault},
    words::ObjectType,
};
use strongroom_model::{DomainId, Entropy, GiB, ProjectId, ResourceId, ResourceKind, UserId};
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use tempfile::TempDir;

/// What a test needs; gone with it.
pub struct World {
    /// The use cases.
    pub control: Control,
    /// The operator, working in the first project.
    pub admin: Caller,
    /// A tenant of the first project.
    pub alice: Caller,
    /// A tenant of the second project.
    pub mallory: Caller,
    /// The time.
    pub clock: Arc<ManualClock>,
    /// Where the data of the world are.
    pub dir: TempDir,
    entropy: Arc<SeededEntropy>,
}

impl World {
    /// A fresh world.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for inside in ["data", "files"] {
            fs::create_dir(dir.path().join(inside)).unwrap();
        }
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(7));
        let catalog = Catalog::open(dir.path().join("data/catalog.sqlite")).unwrap();
        let domain = DomainId::new(&*entropy);
        let (ours, theirs) = (ProjectId::new(&*entropy), ProjectId::new(&*entropy));
        let created_at = strongroom_model::Clock::now(&*clock);
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
        let control = control(dir.path(), catalog, &clock, &entropy);
        Self {
            control,
            admin,
            alice,
            mallory,
            clock,
            dir,
            entropy,
        }
    }

    /// The path of something protected.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    /// Registers a share with a file in it.
    pub fn share(&self, name: &str) -> Resource {
        let path = self.file(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("hello.txt"), format!("hello from {name}")).unwrap();
        self.register(ResourceKind::Share, name).unwrap()
    }

    /// Registers an image of that many bytes, the first of them not zero.
    pub fn volume(&self, name: &str, size: u64) -> Resource {
        let file = fs::File::create(self.file(name)).unwrap();
        file.set_len(size).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, name.as_bytes(), 0).unwrap();
        self.register(ResourceKind::Volume, name).unwrap()
    }

    /// Registers what is at the path of that name, as the operator.
    pub fn register(&self, kind: ResourceKind, name: &str) -> Result<Resource> {
        let new = NewResource {
            kind,
            name: name.into(),
            path: self.file(name),
            project_id: None,
        };
        self.control.register_resource(&self.admin, new)
    }

    /// Makes a vault of 10 GiB with these resources, as the tenant.
    pub fn vault(&self, name: &str, object_type: ObjectType, resources: &[&Resource]) -> Vault {
        let resources = resources.iter().map(|resource| added(resource)).collect();
        let new = NewVault {
            resources,
            ..NewVault::new(name, object_type, GiB(10))
        };
        self.control.create_vault(&self.alice, new).unwrap()
    }

    /// An id of nothing.
    pub fn nothing(&self) -> ResourceId {
        ResourceId::from_bytes(*self.entropy.uuid().as_bytes())
    }
}

/// The resource as a caller names it.
pub fn added(resource: &Resource) -> AddedResource {
    AddedResource {
        id: resource.id,
        kind: Some(resource.kind),
        extra_info: None,
    }
}

fn control(
    dir: &Path,
    catalog: Catalog,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
) -> Control {
    let data = dir.join("data");
    Control::new(Parts {
        catalog,
        clock: Arc::clone(clock) as _,
        entropy: Arc::clone(entropy) as _,
        store_of: stores_below(data.join("repositories").to_str().unwrap()),
        master_key: MasterKey::from_hex(&"5a".repeat(32)).unwrap(),
        own_paths: vec![data],
    })
}

/// The reason of a refusal.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T>) -> Reason {
    answer.expect_err("the call must be refused").reason()
}
