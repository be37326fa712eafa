//! Lists: filters, order, pages and markers, against a plain model of what they should answer.

use proptest::prelude::*;
use strongroom_catalog::{
    BackupFilter, BackupKey, BackupRow, Catalog,
    Direction::{self, Ascending, Descending},
    Error, Page,
};
use strongroom_model::{BackupId, GiB, ProjectId, state::BackupStatus};

use crate::{
    backends::at,
    sample::{self, VAULT, fill},
};

/// A backup whose sortable fields repeat, so that ties are common.
fn backup(project: ProjectId, number: u8) -> BackupRow {
    let mut row = sample::backup(project);
    // Ids in another order than numbers.
    row.id = BackupId::from_bytes([number.wrapping_mul(37); 16]);
    row.name = format!("name {}", number % 3);
    row.status = BackupStatus::ALL[usize::from(number) % BackupStatus::ALL.len()];
    row.incremental = number.is_multiple_of(2);
    row.created_at = at(i64::from(number) / 4);
    row.updated_at = at(i64::from(number) % 5);
    row.protected_at = (!number.is_multiple_of(3)).then(|| at(i64::from(number) % 7));
    row
}

fn with_backups(rows: u8) -> (Catalog, ProjectId, Vec<BackupRow>) {
    let catalog = Catalog::memory().unwrap();
    let tenants = fill(&catalog);
    let all: Vec<_> = (1..=rows)
        .map(|number| backup(tenants.ours, number))
        .collect();
    catalog
        .write(|tx| {
            tx.backups().remove(&tenants.ours, &sample::BACKUP)?;
            all.iter().try_for_each(|row| tx.backups().insert(row))
        })
        .unwrap();
    (catalog, tenants.ours, all)
}

/// The order asked for, on plain rows.
fn sort(rows: &mut [BackupRow], asked: &[(BackupKey, Direction)]) {
    let mut keys = asked.to_vec();
    if keys.is_empty() {
        keys.push((BackupKey::CreatedAt, Descending));
    }
    let (key, last) = *keys.last().unwrap();
    if [BackupKey::Name, BackupKey::Status].contains(&key) {
        keys.push((BackupKey::CreatedAt, last));
    }
    keys.push((BackupKey::Id, last));
    rows.sort_by(|a, b| {
        let mut result = std::cmp::Ordering::Equal;
        for (key, direction) in &keys {
            let one = match key {
                BackupKey::CreatedAt => a.created_at.cmp(&b.created_at),
                BackupKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
                BackupKey::Name => a.name.cmp(&b.name),
                BackupKey::Status => a.status.as_str().cmp(b.status.as_str()),
                BackupKey::ProtectedAt => a.protected_at.cmp(&b.protected_at),
                BackupKey::Id => a.id.cmp(&b.id),
            };
            result = result.then(if *direction == Ascending {
                one
            } else {
                one.reverse()
            });
        }
        result
    });
}

