//! Another project's objects: every use case answers as if they had never been.

use strongroom_control::{
    Caller, Control, Error, Page, Reason, Result, Tag,
    backups::{Backup, BackupFilter, BackupSort},
    checkpoints::NewCheckpoint,
    import::NewImport,
    operation_logs::OperationLogFilter,
    policies::{AutoProtect, NewPolicy, PolicyChange, PolicyFilter, VaultPolicy},
    protectables::ProtectableFilter,
    replication::{Destination, NewCopy, NewVaultCopy},
    resources::ResourceFilter,
    restores::{NewRestore, RestoreTarget},
    retention::{NewExpiry, NewPreview},
    tags::TagQuery,
    usage::UsageFilter,
    vaults::{NewVault, VaultChange, VaultFilter},
    words::{ObjectType, ProtectableType},
};
use strongroom_model::{GiB, OperationLogId, PolicyId, ResourceId, VaultId};

use crate::world::{FAR, World, added};

/// What the first project has, and the resource of its own that the stranger has.
struct Theirs {
    vault: VaultId,
    resource: strongroom_control::Resource,
    backup: Backup,
    log: OperationLogId,
    policy: PolicyId,
    strangers_vault: VaultId,
}

fn to(who: &Caller, vault: VaultId) -> Destination {
    Destination {
        region: FAR.to_owned(),
        project: who.project_id.map_or_else(String::new, |id| id.to_string()),
        vault,
    }
}

type Call = fn(&Control, &Caller, &Theirs) -> Result<()>;

