//! Filters, order and pages: the part of SQL that lists share.
//!
//! The text built here is the subset that SQLite and PostgreSQL read alike. Parameters are
//! numbered (`?1`), never pasted. Every order ends with the row's id, so that it is total and two
//! pages of one list neither overlap nor leave a gap.

use crate::value::{Field, Value};

/// Which part of a list is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// At most that many rows.
    pub limit: u32,
    /// Leave out that many first (after the marker, if there is one).
    pub offset: u64,
    /// Begin after the row with this id. If no such row exists the page is empty.
    pub marker: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: 1000,
            offset: 0,
            marker: None,
        }
    }
}

impl Page {
    /// Everything.
    pub const ALL: Self = Self {
        limit: u32::MAX,
        offset: 0,
        marker: None,
    };
}

/// One page, and how many rows all pages have together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed<R> {
    /// The rows of the page.
    pub rows: Vec<R>,
    /// How many rows match the filter, whatever the page.
    pub total: u64,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Smallest, oldest first.
    Ascending,
    /// Largest, newest first.
    Descending,
}

/// One key of an order: an expression that is never null, and a direction.
pub(crate) type Key = (&'static str, Direction);

/// Conditions that a row must meet, all of them.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    clauses: Vec<String>,
    params: Vec<Value>,
}

impl Filter {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `column` is that value.
    pub(crate) fn is(mut self, column: &str, value: &impl Field) -> Self {
        let place = self.bind(value.to_value());
        self.clauses.push(format!("{column} = {place}"));
        self
    }

    /// `column` is that value, if there is one; a `None` in a filter means "whatever".
    pub(crate) fn maybe<T: Field>(self, column: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.is(column, value),
            None => self,
        }
    }

    /// `column` is one of these values; an empty list means "whatever".
    pub(crate) fn any<T: Field>(mut self, column: &str, values: &[T]) -> Self {
        if !values.is_empty() {
            let places: Vec<_> = values
                .iter()
                .map(|value| self.bind(value.to_value()))
                .collect();
            self.clauses
                .push(format!("{column} IN ({})", places.join(", ")));
        }
        self
    }

    /// `column` is at least that value, if there is one.
    pub(crate) fn at_least<T: Field>(mut self, column: &str, value: Option<&T>) -> Self {
        if let Some(value) = value {
            let place = self.bind(value.to_value());
            self.clauses.push(format!("{column} >= {place}"));
        }
        self
    }

    /// `column` is at most that value, if there is one.
    pub(crate) fn at_most<T: Field>(mut self, column: &str, value: Option<&T>) -> Self {
        if let Some(value) = value {
            let place = self.bind(value.to_value());
            self.clauses.push(format!("{column} <= {place}"));
        }
        self
    }

    /// A condition in SQL without parameters.
    pub(crate) fn that(mut self, clause: &str) -> Self {
        self.clauses.push(clause.to_owned());
        self
    }

    /// A condition in SQL whose parameters stand where `{}` does.
    pub(crate) fn that_with(mut self, clause: &str, values: &[Value]) -> Self {
        let mut text = clause.to_owned();
        for value in values {
            let place = self.bind(value.clone());
            text = text.replacen("{}", &place, 1);
        }
        self.clauses.push(text);
        self
    }

    /// Only rows that come after the row with these key values, in this order.
    ///
    /// The first term bounds the first key, so that an index begins at the place instead of
    /// walking there.
    pub(crate) fn after(self, order: &[Key], values: &[Value]) -> Self {
        self.beyond(order, values, "")
    }

    /// Only the row with these key values and those that come after it, in this order.
    pub(crate) fn from(self, order: &[Key], values: &[Value]) -> Self {
        self.beyond(order, values, "=")
    }

    fn beyond(mut self, order: &[Key], values: &[Value], or_equal: &str) -> Self {
        let places: Vec<_> = values
            .iter()
            .map(|value| self.bind(value.clone()))
            .collect();
        let sign = |direction: Direction| match direction {
            Direction::Ascending => '>',
            Direction::Descending => '<',
        };
        if order.iter().all(|(_, way)| *way == order[0].1) {
            let keys: Vec<_> = order.iter().map(|(expression, _)| *expression).collect();
            let beyond = sign(order[0].1);
            if keys[0].contains('(') {
                // An index of an expression is not bounded by a row of several.
                self.clauses
                    .push(format!("{} {beyond}= {}", keys[0], places[0]));
            }
            self.clauses.push(format!(
                "({}) {beyond}{or_equal} ({})",
                keys.join(", "),
                places.join(", ")
            ));
            return self;
        }
        let mut ways = Vec::new();
        let mut equal = String::new();
        for ((expression, direction), place) in order.iter().zip(&places) {
            let beyond = sign(*direction);
            ways.push(format!("({equal}{expression} {beyond} {place})"));
            equal = format!("{equal}{expression} = {place} AND ");
        }
        if !or_equal.is_empty() {
            ways.push(format!("({})", equal.trim_end_matches(" AND ")));
        }
        let (first, direction) = order[0];
        self.clauses
            .push(format!("{first} {}= {}", sign(direction), places[0]));
        self.clauses.push(format!("({})", ways.join(" OR ")));
        self
    }

    /// ` WHERE …`, or nothing.
    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.clauses.join(" AND "))
        }
    }

    pub(crate) fn params(&self) -> &[Value] {
        &self.params
    }

    /// A further parameter; its place in the text.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        self.params.push(value);
        format!("?{}", self.params.len())
    }
}

/// The same order from its end.
pub(crate) fn reversed(order: &[Key]) -> Vec<Key> {
    let turned = |(expression, direction): &Key| match direction {
        Direction::Ascending => (*expression, Direction::Descending),
        Direction::Descending => (*expression, Direction::Ascending),
    };
    order.iter().map(turned).collect()
}

/// ` ORDER BY …`
pub(crate) fn order_by(order: &[Key]) -> String {
    let word = |direction: &Direction| match direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    let keys: Vec<_> = order
        .iter()
        .map(|(expression, way)| format!("{expression} {}", word(way)))
        .collect();
    format!(" ORDER BY {}", keys.join(", "))
}
