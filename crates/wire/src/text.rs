//! Texts with the bounds of the vendor's tables.
//!
//! A request that breaks a bound is refused while it is parsed, so that nothing behind the parser
//! needs to check again. The bounds count characters, not bytes.

/// A text that breaks the bounds of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must have {rule}")]
pub struct OutOfBounds {
    what: &'static str,
    rule: &'static str,
}

/// Declares bounded texts: what they are, their rule in words, and the check.
macro_rules! texts {
    ($(
        $(#[$doc:meta])*
        $name:ident, $what:literal, $rule:literal, |$text:ident| $check:expr;
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = OutOfBounds;

            fn try_from($text: String) -> Result<Self, OutOfBounds> {
                let checked: Option<String> = $check;
                checked.map(Self).ok_or(OutOfBounds { what: $what, rule: $rule })
            }
        }

        impl std::str::FromStr for $name {
            type Err = OutOfBounds;

            fn from_str(text: &str) -> Result<Self, OutOfBounds> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// The name of a vault or a backup.
    Name, "name", "1 to 64 letters, digits, Chinese characters, hyphens or underscores",
        |text| ((1..=64).contains(&text.chars().count()) && text.chars().all(is_name))
            .then_some(text);

    /// A description. The tables contradict each other on the length; the longer one holds.
    Description, "description", "at most 255 characters and none of < and >",
        |text| (text.chars().count() <= 255 && !text.contains(['<', '>'])).then_some(text);

    /// What the names of a vault's automatic backups start with.
    NamePrefix, "backup_name_prefix", "at most 32 letters, digits, hyphens or underscores",
        |text| (text.chars().count() <= 32 && text.chars().all(is_name)).then_some(text);

    /// The key of a tag, without blanks around it.
    TagKey, "tag key", "1 to 36 characters, no control characters and none of = * < > \\ , | /",
        |text| trimmed(&text, is_tag).filter(|key| (1..=36).contains(&key.chars().count()));

    /// The value of a tag, without blanks around it.
    TagValue, "tag value",
        "at most 43 characters, no control characters and none of = * < > \\ , | /",
        |text| trimmed(&text, is_tag).filter(|value| value.chars().count() <= 43);
}

/// A password or secret key: on the wire like any text, in logs and panics never.
#[derive(Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

const fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '_' | '-' | '\u{4E00}'..='\u{9FA5}' | '\u{F900}'..='\u{FA2D}')
}

const fn is_tag(letter: char) -> bool {
    letter >= ' ' && !matches!(letter, '=' | '*' | '<' | '>' | '\\' | ',' | '|' | '/')
}

fn trimmed(text: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let text = text.trim_matches(' ');
    text.chars().all(allowed).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_and_name_the_rule() {
        assert!("备份_01-x".parse::<Name>().is_ok());
        assert!("备".repeat(64).parse::<Name>().is_ok());
        for bad in ["", "a b", "x/y", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert!("<b>".parse::<Description>().is_err());
        assert_eq!(" a key ".parse::<TagKey>().unwrap().as_str(), "a key");
        let error = "a=b".parse::<TagKey>().unwrap_err().to_string();
        assert!(
            error.starts_with("tag key must have 1 to 36 characters"),
            "{error}"
        );
        assert!("  ".parse::<TagKey>().is_err());
        assert!("".parse::<TagValue>().is_ok());
    }
}
