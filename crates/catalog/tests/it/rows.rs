//! Rows: what is written comes back, changes keep to the states, ties are kept.

use strongroom_catalog::{Error, GrantRow, KeyStatus, Page, VaultFilter};
use strongroom_model::{
    AccessKeyId, VaultId,
    state::{BackupStatus, TaskStatus, VaultStatus},
};

use crate::{
    backends::{at, on_every_backend},
    sample::{self, BACKUP, CHECKPOINT, LOG, RESOURCE, VAULT, fill},
};

#[test]
fn every_field_of_every_row_comes_back() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let ours = tenants.ours;
        subject
            .catalog
            .read(|tx| {
                assert_eq!(
                    tx.resources().get(&ours, &RESOURCE)?,
                    Some(sample::resource(ours))
                );
                assert_eq!(tx.vaults().get(&ours, &VAULT)?, Some(sample::vault(ours)));
                assert_eq!(
                    tx.vault_resources().of_vault(&ours, &VAULT)?,
                    [(sample::place(ours), sample::resource(ours))]
                );
                assert_eq!(
                    tx.vault_tags().of_vault(&ours, &VAULT)?,
                    [sample::tag(ours)]
                );
                assert_eq!(
                    tx.checkpoints().get(&ours, &CHECKPOINT)?,
                    Some(sample::checkpoint(ours))
                );
                assert_eq!(
                    tx.backups().get(&ours, &BACKUP)?,
                    Some(sample::backup(ours))
                );
                assert_eq!(
                    tx.repositories().get(&ours, &VAULT)?,
                    Some(sample::repository(ours))
                );
                assert_eq!(
                    tx.operation_logs().get(&ours, &LOG)?,
                    Some(sample::log(ours))
                );
                let key = sample::access_key(&tenants);
                assert_eq!(tx.access_keys().get(&key.access)?, Some(key));
                let token = sample::token(&tenants);
                assert_eq!(tx.tokens().get(&token.hash)?, Some(token));
                assert_eq!(tx.settings().get("region")?.as_deref(), Some("eu-de"));
                Ok::<_, Error>(())
            })
            .unwrap();
        assert_eq!(subject.catalog.check().unwrap(), [""; 0]);
    });
}

#[test]
fn a_change_sees_the_row_as_it_is_and_returns_it_as_it_becomes() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let ours = fill(catalog).ours;
        for _ in 0..3 {
            catalog
                .write(|tx| {
                    tx.vaults().change(&ours, &VAULT, |vault| {
                        vault.used_bytes += strongroom_model::Bytes(1);
                    })
                })
                .unwrap();
        }
        let vault = catalog
            .read(|tx| tx.vaults().get(&ours, &VAULT))
            .unwrap()
            .unwrap();
        let mut expected = sample::vault(ours);
        expected.used_bytes.0 += 3;
        assert_eq!(vault, expected, "nothing else has changed");
    });
}

#[test]
fn a_move_that_the_state_machine_does_not_know_is_refused_and_nothing_changes() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let ours = fill(catalog).ours;
        let refused = catalog.write(|tx| {
            tx.backups().change(&ours, &BACKUP, |backup| {
                backup.status = BackupStatus::Protecting;
                backup.name = "other".into();
            })
        });
        assert!(matches!(refused, Err(Error::Illegal(_))), "{refused:?}");
        let refused = catalog.write(|tx| {
            tx.operation_logs()
                .change(&ours, &LOG, |log| log.status = TaskStatus::Success)
        });
        assert!(matches!(refused, Err(Error::Illegal(_))), "{refused:?}");
        catalog
            .read(|tx| {
                assert_eq!(
                    tx.backups().get(&ours, &BACKUP)?,
                    Some(sample::backup(ours))
                );
                assert_eq!(
                    tx.operation_logs().get(&ours, &LOG)?,
                    Some(sample::log(ours))
                );
                Ok::<_, Error>(())
            })
            .unwrap();
        catalog
            .write(|tx| {
                tx.operation_logs()
                    .change(&ours, &LOG, |log| log.status = TaskStatus::Running)?;
                tx.vaults()
                    .change(&ours, &VAULT, |v| v.status = VaultStatus::Deleting)
            })
            .unwrap();
    });
}

