//! CBR as clients use it: vaults, resources, orders to back up, lists walked to their ends, tags.
//! Nothing runs jobs here, so what is ordered stays ordered.

use serde_json::{Value, json};

use crate::cloud::{Reply, Tenant, TestCloud};

/// A body of `CreateVault`.
pub(crate) fn vault(name: &str, object_type: &str) -> Value {
    json!({ "vault": {
        "name": name,
        "billing": {
            "size": 100, "object_type": object_type, "protect_type": "backup",
            "consistent_level": "crash_consistent",
        },
        "resources": [],
    } })
}

/// Makes a vault; its id.
pub(crate) fn make_vault(
    cloud: &TestCloud,
    tenant: &Tenant,
    name: &str,
    object_type: &str,
) -> String {
    let ask = cloud.post("cbr", &tenant.at("/vaults")).token(tenant);
    ask.json(&vault(name, object_type))
        .send()
        .is(200)
        .text_at("/vault/id")
}

pub(crate) fn add(
    cloud: &TestCloud,
    tenant: &Tenant,
    vault: &str,
    resource: &str,
    kind: &str,
) -> Reply {
    let body = json!({ "resources": [{ "id": resource, "type": kind }] });
    let uri = tenant.at(&format!("/vaults/{vault}/addresources"));
    cloud.post("cbr", &uri).token(tenant).json(&body).send()
}

pub(crate) fn checkpoint(
    cloud: &TestCloud,
    tenant: &Tenant,
    vault: &str,
    parameters: &Value,
) -> Reply {
    let body = json!({ "checkpoint": { "vault_id": vault, "parameters": parameters } });
    cloud
        .post("cbr", &tenant.at("/checkpoints"))
        .token(tenant)
        .json(&body)
        .send()
}

