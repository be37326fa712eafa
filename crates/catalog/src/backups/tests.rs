//! Every list of backups is answered by an index that has its order: nothing is sorted, nothing
//! is looked through. The database itself says so.

use std::cell::RefCell;

use strongroom_model::{
    BackupId, CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::BackupStatus,
};

use super::{BackupFilter, BackupKey};
use crate::{
    Direction::{Ascending, Descending},
    Page, Tx,
    backend::{Backend as _, Session, Verdict},
    error::Result,
    sqlite::Sqlite,
    table::Row,
    value::Value,
};

/// Asks for the plan of every query about backups before it is run.
struct Planner<'s> {
    session: &'s dyn Session,
    plans: RefCell<Vec<(String, String)>>,
}

impl Session for Planner<'_> {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        self.session.execute(sql, params)
    }

    fn query(
        &self,
        table: &'static str,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        if sql.contains("FROM backups") {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let mut plan = Vec::new();
            self.session.query("plan", &explain, params, &mut |row| {
                plan.extend(row.values.filter_map(|value| match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                }));
                Ok(())
            })?;
            let plan = plan.join("; ");
            self.plans.borrow_mut().push((sql.to_owned(), plan));
        }
        self.session.query(table, sql, params, each)
    }
}

/// The plans of the queries that `body` makes on an empty catalog.
fn plans(body: impl Fn(&Tx<'_>)) -> Vec<(String, String)> {
    let database = Sqlite::memory().unwrap();
    let mut plans = Vec::new();
    database
        .write(&mut |session| {
            let planner = Planner {
                session,
                plans: RefCell::default(),
            };
            body(&Tx::new(&planner));
            plans = planner.plans.into_inner();
            Verdict::Rollback
        })
        .unwrap();
    plans
}

#[track_caller]
fn nothing_is_sorted_or_looked_through(body: impl Fn(&Tx<'_>)) {
    let plans = plans(body);
    assert!(!plans.is_empty());
    for (sql, plan) in plans {
        let fine = !plan.contains("TEMP B-TREE") && !plan.contains("SCAN backups");
        assert!(fine, "{sql}\n{plan}");
    }
}

const OURS: ProjectId = ProjectId::from_bytes([1; 16]);
const KEYS: [BackupKey; 6] = [
    BackupKey::CreatedAt,
    BackupKey::UpdatedAt,
    BackupKey::Name,
    BackupKey::Status,
    BackupKey::ProtectedAt,
    BackupKey::Id,
];

#[test]
fn each_order_is_an_index() {
    for key in KEYS {
        for way in [Ascending, Descending] {
            nothing_is_sorted_or_looked_through(|tx| {
                let (ours, page) = (super::own(&OURS), Page::default());
                let order = super::order(&[(key, way)]);
                tx.list_counted::<super::BackupRow>(&ours, ours.clone(), &order, &page, 1)
                    .unwrap();
            });
        }
    }
}

type Edit = fn(&mut BackupFilter);

/// Each filter with the index that answers it.
const FILTERS: &[(&str, Edit)] = &[
    ("vault", |f| f.vault_id = Some(VaultId::from_bytes([1; 16]))),
    ("checkpoint", |f| {
        f.checkpoint_id = Some(CheckpointId::from_bytes([1; 16]));
    }),
    ("resource", |f| {
        f.resource_id = Some(ResourceId::from_bytes([1; 16]));
    }),
    ("resource_name", |f| f.resource_name = Some("a".into())),
    ("kind", |f| f.kind = Some(ResourceKind::Share)),
    ("name", |f| f.name = Some("a".into())),
    ("status", |f| f.statuses = vec![BackupStatus::Error]),
    ("full", |f| f.incremental = Some(false)),
    ("order", |f| f.incremental = Some(true)),
    ("parts", |f| {
        f.parent_id = Some(BackupId::from_bytes([1; 16]));
    }),
    ("order", |f| f.created_from = Some(Timestamp::default())),
    ("order", |f| f.created_to = Some(Timestamp::default())),
    ("order", |f| f.enterprise_project_id = Some("0".into())),
    ("order", |f| f.vault_used_percent = Some(10)),
    ("order", |f| {
        f.statuses = vec![BackupStatus::Error, BackupStatus::Available];
    }),
];

#[test]
fn each_filter_has_an_index_in_the_default_order() {
    for (index, edit) in FILTERS {
        let mut filter = BackupFilter::default();
        edit(&mut filter);
        let found = plans(|tx| {
            let page = Page::default();
            // As if everything matched: nothing is not even looked for.
            let all = filter.apply(super::own(&OURS), super::Way::Walk);
            let (ours, order) = (super::own(&OURS), super::order(&[]));
            tx.list_counted::<super::BackupRow>(&ours, all, &order, &page, 1)
                .unwrap();
        });
        let (sql, plan) = &found[0];
        let used = format!("INDEX backups_{index} ");
        let fine = plan.contains(&used) && !plan.contains("TEMP B-TREE");
        assert!(fine, "{index}: {sql}\n{plan}");
    }
}

#[test]
fn what_is_rare_is_collected_and_then_sorted() {
    let filters = [
        BackupFilter {
            enterprise_project_id: Some("1".into()),
            ..BackupFilter::default()
        },
        BackupFilter {
            vault_used_percent: Some(10),
            ..BackupFilter::default()
        },
    ];
    for filter in filters {
        let found = plans(|tx| {
            let all = filter.apply(super::own(&OURS), super::Way::Collect);
            let order = super::collecting(super::order(&[]));
            let page = Page::default();
            let list =
                tx.list_counted::<super::BackupRow>(&super::own(&OURS), all, &order, &page, 1);
            list.unwrap();
        });
        let (sql, plan) = &found[0];
        assert!(plan.contains("INDEX backups_vault "), "{sql}\n{plan}");
    }
}

#[test]
fn a_list_that_goes_on_begins_at_its_place() {
    for key in KEYS {
        let order = super::order(&[(key, Descending)]);
        let values = vec![Value::Text("a".into()); order.len()];
        let found = plans(|tx| {
            let filter = super::own(&OURS).after(&order, &values);
            tx.select::<super::BackupRow>(&filter, &order).unwrap();
        });
        let (sql, plan) = &found[0];
        // The project, and a bound on the first key.
        assert!(
            plan.contains('<') && !plan.contains("TEMP"),
            "{sql}\n{plan}"
        );
    }
}

#[test]
fn where_a_list_begins_is_found_without_reading_rows() {
    for key in KEYS {
        let order = super::order(&[(key, Ascending)]);
        let found = plans(|tx| {
            let filter = super::own(&OURS);
            tx.values_at::<super::BackupRow>(&filter, &order, 2000, 9000)
                .unwrap();
        });
        let (sql, plan) = &found[0];
        assert!(plan.contains("COVERING INDEX"), "{sql}\n{plan}");
    }
}

#[test]
fn the_parts_of_a_backup_are_looked_up() {
    nothing_is_looked_through(|tx| {
        let parents = [BackupId::from_bytes([1; 16]), BackupId::from_bytes([2; 16])];
        tx.backups().parts_of(&OURS, &parents).unwrap();
        tx.backups().parts_of(&OURS, &parents[..1]).unwrap();
    });
    nothing_is_looked_through(|tx| {
        let expired = BackupFilter {
            expired_to: Some(Timestamp::default()),
            ..BackupFilter::default()
        };
        let all = Page::ALL;
        tx.backups().any_project_list(&expired, &[], &all).unwrap();
    });
}

#[track_caller]
fn nothing_is_looked_through(body: impl Fn(&Tx<'_>)) {
    for (sql, plan) in plans(body) {
        let good = ["backups_parts", "backups_expiry"];
        assert!(
            good.iter().any(|index| plan.contains(index)),
            "{sql}\n{plan}"
        );
    }
}