#[test]
fn a_change_of_the_key_is_refused() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let refused = subject.catalog.write(|tx| {
            tx.vaults().change(&tenants.ours, &VAULT, |vault| {
                vault.project_id = tenants.theirs;
            })
        });
        assert!(
            matches!(refused, Err(Error::KeyChanged { what: "vault" })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_resource_sits_in_one_vault_at_most() {
    on_every_backend(|subject| {
        let ours = fill(&subject.catalog).ours;
        let other = VaultId::from_bytes([0x12; 16]);
        let twice = subject.catalog.write(|tx| {
            let mut vault = sample::vault(ours);
            vault.id = other;
            tx.vaults().insert(&vault)?;
            let mut place = sample::place(ours);
            place.vault_id = other;
            tx.vault_resources().insert(&place)
        });
        let Err(Error::Duplicate(columns)) = twice else {
            panic!("{twice:?}")
        };
        assert_eq!(columns, "vault_resources.resource_id");
        let holding = VaultFilter {
            resource_ids: vec![RESOURCE],
            ..VaultFilter::default()
        };
        let found = subject
            .catalog
            .read(|tx| tx.vaults().list(&ours, &holding, &Page::default()))
            .unwrap();
        assert_eq!(
            found.rows,
            [sample::vault(ours)],
            "the other vault is rolled back too"
        );
    });
}

#[test]
fn a_vault_goes_when_it_is_empty_and_takes_its_tags_along() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let ours = fill(catalog).ours;
        let early = catalog.write(|tx| tx.vaults().remove(&ours, &VAULT));
        assert!(matches!(early, Err(Error::Reference)), "{early:?}");
        let tags = catalog
            .read(|tx| tx.vault_tags().of_vault(&ours, &VAULT))
            .unwrap();
        assert_eq!(tags.len(), 1, "the refused removal took nothing");
        catalog
            .write(|tx| {
                assert!(tx.backups().remove(&ours, &BACKUP)?);
                assert!(!tx.backups().remove(&ours, &BACKUP)?);
                assert!(tx.checkpoints().remove(&ours, &CHECKPOINT)?);
                assert!(tx.vault_resources().remove(&ours, &VAULT, &RESOURCE)?);
                assert!(tx.vaults().remove(&ours, &VAULT)?);
                assert!(!tx.vaults().remove(&ours, &VAULT)?);
                assert!(tx.repositories().any_project_list()?.is_empty());
                assert!(tx.vault_tags().of_project(&ours)?.is_empty());
                Ok::<_, Error>(())
            })
            .unwrap();
        // What was done stays on record.
        let log = catalog
            .read(|tx| tx.operation_logs().get(&ours, &LOG))
            .unwrap();
        assert_eq!(log, Some(sample::log(ours)));
    });
}

#[test]
fn tags_are_overwritten_by_key_and_gathered_by_project() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let ours = fill(catalog).ours;
        let other = VaultId::from_bytes([0x12; 16]);
        let tags = catalog
            .write(|tx| {
                let mut vault = sample::vault(ours);
                vault.id = other;
                tx.vaults().insert(&vault)?;
                let mut tag = sample::tag(ours);
                tag.value = "test".into();
                tx.vault_tags().set(&tag)?;
                for (key, value) in [("env", "test"), ("env", "dev"), ("team", "")] {
                    tag.vault_id = other;
                    tag.key = key.into();
                    tag.value = value.into();
                    tx.vault_tags().set(&tag)?;
                }
                assert!(!tx.vault_tags().remove(&ours, &VAULT, "team")?);
                tx.vault_tags().of_project(&ours)
            })
            .unwrap();
        let shown: Vec<_> = tags
            .iter()
            .map(|(key, values)| (key.as_str(), values.len()))
            .collect();
        assert_eq!(shown, [("env", 2), ("team", 1)]);
    });
}

