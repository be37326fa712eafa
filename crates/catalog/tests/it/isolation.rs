//! Tenant isolation: with another project's id, every function behaves as if nothing were there.

use strongroom_catalog::{
    BackupFilter, DbssBackupFilter, DdmBackupFilter, DdmTaskFilter, Error, OperationLogFilter,
    Page, PolicyFilter, PolicyType, ResourceFilter, Tx, VaultFilter, policies::Outcome,
};
use strongroom_model::ProjectId;

use crate::{
    backends::{at, on_every_backend},
    sample::{
        BACKUP, CHECKPOINT, INSTANCE, JOB, LOG, LOG_BACKUP, LOGS, METADATA, NODE, POLICY,
        REPLICATION, RESOURCE, VAULT, contents, fill, fill_copies, fill_layers, fill_logs,
        fill_policies,
    },
};

type Look = fn(&Tx<'_>, &ProjectId) -> Result<bool, Error>;

/// Whether a function finds, changes or removes something of the project's.
const LOOKS: &[(&str, Look)] = &[
    ("resources get", |tx, p| {
        Ok(tx.resources().get(p, &RESOURCE)?.is_some())
    }),
    ("resources list", |tx, p| {
        Ok(tx
            .resources()
            .list(p, &ResourceFilter::default(), &Page::default())?
            .total
            > 0)
    }),
    ("resources change", |tx, p| {
        found(tx.resources().change(p, &RESOURCE, |_| {}))
    }),
    ("vaults get", |tx, p| {
        Ok(tx.vaults().get(p, &VAULT)?.is_some())
    }),
    ("vaults list", |tx, p| {
        Ok(tx
            .vaults()
            .list(p, &VaultFilter::default(), &Page::default())?
            .total
            > 0)
    }),
    ("vaults list by resource", |tx, p| {
        let filter = VaultFilter {
            resource_ids: vec![RESOURCE],
            ..VaultFilter::default()
        };
        Ok(tx.vaults().list(p, &filter, &Page::default())?.total > 0)
    }),
    ("vaults change", |tx, p| {
        found(tx.vaults().change(p, &VAULT, |_| {}))
    }),
    ("vault resources get", |tx, p| {
        Ok(tx.vault_resources().get(p, &RESOURCE)?.is_some())
    }),
    ("vault resources of vault", |tx, p| {
        Ok(!tx.vault_resources().of_vault(p, &VAULT)?.is_empty())
    }),
    ("vault resources change", |tx, p| {
        found(tx.vault_resources().change(p, &VAULT, &RESOURCE, |_| {}))
    }),
    ("tags of vault", |tx, p| {
        Ok(!tx.vault_tags().of_vault(p, &VAULT)?.is_empty())
    }),
    ("tags of project", |tx, p| {
        Ok(!tx.vault_tags().of_project(p)?.is_empty())
    }),
    ("checkpoints get", |tx, p| {
        Ok(tx.checkpoints().get(p, &CHECKPOINT)?.is_some())
    }),
    ("checkpoints of vault", |tx, p| {
        Ok(!tx.checkpoints().of_vault(p, &VAULT)?.is_empty())
    }),
    ("checkpoints change", |tx, p| {
        found(tx.checkpoints().change(p, &CHECKPOINT, |_| {}))
    }),
    ("backups get", |tx, p| {
        Ok(tx.backups().get(p, &BACKUP)?.is_some())
    }),
    ("backups list", |tx, p| {
        Ok(tx
            .backups()
            .list(p, &BackupFilter::default(), &[], &Page::default())?
            .total
            > 0)
    }),
    ("backups count", |tx, p| {
        Ok(tx.backups().count(p, &BackupFilter::default())? > 0)
    }),
    ("backups newest good", |tx, p| {
        Ok(tx.backups().newest_good(p, &VAULT, &RESOURCE)?.is_some())
    }),
    ("backups change", |tx, p| {
        found(tx.backups().change(p, &BACKUP, |_| {}))
    }),
    ("repositories get", |tx, p| {
        Ok(tx.repositories().get(p, &VAULT)?.is_some())
    }),
    ("repositories change", |tx, p| {
        found(tx.repositories().change(p, &VAULT, |_| {}))
    }),
    ("operation logs get", |tx, p| {
        Ok(tx.operation_logs().get(p, &LOG)?.is_some())
    }),
    ("operation logs list", |tx, p| {
        let all = OperationLogFilter::default();
        Ok(tx.operation_logs().list(p, &all, &Page::default())?.total > 0)
    }),
    ("operation logs change", |tx, p| {
        found(tx.operation_logs().change(p, &LOG, |_| {}))
    }),
    ("audit list", |tx, p| {
        Ok(tx.audit().list(p, &Page::default())?.total > 0)
    }),
    ("policies get", |tx, p| {
        Ok(tx.policies().get(p, &POLICY)?.is_some())
    }),
    ("policies list", |tx, p| {
        let all = PolicyFilter::default();
        Ok(tx.policies().list(p, &all, &Page::default())?.total > 0)
    }),
    ("policies count", |tx, p| {
        Ok(tx.policies().count(p, PolicyType::Backup)? > 0)
    }),
    ("policies change", |tx, p| {
        found(tx.policies().change(p, &POLICY, |_| {}))
    }),
    ("vault policies get", |tx, p| {
        let place = tx.vault_policies().get(p, &VAULT, PolicyType::Backup)?;
        Ok(place.is_some())
    }),
    ("vault policies of policy", |tx, p| {
        Ok(!tx.vault_policies().of_policy(p, &POLICY)?.is_empty())
    }),
    ("policy runs of vault", |tx, p| {
        Ok(!tx.policy_runs().of_vault(p, &VAULT)?.is_empty())
    }),
    ("policy runs settle", |tx, p| {
        found(tx.policy_runs().settle(p, 1, Outcome::Ordered, None))
    }),
    ("scheduled backups get", |tx, p| {
        Ok(tx.scheduled_backups().get(p, &BACKUP)?.is_some())
    }),
    ("scheduled backups of vault", |tx, p| {
        let all = tx.scheduled_backups().of_vault(p, &VAULT, None)?;
        Ok(!all.is_empty())
    }),
    ("resource tags of resource", |tx, p| {
        Ok(!tx.resource_tags().of_resource(p, &RESOURCE)?.is_empty())
    }),
    ("log directories get", |tx, p| {
        Ok(tx.dbss_instances().get(p, &LOGS)?.is_some())
    }),
    ("log directories named", |tx, p| {
        Ok(tx.dbss_instances().named(p, "logs")?.is_some())
    }),
    ("log directories list", |tx, p| {
        Ok(tx.dbss_instances().list(p, &Page::default())?.total > 0)
    }),
    ("log directories change", |tx, p| {
        found(tx.dbss_instances().change(p, &LOGS, |_| {}))
    }),
    ("log directory tags", |tx, p| {
        Ok(!tx.dbss_instances().tags(p, None)?.is_empty())
    }),
    ("log directory tags of directory", |tx, p| {
        Ok(!tx.dbss_instances().tags(p, Some(&LOGS))?.is_empty())
    }),
    ("log backups get", |tx, p| {
        Ok(tx.dbss_backups().get(p, &LOG_BACKUP)?.is_some())
    }),
    ("log backups list", |tx, p| {
        let all = DbssBackupFilter::default();
        let listed = tx.dbss_backups().list(p, &LOGS, &all, &Page::default())?;
        Ok(listed.total > 0)
    }),
    ("log backups newest ended", |tx, p| {
        Ok(tx.dbss_backups().newest_ended(p, &LOGS)?.is_some())
    }),
    ("log backups newest good", |tx, p| {
        Ok(tx.dbss_backups().newest_good(p, &LOGS)?.is_some())
    }),
    ("log backups newest gap", |tx, p| {
        Ok(tx.dbss_backups().newest_gap(p, &LOGS)?.is_some())
    }),
    ("log backups last sequence", |tx, p| {
        Ok(tx.dbss_backups().last_sequence(p, &LOGS)?.is_some())
    }),
    ("log backups sums", |tx, p| {
        Ok(tx.dbss_backups().sums(p, &LOGS, at(0))?.lines > 0)
    }),
    ("log backups restored", |tx, p| {
        Ok(!tx.dbss_backups().restored(p, &LOGS)?.is_empty())
    }),
    ("log backups change", |tx, p| {
        found(tx.dbss_backups().change(p, &LOG_BACKUP, |_| {}))
    }),
    ("log tasks get", |tx, p| {
        Ok(tx.dbss_tasks().get(p, &JOB)?.is_some())
    }),
    ("log tasks list", |tx, p| {
        Ok(tx.dbss_tasks().list(p, &LOGS, &Page::default())?.total > 0)
    }),
    ("log tasks change", |tx, p| {
        found(tx.dbss_tasks().change(p, &JOB, |_| {}))
    }),
    ("depots get", |tx, p| Ok(tx.depots().get(p)?.is_some())),
    ("depots note made", |tx, p| found(tx.depots().note_made(p))),
    ("instances get", |tx, p| {
        Ok(tx.ddm_instances().get(p, &INSTANCE)?.is_some())
    }),
    ("instances named", |tx, p| {
        Ok(tx.ddm_instances().named(p, "layer")?.is_some())
    }),
    ("instances list", |tx, p| {
        Ok(tx.ddm_instances().list(p, &Page::default())?.total > 0)
    }),
    ("instances change", |tx, p| {
        found(tx.ddm_instances().change(p, &INSTANCE, |_| {}))
    }),
    ("data nodes of instance", |tx, p| {
        Ok(!tx.ddm_instances().nodes(p, &INSTANCE)?.is_empty())
    }),
    ("data nodes of all instances", |tx, p| {
        Ok(!tx.ddm_instances().all_nodes(p)?.is_empty())
    }),
    ("data nodes change", |tx, p| {
        found(tx.ddm_instances().change_node(p, &NODE, |_| {}))
    }),
    ("instance tags", |tx, p| {
        Ok(!tx.ddm_instances().tags(p, None)?.is_empty())
    }),
    ("instance tags of instance", |tx, p| {
        Ok(!tx.ddm_instances().tags(p, Some(&INSTANCE))?.is_empty())
    }),
    ("metadata backups get", |tx, p| {
        Ok(tx.ddm_backups().get(p, &METADATA)?.is_some())
    }),
    ("metadata backups list", |tx, p| {
        let all = DdmBackupFilter::default();
        Ok(tx.ddm_backups().list(p, &all, &Page::default())?.total > 0)
    }),
    ("metadata backups newest", |tx, p| {
        let newest = tx.ddm_backups().newest_good(p, &INSTANCE, at(100))?;
        Ok(newest.is_some())
    }),
    ("metadata backups change", |tx, p| {
        found(tx.ddm_backups().change(p, &METADATA, |_| {}))
    }),
    ("tasks get", |tx, p| {
        Ok(tx.ddm_tasks().get(p, &JOB)?.is_some())
    }),
    ("tasks list", |tx, p| {
        let all = DdmTaskFilter::default();
        Ok(tx.ddm_tasks().list(p, &all, &Page::default())?.total > 0)
    }),
    ("tasks change", |tx, p| {
        found(tx.ddm_tasks().change(p, &JOB, |_| {}))
    }),
    // Removals last, each before what it hangs on.
    ("replications get", |tx, p| {
        Ok(tx.replications().get(p, &REPLICATION)?.is_some())
    }),
    ("replications of backup", |tx, p| {
        Ok(!tx.replications().of_backup(p, &BACKUP)?.is_empty())
    }),
    ("replications unfinished of backup", |tx, p| {
        tx.replications().unfinished_of_backup(p, &BACKUP)
    }),
    ("replications change", |tx, p| {
        found(tx.replications().change(p, &REPLICATION, |_| {}))
    }),
    ("checks of vault", |tx, p| {
        Ok(tx.checks().vault(p, &VAULT)?.is_some())
    }),
    ("checks of backup", |tx, p| {
        Ok(tx.checks().backup(p, &BACKUP)?.is_some())
    }),
    ("log directory tags remove", |tx, p| {
        tx.dbss_instances().remove_tag(p, &LOGS, "team")
    }),
    ("instance tags remove", |tx, p| {
        tx.ddm_instances().remove_tag(p, &INSTANCE, "team")
    }),
    ("metadata backups remove", |tx, p| {
        tx.ddm_backups().remove(p, &METADATA)
    }),
    ("vault policies remove", |tx, p| {
        tx.vault_policies().remove(p, &VAULT, &POLICY)
    }),
    ("policies remove", |tx, p| tx.policies().remove(p, &POLICY)),
    ("backups remove", |tx, p| tx.backups().remove(p, &BACKUP)),
    ("checkpoints remove", |tx, p| {
        tx.checkpoints().remove(p, &CHECKPOINT)
    }),
    ("vault resources remove", |tx, p| {
        tx.vault_resources().remove(p, &VAULT, &RESOURCE)
    }),
    ("tags remove", |tx, p| {
        tx.vault_tags().remove(p, &VAULT, "env")
    }),
    ("repositories remove", |tx, p| {
        tx.repositories().remove(p, &VAULT)
    }),
    ("vaults remove", |tx, p| tx.vaults().remove(p, &VAULT)),
];

fn found<T>(changed: Result<T, Error>) -> Result<bool, Error> {
    match changed {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

#[test]
fn another_projects_rows_are_not_there_whatever_is_asked() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let tenants = fill(catalog);
        fill_policies(catalog, tenants.ours);
        fill_copies(catalog, tenants.ours);
        fill_layers(catalog, tenants.ours);
        fill_logs(catalog, tenants.ours);
        let before = contents(catalog, &tenants);
        for (name, look) in LOOKS {
            let seen = catalog.write(|tx| look(tx, &tenants.theirs)).unwrap();
            assert!(!seen, "{name} reaches across projects");
        }
        assert_eq!(contents(catalog, &tenants), before);
        // The same functions do find what is one's own: the table above is not vacuous.
        for (name, look) in LOOKS {
            let seen = catalog.write(|tx| look(tx, &tenants.ours)).unwrap();
            assert!(seen, "{name} does not find one's own");
        }
    });
}

#[test]
fn a_row_cannot_be_tied_to_another_projects_vault() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let theirs = tenants.theirs;
        let tie = |insert: fn(&Tx<'_>, ProjectId) -> Result<(), Error>| {
            let tied = subject.catalog.write(|tx| insert(tx, theirs));
            assert!(matches!(tied, Err(Error::Reference)), "{tied:?}");
        };
        tie(|tx, theirs| tx.vault_tags().set(&crate::sample::tag(theirs)));
        tie(|tx, theirs| {
            let mut row = crate::sample::checkpoint(theirs);
            row.id = strongroom_model::CheckpointId::from_bytes([0x34; 16]);
            tx.checkpoints().insert(&row)
        });
        tie(|tx, theirs| {
            let mut row = crate::sample::backup(theirs);
            row.id = strongroom_model::BackupId::from_bytes([0x45; 16]);
            tx.backups().insert(&row)
        });
    });
}
