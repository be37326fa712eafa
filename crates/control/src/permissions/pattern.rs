//! Wildcards of policies: `*` stands for any text, also none; everything else for itself.

/// Whether `text` is what `pattern` describes.
///
/// Walks both once and goes back to the last `*` only, so a hostile pattern costs no more than
/// the product of the lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, from));
            at += 1;
        } else if pattern.get(at) == Some(&text[from]) {
            at += 1;
            from += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            at = place + 1;
            from = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By definition instead of by walking.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|taken| slowly(rest, &text[taken..])),
            Some((byte, rest)) => text.first() == Some(byte) && slowly(rest, &text[1..]),
        }
    }

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("cbr:*:get*", "cbr:backups:get", true),
            ("cbr:*:get*", "cbr:backups:getReport", true),
            ("cbr:*:get*", "cbr:backups:delete", false),
            ("cbr:vaults:*", "cbr:vaults", false),
            ("cbr:vaults:create", "cbr:vaults:create", true),
            ("cbr:vaults:create", "cbr:vaults:Create", false),
            ("cbr:vaults:crea?e", "cbr:vaults:create", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "*a".repeat(200);
        assert!(!matches(&pattern, &"a".repeat(199)));
        assert!(!matches(&pattern, &format!("{}b", "a".repeat(4000))));
    }

    proptest! {
        #[test]
        fn walking_and_the_definition_agree(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(
                matches(&pattern, &text),
                slowly(pattern.as_bytes(), text.as_bytes())
            );
        }
    }
}
