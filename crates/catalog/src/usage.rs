//! What is counted once and kept true: sums of a project, numbers of backups by sort and by day.
//!
//! Triggers of the database keep these tables in the statement that changes what they count (see
//! the migration), so nothing here adds or takes away. What is here reads them, and counts all of
//! it again from the rows to find out whether they are true: a catalog that was edited by hand or
//! damaged tells so instead of answering wrongly for ever.

use strongroom_model::{Bytes, ProjectId, ResourceId, ResourceKind, Timestamp};

use crate::{
    error::Result,
    query::Page,
    table::{Row, Table},
    tx::Tx,
    value::{Field, Value},
    vaults::VaultResourceRow,
};

/// The sums of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ProjectUsage {
    /// Vaults that are not in the trash.
    pub vaults: u64,
    /// The sum of their sizes.
    pub size_gib: u64,
    /// The sum of what they use.
    pub used_bytes: Bytes,
    /// Resources in them.
    pub resources: u64,
}

/// A resource in a vault, with its name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceRow {
    /// Its place.
    pub place: VaultResourceRow,
    /// The resource's name.
    pub name: String,
    /// The resource's kind.
    pub kind: ResourceKind,
}

/// Which resources in vaults are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct PlaceFilter {
    /// This one.
    pub resource_id: Option<ResourceId>,
    /// Of one of these kinds.
    pub kinds: Vec<ResourceKind>,
}

/// One thing that is counted: what it is, how it is counted, where the result is kept, and how
/// it is put right. `?1` is the project.
struct Count {
    what: &'static str,
    counted: &'static str,
    kept: &'static str,
    repair: &'static [&'static str],
}

/// The runs of an order: `$key`, `$then` and the order's keys stand for its own.
macro_rules! runs {
    ($what:literal, $name:literal, $key:literal, $then:literal, $order:literal, $least:literal,
     $row:literal, $low:literal, $next:literal) => {
        Count {
            what: $what,
            counted: concat!(
                "SELECT key, then_by, id, (SELECT COUNT(*) FROM backups WHERE project_id = ?1 \
                 AND trashed_at IS NULL AND ", $key, " >= p.key AND ", $row, " >= ", $low,
                " AND (p.next_key IS NULL OR ", $row, " < ", $next, ")) \
                 FROM (SELECT key, then_by, id, LEAD(key) OVER w AS next_key, \
                 LEAD(then_by) OVER w AS next_then, LEAD(id) OVER w AS next_id \
                 FROM backup_places WHERE project_id = ?1 AND sorted_by = '", $name, "' \
                 WINDOW w AS (ORDER BY key, then_by, id)) p \
                 UNION ALL SELECT 'all', 0, 'all', COUNT(*) FROM backups \
                 WHERE project_id = ?1 AND trashed_at IS NULL"
            ),
            kept: concat!(
                "SELECT key, then_by, id, backups FROM backup_places \
                 WHERE project_id = ?1 AND sorted_by = '", $name, "' \
                 UNION ALL SELECT 'all', 0, 'all', COALESCE(SUM(backups), 0) FROM backup_places \
                 WHERE project_id = ?1 AND sorted_by = '", $name, "'"
            ),
            repair: &[
                concat!(
                    "DELETE FROM backup_places WHERE project_id = ?1 AND sorted_by = '", $name, "'"
                ),
                concat!(
                    "INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups) \
                     SELECT ?1, '", $name, "', ", $least, ", -9223372036854775808, '', \
                     MIN(2048, COUNT(*)) FROM backups WHERE project_id = ?1 \
                     AND trashed_at IS NULL"
                ),
                concat!(
                    "INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups) \
                     SELECT ?1, '", $name, "', key, then_by, id, MIN(2048, others - passed) \
                     FROM (SELECT ", $key, " AS key, ", $then, " AS then_by, id, \
                     ROW_NUMBER() OVER (ORDER BY ", $order, ") - 1 AS passed, \
                     COUNT(*) OVER () AS others FROM backups WHERE project_id = ?1 \
                     AND trashed_at IS NULL) WHERE passed > 0 AND passed % 2048 = 0"
                ),
            ],
        }
    };
}

