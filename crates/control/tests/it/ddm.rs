//! Sharding layers over time: the daily backup, the days that backups stay, who sees them, and
//! schemas that change while they are read.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use strongroom_control::{
    Page, Reason,
    ddm::{
        backups::{MetadataBackup, MetadataBackupFilter},
        instances::{Instance, NewInstance},
    },
};
use strongroom_model::state::DdmBackupStatus;
use strongroom_testkit::mariadb::{Cluster, Database, Setup};

use crate::world::World;

const DAY: i64 = 86_400;

/// Registers the cluster as `layer` in the first project.
fn register(world: &World, cluster: &Cluster) -> Instance {
    let nodes = cluster.nodes.iter().enumerate();
    let new = NewInstance {
        name: "layer".to_owned(),
        provider: "spider".to_owned(),
        url: cluster.layer.url(),
        nodes: nodes
            .map(|(number, node)| (format!("node{number}"), node.url()))
            .collect(),
        copies: std::collections::BTreeMap::new(),
        topology: None,
        project_id: None,
        keep_days: None,
        backup_minute: None,
    };
    world.control.register_instance(&world.admin, new).unwrap()
}

fn backups(world: &World) -> Vec<MetadataBackup> {
    let page = Page {
        limit: 128,
        ..Page::default()
    };
    let all = MetadataBackupFilter::default();
    let listed = world
        .control
        .list_metadata_backups(&world.alice, &all, &page);
    listed.unwrap().items
}

#[test]
fn a_layer_is_backed_up_every_day_and_its_newest_backup_stays() {
    let world = World::new();
    let cluster = Cluster::start(world.dir.path(), "layer", 1).unwrap();
    cluster.fill().unwrap();
    let instance = register(&world, &cluster);
    assert_eq!(world.control.ddm_round().unwrap().ordered, 0);

    world.clock.advance_seconds(DAY);
    assert_eq!(world.control.ddm_round().unwrap().ordered, 1);
    assert_eq!(world.control.ddm_round().unwrap().ordered, 0, "once a day");
    world.run();
    let made = backups(&world);
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].status, DdmBackupStatus::Normal, "{made:?}");
    assert_eq!(
        (made[0].kind.as_str(), made[0].description.as_str()),
        ("auto_metadata", "auto metadata backup")
    );
    assert_eq!(made[0].data_nodes[0].name, "node0");

    // A month later the next one is made before the first may go.
    world.clock.advance_seconds(31 * DAY);
    let round = world.control.ddm_round().unwrap();
    assert_eq!(
        (round.ordered, round.expired),
        (1, 0),
        "the newest good one stays"
    );
    world.run();
    assert_eq!(world.control.ddm_round().unwrap().expired, 1);
    world.run();
    let left = backups(&world);
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].id, made[0].id);

    // Another project sees nothing of it, and finds nothing by its ids.
    let stranger = &world.mallory;
    let page = Page {
        limit: 10,
        ..Page::default()
    };
    let control = &world.control;
    let all = MetadataBackupFilter::default();
    let theirs = control
        .list_metadata_backups(stranger, &all, &page)
        .unwrap();
    assert_eq!((theirs.total, theirs.items.len()), (0, 0));
    let gone = |reason: Result<(), strongroom_control::Error>| reason.unwrap_err().reason();
    let shown = control.show_metadata_backup(stranger, None, left[0].id);
    assert_eq!(gone(shown.map(drop)), Reason::NoSuchBackup);
    let deleted = control.delete_metadata_backup(stranger, left[0].id);
    assert_eq!(gone(deleted.map(drop)), Reason::NoSuchBackup);
    let instance_of = control.show_instance(stranger, instance.id);
    assert_eq!(gone(instance_of.map(drop)), Reason::NoSuchInstance);
    let ordered = control.back_up_metadata(stranger, instance.id);
    assert_eq!(gone(ordered.map(drop)), Reason::NoSuchInstance);
    let schemas = control.list_schemas(stranger, instance.id, &page);
    assert_eq!(gone(schemas.map(drop)), Reason::NoSuchInstance);
    let tagged = control.set_instance_tags(stranger, instance.id, Vec::new());
    assert_eq!(gone(tagged), Reason::NoSuchInstance);
}

#[test]
fn schemas_that_change_while_they_are_read_are_read_again_and_a_node_without_a_log_is_no_obstacle()
{
    let world = World::new();
    let spider = Setup {
        spider: true,
        no_log: false,
        ..Setup::default()
    };
    let no_log = Setup {
        spider: false,
        no_log: true,
        ..Setup::default()
    };
    let cluster = Cluster {
        layer: Database::start(world.dir.path(), "layer", spider).unwrap(),
        nodes: vec![Database::start(world.dir.path(), "node", no_log).unwrap()],
    };
    cluster.fill().unwrap();
    let instance = register(&world, &cluster);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Tables come and go without a pause, so no reading without a lock can succeed for sure.
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let statements =
                    "CREATE OR REPLACE TABLE shop.restless (id INT) ENGINE=InnoDB;".repeat(20);
                cluster.layer.sql(&statements).unwrap();
            }
        });
        world
            .control
            .back_up_metadata(&world.alice, instance.id)
            .unwrap();
        world.run();
        stop.store(true, Ordering::SeqCst);
    });
    let made = backups(&world);
    assert_eq!(made[0].status, DdmBackupStatus::Normal, "{made:?}");
    assert!(made[0].taken_at.is_some());
}
