//! Sharing between projects over HTTP, and the operations that concern an account: agents,
//! features, orders, moves of resources.

use std::fs;

use serde_json::{Value, json};

use crate::{
    cbr::{add, checkpoint, make_vault},
    cloud::{Reply, Tenant, TestCloud},
};

fn get(cloud: &TestCloud, tenant: &Tenant, rest: &str) -> Reply {
    cloud.get("cbr", &tenant.at(rest)).signed(tenant).send()
}

fn post(cloud: &TestCloud, tenant: &Tenant, rest: &str, body: &Value) -> Reply {
    cloud
        .post("cbr", &tenant.at(rest))
        .signed_json(tenant, body)
}

fn put(cloud: &TestCloud, tenant: &Tenant, rest: &str, body: &Value) -> Reply {
    cloud.put("cbr", &tenant.at(rest)).signed_json(tenant, body)
}

fn delete(cloud: &TestCloud, tenant: &Tenant, rest: &str) -> Reply {
    cloud.delete("cbr", &tenant.at(rest)).signed(tenant).send()
}

/// A share of the tenant's in a vault with one backup; resource, vault, backup.
fn protected(cloud: &TestCloud, tenant: &Tenant, name: &str) -> (String, String, String) {
    let share = cloud.resource(tenant, "share", name);
    let vault = make_vault(cloud, tenant, name, "turbo");
    add(cloud, tenant, &vault, &share, "OS::Sfs::Turbo").is(200);
    checkpoint(cloud, tenant, &vault, &json!({ "name": name })).is(200);
    cloud.run();
    let backup = get(cloud, tenant, "/backups")
        .is(200)
        .text_at("/backups/0/id");
    (share, vault, backup)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_shared_backup_is_seen_taken_and_restored_by_its_receiver_and_nothing_else() {
    let cloud = TestCloud::new();
    let (ann, bob, eve) = (
        cloud.tenant("ann"),
        cloud.tenant("bob"),
        cloud.tenant("eve"),
    );
    let (_, _, backup) = protected(&cloud, &ann, "docs");
    let at = |rest: &str| format!("/backups/{backup}{rest}");
    let (to_bob, to_ann) = (bob.project.id.to_string(), ann.project.id.to_string());

    get(&cloud, &bob, &at("")).refused(404, "BackupService.6200");
    let shared = post(
        &cloud,
        &ann,
        &at("/members"),
        &json!({ "members": [to_bob] }),
    )
    .is(200);
    assert_eq!(shared.json["members"][0]["status"], "pending");
    assert_eq!(shared.json["members"][0]["updated_at"], Value::Null);
    let own_id = shared.text_at("/members/0/id");

    // Both see the share, the receiver sees the backup, a stranger sees neither.
    for who in [&ann, &bob] {
        let listed = get(&cloud, who, &at("/members")).is(200);
        assert_eq!(
            (&listed.json["count"], &listed.json["members"]),
            (&json!(1), &shared.json["members"])
        );
        for id in [&to_bob, &own_id] {
            let one = get(&cloud, who, &at(&format!("/members/{id}"))).is(200);
            assert_eq!(one.json["member"], shared.json["members"][0]);
        }
    }
    let shown = get(&cloud, &bob, &at("")).is(200);
    assert_eq!(shown.text_at("/backup/project_id"), to_ann);
    for rest in ["", "/members", &format!("/members/{to_bob}")] {
        get(&cloud, &eve, &at(rest)).refused(404, "BackupService.6200");
    }
    let count = |who: &Tenant, query: &str| {
        get(&cloud, who, &format!("/backups?{query}")).is(200).json["count"].clone()
    };
    assert_eq!(count(&bob, ""), 0);
    assert_eq!(count(&bob, "own_type=shared"), 1);
    assert_eq!(count(&bob, "own_type=all_granted"), 1);
    assert_eq!(count(&bob, "own_type=shared&member_status=pending"), 1);
    assert_eq!(count(&bob, "own_type=shared&member_status=accepted"), 0);
    assert_eq!(count(&eve, "own_type=all_granted"), 0);
    assert_eq!(count(&ann, "own_type=shared"), 0);

    // Nothing but looking and answering.
    delete(&cloud, &bob, &at("")).refused(404, "BackupService.6200");
    put(
        &cloud,
        &bob,
        &at(""),
        &json!({ "backup": { "name": "mine" } }),
    )
    .refused(404, "BackupService.6200");
    get(&cloud, &bob, &at("/metadata")).refused(404, "BackupService.6200");
    delete(&cloud, &bob, &at(&format!("/members/{to_bob}"))).refused(404, "BackupService.6200");
    post(
        &cloud,
        &bob,
        &at("/members"),
        &json!({ "members": [eve.project.id.to_string()] }),
    )
    .refused(404, "BackupService.6200");

    // The receiver answers, with a vault of the right kind and its own.
    let target = cloud.resource(&bob, "share", "copy");
    let restore = json!({ "restore": { "resource_id": target } });
    post(&cloud, &bob, &at("/restore"), &restore).refused(400, "BackupService.2005");
    let mine = at(&format!("/members/{to_bob}"));
    let taken = |vault: &str| json!({ "status": "accepted", "vault_id": vault });
    let disks = make_vault(&cloud, &bob, "disks", "disk");
    let shares = make_vault(&cloud, &bob, "shares", "turbo");
    let strangers = make_vault(&cloud, &eve, "shares", "turbo");
    put(&cloud, &bob, &mine, &taken(&disks)).refused(400, "BackupService.6713");
    put(&cloud, &bob, &mine, &taken(&strangers)).refused(404, "BackupService.6105");
    put(&cloud, &bob, &mine, &json!({ "status": "accepted" })).refused(400, "BackupService.9900");
    put(&cloud, &bob, &mine, &json!({ "status": "pending" })).refused(400, "BackupService.6706");
    put(&cloud, &ann, &mine, &taken(&shares)).refused(404, "BackupService.6705");
    let accepted = put(&cloud, &bob, &mine, &taken(&shares)).is(200);
    assert_eq!(accepted.text_at("/member/vault_id"), shares);
    // Twice is fine, elsewhere is not.
    put(&cloud, &bob, &mine, &taken(&shares)).is(200);
    let other = make_vault(&cloud, &bob, "others", "turbo");
    put(&cloud, &bob, &mine, &taken(&other)).refused(400, "BackupService.6708");
    assert_eq!(
        get(&cloud, &bob, &at("")).text_at("/backup/vault_id"),
        shares
    );
    assert_eq!(
        count(&bob, &format!("own_type=shared&vault_id={shares}")),
        1
    );

    // And restores, onto its own resource only.
    let started = post(&cloud, &bob, &at("/restore"), &restore).is(202);
    cloud.run();
    let log = get(
        &cloud,
        &bob,
        &format!("/operation-logs/{}", started.text_at("/job_id")),
    );
    assert_eq!(log.is(200).text_at("/operation_log/status"), "success");
    let restored = fs::read_to_string(cloud.file("copy").join("hello.txt")).unwrap();
    assert_eq!(restored, "hello from docs");
    let safety = get(&cloud, &bob, "/backups").is(200);
    assert!(safety.text_at("/backups/0/name").starts_with("safety_"));
    assert_eq!(
        get(&cloud, &ann, &at("")).text_at("/backup/status"),
        "available"
    );

    // The owner ends it.
    delete(&cloud, &ann, &mine).is(204);
    delete(&cloud, &ann, &mine).refused(404, "BackupService.6705");
    get(&cloud, &bob, &at("")).refused(404, "BackupService.6200");
    post(&cloud, &bob, &at("/restore"), &restore).refused(404, "BackupService.6200");
}

#[test]
fn sharing_refuses_what_the_documents_say() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let (_, vault, backup) = protected(&cloud, &ann, "docs");
    let members = format!("/backups/{backup}/members");
    let share = |to: Value| post(&cloud, &ann, &members, &json!({ "members": to }));
    let (to_ann, to_bob) = (ann.project.id.to_string(), bob.project.id.to_string());

    share(json!([])).refused(400, "BackupService.9900");
    for bad in [to_ann, "f".repeat(32), "nobody".to_owned()] {
        share(json!([bad])).refused(400, "BackupService.6704");
    }
    // A closed project, and one that was closed after it was given a share.
    let gone = cloud.tenant("gone");
    share(json!([gone.project.id.to_string()])).is(200);
    cloud
        .cloud
        .identity
        .enable_project(gone.project.id, false)
        .unwrap();
    assert_eq!(get(&cloud, &ann, &members).json["count"], 1);
    let closed = cloud.tenant("closed");
    cloud
        .cloud
        .identity
        .enable_project(closed.project.id, false)
        .unwrap();
    share(json!([closed.project.id.to_string()])).refused(400, "BackupService.6704");
    // All or none.
    share(json!([to_bob, "nobody"])).refused(400, "BackupService.6704");
    share(json!([to_bob, to_bob])).refused(400, "BackupService.6703");
    assert_eq!(get(&cloud, &ann, &members).json["count"], 1);
    share(json!([to_bob])).is(200);
    share(json!([to_bob])).refused(400, "BackupService.6703");
    let others: Vec<_> = (0..9)
        .map(|n| cloud.tenant(&format!("t{n}")).project.id.to_string())
        .collect();
    share(json!(others)).refused(400, "BackupService.6701");
    share(json!(others[..8])).is(200);
    let page = get(
        &cloud,
        &ann,
        &format!("{members}?limit=4&offset=8&sort=created_at:asc"),
    );
    assert_eq!(page.json["members"].as_array().unwrap().len(), 2);
    assert_eq!(
        get(&cloud, &ann, &format!("{members}?status=rejected")).json["count"],
        0
    );
    get(&cloud, &ann, &format!("{members}?sort=size")).refused(400, "BackupService.9900");
    // One that is still being made.
    checkpoint(&cloud, &ann, &vault, &json!({ "name": "next" })).is(200);
    let next = get(&cloud, &ann, "/backups?name=next")
        .is(200)
        .text_at("/backups/0/id");
    post(
        &cloud,
        &ann,
        &format!("/backups/{next}/members"),
        &json!({ "members": [to_bob] }),
    )
    .refused(400, "BackupService.6702");
    // A share does not keep its backup from going, and goes with it.
    cloud.run();
    delete(&cloud, &ann, &format!("/backups/{backup}")).is(204);
    cloud.run();
    get(&cloud, &bob, &format!("/backups/{backup}")).refused(404, "BackupService.6200");
    assert_eq!(
        get(&cloud, &bob, "/backups?own_type=shared").json["count"],
        0
    );
}

