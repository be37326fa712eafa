//! Bad input, and what it gets: over every operation where that can be said in general, and row by
//! row where it cannot.

use http::Method;
use serde_json::{Value, json};
use strongroom_model::Clock as _;
use strongroom_wire::{OperationInfo, Service, cbr, sign::canonical::format_date};

use crate::{
    cbr::{add, checkpoint, make_vault, vault},
    cloud::{Ask, Tenant, TestCloud},
    policies::make as make_policy,
};

const MISSING: &str = "00000000-0000-4000-8000-000000000000";
const OTHER: &str = "00000000-0000-4000-8000-000000000001";

/// Working operations with the path of one thing besides the project, and the code for a thing
/// that is not there.
fn of_one_thing() -> impl Iterator<Item = (&'static OperationInfo, &'static str, &'static str)> {
    let codes = [
        ("{vault_id}", "BackupService.6105"),
        ("{backup_id}", "BackupService.6200"),
        ("{checkpoint_id}", "BackupService.6217"),
        ("{operation_log_id}", "BackupService.6500"),
        ("{policy_id}", "BackupService.6000"),
        ("{organization_policy_id}", "BackupService.6000"),
        ("{instance_id}", "BackupService.6302"),
        ("{agent_id}", "BackupService.6302"),
    ];
    cbr::ALL
        .iter()
        .filter(|info| info.works())
        .filter_map(move |info| {
            let (name, code) = codes
                .into_iter()
                .find(|(name, _)| info.path.contains(name))?;
            Some((info, name, code))
        })
}

/// A body that is right, so that the id alone is wrong.
fn body(info: &OperationInfo) -> Option<Value> {
    Some(match info.name {
        "AddVaultResource" => {
            json!({ "resources": [{ "id": MISSING, "type": "OS::Cinder::Volume" }] })
        }
        "AssociateVaultPolicy" | "DisassociateVaultPolicy" => json!({ "policy_id": MISSING }),
        "SetVaultResource" => json!({ "resource_ids": [MISSING], "action": "suspend" }),
        "UpdateOrganizationPolicy" => json!({ "policy": { "name": "n" } }),
        "UpdatePolicy" => json!({ "policy": { "name": "n" } }),
        "RemoveVaultResource" => json!({ "resource_ids": [MISSING] }),
        "MigrateVaultResource" => {
            json!({ "destination_vault_id": OTHER, "resource_ids": [MISSING] })
        }
        "CopyBackup" => json!({ "replicate": {
            "destination_project_id": "0".repeat(32),
            "destination_region": "eu-nl",
            "destination_vault_id": MISSING,
        } }),
        "AddMember" => json!({ "members": ["0".repeat(32)] }),
        "UpdateMemberStatus" => json!({ "status": "rejected" }),
        "UpdateAgent" => json!({ "agent": { "status": "uninstall" } }),
        "AddAgentPath" => json!({ "add_path": ["/srv"] }),
        "RemoveAgentPath" => json!({ "remove_path": ["/srv"] }),
        "UpdateVault" => json!({ "vault": { "name": "n" } }),
        "UpdateExpirationTime" => json!({
            "expect_expiration_date": "2999-01-31", "time_zone": "UTC+00:00",
        }),
        "UpdateBackup" => json!({ "backup": { "name": "n" } }),
        "RestoreBackup" => json!({ "restore": { "volume_id": MISSING } }),
        "CreateVaultTags" => json!({ "tag": { "key": "k", "value": "v" } }),
        "BatchCreateAndDeleteVaultTags" => json!({ "action": "delete", "tags": [{ "key": "k" }] }),
        _ => return None,
    })
}

fn ask<'c>(
    cloud: &'c TestCloud,
    tenant: &Tenant,
    info: &OperationInfo,
    name: &str,
    id: &str,
) -> Ask<'c> {
    let path = info
        .path
        .replace("{project_id}", &tenant.project.id.to_string())
        .replace(name, id)
        .replace("{protectable_type}", "disk")
        .replace("{member_id}", MISSING)
        .replace("{key}", "k");
    let method = Method::from_bytes(info.method.as_str().as_bytes()).unwrap();
    let ask = cloud.ask("cbr", method, &path).token(tenant);
    match body(info) {
        Some(body) => ask.json(&body),
        None => ask,
    }
}

