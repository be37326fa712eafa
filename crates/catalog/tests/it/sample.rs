//! One row of every table, always the same, with every field set to something telling.

use std::fmt::Debug;

use serde_json::json;
use strongroom_catalog::{
    AccessKeyRow, AuditRow, BackupCheckRow, BackupFilter, BackupRow, Catalog, CheckpointRow,
    DataNodeName, DataNodeRow, DbssBackupRow, DbssInstanceRow, DbssTagRow, DbssTaskRow,
    DdmBackupRow, DdmInstanceRow, DdmTagRow, DdmTaskRow, DepotRow, GrantRow, Json, KeyStatus,
    LogGap, OperationLogFilter, OperationLogRow, OperationType, Page, PolicyRow, PolicyType,
    ReplicationRow, ReplicationStatus, RepositoryRow, ResourceFilter, ResourceRow, ResourceTagRow,
    Result, Seal, Sealed, TagRow, TokenRow, TokenScope, Tx, VaultCheckRow, VaultFilter,
    VaultPolicyRow, VaultResourceRow, VaultRow,
    jobs::WithEnded,
    policies::{Outcome, RunRow, ScheduledBackupRow},
};
use strongroom_jobs::NewJob;
use strongroom_model::{
    AccessKeyId, BackupId, Bytes, CheckpointId, DataNodeId, DbssBackupId, DbssInstanceId,
    DdmBackupId, DdmInstanceId, GiB, JobId, OperationLogId, PolicyId, ProjectId, ReplicationId,
    ResourceId, ResourceKind, VaultId,
    state::{
        BackupStatus, CheckpointStatus, DbssInstanceStatus, DbssProgress, DbssTaskStatus,
        DdmBackupStatus, DdmInstanceStatus, DdmTaskStatus, ProtectStatus, TaskStatus, VaultStatus,
    },
};

use crate::backends::{Tenants, at};

pub(crate) const VAULT: VaultId = VaultId::from_bytes([0x11; 16]);
pub(crate) const RESOURCE: ResourceId = ResourceId::from_bytes([0x22; 16]);
pub(crate) const CHECKPOINT: CheckpointId = CheckpointId::from_bytes([0x33; 16]);
pub(crate) const BACKUP: BackupId = BackupId::from_bytes([0x44; 16]);
pub(crate) const LOG: OperationLogId = OperationLogId::from_bytes([0x55; 16]);
pub(crate) const POLICY: PolicyId = PolicyId::from_bytes([0x77; 16]);
pub(crate) const REPLICATION: ReplicationId = ReplicationId::from_bytes([0x88; 16]);
pub(crate) const JOB: JobId = JobId::from_bytes([0x66; 16]);
pub(crate) const INSTANCE: DdmInstanceId = DdmInstanceId::from_bytes([0x88; 16]);
pub(crate) const NODE: DataNodeId = DataNodeId::from_bytes([0x99; 16]);
pub(crate) const LOGS: DbssInstanceId = DbssInstanceId::from_bytes([0xbb; 16]);
pub(crate) const LOG_BACKUP: DbssBackupId = DbssBackupId::from_bytes([0xcc; 16]);
pub(crate) const METADATA: DdmBackupId = DdmBackupId::from_bytes([0xaa; 16]);
/// A sealed key that can be looked for in files.
pub(crate) const KEY: &[u8] = b"a sealed key that must not be found again";

pub(crate) fn resource(project: ProjectId) -> ResourceRow {
    ResourceRow {
        id: RESOURCE,
        project_id: project,
        kind: ResourceKind::Share,
        name: "données".into(),
        path: b"/srv/\xff\xfe not text".to_vec(),
        size_bytes: Bytes(1 << 40),
        created_at: at(1),
        removed_at: None,
    }
}

