//! An error with what caused it, in one line for logs and records.
//!
//! Invariant: every cause is told, from the top down, each once.

use std::{error::Error, fmt::Write as _};

/// The error with all its causes, with `: ` between them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Text takes whatever is written to it.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("cannot write the note")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_are_told_from_the_top_down() {
        let full = Outer(io::Error::other("the disk is full"));
        assert_eq!(chain(&full), "cannot write the note: the disk is full");
        assert_eq!(chain(&io::Error::other("alone")), "alone");
    }
}
