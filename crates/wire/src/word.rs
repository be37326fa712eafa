//! Closed enumerations: the words a vendor's table allows, and nothing else.
//!
//! A reply can only carry a documented word. A request with another word is refused while it is
//! parsed, with a message that lists the known ones; that becomes the vendor's "parameter check
//! failed". Words are case sensitive, as they are on the cloud.

use std::fmt;

/// A word that the vendor's table does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What the word should have named.
    pub what: &'static str,
    /// The word as it was sent.
    pub word: String,
    /// The words of the table.
    pub known: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The caller's text is echoed, but never at a length of the caller's choosing.
        let word: String = self.word.chars().take(64).collect();
        write!(
            f,
            "unknown {} {word:?}: expected {}",
            self.what,
            self.known.join(", ")
        )
    }
}

impl std::error::Error for UnknownWord {}

/// Declares closed enumerations: `Name, "what it is" { Variant = "word", … }`.
macro_rules! words {
    ($(
        $(#[$doc:meta])*
        $name:ident, $what:literal {
            $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// Every word, in the order of the vendor's table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            const WORDS: &[&str] = &[$($word),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::word::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::word::UnknownWord {
                        what: $what,
                        word: word.to_owned(),
                        known: Self::WORDS,
                    }),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<str>::deserialize(from)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::query::QueryValue for $name {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|unknown: $crate::word::UnknownWord| unknown.to_string())
            }

            fn text(&self) -> String {
                self.as_str().to_owned()
            }
        }
    )+};
}
