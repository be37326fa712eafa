//! What is counted once is what a count of everything would say, whatever happened.

use strongroom_catalog::{
    BackupFilter, BackupKey, BackupRow, Catalog,
    Direction::{self, Ascending, Descending},
    Error, Page, PlaceFilter, Tx,
};
use strongroom_model::{
    BackupId, Bytes, GiB, ProjectId, ResourceKind, Timestamp, state::BackupStatus,
};
use strongroom_testkit::dice::Dice;

use crate::{
    backends::in_file,
    sample::{self, BACKUP, RESOURCE, VAULT, fill},
};

const HOUR: i64 = 3600;

fn write(catalog: &Catalog, body: impl FnOnce(&Tx<'_>) -> Result<(), Error>) {
    catalog.write(body).unwrap();
}

fn numbered(project: ProjectId, number: u32) -> BackupRow {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    BackupRow {
        id: BackupId::from_bytes(id),
        ..sample::backup(project)
    }
}

/// What is kept counted wrongly; the places are counted by the use cases, not here.
fn wrong(catalog: &Catalog, project: ProjectId) -> Vec<&'static str> {
    let mut found = catalog.read(|tx| tx.usage().differences(&project)).unwrap();
    found.retain(|what| !what.contains("resources"));
    found
}

#[test]
fn after_a_random_history_every_count_is_what_counting_again_says() {
    let seed = 11;
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let catalog = Catalog::memory().unwrap();
    let ours = fill(&catalog).ours;
    let times = (Timestamp::from_micros(5), Timestamp::from_micros(9));
    let mut there = vec![BACKUP];
    for number in 0..600 {
        let one = *dice.pick(&there);
        match dice.below(8) {
            0..=2 => {
                let mut row = numbered(ours, number);
                row.kind = *dice.pick(&[ResourceKind::Share, ResourceKind::Volume]);
                row.incremental = dice.chance(50);
                row.status = *dice.pick(BackupStatus::ALL);
                let hours = i64::try_from(dice.below(200)).unwrap() - 100;
                row.created_at = Timestamp::default().plus_seconds(hours * HOUR);
                there.push(row.id);
                write(&catalog, |tx| tx.backups().insert(&row));
            }
            3 => write(&catalog, |tx| {
                tx.trash().put_backup(&ours, &one, times).map(drop)
            }),
            4 => write(&catalog, |tx| tx.trash().take_backup(&ours, &one).map(drop)),
            5 if there.len() > 1 => {
                there.retain(|id| *id != one);
                write(&catalog, |tx| tx.backups().remove(&ours, &one).map(drop));
            }
            6 => write(&catalog, |tx| {
                let size = GiB(dice.below(100));
                let edit = |row: &mut strongroom_catalog::VaultRow| {
                    row.size_gib = size;
                    row.used_bytes = Bytes(size.0 * 7);
                };
                match tx.vaults().get(&ours, &VAULT)? {
                    Some(_) => tx.vaults().change(&ours, &VAULT, edit).map(drop),
                    None => Ok(()),
                }
            }),
            _ => write(&catalog, |tx| {
                let changed = tx.backups().change(&ours, &one, |row| {
                    row.incremental = !row.incremental;
                    row.status = match row.status {
                        BackupStatus::Available => BackupStatus::WaitingRestore,
                        BackupStatus::WaitingRestore => BackupStatus::Restoring,
                        same => same,
                    };
                });
                match changed {
                    Err(Error::NotFound { .. }) | Ok(_) => Ok(()),
                    Err(other) => Err(other),
                }
            }),
        }
        if number % 20 == 0 {
            let taken = dice.chance(50);
            write(&catalog, |tx| {
                if taken {
                    tx.trash().take_vault(&ours, &VAULT).map(drop)
                } else {
                    tx.trash().put_vault(&ours, &VAULT, times, &[]).map(drop)
                }
            });
        }
        assert_eq!(wrong(&catalog, ours), [""; 0], "after {number}");
    }
    assert!(there.len() > 100);
}

#[test]
fn a_transaction_that_fails_counts_nothing() {
    let catalog = Catalog::memory().unwrap();
    let ours = fill(&catalog).ours;
    let failed: Result<(), Error> = catalog.write(|tx| {
        tx.backups().insert(&numbered(ours, 1))?;
        tx.backups().insert(&numbered(ours, 1))
    });
    assert!(matches!(failed, Err(Error::Duplicate(_))));
    let none = BackupFilter::default();
    let count = catalog.read(|tx| tx.backups().count(&ours, &none));
    assert_eq!(count.unwrap(), 1);
    assert_eq!(wrong(&catalog, ours), [""; 0]);
}

