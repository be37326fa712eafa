//! Who may do what, over every declared operation: each role against what it is there for, custom
//! policies, and the shape of the refusal in each service. And how often anybody may.

use http::Method;
use serde_json::json;
use strongroom_control::identity::Role;
use strongroom_wire::{Method as WireMethod, OperationInfo, Service};

use crate::{
    cloud::{Reply, Tenant, TestCloud},
    strangers::{LOOKS, ask, everything, is_keystone},
};

/// What a backup operator is for, beside looking.
const OPERATES: &[&str] = &[
    "CreateCheckpoint",
    "CopyBackup",
    "CopyCheckpoint",
    "RestoreBackup",
    "CancelTask",
    "RestoreBackupTo",
    "BackUpAuditInstance",
    "BackUpInstance",
    "RestoreAuditBackup",
    "RetryAuditBackupTask",
    "VerifyAuditInstance",
    "CopyDataNodes",
    "ArchiveLogs",
    "Restore2Exist",
    "RestoreMetadata",
];

/// Whether a role is meant to permit an operation, told by method and name, not by its action.
fn meant(role: Role, info: &OperationInfo) -> bool {
    // The vendor's searches and our plans are POSTs; they look all the same.
    const PLANS: &[&str] = &["PlanDeletion", "ShowResourceBindEnterpriseProject"];
    let looks = matches!(info.method, WireMethod::Get | WireMethod::Head)
        || PLANS.contains(&info.name)
        || LOOKS.contains(&info.name);
    match role {
        _ if info.service == Service::Iam => true,
        Role::Reader => looks && info.name != "ListAuditRecords",
        Role::Auditor => looks,
        Role::Operator => {
            OPERATES.contains(&info.name) || (looks && info.name != "ListAuditRecords")
        }
        Role::Member | Role::Admin => true,
    }
}

/// Whether the answer is the refusal of a role, in the shape of the operation's service.
fn not_permitted(info: &OperationInfo, reply: &Reply) -> bool {
    if reply.status != 403 {
        return false;
    }
    if info.method == WireMethod::Head {
        return true;
    }
    let (text, code) = if is_keystone(info) {
        assert_eq!(reply.text_at("/error/title"), "Forbidden");
        (reply.text_at("/error/message"), "403".to_owned())
    } else {
        (reply.text_at("/error_msg"), reply.text_at("/error_code"))
    };
    // Use cases refuse too: paths of the host are an operator's word.
    if !text.starts_with("no permission for ") {
        return false;
    }
    assert!(text.ends_with(info.action), "{text}");
    let expected = match info.service {
        Service::Iam if is_keystone(info) => "403",
        Service::Iam => "IAM.0003",
        _ => "APIGW.0302",
    };
    assert_eq!(code, expected, "{}: {}", info.name, reply.text);
    true
}

#[test]
fn every_role_may_what_it_is_for_and_nothing_else_over_every_operation() {
    let cloud = TestCloud::new();
    let mut counts = Vec::new();
    for role in Role::ALL {
        let who = match role {
            Role::Admin => cloud.operator(),
            role => cloud.tenant_as(role.as_str(), *role),
        };
        let project = who.project.id.to_string();
        let mut permitted = 0;
        for (origin, info) in everything().filter(|(_, info)| !info.public) {
            if info.name == "KeystoneRevokeToken" {
                // It would end the token that the others are tried with.
                continue;
            }
            let reply = ask(&cloud, origin, info, &project).token(&who).send();
            let refused = not_permitted(info, &reply);
            let (name, text) = (info.name, &reply.text);
            assert_eq!(!refused, meant(*role, info), "{role} {name}: {text}");
            permitted += usize::from(!refused);
        }
        counts.push(permitted);
    }
    assert!(counts.is_sorted(), "{counts:?}");
    assert!(counts[0] > 30 && counts[0] < counts[4], "{counts:?}");
}

