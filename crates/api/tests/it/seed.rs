//! "Querying a Specified Backup": the documented example, from rows of the catalog through the
//! handler, field by field.
//!
//! The example's resource is a server with one disk. Servers come later, so both rows are disks
//! here; the table of differences says what that changes and nothing else may differ.

use serde_json::{Value, json};
use strongroom_catalog::{BackupRow, CheckpointRow, GrantRow, Json, ProjectRow};
use strongroom_model::{
    Bytes, Clock as _, ResourceKind, Timestamp,
    state::{BackupStatus, CheckpointStatus},
};
use strongroom_wire::time::CbrTime;

use crate::cloud::{Tenant, TestCloud};

const EXAMPLE: &str = include_str!("../../../../fixtures/wire/cbr/ShowBackup/reply.json");

/// Where a disk's backup differs from the example's server and its disk.
fn differences() -> Vec<(&'static str, Value)> {
    let disk = json!("d1603440-187d-4516-af25-121250c7cc97");
    vec![
        ("/backup/provider_id", disk.clone()),
        ("/backup/resource_type", json!("OS::Cinder::Volume")),
        ("/backup/resource_az", Value::Null),
        ("/backup/extend_info/bootable", json!(false)),
        ("/backup/extend_info/support_lld", Value::Null),
        ("/backup/children/0/provider_id", disk),
        (
            "/backup/children/0/extend_info/supported_restore_mode",
            json!("backup"),
        ),
        ("/backup/children/0/extend_info/snapshot_id", Value::Null),
        ("/backup/children/0/extend_info/bootable", json!(false)),
    ]
}

/// What only a server's backup, or an encrypted disk's, has.
const ABSENT: &[&str] = &[
    "/backup/extend_info/contain_system_disk",
    "/backup/children/0/extend_info/encrypted",
];

