//! The vendor's filter language over labels. Pure.
//!
//! All given conditions must hold. Within one condition a key holds when the label has one of the
//! values given for it, or any value when none is given.

use std::collections::BTreeSet;

use crate::{
    Error, Result, Tag,
    words::{CloudType, ObjectType},
};

/// Keys in one condition at most, and values of one key.
const MAX: usize = 20;

/// A key with the values that satisfy it; no value means any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagValues {
    /// The key.
    pub key: String,
    /// One of these.
    pub values: Vec<String>,
}

/// Which vaults to find; all given conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagQuery {
    /// Only vaults without a tag; the other tag conditions are ignored.
    pub without_any_tag: bool,
    /// Every key holds.
    pub tags: Vec<TagValues>,
    /// At least one key holds.
    pub tags_any: Vec<TagValues>,
    /// Not every key holds.
    pub not_tags: Vec<TagValues>,
    /// No key holds.
    pub not_tags_any: Vec<TagValues>,
    /// The vault's name contains this.
    pub name_contains: Option<String>,
    /// See [`Vault`](crate::Vault).
    pub cloud_type: Option<CloudType>,
    /// See [`Vault`](crate::Vault).
    pub object_type: Option<ObjectType>,
}

impl TagQuery {
    /// Refuses conditions with too many, repeated or empty keys.
    pub(crate) fn check(&self) -> Result<()> {
        let conditions = [
            ("tags", &self.tags),
            ("tags_any", &self.tags_any),
            ("not_tags", &self.not_tags),
            ("not_tags_any", &self.not_tags_any),
        ];
        for (field, keys) in conditions {
            if keys.len() > MAX || keys.iter().any(|key| key.values.len() > MAX) {
                let problem = format!("may have {MAX} keys with {MAX} values each at most");
                return Err(Error::invalid(field, problem));
            }
            let mut seen = BTreeSet::new();
            if keys
                .iter()
                .any(|key| key.key.is_empty() || !seen.insert(&key.key))
            {
                return Err(Error::invalid(
                    field,
                    "may not have an empty key or a key twice",
                ));
            }
        }
        Ok(())
    }

    /// Whether a vault of that name with these labels is meant.
    pub(crate) fn matches(&self, name: &str, tags: &[Tag]) -> bool {
        if self
            .name_contains
            .as_ref()
            .is_some_and(|part| !name.contains(part.as_str()))
        {
            return false;
        }
        if self.without_any_tag {
            return tags.is_empty();
        }
        let holds = |wanted: &TagValues| {
            tags.iter().any(|tag| {
                tag.key == wanted.key
                    && (wanted.values.is_empty() || wanted.values.contains(&tag.value))
            })
        };
        self.tags.iter().all(holds)
            && (self.tags_any.is_empty() || self.tags_any.iter().any(holds))
            && (self.not_tags.is_empty() || !self.not_tags.iter().all(holds))
            && !self.not_tags_any.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<Tag> {
        let tag = |part: &str| {
            let (key, value) = part.split_once('=').unwrap();
            Tag {
                key: key.into(),
                value: value.into(),
            }
        };
        text.split_whitespace().map(tag).collect()
    }

    fn wanted(text: &str) -> Vec<TagValues> {
        let key = |part: &str| {
            let (key, values) = part.split_once('=').unwrap_or((part, ""));
            let values = values.split('|').filter(|value| !value.is_empty());
            TagValues {
                key: key.into(),
                values: values.map(str::to_owned).collect(),
            }
        };
        text.split_whitespace().map(key).collect()
    }

    fn query(text: &str) -> TagQuery {
        let mut query = TagQuery::default();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (field, value) = part.split_once(": ").unwrap();
            match field {
                "all" => query.tags = wanted(value),
                "any" => query.tags_any = wanted(value),
                "not all" => query.not_tags = wanted(value),
                "not any" => query.not_tags_any = wanted(value),
                "name" => query.name_contains = Some(value.into()),
                _ => query.without_any_tag = true,
            }
        }
        query
    }

    #[test]
    fn each_condition_has_its_own_logic_and_all_must_hold() {
        for (text, labels, expected) in [
            ("", "", true),
            ("all: a=1 b", "a=1 b=2", true),
            ("all: a=1 c", "a=1 b=2", false),
            ("all: a=2|1", "a=1 b=2", true),
            ("any: c b", "a=1 b=2", true),
            ("any: c d", "a=1 b=2", false),
            ("not all: a b=2", "a=1 b=2", false),
            ("not all: a b=3", "a=1 b=2", true),
            ("not any: b=3 a", "a=1 b=2", false),
            ("not any: b=3", "a=1 b=2", true),
            ("all: a; not any: b", "a=1 b=2", false),
            ("untagged: yes; all: a", "", true),
            ("untagged: yes", "a=1 b=2", false),
            ("name: web", "a=1", true),
            ("name: db", "a=1", false),
        ] {
            let matches = query(text).matches("my-web-vault", &tags(labels));
            assert_eq!(matches, expected, "{text} with {labels}");
        }
    }

    #[test]
    fn a_condition_takes_each_key_once() {
        assert!(query("all: a a").check().is_err());
        assert!(query("all: a b").check().is_ok());
    }
}
