//! Who is turned away, over every declared operation: no token, an expired or revoked one, a
//! wrong or stale signature, another project, too weak a role.
//!
//! The tables of the wire are the list, so a new operation is in these tests before it works.

use http::Method;
use serde_json::json;
use strongroom_control::identity::Role;
use strongroom_wire::{Availability, OperationInfo, Service};

use crate::cloud::{Ask, Reply, Tenant, TestCloud};

/// Every operation with its origin.
pub(crate) fn everything() -> impl Iterator<Item = (&'static str, &'static OperationInfo)> {
    Service::ALL.iter().flat_map(|service| {
        service
            .operations()
            .iter()
            .map(|info| (service.endpoint_key(), info))
    })
}

/// The vendors' searches are POSTs; they look all the same.
pub(crate) const LOOKS: &[&str] = &[
    "CountResourceInstanceByTag",
    "ListAuditBackupInfo",
    "ListAuditOperateLogs",
    "ListAuditOperateLogsNew",
    "ListAuditSqls",
    "ListAuditSqlsNew",
    "ListResourceInstanceByTag",
    "ShowInstanceMonitorInfo",
    "ShowVaultResourceInstances",
];

/// A path of the operation in that project, with ids of nothing.
fn path(info: &OperationInfo, project: &str, domain: &str) -> String {
    let segment = |part: &str| match part {
        "{project_id}" => project.to_owned(),
        "{domain_id}" => domain.to_owned(),
        "{domain_name}" => "strongroom".to_owned(),
        "{protectable_type}" => "disk".to_owned(),
        "{key}" | "{feature_key}" => "k".to_owned(),
        "{access_key}" => "A".repeat(20),
        "{user_id}" | "{source_project_id}" => "0".repeat(32),
        variable if variable.starts_with('{') => "00000000-0000-4000-8000-000000000000".to_owned(),
        literal => literal.to_owned(),
    };
    info.path
        .split('/')
        .map(segment)
        .collect::<Vec<_>>()
        .join("/")
}

pub(crate) fn ask<'c>(
    cloud: &'c TestCloud,
    origin: &'static str,
    info: &OperationInfo,
    project: &str,
) -> Ask<'c> {
    let method = Method::from_bytes(info.method.as_str().as_bytes()).unwrap();
    let domain = cloud.first.domain.id.to_string();
    cloud.ask(origin, method, &path(info, project, &domain))
}

pub(crate) fn is_keystone(info: &OperationInfo) -> bool {
    info.service == Service::Iam && (info.path == "/v3" || info.path.starts_with("/v3/"))
}

/// Refused by the gateway, or by Keystone, in the service's own shape.
#[track_caller]
fn refused(info: &OperationInfo, reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        reply.status.as_u16(),
        status,
        "{}: {}",
        info.name,
        reply.text
    );
    if info.method == strongroom_wire::Method::Head {
        return;
    }
    if is_keystone(info) {
        assert_eq!(reply.json["error"]["code"], status, "{}", reply.text);
        assert!(
            reply.json["error"]["title"].is_string() && reply.json["error"]["message"].is_string()
        );
    } else {
        let code = if info.service == Service::Iam {
            "IAM.0001"
        } else {
            code
        };
        assert_eq!(
            reply.json["error_code"], code,
            "{}: {}",
            info.name, reply.text
        );
        assert_eq!(
            reply.json["request_id"],
            reply.headers["x-request-id"].to_str().unwrap()
        );
    }
}

/// How somebody tries to get in.
type Attempt = for<'a> fn(Ask<'a>, &Tenant) -> Ask<'a>;