pub(crate) fn vault(project: ProjectId) -> VaultRow {
    VaultRow {
        id: VAULT,
        project_id: project,
        user_id: strongroom_model::UserId::from_bytes([7; 16]),
        name: "vault".into(),
        description: Some(String::new()),
        status: VaultStatus::Available,
        size_gib: GiB(100),
        used_bytes: Bytes(u64::from(u32::MAX) * 3),
        object_type: "turbo".into(),
        protect_type: "backup".into(),
        consistent_level: "crash_consistent".into(),
        cloud_type: "public".into(),
        charging_mode: "post_paid".into(),
        is_multi_az: false,
        auto_bind: true,
        bind_rules: Json(Some(json!({"tags": [{"key": "a", "value": "b"}]}))),
        auto_expand: false,
        threshold: 80,
        smn_notify: true,
        locked: false,
        backup_name_prefix: None,
        demand_billing: false,
        enterprise_project_id: "0".into(),
        availability_zone: None,
        data_key_sealed: Sealed(KEY.to_vec()),
        created_at: at(2),
        updated_at: at(2),
        region: None,
    }
}

pub(crate) fn place(project: ProjectId) -> VaultResourceRow {
    VaultResourceRow {
        project_id: project,
        vault_id: VAULT,
        resource_id: RESOURCE,
        protect_status: ProtectStatus::Available,
        extra_info: Json(json!({"exclude_volumes": []})),
        backup_size_bytes: Bytes(5),
        backup_count: 1,
        added_at: at(3),
        auto_protect: true,
    }
}

pub(crate) fn checkpoint(project: ProjectId) -> CheckpointRow {
    CheckpointRow {
        id: CHECKPOINT,
        project_id: project,
        vault_id: VAULT,
        status: CheckpointStatus::Protecting,
        name: "manualbk_1a2b".into(),
        description: None,
        retention_days: Some(30),
        skipped: Json(json!([{"id": "x", "code": "BackupService.6215"}])),
        incremental_asked: true,
        auto_trigger: false,
        created_at: at(4),
        updated_at: at(4),
    }
}

pub(crate) fn backup(project: ProjectId) -> BackupRow {
    BackupRow {
        id: BACKUP,
        project_id: project,
        vault_id: VAULT,
        checkpoint_id: CHECKPOINT,
        resource_id: RESOURCE,
        resource_name: "données".into(),
        kind: ResourceKind::Share,
        resource_size_bytes: Bytes(1 << 40),
        name: "manualbk_1a2b".into(),
        description: Some("before the move".into()),
        status: BackupStatus::Available,
        incremental_asked: true,
        incremental: false,
        parent_id: None,
        manifest_id: Some("00ff".into()),
        stored_bytes: Bytes(1),
        unique_bytes: Bytes(2),
        logical_bytes: Bytes(3),
        items: 4,
        problems: Json(vec![json!({"path": "/srv/a", "reason": "vanished"})]),
        fail_reason: None,
        auto_trigger: false,
        created_at: at(5),
        updated_at: at(6),
        protected_at: Some(at(6)),
        expired_at: Some(at(7)),
        replica_of: None,
    }
}

pub(crate) fn log(project: ProjectId) -> OperationLogRow {
    OperationLogRow {
        id: LOG,
        project_id: project,
        vault_id: Some(VAULT),
        vault_name: Some("vault".into()),
        checkpoint_id: Some(CHECKPOINT),
        backup_id: Some(BACKUP),
        resource_id: Some(RESOURCE),
        resource_name: Some("données".into()),
        resource_kind: Some(ResourceKind::Share),
        operation_type: OperationType::Backup,
        status: TaskStatus::Waiting,
        progress: 0,
        error_code: None,
        error_message: None,
        job_id: Some(JOB),
        request_id: "req-1".into(),
        extra: Json(json!({"common": {"progress": 0}})),
        created_at: at(5),
        started_at: None,
        ended_at: None,
        updated_at: at(5),
    }
}

pub(crate) fn repository(project: ProjectId) -> RepositoryRow {
    RepositoryRow {
        vault_id: VAULT,
        project_id: project,
        created_at: at(5),
        stored_bytes: Bytes(9),
        last_collect_at: None,
        last_check_at: Some(at(8)),
        check_problems: Json(vec!["pack 00 is missing".into()]),
    }
}

