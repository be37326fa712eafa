//! The repository keeps the house rules, and each rule notices who does not.

use super::*;

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: Some(text.to_owned()),
        bytes: text.len() as u64,
    }
}

/// What the rules about one file say, without the place.
fn said(path: &str, text: &str) -> Vec<String> {
    let found = text::check(&file(path, text));
    found.into_iter().map(|offence| offence.message).collect()
}

#[test]
fn the_repository_keeps_the_house_rules() {
    let found = offences(&files().unwrap()).unwrap();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn each_rule_about_a_file_notices_who_breaks_it() {
    let long = format!("//! A.\n// {}\n", "x".repeat(98));
    let big = format!("//! A.\n{}", "let a = 1;\n".repeat(501));
    let todo = ["TO", "DO"].concat();
    let machine = ["/wo", "rk/x"].concat();
    let stub = ["fn f() { to", "do!() }"].concat();
    let cases: &[(&str, &str, &str)] = &[
        ("a.rs", "fn f() {}\n", "opens without"),
        ("a.py", "import os\n", "opens without"),
        ("a/run", "#!/bin/sh\necho\n", "opens without"),
        ("a.md", "text\n", "opens without"),
        ("a.rs", &long, "longer than 100 columns"),
        ("a.rs", &big, "501 lines of code"),
        ("a.rs", "//! A.\nlet a = 1; \n", "ends with a blank"),
        ("a.rs", "//! A.", "line break"),
        (
            "a.rs",
            &format!("//! A.\n// {todo} later\n"),
            "names its issue",
        ),
        ("a.rs", &format!("//! A.\n{stub}\n"), "a stub pretends"),
        (
            "a.toml",
            &format!("path = \"{machine}\"\n"),
            "relative to the repository",
        ),
        ("crates/x/src/utils.rs", "//! A.\n", "says nothing"),
        (
            "crates/engine/src/a.rs",
            "//! A.\nstruct BackupPlan;\n",
            "not the engine's",
        ),
    ];
    for (path, text, words) in cases {
        let said = said(path, text);
        assert_eq!(said.len(), 1, "{path} {text:.60} -> {said:?}");
        assert!(said[0].contains(words), "{words} is not in {said:?}");
    }
}

#[test]
fn what_the_rules_leave_free_is_free() {
    let tests = format!(
        "//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "    a();\n".repeat(600)
    );
    let comments = format!("//! A.\n{}", "// why\n\n".repeat(400));
    let todo = ["TO", "DO"].concat();
    let message = format!("//! A.\n#[error(\"{}\")]\n", "x ".repeat(60));
    let cases: &[(&str, &str)] = &[
        ("a.rs", &message),
        ("a.rs", &tests),
        ("a.rs", &comments),
        ("a/tests.rs", &format!("//! A.\n{}", "a();\n".repeat(600))),
        ("a.rs", &format!("//! A.\n// {todo}(#7): later\n")),
        ("a.md", &format!("# A\n\n{}\n", "x".repeat(120))),
        (
            "crates/engine/src/a.rs",
            "//! A.\n// the control plane says vault\n",
        ),
        ("crates/control/src/vaults.rs", "//! A.\nstruct Vault;\n"),
    ];
    for (path, text) in cases {
        assert_eq!(said(path, text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_link_must_lead_to_a_file_and_a_heading() {
    let files = [
        file(
            "README.md",
            "# A\n\n[b](docs/b.md#two-words) [c](docs/) [d](#a)\n",
        ),
        file(
            "docs/b.md",
            "# B\n\n## Two words\n\n[up](../README.md)\n```\n[no](x)\n```\n",
        ),
    ];
    assert_eq!(markdown::check(&files), []);
    let files = [
        file("README.md", "# A\n\n[b](docs/c.md)\n[d](#nothing)\n"),
        file("docs/b.md", "# B\n"),
    ];
    let lines: Vec<usize> = markdown::check(&files).iter().map(|o| o.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn decision_records_have_a_number_each() {
    let record = |name: &str| file(&format!("docs/adr/{name}"), "# A\n");
    let good = [record("0001-a.md"), record("0002-b.md")];
    assert_eq!(markdown::check(&good), []);
    for bad in ["0001-twin.md", "2-b.md", "0002-b.txt"] {
        let files = [record("0001-a.md"), record(bad)];
        assert_eq!(markdown::check(&files).len(), 1, "{bad}");
    }
}

#[test]
fn an_arrow_that_the_map_does_not_have_is_refused() {
    let check = |name: &str, uses: &[(&str, Option<&str>)]| {
        edges::check(&[edges::package(name, uses)]).len()
    };
    assert_eq!(check("strongroom-api", &[("strongroom-control", None)]), 0);
    assert_eq!(check("strongroom-control", &[("strongroom-wire", None)]), 1);
    assert_eq!(
        check("strongroom-engine", &[("strongroom-catalog", None)]),
        1
    );
    assert_eq!(
        check("strongroom-store", &[("strongroom-testkit", Some("dev"))]),
        0
    );
    assert_eq!(check("strongroom-unheard-of", &[]), 1);
    let many: Vec<(String, Option<&str>)> = (0..21).map(|n| (format!("x{n}"), None)).collect();
    let many: Vec<(&str, Option<&str>)> = many.iter().map(|(n, k)| (n.as_str(), *k)).collect();
    assert_eq!(check("strongroom-api", &many), 1);
}
