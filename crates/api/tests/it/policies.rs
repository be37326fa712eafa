//! Policies as clients use them: made, bound, changed, listed, refused.

use serde_json::{Value, json};

use crate::{
    cbr::{add, make_vault, vault},
    cloud::{Reply, Tenant, TestCloud},
};

const DAILY: &str = "FREQ=DAILY;INTERVAL=1;BYHOUR=01;BYMINUTE=30";
const MISSING: &str = "00000000-0000-4000-8000-000000000000";

/// A body of `CreatePolicy` with that calendar and retention.
fn policy(pattern: &[&str], definition: &Value) -> Value {
    json!({ "policy": {
        "name": "nightly",
        "operation_type": "backup",
        "operation_definition": definition,
        "trigger": { "properties": { "pattern": pattern } },
    } })
}

fn create(cloud: &TestCloud, tenant: &Tenant, body: &Value) -> Reply {
    let ask = cloud.post("cbr", &tenant.at("/policies")).token(tenant);
    ask.json(body).send()
}

/// Makes a policy; its id.
pub(crate) fn make(cloud: &TestCloud, tenant: &Tenant) -> String {
    let body = policy(&[DAILY], &json!({"max_backups": 7}));
    create(cloud, tenant, &body).is(200).text_at("/policy/id")
}

fn update(cloud: &TestCloud, tenant: &Tenant, id: &str, change: &Value) -> Reply {
    let ask = cloud.put("cbr", &tenant.at(&format!("/policies/{id}")));
    ask.token(tenant).json(&json!({ "policy": change })).send()
}

fn get(cloud: &TestCloud, tenant: &Tenant, rest: &str) -> Value {
    let reply = cloud.get("cbr", &tenant.at(rest)).token(tenant).send();
    reply.is(200).json
}

fn associate(cloud: &TestCloud, tenant: &Tenant, vault: &str, body: &Value) -> Reply {
    let uri = tenant.at(&format!("/vaults/{vault}/associatepolicy"));
    cloud.post("cbr", &uri).token(tenant).json(body).send()
}

fn dissociate(cloud: &TestCloud, tenant: &Tenant, vault: &str, policy: &str) -> Reply {
    let uri = tenant.at(&format!("/vaults/{vault}/dissociatepolicy"));
    let body = json!({ "policy_id": policy });
    cloud.post("cbr", &uri).token(tenant).json(&body).send()
}

#[test]
fn a_policy_comes_back_as_it_was_set_and_changes_in_parts() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let definition = json!({
        "day_backups": 7, "max_backups": 30, "timezone": "UTC+08:00", "full_backup_interval": -1,
        "advanced_retention_rules": { "monthly_retention_rules": {
            "retention_type": "MONTHLY", "days_of_month": [1, -1], "retention_duration_periods": 12,
        } },
    });
    let mut body = policy(&[DAILY], &definition);
    body["policy"]["trigger"]["properties"]["start_window_minutes"] = json!(90);
    let made = create(&cloud, &ann, &body).is(200);
    let id = made.text_at("/policy/id");
    assert_eq!(made.json["policy"]["operation_definition"], definition);
    assert_eq!(made.json["policy"]["enabled"], true);
    assert_eq!(made.json["policy"]["trigger"]["type"], "time");
    let properties = &made.json["policy"]["trigger"]["properties"];
    assert_eq!(properties["pattern"], json!([DAILY]));
    assert_eq!(properties["start_window_minutes"], 90);
    assert_eq!(
        properties["start_time"].as_str().unwrap().len(),
        "2019-05-08 06:57:05".len()
    );
    let shown = get(&cloud, &ann, &format!("/policies/{id}"));
    assert_eq!(shown, made.json);

    let renamed = update(
        &cloud,
        &ann,
        &id,
        &json!({"name": "weekly", "enabled": false}),
    );
    let renamed = renamed.is(200).json;
    assert_eq!(renamed["policy"]["name"], "weekly");
    assert_eq!(renamed["policy"]["enabled"], false);
    assert_eq!(renamed["policy"]["operation_definition"], definition);
    assert_eq!(renamed["policy"]["trigger"], made.json["policy"]["trigger"]);

    let two = json!([DAILY, "FREQ=WEEKLY;BYDAY=SU;BYHOUR=13;BYMINUTE=0"]);
    let change = json!({
        "operation_definition": { "retention_duration_days": 7 },
        "trigger": { "properties": { "pattern": two } },
    });
    let changed = update(&cloud, &ann, &id, &change).is(200).json;
    let now = &changed["policy"];
    assert_eq!(
        now["operation_definition"],
        json!({"retention_duration_days": 7})
    );
    assert_eq!(now["trigger"]["properties"]["pattern"], two);
    assert_eq!(now["trigger"]["properties"]["start_window_minutes"], 90);
    let change = json!({ "trigger": { "properties": {
        "pattern": [DAILY], "start_window_minutes": null,
    } } });
    let changed = update(&cloud, &ann, &id, &change).is(200).json;
    let properties = &changed["policy"]["trigger"]["properties"];
    assert_eq!(properties.get("start_window_minutes"), None);

    let uri = ann.at(&format!("/policies/{id}"));
    cloud.delete("cbr", &uri).token(&ann).send().is(204);
    let gone = cloud.get("cbr", &uri).token(&ann).send();
    gone.refused(404, "BackupService.6000");
    let again = cloud.delete("cbr", &uri).token(&ann).send();
    again.refused(404, "BackupService.6000");
    update(&cloud, &ann, &id, &json!({})).refused(404, "BackupService.6000");
}