/// Every use case that names an object, and how it must refuse a stranger.
const NAMED: &[(&str, Reason, Call)] = &[
    ("show_vault", Reason::NoSuchVault, |c, who, its| {
        c.show_vault(who, its.vault).map(drop)
    }),
    ("update_vault", Reason::NoSuchVault, |c, who, its| {
        c.update_vault(who, its.vault, VaultChange::default())
            .map(drop)
    }),
    ("delete_vault", Reason::NoSuchVault, |c, who, its| {
        c.delete_vault(who, its.vault)
    }),
    ("add_vault_resources", Reason::NoSuchVault, |c, who, its| {
        c.add_vault_resources(who, its.vault, vec![added(&its.resource)])
            .map(drop)
    }),
    (
        "add_vault_resources to their own",
        Reason::NoSuchResource,
        |c, who, its| {
            c.add_vault_resources(who, its.strangers_vault, vec![added(&its.resource)])
                .map(drop)
        },
    ),
    (
        "create_vault around it",
        Reason::NoSuchResource,
        |c, who, its| {
            let resources = vec![added(&its.resource)];
            let new = NewVault {
                resources,
                ..NewVault::new("w", ObjectType::Turbo, GiB(10))
            };
            c.create_vault(who, new).map(drop)
        },
    ),
    (
        "remove_vault_resources",
        Reason::NoSuchVault,
        |c, who, its| {
            c.remove_vault_resources(who, its.vault, vec![its.resource.id])
                .map(drop)
        },
    ),
    ("import_vault", Reason::NoSuchVault, |c, who, its| {
        c.import_vault(who, its.vault).map(drop)
    }),
    ("import_backups", Reason::NoSuchVault, |c, who, its| {
        let import = NewImport {
            backup_id: its.backup.id,
            place: its.vault.to_string(),
        };
        c.import_backups(who, &[import]).map(drop)
    }),
    ("copy_backup", Reason::NoSuchBackup, |c, who, its| {
        let new = NewCopy {
            backup_id: its.backup.id,
            destination: to(who, its.strangers_vault),
            name: None,
            description: None,
        };
        c.copy_backup(who, &new).map(drop)
    }),
    ("copy_checkpoint", Reason::NoSuchVault, |c, who, its| {
        let new = NewVaultCopy {
            vault_id: its.vault,
            destination: to(who, its.strangers_vault),
            auto_trigger: false,
        };
        c.copy_checkpoint(who, &new).map(drop)
    }),
    ("create_checkpoint", Reason::NoSuchVault, |c, who, its| {
        c.create_checkpoint(who, NewCheckpoint::of(its.vault))
            .map(drop)
    }),
    (
        "show_checkpoint",
        Reason::NoSuchCheckpoint,
        |c, who, its| c.show_checkpoint(who, its.backup.checkpoint_id).map(drop),
    ),
    ("show_backup", Reason::NoSuchBackup, |c, who, its| {
        c.show_backup(who, its.backup.id).map(drop)
    }),
    ("backup_report", Reason::NoSuchBackup, |c, who, its| {
        c.backup_report(who, its.backup.id).map(drop)
    }),
    ("backup_metadata", Reason::NoSuchBackup, |c, who, its| {
        c.backup_metadata(who, its.backup.id).map(drop)
    }),
    ("rename_backup", Reason::NoSuchBackup, |c, who, its| {
        c.rename_backup(who, its.backup.id, Some("mine")).map(drop)
    }),
    ("delete_backup", Reason::NoSuchBackup, |c, who, its| {
        c.delete_backup(who, its.backup.id)
    }),
    ("restore_backup", Reason::NoSuchBackup, |c, who, its| {
        let backup_id = its.backup.id;
        let new = NewRestore {
            backup_id,
            target: RestoreTarget::Original,
            inside: None,
        };
        c.restore_backup(who, new).map(drop)
    }),
    (
        "show_operation_log",
        Reason::NoSuchOperationLog,
        |c, who, its| c.show_operation_log(who, its.log).map(drop),
    ),
    (
        "cancel_operation",
        Reason::NoSuchOperationLog,
        |c, who, its| c.cancel_operation(who, its.log).map(drop),
    ),
    ("show_protectable", Reason::NoSuchResource, |c, who, its| {
        c.show_protectable(who, ProtectableType::Turbo, its.resource.id)
            .map(drop)
    }),
    ("show_resource", Reason::NoSuchResource, |c, who, its| {
        c.show_resource(who, its.resource.id).map(drop)
    }),
    ("remove_resource", Reason::NoSuchResource, |c, who, its| {
        let operator = Caller {
            is_admin: true,
            ..who.clone()
        };
        c.remove_resource(&operator, its.resource.id)
    }),
    ("vault_tags", Reason::NoSuchVault, |c, who, its| {
        c.vault_tags(who, its.vault).map(drop)
    }),
    ("set_vault_tags", Reason::NoSuchVault, |c, who, its| {
        let tag = Tag {
            key: "k".into(),
            value: "v".into(),
        };
        c.set_vault_tags(who, its.vault, vec![tag])
    }),
    ("remove_vault_tags", Reason::NoSuchVault, |c, who, its| {
        c.remove_vault_tags(who, its.vault, vec![("k".into(), None)])
    }),
    ("show_policy", Reason::NoSuchPolicy, |c, who, its| {
        c.show_policy(who, its.policy).map(drop)
    }),
    ("update_policy", Reason::NoSuchPolicy, |c, who, its| {
        c.update_policy(who, its.policy, PolicyChange::default())
            .map(drop)
    }),
    ("delete_policy", Reason::NoSuchPolicy, |c, who, its| {
        c.delete_policy(who, its.policy)
    }),
    (
        "associate_vault_policies",
        Reason::NoSuchVault,
        |c, who, its| {
            c.associate_vault_policies(who, &[bound(its.vault, its.policy)])
                .map(drop)
        },
    ),
    (
        "associate_vault_policies to their own",
        Reason::NoSuchPolicy,
        |c, who, its| {
            c.associate_vault_policies(who, &[bound(its.strangers_vault, its.policy)])
                .map(drop)
        },
    ),
    (
        "dissociate_vault_policy",
        Reason::NoSuchVault,
        |c, who, its| {
            c.dissociate_vault_policy(who, its.vault, its.policy)
                .map(drop)
        },
    ),
    ("set_auto_protect", Reason::NoSuchVault, |c, who, its| {
        c.set_auto_protect(who, its.vault, &[its.resource.id], AutoProtect::LeftOut)
            .map(drop)
    }),
    ("set_expiry", Reason::NoSuchVault, |c, who, its| {
        let new = NewExpiry {
            vault_id: its.vault,
            day: "2999-01-31".into(),
            zone: "UTC+00:00".into(),
        };
        c.set_expiry(who, &new).map(drop)
    }),
    ("preview_retention", Reason::NoSuchVault, |c, who, its| {
        c.preview_retention(who, &preview(its.vault, None))
            .map(drop)
    }),
    (
        "preview_retention under its policy",
        Reason::NoSuchPolicy,
        |c, who, its| {
            c.preview_retention(who, &preview(its.strangers_vault, Some(its.policy)))
                .map(drop)
        },
    ),
    ("delete_vault_tag", Reason::NoSuchVault, |c, who, its| {
        c.delete_vault_tag(who, its.vault, "k")
    }),
];

fn preview(vault_id: VaultId, policy_id: Option<PolicyId>) -> NewPreview {
    NewPreview {
        vault_id,
        day: None,
        policy_id,
        resource_id: None,
    }
}

fn bound(vault_id: VaultId, policy_id: PolicyId) -> VaultPolicy {
    VaultPolicy {
        vault_id,
        policy_id,
        destination_vault_id: None,
    }
}

type Count = fn(&Control, &Caller, ResourceId) -> Result<u64>;

