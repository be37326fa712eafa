//! Vaults and resources: what is taken, what is refused, what others get to see.

use serde_json::json;
use strongroom_control::{
    Page, Reason, Tag, Vault,
    protectables::ProtectableFilter,
    resources::{NewResource, ResourceFilter},
    vaults::{AddedResource, NewVault, VaultChange, VaultFilter},
    words::{CloudType, ConsistentLevel, ObjectType, ProtectType, ProtectableType},
};
use strongroom_model::{
    Bytes, GiB, ResourceKind,
    state::{ProtectStatus, VaultStatus},
};

use crate::world::{World, added, refused};

#[test]
fn a_vault_comes_back_as_it_was_made() {
    let world = World::new();
    let share = world.share("home");
    let tag = |key: &str, value: &str| Tag {
        key: key.into(),
        value: value.into(),
    };
    let new = NewVault {
        description: Some("nightly".into()),
        consistent_level: ConsistentLevel::App,
        cloud_type: Some(CloudType::Hybrid),
        resources: vec![AddedResource {
            extra_info: Some(json!({"include_volumes": [{"id": "x"}]})),
            ..added(&share)
        }],
        tags: vec![tag("b", "2"), tag("a", "1")],
        enterprise_project_id: Some("0".into()),
        auto_bind: Some(true),
        bind_rules: vec![tag("env", "prod")],
        auto_expand: Some(true),
        threshold: Some(90),
        smn_notify: Some(false),
        backup_name_prefix: Some("night".into()),
        availability_zone: Some("az1".into()),
        ..NewVault::new("main", ObjectType::Turbo, GiB(20))
    };
    let made = world.control.create_vault(&world.alice, new).unwrap();
    let shown = world.control.show_vault(&world.alice, made.id).unwrap();
    assert_eq!(made, shown);
    assert_eq!(
        (shown.size, shown.used, shown.threshold),
        (GiB(20), Bytes(0), 90)
    );
    assert_eq!(shown.tags, [tag("a", "1"), tag("b", "2")]);
    assert_eq!(shown.bind_rules, [tag("env", "prod")]);
    assert_eq!(shown.status, VaultStatus::Available);
    let [resource] = &*shown.resources else {
        panic!("{:?}", shown.resources)
    };
    assert_eq!(
        (resource.id, resource.protect_status),
        (share.id, ProtectStatus::Available)
    );
    assert_eq!(
        resource.extra_info,
        Some(json!({"include_volumes": [{"id": "x"}]}))
    );
}

#[test]
fn values_outside_their_limits_are_refused_by_the_name_of_their_field() {
    let world = World::new();
    let good = || NewVault::new("good", ObjectType::Disk, GiB(10));
    for (bad, field) in [
        (
            NewVault {
                name: String::new(),
                ..good()
            },
            "name",
        ),
        (
            NewVault {
                name: "a b".into(),
                ..good()
            },
            "name",
        ),
        (
            NewVault {
                size: GiB(9),
                ..good()
            },
            "size",
        ),
        (
            NewVault {
                threshold: Some(101),
                ..good()
            },
            "threshold",
        ),
        (
            NewVault {
                description: Some("<b>".into()),
                ..good()
            },
            "description",
        ),
        (
            NewVault {
                enterprise_project_id: Some("x".into()),
                ..good()
            },
            "enterprise_project_id",
        ),
        (
            NewVault {
                backup_name_prefix: Some("x".repeat(33)),
                ..good()
            },
            "backup_name_prefix",
        ),
    ] {
        let error = world.control.create_vault(&world.alice, bad).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidParameter);
        assert!(error.to_string().starts_with(field), "{error}");
    }
    let policy = NewVault {
        backup_policy_id: Some(strongroom_model::PolicyId::from_bytes([9; 16])),
        ..good()
    };
    assert_eq!(
        refused(world.control.create_vault(&world.alice, policy)),
        Reason::NoSuchPolicy
    );
    let all = world
        .control
        .list_vaults(&world.alice, &VaultFilter::default(), &Page::default());
    assert_eq!(all.unwrap().total, 0, "nothing of a refused order stays");
}