#[test]
fn a_vault_has_one_policy_of_each_type_and_binding_twice_is_no_error() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let (first, second) = (make(&cloud, &ann), make(&cloud, &ann));
    let kept = make_vault(&cloud, &ann, "v", "turbo");
    for _ in 0..2 {
        let bound = associate(&cloud, &ann, &kept, &json!({"policy_id": first})).is(200);
        let expected = json!({"associate_policy": {"policy_id": first, "vault_id": kept}});
        assert_eq!(bound.json, expected);
    }
    let of_vault = get(&cloud, &ann, &format!("/policies?vault_id={kept}"));
    assert_eq!(of_vault["count"], 1);
    assert_eq!(of_vault["policies"][0]["id"], first.as_str());
    let vaults = json!([{ "vault_id": kept }]);
    assert_eq!(of_vault["policies"][0]["associated_vaults"], vaults);
    let by_policy = get(&cloud, &ann, &format!("/vaults?policy_id={first}"));
    assert_eq!(by_policy["vaults"][0]["id"], kept.as_str());
    assert_eq!(
        get(&cloud, &ann, &format!("/vaults?policy_id={second}"))["count"],
        0
    );

    associate(&cloud, &ann, &kept, &json!({"add_policy_ids": [second]})).is(200);
    let of_vault = get(&cloud, &ann, &format!("/policies?vault_id={kept}"));
    assert_eq!(of_vault["count"], 1);
    assert_eq!(of_vault["policies"][0]["id"], second.as_str());
    dissociate(&cloud, &ann, &kept, &first).refused(404, "BackupService.6002");
    let was = dissociate(&cloud, &ann, &kept, &second).is(200);
    assert_eq!(was.text_at("/dissociate_policy/vault_id"), kept);
    dissociate(&cloud, &ann, &kept, &second).refused(404, "BackupService.6002");

    // A vault can be made with its policy; deleting the policy leaves the vault without one.
    let mut body = vault("w", "disk");
    body["vault"]["backup_policy_id"] = json!(first);
    let ask = cloud.post("cbr", &ann.at("/vaults")).token(&ann);
    let made = ask.json(&body).send().is(200).text_at("/vault/id");
    let of_made = format!("/policies?vault_id={made}");
    assert_eq!(get(&cloud, &ann, &of_made)["count"], 1);
    let uri = ann.at(&format!("/policies/{first}"));
    cloud.delete("cbr", &uri).token(&ann).send().is(204);
    assert_eq!(get(&cloud, &ann, &of_made)["count"], 0);
    let uri = ann.at(&format!("/vaults/{made}"));
    cloud.delete("cbr", &uri).token(&ann).send().is(204);
}