pub(crate) fn tag(project: ProjectId) -> TagRow {
    TagRow {
        project_id: project,
        vault_id: VAULT,
        key: "env".into(),
        value: "prod".into(),
    }
}

pub(crate) fn access_key(tenants: &Tenants) -> AccessKeyRow {
    AccessKeyRow {
        access: AccessKeyId("ABCDEFGHIJKLMNOPQRST".into()),
        user_id: tenants.user,
        secret_sealed: Sealed(vec![1, 2, 3]),
        status: KeyStatus::Active,
        description: "laptop".into(),
        created_at: at(1),
        last_used_at: None,
    }
}

pub(crate) fn token(tenants: &Tenants) -> TokenRow {
    TokenRow {
        hash: [0xab; 32],
        user_id: tenants.user,
        scope: TokenScope::Project(tenants.ours),
        methods: Json(vec!["password".into()]),
        issued_at: at(1),
        expires_at: at(86_401),
        revoked_at: None,
    }
}

pub(crate) fn job() -> NewJob {
    NewJob {
        id: JOB,
        kind: "protect".into(),
        params: json!({"backup": BACKUP}),
        exclusive_key: Some("resource".into()),
        not_before: None,
        created_at: at(5),
    }
}

pub(crate) fn policy(project: ProjectId) -> PolicyRow {
    PolicyRow {
        id: POLICY,
        project_id: project,
        name: "nightly".into(),
        operation_type: PolicyType::Backup,
        enabled: true,
        definition: Json(json!({"max_backups": 7})),
        trigger_id: "t".into(),
        pattern: Json(vec!["FREQ=DAILY;BYHOUR=1;BYMINUTE=0".into()]),
        start_window_minutes: Some(60),
        started_at: at(1),
        created_at: at(1),
        updated_at: at(2),
    }
}

pub(crate) fn binding(project: ProjectId) -> VaultPolicyRow {
    VaultPolicyRow {
        project_id: project,
        vault_id: VAULT,
        policy_id: POLICY,
        operation_type: PolicyType::Backup,
        destination_vault_id: None,
        runs: 3,
        due_at: Some(at(10)),
        start_at: Some(at(11)),
        added_at: at(3),
    }
}

pub(crate) fn run(project: ProjectId) -> RunRow {
    RunRow {
        seq: 0,
        project_id: project,
        vault_id: VAULT,
        policy_id: POLICY,
        era: 0,
        due_at: at(5),
        outcome: Outcome::Failed,
        checkpoint_id: Some(CHECKPOINT),
        decided_at: at(5),
    }
}

/// A policy with all that hangs on it, beside what [`fill`] made.
/// Says that the backup was copied, and what checks found of it and of its vault.
pub(crate) fn fill_copies(catalog: &Catalog, project: ProjectId) {
    catalog
        .write::<_, strongroom_catalog::Error>(|tx| {
            tx.replications().insert(&ReplicationRow {
                id: REPLICATION,
                project_id: project,
                backup_id: BACKUP,
                source_checkpoint_id: CHECKPOINT,
                vault_id: VAULT,
                source_region: "near".into(),
                destination_project_id: project,
                destination_region: "far".into(),
                destination_vault_id: VaultId::from_bytes([0x12; 16]),
                destination_checkpoint_id: CheckpointId::from_bytes([0x34; 16]),
                destination_backup_id: BackupId::from_bytes([0x45; 16]),
                status: ReplicationStatus::Replicating,
                error_code: None,
                error_message: None,
                log_id: LOG,
                policy_id: Some(POLICY),
                created_at: at(8),
                updated_at: at(9),
            })?;
            tx.checks().set_vault(&VaultCheckRow {
                vault_id: VAULT,
                project_id: project,
                parts: 30,
                next_part: 2,
                looked_at: at(9),
                round_at: Some(at(8)),
                packs: 1,
                bytes: 2,
                healed: 3,
            })?;
            tx.checks().set_backup(&BackupCheckRow {
                backup_id: BACKUP,
                project_id: project,
                vault_id: VAULT,
                checked_at: at(9),
                problem: Some("chunk 00 is lost".into()),
            })
        })
        .unwrap();
}

