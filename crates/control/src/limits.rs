//! The documented limits on what callers send (reference: CBR, "Limits and quotas collected").
//!
//! One function per kind of value; each refusal names the field as the documents spell it.

use std::collections::BTreeSet;

use strongroom_model::GiB;

use crate::{Error, Reason, Result, Tag};

/// Resources that a vault holds at most.
pub(crate) const VAULT_RESOURCES_MAX: usize = 256;
/// Labels that a vault bears at most: T Cloud Public's limit, the larger of the two vendors'.
pub(crate) const VAULT_TAGS_MAX: usize = 20;
/// The largest vault.
pub(crate) const VAULT_SIZE_MAX: GiB = GiB(10_485_760);
/// The smallest vault at its creation; a later change may go down to 1.
pub(crate) const VAULT_SIZE_CREATED_MIN: GiB = GiB(10);

/// A name of a vault, checkpoint or backup: 1 to 64 letters, digits, `_`, `-`.
pub(crate) fn name(field: &'static str, name: &str) -> Result<()> {
    let allowed = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(letter, '_' | '-' | '\u{4e00}'..='\u{9fa5}' | '\u{f900}'..='\u{fa2d}')
    };
    if name.is_empty() || name.chars().count() > 64 {
        return Err(Error::invalid(field, "must have 1 to 64 characters"));
    }
    if !name.chars().all(allowed) {
        return Err(Error::invalid(
            field,
            "may have letters, digits, _ and - only",
        ));
    }
    Ok(())
}

/// A name of a resource: 1 to 255 characters, none of them a control character.
pub(crate) fn resource_name(name: &str) -> Result<()> {
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            "must have 1 to 255 printable characters",
        ));
    }
    Ok(())
}

/// Free text: at most 255 characters without angle brackets.
pub(crate) fn description(text: &str) -> Result<()> {
    if text.chars().count() > 255 || text.contains(['<', '>']) {
        let problem = "must have at most 255 characters, none of them < or >";
        return Err(Error::invalid("description", problem));
    }
    Ok(())
}

/// The size of a vault.
pub(crate) fn vault_size(size: GiB, min: GiB) -> Result<()> {
    if (min..=VAULT_SIZE_MAX).contains(&size) {
        return Ok(());
    }
    let problem = format!("must be from {} to {}", min.0, VAULT_SIZE_MAX.0);
    Err(Error::invalid("size", problem))
}

/// The percentage at which a vault warns.
pub(crate) fn threshold(percent: i64) -> Result<u8> {
    u8::try_from(percent)
        .ok()
        .filter(|percent| (1..=100).contains(percent))
        .ok_or_else(|| Error::invalid("threshold", "must be from 1 to 100"))
}

/// The prefix of automatic backups' names.
pub(crate) fn backup_name_prefix(prefix: &str) -> Result<()> {
    if prefix.is_empty() {
        return Ok(());
    }
    if prefix.chars().count() > 32 {
        return Err(Error::invalid(
            "backup_name_prefix",
            "must have at most 32 characters",
        ));
    }
    name("backup_name_prefix", prefix)
}

/// Days to keep a manual backup: 1 to 36500, or −1 for ever.
pub(crate) fn retention_days(days: i64) -> Result<()> {
    if days == -1 || (1..=36_500).contains(&days) {
        return Ok(());
    }
    Err(Error::invalid(
        "retention_duration_days",
        "must be from 1 to 36500, or -1",
    ))
}

/// Tags as they are stored: blanks around them cut, within their limits, no key twice.
pub(crate) fn tags(field: &'static str, tags: Vec<Tag>) -> Result<Vec<Tag>> {
    let mut keys = BTreeSet::new();
    tags.into_iter()
        .map(|tag| {
            let tag = Tag {
                key: tag_key(field, &tag.key)?,
                value: tag_value(field, &tag.value)?,
            };
            if keys.insert(tag.key.clone()) {
                Ok(tag)
            } else {
                Err(Error::invalid(
                    field,
                    format!("the key {} is there twice", tag.key),
                ))
            }
        })
        .collect()
}