fn keys() -> impl Strategy<Value = Vec<(BackupKey, Direction)>> {
    let key = prop::sample::select(vec![
        BackupKey::CreatedAt,
        BackupKey::UpdatedAt,
        BackupKey::Name,
        BackupKey::Status,
        BackupKey::ProtectedAt,
        BackupKey::Id,
    ]);
    let way = prop::sample::select(vec![Ascending, Descending]);
    prop::collection::vec((key, way), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_by_marker_and_by_offset_are_slices_of_the_sorted_list(
        count in 0_u8..40,
        order in keys(),
        limit in 1_u32..10,
        statuses in prop::sample::subsequence(BackupStatus::ALL.to_vec(), 0..4),
    ) {
        let (catalog, ours, mut expected) = with_backups(count);
        let filter = BackupFilter { statuses: statuses.clone(), ..BackupFilter::default() };
        expected.retain(|row| statuses.is_empty() || statuses.contains(&row.status));
        sort(&mut expected, &order);
        let list = |page: &Page| {
            catalog.read(|tx| tx.backups().list(&ours, &filter, &order, page)).unwrap()
        };
        let (mut by_marker, mut by_offset) = (Vec::new(), Vec::new());
        let mut marker = None;
        loop {
            let found = list(&Page { limit, offset: 0, marker });
            prop_assert_eq!(found.total, expected.len() as u64);
            let Some(last) = found.rows.last() else { break };
            marker = Some(last.id.to_string());
            by_marker.extend(found.rows);
        }
        loop {
            let found = list(&Page { limit, offset: by_offset.len() as u64, marker: None });
            if found.rows.is_empty() {
                break;
            }
            by_offset.extend(found.rows);
        }
        prop_assert_eq!(&by_marker, &expected);
        prop_assert_eq!(&by_offset, &expected);
    }
}

#[test]
fn a_marker_whose_row_changed_state_goes_on_and_one_that_vanished_ends_the_list() {
    let (catalog, ours, _) = with_backups(12);
    let available = BackupFilter {
        statuses: vec![BackupStatus::Available, BackupStatus::Protecting],
        ..BackupFilter::default()
    };
    let list = |page: &Page| {
        catalog
            .read(|tx| tx.backups().list(&ours, &available, &[], page))
            .unwrap()
    };
    let all = list(&Page::default());
    assert!(all.rows.len() > 2);
    let first = all.rows[0].clone();
    let next = match first.status {
        BackupStatus::Available => BackupStatus::Deleting,
        _ => BackupStatus::Error,
    };
    catalog
        .write(|tx| {
            tx.backups()
                .change(&ours, &first.id, |row| row.status = next)
        })
        .unwrap();
    let page = Page {
        marker: Some(first.id.to_string()),
        ..Page::default()
    };
    assert_eq!(list(&page).rows, all.rows[1..]);
    catalog
        .write(|tx| tx.backups().remove(&ours, &first.id))
        .unwrap();
    let after = list(&page);
    assert_eq!((after.rows.len(), after.total), (0, all.total - 1));
    for nonsense in ["", "no id", "' OR 1=1 --"] {
        let page = Page {
            marker: Some(nonsense.into()),
            ..Page::default()
        };
        assert_eq!(list(&page).rows, []);
    }
}

#[test]
fn filters_take_away_all_that_does_not_fit() {
    let (catalog, ours, all) = with_backups(30);
    let count = |filter: &BackupFilter| {
        catalog
            .read(|tx| tx.backups().count(&ours, filter))
            .unwrap()
    };
    let none = BackupFilter::default;
    let expected =
        |fits: &dyn Fn(&BackupRow) -> bool| all.iter().filter(|row| fits(row)).count() as u64;
    assert_eq!(count(&none()), 30);
    assert_eq!(
        count(&BackupFilter {
            incremental: Some(false),
            ..none()
        }),
        expected(&|row| !row.incremental)
    );
    assert_eq!(
        count(&BackupFilter {
            created_from: Some(at(2)),
            created_to: Some(at(4)),
            ..none()
        }),
        expected(&|row| row.created_at >= at(2) && row.created_at <= at(4))
    );
    assert_eq!(
        count(&BackupFilter {
            name: Some("name 1".into()),
            ..none()
        }),
        expected(&|row| row.name == "name 1")
    );
    assert_eq!(
        count(&BackupFilter {
            name: Some("NAME 1".into()),
            ..none()
        }),
        0
    );
    assert_eq!(
        count(&BackupFilter {
            ids: vec![all[0].id, all[3].id],
            ..none()
        }),
        2
    );
    assert_eq!(
        count(&BackupFilter {
            parent_id: Some(all[0].id),
            ..none()
        }),
        0
    );
}

#[test]
fn backups_are_found_by_the_enterprise_project_and_the_fill_of_their_vault() {
    let (catalog, ours, _) = with_backups(30);
    let count = |filter: &BackupFilter| {
        catalog
            .read(|tx| tx.backups().count(&ours, filter))
            .unwrap()
    };
    let none = BackupFilter::default;
    for (project, found) in [("0", 30), ("1", 0)] {
        let filter = BackupFilter {
            enterprise_project_id: Some(project.into()),
            ..none()
        };
        assert_eq!(count(&filter), found);
    }
    catalog
        .write(|tx| {
            tx.vaults().change(&ours, &VAULT, |vault| {
                vault.size_gib = GiB(10);
                vault.used_bytes = strongroom_model::Bytes(5 << 30);
            })
        })
        .unwrap();
    for (percent, found) in [(1, 30), (50, 30), (51, 0)] {
        let filter = BackupFilter {
            vault_used_percent: Some(percent),
            ..none()
        };
        assert_eq!(count(&filter), found, "{percent}");
    }
}

#[test]
fn the_newest_backup_to_build_upon_is_a_good_one_with_data() {
    let (catalog, ours, _) = with_backups(0);
    let newest = || {
        let found = catalog
            .read(|tx| tx.backups().newest_good(&ours, &VAULT, &sample::RESOURCE))
            .unwrap();
        found.map(|row| row.created_at)
    };
    assert_eq!(newest(), None);
    let add = |number: u8, edit: fn(&mut BackupRow)| {
        let mut row = backup(ours, 1);
        row.id = BackupId::from_bytes([number; 16]);
        row.status = BackupStatus::Available;
        row.created_at = at(i64::from(number));
        edit(&mut row);
        catalog
            .write::<_, Error>(|tx| tx.backups().insert(&row))
            .unwrap();
    };
    add(1, |_| {});
    add(2, |row| row.status = BackupStatus::Restoring);
    add(3, |row| row.status = BackupStatus::Error);
    add(4, |row| row.manifest_id = None);
    add(5, |row| row.status = BackupStatus::WaitingDelete);
    assert_eq!(newest(), Some(at(2)));
}