/// Gives somebody a policy with these statements, in its project.
fn give(cloud: &TestCloud, who: &Tenant, name: &str, statements: &serde_json::Value) {
    let document = json!({ "Version": "1.1", "Statement": statements }).to_string();
    let identity = &cloud.cloud.identity;
    let domain = cloud.first.domain.id;
    identity.put_policy(domain, name, &document).unwrap();
    let project = Some(who.project.id);
    identity.grant_policy(who.user.id, project, name).unwrap();
}

#[test]
fn a_deny_is_refused_in_the_shape_of_each_service_whatever_the_role() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    let all = json!([{ "Effect": "Deny", "Action": ["*"] }]);
    give(&cloud, &ann, "nothing", &all);
    let project = ann.project.id.to_string();
    for (origin, info) in everything().filter(|(_, info)| !info.public) {
        let reply = ask(&cloud, origin, info, &project).token(&ann).send();
        assert!(not_permitted(info, &reply), "{}: {}", info.name, reply.text);
    }
}

#[test]
fn a_policy_about_one_vault_opens_that_vault_alone() {
    let cloud = TestCloud::new();
    let reader = cloud.tenant_as("ann", Role::Reader);
    let (open, closed) = (
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
    );
    let one = json!([{
        "Effect": "Allow",
        "Action": ["cbr:vaults:delete", "cbr:vaults:create"],
        "Resource": [format!("cbr:*:*:vault:{open}")],
    }]);
    give(&cloud, &reader, "one", &one);
    let delete = |vault: &str| {
        let path = reader.at(&format!("/vaults/{vault}"));
        cloud.delete("cbr", &path).token(&reader).send()
    };
    // Permitted, but not there.
    delete(open).refused(404, "BackupService.6105");
    delete(closed).refused(403, "APIGW.0302");
    // Which vault is made is not in the path: doubt does not open.
    let make = cloud.post("cbr", &reader.at("/vaults")).token(&reader);
    make.json(&json!({})).send().refused(403, "APIGW.0302");
}

#[test]
fn an_auditor_reads_the_trail_of_its_project_and_a_reader_does_not() {
    let cloud = TestCloud::new();
    let auditor = cloud.tenant_as("ann", Role::Auditor);
    let reader = cloud.tenant_as("bob", Role::Reader);
    let path = auditor.at("/vaults/00000000-0000-4000-8000-000000000001");
    cloud
        .delete("cbr", &path)
        .token(&auditor)
        .send()
        .refused(403, "APIGW.0302");
    let trail = |who| {
        let ask = cloud.get("identity", "/native/v1/audit?limit=10");
        ask.token(who).send()
    };
    let own = trail(&auditor).is(200);
    assert_eq!(own.json["total"], 1);
    let record = &own.json["records"][0];
    assert_eq!(record["operation"], "cbr:vaults:delete");
    assert_eq!(record["outcome"], "403 APIGW.0302");
    assert_eq!(record["target"], path);
    assert_eq!(record["who"], auditor.user.id.to_string());
    trail(&reader).refused(403, "APIGW.0302");
    let report = cloud.cloud.identity.verify_audit(None).unwrap();
    assert_eq!(report.problems, [""; 0]);
    assert!(report.records >= 1);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again_and_others_are_served() {
    let cloud = TestCloud::limited(2);
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let list = |who: &Tenant| cloud.get("cbr", &who.at("/vaults")).token(who).send();
    for _ in 0..10 {
        list(&ann).is(200);
    }
    let refused = list(&ann).refused(429, "APIGW.0308");
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.json["request_id"].is_string());
    list(&bob).is(200);
    let identity = cloud.ask("identity", Method::GET, "/v3/auth/projects");
    let refused = identity.token(&ann).send().is(429);
    assert_eq!(refused.json["error"]["title"], "Too Many Requests");
    let native = cloud.get("identity", "/native/v1/resources");
    native.token(&ann).send().refused(429, "APIGW.0308");
    // Who is not let in does not count, and is not told.
    let stranger = cloud.get("cbr", &ann.at("/vaults")).send();
    stranger.refused(401, "APIGW.0301");
    cloud.clock.advance_seconds(1);
    list(&ann).is(200);
    list(&ann).is(200);
    list(&ann).refused(429, "APIGW.0308");
}