#[test]
fn a_resource_sits_in_one_vault_of_its_type_only() {
    let world = World::new();
    let (share, disk) = (world.share("s"), world.volume("d", 4096));
    let vault = world.vault("shares", ObjectType::Turbo, &[&share]);
    let other = world.vault("others", ObjectType::Turbo, &[]);
    let add = |to: &strongroom_control::Vault, resources| {
        world
            .control
            .add_vault_resources(&world.alice, to.id, resources)
    };
    assert_eq!(
        refused(add(&other, vec![added(&share)])),
        Reason::ResourceInVault
    );
    assert_eq!(
        refused(add(&vault, vec![added(&share)])),
        Reason::ResourceInVault
    );
    assert_eq!(
        refused(add(&vault, vec![added(&disk)])),
        Reason::VaultTakesOtherType
    );
    let second = world.share("t");
    assert_eq!(
        refused(add(&vault, vec![added(&second), added(&second)])),
        Reason::ResourceTwice
    );
    let unknown = AddedResource {
        id: world.nothing(),
        ..added(&second)
    };
    assert_eq!(refused(add(&vault, vec![unknown])), Reason::NoSuchResource);
    let server = AddedResource {
        kind: None,
        ..added(&second)
    };
    assert_eq!(refused(add(&vault, vec![server])), Reason::TypeUnsupported);
    let lying = AddedResource {
        kind: Some(ResourceKind::Share),
        ..added(&disk)
    };
    assert_eq!(refused(add(&vault, vec![lying])), Reason::NoSuchResource);
    let many = vec![added(&second); 256];
    assert_eq!(
        refused(add(&vault, many)),
        Reason::VaultHasMaximumOfResources
    );
    assert_eq!(refused(add(&vault, vec![])), Reason::InvalidParameter);
    assert_eq!(add(&vault, vec![added(&second)]).unwrap(), [second.id]);
}

#[test]
fn an_update_changes_only_what_it_names_and_a_lock_stays() {
    let world = World::new();
    let vault = world.vault("v", ObjectType::Disk, &[]);
    let update = |change| world.control.update_vault(&world.alice, vault.id, change);
    let renamed = update(VaultChange {
        name: Some("w".into()),
        ..VaultChange::default()
    })
    .unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.size, renamed.threshold),
        ("w", GiB(10), 80)
    );
    let change = VaultChange {
        size: Some(GiB(1)),
        threshold: Some(50),
        bind_rules: Some(vec![Tag {
            key: "k".into(),
            value: "v".into(),
        }]),
        locked: Some(true),
        ..VaultChange::default()
    };
    let changed = update(change).unwrap();
    assert_eq!(
        (changed.size, changed.threshold, changed.locked),
        (GiB(1), 50, true)
    );
    assert_eq!(changed.bind_rules.len(), 1);
    let unlock = VaultChange {
        locked: Some(false),
        ..VaultChange::default()
    };
    assert_eq!(refused(update(unlock)), Reason::VaultNotUpdatable);
    let shrink = VaultChange {
        size: Some(GiB(0)),
        ..VaultChange::default()
    };
    assert_eq!(refused(update(shrink)), Reason::InvalidParameter);
}

