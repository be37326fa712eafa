//! Nothing is lost by mistake, over HTTP: plans, the trash, locks and guards, the look ahead; and
//! the vendor's call that moves the day on which backups end.

use serde_json::{Value, json};

use crate::{
    cbr::{add, checkpoint, make_vault},
    cloud::{Reply, Tenant, TestCloud},
};

const MISSING: &str = "00000000-0000-4000-8000-000000000000";

fn native(cloud: &TestCloud, who: &Tenant, rest: &str) -> Reply {
    let uri = format!("/native/v1{rest}");
    cloud.get("identity", &uri).token(who).send()
}

fn order(cloud: &TestCloud, who: &Tenant, rest: &str, body: &Value) -> Reply {
    let uri = format!("/native/v1{rest}");
    cloud.post("identity", &uri).token(who).json(body).send()
}

fn change(cloud: &TestCloud, who: &Tenant, vault: &str, body: &Value) -> Reply {
    let uri = format!("/native/v1/vaults/{vault}/safety");
    cloud.put("identity", &uri).token(who).json(body).send()
}

fn cbr(cloud: &TestCloud, who: &Tenant, rest: &str) -> Reply {
    cloud.get("cbr", &who.at(rest)).token(who).send()
}

fn expire(cloud: &TestCloud, who: &Tenant, vault: &str, day: &str) -> Reply {
    let uri = who.at(&format!("/vaults/{vault}/update-backup-expiration-time"));
    let body = json!({ "expect_expiration_date": day, "time_zone": "UTC+08:00" });
    cloud.put("cbr", &uri).token(who).json(&body).send()
}

/// A share in a vault with one backup: vault and backup.
fn protected(cloud: &TestCloud, who: &Tenant) -> (String, String) {
    let share = cloud.resource(who, "share", &format!("of-{}", who.user.name));
    let vault = make_vault(cloud, who, "v", "turbo");
    add(cloud, who, &vault, &share, "OS::Sfs::Turbo").is(200);
    checkpoint(cloud, who, &vault, &json!({ "name": "first" })).is(200);
    cloud.run();
    let backup = cbr(cloud, who, "/backups").is(200).text_at("/backups/0/id");
    (vault, backup)
}

#[test]
fn in_a_guarded_vault_a_deletion_needs_the_token_of_its_plan_and_can_be_undone() {
    let cloud = TestCloud::new();
    let (ann, eve) = (cloud.tenant("ann"), cloud.tenant("eve"));
    let (vault, backup) = protected(&cloud, &ann);
    let safety = format!("/vaults/{vault}/safety");
    let loose = json!({
        "locked": false, "locks_manual": false, "guarded": false, "grace_days": 0,
    });
    assert_eq!(native(&cloud, &ann, &safety).is(200).json, loose);
    let guarded = change(&cloud, &ann, &vault, &json!({ "guarded": true })).is(200);
    assert_eq!(guarded.json["guarded"], true);
    assert_eq!(guarded.json["grace_days"], 7);

    // The vendor's call is refused in its own words, and nothing happens.
    let path = ann.at(&format!("/backups/{backup}"));
    let refused = cloud.delete("cbr", &path).token(&ann).send();
    refused.refused(400, "BackupService.6201");
    let deed = json!({ "delete_backup": { "backup_id": backup } });
    let plan = order(&cloud, &ann, "/plans", &deed).is(200);
    assert_eq!(plan.json["goes"][0]["backup_id"], json!(backup));
    assert_eq!(plan.json["last_copies"].as_array().unwrap().len(), 1);
    assert_eq!(plan.json["guarded"], true);
    assert_eq!(plan.json["refused"], Value::Null);
    let token = plan.text_at("/token");
    order(&cloud, &eve, "/plans", &deed).refused(404, "BackupService.6200");
    let carry = |who: &Tenant, token: &str| order(&cloud, who, &format!("/plans/{token}"), &deed);
    carry(&ann, "0123").refused(400, "BackupService.6201");
    carry(&eve, &token).refused(404, "BackupService.6200");
    carry(&ann, &token).is(202);
    cloud.run();
    cbr(&cloud, &ann, &format!("/backups/{backup}")).refused(404, "BackupService.6200");

    let trash = native(&cloud, &ann, "/trash").is(200);
    assert_eq!(trash.json["backups"][0]["id"], json!(backup));
    let others = native(&cloud, &eve, "/trash").is(200);
    assert_eq!(others.json, json!({ "backups": [], "vaults": [] }));
    let undelete = format!("/trash/backups/{backup}/undelete");
    order(&cloud, &eve, &undelete, &json!({})).refused(404, "BackupService.6200");
    order(&cloud, &ann, &undelete, &json!({})).is(204);
    order(&cloud, &ann, &undelete, &json!({})).refused(404, "BackupService.6200");
    cbr(&cloud, &ann, &format!("/backups/{backup}")).is(200);
}

