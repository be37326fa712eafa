//! Policies of an organization: rolled out to every project, kept from its tenants, taken back.

use serde_json::{Value, json};

use crate::{
    cbr::make_vault,
    cloud::{Reply, Tenant, TestCloud},
};

const DAILY: &str = "FREQ=DAILY;INTERVAL=1;BYHOUR=01;BYMINUTE=30";
const MISSING: &str = "00000000-0000-4000-8000-000000000000";

fn body(change: &Value) -> Value {
    let mut policy = json!({
        "name": "gold", "operation_type": "backup", "policy_name": "gold_daily",
        "policy_enabled": true, "policy_operation_definition": { "max_backups": 7 },
        "policy_trigger": { "properties": { "pattern": [DAILY] } },
    });
    for (field, value) in change.as_object().unwrap() {
        policy[field] = value.clone();
    }
    json!({ "policy": policy })
}

fn get(cloud: &TestCloud, who: &Tenant, rest: &str) -> Reply {
    cloud.get("cbr", &who.at(rest)).token(who).send()
}

fn create(cloud: &TestCloud, who: &Tenant, change: &Value) -> Reply {
    let ask = cloud.post("cbr", &who.at("/organization-policies"));
    ask.token(who).json(&body(change)).send()
}

fn update(cloud: &TestCloud, who: &Tenant, id: &str, change: &Value) -> Reply {
    let ask = cloud.put("cbr", &who.at(&format!("/organization-policies/{id}")));
    ask.token(who).json(&json!({ "policy": change })).send()
}

fn delete(cloud: &TestCloud, who: &Tenant, rest: &str) -> Reply {
    cloud.delete("cbr", &who.at(rest)).token(who).send()
}

fn own(cloud: &TestCloud, who: &Tenant) -> Value {
    get(cloud, who, "/policies").is(200).json["policies"].clone()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_policy_reaches_every_project_follows_its_changes_and_is_nobody_elses_to_change() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    let made = create(&cloud, &operator, &json!({ "description": "for all" })).is(200);
    let id = made.text_at("/policy/id");
    assert_eq!(made.json["policy"]["status"], "available");
    assert_eq!(made.json["policy"]["domain_name"], "strongroom");
    let shown = get(&cloud, &ann, &format!("/organization-policies/{id}")).is(200);
    assert_eq!(shown.json, made.json);
    let listed = get(&cloud, &ann, "/organization-policies?operation_type=backup").is(200);
    assert_eq!(
        (&listed.json["count"], &listed.json["policies"][0]),
        (&json!(1), &made.json["policy"])
    );
    let none = get(
        &cloud,
        &ann,
        "/organization-policies?operation_type=replication",
    )
    .is(200);
    assert_eq!(none.json["count"], 0);
    let policies = own(&cloud, &ann);
    assert_eq!(policies[0]["name"], "gold_daily");
    assert_eq!(
        policies[0]["operation_definition"],
        json!({ "max_backups": 7 })
    );
    let policy = policies[0]["id"].as_str().unwrap().to_owned();

    // An operator sees every project of the roll-out, a tenant its own.
    let detail = format!("/organization-policies/{id}/policy-detail");
    assert_eq!(get(&cloud, &operator, &detail).is(200).json["count"], 2);
    let rollouts = get(&cloud, &ann, &detail).is(200);
    assert_eq!(rollouts.json["count"], 1);
    assert_eq!(rollouts.json["policies"][0]["policy_id"], json!(policy));
    assert_eq!(rollouts.json["policies"][0]["status"], "available");

    // A vault follows it; its tenant can neither change nor delete it.
    let vault = make_vault(&cloud, &ann, "v", "turbo");
    let bind = cloud.post("cbr", &ann.at(&format!("/vaults/{vault}/associatepolicy")));
    bind.token(&ann)
        .json(&json!({ "policy_id": policy }))
        .send()
        .is(200);
    let mine = ann.at(&format!("/policies/{policy}"));
    let change = json!({ "policy": { "enabled": false } });
    cloud
        .put("cbr", &mine)
        .token(&ann)
        .json(&change)
        .send()
        .refused(403, "APIGW.0302");
    cloud
        .delete("cbr", &mine)
        .token(&ann)
        .send()
        .refused(403, "APIGW.0302");
    let changed = json!({
        "name": "platinum", "policy_name": "plat", "policy_enabled": false,
        "policy_operation_definition": { "retention_duration_days": 9 },
    });
    let changed = update(&cloud, &operator, &id, &changed).is(200);
    assert_eq!(changed.json["policy"]["name"], "platinum");
    assert_eq!(changed.json["policy"]["description"], "for all");
    let policies = own(&cloud, &ann);
    assert_eq!(
        (&policies[0]["name"], &policies[0]["enabled"]),
        (&json!("plat"), &json!(false))
    );
    assert_eq!(
        policies[0]["operation_definition"],
        json!({ "retention_duration_days": 9 })
    );

    // A project that comes later gets it by upkeep.
    let bob = cloud.tenant("bob");
    let one = format!("/organization-policies/{id}");
    assert_eq!(
        get(&cloud, &bob, &one).is(200).json["policy"]["status"],
        "syncing"
    );
    cloud.cloud.control.keep_up().unwrap();
    assert_eq!(
        get(&cloud, &bob, &one).is(200).json["policy"]["status"],
        "available"
    );
    assert_eq!(own(&cloud, &bob)[0]["name"], "plat");

    // Gone, it leaves the policy to the project whose vault follows it, and to no other.
    delete(&cloud, &operator, &one).is(204);
    get(&cloud, &ann, &one).refused(404, "BackupService.6000");
    assert_eq!(own(&cloud, &bob), json!([]));
    assert_eq!(
        own(&cloud, &ann)[0]["associated_vaults"][0]["vault_id"],
        json!(vault)
    );
    cloud.delete("cbr", &mine).token(&ann).send().is(204);
}