#[test]
fn an_id_of_nothing_or_of_another_project_is_404_with_the_documented_code() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let disk = cloud.resource(&bob, "volume", "disk");
    let vault = make_vault(&cloud, &bob, "v", "disk");
    add(&cloud, &bob, &vault, &disk, "OS::Cinder::Volume").is(200);
    let made = checkpoint(&cloud, &bob, &vault, &json!({})).is(200);
    let policy = make_policy(&cloud, &bob);
    let list = |rest: &str, pointer: &str| {
        cloud
            .get("cbr", &bob.at(rest))
            .token(&bob)
            .send()
            .is(200)
            .text_at(pointer)
    };
    let agent = "489654f2-363b-4ebf-966a-bdf079d97114".to_owned();
    let register = json!({ "agent": {
        "agent_id": agent, "host_name": "h", "host_ip": "10.0.0.1", "host_os": "linux",
    } });
    let agents = cloud.post("cbr", &bob.at("/agents")).token(&bob);
    agents.json(&register).send().is(200);
    let foreign = [
        ("{vault_id}", vault),
        ("{backup_id}", list("/backups", "/backups/0/id")),
        ("{checkpoint_id}", made.text_at("/checkpoint/id")),
        (
            "{operation_log_id}",
            list("/operation-logs", "/operation_logs/0/id"),
        ),
        ("{policy_id}", policy),
        // These are the account's, and there is no other.
        ("{organization_policy_id}", OTHER.to_owned()),
        ("{instance_id}", disk),
        ("{agent_id}", agent),
    ];
    let mut tried = 0;
    for (info, name, code) in of_one_thing() {
        let theirs = &foreign.iter().find(|(known, _)| *known == name).unwrap().1;
        let reply = ask(&cloud, &ann, info, name, theirs).send();
        let other = ask(&cloud, &ann, info, name, MISSING).send();
        // Whether it is there or not is not to be told apart.
        let text = |reply: &crate::cloud::Reply, id: &str| reply.text.replace(id, "ID");
        assert_eq!(text(&reply, theirs), text(&other, MISSING), "{}", info.name);
        reply.refused(404, code);
        tried += 1;
    }
    assert!(tried >= 15, "{tried}");
    assert_eq!(list("/backups", "/backups/0/status"), "waiting_protect");
}

#[test]
fn a_malformed_id_is_400_with_9900_for_every_operation() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    for (info, name, _) in of_one_thing() {
        for bad in [
            "my-vault",
            "6df2b54c",
            "6df2b54cdd6240590a7c1b8f24f2725d",
            "%20",
            "..%2Fx",
            "%00",
        ] {
            let reply = ask(&cloud, &ann, info, name, bad).send();
            assert_eq!(reply.status, 400, "{} {bad}: {}", info.name, reply.text);
            reply.refused(400, "BackupService.9900");
        }
    }
}

#[test]
fn a_body_that_is_no_json_or_not_the_right_one_is_9900_for_every_operation() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let mut tried = 0;
    for info in cbr::ALL.iter().filter(|info| info.works() && info.has_body) {
        let path = info
            .path
            .replace("{project_id}", &ann.project.id.to_string())
            .replace("{vault_id}", MISSING)
            .replace("{backup_id}", MISSING);
        let method = Method::from_bytes(info.method.as_str().as_bytes()).unwrap();
        for bad in [
            &b""[..],
            b"{",
            b"[]",
            b"null",
            b"{}",
            b"name=v",
            b"\xff\xfe",
            b"\"text\"",
        ] {
            let ask = cloud.ask("cbr", method.clone(), &path).body(bad.to_vec());
            let reply = ask.signed(&ann).send();
            assert_eq!(reply.status, 400, "{} {bad:?}: {}", info.name, reply.text);
            reply.refused(400, "BackupService.9900");
            tried += 1;
        }
    }
    assert!(tried >= 8 * 9, "{tried}");
}

