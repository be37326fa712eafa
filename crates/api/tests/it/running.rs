//! The whole story with jobs that run: protect, back up, change, back up again, restore, delete;
//! every reply on the way held against the definitions.

use std::{fs, os::unix::fs::FileExt as _};

use serde_json::{Value, json};

use crate::{
    cbr::{add, checkpoint, make_vault},
    cloud::{Reply, Tenant, TestCloud},
};

fn get(cloud: &TestCloud, tenant: &Tenant, rest: &str) -> Reply {
    cloud.get("cbr", &tenant.at(rest)).signed(tenant).send()
}

/// Orders a backup and runs it; the backup.
fn back_up(cloud: &TestCloud, tenant: &Tenant, vault: &str, name: &str) -> Value {
    cloud.clock.advance_seconds(60);
    let ordered = checkpoint(cloud, tenant, vault, &json!({ "name": name })).is(200);
    cloud.run();
    let id = ordered.text_at("/checkpoint/id");
    let shown = get(cloud, tenant, &format!("/checkpoints/{id}")).is(200);
    assert_eq!(shown.text_at("/checkpoint/status"), "available");
    let listed = get(cloud, tenant, &format!("/backups?checkpoint_id={id}")).is(200);
    listed.json["backups"][0].clone()
}

fn restore(cloud: &TestCloud, tenant: &Tenant, backup: &Value, body: &Value) -> Reply {
    cloud.clock.advance_seconds(60);
    let id = backup["id"].as_str().unwrap();
    let at = tenant.at(&format!("/backups/{id}/restore"));
    let started = cloud
        .post("cbr", &at)
        .signed_json(tenant, &json!({ "restore": body }))
        .is(202);
    cloud.run();
    let log = get(
        cloud,
        tenant,
        &format!("/operation-logs/{}", started.text_at("/job_id")),
    );
    log.is(200)
}

#[test]
fn a_disk_is_backed_up_twice_and_restored_in_place_byte_for_byte() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let disk = cloud.resource(&ann, "volume", "disk");
    let vault = make_vault(&cloud, &ann, "disks", "disk");
    add(&cloud, &ann, &vault, &disk, "OS::Cinder::Volume").is(200);
    let before = fs::read(cloud.file("disk")).unwrap();

    let first = back_up(&cloud, &ann, &vault, "first");
    assert_eq!(
        (&first["status"], &first["incremental"]),
        (&json!("available"), &json!(false))
    );
    assert_eq!(first["extend_info"]["supported_restore_mode"], "backup");
    assert!(first["protected_at"].is_string() && first["created_at"] != first["updated_at"]);
    let image = fs::OpenOptions::new()
        .write(true)
        .open(cloud.file("disk"))
        .unwrap();
    image.write_all_at(b"changed", 1 << 20).unwrap();
    let second = back_up(&cloud, &ann, &vault, "second");
    assert_eq!(second["incremental"], true);

    let log = restore(&cloud, &ann, &first, &json!({ "volume_id": disk }));
    assert_eq!(
        log.text_at("/operation_log/status"),
        "success",
        "{}",
        log.text
    );
    assert_eq!(
        log.text_at("/operation_log/extra_info/restore/target_resource_id"),
        disk
    );
    assert_eq!(
        log.json["operation_log"]["extra_info"]["common"]["progress"],
        100
    );
    assert_eq!(fs::read(cloud.file("disk")).unwrap(), before);
    let all = get(&cloud, &ann, "/backups?sort=created_at:asc").is(200);
    assert_eq!(all.json["count"], 3, "two of ours and the safety backup");
    assert!(all.text_at("/backups/2/name").starts_with("safety_"));

    let held = get(&cloud, &ann, &format!("/vaults/{vault}")).is(200);
    assert_eq!(held.json["vault"]["resources"][0]["backup_count"], 3);
    assert!(held.json["vault"]["billing"]["used"].as_u64().unwrap() > 0);
    let usage = get(&cloud, &ann, "/storage_usage").is(200);
    assert_eq!(usage.json["storage_usage"][0]["backup_count"], 3);
    let id = first["id"].as_str().unwrap();
    let metadata = get(&cloud, &ann, &format!("/backups/{id}/metadata")).is(200);
    let kept: Value = serde_json::from_str(&metadata.text_at("/backups")).unwrap();
    assert_eq!(kept["id"], first["id"]);
    let report = cloud
        .get("identity", &format!("/native/v1/backups/{id}/report"))
        .token(&ann);
    let report = report.send().is(200);
    assert_eq!(report.json["problems"], json!([]));
    assert_eq!(report.json["logical_bytes"], 3 << 20);

    for backup in [&first, &second] {
        let at = ann.at(&format!("/backups/{}", backup["id"].as_str().unwrap()));
        cloud.delete("cbr", &at).signed(&ann).send().is(204);
        cloud.run();
        cloud
            .get("cbr", &at)
            .signed(&ann)
            .send()
            .refused(404, "BackupService.6200");
    }
    let point = format!("/checkpoints/{}", first["checkpoint_id"].as_str().unwrap());
    get(&cloud, &ann, &point).refused(404, "BackupService.6217");
    end(&cloud, &ann, &vault);
}

