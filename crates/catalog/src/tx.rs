//! A transaction, and what every table can do with its rows.
//!
//! The functions here are private to the crate: outside, rows are reached by the modules of
//! their tables (`tx.vaults()`, `tx.backups()`), whose signatures ask for the project.

use std::cell::Cell;

use crate::{
    backend::Session,
    error::{Error, Result},
    query::{Filter, Key, Listed, Page, order_by, reversed},
    table::{Row, Table},
    value::{Field, Value},
};

/// From this offset on a list looks for its place before it reads rows.
pub(crate) const DEEP: u64 = 1000;

/// An open transaction of the catalog.
///
/// Its functions reach one table each: [`Tx::vaults`], [`Tx::backups`] and so on. In
/// [`Catalog::read`](crate::Catalog::read) those that write fail with [`Error::ReadOnly`].
pub struct Tx<'s> {
    session: &'s dyn Session,
    statements: Cell<u64>,
}

impl<'s> Tx<'s> {
    pub(crate) fn new(session: &'s dyn Session) -> Self {
        Self {
            session,
            statements: Cell::new(0),
        }
    }

    /// How many statements were run.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.get()
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        self.statements.update(|count| count + 1);
        self.session.execute(sql, params)
    }

    pub(crate) fn each(
        &self,
        table: &'static str,
        sql: &str,
        params: &[Value],
        mut visit: impl FnMut(&mut Row) -> Result<()>,
    ) -> Result<()> {
        self.statements.update(|count| count + 1);
        self.session
            .query(table, sql, params, &mut |mut row| visit(&mut row))
    }

    pub(crate) fn query<T>(
        &self,
        table: &'static str,
        sql: &str,
        params: &[Value],
        mut read: impl FnMut(&mut Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(table, sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Adds a row; [`Error::Duplicate`] if its key, or what must be unique, is there already.
    pub(crate) fn insert<R: Table>(&self, row: &R) -> Result<()> {
        let places: Vec<_> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            R::NAME,
            R::COLUMNS.join(", "),
            places.join(", ")
        );
        self.execute(&sql, &row.write()).map(drop)
    }

    /// Adds a row, or gives the row of that key these values.
    pub(crate) fn upsert<R: Table>(&self, row: &R) -> Result<()> {
        let places: Vec<_> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let others = R::COLUMNS.iter().filter(|column| !R::KEY.contains(column));
        let sets: Vec<_> = others
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            R::NAME,
            R::COLUMNS.join(", "),
            places.join(", "),
            R::KEY.join(", "),
            sets.join(", ")
        );
        self.execute(&sql, &row.write()).map(drop)
    }

    /// The rows that meet the filter.
    pub(crate) fn select<R: Table>(&self, filter: &Filter, order: &[Key]) -> Result<Vec<R>> {
        let sql = format!(
            "SELECT {} FROM {}{}{}",
            R::COLUMNS.join(", "),
            R::NAME,
            filter.sql(),
            if order.is_empty() {
                String::new()
            } else {
                order_by(order)
            }
        );
        self.query(R::NAME, &sql, filter.params(), R::read)
    }

    /// The first so many of the rows that meet the filter.
    pub(crate) fn some<R: Table>(
        &self,
        filter: &Filter,
        order: &[Key],
        limit: u32,
    ) -> Result<Vec<R>> {
        let sql = format!(
            "SELECT {} FROM {}{}{} LIMIT {limit}",
            R::COLUMNS.join(", "),
            R::NAME,
            filter.sql(),
            order_by(order)
        );
        self.query(R::NAME, &sql, filter.params(), R::read)
    }

    /// The first of the rows that meet the filter.
    pub(crate) fn first<R: Table>(&self, filter: &Filter, order: &[Key]) -> Result<Option<R>> {
        Ok(self.some(filter, order, 1)?.pop())
    }

    /// The one row that meets a filter on something unique.
    pub(crate) fn one<R: Table>(&self, filter: &Filter) -> Result<Option<R>> {
        Ok(self.select(filter, &[])?.pop())
    }

    /// How many rows meet the filter.
    pub(crate) fn count<R: Table>(&self, filter: &Filter) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM {}{}", R::NAME, filter.sql());
        let mut found = self.query(R::NAME, &sql, filter.params(), |row| row.take("count"))?;
        Ok(found.pop().unwrap_or(0))
    }

    /// One page of the rows that meet `filter`, and how many there are in all.
    ///
    /// `scope` is the part of the filter that the marker's row must meet too: its project.
    /// The marker's row need not meet the rest, so a client that filters by status can go on
    /// after a row whose status has changed.
    pub(crate) fn list<R: Table>(
        &self,
        scope: &Filter,
        filter: Filter,
        order: &[Key],
        page: &Page,
    ) -> Result<Listed<R>> {
        let total = self.count::<R>(&filter)?;
        self.list_counted(scope, filter, order, page, total)
    }

    /// As [`list`](Self::list), by who knows how many rows there are.
    pub(crate) fn list_counted<R: Table>(
        &self,
        scope: &Filter,
        mut filter: Filter,
        order: &[Key],
        page: &Page,
        total: u64,
    ) -> Result<Listed<R>> {
        let nothing = |total| Listed {
            rows: Vec::new(),
            total,
        };
        if total == 0 {
            return Ok(nothing(0));
        }
        let mut offset = page.offset;
        if let Some(marker) = &page.marker {
            match self.order_values::<R>(&scope.clone().is("id", marker), order)? {
                Some(values) => filter = filter.after(order, &values),
                None => return Ok(nothing(total)),
            }
        } else if offset >= DEEP {
            match self.values_at::<R>(&filter, order, offset, total)? {
                Some(values) => filter = filter.from(order, &values),
                None => return Ok(nothing(total)),
            }
            offset = 0;
        }
        let clauses = filter.sql();
        let limit = filter.bind(page.limit.to_value());
        let offset = filter.bind(offset.to_value());
        let sql = format!(
            "SELECT {} FROM {}{clauses}{} LIMIT {limit} OFFSET {offset}",
            R::COLUMNS.join(", "),
            R::NAME,
            order_by(order)
        );
        let rows = self.query(R::NAME, &sql, filter.params(), R::read)?;
        Ok(Listed { rows, total })
    }

    /// The values by which the row at that place of the order is sorted; none past the end.
    ///
    /// Walks over keys alone, from the nearer end, which an index answers without its rows.
    pub(crate) fn values_at<R: Table>(
        &self,
        filter: &Filter,
        order: &[Key],
        place: u64,
        total: u64,
    ) -> Result<Option<Vec<Value>>> {
        let Some(from_end) = total.checked_sub(place + 1) else {
            return Ok(None);
        };
        let (order, skip) = if from_end < place {
            (reversed(order), from_end)
        } else {
            (order.to_vec(), place)
        };
        let mut filter = filter.clone();
        let clauses = filter.sql();
        let skip = filter.bind(skip.to_value());
        // In the caller's order of keys, whichever way they are walked.
        let keys: Vec<_> = order.iter().map(|(expression, _)| *expression).collect();
        let sql = format!(
            "SELECT {} FROM {}{clauses}{} LIMIT 1 OFFSET {skip}",
            keys.join(", "),
            R::NAME,
            order_by(&order)
        );
        let mut found = self.query(R::NAME, &sql, filter.params(), |row| {
            Ok(row.values.by_ref().collect::<Vec<_>>())
        })?;
        Ok(found.pop())
    }

    /// The values by which the one row that meets the filter is sorted.
    fn order_values<R: Table>(&self, filter: &Filter, order: &[Key]) -> Result<Option<Vec<Value>>> {
        let expressions: Vec<_> = order.iter().map(|(expression, _)| *expression).collect();
        let sql = format!(
            "SELECT {} FROM {}{}",
            expressions.join(", "),
            R::NAME,
            filter.sql()
        );
        let mut found = self.query(R::NAME, &sql, filter.params(), |row| {
            Ok(row.values.by_ref().collect::<Vec<_>>())
        })?;
        Ok(found.pop())
    }

    /// Changes the one row that meets the filter and returns it as it is now.
    ///
    /// Reads, edits and writes in this transaction, so no other change is lost; a move that the
    /// state machine does not know is refused, and so is a change of the key.
    pub(crate) fn change<R: Table>(
        &self,
        filter: &Filter,
        id: &dyn ToString,
        edit: impl FnOnce(&mut R),
    ) -> Result<R> {
        let Some(before) = self.one::<R>(filter)? else {
            return Err(Error::NotFound {
                what: R::WHAT,
                id: id.to_string(),
            });
        };
        let mut after = before.clone();
        edit(&mut after);
        before.may_become(&after)?;
        let key = before.key();
        if key != after.key() {
            return Err(Error::KeyChanged { what: R::WHAT });
        }
        let columns = R::COLUMNS.iter().enumerate();
        let sets: Vec<_> = columns
            .map(|(place, column)| format!("{column} = ?{}", place + 1))
            .collect();
        let mut params = after.write();
        let mut wheres = Vec::new();
        for (column, value) in R::KEY.iter().zip(key) {
            params.push(value);
            wheres.push(format!("{column} = ?{}", params.len()));
        }
        let sql = format!(
            "UPDATE {} SET {} WHERE {}",
            R::NAME,
            sets.join(", "),
            wheres.join(" AND ")
        );
        self.execute(&sql, &params)?;
        Ok(after)
    }

    /// Removes the rows that meet the filter; how many there were.
    pub(crate) fn remove<R: Table>(&self, filter: &Filter) -> Result<u64> {
        let sql = format!("DELETE FROM {}{}", R::NAME, filter.sql());
        self.execute(&sql, filter.params())
    }
}