/// Every use case that lists, and how much a caller sees with it.
const LISTS: &[(&str, Count)] = &[
    ("list_vaults", |c, who, _| {
        Ok(
            c.list_vaults(who, &VaultFilter::default(), &Page::default())?
                .total,
        )
    }),
    ("list_backups", |c, who, _| {
        let (filter, sort) = (BackupFilter::default(), BackupSort::default());
        Ok(c.list_backups(who, &filter, &sort, &Page::default())?.total)
    }),
    ("list_operation_logs", |c, who, _| {
        Ok(
            c.list_operation_logs(who, &OperationLogFilter::default(), &Page::default())?
                .total,
        )
    }),
    ("list_policies", |c, who, _| {
        Ok(
            c.list_policies(who, &PolicyFilter::default(), &Page::default())?
                .total,
        )
    }),
    ("list_protectables", |c, who, _| {
        let (of, filter) = (ProtectableType::Turbo, ProtectableFilter::default());
        Ok(c.list_protectables(who, of, &filter, &Page::default())?
            .total)
    }),
    ("list_resources", |c, who, _| {
        Ok(
            c.list_resources(who, &ResourceFilter::default(), &Page::default())?
                .total,
        )
    }),
    ("storage_usage", |c, who, _| {
        Ok(
            c.storage_usage(who, &UsageFilter::default(), &Page::default())?
                .total,
        )
    }),
    ("storage_usage by id", |c, who, resource| {
        let filter = UsageFilter {
            resource_id: Some(resource),
            kinds: None,
        };
        Ok(c.storage_usage(who, &filter, &Page::default())?.total)
    }),
    ("find_vaults_by_tags", |c, who, _| {
        Ok(
            c.find_vaults_by_tags(who, &TagQuery::default(), &Page::default())?
                .total,
        )
    }),
    ("project_tags", |c, who, _| {
        Ok(c.project_tags(who)?.len() as u64)
    }),
    ("summary", |c, who, _| Ok(c.summary(who)?.size.0)),
];

fn theirs(world: &World) -> Theirs {
    let resource = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&resource]).id;
    let tag = Tag {
        key: "k".into(),
        value: "v".into(),
    };
    world
        .control
        .set_vault_tags(&world.alice, vault, vec![tag])
        .unwrap();
    let new = NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"]);
    let policy = world.control.create_policy(&world.alice, new).unwrap().id;
    world
        .control
        .associate_vault_policies(&world.alice, &[bound(vault, policy)])
        .unwrap();
    let backup = world.back_up(vault);
    let filter = OperationLogFilter::default();
    let logs = world
        .control
        .list_operation_logs(&world.alice, &filter, &Page::default())
        .unwrap();
    Theirs {
        vault,
        resource,
        backup,
        log: logs.items[0].id,
        policy,
        strangers_vault: vault,
    }
}

#[test]
fn a_stranger_is_told_that_there_is_no_such_thing() {
    let world = World::new();
    let mut its = theirs(&world);
    for (name, _) in LISTS.iter().filter(|(name, _)| *name != "summary") {
        let (_, count) = LISTS.iter().find(|(other, _)| other == name).unwrap();
        assert!(
            count(&world.control, &world.alice, its.resource.id).unwrap() > 0,
            "{name}"
        );
        assert_eq!(
            count(&world.control, &world.mallory, its.resource.id).unwrap(),
            0,
            "{name}"
        );
    }
    let new = NewVault::new("own", ObjectType::Turbo, GiB(10));
    its.strangers_vault = world.control.create_vault(&world.mallory, new).unwrap().id;
    let before = world.control.show_vault(&world.alice, its.vault).unwrap();
    for (name, reason, call) in NAMED {
        let error = call(&world.control, &world.mallory, &its).expect_err(name);
        assert_eq!(error.reason(), *reason, "{name}: {error}");
        assert!(matches!(error, Error::NotFound { .. }), "{name}: {error}");
    }
    world.run();
    assert_eq!(
        world.control.show_vault(&world.alice, its.vault).unwrap(),
        before
    );
    assert_eq!(world.only_backup(), its.backup);
}

#[test]
fn a_token_without_a_project_does_nothing_here() {
    let world = World::new();
    let its = theirs(&world);
    let nobody = Caller {
        project_id: None,
        ..world.alice.clone()
    };
    for (name, _, call) in NAMED {
        let error = call(&world.control, &nobody, &its).expect_err(name);
        assert_eq!(error.reason(), Reason::Forbidden, "{name}");
    }
    for (name, count) in LISTS {
        let error = count(&world.control, &nobody, its.resource.id).expect_err(name);
        assert_eq!(error.reason(), Reason::Forbidden, "{name}");
    }
}
