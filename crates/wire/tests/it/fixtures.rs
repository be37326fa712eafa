//! Every documented example is read into our types and written back, field by field.
//!
//! Where an example contradicts its own table or the other examples, a [`Slip`] says what we
//! would answer instead, and why; everything else must come back exactly, nulls included.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use strongroom_wire::{Operation, cbr};

/// Where an example is not what we answer.
struct Slip {
    /// The field, as a JSON pointer.
    place: &'static str,
    /// What we answer there; nothing at all if `None`.
    ours: Option<Value>,
    /// Why.
    #[expect(dead_code, reason = "for the reader of the table")]
    why: &'static str,
}

fn ours(place: &'static str, value: Value, why: &'static str) -> Slip {
    Slip {
        place,
        ours: Some(value),
        why,
    }
}

fn left_out(place: &'static str, why: &'static str) -> Slip {
    Slip {
        place,
        ours: None,
        why,
    }
}

pub(crate) fn example(operation: &str, part: &str) -> Option<Value> {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.extend(["..", "..", "fixtures", "wire", "cbr", operation, part]);
    let bytes = fs::read(path.with_extension("json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// The reply that we give where the vendor's documents show `example`.
fn corrected(mut example: Value, slips: Vec<Slip>) -> Value {
    for slip in slips {
        let (parent, field) = slip.place.rsplit_once('/').unwrap();
        let parent = example
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap();
        let before = match slip.ours {
            Some(value) => parent.insert(field.to_owned(), value.clone()) != Some(value),
            None => parent.remove(field).is_some(),
        };
        assert!(before, "{} is no slip any more", slip.place);
    }
    example
}

fn reply<O: Operation>(slips: Vec<Slip>) -> Value {
    let example = example(O::NAME, "reply").unwrap();
    let expected = corrected(example, slips);
    let parsed: O::Reply = serde_json::from_value(expected.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
    assert_eq!(
        serde_json::to_value(&parsed).unwrap(),
        expected,
        "{}",
        O::NAME
    );
    expected
}

fn request<O: Operation>(slips: Vec<Slip>) {
    let example = example(O::NAME, "request").unwrap();
    let parsed: O::Body = serde_json::from_value(example.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
    let expected = corrected(example, slips);
    assert_eq!(
        serde_json::to_value(&parsed).unwrap(),
        expected,
        "{}",
        O::NAME
    );
}

/// Our answer to every operation that has a body, as the documents would show it.
#[expect(clippy::too_many_lines, reason = "a line for each operation")]
pub(crate) fn replies() -> Vec<(&'static str, Value)> {
    macro_rules! replies {
        ($($name:ident: $slips:expr,)+) => {
            vec![$((stringify!($name), reply::<cbr::$name>($slips))),+]
        };
    }
    let frozen = |place| ours(place, json!(null), "shown as null in the other examples");
    let rules = |place| ours(place, json!({}), "clients fail without the object");
    let auto_bind = "clients read it back, and the other examples show it";
    replies! {
        AddAgentPath: vec![],
        AddMember: vec![],
        AddVaultResource: vec![],
        AssociateVaultPolicy: vec![],
        BatchUpdateVault: vec![],
        ChangeOrder: vec![],
        ChangeVaultChargeMode: vec![],
        CheckAgent: vec![],
        CopyBackup: vec![],
        CopyCheckpoint: vec![],
        CreateCheckpoint: vec![],
        CreateOrganizationPolicy: vec![],
        CreatePolicy: vec![],
        CreatePostPaidVault: vec![],
        CreateVault: vec![
            frozen("/vault/billing/frozen_scene"),
            rules("/vault/bind_rules"),
        ],
        DisassociateVaultPolicy: vec![],
        ImportBackup: vec![],
        ImportCheckpoint: vec![],
        ListAgent: vec![],
        ListBackups: vec![],
        ListDomainProjects: vec![],
        ListExternalVault: vec![],
        ListFeatures: vec![],
        ListOpLogs: vec![],
        ListOrganizationPolicies: vec![],
        ListOrganizationPolicyDetail: vec![],
        ListPolicies: vec![],
        ListProjects: vec![],
        ListProtectable: vec![],
        ListVault: vec![],
        MigrateDomain: vec![],
        MigrateVaultResource: vec![],
        RegisterAgent: vec![],
        RemoveAgentPath: vec![],
        RemoveVaultResource: vec![],
        RestoreBackup: vec![],
        SetVaultResource: vec![],
        ShowAgent: vec![],
        ShowBackup: vec![],
        ShowCheckpoint: vec![],
        ShowDomain: vec![],
        ShowFeature: vec![],
        ShowMemberDetail: vec![],
        ShowMembersDetail: vec![],
        ShowMetadata: vec![],
        ShowMigrateStatus: vec![],
        ShowOpLog: vec![],
        ShowOrganizationPolicy: vec![],
        ShowPolicy: vec![],
        ShowProtectable: vec![],
        ShowReplicationCapabilities: vec![],
        ShowStorageUsage: vec![],
        ShowSummary: vec![],
        ShowVault: vec![],
        ShowVaultProjectTag: vec![
            ours("/tags/0/values", json!(["b"]), "the table says a list"),
            ours("/tags/1/values", json!(["string"]), "the table says a list"),
        ],
        ShowVaultResourceInstances: vec![
            left_out(
                "/resources/0/resource_detail/vault/billing/partner_bp_id",
                "in no table, and of no use but to resellers",
            ),
            ours("/resources/0/sys_tags", json!([]), "mandatory in the table"),
        ],
        ShowVaultTag: vec![],
        UpdateAgent: vec![],
        UpdateBackup: vec![left_out(
            "/backup/children/0/extend_info/app_consistency",
            "null in this example, left out in every other",
        )],
        UpdateExpirationTime: vec![],
        UpdateMemberStatus: vec![],
        UpdateOrder: vec![],
        UpdateOrganizationPolicy: vec![],
        UpdatePolicy: vec![],
        UpdateVault: vec![
            frozen("/vault/billing/frozen_scene"),
            rules("/vault/bind_rules"),
            ours("/vault/auto_bind", json!(false), auto_bind),
            ours("/vault/provider_id", json!("0daac4c5-6707-4851-97ba-169e36266b66"), "mandatory"),
        ],
        ListApiVersions: vec![],
        ShowApiVersion: vec![],
    }
}

#[test]
fn every_documented_reply_comes_back_field_by_field() {
    replies();
}

#[test]
fn the_seed_pages_example_needs_no_excuse() {
    let seed = reply::<cbr::ShowBackup>(vec![]);
    let backup = &seed["backup"];
    assert_eq!(backup["created_at"], "2019-05-10T07:59:12.084695");
    assert_eq!(backup["children"][0]["extend_info"]["encrypted"], true);
    for field in ["updated_at", "parent_id", "expired_at", "protected_at"] {
        assert_eq!(backup.get(field), Some(&Value::Null), "{field}");
    }
    assert!(backup["children"][0].get("enterprise_project_id").is_none());
}

#[test]
fn every_working_operation_with_a_reply_has_an_example() {
    let expected: Vec<_> = cbr::ALL
        .iter()
        .filter(|operation| operation.works() && operation.has_reply)
        .map(|operation| operation.name)
        .collect();
    let tested: Vec<_> = replies().into_iter().map(|(name, _)| name).collect();
    assert_eq!(tested, expected);
}

#[test]
fn documented_requests_come_back_without_what_only_orders_need() {
    let order = "concerns orders only: accepted, without effect";
    request::<cbr::AddAgentPath>(vec![]);
    request::<cbr::AddMember>(vec![]);
    request::<cbr::AddVaultResource>(vec![]);
    request::<cbr::AssociateVaultPolicy>(vec![]);
    request::<cbr::BatchCreateAndDeleteVaultTags>(vec![]);
    request::<cbr::BatchUpdateVault>(vec![]);
    request::<cbr::ChangeOrder>(vec![]);
    request::<cbr::ChangeVaultChargeMode>(vec![
        left_out("/console_url", order),
        left_out("/is_auto_pay", order),
        left_out("/is_auto_renew", order),
    ]);
    request::<cbr::CheckAgent>(vec![]);
    request::<cbr::CreatePostPaidVault>(vec![
        left_out("/vault/billing/period_num", order),
        left_out("/vault/billing/period_type", order),
    ]);
    request::<cbr::CreateCheckpoint>(vec![]);
    request::<cbr::CreatePolicy>(vec![]);
    request::<cbr::CreateVault>(vec![
        left_out("/vault/billing/console_url", order),
        left_out("/vault/billing/is_auto_pay", order),
        left_out("/vault/billing/is_auto_renew", order),
    ]);
    request::<cbr::CreateVaultTags>(vec![]);
    request::<cbr::MigrateDomain>(vec![]);
    request::<cbr::MigrateVaultResource>(vec![]);
    request::<cbr::RegisterAgent>(vec![]);
    request::<cbr::CopyBackup>(vec![]);
    request::<cbr::CopyCheckpoint>(vec![]);
    request::<cbr::ImportBackup>(vec![]);
    request::<cbr::ImportCheckpoint>(vec![]);
    request::<cbr::RemoveVaultResource>(vec![]);
    request::<cbr::DisassociateVaultPolicy>(vec![]);
    request::<cbr::RestoreBackup>(vec![]);
    request::<cbr::SetVaultResource>(vec![]);
    request::<cbr::UpdateAgent>(vec![]);
    request::<cbr::UpdateBackup>(vec![]);
    request::<cbr::UpdateMemberStatus>(vec![]);
    request::<cbr::CreateOrganizationPolicy>(vec![]);
    request::<cbr::UpdateOrganizationPolicy>(vec![]);
    request::<cbr::UpdateExpirationTime>(vec![]);
    request::<cbr::UpdatePolicy>(vec![]);
    request::<cbr::UpdateVault>(vec![]);
}

fn refused<O: Operation>(body: Value, expected: &str) {
    let error = serde_json::from_value::<O::Body>(body)
        .err()
        .map(|error| error.to_string());
    let error = error.unwrap_or_else(|| panic!("{} took it", O::NAME));
    assert!(error.contains(expected), "{error}");
}

#[test]
fn unknown_words_wrong_types_and_missing_fields_are_refused_with_a_reason() {
    let vault = |billing: Value, more: Value| {
        let mut vault = json!({"name": "v", "resources": [], "billing": {
            "consistent_level": "crash_consistent", "object_type": "turbo",
            "protect_type": "backup", "size": 100,
        }});
        vault["billing"]
            .as_object_mut()
            .unwrap()
            .extend(billing.as_object().unwrap().clone());
        vault
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "vault": vault })
    };
    let good = vault(json!({}), json!({"nonsense": [1]}));
    assert!(serde_json::from_value::<cbr::vault::CreateVaultRequest>(good).is_ok());
    let null = vault(json!({}), json!({"resources": null}));
    assert!(serde_json::from_value::<cbr::vault::CreateVaultRequest>(null).is_ok());
    let known = "unknown object type \"tape\": expected server, disk, turbo";
    refused::<cbr::CreateVault>(vault(json!({"object_type": "tape"}), json!({})), known);
    refused::<cbr::CreateVault>(vault(json!({"size": "100"}), json!({})), "expected u64");
    refused::<cbr::CreateVault>(vault(json!({"size": -1}), json!({})), "expected u64");
    refused::<cbr::CreateVault>(
        vault(json!({}), json!({"name": "a b"})),
        "name must have 1 to 64",
    );
    refused::<cbr::CreateVault>(vault(json!({}), json!({"auto_bind": "false"})), "a boolean");
    refused::<cbr::CreateVault>(json!({"vault": {"name": "v"}}), "missing field `billing`");
    refused::<cbr::CreateVault>(json!([]), "expected");
    refused::<cbr::CreateVaultTags>(json!({"tag": {"key": "a=b", "value": ""}}), "tag key must");
    refused::<cbr::BatchCreateAndDeleteVaultTags>(json!({"action": "keep"}), "create, delete");
    let resource = json!({"resources": [{"id": "x", "type": "OS::Tape"}]});
    refused::<cbr::AddVaultResource>(resource, "unknown resource type \"OS::Tape\"");
}

#[test]
fn clients_may_send_null_for_what_they_do_not_say() {
    let body = json!({"restore": {
        "mappings": null, "power_on": null, "server_id": null, "volume_id": null,
        "resource_id": "r", "details": null,
    }});
    let restore: cbr::backup::RestoreBackupRequest = serde_json::from_value(body).unwrap();
    assert_eq!(restore.restore.resource_id.as_deref(), Some("r"));
    let body = json!({"action": "filter", "limit": "10", "offset": 20, "tags": null});
    let search: cbr::tag::SearchVaultsRequest = serde_json::from_value(body).unwrap();
    assert_eq!(
        (search.limit.unwrap().0, search.offset.unwrap().0),
        (10, 20)
    );
}