#[test]
fn a_query_out_of_its_range_is_9900() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    for query in [
        "/backups?limit=0",
        "/backups?limit=1001",
        "/backups?limit=-1",
        "/backups?limit=ten",
        "/backups?offset=-1",
        "/backups?offset=x",
        "/backups?sort=size",
        "/backups?sort=name:up",
        "/backups?status=broken",
        "/backups?resource_type=OS::Nova",
        "/backups?image_type=x",
        "/backups?start_time=yesterday",
        "/backups?used_percent=0",
        "/backups?used_percent=101",
        "/backups?incremental=maybe",
        "/backups?vault_id=x",
        "/backups?resource_id=x",
        "/backups?checkpoint_id=x",
        "/backups?parent_id=x",
        "/backups?own_type=all",
        "/backups?member_status=accept",
        "/vaults?limit=1001",
        "/vaults?object_type=tape",
        "/vaults?cloud_type=private",
        "/vaults?protect_type=x",
        "/vaults?id=x",
        "/vaults?status=x",
        "/vaults?resource_ids=x",
        "/operation-logs?limit=0",
        "/operation-logs?operation_type=x",
        "/operation-logs?status=x",
        "/operation-logs?vault_id=x",
        "/operation-logs?end_time=x",
        "/storage_usage?limit=0",
        "/storage_usage?resource_type=x",
        "/storage_usage?resource_id=x",
        "/protectables/tape/instances",
        "/protectables/disk/instances?limit=0",
        "/protectables/disk/instances?id=x",
        "/backups?name=%ff",
    ] {
        let reply = cloud.get("cbr", &ann.at(query)).token(&ann).send();
        assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        reply.refused(400, "BackupService.9900");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_vault_that_cannot_be_is_refused_with_the_code_that_says_why() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let change = |pointer: &str, value: Value| {
        let mut body = vault("v", "disk");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    let resource = |id: &str, kind: &str| json!([{ "id": id, "type": kind }]);
    for (body, status, code) in [
        (change("/vault/name", json!("")), 400, "BackupService.9900"),
        (
            change("/vault/name", json!("a b")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/name", json!("x".repeat(65))),
            400,
            "BackupService.9900",
        ),
        (change("/vault/name", json!(7)), 400, "BackupService.9900"),
        (
            change("/vault/description", json!("<b>")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/billing/size", json!("100")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/billing/size", json!(-1)),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/billing/object_type", json!("tape")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/billing/protect_type", json!("x")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/billing/consistent_level", Value::Null),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/threshold", json!(101)),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/backup_name_prefix", json!("x".repeat(33))),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/tags", json!([{ "key": "a=b", "value": "" }])),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/resources", resource("x", "OS::Cinder::Volume")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/resources", resource(MISSING, "OS::Tape")),
            400,
            "BackupService.9900",
        ),
        (
            change("/vault/resources", resource(MISSING, "OS::Cinder::Volume")),
            404,
            "BackupService.6302",
        ),
        (
            change("/vault/backup_policy_id", json!(MISSING)),
            404,
            "BackupService.6000",
        ),
    ] {
        let reply = cloud
            .post("cbr", &ann.at("/vaults"))
            .token(&ann)
            .json(&body)
            .send();
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        reply.refused(status, code);
    }
    for size in [9, 10_485_761] {
        let body = change("/vault/billing/size", json!(size));
        let reply = cloud
            .post("cbr", &ann.at("/vaults"))
            .token(&ann)
            .json(&body)
            .send();
        assert!(
            ["BackupService.9900", "BackupService.6101"]
                .contains(&reply.json["error_code"].as_str().unwrap()),
            "{}",
            reply.text
        );
    }
    let none = cloud
        .get("cbr", &ann.at("/vaults"))
        .token(&ann)
        .send()
        .is(200);
    assert_eq!(
        none.json["count"], 0,
        "a refused vault leaves nothing behind"
    );
}

#[test]
fn resources_and_restores_that_cannot_be_are_refused() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let disk = cloud.resource(&ann, "volume", "disk");
    let id = make_vault(&cloud, &ann, "v", "disk");
    let at = ann.at(&format!("/vaults/{id}/addresources"));
    let twice = json!({ "resources": [
        { "id": disk, "type": "OS::Cinder::Volume" }, { "id": disk, "type": "OS::Cinder::Volume" },
    ] });
    cloud
        .post("cbr", &at)
        .token(&ann)
        .json(&twice)
        .send()
        .refused(400, "BackupService.6104");
    let none = json!({ "resources": [] });
    cloud
        .post("cbr", &at)
        .token(&ann)
        .json(&none)
        .send()
        .refused(400, "BackupService.9900");
    let at = ann.at(&format!("/vaults/{id}/removeresources"));
    let absent = json!({ "resource_ids": [disk] });
    let reply = cloud.post("cbr", &at).token(&ann).json(&absent).send();
    assert!(reply.status.is_client_error(), "{}", reply.text);
    let elsewhere = checkpoint(&cloud, &ann, &id, &json!({ "resources": [disk] }));
    assert!(
        ["BackupService.6135", "BackupService.0001"]
            .contains(&elsewhere.json["error_code"].as_str().unwrap()),
        "{}",
        elsewhere.text
    );
    let days = checkpoint(
        &cloud,
        &ann,
        &id,
        &json!({ "retention_duration_days": 36501 }),
    );
    days.refused(400, "BackupService.9900");
    for restore in [
        json!({ "restore": {} }),
        json!({ "restore": { "volume_id": "x" } }),
        json!({ "restore": { "volume_id": "", "resource_id": null } }),
        json!({ "restore": { "volume_id": MISSING, "details": { "destination_path": "/" } } }),
    ] {
        let at = ann.at(&format!("/backups/{MISSING}/restore"));
        cloud
            .post("cbr", &at)
            .token(&ann)
            .json(&restore)
            .send()
            .refused(400, "BackupService.9900");
    }
}

