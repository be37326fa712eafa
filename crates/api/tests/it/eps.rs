//! Enterprise projects over HTTP: labels over the vaults of an account. Every reply is held against
//! the published definitions on its way.

use serde_json::{Value, json};
use strongroom_control::identity::Role;

use crate::{
    cbr::{make_vault, vault},
    cloud::{Reply, Tenant, TestCloud},
};

const ALL: &str = "/v1.0/enterprise-projects";
const MISSING: &str = "00000000-0000-4000-8000-000000000000";

fn get(cloud: &TestCloud, who: &Tenant, uri: &str) -> Reply {
    cloud.get("eps", uri).token(who).send()
}

fn post(cloud: &TestCloud, who: &Tenant, uri: &str, body: &Value) -> Reply {
    cloud.post("eps", uri).token(who).json(body).send()
}

fn put(cloud: &TestCloud, who: &Tenant, uri: &str, body: &Value) -> Reply {
    cloud.put("eps", uri).token(who).json(body).send()
}

fn make(cloud: &TestCloud, who: &Tenant, name: &str) -> String {
    let made = post(cloud, who, ALL, &json!({ "name": name })).is(201);
    made.text_at("/enterprise_project/id")
}

#[track_caller]
fn refused(reply: Reply, status: u16, code: &str) {
    assert_eq!(reply.json["error"]["error_code"], code, "{}", reply.text);
    reply.is(status);
}

fn act(cloud: &TestCloud, who: &Tenant, id: &str, action: &str) -> Reply {
    let body = json!({ "action": action });
    post(cloud, who, &format!("{ALL}/{id}/action"), &body)
}

fn migrate(cloud: &TestCloud, who: &Tenant, target: &str, vault: &str) -> Reply {
    let body = json!({ "resource_id": vault, "resource_type": "vault" });
    post(
        cloud,
        who,
        &format!("{ALL}/{target}/resources-migrate"),
        &body,
    )
}

#[test]
fn an_operator_makes_changes_switches_and_deletes_enterprise_projects() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    let default = get(&cloud, &ann, &format!("{ALL}/0")).is(200);
    assert_eq!(default.json["enterprise_project"]["name"], "default");
    assert_eq!(default.json["enterprise_project"]["status"], 1);
    assert_eq!(default.json["enterprise_project"]["delete_flag"], false);

    let body = json!({ "name": "shop", "description": "sells", "type": "poc" });
    let made = post(&cloud, &operator, ALL, &body).is(201);
    let id = made.text_at("/enterprise_project/id");
    assert_eq!(made.json["enterprise_project"]["description"], "sells");
    assert_eq!(made.json["enterprise_project"]["type"], "poc");
    let one = format!("{ALL}/{id}");
    assert_eq!(get(&cloud, &ann, &one).is(200).json, made.json);
    refused(post(&cloud, &operator, ALL, &body), 409, "EPS.0010");
    cloud.clock.advance_seconds(1);
    let changed = put(&cloud, &operator, &one, &json!({ "name": "market" })).is(200);
    let project = &changed.json["enterprise_project"];
    assert_eq!(
        (&project["name"], &project["description"]),
        (&json!("market"), &json!("sells"))
    );
    assert_ne!(
        project["updated_at"],
        made.json["enterprise_project"]["updated_at"]
    );

    act(&cloud, &operator, &id, "disable").is(204);
    assert_eq!(
        get(&cloud, &ann, &one).is(200).json["enterprise_project"]["status"],
        2
    );
    let renamed = put(&cloud, &operator, &one, &json!({ "name": "again" }));
    refused(renamed, 400, "EPS.0014");
    act(&cloud, &operator, &id, "enable").is(204);
    let quota = get(&cloud, &ann, &format!("{ALL}/quotas")).is(200);
    assert_eq!(quota.json["quotas"]["resources"][0]["used"], 1);
    cloud.delete("eps", &one).token(&operator).send().is(204);
    refused(get(&cloud, &ann, &one), 404, "EPS.0005");
    refused(
        cloud.delete("eps", &one).token(&operator).send(),
        404,
        "EPS.0005",
    );
}