const COUNTS: &[Count] = &[
    Count {
        what: "the sums over the vaults",
        counted: "SELECT COUNT(*), COALESCE(SUM(size_gib), 0), COALESCE(SUM(used_bytes), 0), \
                  (SELECT COUNT(*) FROM vault_resources WHERE project_id = ?1) \
                  FROM vaults WHERE project_id = ?1 AND trashed_at IS NULL",
        kept: "SELECT COALESCE(SUM(vaults), 0), COALESCE(SUM(size_gib), 0), \
               COALESCE(SUM(used_bytes), 0), COALESCE(SUM(resources), 0) \
               FROM project_usage WHERE project_id = ?1",
        repair: &[
            "DELETE FROM project_usage WHERE project_id = ?1",
            "INSERT INTO project_usage SELECT ?1, COUNT(*), COALESCE(SUM(size_gib), 0), \
             COALESCE(SUM(used_bytes), 0), \
             (SELECT COUNT(*) FROM vault_resources WHERE project_id = ?1) \
             FROM vaults WHERE project_id = ?1 AND trashed_at IS NULL",
        ],
    },
    Count {
        what: "the numbers of backups by sort",
        counted: "SELECT vault_id, status, kind, incremental, incremental_asked, COUNT(*) \
                  FROM backups WHERE project_id = ?1 AND trashed_at IS NULL \
                  GROUP BY 1, 2, 3, 4, 5",
        kept: "SELECT vault_id, status, kind, incremental, incremental_asked, backups \
               FROM backup_counts WHERE project_id = ?1",
        repair: &[
            "DELETE FROM backup_counts WHERE project_id = ?1",
            "INSERT INTO backup_counts SELECT project_id, vault_id, status, kind, incremental, \
             incremental_asked, COUNT(*) FROM backups \
             WHERE project_id = ?1 AND trashed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6",
        ],
    },
    Count {
        what: "the numbers of backups by day",
        counted: "SELECT created_at / 86400000000 - (created_at % 86400000000 < 0), COUNT(*) \
                  FROM backups WHERE project_id = ?1 AND trashed_at IS NULL GROUP BY 1",
        kept: "SELECT day, backups FROM backup_days WHERE project_id = ?1",
        repair: &[
            "DELETE FROM backup_days WHERE project_id = ?1",
            "INSERT INTO backup_days SELECT project_id, \
             created_at / 86400000000 - (created_at % 86400000000 < 0), COUNT(*) \
             FROM backups WHERE project_id = ?1 AND trashed_at IS NULL GROUP BY 1, 2",
        ],
    },
    Count {
        what: "the numbers of backups by sort and day",
        counted: "SELECT created_at / 86400000000 - (created_at % 86400000000 < 0), status, kind, \
                  incremental, incremental_asked, COUNT(*) FROM backups \
                  WHERE project_id = ?1 AND trashed_at IS NULL GROUP BY 1, 2, 3, 4, 5",
        kept: "SELECT day, status, kind, incremental, incremental_asked, backups \
               FROM backup_day_counts WHERE project_id = ?1",
        repair: &[
            "DELETE FROM backup_day_counts WHERE project_id = ?1",
            "INSERT INTO backup_day_counts SELECT project_id, \
             created_at / 86400000000 - (created_at % 86400000000 < 0), status, kind, \
             incremental, incremental_asked, COUNT(*) FROM backups \
             WHERE project_id = ?1 AND trashed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6",
        ],
    },
    runs!(
        "the places by id",
        "id",
        "id",
        "0",
        "id",
        "''",
        "id",
        "p.key",
        "p.next_key"
    ),
    runs!(
        "the places by name",
        "name",
        "name",
        "created_at",
        "name, created_at, id",
        "''",
        "(name, created_at, id)",
        "(p.key, p.then_by, p.id)",
        "(p.next_key, p.next_then, p.next_id)"
    ),
    runs!(
        "the places by when data were complete",
        "protected_at",
        "COALESCE(protected_at, -1)",
        "0",
        "COALESCE(protected_at, -1), id",
        "-9223372036854775808",
        "(COALESCE(protected_at, -1), id)",
        "(p.key, p.id)",
        "(p.next_key, p.next_id)"
    ),
    runs!(
        "the places by state",
        "status",
        "status",
        "created_at",
        "status, created_at, id",
        "''",
        "(status, created_at, id)",
        "(p.key, p.then_by, p.id)",
        "(p.next_key, p.next_then, p.next_id)"
    ),
    runs!(
        "the places by change",
        "updated_at",
        "updated_at",
        "0",
        "updated_at, id",
        "-9223372036854775808",
        "(updated_at, id)",
        "(p.key, p.id)",
        "(p.next_key, p.next_id)"
    ),
    Count {
        what: "what resources' backups take",
        counted: "SELECT vault_id, resource_id, \
                  (SELECT COUNT(*) FROM backups b WHERE b.project_id = ?1 \
                   AND b.resource_id = r.resource_id AND b.vault_id = r.vault_id \
                   AND b.trashed_at IS NULL AND b.manifest_id IS NOT NULL), \
                  (SELECT COALESCE(SUM(stored_bytes), 0) FROM backups b WHERE b.project_id = ?1 \
                   AND b.resource_id = r.resource_id AND b.vault_id = r.vault_id \
                   AND b.trashed_at IS NULL AND b.manifest_id IS NOT NULL) \
                  FROM vault_resources r WHERE project_id = ?1",
        kept: "SELECT vault_id, resource_id, backup_count, backup_size_bytes \
               FROM vault_resources WHERE project_id = ?1",
        repair: &["UPDATE vault_resources SET \
             backup_count = (SELECT COUNT(*) FROM backups b WHERE b.project_id = ?1 \
              AND b.resource_id = vault_resources.resource_id \
              AND b.vault_id = vault_resources.vault_id \
              AND b.trashed_at IS NULL AND b.manifest_id IS NOT NULL), \
             backup_size_bytes = (SELECT COALESCE(SUM(stored_bytes), 0) FROM backups b \
              WHERE b.project_id = ?1 AND b.resource_id = vault_resources.resource_id \
              AND b.vault_id = vault_resources.vault_id \
              AND b.trashed_at IS NULL AND b.manifest_id IS NOT NULL) \
             WHERE project_id = ?1"],
    },
];