#[test]
fn a_vault_comes_back_from_the_trash_until_its_time_is_over() {
    let cloud = TestCloud::new();
    let (ann, eve, operator) = (cloud.tenant("ann"), cloud.tenant("eve"), cloud.operator());
    let (vault, _) = protected(&cloud, &ann);
    let grace = |who: &Tenant, days: &Value| {
        let ask = cloud.put("identity", "/native/v1/grace").token(who);
        ask.json(&json!({ "grace_days": days })).send()
    };
    grace(&ann, &json!(2)).refused(403, "APIGW.0302");
    grace(&operator, &json!(366)).refused(400, "BackupService.9900");
    grace(&operator, &json!(-1)).is(400);
    assert_eq!(grace(&operator, &json!(2)).is(200).json["grace_days"], 2);

    let before = cbr(&cloud, &ann, &format!("/vaults/{vault}")).is(200).json;
    let path = ann.at(&format!("/vaults/{vault}"));
    cloud.delete("cbr", &path).token(&ann).send().is(204);
    cloud.run();
    cbr(&cloud, &ann, &format!("/vaults/{vault}")).refused(404, "BackupService.6105");
    let trash = native(&cloud, &ann, "/trash").is(200);
    assert_eq!(trash.json["vaults"][0]["backups"], 1);
    let undelete = format!("/trash/vaults/{vault}/undelete");
    order(&cloud, &eve, &undelete, &json!({})).refused(404, "BackupService.6105");
    order(&cloud, &ann, &undelete, &json!({})).is(204);
    let after = cbr(&cloud, &ann, &format!("/vaults/{vault}")).is(200).json;
    assert_eq!(after["vault"]["resources"], before["vault"]["resources"]);

    cloud.delete("cbr", &path).token(&ann).send().is(204);
    cloud.clock.advance_seconds(2 * 86_400);
    let fresh = cloud.sign_in("ann", "password of ann", &ann.project.id.to_string());
    let ann = Tenant {
        token: fresh,
        ..ann
    };
    cloud.cloud.control.purge_trash().unwrap();
    order(&cloud, &ann, &undelete, &json!({})).refused(400, "BackupService.6201");
    cloud.run();
    order(&cloud, &ann, &undelete, &json!({})).refused(404, "BackupService.6105");
}