#[test]
fn resources_move_to_another_vault_and_leave_their_backups() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let (share, from, backup) = protected(&cloud, &ann, "docs");
    let to = make_vault(&cloud, &ann, "second", "turbo");
    let disks = make_vault(&cloud, &ann, "disks", "disk");
    let theirs = make_vault(&cloud, &bob, "theirs", "turbo");
    let move_to = |from: &str, to: &str, ids: Value| {
        let body = json!({ "destination_vault_id": to, "resource_ids": ids });
        post(
            &cloud,
            &ann,
            &format!("/vaults/{from}/migrateresources"),
            &body,
        )
    };
    move_to(&from, &from, json!([share])).refused(400, "BackupService.9900");
    move_to(&from, &to, json!([])).refused(400, "BackupService.9900");
    move_to(&from, &disks, json!([share])).refused(400, "BackupService.6102");
    move_to(&from, &theirs, json!([share])).refused(404, "BackupService.6105");
    move_to(&to, &from, json!([share])).refused(400, "BackupService.6135");
    move_to(&from, &to, json!([share, share])).refused(400, "BackupService.6104");
    let moved = move_to(&from, &to, json!([share])).is(200);
    assert_eq!(moved.json["migrated_resources"], json!([share]));
    assert_eq!(
        get(&cloud, &ann, &format!("/vaults/{from}")).json["vault"]["resources"],
        json!([])
    );
    let place = get(&cloud, &ann, &format!("/vaults/{to}"));
    assert_eq!(place.json["vault"]["resources"][0]["backup_count"], 0);
    assert_eq!(
        get(&cloud, &ann, &format!("/backups/{backup}")).text_at("/backup/vault_id"),
        from
    );
    // Back again: its backups count again, and removing it takes them along.
    move_to(&to, &from, json!([share])).is(200);
    let place = get(&cloud, &ann, &format!("/vaults/{from}"));
    assert_eq!(place.json["vault"]["resources"][0]["backup_count"], 1);
    // A locked vault keeps what it has.
    put(
        &cloud,
        &ann,
        &format!("/vaults/{from}"),
        &json!({ "vault": { "locked": true } }),
    )
    .is(200);
    move_to(&from, &to, json!([share])).refused(400, "BackupService.6112");
}