fn get(cloud: &TestCloud, tenant: &Tenant, rest: &str) -> Reply {
    cloud.get("cbr", &tenant.at(rest)).signed(tenant).send()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_vault_comes_back_as_it_was_set() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let mut body = vault("daily-01", "turbo");
    let asked = body["vault"].as_object_mut().unwrap();
    asked.extend(
        json!({
            "description": "shares", "tags": [{ "key": "team", "value": "storage" }],
            "auto_bind": true, "bind_rules": { "tags": [{ "key": "backup", "value": "yes" }] },
            "auto_expand": true, "threshold": 70, "smn_notify": false,
            "backup_name_prefix": "night", "locked": false, "availability_zone": "az1",
            "demand_billing": true, "enterprise_project_id": "0",
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    // What the vendors' consoles and tools send along has no effect.
    body["vault"]["billing"]["is_auto_renew"] = json!(true);
    body["vault"]["billing"]["is_auto_pay"] = json!(true);
    body["vault"]["billing"]["cloud_type"] = json!("public");
    body["vault"]["billing"]["charging_mode"] = json!("post_paid");
    let made = cloud
        .post("cbr", &ann.at("/vaults"))
        .token(&ann)
        .json(&body)
        .send()
        .is(200);
    let id = made.text_at("/vault/id");
    let shown = get(&cloud, &ann, &format!("/vaults/{id}")).is(200);
    assert_eq!(shown.json, made.json);
    let vault = &shown.json["vault"];
    for field in [
        "name",
        "description",
        "tags",
        "auto_bind",
        "bind_rules",
        "auto_expand",
        "threshold",
        "smn_notify",
        "backup_name_prefix",
        "locked",
        "availability_zone",
        "demand_billing",
        "enterprise_project_id",
    ] {
        assert_eq!(vault[field], body["vault"][field], "{field}");
    }
    for field in [
        "size",
        "object_type",
        "protect_type",
        "consistent_level",
        "cloud_type",
        "charging_mode",
    ] {
        assert_eq!(
            vault["billing"][field], body["vault"]["billing"][field],
            "{field}"
        );
    }
    assert_eq!(vault["billing"]["status"], "available");
    assert_eq!(vault["billing"]["spec_code"], "vault.backup.turbo.normal");
    assert_eq!(vault["provider_id"], "3f3c3220-245c-4805-b811-758870015881");
    assert_eq!(vault["created_at"], "2026-01-02T03:04:05.000006");
    assert_eq!(
        (&vault["billing"]["used"], &vault["resources"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(vault["billing"]["order_id"], Value::Null);

    let change = json!({ "vault": {
        "name": "daily-02", "billing": { "size": 200 }, "auto_expand": false,
        "bind_rules": { "tags": [] },
    } });
    let changed = cloud
        .put("cbr", &ann.at(&format!("/vaults/{id}")))
        .signed_json(&ann, &change)
        .is(200);
    assert_eq!(changed.text_at("/vault/name"), "daily-02");
    assert_eq!(changed.json["vault"]["billing"]["size"], 200);
    assert_eq!(changed.json["vault"]["bind_rules"], json!({ "tags": [] }));
    assert_eq!(changed.json["vault"]["threshold"], 70);
    let summary = get(&cloud, &ann, "/vaults/summary").is(200);
    assert_eq!(summary.json, json!({ "size": 200, "used_size": 0 }));
}

#[test]
fn a_resource_is_found_taken_and_kept_from_a_second_vault() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let share = cloud.resource(&ann, "share", "home");
    let disk = cloud.resource(&ann, "volume", "disk");
    let instances = |kind: &str| {
        get(
            &cloud,
            &ann,
            &format!("/protectables/{kind}/instances?limit=50"),
        )
        .is(200)
    };
    let found = instances("turbo");
    assert_eq!(found.text_at("/instances/0/id"), share);
    assert_eq!(found.json["instances"][0]["protectable"]["result"], true);
    assert_eq!(
        found.json["instances"][0]["protectable"]["vault"],
        Value::Null
    );
    assert_eq!(instances("server").json["instances"], json!([]));

    let vault = make_vault(&cloud, &ann, "shares", "turbo");
    let second = make_vault(&cloud, &ann, "second", "turbo");
    let added = add(&cloud, &ann, &vault, &share, "OS::Sfs::Turbo").is(200);
    assert_eq!(added.json, json!({ "add_resource_ids": [share] }));
    add(&cloud, &ann, &second, &share, "OS::Sfs::Turbo").refused(400, "BackupService.6103");
    add(&cloud, &ann, &vault, &disk, "OS::Cinder::Volume").refused(400, "BackupService.6102");
    add(&cloud, &ann, &vault, &disk, "OS::Nova::Server").refused(400, "BackupService.6116");

    let instance = format!("/protectables/turbo/instances/{share}");
    let shown = get(&cloud, &ann, &instance).is(200);
    assert_eq!(shown.text_at("/instance/protectable/vault/id"), vault);
    assert_eq!(shown.json["instance"]["protectable"]["result"], false);
    assert_eq!(
        shown.text_at("/instance/protectable/code"),
        "BackupService.6103"
    );
    let wrong_kind = format!("/protectables/disk/instances/{share}");
    get(&cloud, &ann, &wrong_kind).refused(404, "BackupService.6302");

    let held = get(&cloud, &ann, &format!("/vaults/{vault}")).is(200);
    let resource = &held.json["vault"]["resources"][0];
    assert_eq!(
        (&resource["id"], &resource["type"]),
        (&json!(share), &json!("OS::Sfs::Turbo"))
    );
    assert_eq!(resource["protect_status"], "available");
    for number in ["size", "backup_size", "backup_count"] {
        assert!(resource[number].is_u64(), "{number} is a number");
    }
    let by_resource = get(&cloud, &ann, &format!("/vaults?resources_ids={share}")).is(200);
    assert_eq!(by_resource.text_at("/vaults/0/id"), vault);
    let usage = get(&cloud, &ann, &format!("/storage_usage?resource_id={share}")).is(200);
    assert_eq!(usage.json["resource_count"], 1);
    assert_eq!(usage.json["storage_usage"][0]["backup_count"], 0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn an_order_to_back_up_is_seen_from_every_side() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let disk = cloud.resource(&ann, "volume", "disk");
    let vault = make_vault(&cloud, &ann, "disks", "disk");
    checkpoint(&cloud, &ann, &vault, &json!({})).refused(400, "BackupService.0001");
    add(&cloud, &ann, &vault, &disk, "OS::Cinder::Volume").is(200);
    let ordered = checkpoint(
        &cloud,
        &ann,
        &vault,
        &json!({
            "name": "by_hand", "description": "before the move", "incremental": true,
            "auto_trigger": false, "resources": [],
        }),
    )
    .is(200);
    let id = ordered.text_at("/checkpoint/id");
    let order = &ordered.json["checkpoint"];
    assert_eq!(order["status"], "protecting");
    assert_eq!(order["vault"]["skipped_resources"], json!([]));
    let resource = &order["vault"]["resources"][0];
    assert_eq!(
        (&resource["id"], &resource["protect_status"]),
        (&json!(disk), &json!("protecting"))
    );
    assert_eq!(
        (&resource["resource_size"], &resource["extra_info"]),
        (&json!("1"), &Value::Null)
    );

    let shown = get(&cloud, &ann, &format!("/checkpoints/{id}")).is(200);
    assert_eq!(shown.text_at("/checkpoint/extra_info/name"), "by_hand");
    let listed = get(
        &cloud,
        &ann,
        &format!("/backups?checkpoint_id={id}&incremental=true"),
    )
    .is(200);
    assert_eq!(listed.json["count"], 1);
    let backup = &listed.json["backups"][0];
    assert_eq!(
        (&backup["status"], &backup["name"]),
        (&json!("waiting_protect"), &json!("by_hand"))
    );
    assert_eq!(backup["children"], json!([]));
    let backup_id = listed.text_at("/backups/0/id");

    let logs = get(&cloud, &ann, "/operation-logs?operation_type=backup").is(200);
    assert_eq!(logs.json["count"], 1);
    let log = &logs.json["operation_logs"][0];
    assert_eq!(log["status"], "waiting");
    assert_eq!(log["error_info"], json!({ "code": "", "message": "" }));
    assert_eq!(log["extra_info"]["backup"]["backup_id"], backup_id);
    assert_eq!(
        log["extra_info"]["common"]["request_id"],
        ordered.headers["x-request-id"].to_str().unwrap()
    );
    assert!(log["extra_info"]["resource"].get("extra_info").is_none());
    let log = logs.text_at("/operation_logs/0/id");
    get(&cloud, &ann, &format!("/operation-logs/{log}")).is(200);
    let disks = get(
        &cloud,
        &ann,
        "/operation-logs?provider_id=d1603440-187d-4516-af25-121250c7cc97",
    );
    assert_eq!(disks.is(200).json["count"], 1);
    assert_eq!(
        get(&cloud, &ann, "/operation-logs?provider_id=other")
            .is(200)
            .json["count"],
        0
    );

    let at = ann.at(&format!("/backups/{backup_id}/restore"));
    let restore = cloud
        .post("cbr", &at)
        .signed_json(&ann, &json!({ "restore": { "volume_id": disk } }));
    restore.refused(400, "BackupService.2005");
    let renamed = cloud
        .put("cbr", &ann.at(&format!("/backups/{backup_id}")))
        .signed_json(&ann, &json!({ "backup": { "name": "renamed" } }))
        .is(200);
    assert_eq!(renamed.text_at("/backup/name"), "renamed");
    get(&cloud, &ann, &format!("/backups/{backup_id}/metadata")).refused(400, "BackupService.6206");
    let again = checkpoint(&cloud, &ann, &vault, &json!({}));
    assert_ne!(again.status, 500, "{}", again.text);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn lists_are_walked_to_their_ends_by_marker_and_by_offset() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let mut made = Vec::new();
    for n in 0..7 {
        cloud.clock.advance_seconds(n % 2);
        let resource = cloud.resource(&ann, "volume", &format!("disk-{n}"));
        let vault = make_vault(&cloud, &ann, &format!("vault-{n}"), "disk");
        add(&cloud, &ann, &vault, &resource, "OS::Cinder::Volume").is(200);
        checkpoint(&cloud, &ann, &vault, &json!({})).is(200);
        made.push(vault);
    }
    for (list, key) in [
        ("/vaults", "vaults"),
        ("/backups", "backups"),
        ("/backups?sort=name:asc", "backups"),
        ("/backups?sort=status,created_at:asc", "backups"),
        ("/operation-logs", "operation_logs"),
        ("/storage_usage", "storage_usage"),
        ("/protectables/disk/instances", "instances"),
    ] {
        let id = if key == "storage_usage" {
            "resource_id"
        } else {
            "id"
        };
        let page = |more: &str| {
            let joint = if list.contains('?') { '&' } else { '?' };
            let page = get(&cloud, &ann, &format!("{list}{joint}limit=3{more}")).is(200);
            if let Some(count) = page.json.get("count") {
                assert_eq!(count, 7, "{list}");
                assert_eq!(page.json["limit"], 3);
            }
            let rows = page.json[key]
                .as_array()
                .expect("the list is there")
                .clone();
            rows.iter()
                .map(|row| row[id].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let whole: Vec<String> = {
            let reply = get(&cloud, &ann, list).is(200);
            let rows = reply.json[key].as_array().unwrap();
            rows.iter()
                .map(|row| row[id].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(whole.len(), 7, "{list}");
        let (mut by_marker, mut by_offset) = (page(""), Vec::new());
        while let Some(last) = by_marker.last() {
            let next = page(&format!("&marker={last}"));
            if next.is_empty() {
                break;
            }
            by_marker.extend(next);
        }
        loop {
            let next = page(&format!("&offset={}", by_offset.len()));
            if next.is_empty() {
                break;
            }
            by_offset.extend(next);
        }
        assert_eq!(by_marker, whole, "{list} by marker");
        assert_eq!(by_offset, whole, "{list} by offset");
        assert!(page("&offset=1000").is_empty() && page("&offset=4294967295").is_empty());
    }
    let ids = format!("/vaults?id={}&id={},{}", made[0], made[1], made[2]);
    assert_eq!(get(&cloud, &ann, &ids).is(200).json["count"], 3);
    assert_eq!(
        get(&cloud, &ann, "/vaults?name=vault-3").is(200).json["count"],
        1
    );
    assert_eq!(
        get(&cloud, &ann, "/vaults?name=vault").is(200).json["count"],
        0
    );
    assert_eq!(
        get(&cloud, &ann, "/vaults?nonsense=1&status=error")
            .is(200)
            .json["count"],
        0
    );
}

#[test]
fn filters_of_backups_match_what_they_say() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let (share, disk) = (
        cloud.resource(&ann, "share", "s"),
        cloud.resource(&ann, "volume", "d"),
    );
    let (shares, disks) = (
        make_vault(&cloud, &ann, "s", "turbo"),
        make_vault(&cloud, &ann, "d", "disk"),
    );
    add(&cloud, &ann, &shares, &share, "OS::Sfs::Turbo").is(200);
    add(&cloud, &ann, &disks, &disk, "OS::Cinder::Volume").is(200);
    checkpoint(&cloud, &ann, &shares, &json!({ "name": "one" })).is(200);
    cloud.clock.advance_seconds(60);
    checkpoint(
        &cloud,
        &ann,
        &disks,
        &json!({ "name": "two", "incremental": false }),
    )
    .is(200);
    for (query, names) in [
        (String::new(), vec!["one", "two"]),
        (format!("vault_id={disks}"), vec!["two"]),
        (format!("resource_id={share}"), vec!["one"]),
        ("resource_name=d".to_owned(), vec!["two"]),
        ("resource_type=OS::Sfs::Turbo".to_owned(), vec!["one"]),
        ("resource_type=OS::Nova::Server".to_owned(), vec![]),
        ("name=one".to_owned(), vec!["one"]),
        (
            "status=waiting_protect&status=error".to_owned(),
            vec!["one", "two"],
        ),
        ("status=available".to_owned(), vec![]),
        ("start_time=2026-01-02T03:05:00Z".to_owned(), vec!["two"]),
        ("end_time=2026-01-02T03:05:00Z".to_owned(), vec!["one"]),
        ("incremental=true".to_owned(), vec!["one"]),
        ("image_type=replication".to_owned(), vec![]),
        ("own_type=shared".to_owned(), vec![]),
        ("own_type=private".to_owned(), vec!["one", "two"]),
        (
            "enterprise_project_id=all_granted_eps".to_owned(),
            vec!["one", "two"],
        ),
        ("enterprise_project_id=0".to_owned(), vec!["one", "two"]),
        ("used_percent=1".to_owned(), vec![]),
        ("resource_az=az1".to_owned(), vec![]),
        ("show_replication=true".to_owned(), vec!["one", "two"]),
    ] {
        let listed = get(&cloud, &ann, &format!("/backups?sort=name:asc&{query}")).is(200);
        let rows = listed.json["backups"].as_array().unwrap();
        let found: Vec<_> = rows
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{query}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn tags_are_set_listed_searched_and_removed() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let id = make_vault(&cloud, &ann, "tagged", "disk");
    make_vault(&cloud, &ann, "bare", "disk");
    let tags = ann.at(&format!("/vault/{id}/tags"));
    let set = |key: &str, value: &str| {
        let body = json!({ "tag": { "key": key, "value": value } });
        cloud.post("cbr", &tags).signed_json(&ann, &body).is(204)
    };
    set("team", "storage");
    set("team", "backup");
    set("Größe x", "");
    let batch = json!({ "action": "create", "tags": [{ "key": "a", "value": "1" }] });
    cloud
        .post("cbr", &format!("{tags}/action"))
        .signed_json(&ann, &batch)
        .is(204);
    let listed = cloud.get("cbr", &tags).signed(&ann).send().is(200);
    assert_eq!(
        listed.json["tags"],
        json!([
            { "key": "Größe x", "value": "" }, { "key": "a", "value": "1" }, { "key": "team", "value": "backup" },
        ])
    );
    let project = get(&cloud, &ann, "/vault/tags").is(200);
    assert_eq!(
        project.json["tags"][1],
        json!({ "key": "a", "values": ["1"] })
    );

    let search = |body: Value| {
        let at = ann.at("/vault/resource_instances/action");
        cloud.post("cbr", &at).signed_json(&ann, &body).is(200)
    };
    let found = search(json!({
        "action": "filter", "limit": "10", "offset": "0",
        "tags": [{ "key": "team", "values": ["backup", "other"] }],
        "matches": [{ "key": "resource_name", "value": "tag" }],
    }));
    assert_eq!(found.json["total_count"], 1);
    assert_eq!(found.text_at("/resources/0/resource_id"), id);
    assert_eq!(
        found.text_at("/resources/0/resource_detail/vault/name"),
        "tagged"
    );
    assert_eq!(
        search(json!({ "action": "filter", "offset": "1" })).json["resources"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let past = search(json!({ "action": "filter", "offset": 5, "limit": 1 }));
    assert_eq!(
        (&past.json["resources"], &past.json["total_count"]),
        (&json!([]), &json!(2))
    );
    let count = search(json!({ "action": "count", "without_any_tag": true }));
    assert_eq!(count.json, json!({ "total_count": 1 }));

    let one = format!("{tags}/Gr%C3%B6%C3%9Fe%20x");
    cloud.delete("cbr", &one).signed(&ann).send().is(204);
    cloud
        .delete("cbr", &one)
        .signed(&ann)
        .send()
        .refused(404, "BackupService.6601");
    let batch = json!({ "action": "delete", "tags": [{ "key": "team" }, { "key": "never" }] });
    cloud
        .post("cbr", &format!("{tags}/action"))
        .signed_json(&ann, &batch)
        .is(204);
    let left = cloud.get("cbr", &tags).signed(&ann).send().is(200);
    assert_eq!(left.json["tags"], json!([{ "key": "a", "value": "1" }]));
}

#[test]
fn version_documents_say_where_v3_is() {
    let cloud = TestCloud::new();
    for path in ["/", "/v3", "/v3/"] {
        let reply = cloud.get("cbr", path).send().is(300);
        assert_eq!(reply.text_at("/versions/0/id"), "v3");
        assert_eq!(
            reply.text_at("/versions/0/links/0/href"),
            "https://cbr.cloud.test/v3"
        );
        assert_eq!(reply.text_at("/versions/0/status"), "CURRENT");
    }
    cloud.get("cbr", "/v4").send().refused(404, "APIGW.0101");
}

#[test]
fn operators_register_paths_and_tenants_do_not_see_them() {
    let cloud = TestCloud::new();
    let (ann, operator) = (cloud.tenant("ann"), cloud.operator());
    let id = cloud.resource(&ann, "share", "home");
    let at = "/native/v1/resources";
    let body = json!({ "kind": "share", "name": "etc", "path": "/etc" });
    cloud
        .post("identity", at)
        .token(&ann)
        .json(&body)
        .send()
        .refused(403, "APIGW.0302");
    let own = cloud.get("identity", at).token(&ann).send().is(200);
    assert_eq!(
        (
            own.text_at("/resources/0/id"),
            own.text_at("/resources/0/path")
        ),
        (id.clone(), String::new())
    );
    let foreign = format!("{at}?project_id={}", operator.project.id);
    cloud
        .get("identity", &foreign)
        .token(&ann)
        .send()
        .refused(404, "Strongroom.0404");
    let theirs = format!("{at}?project_id={}&kind=share", ann.project.id);
    let seen = cloud
        .get("identity", &theirs)
        .token(&operator)
        .send()
        .is(200);
    assert_eq!(
        seen.text_at("/resources/0/path"),
        cloud.file("home").to_str().unwrap()
    );
    let gone = json!({ "kind": "share", "name": "x", "path": cloud.file("nothing") });
    cloud
        .post("identity", at)
        .token(&operator)
        .json(&gone)
        .send()
        .is(400);
    let restore = format!("/native/v1/backups/{id}/restore");
    let ask = cloud
        .post("identity", &restore)
        .token(&ann)
        .json(&json!({ "to": "/tmp/x" }));
    assert!([403, 404].contains(&ask.send().status.as_u16()));
    cloud
        .delete("identity", &format!("{at}/{id}"))
        .token(&ann)
        .send()
        .refused(403, "APIGW.0302");
}