pub(crate) fn fill_policies(catalog: &Catalog, project: ProjectId) {
    catalog
        .write::<_, strongroom_catalog::Error>(|tx| {
            tx.policies().insert(&policy(project))?;
            tx.vault_policies().set(&binding(project))?;
            assert_eq!(tx.policy_runs().claim(&run(project))?.unwrap().seq, 1);
            tx.scheduled_backups().insert(&ScheduledBackupRow {
                backup_id: BACKUP,
                project_id: project,
                vault_id: VAULT,
                resource_id: RESOURCE,
                policy_id: POLICY,
                run: 1,
                due_at: at(5),
                max_backups: Some(7),
                definition: Some(Json(json!({"max_backups": 7}))),
                day_by_hand: false,
            })?;
            tx.resource_tags().set(&ResourceTagRow {
                project_id: project,
                resource_id: RESOURCE,
                key: "env".into(),
                value: "prod".into(),
            })
        })
        .unwrap();
}

/// Everything that our project has.
pub(crate) fn fill(catalog: &Catalog) -> Tenants {
    let tenants = Tenants::settle(catalog);
    let ours = tenants.ours;
    catalog
        .write(|tx| {
            tx.settings().set("region", "eu-de")?;
            tx.grants().give(&GrantRow {
                user_id: tenants.user,
                project_id: ours,
                role: "member".into(),
            })?;
            tx.access_keys().insert(&access_key(&tenants))?;
            tx.tokens().insert(&token(&tenants))?;
            tx.resources().insert(&resource(ours))?;
            tx.vaults().insert(&vault(ours))?;
            tx.vault_resources().insert(&place(ours))?;
            tx.vault_tags().set(&tag(ours))?;
            tx.checkpoints().insert(&checkpoint(ours))?;
            tx.backups().insert(&backup(ours))?;
            tx.repositories().insert(&repository(ours))?;
            tx.operation_logs().insert(&log(ours))?;
            tx.jobs().enqueue(&job())?;
            tx.audit().append(&deed(Some(ours)), seal).map(drop)
        })
        .unwrap();
    tenants
}

/// A seal without a key: the number, and the last byte of the one before.
pub(crate) fn seal(row: &AuditRow, before: &Seal) -> Seal {
    let mut seal = [0; 32];
    seal[..8].copy_from_slice(&row.seq.to_le_bytes());
    seal[31] = before[0];
    seal
}

pub(crate) fn deed(project: Option<ProjectId>) -> AuditRow {
    AuditRow {
        seq: 0,
        at: at(9),
        project_id: project,
        who: "ada".into(),
        source: "127.0.0.1".into(),
        request_id: "req-1".into(),
        operation: "CreateVault".into(),
        target: VAULT.to_string(),
        outcome: "200".into(),
    }
}

/// Everything in the catalog, as text; of the tenants that [`fill`] made.
pub(crate) fn contents(catalog: &Catalog, tenants: &Tenants) -> Vec<String> {
    catalog.read(|tx| everything(tx, tenants)).unwrap()
}

