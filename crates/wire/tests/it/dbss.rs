//! DBSS's documents: every reply of ours in the documented shape, read and written back unchanged,
//! and held against the vendor's published definitions where there are any.
//!
//! `ShowAuditBackupStatus` is the example of the vendor's page, character for character. The other
//! fixtures are made after the SDK's models: for most operations no example is published, and where
//! one is it shows a cloud's machine where there is a directory here (docs/dbss.md).

use std::collections::BTreeSet;

use serde_json::json;
use strongroom_wire::{
    OperationInfo, Service, dbss,
    dbss::{Number, NumberText, backup::ListBackupsRequest},
};

use crate::examples::{both_ways, check_replies, example};

macro_rules! every {
    ($($name:ident)+) => {
        [$(both_ways::<dbss::$name>(Service::Dbss)),+]
    };
}

#[test]
fn every_document_is_read_and_written_back_field_by_field() {
    let known = every! {
        ShowAuditBackupStatus ListAuditBackupInfo DeleteAuditBackupTask RestoreAuditBackup
        RetryAuditBackupTask SetAuditAutoBackupTemplate SetAuditBackupSwitch
        ListAuditBackupRiskTemplates ShowAuditBackRiskTemplate ShowBackupRiskBucketPath
        SetAuditBackupRiskSwitch UpdateAuditRiskBucketPath ListAuditObsBuckets ListAuditInstances
        ListAuditInstancesNew ListAuditInstancesLast ListAuditInstanceJobs
        ListAuditInstanceJobsNew ShowAuditQuota ShowAuditQuotaNew ShowLogRetentionCommonSettings
        UpdateLogRetentionCommonSettings ShowServerVersion ListAuditDatabases
        ListAuditDatabasesNew ListAuditOperateLogs ListAuditOperateLogsNew ListAuditSqls
        ListAuditSqlsNew ShowSqlDetail SetAuditInstanceTimeZone RebootAuditInstanceNew
        StartAuditInstanceNew StopAuditInstanceNew UpdateAuditInstanceNew DeleteInstancesNew
        ListAvailabilityZoneInfosNew ListAuditSummaryInfos BatchAddResourceTag
        BatchDeleteResourceTag CountResourceInstanceByTag ListAuditTags ListProjectResourceTags
        ListResourceInstanceByTag ShowAuditTaskStatus UpdateAuditTaskStatus
        ShowAuditUpgradeStatus ShowInstanceMonitorInfo
    };
    let working: BTreeSet<_> = dbss::ALL
        .iter()
        .filter(|operation| operation.works())
        .map(|operation| operation.name)
        .collect();
    assert_eq!(working, BTreeSet::from(known));
}

#[test]
fn our_replies_are_what_the_definitions_say() {
    let checked = check_replies(Service::Dbss, dbss::ALL, |operation| operation.success);
    assert!(checked > 20, "{checked}");
}

#[test]
fn an_order_that_was_taken_is_answered_with_a_body() {
    let order = |operation: &&OperationInfo| operation.name == "RestoreAuditBackup";
    assert!(dbss::ALL.iter().find(order).unwrap().has_reply);
    for operation in dbss::ALL.iter().filter(|operation| operation.works()) {
        // The SDK's model of the answer to a new count has no fields.
        let empty = operation.success == 204 || operation.name == "UpdateAuditTaskStatus";
        assert_eq!(operation.has_reply, !empty, "{}", operation.name);
    }
}

#[test]
fn the_status_is_the_example_of_the_vendors_page() {
    let shown = example(Service::Dbss, "ShowAuditBackupStatus", "reply").unwrap();
    assert_eq!(shown, json!({"status": 1}));
}

#[test]
fn numbers_of_pages_come_as_numbers_and_as_text() {
    let request = json!({"page": "2", "size": 10, "start_time": "2025-09-10T12:00:00"});
    let read: ListBackupsRequest = serde_json::from_value(request).unwrap();
    assert_eq!((read.page, read.size), (Number(2), Number(10)));
    // The SDK writes a T where the documents have a blank.
    let time = read.start_time.unwrap();
    assert_eq!(serde_json::to_value(time).unwrap(), "2025-09-10 12:00:00");
    assert_eq!(serde_json::to_value(NumberText(7)).unwrap(), "7");
    for bad in [json!(-1), json!("abc"), json!(1.5), json!(null), json!("")] {
        assert!(
            serde_json::from_value::<Number>(bad.clone()).is_err(),
            "{bad}"
        );
    }
}