#[test]
fn care_grows_by_anybodys_word_and_shrinks_by_an_operators_but_a_lock_stays() {
    let cloud = TestCloud::new();
    let (ann, eve) = (cloud.tenant("ann"), cloud.tenant("eve"));
    let (vault, _) = protected(&cloud, &ann);
    for body in [
        json!({ "grace_days": 366 }),
        json!({ "guarded": "yes" }),
        json!({ "unlock": true }),
    ] {
        change(&cloud, &ann, &vault, &body).is(400);
    }
    change(&cloud, &eve, &vault, &json!({ "guarded": true })).refused(404, "BackupService.6105");
    change(&cloud, &ann, MISSING, &json!({ "guarded": true })).refused(404, "BackupService.6105");
    native(&cloud, &eve, &format!("/vaults/{vault}/safety")).refused(404, "BackupService.6105");
    let careful = json!({
        "locked": true, "locks_manual": true, "guarded": true, "grace_days": 30,
    });
    assert_eq!(change(&cloud, &ann, &vault, &careful).is(200).json, careful);
    for body in [json!({ "guarded": false }), json!({ "grace_days": 29 })] {
        change(&cloud, &ann, &vault, &body).is(403);
    }
    for body in [json!({ "locked": false }), json!({ "locks_manual": false })] {
        change(&cloud, &ann, &vault, &body).refused(400, "BackupService.6110");
    }
    let shown = native(&cloud, &ann, &format!("/vaults/{vault}/safety"));
    assert_eq!(shown.is(200).json, careful);
    // A plan says beforehand that it would be refused, and why.
    let deed = json!({ "delete_vault": { "vault_id": vault } });
    let plan = order(&cloud, &ann, "/plans", &deed).is(200);
    assert!(plan.text_at("/refused").contains("locked"), "{}", plan.text);
    let token = plan.text_at("/token");
    let carried = order(&cloud, &ann, &format!("/plans/{token}"), &deed);
    carried.refused(400, "BackupService.6111");
}

#[test]
fn the_day_on_which_backups_end_is_moved_and_foretold() {
    let cloud = TestCloud::new();
    let (ann, eve) = (cloud.tenant("ann"), cloud.tenant("eve"));
    let (vault, backup) = protected(&cloud, &ann);
    let look = |who: &Tenant, query: &str| {
        native(
            &cloud,
            who,
            &format!("/vaults/{vault}/retention-preview{query}"),
        )
    };
    let forever = look(&ann, "").is(200);
    assert_eq!(forever.json["exist"], 1);
    assert_eq!(
        forever.json["backups"][0]["because"],
        json!([{ "ground": "forever" }])
    );

    let moved = expire(&cloud, &ann, &vault, "2999-01-31").is(200);
    assert_eq!(moved.json["affected_backups_count"], 1);
    assert_eq!(moved.json["new_expiration_day"], "2999-01-31");
    let task = moved.text_at("/operation_log_id");
    let log = cbr(&cloud, &ann, &format!("/operation-logs/{task}")).is(200);
    let said = json!({ "affected_backups_count": 1, "expiration_day": "2999-01-31" });
    assert_eq!(
        log.json["operation_log"]["extra_info"]["update_expiration_time"],
        said
    );
    assert_eq!(log.json["operation_log"]["status"], "success");
    let shown = cbr(&cloud, &ann, &format!("/backups/{backup}")).is(200);
    // The day ends eight hours earlier in the east.
    assert_eq!(
        shown.json["backup"]["expired_at"],
        "2999-01-31T16:00:00.000000"
    );
    let goes = look(&ann, "?day=2999-02-01").is(200);
    assert_eq!(
        (&goes.json["exist"], &goes.json["go"]),
        (&json!(0), &json!(1))
    );
    let one = &goes.json["backups"][0];
    assert_eq!(one["backup_id"], json!(backup));
    assert_eq!(one["goes_at"], "2999-01-31T16:00:00.000000");
    assert_eq!(one["because"][0]["ground"], "expired");
    assert_eq!(look(&ann, "?day=2999-01-30").is(200).json["exist"], 1);

    for day in ["2001-01-01", "2999-02-30", "soon", ""] {
        expire(&cloud, &ann, &vault, day).refused(400, "BackupService.9900");
    }
    expire(&cloud, &eve, &vault, "2999-01-31").refused(404, "BackupService.6105");
    look(&eve, "").refused(404, "BackupService.6105");
    for query in ["?day=2001-01-01", "?day=x", "?policy_id=x"] {
        look(&ann, query).refused(400, "BackupService.9900");
    }
    look(&ann, &format!("?policy_id={MISSING}")).refused(404, "BackupService.6000");
    change(
        &cloud,
        &ann,
        &vault,
        &json!({ "locked": true, "locks_manual": true }),
    )
    .is(200);
    expire(&cloud, &ann, &vault, "2998-01-31").refused(400, "BackupService.6220");
    expire(&cloud, &ann, &vault, "2999-02-28").is(200);
}