const AGENT: &str = "489654f2-363b-4ebf-966a-bdf079d97114";

fn agent() -> Value {
    json!({ "agent": {
        "agent_id": AGENT, "agent_type": "native", "agent_version": "1.0.0",
        "host_ip": "10.10.0.2", "host_name": "web-1", "host_os": "linux",
    } })
}

#[test]
fn agents_register_and_are_told_what_to_protect() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let agent = agent();
    let made = post(&cloud, &ann, "/agents", &agent).is(200);
    assert_eq!(made.text_at("/agent/status"), "normal");
    assert_eq!(made.json["agent"]["updated_at"], Value::Null);
    for (field, bad) in [
        ("agent_id", json!("x")),
        ("agent_version", json!("one")),
        ("agent_type", json!("toaster")),
        ("host_name", json!("")),
    ] {
        let mut wrong = agent.clone();
        wrong["agent"][field] = bad;
        post(&cloud, &ann, "/agents", &wrong).refused(400, "BackupService.9900");
    }
    let at = |rest: &str| format!("/agents/{AGENT}{rest}");
    let added = post(
        &cloud,
        &ann,
        &at("/add-path"),
        &json!({
            "add_path": ["/home/", "/srv", "/home"],
            "exclude_path": [{ "path_name": "/srv", "exclude_path_name": ["/srv/tmp"] }],
        }),
    );
    assert_eq!(
        added.is(200).json,
        json!({ "added": ["/home", "/srv"], "existed": ["/home"] })
    );
    post(
        &cloud,
        &ann,
        &at("/add-path"),
        &json!({ "add_path": ["home"] }),
    )
    .refused(400, "BackupService.9900");
    let shown = get(&cloud, &ann, &at("")).is(200);
    assert_eq!(shown.json["agent"]["paths"][1]["exclude_paths"], "/srv/tmp");
    // Registering again keeps them.
    post(&cloud, &ann, "/agents", &agent).is(200);
    let removed = post(
        &cloud,
        &ann,
        &at("/remove-path"),
        &json!({ "remove_path": ["/srv", "/x"] }),
    );
    assert_eq!(
        removed.is(200).json,
        json!({ "removed": ["/srv"], "not_existed": ["/x"] })
    );
}