/// Deletes the vault; nothing is left but logs.
fn end(cloud: &TestCloud, tenant: &Tenant, vault: &str) {
    let at = tenant.at(&format!("/vaults/{vault}"));
    cloud.delete("cbr", &at).signed(tenant).send().is(204);
    let shown = cloud.get("cbr", &at).signed(tenant).send().is(200);
    assert_eq!(shown.text_at("/vault/billing/status"), "deleting");
    cloud.run();
    cloud
        .get("cbr", &at)
        .signed(tenant)
        .send()
        .refused(404, "BackupService.6105");
    assert_eq!(get(cloud, tenant, "/backups").is(200).json["count"], 0);
    let logs = get(cloud, tenant, "/operation-logs?operation_type=vault_delete").is(200);
    let detail = &logs.json["operation_logs"][0]["extra_info"]["vault_delete"];
    assert_eq!(
        (&detail["fail_count"], &detail["fail_delete_count"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(detail["total_count"], detail["total_delete_count"]);
}

#[test]
fn a_share_that_vanished_fails_its_task_and_says_which_path() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let share = cloud.resource(&ann, "share", "home");
    let vault = make_vault(&cloud, &ann, "shares", "turbo");
    add(&cloud, &ann, &vault, &share, "OS::Sfs::Turbo").is(200);
    let good = back_up(&cloud, &ann, &vault, "good");
    assert_eq!(good["status"], "available");
    fs::rename(cloud.file("home"), cloud.file("elsewhere")).unwrap();
    let ordered = checkpoint(&cloud, &ann, &vault, &json!({})).is(200);
    cloud.run();
    let id = ordered.text_at("/checkpoint/id");
    let shown = get(&cloud, &ann, &format!("/checkpoints/{id}")).is(200);
    assert_eq!(shown.text_at("/checkpoint/status"), "error");
    let logs = get(&cloud, &ann, "/operation-logs?status=failed").is(200);
    assert_eq!(logs.json["count"], 1);
    assert_eq!(
        logs.text_at("/operation_logs/0/error_info/code"),
        "BackupService.6302"
    );
    assert!(
        logs.text_at("/operation_logs/0/error_info/message")
            .contains("home")
    );
    // The earlier backup is as good as before: an operator takes it to another place.
    let id = good["id"].as_str().unwrap();
    let to = cloud.file("rescued");
    let operator = Tenant {
        project: ann.project.clone(),
        ..cloud.operator()
    };
    let started = cloud
        .post("identity", &format!("/native/v1/backups/{id}/restore"))
        .json(&json!({ "to": to }))
        .signed(&operator)
        .send()
        .is(202);
    cloud.run();
    let log = get(
        &cloud,
        &ann,
        &format!("/operation-logs/{}", started.text_at("/job_id")),
    )
    .is(200);
    assert_eq!(
        log.text_at("/operation_log/status"),
        "success",
        "{}",
        log.text
    );
    assert_eq!(fs::read(to.join("hello.txt")).unwrap(), b"hello from home");
}

#[test]
fn a_resource_that_leaves_takes_its_backups_along() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let share = cloud.resource(&ann, "share", "home");
    let vault = make_vault(&cloud, &ann, "shares", "turbo");
    add(&cloud, &ann, &vault, &share, "OS::Sfs::Turbo").is(200);
    back_up(&cloud, &ann, &vault, "only");
    let at = ann.at(&format!("/vaults/{vault}/removeresources"));
    let body = json!({ "resource_ids": [share] });
    let removing = cloud.post("cbr", &at).signed_json(&ann, &body).is(200);
    assert_eq!(removing.json, json!({ "remove_resource_ids": [share] }));
    let held = get(&cloud, &ann, &format!("/vaults/{vault}")).is(200);
    assert_eq!(
        held.text_at("/vault/resources/0/protect_status"),
        "removing"
    );
    cloud.run();
    let held = get(&cloud, &ann, &format!("/vaults/{vault}")).is(200);
    assert_eq!(held.json["vault"]["resources"], json!([]));
    assert_eq!(get(&cloud, &ann, "/backups").is(200).json["count"], 0);
    let logs = get(
        &cloud,
        &ann,
        "/operation-logs?operation_type=remove_resource",
    )
    .is(200);
    assert_eq!(logs.text_at("/operation_logs/0/status"), "success");
    assert_eq!(
        logs.text_at("/operation_logs/0/extra_info/remove_resources/resources/0/id"),
        share
    );
    end(&cloud, &ann, &vault);
}
