//! What was proven is not proven again for each request; and whoever loses a right has lost it by
//! the very next one, whichever right it was and whoever took it.

use serde_json::json;
use strongroom_control::identity::{KeyStatus, Role};
use strongroom_model::AccessKeyId;

use crate::cloud::{Reply, Tenant, TestCloud};

/// How a tenant proves itself.
#[derive(Clone, Copy, PartialEq, Debug)]
enum By {
    Token,
    Signature,
}

/// A backup of the tenant's, whose address is asked for from now on.
fn backup_of(cloud: &TestCloud, tenant: &Tenant) -> String {
    let share = cloud.resource(tenant, "share", &format!("share-of-{}", tenant.user.name));
    let vault = cloud
        .post("cbr", &tenant.at("/vaults"))
        .token(tenant)
        .json(&json!({ "vault": {
            "name": "v", "resources": [{ "id": share, "type": "OS::Sfs::Turbo" }],
            "billing": { "consistent_level": "crash_consistent", "object_type": "turbo",
                         "protect_type": "backup", "size": 10 },
        } }))
        .send()
        .is(200)
        .text_at("/vault/id");
    cloud
        .post("cbr", &tenant.at("/checkpoints"))
        .token(tenant)
        .json(&json!({ "checkpoint": { "vault_id": vault, "parameters": { "name": "b" } } }))
        .send()
        .is(200);
    cloud.run();
    let listed = cloud
        .get("cbr", &tenant.at("/backups"))
        .token(tenant)
        .send()
        .is(200);
    tenant.at(&format!("/backups/{}", listed.text_at("/backups/0/id")))
}

fn show(cloud: &TestCloud, tenant: &Tenant, by: By, uri: &str) -> Reply {
    let ask = cloud.get("cbr", uri);
    match by {
        By::Token => ask.token(tenant).send(),
        By::Signature => ask.signed(tenant).send(),
    }
}

#[test]
fn a_backup_that_is_shown_again_costs_two_statements() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let uri = backup_of(&cloud, &tenant);
    for (by, statements) in [(By::Token, 2), (By::Signature, 3)] {
        let first = show(&cloud, &tenant, by, &uri).is(200);
        let before = cloud.catalog.statements();
        let again = show(&cloud, &tenant, by, &uri).is(200);
        assert_eq!(again.json, first.json);
        assert_eq!(cloud.catalog.statements() - before, statements, "{by:?}");
    }
}

/// A way to lose the right to look at a backup.
struct Loss {
    name: &'static str,
    /// How those may prove themselves whom it concerns.
    concerns: &'static [By],
    status: u16,
    happen: fn(&TestCloud, &Tenant),
}

const BOTH: &[By] = &[By::Token, By::Signature];
const DENY: &str = r#"{"Version": "1.1", "Statement": [
    {"Effect": "Deny", "Action": ["cbr:backups:get"]}]}"#;
const ALLOW: &str = r#"{"Version": "1.1", "Statement": [
    {"Effect": "Allow", "Action": ["cbr:vaults:*"]}]}"#;

const LOSSES: &[Loss] = &[
    Loss {
        name: "the token is revoked",
        concerns: &[By::Token],
        status: 401,
        happen: |cloud, tenant| {
            let identity = &cloud.cloud.identity;
            let session = identity.session(&tenant.token).unwrap();
            identity.revoke(&session, &tenant.token).unwrap();
        },
    },
    Loss {
        name: "the token's day is over",
        concerns: &[By::Token],
        status: 401,
        happen: |cloud, _| cloud.clock.advance_seconds(24 * 3600),
    },
    Loss {
        name: "the user is shut out",
        concerns: BOTH,
        status: 401,
        happen: |cloud, tenant| {
            let done = cloud.cloud.identity.enable_user(tenant.user.id, false);
            assert!(!done.unwrap().enabled);
        },
    },
    Loss {
        name: "the password is another one",
        concerns: &[By::Token],
        status: 401,
        happen: |cloud, tenant| {
            cloud.clock.advance_seconds(1);
            let password = "quite another password".to_owned().into();
            let identity = &cloud.cloud.identity;
            identity
                .set_password(tenant.user.id, Some(&password))
                .unwrap();
        },
    },
    Loss {
        name: "the role is taken",
        concerns: BOTH,
        status: 403,
        happen: take_role,
    },
    Loss {
        name: "a policy denies it",
        concerns: BOTH,
        status: 403,
        happen: |cloud, tenant| {
            let (identity, domain) = (&cloud.cloud.identity, cloud.first.domain.id);
            identity.put_policy(domain, "deny", DENY).unwrap();
            let project = Some(tenant.project.id);
            identity
                .grant_policy(tenant.user.id, project, "deny")
                .unwrap();
        },
    },
    Loss {
        name: "a policy that it had says something else",
        concerns: BOTH,
        status: 403,
        happen: |cloud, _| {
            let (identity, domain) = (&cloud.cloud.identity, cloud.first.domain.id);
            identity.put_policy(domain, "held", DENY).unwrap();
        },
    },
    Loss {
        name: "the project is closed",
        concerns: &[By::Token],
        status: 401,
        happen: close_project,
    },
    Loss {
        name: "the project is closed to whom signs",
        concerns: &[By::Signature],
        status: 403,
        happen: close_project,
    },
    Loss {
        name: "the key is deleted",
        concerns: &[By::Signature],
        status: 401,
        happen: |cloud, tenant| {
            let identity = &cloud.cloud.identity;
            let session = identity.session(&tenant.token).unwrap();
            let access = AccessKeyId(tenant.access.clone());
            identity.delete_key(&session, &access).unwrap();
        },
    },
    Loss {
        name: "the key is switched off",
        concerns: &[By::Signature],
        status: 401,
        happen: |cloud, tenant| {
            let identity = &cloud.cloud.identity;
            let session = identity.session(&tenant.token).unwrap();
            let access = AccessKeyId(tenant.access.clone());
            let off = Some(KeyStatus::Inactive);
            identity.update_key(&session, &access, off, None).unwrap();
        },
    },
];

