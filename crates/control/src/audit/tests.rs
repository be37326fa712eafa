//! Deeds are kept, and whoever edits the file behind the database's back is seen.

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use strongroom_catalog::Catalog;
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};

use super::*;

fn identity(path: &Path) -> Identity {
    let entropy = Arc::new(SeededEntropy::new(1));
    let master = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    let catalog = Catalog::open(path).unwrap();
    Identity::new(catalog, Arc::new(ManualClock::default()), entropy, master).unwrap()
}

fn deed(number: u32) -> Deed {
    Deed {
        who: format!("user-{number}"),
        project_id: None,
        source: "192.0.2.1".to_owned(),
        request_id: format!("r-{number}"),
        operation: "cbr:vaults:delete".to_owned(),
        target: "/v3/p/vaults/v".to_owned(),
        outcome: "204".to_owned(),
    }
}

const LOCKS: &str = "DROP TRIGGER audit_is_not_edited; DROP TRIGGER audit_is_not_cut;
    DROP TRIGGER audit_seals_are_not_edited; DROP TRIGGER audit_seals_are_not_cut;";

/// A trail of five deeds, after somebody edited its file.
fn edited(edit: &str, anchored: bool) -> AuditReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let trail = identity(&path);
    (1..=5).for_each(|number| trail.record(deed(number)).unwrap());
    let whole = trail.verify_audit(None).unwrap();
    assert_eq!((whole.records, whole.problems.len()), (5, 0));
    drop(trail);
    let outside = Connection::open(&path).unwrap();
    outside.execute_batch(&format!("{LOCKS} {edit}")).unwrap();
    drop(outside);
    let kept = whole.head.as_ref().filter(|_| anchored);
    identity(&path).verify_audit(kept).unwrap()
}

#[test]
fn tampering_with_any_record_shows_and_names_it() {
    for (edit, says) in [
        (
            "UPDATE audit SET outcome = '403' WHERE seq = 3",
            "record 3 was changed",
        ),
        (
            "UPDATE audit SET at = at + 1 WHERE seq = 1",
            "record 1 was changed",
        ),
        // The end of one field moved to the beginning of the next.
        (
            "UPDATE audit SET who = 'user-', source = '2' || source WHERE seq = 2",
            "record 2 was changed",
        ),
        ("DELETE FROM audit WHERE seq = 2", "record 2 was taken out"),
        (
            "DELETE FROM audit WHERE seq = 2; DELETE FROM audit_seals WHERE seq = 2",
            "record 3 was changed, or what came before it",
        ),
        (
            "DELETE FROM audit_seals WHERE seq = 4",
            "record 4 has no seal",
        ),
        (
            "INSERT INTO audit SELECT 6, at, project_id, who, source, request_id, operation,
             target, outcome FROM audit WHERE seq = 1",
            "record 6 has no seal",
        ),
        (
            "INSERT INTO audit SELECT 6, at, project_id, who, source, request_id, operation,
             target, outcome FROM audit WHERE seq = 1;
             INSERT INTO audit_seals SELECT 6, seal FROM audit_seals WHERE seq = 1",
            "record 6 was changed",
        ),
    ] {
        let found = edited(edit, false).problems;
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{edit}: {found:?}"
        );
    }
}

#[test]
fn a_trail_cut_short_shows_by_a_head_that_was_kept() {
    let cut = "DELETE FROM audit WHERE seq > 3; DELETE FROM audit_seals WHERE seq > 3";
    assert_eq!(edited(cut, false).problems, [""; 0]);
    let found = edited(cut, true).problems;
    assert!(found[0].contains("cut short"), "{found:?}");
    let all = edited("DELETE FROM audit; DELETE FROM audit_seals", true);
    assert_eq!((all.records, all.problems.len()), (0, 1));
    assert_eq!(edited("", true).problems, [""; 0]);
}

#[test]
fn a_trail_goes_on_after_seals_of_missing_records_and_keeps_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let trail = identity(&path);
    (1..=2).for_each(|number| trail.record(deed(number)).unwrap());
    drop(trail);
    let outside = Connection::open(&path).unwrap();
    outside
        .execute_batch(&format!("{LOCKS} DELETE FROM audit WHERE seq = 2"))
        .unwrap();
    drop(outside);
    let trail = identity(&path);
    trail.record(deed(3)).unwrap();
    let report = trail.verify_audit(None).unwrap();
    assert_eq!(report.head.unwrap().seq, 3);
    assert_eq!(report.problems, ["record 2 was taken out"]);
}

#[test]
fn records_of_a_release_without_seals_are_sealed_with_the_next_deed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    drop(identity(&path));
    let outside = Connection::open(&path).unwrap();
    for seq in 1..=2 {
        let sql = "INSERT INTO audit VALUES (?1, 0, NULL, 'w', 's', 'r', 'o', 't', '200')";
        outside.execute(sql, [seq]).unwrap();
    }
    drop(outside);
    let trail = identity(&path);
    let before = trail.verify_audit(None).unwrap();
    assert_eq!(
        (before.records, before.head, before.problems.len()),
        (2, None, 0)
    );
    trail.record(deed(3)).unwrap();
    let after = trail.verify_audit(None).unwrap();
    assert_eq!((after.records, after.problems.len()), (3, 0));
}

#[test]
fn without_the_master_key_nobody_makes_seals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let trail = identity(&path);
    trail.record(deed(1)).unwrap();
    let entropy = Arc::new(SeededEntropy::new(2));
    let other = MasterKey::generate(entropy.as_ref());
    let catalog = Catalog::open(&path).unwrap();
    let stranger =
        Identity::new(catalog, Arc::new(ManualClock::default()), entropy, other).unwrap();
    stranger.record(deed(2)).unwrap();
    let found = trail.verify_audit(None).unwrap().problems;
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("record 2 was changed"));
}
