//! DDM's documents: every reply of ours in the documented shape, read and written back unchanged,
//! and held against the vendor's published definitions.
//!
//! `ListBackups` and `ShowBackup` are the examples of the vendor's pages, character for character.
//! Of the other operations the published examples contradict their own tables in many places, or
//! there is none; their fixtures are the examples with what the tables add (docs/ddm.md, "Where the
//! vendor's documents contradict themselves").

use std::collections::BTreeSet;

use strongroom_wire::{OperationInfo, Service, ddm};

use crate::examples::{both_ways, check_replies};

macro_rules! every {
    ($($name:ident)+) => {
        [$(both_ways::<ddm::$name>(Service::Ddm)),+]
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
    let status = |operation: &OperationInfo| match (
        OTHER_STATUS.contains(&operation.name),
        operation.success,
    ) {
        (true, 200) => 202,
        (true, 202) => 200,
        (_, status) => status,
    };
    let checked = check_replies(Service::Ddm, ddm::ALL, status);
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
