//! Points in time over time: logs that are put together, days that end, recoveries in between, and
//! a catalog that is lost.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_catalog::DdmLogPartRow;
use strongroom_control::{
    Page,
    ddm::{
        instances::{Instance, NewInstance, Physical},
        recovery::NewRecovery,
    },
    import::Rebuilt,
};
use strongroom_engine::tree::{Progress, cat};
use strongroom_model::{Clock as _, JobId, Timestamp, content::TreePath, state::DdmTaskStatus};
use strongroom_testkit::mariadb::{Cluster, Database};
use tempfile::TempDir;

use crate::{crash::survive, rebuild::rebuild, world::World};

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// A layer with one data node whose files are copied. The servers are not part of the world, so
/// that no picture of it has them.
struct Stage {
    world: World,
    cluster: Cluster,
    layer: Instance,
    folder: TempDir,
}

fn register(world: &World, name: &str, cluster: &Cluster) -> Instance {
    let node = &cluster.nodes[0];
    let new = NewInstance {
        name: name.to_owned(),
        provider: "spider".to_owned(),
        url: cluster.layer.url(),
        nodes: vec![("node0".to_owned(), node.url())],
        copies: BTreeMap::from([(
            "node0".to_owned(),
            Physical::Folder(node.folder().to_owned()),
        )]),
        topology: None,
        project_id: None,
        keep_days: None,
        backup_minute: None,
    };
    world.control.register_instance(&world.admin, new).unwrap()
}

impl Stage {
    /// With a first point in time. After that our clock is at a full hour, and no piece is of it.
    fn set() -> Self {
        let world = World::new();
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(folder.path(), "layer", 1).unwrap();
        cluster.fill().unwrap();
        let layer = register(&world, "layer", &cluster);
        let stage = Self {
            world,
            cluster,
            layer,
            folder,
        };
        stage.be_at(second(&stage.cluster.layer));
        stage.archive();
        stage.copy();
        let (world, server) = (&stage.world, &stage.cluster.layer);
        later(server);
        stage.be_at(second(server));
        world
            .control
            .back_up_metadata(&world.alice, stage.layer.id)
            .unwrap();
        world.run();
        later(server);
        later(server);
        stage.archive();
        let hour = world.clock.now().as_seconds().div_euclid(HOUR) + 1;
        stage.be_at(hour * HOUR);
        world.control.log_round().unwrap();
        world.run();
        stage.be_at((hour + 1) * HOUR);
        assert!(!stage.times().is_empty());
        stage
    }

    fn be_at(&self, second: i64) {
        let now = self.world.clock.now().as_seconds();
        self.world.clock.advance_seconds(second - now);
    }

    fn archive(&self) {
        let logs = self
            .world
            .control
            .archive_logs(&self.world.alice, self.layer.id)
            .unwrap();
        assert!(logs.iter().all(|log| log.problem.is_none()), "{logs:?}");
    }

    fn copy(&self) {
        self.world
            .control
            .copy_nodes(&self.world.alice, self.layer.id)
            .unwrap();
        self.world.run();
        let copies = self.copies();
        assert!(copies.iter().all(|(_, from)| from.is_some()), "{copies:?}");
    }

    /// The copies and from when on each can be rolled forward.
    fn copies(&self) -> Vec<(String, Option<Timestamp>)> {
        let copies = self
            .world
            .control
            .list_copies(&self.world.alice, self.layer.id);
        let copies = copies.unwrap().into_iter();
        copies
            .map(|copy| (copy.id.to_string(), copy.from))
            .collect()
    }

    /// So many minutes in which something is written and archived.
    fn minutes(&self, count: i64) {
        let node = &self.cluster.nodes[0];
        for minute in 0..count {
            let id = self.world.clock.now().as_micros() / 1_000_000;
            node.sql(&format!(
                "INSERT INTO shop_0.orders VALUES ({id}, 'm{minute}')"
            ))
            .unwrap();
            self.archive();
            self.world.clock.advance_seconds(60);
        }
    }

    fn times(&self) -> Vec<(i64, i64)> {
        let page = Page {
            limit: 100,
            ..Page::default()
        };
        let control = &self.world.control;
        let found = control.restorable_times(&self.world.alice, self.layer.id, &page);
        let found = found.unwrap().items.into_iter();
        found
            .map(|time| (time.from.as_seconds(), time.until.as_seconds()))
            .collect()
    }
}