#[test]
fn what_a_policy_cannot_be_is_refused_with_a_reason() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let none = json!({});
    let hourly: Vec<String> = (0..25)
        .map(|hour| format!("FREQ=DAILY;BYHOUR={};BYMINUTE=0", hour % 24))
        .collect();
    let many: Vec<&str> = hourly.iter().map(String::as_str).collect();
    create(&cloud, &ann, &policy(&many[..24], &none)).is(200);
    for (pattern, said) in [
        (vec![], "1 to 24 rules"),
        (many, "1 to 24 rules"),
        (vec!["every night"], "KEY=value"),
        (vec!["FREQ=HOURLY;BYMINUTE=0"], "WEEKLY or DAILY"),
        (vec!["FREQ=WEEKLY;BYHOUR=1;BYMINUTE=0"], "BYDAY is missing"),
        (vec!["FREQ=DAILY;BYMINUTE=0"], "BYHOUR is missing"),
        (vec!["FREQ=DAILY;BYHOUR=24;BYMINUTE=0"], "0 to 23"),
        (vec!["FREQ=DAILY;BYHOUR=1;BYMINUTE=60"], "0 to 59"),
        (
            vec!["FREQ=DAILY;INTERVAL=31;BYHOUR=1;BYMINUTE=0"],
            "1 to 30",
        ),
        (vec!["FREQ=DAILY;BYHOUR=1;BYMINUTE=0;COUNT=3"], "COUNT"),
        (
            vec!["FREQ=DAILY;BYHOUR=1;BYMINUTE=0,30"],
            "less than 60 minutes apart",
        ),
        (
            vec![DAILY, "FREQ=WEEKLY;BYDAY=MO;BYHOUR=2;BYMINUTE=0"],
            "01:30 and 02:00",
        ),
    ] {
        let reply = create(&cloud, &ann, &policy(&pattern, &none));
        let reply = reply.refused(400, "BackupService.9900");
        let message = reply.text_at("/error_msg");
        assert!(message.contains("pattern"), "{message}");
        assert!(message.contains(said), "{message} does not say {said}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_the_field() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let none = json!({});
    for (definition, field) in [
        (json!({"max_backups": -2}), "max_backups"),
        (
            json!({"retention_duration_days": 100_000}),
            "retention_duration_days",
        ),
        (
            json!({"max_backups": 1, "retention_duration_days": 1}),
            "max_backups",
        ),
        (json!({"max_backups": 1, "day_backups": 1}), "timezone"),
        (json!({"timezone": "CET+1"}), "timezone"),
        (json!({"full_backup_interval": 101}), "full_backup_interval"),
    ] {
        let reply = create(&cloud, &ann, &policy(&[DAILY], &definition));
        let reply = reply.refused(400, "BackupService.9900");
        assert!(
            reply.text_at("/error_msg").contains(field),
            "{}",
            reply.text
        );
    }
    for (place, value) in [
        ("/policy/name", json!("a b")),
        ("/policy/operation_type", json!("snapshot")),
        ("/policy/operation_type", json!("replication")),
        ("/policy/trigger/properties/start_window_minutes", json!(59)),
        ("/policy/trigger/properties", json!({})),
    ] {
        let mut body = policy(&[DAILY], &none);
        body["policy"]["trigger"]["properties"]["start_window_minutes"] = json!(null);
        *body.pointer_mut(place).unwrap() = value;
        create(&cloud, &ann, &body).refused(400, "BackupService.9900");
    }
    let id = make(&cloud, &ann);
    let bad = json!({"trigger": {"properties": {"pattern": ["FREQ=DAILY"]}}});
    update(&cloud, &ann, &id, &bad).refused(400, "BackupService.9900");
    let shown = get(&cloud, &ann, &format!("/policies/{id}"));
    assert_eq!(
        shown["policy"]["trigger"]["properties"]["pattern"],
        json!([DAILY])
    );
}

#[test]
fn the_thirty_third_policy_of_a_type_is_refused() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    for _ in 0..32 {
        make(&cloud, &ann);
    }
    let body = policy(&[DAILY], &json!({}));
    create(&cloud, &ann, &body).refused(400, "BackupService.6001");
    let mut copies = policy(
        &[DAILY],
        &json!({"destination_region": "eu-nl", "destination_project_id": "0".repeat(32)}),
    );
    copies["policy"]["operation_type"] = json!("replication");
    create(&cloud, &ann, &copies).is(200);
    let of_type = |kind: &str| get(&cloud, &ann, &format!("/policies?operation_type={kind}"));
    assert_eq!(of_type("backup")["count"], 32);
    assert_eq!(of_type("replication")["count"], 1);
    let page = get(&cloud, &ann, "/policies?limit=30");
    let rows = page["policies"].as_array().unwrap();
    assert_eq!((rows.len(), &page["count"]), (30, &json!(33)));
    let last = rows[29]["id"].as_str().unwrap();
    let rest = get(&cloud, &ann, &format!("/policies?limit=30&marker={last}"));
    assert_eq!(rest["policies"].as_array().unwrap().len(), 3);
}

