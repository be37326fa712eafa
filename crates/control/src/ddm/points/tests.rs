//! Points in time by what is known: copies, runs of logs, gaps, changes of definitions.

use strongroom_catalog::{Json, Sealed};
use strongroom_model::{Bytes, DdmBackupId};

use super::*;

const INSTANCE: [u8; 16] = [1; 16];
const NODE: [u8; 16] = [2; 16];

fn project() -> ProjectId {
    ProjectId::from_bytes([9; 16])
}

fn node() -> DataNodeRow {
    DataNodeRow {
        project_id: project(),
        id: DataNodeId::from_bytes(NODE),
        instance_id: DdmInstanceId::from_bytes(INSTANCE),
        name: "node0".to_owned(),
        host: String::new(),
        port: 1,
        url_sealed: Sealed(Vec::new()),
        physical_sealed: Some(Sealed(Vec::new())),
        engine: "MariaDB".to_owned(),
        version: "1".to_owned(),
        status: "normal".to_owned(),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn copy(epoch: u64, offset: u64, from: i64) -> DdmNodeBackupRow {
    DdmNodeBackupRow {
        project_id: project(),
        id: DdmBackupId::from_bytes([u8::try_from(from % 250).unwrap(); 16]),
        instance_id: DdmInstanceId::from_bytes(INSTANCE),
        node_id: DataNodeId::from_bytes(NODE),
        node_name: "node0".to_owned(),
        status: DdmBackupStatus::Normal,
        file_bytes: Bytes(1),
        manifest_id: Some("m".to_owned()),
        epoch: Some(epoch),
        log_file: Some("b.000001".to_owned()),
        log_offset: Some(offset),
        gtid: None,
        lsn: None,
        from_second: Some(from),
        fail_reason: None,
        created_at: at(from),
        updated_at: at(from),
    }
}

fn metadata(offset: u64, taken: i64) -> DdmBackupRow {
    DdmBackupRow {
        project_id: project(),
        id: DdmBackupId::from_bytes([u8::try_from(taken % 250).unwrap(); 16]),
        name: "n".to_owned(),
        description: String::new(),
        status: DdmBackupStatus::Normal,
        kind: "metadata".to_owned(),
        instance_id: DdmInstanceId::from_bytes(INSTANCE),
        instance_name: "shop".to_owned(),
        instance_status: "normal".to_owned(),
        data_nodes: Json(vec![DataNodeName {
            id: DataNodeId::from_bytes(NODE),
            name: "node0".to_owned(),
        }]),
        file_bytes: Bytes(1),
        manifest_id: Some("m".to_owned()),
        taken_at: Some(at(taken)),
        log_file: Some("b.000001".to_owned()),
        log_offset: Some(offset),
        fail_reason: None,
        created_at: at(taken),
        updated_at: at(taken),
        expires_at: None,
    }
}

/// A piece: run, first and last place, seconds of the run's begin and the piece's end, changes.
fn part(
    server: &str,
    (seq, epoch): (u64, u64),
    places: (u64, u64),
    (from, until): (i64, i64),
    changes: &[(u64, i64)],
) -> DdmLogPartRow {
    DdmLogPartRow {
        project_id: project(),
        server_id: server.to_owned(),
        seq,
        instance_id: DdmInstanceId::from_bytes(INSTANCE),
        epoch,
        file: "b.000001".to_owned(),
        from_offset: places.0,
        to_offset: places.1,
        changes: Json(changes.to_vec()),
        from_second: from,
        until_second: until,
        manifest_id: "m".to_owned(),
        created_at: at(until),
    }
}

fn points(
    copies: Vec<DdmNodeBackupRow>,
    metadata: Vec<DdmBackupRow>,
    of_node: Vec<DdmLogPartRow>,
    of_layer: Vec<DdmLogPartRow>,
) -> Points {
    Points {
        instance: DdmInstanceId::from_bytes(INSTANCE),
        nodes: vec![node()],
        copies,
        metadata,
        parts: BTreeMap::from([(node_id(), of_node), (layer_id(), of_layer)]),
        logs: BTreeMap::new(),
    }
}

fn node_id() -> String {
    DataNodeId::from_bytes(NODE).to_string()
}

fn layer_id() -> String {
    DdmInstanceId::from_bytes(INSTANCE).to_string()
}

fn spans(points: &Points) -> Vec<(i64, i64)> {
    let spans = points.spans().into_iter();
    spans.map(|span| (span.from, span.until)).collect()
}

#[test]
fn from_a_copy_to_the_end_of_its_log_and_as_long_as_metadata_hold() {
    let of_node = vec![
        part(&node_id(), (1, 1), (0, 500), (90, 150), &[]),
        part(&node_id(), (2, 1), (500, 900), (90, 200), &[]),
    ];
    let of_layer = vec![part(
        &layer_id(),
        (1, 1),
        (0, 800),
        (90, 190),
        &[(100, 95), (700, 180)],
    )];
    let points = points(
        vec![copy(1, 300, 120)],
        vec![metadata(600, 110)],
        of_node,
        of_layer,
    );
    // The change at 95 was before the backup, that at 180 is the first after it.
    assert_eq!(spans(&points), [(120, 179)]);
    assert_eq!(points.plan(179).unwrap().metadata.taken_at, Some(at(110)));
    for second in [119, 180, 1000] {
        let error = points.plan(second).unwrap_err();
        assert_eq!(error.reason(), Reason::TimeNotRestorable, "{error}");
    }
    // What the metadata were at 180 is not known; at 179 it is.
    assert!(points.is_outdated(&points.metadata[0], 180) || points.layer_until() == i64::MIN);
}

#[test]
fn a_gap_cuts_what_can_be_restored_and_the_next_copy_begins_anew() {
    let of_node = vec![
        part(&node_id(), (1, 1), (0, 500), (90, 150), &[]),
        part(&node_id(), (2, 2), (0, 900), (160, 200), &[]),
    ];
    let of_layer = vec![part(&layer_id(), (1, 1), (0, 800), (90, 300), &[])];
    let copies = vec![copy(1, 300, 120), copy(2, 300, 170)];
    let points = points(copies, vec![metadata(600, 100)], of_node, of_layer);
    assert_eq!(spans(&points), [(120, 150), (170, 200)]);
    let copy_of = |second| points.plan(second).unwrap().copies[&node().id].from_second;
    assert_eq!((copy_of(150), copy_of(170)), (Some(120), Some(170)));
    let between = points.plan(160).unwrap_err().to_string();
    assert!(between.contains("node0"), "{between}");
}

#[test]
fn a_copy_whose_log_is_gone_or_that_failed_is_no_point_in_time() {
    let of_layer = vec![part(&layer_id(), (1, 1), (0, 800), (90, 300), &[])];
    // Its log begins behind it.
    let late = vec![part(&node_id(), (1, 1), (400, 500), (90, 150), &[])];
    let lost = points(
        vec![copy(1, 300, 120)],
        vec![metadata(600, 100)],
        late,
        of_layer.clone(),
    );
    assert_eq!(spans(&lost), []);
    let whole = vec![part(&node_id(), (1, 1), (0, 500), (90, 150), &[])];
    let failed = DdmNodeBackupRow {
        status: DdmBackupStatus::Failed,
        ..copy(1, 300, 120)
    };
    let failed = points(
        vec![failed],
        vec![metadata(600, 100)],
        whole.clone(),
        of_layer,
    );
    assert_eq!(spans(&failed), []);
    let no_metadata = points(vec![copy(1, 300, 120)], Vec::new(), whole, Vec::new());
    let error = no_metadata.plan(130).unwrap_err().to_string();
    assert!(error.contains("metadata"), "{error}");
}

#[test]
fn after_a_reset_metadata_belong_to_the_run_that_had_begun_then() {
    let of_node = vec![part(&node_id(), (1, 1), (0, 500), (90, 400), &[])];
    let of_layer = vec![
        part(&layer_id(), (1, 1), (0, 800), (90, 200), &[]),
        part(&layer_id(), (2, 2), (0, 800), (210, 400), &[(700, 350)]),
    ];
    let backups = vec![metadata(600, 100), metadata(600, 220)];
    let points = points(vec![copy(1, 300, 95)], backups, of_node, of_layer);
    assert_eq!(spans(&points), [(100, 200), (220, 349)]);
}

#[test]
fn a_data_node_that_stands_behind_another_layer_now_is_not_left_out() {
    let of_node = vec![part(&node_id(), (1, 1), (0, 500), (90, 150), &[])];
    let of_layer = vec![part(&layer_id(), (1, 1), (0, 800), (90, 300), &[])];
    let mut points = points(
        vec![copy(1, 300, 120)],
        vec![metadata(600, 100)],
        of_node,
        of_layer,
    );
    points.nodes.clear();
    assert_eq!(spans(&points), [(120, 150)]);
    points.copies.clear();
    let error = points.plan(130).unwrap_err().to_string();
    assert!(error.contains("node0"), "{error}");
}