fn everything(tx: &Tx<'_>, tenants: &Tenants) -> Result<Vec<String>> {
    fn show<T: Debug>(all: &mut Vec<String>, rows: &[T]) {
        all.extend(rows.iter().map(|row| format!("{row:?}")));
    }
    let ours = &tenants.ours;
    let mut all = Vec::new();
    show(&mut all, &tx.settings().list()?);
    show(&mut all, &tx.domains().list()?);
    show(&mut all, &tx.projects().any_domain_list()?);
    show(&mut all, &tx.users().list(&tenants.domain)?);
    show(&mut all, &tx.grants().roles(&tenants.user, ours)?);
    show(&mut all, &tx.access_keys().of_user(&tenants.user)?);
    show(&mut all, &[tx.tokens().get(&[0xab; 32])?]);
    show(
        &mut all,
        &tx.resources()
            .any_project_list(&ResourceFilter::default(), &Page::ALL)?
            .rows,
    );
    show(
        &mut all,
        &tx.vaults()
            .any_project_list(&VaultFilter::default(), &Page::ALL)?
            .rows,
    );
    show(&mut all, &tx.vault_resources().of_vault(ours, &VAULT)?);
    show(&mut all, &tx.vault_tags().of_vault(ours, &VAULT)?);
    show(&mut all, &tx.checkpoints().of_vault(ours, &VAULT)?);
    let backups = tx
        .backups()
        .any_project_list(&BackupFilter::default(), &[], &Page::ALL)?;
    show(&mut all, &backups.rows);
    show(&mut all, &tx.repositories().any_project_list()?);
    let logs = tx
        .operation_logs()
        .any_project_list(&OperationLogFilter::default(), &Page::ALL)?;
    show(&mut all, &logs.rows);
    show(&mut all, &tx.jobs().list(WithEnded::Yes, &Page::ALL)?.rows);
    show(&mut all, &tx.audit().any_project_list(&Page::ALL)?.rows);
    Ok(all)
}

/// A sharding layer with a data node, a tag, a backup and a task, and the place of its backups.
#[expect(clippy::too_many_lines, reason = "a line for each column")]
pub(crate) fn fill_layers(catalog: &Catalog, project: ProjectId) {
    let key = || Sealed(KEY.to_vec());
    let instance = DdmInstanceRow {
        project_id: project,
        id: INSTANCE,
        name: "layer".into(),
        provider: "spider".into(),
        host: "db.example".into(),
        port: 3306,
        url_sealed: key(),
        version: "10.11.19".into(),
        status: DdmInstanceStatus::Running,
        keep_days: 30,
        backup_minute: 120,
        next_backup_at: Some(at(50)),
        created_at: at(10),
        updated_at: at(11),
        removed_at: None,
    };
    let node = DataNodeRow {
        physical_sealed: None,
        project_id: project,
        id: NODE,
        instance_id: INSTANCE,
        name: "node0".into(),
        host: "db0.example".into(),
        port: 3306,
        url_sealed: key(),
        engine: "MariaDB".into(),
        version: "10.11.19".into(),
        status: "normal".into(),
        created_at: at(10),
        updated_at: at(11),
    };
    let backup = DdmBackupRow {
        log_file: None,
        log_offset: None,
        project_id: project,
        id: METADATA,
        name: "Backup-layer".into(),
        description: "auto metadata backup".into(),
        status: DdmBackupStatus::Normal,
        kind: "auto_metadata".into(),
        instance_id: INSTANCE,
        instance_name: "layer".into(),
        instance_status: "normal".into(),
        data_nodes: Json(vec![DataNodeName {
            id: NODE,
            name: "node0".into(),
        }]),
        file_bytes: Bytes(5550),
        manifest_id: Some("m".into()),
        taken_at: Some(at(20)),
        fail_reason: None,
        created_at: at(19),
        updated_at: at(21),
        expires_at: Some(at(90)),
    };
    let task = DdmTaskRow {
        project_id: project,
        id: JOB,
        name: "createMetadataBackup".into(),
        status: DdmTaskStatus::Running,
        instance_id: INSTANCE,
        instance_name: "layer".into(),
        database_name: None,
        fail_reason: None,
        created_at: at(19),
        ended_at: None,
    };
    let fill = |tx: &Tx<'_>| -> Result<()> {
        tx.ddm_instances().insert(&instance)?;
        tx.ddm_instances().set_node(&node)?;
        tx.ddm_instances().set_tag(&DdmTagRow {
            project_id: project,
            instance_id: INSTANCE,
            key: "team".into(),
            value: "a".into(),
        })?;
        tx.ddm_backups().insert(&backup)?;
        tx.ddm_tasks().insert(&task)?;
        tx.depots().insert(&DepotRow {
            project_id: project,
            vault_id: VAULT,
            data_key_sealed: key(),
            made: false,
            created_at: at(18),
        })
    };
    catalog.write(fill).unwrap();
    let read = catalog.read(|tx| tx.ddm_backups().get(&project, &METADATA));
    assert_eq!(read.unwrap(), Some(backup));
    let read = catalog.read(|tx| tx.ddm_instances().get(&project, &INSTANCE));
    assert_eq!(read.unwrap(), Some(instance));
}