#[test]
fn agents_are_listed_checked_and_leave_each_in_its_own_project() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let agent = agent();
    let at = |rest: &str| format!("/agents/{AGENT}{rest}");
    post(&cloud, &ann, "/agents", &agent).is(200);
    let listed = get(
        &cloud,
        &ann,
        &format!("/agents?limit=1&status=normal&agent_id={AGENT}"),
    )
    .is(200);
    assert_eq!(
        (&listed.json["count"], &listed.json["limit"]),
        (&json!(1), &json!(1))
    );
    let asked = json!({ "agent_status": [
        { "resource_id": "r-1", "resource_name": "web-1", "resource_type": "OS::Nova::Server" },
        { "resource_id": "r-2", "resource_name": "web-2", "resource_type": "OS::Nova::Server" },
    ] });
    let checked = post(&cloud, &ann, "/agent/check", &asked).is(200);
    assert_eq!(checked.json["agent_status"][0]["version"], "1.0.0");
    assert_eq!(checked.json["agent_status"][1]["installed"], false);
    let leaving = put(
        &cloud,
        &ann,
        &at(""),
        &json!({ "agent": { "status": "uninstall" } }),
    )
    .is(200);
    assert_eq!(leaving.text_at("/agent/status"), "uninstall");
    put(
        &cloud,
        &ann,
        &at(""),
        &json!({ "agent": { "status": "normal" } }),
    )
    .refused(400, "BackupService.9900");
    // Another project's agent is not there, though that project may have one of the same id.
    get(&cloud, &bob, &at("")).refused(404, "BackupService.6302");
    post(&cloud, &bob, "/agents", &agent).is(200);
    delete(&cloud, &ann, &at("")).is(200);
    delete(&cloud, &ann, &at("")).refused(404, "BackupService.6302");
    get(&cloud, &bob, &at("")).is(200);
}

