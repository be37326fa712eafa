//! Lists of backups and tasks: every filter, every order, every way to walk them.

use strongroom_control::{
    Page, Reason,
    backups::{Backup, BackupFilter, BackupSort},
    checkpoints::NewCheckpoint,
    operation_logs::OperationLogFilter,
    words::{ImageType, MemberStatus, ObjectType, OperationType, OwnType},
};
use strongroom_model::{
    BackupId, Bytes, GiB, ResourceKind,
    state::{BackupStatus, TaskStatus},
};

use crate::world::{World, refused};

/// Three backups: two of a share, the second built on the first, and one of a volume.
fn three(world: &World) -> [Backup; 3] {
    let (share, disk) = (world.share("share"), world.volume("disk", 1 << 20));
    let shares = world.vault("shares", ObjectType::Turbo, &[&share]);
    let disks = world.vault("disks", ObjectType::Disk, &[&disk]);
    let order = |vault, name: &str, incremental| {
        world.clock.advance_seconds(60);
        let name = Some(name.to_owned());
        let new = NewCheckpoint {
            name,
            incremental,
            ..NewCheckpoint::of(vault)
        };
        let checkpoint = world.control.create_checkpoint(&world.alice, new).unwrap();
        world.run();
        world.backup_of(checkpoint.id)
    };
    [
        order(shares.id, "b-first", Some(true)),
        order(shares.id, "a-second", None),
        order(disks.id, "c-third", Some(false)),
    ]
}

