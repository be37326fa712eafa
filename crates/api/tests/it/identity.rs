//! Identity as clients meet it when they start, and as administrators use it.

use serde_json::{Value, json};
use strongroom_catalog::Page;

use crate::cloud::{Ask, Reply, Tenant, TestCloud};

fn password(user: &Value, scope: Option<&Value>) -> Value {
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if let Some(scope) = scope {
        auth["scope"] = scope.clone();
    }
    json!({ "auth": auth })
}

fn ann() -> Value {
    json!({ "name": "ann", "password": "password of ann", "domain": { "name": "strongroom" } })
}

fn sign_in(cloud: &TestCloud, body: &Value) -> Reply {
    cloud.post("identity", "/v3/auth/tokens").json(body).send()
}

/// Keystone's body for what is wrong.
#[track_caller]
fn keystone(reply: Reply, status: u16, title: &str) -> String {
    assert_eq!(reply.json["error"]["code"], status, "{}", reply.text);
    assert_eq!(reply.json["error"]["title"], title);
    reply.is(status).text_at("/error/message")
}

#[test]
fn a_token_says_who_for_what_until_when_and_where_to_go() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let project = tenant.project.id.to_string();
    let scope = json!({ "project": { "name": "p-ann", "domain": { "name": "strongroom" } } });
    let reply = sign_in(&cloud, &password(&ann(), Some(&scope))).is(201);
    let token = &reply.json["token"];
    assert_eq!(token["methods"], json!(["password"]));
    assert_eq!(token["issued_at"], "2026-01-02T03:04:05.000006Z");
    assert_eq!(token["expires_at"], "2026-01-03T03:04:05.000006Z");
    let domain = json!({ "name": "strongroom", "id": cloud.first.domain.id.to_string() });
    let expected = json!({ "name": "p-ann", "id": project, "domain": domain });
    assert_eq!(token["project"], expected);
    assert_eq!(
        token["user"],
        json!({
            "name": "ann", "id": tenant.user.id.to_string(), "password_expires_at": "",
            "domain": domain,
        })
    );
    assert_eq!(token["roles"][0]["name"], "member");
    assert!(token.get("domain").is_none());

    let urls: Vec<_> = token["catalog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let endpoint = &entry["endpoints"][0];
            assert_eq!(
                (&endpoint["interface"], &endpoint["region_id"]),
                (&json!("public"), &json!("eu-test"))
            );
            assert_eq!(entry["id"].as_str().unwrap().len(), 32);
            (
                entry["type"].as_str().unwrap(),
                endpoint["url"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(
        urls,
        [
            ("identity", "https://iam.cloud.test/v3".to_owned()),
            ("iam", "https://iam.cloud.test/v3.0".to_owned()),
            ("eps", "https://eps.cloud.test/v1.0".to_owned()),
            ("cbr", format!("https://cbr.cloud.test/v3/{project}")),
            ("ddmv1", format!("https://ddm.cloud.test/v1/{project}")),
            ("ddmv2", format!("https://ddm.cloud.test/v2/{project}")),
            ("ddmv3", format!("https://ddm.cloud.test/v3/{project}")),
            ("dbss", format!("https://dbss.cloud.test/v1/{project}")),
        ]
    );
    let bare = cloud
        .post("identity", "/v3/auth/tokens?nocatalog=true")
        .json(&password(&ann(), Some(&scope)))
        .send()
        .is(201);
    assert!(bare.json["token"].get("catalog").is_none());
}

#[test]
fn every_scope_and_every_way_to_name_things_is_understood() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let (user, project) = (tenant.user.id.to_string(), tenant.project.id.to_string());
    let domain = cloud.first.domain.id.to_string();
    let by_id = json!({ "id": user, "password": "password of ann" });
    let by_domain_id =
        json!({ "name": "ann", "password": "password of ann", "domain": { "id": domain } });
    for who in [ann(), by_id, by_domain_id] {
        for (scope, pointer) in [
            (
                Some(json!({ "project": { "id": project } })),
                "/token/project/id",
            ),
            (
                Some(json!({ "project": { "name": "p-ann" } })),
                "/token/project/id",
            ),
            (
                Some(json!({ "project": { "name": "p-ann", "domain": { "id": domain } } })),
                "/token/project/id",
            ),
            (
                Some(json!({ "domain": { "name": "strongroom" } })),
                "/token/domain/id",
            ),
            (
                Some(json!({ "domain": { "id": domain } })),
                "/token/domain/id",
            ),
            (Some(json!("unscoped")), "/token/user/id"),
            (None, "/token/user/id"),
        ] {
            sign_in(&cloud, &password(&who, scope.as_ref()))
                .is(201)
                .text_at(pointer);
        }
    }
}

#[test]
fn all_that_is_wrong_with_a_sign_in_is_401_in_keystones_words() {
    let cloud = TestCloud::new();
    cloud.tenant("ann");
    let own = json!({ "project": { "name": "p-ann" } });
    let mut texts = std::collections::BTreeSet::new();
    for (who, scope) in [
        (json!({ "name": "ann", "password": "wrong" }), own.clone()),
        (
            json!({ "name": "nobody", "password": "password of ann" }),
            own.clone(),
        ),
        (
            json!({ "id": "nonsense", "password": "password of ann" }),
            own.clone(),
        ),
        (
            json!({ "name": "ann", "password": "password of ann", "domain": { "name": "x" } }),
            own,
        ),
        (ann(), json!({ "project": { "name": "nowhere" } })),
        (ann(), json!({ "project": { "name": "eu-test" } })),
        (ann(), json!({ "project": { "id": "nonsense" } })),
        (ann(), json!({ "domain": { "name": "elsewhere" } })),
    ] {
        texts.insert(keystone(
            sign_in(&cloud, &password(&who, Some(&scope))),
            401,
            "Unauthorized",
        ));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    let garbled =
        json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": "x" } } } });
    keystone(sign_in(&cloud, &garbled), 401, "Unauthorized");
    let totp = json!({ "auth": { "identity": { "methods": ["password", "totp"] } } });
    keystone(sign_in(&cloud, &totp), 401, "Unauthorized");
    let half = json!({ "auth": { "identity": { "methods": ["password"] } } });
    keystone(sign_in(&cloud, &half), 400, "Bad Request");
    let not_json = cloud
        .post("identity", "/v3/auth/tokens")
        .body(b"auth=me".to_vec())
        .send();
    keystone(not_json, 400, "Bad Request");
    let lost = cloud.get("identity", "/v3/auth/nothing").send();
    keystone(lost, 404, "Not Found");
}

#[test]
fn guessing_is_slowed_down_with_429() {
    let cloud = TestCloud::new();
    cloud.tenant("ann");
    let wrong = password(&json!({ "name": "ann", "password": "wrong" }), None);
    for _ in 0..5 {
        keystone(sign_in(&cloud, &wrong), 401, "Unauthorized");
    }
    keystone(
        sign_in(&cloud, &password(&ann(), None)),
        429,
        "Too Many Requests",
    );
    cloud.clock.advance_seconds(1);
    sign_in(&cloud, &password(&ann(), None)).is(201);
}

#[test]
fn signatures_on_the_request_for_a_token_are_ignored() {
    let cloud = TestCloud::new();
    cloud.tenant("ann");
    let reply = cloud
        .post("identity", "/v3/auth/tokens")
        .json(&password(&ann(), None))
        .signed_with("AAAAAAAAAAAAAAAAAAAA", "of nobody")
        .send();
    reply.is(201);
}

#[test]
fn a_token_is_looked_at_changed_for_another_scope_and_ended() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let stranger = cloud.tenant("bob");
    let subject = |of: &Tenant, ask: Ask<'_>| {
        ask.token(of)
            .header("x-subject-token", &tenant.token)
            .send()
    };
    let seen = subject(&tenant, cloud.get("identity", "/v3/auth/tokens")).is(200);
    assert_eq!(seen.headers["x-subject-token"], tenant.token.as_str());
    assert_eq!(seen.text_at("/token/project/name"), "p-ann");
    let head = |of| {
        subject(
            of,
            cloud.ask("identity", http::Method::HEAD, "/v3/auth/tokens"),
        )
    };
    assert_eq!(head(&tenant).is(200).text, "");
    assert_eq!(head(&stranger).status, 404);
    keystone(
        subject(&stranger, cloud.get("identity", "/v3/auth/tokens")),
        404,
        "Not Found",
    );
    keystone(
        cloud
            .get("identity", "/v3/auth/tokens")
            .token(&tenant)
            .send(),
        400,
        "Bad Request",
    );

    let other = json!({ "auth": {
        "identity": { "methods": ["token"], "token": { "id": tenant.token } },
        "scope": { "domain": { "name": "strongroom" } },
    } });
    let rescoped = sign_in(&cloud, &other).is(201);
    assert_eq!(
        rescoped.json["token"]["methods"],
        json!(["token", "password"])
    );
    subject(&tenant, cloud.delete("identity", "/v3/auth/tokens")).is(204);
    keystone(
        subject(&tenant, cloud.get("identity", "/v3/auth/tokens")),
        401,
        "Unauthorized",
    );
}

