//! The flavour of T Cloud Public over HTTP: the same story, no nulls, times with an offset.

use serde_json::{Value, json};
use strongroom_wire::flavor::Flavor;

use crate::{
    cbr::{add, checkpoint, vault},
    cloud::{Reply, Tenant, TestCloud},
    policies::make as make_policy,
};

/// Refuses a null, and a time without its offset, wherever it stands.
#[track_caller]
fn is_plain(place: &str, value: &Value) {
    match value {
        Value::Null => panic!("{place} is null"),
        Value::Array(items) => items.iter().for_each(|item| is_plain(place, item)),
        Value::Object(fields) => {
            for (field, value) in fields {
                let place = format!("{place}/{field}");
                if field.ends_with("_at") {
                    let text = value.as_str().unwrap();
                    assert!(
                        text.len() == 29 && text.ends_with("+00:00"),
                        "{place}: {text}"
                    );
                }
                is_plain(&place, value);
            }
        }
        _ => {}
    }
}

fn get(cloud: &TestCloud, who: &Tenant, rest: &str) -> Reply {
    let reply = cloud.get("cbr", &who.at(rest)).token(who).send().is(200);
    is_plain(rest, &reply.json);
    reply
}

#[test]
fn replies_have_no_nulls_and_times_an_offset() {
    let cloud = TestCloud::flavored(Flavor::Otc);
    let ann = cloud.tenant("ann");
    let disk = cloud.resource(&ann, "volume", "d");
    let made = cloud.post("cbr", &ann.at("/vaults")).token(&ann);
    let made = made.json(&vault("v", "disk")).send().is(200);
    is_plain("made", &made.json);
    let id = made.text_at("/vault/id");
    add(&cloud, &ann, &id, &disk, "OS::Cinder::Volume").is(200);
    is_plain(
        "checkpoint",
        &checkpoint(&cloud, &ann, &id, &json!({})).is(200).json,
    );
    cloud.run();
    make_policy(&cloud, &ann);
    let listed = get(&cloud, &ann, "/backups");
    let backup = listed.text_at("/backups/0/id");
    get(&cloud, &ann, &format!("/backups/{backup}"));
    get(&cloud, &ann, &format!("/vaults/{id}"));
    let logs = get(&cloud, &ann, "/operation-logs");
    for rest in ["/vaults", "/policies", "/protectables/disk/instances"] {
        get(&cloud, &ann, rest);
    }
    // What it writes it reads: a time of a reply is a filter.
    let ended = logs
        .text_at("/operation_logs/0/created_at")
        .replace('+', "%2B");
    let since = get(&cloud, &ann, &format!("/operation-logs?start_time={ended}"));
    assert_eq!(since.json["count"], logs.json["count"]);
    // Refusals and the other services are as they were.
    let missing = cloud.get("cbr", &ann.at("/vaults/x")).token(&ann).send();
    missing.refused(400, "BackupService.9900");
    let label = cloud
        .get("eps", "/v1.0/enterprise-projects/0")
        .token(&ann)
        .send()
        .is(200);
    assert!(
        label
            .text_at("/enterprise_project/created_at")
            .ends_with('Z')
    );
}

#[test]
fn the_same_reply_in_the_other_flavour_shows_its_nulls() {
    let cloud = TestCloud::flavored(Flavor::Huawei);
    let ann = cloud.tenant("ann");
    let made = cloud.post("cbr", &ann.at("/vaults")).token(&ann);
    let made = made.json(&vault("v", "disk")).send().is(200);
    let vault = made.json["vault"].as_object().unwrap();
    assert!(vault.values().any(Value::is_null), "{}", made.text);
    assert!(!made.text_at("/vault/created_at").contains('+'));
}