#[test]
fn tokens_stay_revoked_since_the_first_time_and_are_forgotten_when_they_have_ended() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let tenants = fill(catalog);
        let hash = sample::token(&tenants).hash;
        catalog
            .write(|tx| {
                assert!(!tx.tokens().revoke(&[0; 32], at(2))?);
                assert!(tx.tokens().revoke(&hash, at(2))?);
                assert!(tx.tokens().revoke(&hash, at(3))?);
                assert_eq!(tx.tokens().get(&hash)?.unwrap().revoked_at, Some(at(2)));
                assert_eq!(tx.tokens().revoke_of_user(&tenants.user, at(4))?, 0);
                assert_eq!(tx.tokens().remove_ended_before(at(86_401))?, 0);
                assert_eq!(tx.tokens().remove_ended_before(at(86_402))?, 1);
                assert_eq!(tx.tokens().get(&hash)?, None);
                Ok::<_, Error>(())
            })
            .unwrap();
    });
}

#[test]
fn access_keys_are_switched_off_and_removed() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let access = sample::access_key(&tenants).access;
        subject
            .catalog
            .write(|tx| {
                let off = tx
                    .access_keys()
                    .change(&access, |k| k.status = KeyStatus::Inactive)?;
                assert_eq!(tx.access_keys().of_user(&tenants.user)?, [off]);
                assert!(tx.access_keys().remove(&access)?);
                assert!(!tx.access_keys().remove(&access)?);
                let gone = tx.access_keys().change(&AccessKeyId("X".into()), |_| {});
                assert!(matches!(
                    gone,
                    Err(Error::NotFound {
                        what: "access key",
                        ..
                    })
                ));
                Ok::<_, Error>(())
            })
            .unwrap();
    });
}

#[test]
fn a_role_is_given_once_and_shows_the_users_projects() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        let grant = GrantRow {
            user_id: tenants.user,
            project_id: tenants.ours,
            role: "member".into(),
        };
        subject
            .catalog
            .write(|tx| {
                tx.grants().give(&grant)?;
                tx.grants().give(&grant)?;
                assert_eq!(tx.grants().roles(&tenants.user, &tenants.ours)?, ["member"]);
                let names: Vec<_> = tx
                    .projects()
                    .of_user(&tenants.user)?
                    .into_iter()
                    .map(|p| p.name)
                    .collect();
                assert_eq!(names, ["ours"]);
                assert!(tx.grants().take(&grant)?);
                assert!(!tx.grants().take(&grant)?);
                assert!(tx.projects().of_user(&tenants.user)?.is_empty());
                Ok::<_, Error>(())
            })
            .unwrap();
    });
}

#[test]
fn the_audit_trail_counts_up_and_shows_a_project_its_own() {
    on_every_backend(|subject| {
        let tenants = fill(&subject.catalog);
        subject
            .catalog
            .write(|tx| {
                assert_eq!(tx.audit().append(&sample::deed(None), sample::seal)?, 2);
                assert_eq!(
                    tx.audit()
                        .append(&sample::deed(Some(tenants.theirs)), sample::seal)?,
                    3
                );
                let ours = tx.audit().list(&tenants.ours, &Page::default())?;
                assert_eq!(ours.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [1]);
                assert_eq!(tx.audit().any_project_list(&Page::default())?.total, 3);
                Ok::<_, Error>(())
            })
            .unwrap();
    });
}

#[test]
fn old_logs_and_jobs_are_forgotten_once_they_have_ended() {
    on_every_backend(|subject| {
        let ours = fill(&subject.catalog).ours;
        subject
            .catalog
            .write(|tx| {
                assert_eq!(
                    tx.operation_logs()
                        .any_project_remove_ended_before(at(999))?,
                    0
                );
                tx.operation_logs().change(&ours, &LOG, |log| {
                    log.status = TaskStatus::Skipped;
                    log.ended_at = Some(at(10));
                })?;
                assert_eq!(
                    tx.operation_logs()
                        .any_project_remove_ended_before(at(10))?,
                    0
                );
                assert_eq!(
                    tx.operation_logs()
                        .any_project_remove_ended_before(at(11))?,
                    1
                );
                assert_eq!(
                    tx.jobs().remove_ended_before(at(999))?,
                    0,
                    "it has not ended"
                );
                Ok::<_, Error>(())
            })
            .unwrap();
    });
}
