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
    pub(super) fn check(&self) -> Result<()> {
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
    pub(super) fn matches(&self, name: &str, tags: &[Tag]) -> bool {
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

    #[test]
    fn each_condition_has_its_own_logic_and_all_must_hold() {
        let none = TagQuery::default;
        let both = "a=1 b=2";
        for (query, labels, expected) in [
            (none(), "", true),
            (
                TagQuery {
                    tags: wanted("a=1 b"),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    tags: wanted("a=1 c"),
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    tags: wanted("a=2|1"),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    tags_any: wanted("c b"),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    tags_any: wanted("c d"),
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    not_tags: wanted("a b=2"),
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    not_tags: wanted("a b=3"),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    not_tags_any: wanted("b=3 a"),
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    not_tags_any: wanted("b=3"),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    tags: wanted("a"),
                    not_tags_any: wanted("b"),
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    without_any_tag: true,
                    tags: wanted("a"),
                    ..none()
                },
                "",
                true,
            ),
            (
                TagQuery {
                    without_any_tag: true,
                    ..none()
                },
                both,
                false,
            ),
            (
                TagQuery {
                    name_contains: Some("web".into()),
                    ..none()
                },
                both,
                true,
            ),
            (
                TagQuery {
                    name_contains: Some("db".into()),
                    ..none()
                },
                both,
                false,
            ),
        ] {
            assert_eq!(
                query.matches("my-web-vault", &tags(labels)),
                expected,
                "{query:?}"
            );
        }
    }

    #[test]
    fn a_condition_takes_each_key_once() {
        assert!(
            TagQuery {
                tags: wanted("a a"),
                ..TagQuery::default()
            }
            .check()
            .is_err()
        );
        assert!(
            TagQuery {
                tags: wanted("a b"),
                ..TagQuery::default()
            }
            .check()
            .is_ok()
        );
    }
}
