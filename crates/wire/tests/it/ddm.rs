//! DDM's documents: every reply of ours in the documented shape, read and written back unchanged,
//! and held against the vendor's published definitions.
//!
//! `ListBackups` and `ShowBackup` are the examples of the vendor's pages, character for character.
//! Of the other operations the published examples contradict their own tables in many places, or
//! there is none; their fixtures are the examples with what the tables add (docs/ddm.md, "Where the
//! vendor's documents contradict themselves").

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use strongroom_wire::{
    Operation, Service, ddm,
    definitions::{check_of, is_published_of},
};

fn example(operation: &str, part: &str) -> Option<Value> {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.extend(["..", "..", "fixtures", "wire", "ddm", operation, part]);
    let bytes = fs::read(path.with_extension("json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// Reads the operation's fixtures as its types and expects the same when they are written.
fn both_ways<O: Operation>() -> &'static str {
    if O::HAS_REPLY {
        let reply = example(O::NAME, "reply").unwrap_or_else(|| panic!("{}: no reply", O::NAME));
        let read: O::Reply = serde_json::from_value(reply.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
        assert_eq!(serde_json::to_value(&read).unwrap(), reply, "{}", O::NAME);
    }
    if O::HAS_BODY {
        let request =
            example(O::NAME, "request").unwrap_or_else(|| panic!("{}: no request", O::NAME));
        let read: O::Body = serde_json::from_value(request.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
        assert_eq!(serde_json::to_value(&read).unwrap(), request, "{}", O::NAME);
    }
    O::NAME
}

macro_rules! every {
    ($($name:ident)+) => {
        [$(both_ways::<ddm::$name>()),+]
    };
}

#[test]
fn every_document_is_read_and_written_back_field_by_field() {
    let known = every! {
        ListBackups DeleteBackup ShowBackup ShowRelatedDns ShowAvalibleRds ShowAvalibleDdms
        ShowAvalibleTime Restore2Exist ListDdmFlavors ListFlavors
        RestoreMetadata ListTasks ShowDdmJobResult ListInstances ListDdms ShowInstance
        ShowDdmDetail DeleteInstance DeleteDdmInstance ListNodes ShowNode ShowDdmNodeDetail
        ListDatabases ShowDatabase ShowInstanceDatabase CreateDdmDatabase DeleteDdmDatabase
        DownloadSchemaMetadata UploadSchemaMetadata ListDdmEngines ListEngines ListApiVersion
        ListAvailableRds SyncDnInformation CheckDataNodeConnection UpdateDdmInstanceName
        ListDdmUsers ListInstanceTags ListProjectTags BatchCreateTags BatchDeleteTags UpdateTag
    };
    let working: BTreeSet<_> = ddm::ALL
        .iter()
        .filter(|operation| operation.works())
        .map(|operation| operation.name)
        .collect();
    assert_eq!(working, BTreeSet::from(known));
}

/// Statuses of success that the definitions have otherwise: a GET is 200 and an order of a job 202,
/// as T Cloud Public's pages say.
const OTHER_STATUS: &[&str] = &[
    "DownloadSchemaMetadata",
    "ShowInstanceDatabase",
    "UploadSchemaMetadata",
];

#[test]
fn our_replies_are_what_the_definitions_say() {
    let (mut checked, mut found) = (0, Vec::new());
    for operation in ddm::ALL.iter().filter(|operation| operation.works()) {
        let Some(reply) = example(operation.name, "reply").filter(|_| operation.has_reply) else {
            continue;
        };
        if !is_published_of(Service::Ddm, operation.name) {
            continue;
        }
        let status = match (OTHER_STATUS.contains(&operation.name), operation.success) {
            (true, 200) => 202,
            (true, 202) => 200,
            (_, status) => status,
        };
        if let Err(problems) = check_of(Service::Ddm, operation.name, status, &reply) {
            found.extend(
                problems
                    .into_iter()
                    .map(|one| format!("{}{one}", operation.name)),
            );
        }
        checked += 1;
    }
    assert_eq!(found, [""; 0]);
    assert!(checked > 25, "{checked}");
}

#[test]
fn times_in_milliseconds_are_whole_and_of_our_era() {
    use strongroom_wire::query::QueryValue as _;
    assert_eq!(
        ddm::Millis::parse("1747734040000").unwrap().0,
        1_747_734_040_000
    );
    assert_eq!(ddm::Millis::parse("5.0").unwrap().0, 5);
    for bad in ["", "-1", "1e3", "yesterday", "999999999999999999"] {
        assert!(ddm::Millis::parse(bad).is_err(), "{bad}");
    }
}
