//! Rules about one file: its header, its size, its lines, and spellings we do not use.

use super::{File, Offence};

/// The longest line, in characters.
const COLUMNS: usize = 100;
/// The most lines of code in one file; comments, blank lines and tests are free.
const CODE_LINES: usize = 500;
/// The largest file outside `fixtures/`, in bytes.
const FILE_BYTES: u64 = 256 << 10;

/// A spelling that is not used, and what to write instead.
struct Banned {
    spelling: &'static str,
    instead: &'static str,
}

/// Not used in Rust code. The dashes keep this table from accusing itself.
const IN_RUST: &[Banned] = &[
    banned(
        "#[allow-(",
        "`#[expect(lint, reason = \"…\")]`: it fails when it is no longer needed",
    ),
    banned("todo!-(", "an honest error, or nothing: a stub pretends"),
    banned(
        "unimplemented!-(",
        "an honest error, or nothing: a stub pretends",
    ),
    banned("thread_rng-(", "the injected `model::Entropy`"),
    banned("Uuid::new-_v4", "the injected `model::Entropy`"),
];

/// Not used anywhere: paths of one machine and hosts of package registries.
const ANYWHERE: &[Banned] = &[
    banned("/work-/", "a path relative to the repository"),
    banned("/root-/", "a path relative to the repository, or $HOME"),
    banned("/opt/-wheels", "the registry's ordinary client"),
    banned("index.crates-.io", "cargo's ordinary configuration"),
    banned("deb.debian-.org", "apt's ordinary configuration"),
    banned("registry.npmjs-.org", "npm's ordinary configuration"),
    banned("pypi-.org", "pip's ordinary configuration"),
    banned("black-list", "`refuse list`"),
    banned("white-list", "`allow list`"),
];

/// Names that say nothing about what a module holds.
const VAGUE_MODULES: &[&str] = &["utils", "util", "helpers", "helper", "misc", "manager"];

/// Words of the control plane that the engine never uses (docs/glossary.md).
const NOT_IN_ENGINE: &[&str] = &["backup", "vault", "checkpoint"];

const fn banned(spelling: &'static str, instead: &'static str) -> Banned {
    Banned { spelling, instead }
}

/// Every rule about one file.
pub(super) fn check(file: &File) -> Vec<Offence> {
    let mut found = Vec::new();
    if file.bytes > FILE_BYTES && !file.path.starts_with("fixtures/") && !is_lock(file) {
        found.push(file.offence(
            0,
            "is larger than 256 KiB; large examples belong in fixtures/",
        ));
    }
    let Some(text) = file.text.as_deref() else {
        return found;
    };
    if is_lock(file) || file.path.starts_with("fixtures/") {
        return found;
    }
    found.extend(header(file, text));
    found.extend(lines(file, text));
    if file.extension() == "rs" {
        found.extend(rust(file, text));
    }
    found
}

fn is_lock(file: &File) -> bool {
    file.path.ends_with("Cargo.lock")
}

/// Every source file opens with what it is.
fn header(file: &File, text: &str) -> Option<Offence> {
    let (kept, opening) = match file.extension() {
        "rs" => (text.starts_with("//! "), "//! a sentence on what it is"),
        "py" => (after_shebang(text).starts_with("\"\"\""), "a docstring"),
        "sql" => (text.starts_with("-- "), "-- a sentence on what it is"),
        "toml" => return None,
        "sh" => (
            after_shebang(text).starts_with("# "),
            "# a sentence on what it is",
        ),
        "md" => (text.starts_with("# ") || is_note(file), "# a title"),
        _ if text.starts_with("#!") => (after_shebang(text).starts_with("# "), "# a sentence"),
        _ => return None,
    };
    (!kept).then(|| file.offence(1, format!("opens without {opening}")))
}

/// A note on one change has no title: it becomes an entry of the change log.
fn is_note(file: &File) -> bool {
    file.path.starts_with("changes/")
}

fn after_shebang(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
        None => text,
    }
}

/// Length and spelling of each line.
fn lines(file: &File, text: &str) -> Vec<Offence> {
    let mut found = Vec::new();
    let code = matches!(file.extension(), "rs" | "py" | "sh" | "sql");
    for (number, line) in (1..).zip(text.lines()) {
        if code && line.chars().count() > COLUMNS && !unbreakable(line) {
            found.push(file.offence(number, format!("is longer than {COLUMNS} columns")));
        }
        if line.ends_with([' ', '\t']) {
            found.push(file.offence(number, "ends with a blank"));
        }
        for banned in ANYWHERE {
            if holds(line, banned) {
                found.push(file.offence(number, say(banned)));
            }
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(file.offence(0, "does not end with a line break"));
    }
    found
}

/// Whether the line is too long because of an address or of a message that one may want to find
/// in one piece.
fn unbreakable(line: &str) -> bool {
    let quotes = line.chars().take(COLUMNS).filter(|c| *c == '"').count();
    let message = line.trim_start().starts_with("#[error(");
    line.contains("://") || quotes % 2 == 1 || message
}

/// Rules of Rust sources.
fn rust(file: &File, text: &str) -> Vec<Offence> {
    let mut found = Vec::new();
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let folder = file.path.rsplit('/').nth(1).unwrap_or_default();
    for vague in VAGUE_MODULES {
        if name == format!("{vague}.rs") || folder == *vague {
            found.push(file.offence(0, format!("`{vague}` says nothing: name what it holds")));
        }
    }
    let code = code_lines(file, text);
    if code > CODE_LINES {
        found.push(file.offence(0, format!("has {code} lines of code, at most {CODE_LINES}")));
    }
    let engine = file.path.starts_with("crates/engine/src/");
    for (number, line) in (1..).zip(text.lines()) {
        for banned in IN_RUST {
            if holds(line, banned) {
                found.push(file.offence(number, say(banned)));
            }
        }
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        if comment.contains(&["TO", "DO"].concat()) && !comment.contains("(#") {
            found.push(file.offence(number, "a TODO names its issue: `TODO(#7): …`"));
        }
        for word in NOT_IN_ENGINE.iter().filter(|_| engine) {
            if code.to_lowercase().contains(word) {
                let message = format!("`{word}` is a word of the control plane, not the engine's");
                found.push(file.offence(number, message));
            }
        }
    }
    found
}

/// Lines of product code: what stands before a file's tests, without comments and blank lines.
fn code_lines(file: &File, text: &str) -> usize {
    let test = ["/tests/", "/tests.rs", "/benches/", "testkit/"];
    if test.iter().any(|part| file.path.contains(part)) {
        return 0;
    }
    let product = text
        .split_once("#[cfg(test)]\nmod tests {")
        .map_or(text, |(product, _)| product);
    product
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// Whether the line has the spelling, written here with a dash in it.
fn holds(line: &str, banned: &Banned) -> bool {
    line.contains(&banned.spelling.replacen('-', "", 1))
}

fn say(banned: &Banned) -> String {
    let spelling = banned.spelling.replacen('-', "", 1);
    format!("`{spelling}` is not used here; write {}", banned.instead)
}