/// A tag's key: 1 to 36 characters.
pub(crate) fn tag_key(field: &'static str, key: &str) -> Result<String> {
    let key = key.trim();
    if key.is_empty() || key.chars().count() > 36 || key.chars().any(forbidden_in_tags) {
        let problem = "a key must have 1 to 36 characters without = * < > \\ , | /";
        return Err(Error::invalid(field, problem));
    }
    Ok(key.to_owned())
}

/// A tag's value: 0 to 43 characters.
pub(crate) fn tag_value(field: &'static str, value: &str) -> Result<String> {
    let value = value.trim();
    if value.chars().count() > 43 || value.chars().any(forbidden_in_tags) {
        let problem = "a value must have at most 43 characters without = * < > \\ , | /";
        return Err(Error::invalid(field, problem));
    }
    Ok(value.to_owned())
}

fn forbidden_in_tags(letter: char) -> bool {
    letter.is_ascii_control() || "=*<>\\,|/".contains(letter)
}

/// The rules of a vault that adds resources by itself.
pub(crate) fn bind_rules(rules: Vec<Tag>) -> Result<Vec<Tag>> {
    if rules.len() > 5 {
        return Err(Error::invalid("bind_rules", "must have at most 5 tags"));
    }
    tags("bind_rules", rules)
}

/// An enterprise project: "0" or a UUID.
pub(crate) fn enterprise_project(id: &str) -> Result<()> {
    // Any of our dashed ids has the shape of a UUID.
    if id == "0" || id.parse::<strongroom_model::VaultId>().is_ok() {
        return Ok(());
    }
    Err(Error::invalid(
        "enterprise_project_id",
        "must be 0 or a UUID",
    ))
}

/// How many tags a vault may bear.
pub(crate) fn tag_count(count: usize) -> Result<()> {
    if count > VAULT_TAGS_MAX {
        let about = format!("at most {VAULT_TAGS_MAX}");
        return Err(Error::quota(Reason::TooManyTags, about));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_vendors_letters_only() {
        for good in ["a", "my-vault_1", "备份", &"x".repeat(64)] {
            assert!(name("name", good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "..", "<x>", "naïve", &"x".repeat(65)] {
            assert!(name("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_days_and_percentages_have_their_bounds() {
        for (size, good) in [
            (9, false),
            (10, true),
            (10_485_760, true),
            (10_485_761, false),
        ] {
            assert_eq!(
                vault_size(GiB(size), VAULT_SIZE_CREATED_MIN).is_ok(),
                good,
                "{size}"
            );
        }
        for (days, good) in [
            (-2, false),
            (-1, true),
            (0, false),
            (1, true),
            (36_501, false),
        ] {
            assert_eq!(retention_days(days).is_ok(), good, "{days}");
        }
        for (percent, good) in [
            (0, false),
            (1, true),
            (100, true),
            (101, false),
            (257, false),
        ] {
            assert_eq!(threshold(percent).is_ok(), good, "{percent}");
        }
    }

    #[test]
    fn tags_lose_the_blanks_around_them_and_keys_stand_once() {
        let tag = |key: &str, value: &str| Tag {
            key: key.into(),
            value: value.into(),
        };
        assert_eq!(
            tags("tags", vec![tag(" a ", " b ")]).unwrap(),
            [tag("a", "b")]
        );
        assert_eq!(tags("tags", vec![tag("a", "")]).unwrap(), [tag("a", "")]);
        for bad in [
            vec![tag("", "x")],
            vec![tag("a=b", "x")],
            vec![tag("a", "x/y")],
            vec![tag("a", "\u{1}")],
            vec![tag(&"k".repeat(37), "")],
            vec![tag("a", &"v".repeat(44))],
            vec![tag("a", "1"), tag("a ", "2")],
        ] {
            assert!(tags("tags", bad).is_err());
        }
    }
}