fn second(server: &Database) -> i64 {
    server
        .sql("SELECT UNIX_TIMESTAMP()")
        .unwrap()
        .parse()
        .unwrap()
}

/// Waits until the server's clock shows a later second.
fn later(server: &Database) {
    let before = second(server);
    while second(server) == before {
        std::thread::yield_now();
    }
}

/// What the catalog says is archived of each file, as it is stored.
fn archived(world: &World) -> BTreeMap<(String, u64, String), Vec<u8>> {
    let repository = world.depot();
    let mut files: BTreeMap<_, Vec<u8>> = BTreeMap::new();
    for piece in world.pieces() {
        let name = (piece.server_id, piece.epoch, piece.file);
        let bytes = files.entry(name).or_default();
        assert_eq!(piece.from_offset, bytes.len() as u64);
        let manifest = piece.manifest_id.parse().unwrap();
        let path = TreePath::parse(b"log").unwrap();
        let progress = Progress::default();
        cat(&repository, &manifest, &path, 0..u64::MAX, bytes, &progress).unwrap();
        assert_eq!(piece.to_offset, bytes.len() as u64);
    }
    files
}

/// The manifests that hold pieces of logs.
fn manifests(world: &World) -> BTreeSet<String> {
    let repository = world.depot();
    let all = repository.manifests().unwrap().into_iter();
    all.filter(|id| {
        let manifest = repository.manifest(id).unwrap();
        manifest.body.labels.contains_key("ddm-log")
    })
    .map(|id| id.to_string())
    .collect()
}

fn named(pieces: &[DdmLogPartRow]) -> BTreeSet<String> {
    pieces.iter().map(|row| row.manifest_id.clone()).collect()
}

#[test]
fn minutes_of_a_log_become_an_hour_and_hours_a_day_and_nothing_of_it_is_lost() {
    let stage = Stage::set();
    let world = &stage.world;
    stage.minutes(4);
    let (before, times) = (archived(world), stage.times());
    let many = world.pieces().len();
    // The hour is not over.
    assert_eq!(world.control.log_round().unwrap().ordered, 0);
    world.clock.advance_seconds(HOUR);
    assert_eq!(world.control.log_round().unwrap().ordered, 1);
    assert_eq!(
        world.control.log_round().unwrap().ordered,
        0,
        "once an hour"
    );
    world.run();
    let hours = world.pieces();
    assert_eq!(hours.len() + 3, many, "four became one");
    assert_eq!(archived(world), before);
    assert_eq!(stage.times()[0].0, times[0].0);
    assert_eq!(manifests(world), named(&hours));
    // Another hour, and the day is over.
    stage.minutes(3);
    let (before, pieces) = (archived(world), world.pieces());
    world.clock.advance_seconds(DAY);
    world.control.log_round().unwrap();
    world.run();
    let days = world.pieces();
    let of_day = |row: &DdmLogPartRow| {
        let day = row.created_at.as_seconds().div_euclid(DAY);
        (row.server_id.clone(), row.file.clone(), day)
    };
    let expected: BTreeSet<_> = pieces.iter().map(of_day).collect();
    assert!(expected.len() < pieces.len());
    assert_eq!(days.len(), expected.len(), "{days:?}");
    assert_eq!(archived(world), before);
    assert_eq!(manifests(world), named(&days));
}

#[test]
fn putting_pieces_together_survives_a_crash_at_any_moment() {
    let stage = Stage::set();
    stage.minutes(3);
    let before = archived(&stage.world);
    let (times, layer) = (stage.times(), stage.layer.id);
    let Stage {
        world,
        cluster,
        folder,
        ..
    } = stage;
    world.clock.advance_seconds(HOUR);
    let act = |world: &World| {
        world.control.log_round().unwrap();
    };
    survive(world, act, |world| {
        assert_eq!(archived(world), before);
        // Whatever was left behind is put on record again if the catalog is lost now.
        let page = Page {
            limit: 100,
            ..Page::default()
        };
        let found = world
            .control
            .restorable_times(&world.alice, layer, &page)
            .unwrap();
        assert_eq!(found.items[0].from.as_seconds(), times[0].0);
        let there = manifests(world);
        assert!(named(&world.pieces()).is_subset(&there), "{there:?}");
    });
    drop((cluster, folder));
}

