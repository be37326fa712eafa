//! Shares, agents, policies of an organization and enterprise projects: each seen by whom it
//! belongs to.

use serde_json::json;
use strongroom_catalog::{
    AgentFilter, AgentPath, AgentRow, BackupFilter, Direction, EnterpriseMigrationFilter,
    EnterpriseMigrationRow, EnterpriseProjectFilter, EnterpriseProjectKey, EnterpriseProjectRow,
    Error, Json, MemberRow, OrganizationPolicyRow, Page, RolloutRow, ShareStatus, SharedFilter,
};
use strongroom_model::{
    AgentId, DomainId, EnterpriseProjectId, MemberId, OrganizationPolicyId, ProjectId, UserId,
};

use crate::{
    backends::{at, on_every_backend},
    sample::{BACKUP, VAULT, fill},
};

fn member(owner: ProjectId, receiver: ProjectId) -> MemberRow {
    MemberRow {
        id: MemberId::from_bytes([0x71; 16]),
        project_id: owner,
        backup_id: BACKUP,
        dest_project_id: receiver,
        status: ShareStatus::Pending,
        vault_id: None,
        created_at: at(5),
        updated_at: None,
    }
}

#[test]
fn a_share_is_seen_from_both_its_sides_and_goes_with_its_backup() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let (ours, theirs) = (tenants.ours, tenants.theirs);
        let row = member(ours, theirs);
        subject
            .catalog
            .write::<_, Error>(|tx| {
                tx.members().insert(&row)?;
                let twice = MemberRow {
                    id: MemberId::from_bytes([0x72; 16]),
                    ..row.clone()
                };
                assert!(matches!(
                    tx.members().insert(&twice),
                    Err(Error::Duplicate(_))
                ));
                assert_eq!(
                    tx.members().of_backup(&ours, &BACKUP)?,
                    std::slice::from_ref(&row)
                );
                assert_eq!(tx.members().of_backup(&theirs, &BACKUP)?, []);
                assert_eq!(tx.members().received(&theirs, &BACKUP)?, Some(row.clone()));
                assert_eq!(tx.members().received(&ours, &BACKUP)?, None);
                let stolen = tx.members().change(&theirs, &row.id, |_| {});
                assert!(matches!(stolen, Err(Error::NotFound { .. })));
                assert!(!tx.members().remove(&theirs, &row.id)?);

                let shared = |project: &ProjectId, own_too, statuses: &[ShareStatus]| {
                    let which = SharedFilter {
                        own_too,
                        statuses: statuses.to_vec(),
                    };
                    let all = BackupFilter::default();
                    let found = tx
                        .backups()
                        .list_shared(project, &which, &all, &[], &Page::ALL)?;
                    Ok::<_, Error>(found.total)
                };
                assert_eq!(shared(&theirs, false, &[])?, 1);
                assert_eq!(shared(&theirs, true, &[])?, 1);
                assert_eq!(shared(&theirs, false, &[ShareStatus::Accepted])?, 0);
                assert_eq!(shared(&ours, false, &[])?, 0);
                assert_eq!(shared(&ours, true, &[])?, 1);
                tx.members()
                    .change(&ours, &row.id, |row| row.status = ShareStatus::Rejected)?;
                assert_eq!(shared(&theirs, true, &[])?, 0);

                tx.backups().remove(&ours, &BACKUP)?;
                assert_eq!(tx.members().received(&theirs, &BACKUP)?, None);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn agents_of_two_projects_may_have_one_id_and_stay_apart() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let id = AgentId::from_bytes([0x73; 16]);
        let row = |project, host: &str| AgentRow {
            project_id: project,
            id,
            host_name: host.into(),
            host_nickname: String::new(),
            host_ip: "10.0.0.1".into(),
            host_os: "linux".into(),
            version: "1.0.0".into(),
            kind: "native".into(),
            status: "normal".into(),
            paths: Json(vec![AgentPath {
                id: "p".into(),
                dir: "/srv".into(),
                excluded: vec!["/srv/tmp".into()],
            }]),
            created_at: at(5),
            updated_at: None,
            last_active_at: at(6),
        };
        subject
            .catalog
            .write::<_, Error>(|tx| {
                tx.agents().set(&row(tenants.ours, "ours"))?;
                assert_eq!(tx.agents().get(&tenants.theirs, &id)?, None);
                tx.agents().set(&row(tenants.theirs, "theirs"))?;
                assert_eq!(
                    tx.agents().get(&tenants.ours, &id)?,
                    Some(row(tenants.ours, "ours"))
                );
                let gone = AgentFilter {
                    status: Some("uninstall".into()),
                    ..AgentFilter::default()
                };
                let agents = tx.agents();
                let list = |filter: &AgentFilter| agents.list(&tenants.ours, filter, &Page::ALL);
                assert_eq!(list(&AgentFilter::default())?.total, 1);
                assert_eq!(list(&gone)?.total, 0);
                assert!(tx.agents().remove(&tenants.theirs, &id)?);
                assert_eq!(list(&AgentFilter::default())?.total, 1);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn what_an_account_says_is_seen_by_that_account_alone() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let (domain, other) = (tenants.domain, DomainId::from_bytes([0x74; 16]));
        let policy = OrganizationPolicyRow {
            id: OrganizationPolicyId::from_bytes([0x75; 16]),
            domain_id: domain,
            name: "all".into(),
            description: None,
            operation_type: "backup".into(),
            policy_name: "nightly".into(),
            policy_enabled: true,
            definition: Json(json!({ "max_backups": 7 })),
            policy_trigger: Json(json!({ "properties": { "pattern": [] } })),
            effective_scope: None,
            created_at: at(5),
            updated_at: at(5),
        };
        let rollout = RolloutRow {
            organization_policy_id: policy.id,
            project_id: tenants.ours,
            policy_id: None,
            status: "available".into(),
        };
        subject
            .catalog
            .write::<_, Error>(|tx| {
                let policies = tx.organization_policies();
                policies.insert(&policy)?;
                policies.set_rollout(&rollout)?;
                assert_eq!(policies.get(&other, &policy.id)?, None);
                assert_eq!(policies.get(&domain, &policy.id)?, Some(policy.clone()));
                assert_eq!(policies.list(&domain, "replication", &Page::ALL)?.total, 0);
                assert!(!policies.remove(&other, &policy.id)?);
                assert!(policies.remove(&domain, &policy.id)?);
                assert_eq!(policies.rollouts(&policy.id)?, []);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn what_an_account_calls_its_enterprise_projects_is_its_own() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let (domain, other) = (tenants.domain, DomainId::from_bytes([0x74; 16]));
        let label = EnterpriseProjectRow {
            id: EnterpriseProjectId::from_bytes([0x76; 16]),
            domain_id: domain,
            name: "sales-emea".into(),
            description: String::new(),
            enabled: true,
            kind: "prod".into(),
            created_at: at(5),
            updated_at: at(5),
        };
        let went = EnterpriseMigrationRow {
            seq: 0,
            domain_id: domain,
            at: at(6),
            user_id: UserId::from_bytes([7; 16]),
            user_name: "ann".into(),
            project_id: tenants.ours,
            project_name: "ours".into(),
            vault_id: VAULT,
            vault_name: "vault".into(),
            from_id: "0".into(),
            to_id: label.id.to_string(),
            outcome: "success".into(),
        };
        subject
            .catalog
            .write::<_, Error>(|tx| {
                let labels = tx.enterprise_projects();
                labels.insert(&label)?;
                let by_name = (EnterpriseProjectKey::Name, Direction::Ascending);
                let named = |part: &str| EnterpriseProjectFilter {
                    name: Some(part.into()),
                    ..EnterpriseProjectFilter::default()
                };
                assert_eq!(
                    labels.list(&domain, &named("emea"), by_name)?,
                    std::slice::from_ref(&label)
                );
                assert_eq!(labels.list(&domain, &named("%"), by_name)?, []);
                assert_eq!(labels.list(&other, &named("emea"), by_name)?, []);
                assert_eq!(labels.get(&other, &label.id)?, None);
                assert_eq!(labels.vaults(&domain, "0", &[])?.len(), 1);
                assert_eq!(labels.vaults(&other, "0", &[])?.len(), 0);
                assert_eq!(labels.vaults(&domain, "0", &[tenants.theirs])?.len(), 0);
                labels.record(&went)?;
                labels.record(&went)?;
                let all = EnterpriseMigrationFilter::default();
                let found = labels.migrations(&domain, &all, &Page::ALL)?;
                let seqs: Vec<_> = found.rows.iter().map(|row| row.seq).collect();
                assert_eq!(seqs, [2, 1]);
                assert_eq!(labels.migrations(&other, &all, &Page::ALL)?.total, 0);
                Ok(())
            })
            .unwrap();
    });
}