#[test]
fn a_signature_holds_for_one_request_and_a_quarter_of_an_hour() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let uri = ann.at("/vaults?name=a%20b&status=available");
    let signed = |uri: &str| cloud.get("cbr", uri).signed(&ann);
    signed(&uri).send().is(200);
    // Tampered with: path, query, method, signed headers, body.
    signed(&uri)
        .uri(&uri.replace("vaults", "backups"))
        .send()
        .refused(401, "APIGW.0301");
    signed(&uri)
        .uri(&uri.replace("available", "error"))
        .send()
        .refused(401, "APIGW.0301");
    signed(&uri)
        .uri(&format!("{uri}&limit=1"))
        .send()
        .refused(401, "APIGW.0301");
    signed(&uri)
        .replace("x-project-id", &"0".repeat(32))
        .send()
        .refused(401, "APIGW.0301");
    signed(&uri)
        .replace("host", "elsewhere")
        .send()
        .refused(401, "APIGW.0301");
    let made = cloud
        .post("cbr", &ann.at("/vaults"))
        .json(&vault("v", "disk"))
        .signed(&ann);
    let tampered = vault("w", "disk").to_string().into_bytes();
    made.swap_body(tampered).send().refused(401, "APIGW.0301");

    // Skewed clocks, and a request that was recorded and is sent again later.
    let at = |seconds: i64| format_date(cloud.clock.now().as_seconds() + seconds);
    for (seconds, good) in [(-901, false), (-900, true), (900, true), (901, false)] {
        let reply = cloud.get("cbr", &uri).header("x-sdk-date", &at(seconds));
        let reply = reply.signed_at(&ann).send();
        assert_eq!(reply.status == 200, good, "{seconds}: {}", reply.text);
    }
    let recorded = signed(&uri);
    cloud.clock.advance_seconds(901);
    let late = recorded.send().refused(401, "APIGW.0301");
    assert!(late.text_at("/error_msg").contains("900"), "{}", late.text);

    // The date must be signed, and a body that is not covered is not believed.
    let undated = cloud.get("cbr", &uri).header("x-sdk-date", &at(0)).header(
        "authorization",
        &format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders=host, Signature={}",
            ann.access,
            "0".repeat(64)
        ),
    );
    undated.send().refused(401, "APIGW.0301");
    let uncovered = cloud
        .post("cbr", &ann.at("/vaults"))
        .json(&vault("v", "disk"))
        .header("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")
        .signed(&ann);
    uncovered.send().refused(401, "APIGW.0301");
}

#[test]
fn thirteen_megabytes_are_413_in_every_dialect() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let body = vec![b' '; 13 << 20];
    for (origin, path) in [
        ("cbr", ann.at("/vaults")),
        ("cbr", "/nowhere".to_owned()),
        ("ddm", ann.at("/backups")),
        ("identity", "/v5/x".to_owned()),
        ("identity", "/native/v1/resources".to_owned()),
    ] {
        cloud
            .post(origin, &path)
            .token(&ann)
            .body(body.clone())
            .send()
            .refused(413, "APIGW.0201");
    }
    let keystone = cloud
        .post("identity", "/v3/auth/tokens")
        .body(body)
        .send()
        .is(413);
    assert_eq!(keystone.json["error"]["code"], 413);
}

#[test]
fn unknown_paths_and_methods_are_404_as_the_gateway_says_it() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let labels = "/v1.0/enterprise-projects";
    for (origin, method, path) in [
        ("cbr", Method::GET, "/v3".to_owned() + "/x/y/z/w/v"),
        ("cbr", Method::PATCH, ann.at("/vaults")),
        ("cbr", Method::DELETE, ann.at("/vaults")),
        ("cbr", Method::GET, ann.at("/vaults/a/b")),
        ("cbr", Method::OPTIONS, "/".to_owned()),
        ("ddm", Method::PATCH, ann.v1("/instances")),
        ("ddm", Method::GET, ann.v1("/a/b/c/d/e/f")),
        ("dbss", Method::PATCH, ann.v1("/audit/instances")),
        ("dbss", Method::GET, ann.v1("/a/b/c/d/e/f")),
        ("eps", Method::DELETE, labels.to_owned()),
        ("eps", Method::GET, format!("{labels}/a/b/c")),
    ] {
        let reply = cloud
            .ask(origin, method, &path)
            .send()
            .refused(404, "APIGW.0101");
        assert_eq!(
            reply.json["request_id"],
            reply.headers["x-request-id"].to_str().unwrap()
        );
    }
    assert!(Service::ALL.len() == 6, "a new service needs rows here");
}