#[test]
fn counts_that_were_edited_are_found_and_put_right() {
    let subject = in_file();
    let ours = fill(&subject.catalog).ours;
    let by_hand = rusqlite::Connection::open(subject.path()).unwrap();
    by_hand
        .execute_batch(
            "UPDATE project_usage SET used_bytes = 1, resources = 9;
             UPDATE backup_counts SET backups = 7;
             DELETE FROM backup_days;
             UPDATE backup_day_counts SET backups = backups + 1;
             UPDATE backup_places SET backups = 3 WHERE sorted_by = 'name';
             DELETE FROM backup_places WHERE sorted_by = 'id';
             UPDATE vault_resources SET backup_count = 70;",
        )
        .unwrap();
    let differences = || {
        let look = |tx: &Tx<'_>| tx.usage().differences(&ours);
        subject.catalog.read(look).unwrap()
    };
    assert_eq!(differences().len(), 7);
    write(&subject.catalog, |tx| tx.usage().repair(&ours));
    assert_eq!(differences(), [""; 0]);
    let sums = subject.catalog.read(|tx| tx.usage().of_project(&ours));
    let vault = sample::vault(ours);
    let sums = sums.unwrap();
    assert_eq!((sums.vaults, sums.resources), (1, 1));
    assert_eq!(sums.size_gib, vault.size_gib.0);
    assert_eq!(sums.used_bytes, vault.used_bytes);
}

#[test]
fn resources_in_vaults_are_paged_with_how_many_there_are() {
    let catalog = Catalog::memory().unwrap();
    let tenants = fill(&catalog);
    let list = |project: &ProjectId, filter: &PlaceFilter, page: &Page| {
        let found = catalog.read(|tx| tx.usage().places(project, filter, page));
        let (rows, total) = found.unwrap();
        (rows.len(), total)
    };
    let all = PlaceFilter::default();
    let page = Page::default();
    assert_eq!(list(&tenants.ours, &all, &page), (1, 1));
    assert_eq!(list(&tenants.theirs, &all, &page), (0, 0));
    let of = |kind| PlaceFilter {
        kinds: vec![kind],
        ..PlaceFilter::default()
    };
    assert_eq!(list(&tenants.ours, &of(ResourceKind::Share), &page), (1, 1));
    assert_eq!(
        list(&tenants.ours, &of(ResourceKind::Volume), &page),
        (0, 0)
    );
    for (marker, offset) in [
        (Some(RESOURCE.to_string()), 0),
        (Some("x".into()), 0),
        (None, 1),
    ] {
        let page = Page {
            marker,
            offset,
            limit: 10,
        };
        assert_eq!(list(&tenants.ours, &all, &page), (0, 1));
    }
}

/// More backups than a list walks through without looking for its place, over many days.
fn many() -> (Catalog, ProjectId, Vec<BackupRow>) {
    let catalog = Catalog::memory().unwrap();
    let ours = fill(&catalog).ours;
    let row = |number: u32| {
        let mut row = numbered(ours, number);
        row.name = format!("name {}", number % 3);
        row.status = BackupStatus::ALL[number as usize % 3];
        row.incremental = !number.is_multiple_of(50);
        // Four a day at odd times, some at the same instant.
        let at = i64::from(number / 4) * 86_400 + i64::from(number % 3) * 7 * HOUR;
        row.created_at = Timestamp::default().plus_seconds(at - 100 * 86_400);
        row.protected_at = (!number.is_multiple_of(5)).then_some(row.created_at);
        row
    };
    let mut all: Vec<_> = (0..2600).map(row).collect();
    write(&catalog, |tx| {
        tx.backups().remove(&ours, &BACKUP)?;
        all.iter().try_for_each(|row| tx.backups().insert(row))
    });
    all.sort_by_key(|row| (row.created_at, row.id));
    (catalog, ours, all)
}