#[test]
fn the_documented_example_comes_out_of_the_catalog_field_by_field() {
    let cloud = TestCloud::new();
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let tenant = tenant_of(&cloud, &example["backup"]);
    fill(&cloud, &tenant, &example["backup"]);

    let uri = tenant.at("/backups/6df2b54c-dd62-4059-a07c-1b8f24f2725d");
    let reply = cloud.get("cbr", &uri).token(&tenant).send().is(200);
    let (mut seen, mut wrong) = (0, Vec::new());
    compare(&example, &reply.json, "", &mut |pointer, example, ours| {
        seen += 1;
        let expected = differences()
            .into_iter()
            .find(|(known, _)| *known == pointer)
            .map_or_else(|| Some(example.clone()), |(_, value)| Some(value))
            .filter(|_| !ABSENT.contains(&pointer));
        if ours != expected.as_ref() {
            wrong.push(format!("{pointer}: {ours:?} instead of {expected:?}"));
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 50, "{seen} is not every field of the example");

    let listed = cloud
        .get("cbr", &tenant.at("/backups"))
        .token(&tenant)
        .send()
        .is(200);
    let id = example["backup"]["id"].as_str().unwrap();
    let rows = listed.json["backups"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id);
    assert_eq!(row.unwrap(), &reply.json["backup"]);
}

/// Calls `field` for every field of the example that holds no object or list with objects.
fn compare(
    example: &Value,
    ours: &Value,
    pointer: &str,
    field: &mut impl FnMut(&str, &Value, Option<&Value>),
) {
    match example {
        Value::Object(fields) => {
            for (name, value) in fields {
                let pointer = format!("{pointer}/{name}");
                if value.is_object() || value.as_array().is_some_and(|list| !list.is_empty()) {
                    compare(value, &ours[name], &pointer, field);
                } else {
                    field(&pointer, value, ours.get(name));
                }
            }
        }
        Value::Array(list) => {
            for (place, value) in list.iter().enumerate() {
                compare(value, &ours[place], &format!("{pointer}/{place}"), field);
            }
        }
        _ => unreachable!("only objects and lists are compared"),
    }
}

/// A user of the example's project.
fn tenant_of(cloud: &TestCloud, backup: &Value) -> Tenant {
    let tenant = cloud.tenant("ann");
    let project_id = id(&backup["project_id"]);
    cloud
        .catalog
        .write::<_, strongroom_catalog::Error>(|tx| {
            tx.projects().insert(&ProjectRow {
                id: project_id,
                domain_id: cloud.first.domain.id,
                name: "documented".to_owned(),
                enabled: true,
                created_at: cloud.clock.now(),
            })?;
            let (user_id, role) = (tenant.user.id, "member".to_owned());
            tx.grants().give(&GrantRow {
                user_id,
                project_id,
                role,
            })
        })
        .unwrap();
    let project = cloud
        .cloud
        .identity
        .project_by_name(cloud.first.domain.id, "documented");
    let project = project.unwrap();
    let token = cloud.sign_in("ann", "password of ann", &project.id.to_string());
    Tenant {
        project,
        token,
        ..tenant
    }
}

/// The rows that the example would have come from.
fn fill(cloud: &TestCloud, tenant: &Tenant, backup: &Value) {
    let made = cloud
        .post("cbr", &tenant.at("/vaults"))
        .token(tenant)
        .json(&json!({ "vault": {
            "name": "v",
            "billing": { "size": 100, "object_type": "disk", "protect_type": "backup",
                         "consistent_level": "crash_consistent" },
            "resources": [],
        } }))
        .send()
        .is(200);
    let vault_id = id(&made.json["vault"]["id"]);
    let project = tenant.project.id;
    cloud
        .catalog
        .write::<_, strongroom_catalog::Error>(|tx| {
            let vault = tx.vaults().get(&project, &vault_id)?.unwrap();
            let vault_id = id(&backup["vault_id"]);
            tx.vaults().insert(&strongroom_catalog::VaultRow {
                id: vault_id,
                ..vault
            })?;
            tx.checkpoints().insert(&CheckpointRow {
                id: id(&backup["checkpoint_id"]),
                project_id: project,
                vault_id,
                status: CheckpointStatus::Available,
                name: "backup_name".to_owned(),
                description: None,
                retention_days: None,
                skipped: Json(json!([])),
                incremental_asked: true,
                auto_trigger: true,
                created_at: time(&backup["created_at"]),
                updated_at: time(&backup["created_at"]),
            })?;
            for row in [backup, &backup["children"][0]] {
                tx.backups().insert(&backup_row(row))?;
            }
            Ok(())
        })
        .unwrap();
}

fn backup_row(backup: &Value) -> BackupRow {
    BackupRow {
        id: id(&backup["id"]),
        project_id: id(&backup["project_id"]),
        vault_id: id(&backup["vault_id"]),
        checkpoint_id: id(&backup["checkpoint_id"]),
        resource_id: id(&backup["resource_id"]),
        resource_name: backup["resource_name"].as_str().unwrap().to_owned(),
        kind: ResourceKind::Volume,
        resource_size_bytes: Bytes(backup["resource_size"].as_u64().unwrap() << 30),
        name: backup["name"].as_str().unwrap().to_owned(),
        description: backup["description"].as_str().map(ToOwned::to_owned),
        status: BackupStatus::parse(backup["status"].as_str().unwrap()).unwrap(),
        incremental_asked: true,
        incremental: false,
        parent_id: backup["parent_id"]
            .as_str()
            .map(|text| text.parse().unwrap()),
        manifest_id: None,
        stored_bytes: Bytes(0),
        unique_bytes: Bytes(0),
        logical_bytes: Bytes(0),
        items: 1,
        problems: Json(Vec::new()),
        fail_reason: None,
        auto_trigger: backup["extend_info"]["auto_trigger"].as_bool().unwrap(),
        created_at: time(&backup["created_at"]),
        updated_at: time(&backup["created_at"]),
        protected_at: None,
        expired_at: None,
        replica_of: None,
    }
}

fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(text: &Value) -> I {
    text.as_str().unwrap().parse().unwrap()
}

fn time(text: &Value) -> Timestamp {
    let time: CbrTime = text.as_str().unwrap().parse().unwrap();
    Timestamp::from_micros(time.as_micros())
}