#[test]
fn vaults_are_found_by_every_filter_and_walked_by_marker() {
    let world = World::new();
    let share = world.share("s");
    let turbo = &world.vault("turbo", ObjectType::Turbo, &[&share]);
    world.clock.advance_seconds(1);
    let disk = &world.vault("disk", ObjectType::Disk, &[]);
    let check = |edit: &dyn Fn(&mut VaultFilter), expected: &[&Vault]| {
        let mut filter = VaultFilter::default();
        edit(&mut filter);
        let found = world
            .control
            .list_vaults(&world.alice, &filter, &Page::default())
            .unwrap();
        let found: Vec<_> = found.items.iter().collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    check(&|_| {}, &[turbo, disk]);
    check(&|f| f.name = Some("disk".into()), &[disk]);
    check(&|f| f.object_type = Some(ObjectType::Turbo), &[turbo]);
    check(&|f| f.protect_type = Some(ProtectType::Replication), &[]);
    check(&|f| f.cloud_type = Some(CloudType::Public), &[turbo, disk]);
    check(&|f| f.ids = vec![disk.id], &[disk]);
    check(&|f| f.status = Some("available".into()), &[turbo, disk]);
    check(&|f| f.status = Some("frozen".into()), &[]);
    check(&|f| f.resource_ids = vec![share.id], &[turbo]);
    check(
        &|f| f.enterprise_project_id = Some("0".into()),
        &[turbo, disk],
    );
    check(
        &|f| f.enterprise_project_id = Some("all_granted_eps".into()),
        &[turbo, disk],
    );
    check(
        &|f| f.policy_id = Some(strongroom_model::PolicyId::from_bytes([9; 16])),
        &[],
    );

    let list = |page: &Page| {
        world
            .control
            .list_vaults(&world.alice, &VaultFilter::default(), page)
    };
    let after = Page {
        limit: 1,
        offset: 0,
        marker: Some(turbo.id.to_string()),
    };
    let next = list(&after).unwrap();
    assert_eq!((next.items[0].id, next.total), (disk.id, 2));
    let too_many = Page {
        limit: 1001,
        ..Page::default()
    };
    assert_eq!(refused(list(&too_many)), Reason::InvalidParameter);
}

#[test]
fn only_operators_name_paths_and_only_good_ones_are_taken() {
    let world = World::new();
    world.share("s");
    let new = |kind, path: std::path::PathBuf| NewResource {
        kind,
        name: "n".into(),
        path,
        project_id: None,
        tags: Vec::new(),
    };
    let register = |caller, new| world.control.register_resource(caller, new);
    let share = || new(ResourceKind::Share, world.file("s"));
    assert_eq!(refused(register(&world.alice, share())), Reason::Forbidden);
    for bad in [
        new(ResourceKind::Share, world.file("missing")),
        new(ResourceKind::Volume, world.file("s")),
        new(ResourceKind::Share, world.file("s").join("hello.txt")),
        new(ResourceKind::Share, "relative".into()),
        new(ResourceKind::Share, world.dir.path().join("data")),
        new(
            ResourceKind::Volume,
            world.dir.path().join("data/catalog.sqlite"),
        ),
    ] {
        assert_eq!(
            refused(register(&world.admin, bad)),
            Reason::InvalidParameter
        );
    }
    std::os::unix::fs::symlink(world.file("s"), world.file("link")).unwrap();
    let linked = register(&world.admin, new(ResourceKind::Share, world.file("link"))).unwrap();
    assert_eq!(linked.path, Some(world.file("s").canonicalize().unwrap()));
    assert_eq!(
        refused(register(&world.admin, share())),
        Reason::AlreadyExists
    );
    let around = NewResource {
        name: "around".into(),
        ..new(ResourceKind::Share, world.dir.path().to_owned())
    };
    assert!(
        register(&world.admin, around).is_ok(),
        "its backups leave our directory out"
    );
}

#[test]
fn tenants_see_resources_without_their_paths_and_which_vault_holds_them() {
    let world = World::new();
    let (share, disk) = (world.share("s"), world.volume("d", 5_000_000_000));
    let vault = world.vault("v", ObjectType::Disk, &[&disk]);
    let any = ProtectableFilter::default();
    let list = |of, filter: &ProtectableFilter| {
        world
            .control
            .list_protectables(&world.alice, of, filter, &Page::default())
            .unwrap()
            .items
    };
    let disks = list(ProtectableType::Disk, &any);
    assert_eq!(disks.len(), 1);
    assert_eq!(disks[0].vault.as_ref().unwrap().id, vault.id);
    assert_eq!(
        (disks[0].resource.size.gib_ceil(), &disks[0].resource.path),
        (GiB(5), &None)
    );
    let shares = list(ProtectableType::Turbo, &any);
    assert_eq!((shares[0].resource.id, &shares[0].vault), (share.id, &None));
    assert!(list(ProtectableType::Server, &any).is_empty());
    let named = ProtectableFilter {
        name: Some("x".into()),
        ..any.clone()
    };
    assert!(list(ProtectableType::Disk, &named).is_empty());
    let show = |of, id| world.control.show_protectable(&world.alice, of, id);
    assert_eq!(
        show(ProtectableType::Turbo, share.id).unwrap().resource.id,
        share.id
    );
    assert_eq!(
        refused(show(ProtectableType::Disk, share.id)),
        Reason::NoSuchResource
    );
    let filter = ResourceFilter {
        kind: Some(ResourceKind::Share),
        name: None,
    };
    let listed = world
        .control
        .list_resources(&world.admin, &filter, &Page::default())
        .unwrap();
    assert_eq!(
        listed.items[0].path,
        Some(world.file("s").canonicalize().unwrap())
    );
}

#[test]
fn a_resource_is_forgotten_only_when_no_vault_holds_it() {
    let world = World::new();
    let (held, free) = (world.share("held"), world.share("free"));
    world.vault("v", ObjectType::Turbo, &[&held]);
    let remove = |caller, id| world.control.remove_resource(caller, id);
    assert_eq!(refused(remove(&world.alice, free.id)), Reason::Forbidden);
    assert_eq!(refused(remove(&world.admin, held.id)), Reason::StillInUse);
    remove(&world.admin, free.id).unwrap();
    assert_eq!(
        refused(remove(&world.admin, free.id)),
        Reason::NoSuchResource
    );
    assert!(world.file("free").join("hello.txt").exists());
    assert!(
        world.register(ResourceKind::Share, "free").is_ok(),
        "the name is free again"
    );
}

#[test]
fn the_summary_adds_up_the_project_only() {
    let world = World::new();
    world.vault("a", ObjectType::Disk, &[]);
    world.vault("b", ObjectType::Turbo, &[]);
    assert_eq!(world.control.summary(&world.alice).unwrap().size, GiB(20));
    assert_eq!(world.control.summary(&world.mallory).unwrap().size, GiB(0));
}