#[test]
fn copies_go_to_a_vault_for_copies() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let mut body = policy(
        &[DAILY],
        &json!({
            "destination_region": "eu-nl",
            "destination_project_id": ann.project.id.to_string(),
        }),
    );
    body["policy"]["operation_type"] = json!("replication");
    let copies = create(&cloud, &ann, &body).is(200).text_at("/policy/id");
    let source = make_vault(&cloud, &ann, "source", "turbo");
    let mut target = vault("target", "turbo");
    target["vault"]["billing"]["protect_type"] = json!("replication");
    let ask = cloud.post("cbr", &ann.at("/vaults")).token(&ann);
    let target = ask.json(&target).send().is(200).text_at("/vault/id");

    let bind = |vault: &str, to: Option<&str>| {
        let body = json!({"policy_id": copies, "destination_vault_id": to});
        associate(&cloud, &ann, vault, &body)
    };
    bind(&source, None).refused(400, "BackupService.9900");
    bind(&source, Some(&source)).refused(400, "BackupService.6119");
    bind(&source, Some(MISSING)).refused(400, "BackupService.6120");
    bind(&target, Some(&source)).refused(400, "BackupService.6128");
    let bound = bind(&source, Some(&target)).is(200);
    assert_eq!(
        bound.text_at("/associate_policy/destination_vault_id"),
        target
    );
    let listed = get(&cloud, &ann, &format!("/policies?vault_id={source}"));
    assert_eq!(
        listed["policies"][0]["associated_vaults"][0]["destination_vault_id"],
        target.as_str()
    );
    let nightly = make(&cloud, &ann);
    associate(&cloud, &ann, &target, &json!({"policy_id": nightly}))
        .refused(400, "BackupService.6127");
    associate(&cloud, &ann, &source, &json!({"policy_id": nightly})).is(200);
    assert_eq!(
        get(&cloud, &ann, &format!("/policies?vault_id={source}"))["count"],
        2
    );
    let elsewhere = json!({"operation_definition": {
        "destination_region": "eu-de", "destination_project_id": "0".repeat(32),
    }});
    update(&cloud, &ann, &copies, &elsewhere).refused(400, "BackupService.6003");
}

#[test]
fn what_is_bound_must_be_there_and_be_ones_own() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let hers = make_vault(&cloud, &ann, "hers", "turbo");
    let (hers_policy, his_policy) = (make(&cloud, &ann), make(&cloud, &bob));
    let bind = |tenant: &Tenant, body: &Value| associate(&cloud, tenant, &hers, body);
    bind(&ann, &json!({"policy_id": his_policy})).refused(404, "BackupService.6000");
    bind(&bob, &json!({"policy_id": his_policy})).refused(404, "BackupService.6105");
    bind(&ann, &json!({"policy_id": MISSING})).refused(404, "BackupService.6000");
    for malformed in [
        json!({}),
        json!({"policy_id": "nightly"}),
        json!({"policy_id": hers_policy, "add_policy_ids": [hers_policy]}),
    ] {
        bind(&ann, &malformed).refused(400, "BackupService.9900");
    }
    // All or nothing.
    bind(&ann, &json!({"add_policy_ids": [hers_policy, MISSING]}))
        .refused(404, "BackupService.6000");
    assert_eq!(
        get(&cloud, &ann, &format!("/policies?vault_id={hers}"))["count"],
        0
    );
}

#[test]
fn resources_are_left_out_and_taken_in_by_the_documents_words() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let share = cloud.resource(&ann, "share", "s");
    let kept = make_vault(&cloud, &ann, "v", "turbo");
    add(&cloud, &ann, &kept, &share, "OS::Sfs::Turbo").is(200);
    let set = |body: &Value| {
        let uri = ann.at(&format!("/vaults/{kept}/set-resources"));
        cloud.put("cbr", &uri).token(&ann).json(body).send()
    };
    let covered = || {
        let shown = get(&cloud, &ann, &format!("/vaults/{kept}"));
        shown["vault"]["resources"][0]["auto_protect"].clone()
    };
    assert_eq!(covered(), true);
    for (action, after) in [("unsuspend", false), ("suspend", true)] {
        let done = set(&json!({"resource_ids": [share], "action": action})).is(200);
        assert_eq!(done.json, json!({"set_resource_ids": [share]}));
        assert_eq!(covered(), after, "{action}");
    }
    set(&json!({"resource_ids": [MISSING], "action": "suspend"}))
        .refused(400, "BackupService.6135");
    set(&json!({"resource_ids": [], "action": "suspend"})).refused(400, "BackupService.9900");
    set(&json!({"resource_ids": [share], "action": "pause"})).refused(400, "BackupService.9900");
}