#[test]
fn what_sdks_ask_first_has_exactly_one_answer() {
    let cloud = TestCloud::new();
    let operator = cloud.operator();
    let ask = |uri: &str| {
        cloud
            .get("identity", uri)
            .signed_with(&operator.access, &operator.secret)
            .send()
            .is(200)
    };
    let projects = ask("/v3/projects?name=eu-test");
    assert_eq!(projects.json["projects"].as_array().unwrap().len(), 1);
    assert_eq!(
        projects.text_at("/projects/0/id"),
        operator.project.id.to_string()
    );
    assert_eq!(projects.json["links"]["next"], Value::Null);
    for none in ["eu-tes", "eu-test_", "EU-TEST", "%25"] {
        let found = ask(&format!("/v3/projects?name={none}"));
        assert_eq!(found.json["projects"], json!([]), "{none}");
    }
    let domain = cloud.first.domain.id.to_string();
    assert_eq!(ask("/v3/auth/domains").text_at("/domains/0/id"), domain);
    assert_eq!(
        ask("/v3/auth/domains?name=elsewhere").json["domains"],
        json!([])
    );
    assert_eq!(ask("/v5/caller-identity").text_at("/account_id"), domain);
    assert_eq!(
        ask("/v3/auth/projects").text_at("/projects/0/name"),
        "eu-test"
    );
    assert_eq!(
        ask("/v3/auth/catalog").json["catalog"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let id = operator.project.id.to_string();
    assert_eq!(
        ask(&format!("/v3/projects/{id}")).text_at("/project/name"),
        "eu-test"
    );
    let own = ask(&format!("/v3/users/{}/projects", operator.user.id));
    assert_eq!(own.text_at("/projects/0/id"), id);
    let scoped = cloud
        .get("identity", "/v3/auth/catalog")
        .signed(&operator)
        .send()
        .is(200);
    assert_eq!(scoped.json["catalog"].as_array().unwrap().len(), 8);
}

#[test]
fn version_documents_are_keystones() {
    let cloud = TestCloud::new();
    let all = cloud.get("identity", "/").send().is(300);
    let one = cloud.get("identity", "/v3").send().is(200);
    assert_eq!(all.json["versions"]["values"][0], one.json["version"]);
    assert_eq!(
        one.text_at("/version/links/0/href"),
        "https://iam.cloud.test/v3/"
    );
    assert_eq!(one.text_at("/version/status"), "stable");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn access_keys_are_made_used_switched_off_and_ended() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let stranger = cloud.tenant("bob");
    let keys = "/v3.0/OS-CREDENTIAL/credentials";
    let user_id = tenant.user.id.to_string();
    let body = json!({ "credential": { "user_id": user_id, "description": "ci" } });
    let made = cloud
        .post("identity", keys)
        .token(&tenant)
        .json(&body)
        .send()
        .is(201);
    let (access, secret) = (
        made.text_at("/credential/access"),
        made.text_at("/credential/secret"),
    );
    assert_eq!((access.len(), secret.len()), (20, 40));
    assert_eq!(
        made.text_at("/credential/create_time"),
        "2026-01-02T03:04:05.000006Z"
    );
    let third = cloud
        .post("identity", keys)
        .token(&tenant)
        .json(&body)
        .send();
    third.refused(409, "IAM.0005");

    let signed = || {
        let vaults = tenant.at("/vaults");
        cloud
            .get("cbr", &vaults)
            .signed_with(&access, &secret)
            .send()
    };
    signed().is(200);
    let one = format!("{keys}/{access}");
    let shown = cloud.get("identity", &one).token(&tenant).send().is(200);
    assert_eq!(
        shown.text_at("/credential/last_use_time"),
        "2026-01-02T03:04:05.000006Z"
    );
    assert!(shown.json["credential"].get("secret").is_none());
    cloud
        .get("identity", &one)
        .token(&stranger)
        .send()
        .refused(404, "IAM.0004");
    let off = json!({ "credential": { "status": "inactive" } });
    cloud
        .put("identity", &one)
        .token(&stranger)
        .json(&off)
        .send()
        .refused(404, "IAM.0004");
    let switched = cloud
        .put("identity", &one)
        .token(&tenant)
        .json(&off)
        .send()
        .is(200);
    assert_eq!(switched.text_at("/credential/description"), "ci");
    signed().refused(401, "APIGW.0301");
    let listed = cloud.get("identity", keys).token(&tenant).send().is(200);
    assert_eq!(listed.json["credentials"].as_array().unwrap().len(), 2);
    let foreign = format!("{keys}?user_id={user_id}");
    cloud
        .get("identity", &foreign)
        .token(&stranger)
        .send()
        .refused(403, "IAM.0002");
    cloud.delete("identity", &one).token(&tenant).send().is(204);
    cloud
        .get("identity", &one)
        .token(&tenant)
        .send()
        .refused(404, "IAM.0004");
    let wrong = json!({ "credential": { "status": "asleep" } });
    cloud
        .put("identity", &one)
        .token(&tenant)
        .json(&wrong)
        .send()
        .refused(400, "IAM.0011");
}

#[test]
fn changes_are_in_the_audit_trail_and_looks_are_not() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let trail = |cloud: &TestCloud| {
        cloud
            .catalog
            .read(|tx| tx.audit().any_project_list(&Page::ALL))
            .unwrap()
    };
    let before = trail(&cloud).total;
    cloud
        .get("cbr", &tenant.at("/vaults"))
        .token(&tenant)
        .send()
        .is(200);
    cloud.delete("cbr", &tenant.at("/vaults/x")).send().is(401);
    assert_eq!(trail(&cloud).total, before);
    let reply = cloud
        .delete("cbr", &tenant.at("/vaults/x"))
        .token(&tenant)
        .send();
    let wrong = password(&json!({ "name": "ann", "password": "wrong" }), None);
    sign_in(&cloud, &wrong).is(401);
    let rows = trail(&cloud).rows;
    assert_eq!(rows.len() as u64, before + 2);
    assert_eq!(
        (rows[0].who.as_str(), rows[0].outcome.as_str()),
        ("unproven", "401 IAM.0001")
    );
    let deed = &rows[1];
    assert_eq!(deed.who, tenant.user.id.to_string());
    assert_eq!(deed.operation, "cbr:vaults:delete");
    assert_eq!(deed.target, tenant.at("/vaults/x"));
    assert_eq!(deed.outcome, "400 BackupService.9900");
    assert_eq!(
        deed.request_id,
        reply.headers["x-request-id"].to_str().unwrap()
    );
    assert_eq!(deed.project_id, Some(tenant.project.id));
}