fn take_role(cloud: &TestCloud, tenant: &Tenant) {
    let identity = &cloud.cloud.identity;
    identity
        .revoke_grant(tenant.user.id, tenant.project.id, Role::Member)
        .unwrap();
}

fn close_project(cloud: &TestCloud, tenant: &Tenant) {
    let done = cloud
        .cloud
        .identity
        .enable_project(tenant.project.id, false);
    assert!(!done.unwrap().enabled);
}

#[test]
fn whoever_loses_a_right_has_lost_it_by_the_very_next_request() {
    let cloud = TestCloud::new();
    let identity = &cloud.cloud.identity;
    identity
        .put_policy(cloud.first.domain.id, "held", ALLOW)
        .unwrap();
    let mut number = 0;
    for loss in LOSSES {
        for by in loss.concerns {
            number += 1;
            identity
                .put_policy(cloud.first.domain.id, "held", ALLOW)
                .unwrap();
            let tenant = cloud.tenant(&format!("t{number}"));
            identity
                .grant_policy(tenant.user.id, Some(tenant.project.id), "held")
                .unwrap();
            let uri = backup_of(&cloud, &tenant);
            show(&cloud, &tenant, *by, &uri).is(200);
            show(&cloud, &tenant, *by, &uri).is(200);
            (loss.happen)(&cloud, &tenant);
            let reply = show(&cloud, &tenant, *by, &uri);
            assert_eq!(
                reply.status.as_u16(),
                loss.status,
                "{} ({by:?}): {}",
                loss.name,
                reply.text
            );
        }
    }
}

#[test]
fn a_right_that_is_given_back_works_at_once_too() {
    let cloud = TestCloud::new();
    let tenant = cloud.tenant("ann");
    let uri = backup_of(&cloud, &tenant);
    let identity = &cloud.cloud.identity;
    for _ in 0..3 {
        show(&cloud, &tenant, By::Token, &uri).is(200);
        show(&cloud, &tenant, By::Signature, &uri).is(200);
        take_role(&cloud, &tenant);
        show(&cloud, &tenant, By::Token, &uri).is(401);
        show(&cloud, &tenant, By::Signature, &uri).is(403);
        identity
            .grant(tenant.user.id, tenant.project.id, Role::Member)
            .unwrap();
    }
}

#[test]
fn what_one_tenant_proved_is_worth_nothing_to_another() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let (of_ann, of_bob) = (backup_of(&cloud, &ann), backup_of(&cloud, &bob));
    for _ in 0..2 {
        for by in [By::Token, By::Signature] {
            show(&cloud, &ann, by, &of_ann).is(200);
            show(&cloud, &bob, by, &of_bob).is(200);
            show(&cloud, &bob, by, &of_ann).is(403);
            show(&cloud, &ann, by, &of_bob).is(403);
        }
    }
    // The scope that a signature asks for is part of what it proves.
    cloud
        .get("cbr", &ann.at("/vaults"))
        .header("x-project-id", &bob.project.id.to_string())
        .signed_with(&ann.access, &ann.secret)
        .send()
        .is(403);
    show(&cloud, &ann, By::Signature, &of_ann).is(200);
}