#[test]
fn what_is_said_of_all_vaults_and_what_is_ordered_happens_at_once() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let vault = make_vault(&cloud, &ann, "one", "turbo");
    let theirs = make_vault(&cloud, &bob, "theirs", "turbo");
    let all = |body: Value| {
        put(
            &cloud,
            &ann,
            "/vaults/batch-update",
            &json!({ "vault": body }),
        )
    };
    let changed = all(json!({ "smn_notify": false, "threshold": 60 })).is(200);
    assert_eq!(changed.json["updated_vaults_id"], json!([vault]));
    assert_eq!(
        all(json!({ "threshold": 60 })).is(200).json["updated_vaults_id"],
        json!([])
    );
    all(json!({})).refused(400, "BackupService.9900");
    all(json!({ "threshold": 101 })).refused(400, "BackupService.9900");
    let shown = get(&cloud, &ann, &format!("/vaults/{vault}"));
    assert_eq!(shown.json["vault"]["threshold"], 60);
    assert_eq!(
        get(&cloud, &bob, &format!("/vaults/{theirs}")).json["vault"]["threshold"],
        80
    );

    let order = |id: &str, size: u64| {
        json!({
            "productInfo": {
                "productId": "p", "resourceSize": size,
                "resourceSpecCode": "vault.backup.turbo.normal",
            },
            "resourceId": id,
        })
    };
    let done = post(&cloud, &ann, "/orders/change", &order(&vault, 300)).is(200);
    assert_eq!(done.json["retCode"], 0);
    post(&cloud, &ann, "/orders/change", &order(&vault, 9)).refused(400, "BackupService.9900");
    post(&cloud, &ann, "/orders/change", &order(&theirs, 300)).refused(404, "BackupService.6105");
    assert_eq!(
        put(&cloud, &ann, "/orders/o-1", &order(&vault, 400))
            .is(200)
            .json["retCode"],
        "0"
    );
    let mode = |ids: Value| {
        json!({
            "charging_mode": "pre_paid", "period_type": "year", "period_num": 2,
            "is_auto_renew": true, "is_auto_pay": true, "vault_ids": ids,
        })
    };
    let charge = "/vaults/change-charge-mode";
    post(&cloud, &ann, charge, &mode(json!([vault, theirs]))).refused(404, "BackupService.6105");
    post(&cloud, &ann, charge, &mode(json!([]))).refused(400, "BackupService.9900");
    post(&cloud, &ann, charge, &mode(json!([vault]))).is(200);
    let billing = get(&cloud, &ann, &format!("/vaults/{vault}")).json["vault"]["billing"].clone();
    assert_eq!(
        (&billing["size"], &billing["charging_mode"]),
        (&json!(400), &json!("pre_paid"))
    );
    let mut ordered = crate::cbr::vault("ordered", "disk");
    ordered["vault"]["billing"]["charging_mode"] = json!("pre_paid");
    let made = post(&cloud, &ann, "/vaults/order", &ordered).is(200);
    let id = made.text_at("/orders/0/resourceId");
    assert_eq!(
        get(&cloud, &ann, &format!("/vaults/{id}")).text_at("/vault/name"),
        "ordered"
    );
}

#[test]
fn an_account_its_projects_and_the_regions_features_are_found() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let at = |uri: &str| cloud.get("cbr", uri).token(&ann).send();
    let found = at("/v3/domain/strongroom/projects").is(200);
    let names: Vec<_> = found.json["projects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|project| project["project_name"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        ["p-ann", "p-bob", "eu-test"]
            .iter()
            .all(|name| names.contains(&(*name).to_owned()))
    );
    assert_eq!(
        at("/v3/domain/nobody/projects").is(200).json["projects"],
        json!([])
    );
    let domain = at(&format!("/v3/domain/{}", bob.project.id)).is(200);
    assert_eq!(domain.text_at("/domain_name"), "strongroom");
    at(&format!("/v3/domain/{}", "f".repeat(32))).refused(400, "BackupService.6704");
    // The caller's own projects, not its account's.
    let own = at("/v3/region-projects").is(200);
    assert_eq!(own.json["projects"].as_array().unwrap().len(), 1);
    assert_eq!(own.text_at("/projects/0/name"), "p-ann");

    let features = get(&cloud, &ann, "/cbr-features").is(200);
    assert_eq!(features.text_at("/replication.source_region"), "eu-test");
    let one = get(&cloud, &ann, "/cbr-features/features.bccrack_enable").is(200);
    assert_eq!(one.json, json!({ "features.bccrack_enable": false }));
    get(&cloud, &ann, "/cbr-features/tea").refused(400, "BackupService.9900");

    let body = json!({ "all_regions": true, "reservation": 0.2 });
    let moved = cloud
        .post("cbr", "/v3/migrates")
        .token(&ann)
        .json(&body)
        .send()
        .is(200);
    assert_eq!(moved.json, json!({ "eu-test": "success" }));
    let bad = json!({ "all_regions": true, "reservation": 1.5 });
    cloud
        .post("cbr", "/v3/migrates")
        .token(&ann)
        .json(&bad)
        .send()
        .refused(400, "BackupService.9900");
    assert_eq!(
        at("/v3/migrates?all_regions=false")
            .is(200)
            .text_at("/status"),
        "success"
    );
}
