//! Where a place deep in a list of backups is, for the orders that are not by age.
//!
//! The database keeps, for each order, runs of at most some thousand backups with the key that each
//! begins at (see the migration). The run that holds a place is found by adding up their lengths;
//! from there it is a short walk over keys. The order by age has its days instead (`usage`).

use strongroom_model::ProjectId;

use super::{BackupRow, own};
use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Key,
    },
    table::Row,
    tx::Tx,
    value::{Field as _, Value},
};

/// The orders that have runs: their name in the table, and how many keys they sort by.
const ORDERS: &[(&str, &[&str])] = &[
    ("id", &["id"]),
    ("name", &["name", "created_at", "id"]),
    ("protected_at", &["COALESCE(protected_at, -1)", "id"]),
    ("status", &["status", "created_at", "id"]),
    ("updated_at", &["updated_at", "id"]),
];

/// The name of an order that has runs.
fn named(order: &[Key]) -> Option<&'static str> {
    let (_, way) = order.first()?;
    if order.iter().any(|(_, other)| other != way) {
        return None;
    }
    let is = |keys: &[&str]| keys.iter().eq(order.iter().map(|(key, _)| key));
    let found = ORDERS.iter().find(|(_, keys)| is(keys))?;
    Some(found.0)
}

/// The values by which the project's backup at that place of the list is sorted; none if the order
/// has no runs, or the place is past the end.
pub(super) fn values_at(
    tx: &Tx<'_>,
    project: &ProjectId,
    order: &[Key],
    (place, total): (u64, u64),
) -> Result<Option<Vec<Value>>> {
    let (Some(name), Some(from_end)) = (named(order), total.checked_sub(place + 1)) else {
        return Ok(None);
    };
    let rank = match order[0].1 {
        Ascending => place,
        Descending => from_end,
    };
    let sql = "SELECT key, then_by, id, passed FROM (SELECT key, then_by, id, backups, \
               SUM(backups) OVER (ORDER BY key, then_by, id) - backups AS passed \
               FROM backup_places WHERE project_id = ?1 AND sorted_by = ?2) \
               WHERE passed <= ?3 AND passed + backups > ?3";
    let params = [
        project.to_value(),
        Value::Text(name.to_owned()),
        rank.to_value(),
    ];
    let mut runs = tx.query("backup_places", sql, &params, |row: &mut Row| {
        let mut keys = row.values.by_ref().take(3).collect::<Vec<_>>();
        let passed = row.take::<u64>("passed")?;
        match order.len() {
            1 => keys.truncate(1),
            2 => drop(keys.remove(1)),
            _ => {}
        }
        Ok((keys, passed))
    })?;
    let Some((low, passed)) = runs.pop() else {
        return Ok(None);
    };
    let upwards: Vec<Key> = order.iter().map(|(key, _)| (*key, Ascending)).collect();
    let run = own(project).from(&upwards, &low);
    // Forward from the run's beginning, however much there is behind it.
    tx.values_at::<BackupRow>(&run, &upwards, rank - passed, u64::MAX)
}