/// Pages of what matches, from the oldest and from the newest, against skipping by hand.
fn pick(
    (catalog, ours, all): &(Catalog, ProjectId, Vec<BackupRow>),
    filter: &BackupFilter,
    fits: &dyn Fn(&BackupRow) -> bool,
) {
    let mut expected: Vec<_> = all.iter().filter(|row| fits(row)).cloned().collect();
    for (way, sort) in [
        (Ascending, vec![(BackupKey::CreatedAt, Ascending)]),
        (Descending, Vec::new()),
    ] {
        if way == Descending {
            expected.reverse();
        }
        for offset in [
            0, 1, 999, 1000, 1001, 1303, 1999, 2399, 2598, 2599, 2600, 9999,
        ] {
            let page = Page {
                limit: 7,
                offset,
                marker: None,
            };
            let found = catalog
                .read(|tx| tx.backups().list(ours, filter, &sort, &page))
                .unwrap();
            let from = expected.len().min(usize::try_from(offset).unwrap());
            let slice = &expected[from..expected.len().min(from + 7)];
            assert!(found.rows == slice, "{way:?} {offset} {filter:?}");
            assert_eq!(found.total, expected.len() as u64);
        }
    }
}

#[test]
fn deep_in_a_list_pages_are_what_skipping_would_give() {
    let many = many();
    let all = &many.2;
    let none = BackupFilter::default;
    pick(&many, &none(), &|_| true);
    let rare = BackupFilter {
        incremental: Some(false),
        ..none()
    };
    pick(&many, &rare, &|row| {
        !row.incremental || !row.incremental_asked
    });
    for (from, to) in [(0, 2599), (3, 2401), (40, 44), (1299, 2000)] {
        let (from, to) = (all[from].created_at, all[to].created_at);
        let filter = BackupFilter {
            created_from: Some(from),
            created_to: Some(to),
            ..none()
        };
        pick(&many, &filter, &|row| {
            row.created_at >= from && row.created_at <= to
        });
        let open = BackupFilter {
            created_to: None,
            ..filter
        };
        pick(&many, &open, &|row| row.created_at >= from);
        let until = BackupFilter {
            created_from: None,
            created_to: Some(to),
            ..none()
        };
        pick(&many, &until, &|row| row.created_at <= to);
    }
    let one = BackupFilter {
        created_from: Some(all[9].created_at),
        created_to: Some(all[5].created_at),
        ..none()
    };
    pick(&many, &one, &|_| false);
}

#[test]
fn a_sort_and_a_time_together_are_counted_and_paged_like_either() {
    let many = many();
    let all = &many.2;
    for (from, to) in [(0, 2599), (3, 2401), (40, 44), (1299, 2000)] {
        let (from, to) = (all[from].created_at, all[to].created_at);
        let statuses = BackupStatus::ALL[..2].to_vec();
        for (statuses, incremental) in [
            (statuses[..1].to_vec(), None),
            (statuses.clone(), Some(true)),
        ] {
            let sorts = BackupFilter {
                statuses: statuses.clone(),
                incremental,
                ..BackupFilter::default()
            };
            let fits = |row: &BackupRow| {
                let asked = row.incremental || row.incremental_asked;
                statuses.contains(&row.status) && (incremental.is_none() || asked)
            };
            for (from, to) in [(Some(from), Some(to)), (Some(from), None), (None, Some(to))] {
                let filter = BackupFilter {
                    created_from: from,
                    created_to: to,
                    ..sorts.clone()
                };
                pick(&many, &filter, &|row| {
                    let after = from.is_none_or(|from| row.created_at >= from);
                    fits(row) && after && to.is_none_or(|to| row.created_at <= to)
                });
            }
        }
    }
}

#[test]
fn every_order_is_the_same_by_offset_and_by_marker() {
    let (catalog, ours, _) = many();
    let keys = [
        BackupKey::CreatedAt,
        BackupKey::UpdatedAt,
        BackupKey::Name,
        BackupKey::Status,
        BackupKey::ProtectedAt,
        BackupKey::Id,
    ];
    for key in keys {
        for sort in [
            vec![(key, Ascending)],
            vec![(key, Descending)],
            vec![(key, Ascending), (BackupKey::UpdatedAt, Descending)],
        ] {
            let list = |offset, marker| {
                let page = Page {
                    limit: 1000,
                    offset,
                    marker,
                };
                let filter = BackupFilter::default();
                let list = |tx: &Tx<'_>| tx.backups().list(&ours, &filter, &sort, &page);
                catalog.read(list).unwrap().rows
            };
            let (mut by_offset, mut by_marker) = (Vec::new(), Vec::new());
            for offset in [0, 1000, 2000] {
                by_offset.extend(list(offset, None));
                let marker = by_marker.last().map(|row: &BackupRow| row.id.to_string());
                by_marker.extend(list(0, marker));
            }
            assert_eq!(by_offset.len(), 2600, "{sort:?}");
            assert!(by_offset == by_marker, "{sort:?}");
        }
    }
}