#[test]
fn a_project_without_room_is_left_out_and_caught_up() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    let ids: Vec<_> = (0..32)
        .map(|_| crate::policies::make(&cloud, &ann))
        .collect();
    let made = create(&cloud, &operator, &json!({})).is(200);
    let one = format!("/organization-policies/{}", made.text_at("/policy/id"));
    assert_eq!(made.json["policy"]["status"], "syncing");
    let detail = get(&cloud, &ann, &format!("{one}/policy-detail")).is(200);
    assert_eq!(detail.json["policies"][0]["status"], "failed");
    assert_eq!(detail.json["policies"][0]["policy_id"], "");
    delete(&cloud, &ann, &format!("/policies/{}", ids[0])).is(204);
    cloud.cloud.control.keep_up().unwrap();
    assert_eq!(
        get(&cloud, &ann, &one).is(200).json["policy"]["status"],
        "available"
    );
}

#[test]
fn only_an_operator_rolls_out_and_nothing_impossible() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    create(&cloud, &ann, &json!({})).refused(403, "APIGW.0302");
    let id = create(&cloud, &operator, &json!({}))
        .is(200)
        .text_at("/policy/id");
    update(&cloud, &ann, &id, &json!({ "name": "mine" })).refused(403, "APIGW.0302");
    delete(&cloud, &ann, &format!("/organization-policies/{id}")).refused(403, "APIGW.0302");
    let both = json!({ "max_backups": 3, "retention_duration_days": 3 });
    let never = json!({ "properties": { "pattern": ["FREQ=YEARLY"] } });
    for change in [
        json!({ "name": "a b" }),
        json!({ "policy_name": "" }),
        json!({ "operation_type": "delete" }),
        json!({ "policy_operation_definition": both }),
        json!({ "policy_trigger": never }),
        json!({ "effective_scope": "everybody" }),
        json!({ "description": "<b>" }),
        json!({ "operation_type": "replication" }),
    ] {
        create(&cloud, &operator, &change).refused(400, "BackupService.9900");
    }
    for change in [
        json!({ "policy_operation_definition": both }),
        json!({ "policy_trigger": never }),
        json!({ "effective_scope": "everybody" }),
    ] {
        update(&cloud, &operator, &id, &change).refused(400, "BackupService.9900");
    }
    let before = own(&cloud, &ann);
    assert_eq!(
        before[0]["operation_definition"],
        json!({ "max_backups": 7 })
    );
    update(&cloud, &operator, MISSING, &json!({})).refused(404, "BackupService.6000");
    get(&cloud, &ann, "/organization-policies").refused(400, "BackupService.9900");
    get(&cloud, &ann, "/organization-policies/x").refused(400, "BackupService.9900");
}