#[test]
fn lists_are_filtered_sorted_and_cut() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        cloud.clock.advance_seconds(1);
        ids.push(make(&cloud, &operator, name));
    }
    act(&cloud, &operator, &ids[1], "disable").is(204);
    let names = |query: &str| -> Vec<String> {
        let reply = get(&cloud, &ann, &format!("{ALL}{query}")).is(200);
        let all = reply.json["enterprise_projects"].as_array().unwrap();
        let name = |project: &Value| project["name"].as_str().unwrap().to_owned();
        all.iter().map(name).collect()
    };
    assert_eq!(names(""), ["three", "two", "one", "default"]);
    assert_eq!(names("?sort_dir=asc"), ["default", "one", "two", "three"]);
    assert_eq!(names("?sort_dir=asc&limit=2&offset=1"), ["one", "two"]);
    assert_eq!(names("?name=t"), ["three", "two", "default"]);
    assert_eq!(names("?status=2"), ["two"]);
    assert_eq!(names(&format!("?id={}", ids[2])), ["three"]);
    assert_eq!(names("?type=poc"), [""; 0]);
    for (query, code) in [
        ("?limit=0", "EPS.0017"),
        ("?limit=1001", "EPS.0017"),
        ("?limit=x", "EPS.0017"),
        ("?offset=x", "EPS.0018"),
        ("?status=3", "EPS.0002"),
        ("?type=x", "EPS.0025"),
    ] {
        refused(get(&cloud, &ann, &format!("{ALL}{query}")), 400, code);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn vaults_are_made_under_a_label_found_by_it_and_moved() {
    let cloud = TestCloud::new();
    let (operator, ann, eve) = (cloud.operator(), cloud.tenant("ann"), cloud.tenant("eve"));
    let (shop, store) = (
        make(&cloud, &operator, "shop"),
        make(&cloud, &operator, "store"),
    );
    let mut body = vault("v", "turbo");
    body["vault"]["enterprise_project_id"] = json!(shop);
    let create = |body: &Value| {
        let ask = cloud.post("cbr", &ann.at("/vaults")).token(&ann);
        ask.json(body).send()
    };
    let made = create(&body).is(200);
    let id = made.text_at("/vault/id");
    assert_eq!(made.json["vault"]["enterprise_project_id"], json!(shop));
    let plain = make_vault(&cloud, &ann, "w", "turbo");
    let listed = |label: &str| -> Vec<Value> {
        let uri = ann.at(&format!("/vaults?enterprise_project_id={label}"));
        let reply = cloud.get("cbr", &uri).token(&ann).send().is(200);
        let vaults = reply.json["vaults"].as_array().unwrap();
        vaults.iter().map(|vault| vault["id"].clone()).collect()
    };
    assert_eq!(listed(&shop), [json!(id)]);
    assert_eq!(listed("0"), [json!(plain)]);

    // A label that is not there, or is switched off, takes no vault.
    body["vault"]["enterprise_project_id"] = json!(MISSING);
    create(&body).refused(400, "BackupService.9900");
    act(&cloud, &operator, &store, "disable").is(204);
    body["vault"]["enterprise_project_id"] = json!(store);
    create(&body).refused(400, "BackupService.9900");
    refused(migrate(&cloud, &ann, &store, &id), 400, "EPS.0034");
    act(&cloud, &operator, &store, "enable").is(204);

    // Another project neither moves nor sees it.
    refused(migrate(&cloud, &eve, &store, &id), 404, "EPS.0005");
    migrate(&cloud, &ann, &store, &id).is(204);
    assert_eq!((listed(&shop), listed(&store)), (vec![], vec![json!(id)]));
    let filter = |who: &Tenant, label: &str, body: &Value| {
        post(
            &cloud,
            who,
            &format!("{ALL}/{label}/resources/filter"),
            body,
        )
    };
    let kinds = json!({ "resource_types": ["vault"] });
    let found = filter(&ann, &store, &kinds).is(200);
    assert_eq!(found.json["total_count"], 1);
    assert_eq!(found.json["resources"][0]["resource_id"], json!(id));
    assert_eq!(filter(&eve, &store, &kinds).is(200).json["total_count"], 0);
    assert_eq!(
        filter(&operator, &store, &kinds).is(200).json["total_count"],
        1
    );
    let named = json!({
        "resource_types": ["vault"], "projects": [ann.project.id.to_string()],
        "matches": [{ "key": "resource_name", "value": "nothing" }],
    });
    assert_eq!(filter(&ann, &store, &named).is(200).json["total_count"], 0);
    let associated = |who: &Tenant| {
        let project = ann.project.id;
        let query = format!("?project_id={project}&region_id=eu-test&resource_type=vault");
        get(
            &cloud,
            who,
            &format!("/v1.0/associated-resources/{id}{query}"),
        )
    };
    assert_eq!(
        associated(&ann).is(200).json["associated_resources"],
        json!([])
    );
    refused(associated(&eve), 404, "EPS.0005");

    // The move is written down, for those who may see the vault.
    let record = format!("{ALL}/migrate-record/list?resource_id={id}");
    let records = get(&cloud, &ann, &record).is(200);
    assert_eq!(records.json["total_count"], 1);
    assert_eq!(records.json["records"][0]["origin_ep_name"], "shop");
    assert_eq!(records.json["records"][0]["target_ep_id"], json!(store));
    assert_eq!(get(&cloud, &eve, &record).is(200).json["total_count"], 0);
    let held = cloud
        .delete("eps", &format!("{ALL}/{store}"))
        .token(&operator)
        .send();
    refused(held, 409, "EPS.0041");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row per refusal")]
fn what_the_documents_refuse_is_refused_in_their_words() {
    let cloud = TestCloud::new();
    let (operator, ann) = (cloud.operator(), cloud.tenant("ann"));
    let reader = cloud.tenant_as("rea", Role::Reader);
    let id = make(&cloud, &operator, "shop");
    for (body, code) in [
        (json!({ "name": "" }), "EPS.0007"),
        (json!({ "name": "a b" }), "EPS.0007"),
        (json!({ "name": "Default" }), "EPS.0007"),
        (json!({ "name": "x".repeat(256) }), "EPS.0007"),
        (
            json!({ "name": "d", "description": "x".repeat(513) }),
            "EPS.0008",
        ),
        (json!({ "name": "t", "type": "test" }), "EPS.0025"),
        (json!({}), "EPS.0049"),
        (json!([]), "EPS.0049"),
    ] {
        refused(post(&cloud, &operator, ALL, &body), 400, code);
    }
    let one = format!("{ALL}/{id}");
    refused(
        put(
            &cloud,
            &operator,
            &format!("{ALL}/0"),
            &json!({ "name": "n" }),
        ),
        400,
        "EPS.0012",
    );
    refused(act(&cloud, &operator, "0", "disable"), 400, "EPS.0012");
    refused(act(&cloud, &operator, MISSING, "disable"), 404, "EPS.0005");
    refused(
        get(&cloud, &ann, &format!("{ALL}/nonsense")),
        404,
        "EPS.0005",
    );
    let action = post(
        &cloud,
        &operator,
        &format!("{one}/action"),
        &json!({ "action": "stop" }),
    );
    refused(action, 400, "EPS.0049");
    for (body, code) in [
        (json!({ "resource_types": [] }), "EPS.0023"),
        (json!({ "resource_types": ["ecs"] }), "EPS.0025"),
        (
            json!({ "resource_types": ["vault"], "projects": ["x"] }),
            "EPS.0022",
        ),
        (
            json!({ "resource_types": ["vault"], "limit": 0 }),
            "EPS.0017",
        ),
        (
            json!({ "resource_types": ["vault"], "matches": [{ "key": "size", "value": "1" }] }),
            "EPS.0029",
        ),
    ] {
        refused(
            post(&cloud, &ann, &format!("{one}/resources/filter"), &body),
            400,
            code,
        );
    }
    let migrate = format!("{one}/resources-migrate");
    for (body, code) in [
        (
            json!({ "resource_id": MISSING, "resource_type": "ecs" }),
            "EPS.0031",
        ),
        (
            json!({ "resource_id": "x", "resource_type": "vault" }),
            "EPS.0032",
        ),
        (
            json!({ "resource_id": MISSING, "resource_type": "vault", "region_id": "mars" }),
            "EPS.0035",
        ),
    ] {
        refused(post(&cloud, &ann, &migrate, &body), 400, code);
    }

    // Only an operator changes them, whatever a tenant's role says; a reader looks.
    for who in [&ann, &reader] {
        post(&cloud, who, ALL, &json!({ "name": "n" })).refused(403, "APIGW.0302");
        cloud
            .delete("eps", &one)
            .token(who)
            .send()
            .refused(403, "APIGW.0302");
        get(&cloud, who, &one).is(200);
    }
    post(&cloud, &reader, &migrate, &json!({})).refused(403, "APIGW.0302");
}

#[test]
fn what_the_service_knows_is_told_and_its_versions_to_anybody() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let versions = cloud.get("eps", "/").send().is(200);
    assert_eq!(versions.json["versions"][0]["id"], "v1.0");
    let version = cloud.get("eps", "/v1.0").send().is(200);
    assert_eq!(version.json["version"], versions.json["versions"][0]);
    cloud.get("eps", "/v9").send().refused(404, "APIGW.0101");
    let providers = get(&cloud, &ann, &format!("{ALL}/providers?locale=en-us")).is(200);
    assert_eq!(providers.json["providers"][0]["provider"], "cbr");
    let none = get(&cloud, &ann, &format!("{ALL}/providers?provider=ecs")).is(200);
    assert_eq!(none.json["total_count"], 0);
    let mapping = get(&cloud, &ann, &format!("{ALL}/resources-mapping")).is(200);
    assert_eq!(mapping.json["resource_mapping"], json!({ "vault": "cbr" }));
    let configs = get(&cloud, &ann, "/v1/enterprise-projects/configs").is(200);
    assert_eq!(configs.json["support_item"]["delete_ep_support"], "true");
}
