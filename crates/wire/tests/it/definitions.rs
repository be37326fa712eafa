//! Our replies against the vendor's published definitions, and the checker against bad replies.

use serde_json::{Value, json};
use strongroom_wire::{
    cbr,
    definitions::{check, is_published},
};

use crate::fixtures::replies;

#[test]
fn every_operation_of_the_sdk_has_a_published_definition() {
    for operation in cbr::ALL {
        let otc_only = ["ListApiVersions", "ShowApiVersion"].contains(&operation.name);
        assert_eq!(
            is_published(operation.name),
            !otc_only,
            "{}",
            operation.name
        );
    }
}

/// What the definitions say and the examples, or real clients, contradict.
const EXCUSED: &[(&str, &str, &str)] = &[
    (
        "CreateOrganizationPolicy",
        "/max_backups",
        "the examples show the -1 that means none",
    ),
    (
        "ListOrganizationPolicies",
        "/max_backups",
        "the examples show the -1 that means none",
    ),
    (
        "ShowOrganizationPolicy",
        "/max_backups",
        "the examples show the -1 that means none",
    ),
    (
        "UpdateOrganizationPolicy",
        "/max_backups",
        "the examples show the -1 that means none",
    ),
    (
        "ListProtectable",
        "/status",
        "servers say ACTIVE, disks in-use: their own service's words",
    ),
    (
        "ShowProtectable",
        "/status",
        "servers say ACTIVE, disks in-use: their own service's words",
    ),
];

#[test]
fn our_replies_are_what_the_definitions_say() {
    let mut excused = Vec::new();
    for (operation, reply) in replies() {
        if !is_published(operation) {
            continue;
        }
        let status = cbr::ALL
            .iter()
            .find(|row| row.name == operation)
            .unwrap()
            .success;
        for problem in check(operation, status, &reply).err().unwrap_or_default() {
            let found = problem.split(':').next().unwrap();
            let excuse = EXCUSED
                .iter()
                .position(|(name, place, _)| *name == operation && found.ends_with(place));
            excused.push(excuse.unwrap_or_else(|| panic!("{operation}: {problem}")));
        }
    }
    excused.dedup();
    assert_eq!(
        excused.len(),
        EXCUSED.len(),
        "an excuse is not needed any more"
    );
}

fn broken(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let (_, mut reply) = replies()
        .into_iter()
        .find(|(name, _)| *name == "ShowBackup")
        .unwrap();
    change(&mut reply);
    check("ShowBackup", 200, &reply).err().unwrap_or_default()
}

#[test]
fn the_checker_finds_what_is_wrong_and_says_where() {
    assert_eq!(broken(|_| {}), Vec::<String>::new());
    assert_eq!(
        broken(|reply| reply["backup"]["resource_size"] = json!("40")),
        ["/backup/resource_size: expected integer, found \"40\""]
    );
    assert_eq!(
        broken(|reply| drop(reply["backup"].as_object_mut().unwrap().remove("vault_id"))),
        ["/backup: vault_id is missing"]
    );
    assert_eq!(
        broken(|reply| reply["backup"]["vault_id"] = Value::Null),
        ["/backup/vault_id: null is shown nowhere"]
    );
    let problems = broken(|reply| reply["backup"]["children"][0]["status"] = json!("gone"));
    assert!(problems[0].starts_with("/backup/children/0/status: \"gone\" is none of"));
    assert_eq!(
        broken(|reply| reply["backup"]["children"] = json!({})).len(),
        1
    );
    assert_eq!(broken(|reply| *reply = json!([])).len(), 1);
    assert_eq!(broken(|reply| *reply = json!({})), ["/: backup is missing"]);
}

#[test]
fn bounds_statuses_and_error_shapes_are_checked_too() {
    let vault = |threshold| {
        let (_, mut reply) = replies()
            .into_iter()
            .find(|(name, _)| *name == "ShowVault")
            .unwrap();
        reply["vault"]["threshold"] = json!(threshold);
        check("ShowVault", 200, &reply).err().unwrap_or_default()
    };
    assert_eq!(vault(80), Vec::<String>::new());
    assert_eq!(vault(101), ["/vault/threshold: 101 breaks maximum 100"]);
    assert!(check("DeleteVault", 204, &Value::Null).is_ok());
    assert!(check("DeleteVault", 204, &json!({})).is_err());
    assert!(check("ShowVault", 201, &json!({})).is_err());
    assert!(check("ShowVaults", 200, &json!({})).is_err());
    let error = json!({"error_code": "BackupService.6105", "error_msg": "no"});
    assert!(check("ShowVault", 404, &error).is_ok());
    assert!(
        check(
            "ShowVault",
            404,
            &json!({"error_code": 6105, "error_msg": "no"})
        )
        .is_err()
    );
}
