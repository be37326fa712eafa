//! What a row is: a struct whose fields are the columns, said once.
//!
//! [`table!`] declares the struct and, from the same list, the order in which columns are read
//! and written, so that the thirty columns of a backup cannot be mixed up by position.

use crate::{
    error::{Error, Result},
    value::{Field, Value},
};

/// A table with one struct per row.
pub(crate) trait Table: Clone {
    /// The table's name.
    const NAME: &'static str;
    /// The domain's word for a row, for messages.
    const WHAT: &'static str;
    /// The columns that identify a row, the project first where there is one.
    const KEY: &'static [&'static str];
    /// All columns, in the order of the struct's fields.
    const COLUMNS: &'static [&'static str];

    /// The row from its columns in that order.
    fn read(row: &mut Row) -> Result<Self>;

    /// The columns from the row in that order.
    fn write(&self) -> Vec<Value>;

    /// Refuses a change that the state machine does not know. Most tables have no states.
    fn may_become(&self, _next: &Self) -> Result<()> {
        Ok(())
    }

    /// The values of the key columns.
    fn key(&self) -> Vec<Value> {
        let all = self.write();
        let place = |key: &&str| {
            let found = Self::COLUMNS.iter().position(|column| column == key);
            all[found.expect("a key is one of the columns")].clone()
        };
        Self::KEY.iter().map(place).collect()
    }
}

/// One row of an answer, read column by column from the left.
pub(crate) struct Row {
    pub(crate) table: &'static str,
    pub(crate) values: std::vec::IntoIter<Value>,
}

impl Row {
    /// The next column, which is called `column` in messages.
    pub(crate) fn take<T: Field>(&mut self, column: &'static str) -> Result<T> {
        let value = self
            .values
            .next()
            .expect("a query asks for every column it reads");
        T::from_value(value).map_err(|reason| Error::Unreadable {
            table: self.table,
            column,
            reason,
        })
    }
}

/// Declares a row struct and its table in one list.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident, $table:literal, $what:literal, key [$($key:literal),+]
        $(, state $state:ident)? {
            $($(#[$fdoc:meta])* $field:ident: $ty:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$fdoc])* $vis $field: $ty,)*
        }

        impl $crate::table::Table for $name {
            const NAME: &'static str = $table;
            const WHAT: &'static str = $what;
            const KEY: &'static [&'static str] = &[$($key),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn read(row: &mut $crate::table::Row) -> $crate::error::Result<Self> {
                Ok(Self { $($field: row.take(stringify!($field))?,)* })
            }

            fn write(&self) -> Vec<$crate::value::Value> {
                vec![$($crate::value::Field::to_value(&self.$field),)*]
            }

            $(fn may_become(&self, next: &Self) -> $crate::error::Result<()> {
                self.$state.next(next.$state)?;
                Ok(())
            })?
        }
    };
}
pub(crate) use table;