/// A directory of audit logs with a tag, a backup and a task.
#[expect(clippy::too_many_lines, reason = "a line for each column")]
pub(crate) fn fill_logs(catalog: &Catalog, project: ProjectId) {
    let instance = DbssInstanceRow {
        project_id: project,
        id: LOGS,
        name: "logs".into(),
        comment: "of the shop".into(),
        path: b"/var/log/mysql".to_vec(),
        format: "server_audit".into(),
        status: DbssInstanceStatus::Active,
        zone_minutes: -90,
        retention_days: 180,
        hurry_percent: 80,
        automatic: true,
        cycle: "PER_HOUR".into(),
        trigger_at: Some(at(1)),
        bucket_name: "dbss".into(),
        bucket_root_path: String::new(),
        next_backup_at: Some(at(50)),
        switched_at: Some(at(11)),
        pressed_at: None,
        created_at: at(10),
        updated_at: at(11),
        removed_at: None,
    };
    let backup = DbssBackupRow {
        project_id: project,
        id: LOG_BACKUP,
        instance_id: LOGS,
        instance_name: "logs".into(),
        name: "logs-20260101000000".into(),
        automatic: true,
        progress: DbssProgress::Restored,
        made: Some("AUTO_BACKUPED".into()),
        start_at: Some(at(12)),
        end_at: Some(at(18)),
        file_bytes: Bytes(5550),
        lines: 12,
        sha256: "00".repeat(32),
        sequence: Some(3),
        manifest_id: Some("m".into()),
        gaps: Json(vec![LogGap {
            file: "server_audit.log.1".into(),
            what: "was deleted before it was read".into(),
        }]),
        lossy: true,
        restored_set: Some(Json(json!({"segment": 3}))),
        backup_fail_reason: None,
        restore_fail_reason: None,
        due_at: Some(at(19)),
        created_at: at(19),
        updated_at: at(21),
        ended_at: Some(at(21)),
        expires_at: Some(at(90)),
    };
    let task = DbssTaskRow {
        project_id: project,
        id: JOB,
        name: "backup".into(),
        status: DbssTaskStatus::Running,
        instance_id: LOGS,
        instance_name: "logs".into(),
        backup_id: Some(LOG_BACKUP),
        fail_reason: None,
        report: None,
        created_at: at(19),
        ended_at: None,
    };
    let fill = |tx: &Tx<'_>| -> Result<()> {
        tx.dbss_instances().insert(&instance)?;
        tx.dbss_instances().set_tag(&DbssTagRow {
            project_id: project,
            instance_id: LOGS,
            key: "team".into(),
            value: "a".into(),
        })?;
        tx.dbss_backups().insert(&backup)?;
        tx.dbss_tasks().insert(&task)
    };
    catalog.write(fill).unwrap();
    let read = catalog.read(|tx| tx.dbss_backups().get(&project, &LOG_BACKUP));
    assert_eq!(read.unwrap(), Some(backup));
    let read = catalog.read(|tx| tx.dbss_instances().get(&project, &LOGS));
    assert_eq!(read.unwrap(), Some(instance));
    let sums = catalog.read(|tx| tx.dbss_backups().sums(&project, &LOGS, at(22)));
    let sums = sums.unwrap();
    assert_eq!(
        (sums.lines, sums.lines_since, sums.first_line_at),
        (12, 0, Some(at(12)))
    );
}