/// Resources in vaults, with what is known of them.
const TABLES: &str = "vault_resources p JOIN resources r ON r.id = p.resource_id";

/// The counts.
pub struct Usage<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// What is counted once and kept true.
    pub fn usage(&self) -> Usage<'_> {
        Usage(self)
    }
}

impl Usage<'_> {
    /// The sums of a project.
    pub fn of_project(&self, project: &ProjectId) -> Result<ProjectUsage> {
        let sql = "SELECT vaults, size_gib, used_bytes, resources FROM project_usage \
                   WHERE project_id = ?1";
        let found = self
            .0
            .query("project_usage", sql, &[project.to_value()], |row| {
                Ok(ProjectUsage {
                    vaults: row.take("vaults")?,
                    size_gib: row.take("size_gib")?,
                    used_bytes: row.take("used_bytes")?,
                    resources: row.take("resources")?,
                })
            })?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// One page of the project's resources in vaults, in the order they were added, and how many
    /// there are.
    pub fn places(
        &self,
        project: &ProjectId,
        filter: &PlaceFilter,
        page: &Page,
    ) -> Result<(Vec<PlaceRow>, u64)> {
        let mut clauses = vec!["p.project_id = ?1".to_owned()];
        let mut params = vec![project.to_value()];
        if let Some(resource) = &filter.resource_id {
            params.push(resource.to_value());
            clauses.push(format!("p.resource_id = ?{}", params.len()));
        }
        if !filter.kinds.is_empty() {
            let mut places = Vec::new();
            for kind in &filter.kinds {
                params.push(kind.to_value());
                places.push(format!("?{}", params.len()));
            }
            clauses.push(format!("r.kind IN ({})", places.join(", ")));
        }
        let total = if filter.resource_id.is_none() && filter.kinds.is_empty() {
            self.of_project(project)?.resources
        } else {
            let sql = format!(
                "SELECT COUNT(*) FROM {TABLES} WHERE {}",
                clauses.join(" AND ")
            );
            let count = |row: &mut Row| row.take("count");
            let found = self.0.query("vault_resources", &sql, &params, count)?;
            found.first().copied().unwrap_or(0)
        };
        if let Some(marker) = &page.marker {
            params.push(Value::Text(marker.clone()));
            let place = params.len();
            // No such resource, no row: nothing comes after null.
            clauses.push(format!(
                "(p.added_at, p.resource_id) > (SELECT added_at, resource_id FROM \
                 vault_resources WHERE project_id = ?1 AND resource_id = ?{place})"
            ));
        }
        params.extend([page.limit.to_value(), page.offset.to_value()]);
        let columns = VaultResourceRow::COLUMNS.iter();
        let sql = format!(
            "SELECT {}, r.name, r.kind FROM {TABLES} WHERE {} \
             ORDER BY p.added_at, p.resource_id LIMIT ?{} OFFSET ?{}",
            columns
                .map(|name| format!("p.{name}"))
                .collect::<Vec<_>>()
                .join(", "),
            clauses.join(" AND "),
            params.len() - 1,
            params.len()
        );
        let rows = self.0.query("vault_resources", &sql, &params, |row| {
            Ok(PlaceRow {
                place: VaultResourceRow::read(row)?,
                name: row.take("name")?,
                kind: row.take("kind")?,
            })
        })?;
        Ok((rows, total))
    }

    /// The project after that one, by id; for upkeep.
    pub fn any_project_next(&self, after: Option<&ProjectId>) -> Result<Option<ProjectId>> {
        let sql = "SELECT id FROM projects WHERE id > ?1 ORDER BY id LIMIT 1";
        let after = after.map_or(Value::Text(String::new()), Field::to_value);
        let found = self
            .0
            .query("projects", sql, &[after], |row| row.take("id"))?;
        Ok(found.first().copied())
    }

    /// Counts everything of a project again: what of it is not as it is kept.
    pub fn differences(&self, project: &ProjectId) -> Result<Vec<&'static str>> {
        let mut wrong = Vec::new();
        for Count {
            what,
            counted,
            kept,
            ..
        } in COUNTS
        {
            let sql = format!(
                "SELECT (SELECT COUNT(*) FROM (SELECT * FROM ({counted}) \
                 EXCEPT SELECT * FROM ({kept}))) + (SELECT COUNT(*) FROM \
                 (SELECT * FROM ({kept}) EXCEPT SELECT * FROM ({counted})))"
            );
            let params = [project.to_value()];
            let count = |row: &mut Row| row.take::<u64>("differences");
            if self.0.query("usage", &sql, &params, count)? != [0] {
                wrong.push(*what);
            }
        }
        Ok(wrong)
    }

    /// Keeps what is counted now.
    pub fn repair(&self, project: &ProjectId) -> Result<()> {
        for sql in COUNTS.iter().flat_map(|count| count.repair) {
            self.0.execute(sql, &[project.to_value()])?;
        }
        Ok(())
    }

    /// How many backups there were asked for from and to those times, both included.
    ///
    /// Whole days are known; what is left of the first and the last is counted.
    pub(crate) fn backups_between(
        &self,
        project: &ProjectId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<u64> {
        let first = from.map_or(i64::MIN, Timestamp::as_micros);
        let last = to.map_or(i64::MAX, Timestamp::as_micros);
        if first > last {
            return Ok(0);
        }
        let Some(days) = Days::within(from, to) else {
            return self.count_between(project, first, last);
        };
        let sql = "SELECT COALESCE(SUM(backups), 0) FROM backup_days \
                   WHERE project_id = ?1 AND day >= ?2 AND day <= ?3";
        let params = [
            project.to_value(),
            Value::Integer(days.first.unwrap_or(i64::MIN)),
            Value::Integer(days.last.unwrap_or(i64::MAX)),
        ];
        let sum = |row: &mut Row| row.take::<u64>("backups");
        let mut all = self.0.query("backup_days", sql, &params, sum)?[0];
        if let Some(begin) = days.begin() {
            all += self.count_between(project, first, begin.as_micros() - 1)?;
        }
        if let Some(end) = days.end() {
            all += self.count_between(project, end.as_micros(), last)?;
        }
        Ok(all)
    }

    fn count_between(&self, project: &ProjectId, first: i64, last: i64) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM backups WHERE project_id = ?1 AND trashed_at IS NULL \
                   AND created_at >= ?2 AND created_at <= ?3";
        let params = [
            project.to_value(),
            Value::Integer(first),
            Value::Integer(last),
        ];
        let count = |row: &mut Row| row.take::<u64>("count");
        Ok(self.0.query("backups", sql, &params, count)?[0])
    }

    /// The day on which the backup at that place of the list by age lies, from the newest or else
    /// from the oldest, with how many lie before the day in that order; none past the end.
    pub(crate) fn day_of_place(
        &self,
        project: &ProjectId,
        newest_first: bool,
        place: u64,
    ) -> Result<Option<(Timestamp, Timestamp, u64)>> {
        let way = if newest_first { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT day, passed FROM (SELECT day, backups, \
             SUM(backups) OVER (ORDER BY day {way}) - backups AS passed FROM backup_days \
             WHERE project_id = ?1) WHERE passed <= ?2 AND passed + backups > ?2"
        );
        let params = [project.to_value(), place.to_value()];
        let found = self.0.query("backup_days", &sql, &params, |row| {
            let day: i64 = row.take("day")?;
            Ok((
                Timestamp::from_micros(day * DAY),
                Timestamp::from_micros((day + 1) * DAY - 1),
                row.take::<u64>("passed")?,
            ))
        })?;
        Ok(found.first().copied())
    }
}

/// Whole days since 1970; without a first or a last one they have no bound there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
}

impl Days {
    /// The days that lie wholly between those times, both included; none if no day does.
    pub(crate) fn within(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Self> {
        // From the first day that begins at `from` or later, to the one before the day that holds
        // the first instant beyond `to`.
        let first = from.map(|from| {
            let micros = from.as_micros();
            micros.div_euclid(DAY) + i64::from(micros.rem_euclid(DAY) != 0)
        });
        let last = to.map(|to| to.as_micros().saturating_add(1).div_euclid(DAY) - 1);
        let empty = first.zip(last).is_some_and(|(first, last)| first > last);
        (!empty).then_some(Self { first, last })
    }

    /// When the first of them begins.
    pub(crate) fn begin(self) -> Option<Timestamp> {
        let first = self.first?;
        Some(Timestamp::from_micros(first.saturating_mul(DAY)))
    }

    /// When the last of them is over.
    pub(crate) fn end(self) -> Option<Timestamp> {
        let last = self.last?;
        Some(Timestamp::from_micros((last + 1).saturating_mul(DAY)))
    }
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
