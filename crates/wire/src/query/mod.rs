//! Query strings as one struct per operation, with the encodings that real clients use.
//!
//! A list may come as repeated keys (`id=a&id=b`), as one comma-joined text (`id=a,b`) or both.
//! Unknown keys are ignored, as on the cloud; an empty value counts as not given; for a single
//! value the first of repeated keys counts, which is what one signer signs.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::path::encode_into;

/// A query parameter that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query parameter {name}: {problem}")]
pub struct QueryError {
    /// The parameter's name on the wire.
    pub name: &'static str,
    /// What is wrong with its value.
    pub problem: String,
}

/// The query of one operation.
pub trait QueryParameters: Sized + Default {
    /// The names on the wire, misspelt twins included.
    fn names() -> Vec<&'static str>;

    /// Reads decoded pairs in the order in which they were sent.
    fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, QueryError>;

    /// The decoded pairs that say the same; lists as repeated keys.
    fn pairs(&self) -> Vec<(&'static str, String)>;
}

/// A single value in a query.
pub trait QueryValue: Sized {
    /// Reads the decoded text; the error says what was expected.
    fn parse(text: &str) -> Result<Self, String>;

    /// The decoded text.
    fn text(&self) -> String;
}

/// A parameter: a single value that may be missing, or a list.
pub trait QueryField: Default {
    /// Takes one more value of the parameter's name.
    fn add(&mut self, text: &str) -> Result<(), String>;

    /// One text per pair to send.
    fn texts(&self) -> Vec<String>;
}

/// Splits a raw query string into decoded pairs, in the order in which they were sent.
///
/// The server must use this very function: a signature is checked over these pairs, and a second
/// opinion on what `+` or a missing `=` means would let somebody change a signed request.
pub fn decode(raw: &str) -> Vec<(String, String)> {
    let text = |encoded: &str| {
        let spaced = encoded.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (text(key), text(value)))
        .collect()
}

/// Joins pairs into a raw query string, percent-encoded, without a leading `?`.
pub fn encode<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let mut raw = String::new();
    for (key, value) in pairs {
        if !raw.is_empty() {
            raw.push('&');
        }
        encode_into(&mut raw, key.as_ref().as_bytes());
        raw.push('=');
        encode_into(&mut raw, value.as_ref().as_bytes());
    }
    raw
}

impl<T: QueryValue> QueryField for Option<T> {
    fn add(&mut self, text: &str) -> Result<(), String> {
        if self.is_none() && !text.is_empty() {
            *self = Some(T::parse(text)?);
        }
        Ok(())
    }

    fn texts(&self) -> Vec<String> {
        self.iter().map(T::text).collect()
    }
}

impl<T: QueryValue> QueryField for Vec<T> {
    fn add(&mut self, text: &str) -> Result<(), String> {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            self.push(T::parse(part)?);
        }
        Ok(())
    }

    fn texts(&self) -> Vec<String> {
        self.iter().map(T::text).collect()
    }
}

impl QueryValue for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

impl QueryValue for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            // Python programs that build their own URLs send the capitalised words.
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// A page size from 1 to `MAX`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit<const MAX: u32>(u32);

impl<const MAX: u32> Limit<MAX> {
    /// The page size when the caller names none: as many as there may be.
    pub const DEFAULT: Self = Self(MAX);

    /// A page of that many rows, if that is allowed.
    pub const fn new(rows: u32) -> Option<Self> {
        if rows >= 1 && rows <= MAX {
            Some(Self(rows))
        } else {
            None
        }
    }

    /// The number of rows.
    pub const fn rows(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32> QueryValue for Limit<MAX> {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| format!("expected a whole number from 1 to {MAX}"))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl<const MAX: u32> fmt::Display for Limit<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many rows to skip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Offset(pub u32);

impl QueryValue for Offset {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| "expected a whole number from 0".to_owned())
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// A percentage from 1 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Percent(pub u8);

impl QueryValue for Percent {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .filter(|percent| (1..=100).contains(percent))
            .map(Self)
            .ok_or_else(|| "expected a whole number from 1 to 100".to_owned())
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// The query of an operation that takes none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoQuery;

impl QueryParameters for NoQuery {
    fn names() -> Vec<&'static str> {
        Vec::new()
    }

    fn parse<K: AsRef<str>, V: AsRef<str>>(
        _: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, QueryError> {
        Ok(Self)
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Declares query structs: `field: Type`, or `field: Type as "name" | "misspelt"` where the name
/// on the wire is another one or has twins (the first is the one that is sent).
macro_rules! queries {
    (@names $field:ident) => { &[stringify!($field)] };
    (@names $field:ident $($name:literal)+) => { &[$($name),+] };
    ($(
        $(#[$doc:meta])*
        $query:ident {
            $($(#[$fdoc:meta])* $field:ident: $type:ty $(as $($name:literal)|+)?,)+
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Default)]
        pub struct $query {
            $($(#[$fdoc])* pub $field: $type,)+
        }

        impl $crate::query::QueryParameters for $query {
            fn names() -> Vec<&'static str> {
                let names: &[&[&'static str]] = &[$(queries!(@names $field $($($name)+)?)),+];
                names.concat()
            }

            fn parse<K: AsRef<str>, V: AsRef<str>>(
                pairs: impl IntoIterator<Item = (K, V)>,
            ) -> Result<Self, $crate::query::QueryError> {
                let mut query = Self::default();
                for (key, value) in pairs {
                    $({
                        let names: &[&'static str] = queries!(@names $field $($($name)+)?);
                        if let Some(name) = names.iter().find(|name| **name == key.as_ref()) {
                            $crate::query::QueryField::add(&mut query.$field, value.as_ref())
                                .map_err(|problem| $crate::query::QueryError { name, problem })?;
                        }
                    })+
                }
                Ok(query)
            }

            fn pairs(&self) -> Vec<(&'static str, String)> {
                let mut pairs = Vec::new();
                $({
                    let names: &[&'static str] = queries!(@names $field $($($name)+)?);
                    for text in $crate::query::QueryField::texts(&self.$field) {
                        pairs.push((names[0], text));
                    }
                })+
                pairs
            }
        }
    )+};
}

#[cfg(test)]
mod tests;