#[test]
fn nobody_gets_in_without_a_good_token_or_signature() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let revoked = cloud.tenant("bob");
    cloud
        .delete("identity", "/v3/auth/tokens")
        .token(&revoked)
        .header("x-subject-token", &revoked.token)
        .send()
        .is(204);
    let expired = Tenant {
        token: tenant.token.clone(),
        ..cloud.tenant("eve")
    };
    cloud.clock.advance_seconds(24 * 3600);
    let project = tenant.project.id.to_string();

    let attempts: [(&str, &Tenant, Attempt); 9] = [
        ("nothing", &tenant, |ask, _| ask),
        ("an expired token", &expired, |ask, tenant| {
            ask.token(tenant)
        }),
        ("a revoked token", &revoked, |ask, tenant| ask.token(tenant)),
        ("a garbled token", &tenant, |ask, tenant| {
            ask.header("x-auth-token", &tenant.token.to_lowercase())
        }),
        ("an empty token", &tenant, |ask, _| {
            ask.header("x-auth-token", "")
        }),
        ("an unknown key", &tenant, |ask, tenant| {
            ask.signed_with("AAAAAAAAAAAAAAAAAAAA", &tenant.secret)
        }),
        ("a wrong secret", &tenant, |ask, tenant| {
            ask.signed_with(&tenant.access, "guessed")
        }),
        ("an unknown algorithm", &tenant, |ask, _| {
            ask.header(
                "authorization",
                "SDK-HMAC-SM3 Access=A, SignedHeaders=host, Signature=00",
            )
        }),
        ("basic authentication", &tenant, |ask, _| {
            ask.header("authorization", "Basic YTpi")
        }),
    ];
    let mut tried = 0;
    for (origin, info) in everything().filter(|(_, info)| !info.public) {
        for (what, tenant, attempt) in &attempts {
            let reply = attempt(ask(&cloud, origin, info, &project), tenant).send();
            assert_eq!(reply.status, 401, "{}, {what}: {}", info.name, reply.text);
            refused(info, &reply, 401, "APIGW.0301");
            tried += 1;
        }
    }
    assert!(
        tried > 90 * attempts.len(),
        "{tried} is not every operation"
    );
}

#[test]
fn what_is_public_never_answers_401_whatever_is_sent_along() {
    let cloud = TestCloud::new();
    for (origin, info) in everything().filter(|(_, info)| info.public) {
        if info.name == "KeystoneCreateUserTokenByPassword" {
            continue;
        }
        let path = match (info.path, info.service) {
            ("/{api_version}", Service::Eps) => "/v1.0",
            ("/{api_version}", _) => "/v3",
            (path, _) => path,
        };
        for path in [path.to_owned(), format!("{}/", path.trim_end_matches('/'))] {
            let ask = cloud
                .get(origin, &path)
                .header("x-auth-token", "garbage")
                .header("authorization", "SDK-HMAC-SHA256 garbage");
            assert_eq!(
                ask.send().status.as_u16(),
                info.success,
                "{} {path}",
                info.name
            );
        }
    }
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(
            cloud.get("identity", probe).send().is(200).json["healthy"],
            true
        );
    }
}

#[test]
fn a_foreign_project_is_closed_for_every_operation_with_a_project_in_its_path() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let operator = cloud.operator();
    let elsewhere = Tenant {
        project: bob.project.clone(),
        ..cloud.tenant("eve")
    };
    let tenants = everything()
        .filter(|(_, info)| info.service != Service::Iam && info.path.contains("{project_id}"));
    for (origin, info) in tenants {
        let project = bob.project.id.to_string();
        let foreign = || ask(&cloud, origin, info, &project);
        refused(info, &foreign().token(&ann).send(), 403, "APIGW.0302");
        refused(info, &foreign().signed(&ann).send(), 403, "APIGW.0302");
        // The header names the project of the path, in which the key's user has no role.
        refused(
            info,
            &foreign().signed(&elsewhere).send(),
            403,
            "APIGW.0302",
        );
        // Not even an operator's token for another project will do.
        refused(info, &foreign().token(&operator).send(), 403, "APIGW.0302");
        let nowhere = ask(&cloud, origin, info, &"f".repeat(32));
        refused(info, &nowhere.token(&ann).send(), 403, "APIGW.0302");
    }
}