#[test]
fn a_catalog_that_was_rebuilt_knows_copies_and_logs_and_takes_nothing_for_an_orphan() {
    let mut stage = Stage::set();
    stage.minutes(3);
    let world = &stage.world;
    let (pieces, times) = (world.pieces(), stage.times());
    let bytes = archived(world);
    let copies = stage.copies();
    // What the catalog does not know is no orphan: it may be all that there is of a log.
    let unknown = &pieces[0];
    world.forget_piece(unknown);
    world.clock.advance_seconds(DAY);
    world.control.ddm_round().unwrap();
    world.run();
    assert!(manifests(world).contains(&unknown.manifest_id));

    let there = manifests(world);
    stage.world.lose_catalog();
    let found = rebuild(&stage.world);
    assert!(
        matches!(found[..], [(_, Rebuilt::Depot { .. })]),
        "{found:?}"
    );
    let world = &stage.world;
    assert_eq!(named(&world.pieces()), there);
    let anew = archived(world);
    assert!(
        bytes
            .iter()
            .all(|(file, bytes)| anew[file].starts_with(bytes))
    );
    let (from, until) = times[0];
    let now = stage.times();
    assert!(now[0].0 == from && now[0].1 >= until, "{now:?} {times:?}");
    let known = stage.copies();
    assert!(copies.iter().all(|copy| known.contains(copy)), "{known:?}");
    // Once more changes nothing.
    rebuild(world);
    assert_eq!((named(&world.pieces()), stage.times()), (there, now));

    // Of a layer that is off the list all goes together, when its days are over.
    world.clock.advance_seconds(29 * DAY);
    world.control.ddm_round().unwrap();
    world.run();
    assert_eq!(stage.copies(), known);
    world.clock.advance_seconds(2 * DAY);
    world.control.ddm_round().unwrap();
    world.run();
    assert_eq!(stage.copies(), []);
    assert_eq!(manifests(world), BTreeSet::new());
    assert_eq!(world.pieces(), []);
}

#[test]
fn what_no_day_that_is_kept_needs_goes_but_not_under_a_recovery() {
    let stage = Stage::set();
    let world = &stage.world;
    let node = &stage.cluster.nodes[0];
    stage.minutes(1);
    later(node);
    node.sql("FLUSH BINARY LOGS").unwrap();
    stage.minutes(1);
    later(node);
    stage.archive();
    let first = stage.copies();
    let times = stage.times();
    // A recovery from the first copy waits, because its target is down.
    let mut other = Cluster::start(stage.folder.path(), "other", 1).unwrap();
    let target = register(world, "other", &other);
    let recovery = NewRecovery {
        source: stage.layer.id,
        at: Timestamp::from_micros(times[0].0 * 1_000_000),
        target: target.id,
        nodes: vec![(stage.layer.nodes[0].id, target.nodes[0].id)],
    };
    stage.copy();
    let job = world.control.recover(&world.alice, &recovery).unwrap();
    other.nodes[0].kill().unwrap();
    world.clock.advance_seconds(31 * DAY);
    world.control.ddm_round().unwrap();
    world.run();
    assert!(stage.copies().contains(&first[0]), "a recovery reads it");
    other.nodes[0].up().unwrap();
    world.run_for_long();
    assert_eq!(status(world, job), DdmTaskStatus::Completed);
    assert_ne!(
        other.nodes[0].sql("SHOW DATABASES LIKE 'shop%'").unwrap(),
        ""
    );

    let pieces = world.pieces();
    let of_node = |pieces: &[DdmLogPartRow]| -> BTreeSet<String> {
        let node = stage.layer.nodes[0].id.to_string();
        let rows = pieces.iter().filter(|row| row.server_id == node);
        rows.map(|row| row.file.clone()).collect()
    };
    assert_eq!(of_node(&pieces).len(), 2);
    world.clock.advance_seconds(DAY);
    world.control.ddm_round().unwrap();
    world.run_for_long();
    // The newest before the days that are kept stays, with the log from there on.
    let left = stage.copies();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!left.contains(&first[0]));
    assert_eq!(of_node(&world.pieces()).len(), 1);
    // Pieces of the target's log are there too, and each is named.
    assert_eq!(manifests(world), named(&world.pieces()));
}

fn status(world: &World, job: JobId) -> DdmTaskStatus {
    let task = world.control.show_task(&world.alice, job).unwrap();
    println!("{task:?}");
    task.status
}