/// The page of seven at that offset, and what walking past all before it gives.
fn seven(catalog: &Catalog, ours: ProjectId, sort: (BackupKey, Direction), offset: u64) {
    let none = BackupFilter::default();
    let list = |limit, offset| {
        let page = Page {
            limit,
            offset,
            marker: None,
        };
        let list = |tx: &Tx<'_>| tx.backups().list(&ours, &none, &[sort], &page);
        catalog.read(list).unwrap()
    };
    let found = list(7, offset);
    // Shallow pages are skipped to.
    let shallow = offset.min(900);
    let marker = list(1, shallow).rows.pop();
    let Some(mut last) = marker else {
        assert!(found.rows.is_empty());
        return;
    };
    let mut walked = shallow;
    while walked < offset {
        let page = Page {
            limit: u32::try_from(offset - walked).unwrap().min(1000),
            offset: 0,
            marker: Some(last.id.to_string()),
        };
        let list = |tx: &Tx<'_>| tx.backups().list(&ours, &none, &[sort], &page);
        let rows = catalog.read(list).unwrap().rows;
        let Some(next) = rows.last().cloned() else {
            assert!(found.rows.is_empty(), "{sort:?} {offset}");
            return;
        };
        walked += rows.len() as u64;
        last = next;
    }
    assert_eq!(found.rows.first(), Some(&last), "{sort:?} {offset}");
}

#[test]
fn places_of_every_order_are_known_while_runs_grow_are_cut_and_vanish() {
    let catalog = Catalog::memory().unwrap();
    let ours = fill(&catalog).ours;
    let key = |number: u32| numbered(ours, number).id;
    let row = |number: u32| {
        let mut row = numbered(ours, number);
        row.name = format!("name {}", number % 7);
        row.status = BackupStatus::Available;
        row.created_at = Timestamp::default().plus_seconds(i64::from(number % 5000) * 60);
        row.updated_at = row.created_at.plus_seconds(i64::from(number % 11));
        row.protected_at = (!number.is_multiple_of(5)).then_some(row.created_at);
        row
    };
    let deep = |catalog: &Catalog| {
        for key in [
            BackupKey::UpdatedAt,
            BackupKey::Name,
            BackupKey::Status,
            BackupKey::ProtectedAt,
            BackupKey::Id,
        ] {
            for way in [Ascending, Descending] {
                for offset in [2047, 4097, 8999] {
                    seven(catalog, ours, (key, way), offset);
                }
            }
        }
    };
    write(&catalog, |tx| {
        (0..9000).try_for_each(|number| tx.backups().insert(&row(number)))
    });
    assert_eq!(wrong(&catalog, ours), [""; 0]);
    deep(&catalog);
    // Half of them go, a third is changed, all in the middle of the orders.
    write(&catalog, |tx| {
        for number in 0..9000 {
            match number % 6 {
                0..3 => drop(tx.backups().remove(&ours, &key(number))?),
                3..5 => {
                    let edit = |row: &mut BackupRow| {
                        row.name = "a new name".into();
                        row.status = BackupStatus::Deleting;
                        row.updated_at = row.updated_at.plus_seconds(i64::from(number));
                        row.protected_at = None;
                    };
                    tx.backups().change(&ours, &key(number), edit)?;
                }
                _ => {}
            }
        }
        Ok(())
    });
    assert_eq!(wrong(&catalog, ours), [""; 0]);
    deep(&catalog);
    write(&catalog, |tx| tx.usage().repair(&ours));
    assert_eq!(wrong(&catalog, ours), [""; 0]);
    deep(&catalog);
    write(&catalog, |tx| {
        (0..9000).try_for_each(|number| tx.backups().remove(&ours, &key(number)).map(drop))
    });
    assert_eq!(wrong(&catalog, ours), [""; 0]);
}