#[test]
fn an_unscoped_token_opens_no_project_but_finds_them() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let reply = cloud
        .post("identity", "/v3/auth/tokens?nocatalog=1")
        .json(&json!({ "auth": { "identity": {
            "methods": ["password"],
            "password": { "user": {
                "id": ann.user.id.to_string(), "password": "password of ann",
            } },
        } } }))
        .send()
        .is(201);
    let token = reply.headers["x-subject-token"].to_str().unwrap();
    let own = ann.at("/vaults");
    cloud
        .get("cbr", &own)
        .header("x-auth-token", token)
        .send()
        .refused(403, "APIGW.0302");
    let found = cloud
        .get("identity", "/v3/auth/projects")
        .header("x-auth-token", token)
        .send();
    assert_eq!(
        found.is(200).text_at("/projects/0/id"),
        ann.project.id.to_string()
    );
}

#[test]
fn a_reader_looks_and_changes_nothing() {
    let cloud = TestCloud::new();
    let reader = cloud.tenant_as("ann", Role::Reader);
    let project = reader.project.id.to_string();
    let tenants = everything()
        .filter(|(_, info)| info.service != Service::Iam && info.path.contains("{project_id}"));
    let mut changes = 0;
    for (origin, info) in tenants {
        let reply = ask(&cloud, origin, info, &project).token(&reader).send();
        let looks = info.method == strongroom_wire::Method::Get || LOOKS.contains(&info.name);
        if looks {
            assert_ne!(reply.status, 403, "{}: {}", info.name, reply.text);
        } else {
            refused(info, &reply, 403, "APIGW.0302");
            changes += 1;
        }
    }
    assert!(changes > 30, "{changes}");
}

#[test]
fn what_does_not_work_or_is_not_offered_says_so_to_proven_callers_in_the_services_words() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let project = ann.project.id.to_string();
    for (origin, info) in everything().filter(|(_, info)| !info.works()) {
        let reply = ask(&cloud, origin, info, &project).token(&ann).send();
        let (status, code) = match (info.service, info.availability) {
            (Service::Ddm, Availability::Refused { .. }) => (400, "DBS.300005"),
            (Service::Dbss, _) => (501, "DBSS.11000000"),
            (Service::Ddm, _) => (501, "DBS.200412"),
            _ => (501, "BackupService.9910"),
        };
        let reply = reply.refused(status, code);
        assert!(
            reply.text_at("/error_msg").starts_with(info.name),
            "{}",
            reply.text
        );
    }
}

#[test]
fn the_account_in_the_projects_place_must_be_the_callers() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let operations = everything().filter(|(_, info)| info.path.contains("{domain_id}"));
    let operations = operations.filter(|(_, info)| info.service == Service::Dbss);
    let mut tried = 0;
    for (origin, info) in operations {
        let method = || Method::from_bytes(info.method.as_str().as_bytes()).unwrap();
        for domain in ["f".repeat(32), ann.project.id.to_string(), "x".to_owned()] {
            let path = path(info, "", &domain);
            let token = cloud.ask(origin, method(), &path).token(&ann);
            refused(info, &token.send(), 403, "APIGW.0302");
            let signed = cloud.ask(origin, method(), &path).signed(&ann);
            refused(info, &signed.send(), 403, "APIGW.0302");
            tried += 1;
        }
    }
    assert_eq!(tried, 9);
}

#[test]
fn the_audit_service_refuses_in_its_old_and_its_new_form() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    for (method, path, pointer) in [
        (
            Method::GET,
            format!("/v1/{}/audit/x/backup/status", ann.project.id),
            "/details/0",
        ),
        (
            Method::GET,
            format!("/v1/{}/audit/x/backup/status", ann.project.id),
            "",
        ),
        (
            Method::GET,
            format!("/v1/{}/x/dbss/audit/databases", ann.project.id),
            "/error",
        ),
    ] {
        let reply = cloud.ask("dbss", method, &path).token(&ann).send().is(404);
        let code = reply.text_at(&format!("{pointer}/error_code"));
        assert_eq!(code, "DBSS.10021004");
        assert!(
            reply
                .text_at(&format!("{pointer}/error_msg"))
                .contains("no such instance")
        );
    }
    cloud.get("dbss", "/").send().refused(404, "APIGW.0101");
}
