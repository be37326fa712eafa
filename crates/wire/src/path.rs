//! The variable segments of a path, as one struct per template shape.
//!
//! Segments arrive percent-decoded (a `/` inside a tag key was `%2F`) and are checked for their
//! meaning by whoever uses them: a malformed id is a vendor error code, not a routing miss.

use std::{collections::BTreeMap, fmt::Write as _};

/// A segment is not there, or would not survive: an empty one or one of dots changes the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path segment {0:?} is missing, empty or made of dots")]
pub struct MissingSegment(pub String);

/// The variable segments of one operation's path.
pub trait PathParameters: Sized {
    /// The names in the template, in order; empty for [`AnyPath`], which takes what comes.
    const NAMES: &'static [&'static str];

    /// Takes the decoded segments by name.
    fn from_segments(segments: &[(&str, &str)]) -> Result<Self, MissingSegment>;

    /// The decoded segment of that name.
    fn get(&self, name: &str) -> Option<&str>;
}

/// Declares structs of path segments: every field is text, its name is the template's.
macro_rules! paths {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $name {
            $($(#[$fdoc])* pub $field: String,)+
        }

        impl $crate::path::PathParameters for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn from_segments(
                segments: &[(&str, &str)],
            ) -> Result<Self, $crate::path::MissingSegment> {
                Ok(Self {
                    $($field: $crate::path::find(segments, stringify!($field))?,)+
                })
            }

            fn get(&self, name: &str) -> Option<&str> {
                $(if name == stringify!($field) { return Some(&self.$field); })+
                None
            }
        }
    )+};
}

/// A path without variable segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoPath;

impl PathParameters for NoPath {
    const NAMES: &'static [&'static str] = &[];

    fn from_segments(_: &[(&str, &str)]) -> Result<Self, MissingSegment> {
        Ok(Self)
    }

    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

/// The segments of an operation whose types are not modelled yet.
pub type AnyPath = BTreeMap<String, String>;

impl PathParameters for AnyPath {
    const NAMES: &'static [&'static str] = &[];

    fn from_segments(segments: &[(&str, &str)]) -> Result<Self, MissingSegment> {
        Ok(segments
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        BTreeMap::get(self, name).map(String::as_str)
    }
}

/// The variable names of a template, in order.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// Fills a template; every value is percent-encoded, `/` included.
pub fn render(template: &str, parameters: &impl PathParameters) -> Result<String, MissingSegment> {
    let mut path = String::with_capacity(template.len() + 64);
    for segment in template.split('/').skip(1) {
        path.push('/');
        match segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            None => path.push_str(segment),
            Some(name) => {
                let value = parameters
                    .get(name)
                    .filter(|value| !matches!(*value, "" | "." | ".."))
                    .ok_or_else(|| MissingSegment(name.to_owned()))?;
                encode_into(&mut path, value.as_bytes());
            }
        }
    }
    Ok(path)
}

/// Percent-encodes all but `A-Z a-z 0-9 - _ . ~`, with capital hexadecimal digits.
pub fn encode_into(out: &mut String, text: &[u8]) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
}

/// One segment by name; for `paths!`.
pub(crate) fn find(segments: &[(&str, &str)], name: &str) -> Result<String, MissingSegment> {
    segments
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| (*text).to_owned())
        .ok_or_else(|| MissingSegment(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_inside_a_value_stays_inside_its_segment() {
        let path = AnyPath::from([("key".to_owned(), "a key/x~ü".to_owned())]);
        assert_eq!(
            render("/vault/tags/{key}", &path).unwrap(),
            "/vault/tags/a%20key%2Fx~%C3%BC"
        );
        assert_eq!(render("/", &path).unwrap(), "/");
        for dots in ["", ".", ".."] {
            let path = AnyPath::from([("key".to_owned(), dots.to_owned())]);
            assert!(render("/vault/tags/{key}", &path).is_err(), "{dots:?}");
        }
        assert_eq!(
            render("/{other}", &path),
            Err(MissingSegment("other".into()))
        );
    }
}