#[test]
fn backups_are_found_by_every_filter() {
    let world = World::new();
    let [one, two, three] = three(&world);
    world.set_used(three.vault_id, Bytes(GiB(10).bytes().0 / 2));
    let check = |edit: &dyn Fn(&mut BackupFilter), expected: &[&Backup]| {
        let mut filter = BackupFilter::default();
        edit(&mut filter);
        let found: Vec<_> = world
            .backups(&filter)
            .iter()
            .map(|found| found.id)
            .collect();
        let expected: Vec<_> = expected.iter().map(|backup| backup.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    let all: &[&Backup] = &[&three, &two, &one];
    let zero = || Some("0".to_owned());
    check(&|_| {}, all);
    check(&|f| f.checkpoint_id = Some(one.checkpoint_id), &[&one]);
    check(&|f| f.vault_id = Some(three.vault_id), &[&three]);
    check(&|f| f.resource_id = Some(one.resource_id), &[&two, &one]);
    check(&|f| f.resource_name = Some("disk".into()), &[&three]);
    check(&|f| f.kinds = Some(vec![ResourceKind::Volume]), &[&three]);
    check(&|f| f.kinds = Some(ResourceKind::ALL.to_vec()), all);
    check(&|f| f.kinds = Some(vec![]), &[]);
    check(&|f| f.name = Some("a-second".into()), &[&two]);
    check(&|f| f.statuses = vec![BackupStatus::Available], all);
    check(&|f| f.statuses = vec![BackupStatus::Error], &[]);
    check(&|f| f.start_time = Some(two.created_at), &[&three, &two]);
    check(&|f| f.end_time = Some(two.created_at), &[&two, &one]);
    check(&|f| f.own_type = Some(OwnType::Private), all);
    check(&|f| f.own_type = Some(OwnType::AllGranted), all);
    check(&|f| f.own_type = Some(OwnType::Shared), &[]);
    check(&|f| f.member_status = Some(MemberStatus::Accepted), &[]);
    check(&|f| f.parent_id = Some(one.id), &[]);
    check(&|f| f.used_percent = Some(50), &[&three]);
    check(&|f| f.used_percent = Some(51), &[]);
    // The first of a resource was asked for as incremental, though it was not made so.
    check(&|f| f.incremental = Some(true), &[&two, &one]);
    check(&|f| f.incremental = Some(false), &[&three, &one]);
    check(&|f| f.image_type = Some(ImageType::Backup), all);
    check(&|f| f.image_type = Some(ImageType::Replication), &[]);
    check(&|f| f.resource_az = Some("az1".into()), &[]);
    check(&|f| f.enterprise_project_id = zero(), all);
    check(&|f| f.enterprise_project_id = Some("1".into()), &[]);
    check(&|f| f.dedicated_cloud = Some(true), &[]);
    check(&|f| f.dedicated_cloud = Some(false), all);
}

#[test]
fn a_share_of_the_quota_beyond_all_of_it_is_refused() {
    let world = World::new();
    for wrong in [0, 101, -1] {
        let filter = BackupFilter {
            used_percent: Some(wrong),
            ..BackupFilter::default()
        };
        let (sort, page) = (BackupSort::default(), Page::default());
        let answer = world
            .control
            .list_backups(&world.alice, &filter, &sort, &page);
        assert_eq!(refused(answer), Reason::InvalidParameter);
    }
}

#[test]
fn backups_are_sorted_as_asked_and_walked_by_offset_and_marker() {
    let world = World::new();
    let [one, two, three] = three(&world);
    let walk = |sort: &str, page: Page| -> Vec<BackupId> {
        let (filter, sort) = (BackupFilter::default(), sort.parse().unwrap());
        let found = world
            .control
            .list_backups(&world.alice, &filter, &sort, &page)
            .unwrap();
        assert_eq!(found.total, 3);
        found.items.iter().map(|backup| backup.id).collect()
    };
    for (sort, expected) in [
        ("", [three.id, two.id, one.id]),
        ("created_at:asc", [one.id, two.id, three.id]),
        ("created_at", [three.id, two.id, one.id]),
        ("name:asc", [two.id, one.id, three.id]),
        ("name", [three.id, one.id, two.id]),
        ("status,created_at:asc", [one.id, two.id, three.id]),
        ("protected_at:asc", [one.id, two.id, three.id]),
        ("updated_at", [three.id, two.id, one.id]),
    ] {
        assert_eq!(walk(sort, Page::default()), expected, "{sort}");
        let mut walked = Vec::new();
        let mut marker = None;
        loop {
            let page = walk(
                sort,
                Page {
                    limit: 1,
                    offset: 0,
                    marker,
                },
            );
            let Some(last) = page.last() else { break };
            marker = Some(last.to_string());
            walked.extend(page);
        }
        assert_eq!(walked, expected, "{sort} by marker");
        let by_offset: Vec<_> = (0..4)
            .flat_map(|offset| {
                walk(
                    sort,
                    Page {
                        limit: 1,
                        offset,
                        marker: None,
                    },
                )
            })
            .collect();
        assert_eq!(by_offset, expected, "{sort} by offset");
    }
}

#[test]
fn tasks_are_found_by_every_filter_newest_first() {
    let world = World::new();
    let [one, _, three] = three(&world);
    world.clock.advance_seconds(60);
    world.control.delete_backup(&world.alice, one.id).unwrap();
    let find = |filter: &OperationLogFilter| {
        let page = Page::default();
        world
            .control
            .list_operation_logs(&world.alice, filter, &page)
            .unwrap()
            .items
    };
    let all = find(&OperationLogFilter::default());
    assert_eq!(all.len(), 4);
    assert!(
        all.windows(2)
            .all(|pair| pair[0].created_at >= pair[1].created_at)
    );
    let check = |edit: &dyn Fn(&mut OperationLogFilter), expected| {
        let mut filter = OperationLogFilter::default();
        edit(&mut filter);
        assert_eq!(find(&filter).len(), expected, "{filter:?}");
    };
    check(&|f| f.operation_type = Some(OperationType::Backup), 3);
    check(&|f| f.operation_type = Some(OperationType::Copy), 0);
    check(&|f| f.status = Some(TaskStatus::Waiting), 1);
    check(&|f| f.status = Some(TaskStatus::Success), 3);
    check(&|f| f.vault_id = Some(three.vault_id), 1);
    check(&|f| f.vault_name = Some("shares".into()), 3);
    check(&|f| f.resource_id = Some(three.resource_id), 1);
    check(&|f| f.resource_name = Some("share".into()), 3);
    check(&|f| f.object_types = Some(vec![ObjectType::Disk]), 1);
    check(&|f| f.object_types = Some(vec![ObjectType::Server]), 0);
    check(&|f| f.start_time = Some(three.created_at), 2);
    check(&|f| f.end_time = Some(three.created_at), 3);
    check(&|f| f.enterprise_project_id = Some("0".into()), 4);
}

#[test]
fn a_renamed_backup_keeps_everything_else() {
    let world = World::new();
    let [one, ..] = three(&world);
    let rename = |name| world.control.rename_backup(&world.alice, one.id, name);
    let renamed = rename(Some("better")).unwrap();
    assert_eq!(renamed.name, "better");
    let expected = Backup {
        name: "better".into(),
        updated_at: renamed.updated_at,
        ..one.clone()
    };
    assert_eq!(renamed, expected);
    assert_eq!(rename(None).unwrap(), expected);
    assert_eq!(refused(rename(Some(""))), Reason::InvalidParameter);
}
