//! What goes into a backup of `strongroom repo`: rules that leave things out, streams.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    process::{Output, Stdio},
};

use anyhow::Result;
use serde_json::json;
use strongroom_e2e::{binary, data};

use crate::repository::Workshop;

/// The paths of a manifest.
fn paths(shop: &Workshop, manifest: &str) -> Result<BTreeSet<String>> {
    let listed = shop.run(&["ls", &shop.repository(), manifest, "--recursive"])?;
    Ok(listed.lines().map(ToOwned::to_owned).collect())
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

/// A small folder with caches and logs in it.
fn project(shop: &Workshop) -> Result<String> {
    let root = shop.place("project");
    for folder in ["src", "target/deep", "cache/inner", "src/logs"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for file in [
        "src/a.rs",
        "src/b.log",
        "src/logs/keep.log",
        "target/deep/x",
        "cache/inner/y",
    ] {
        fs::write(root.join(file), file)?;
    }
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# made by a program\n";
    fs::write(root.join("cache/CACHEDIR.TAG"), tag)?;
    Ok(shop.path("project"))
}

#[test]
fn what_the_rules_leave_out_is_not_saved_but_counted_and_recorded() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, project) = (shop.repository(), project(&shop)?);
    fs::write(shop.place("rules"), "# logs\n*.log\n!keep.log\n")?;
    let rules = shop.path("rules");
    let words = [
        "backup",
        &repo,
        &project,
        "--tag",
        "s1",
        "--exclude",
        "/target/",
    ];
    let words = [&words[..], &["--exclude-from", &rules, "--exclude-caches"]].concat();
    let saved = shop.json(&words)?;
    assert_eq!(saved["left_out"], 3, "{saved}");
    assert_eq!(saved["labels"]["exclude"], "/target/\n*.log\n!keep.log");
    assert_eq!(saved["labels"]["exclude-caches"], "yes");
    let expected = set(&[
        "cache/",
        "cache/CACHEDIR.TAG",
        "src/",
        "src/a.rs",
        "src/logs/",
        "src/logs/keep.log",
    ]);
    assert_eq!(paths(&shop, "s1")?, expected);
    let said = shop.run(&words)?;
    assert!(said.contains("3 entries are left out"), "{said}");
    Ok(())
}

#[test]
fn other_rules_take_effect_at_once_and_what_stays_is_not_read_again() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, project) = (shop.repository(), project(&shop)?);
    // Old enough that nothing can hide behind its times.
    let settle = || shop.run(&["backup", &repo, &project, "--exclude", "*.log"]);
    settle()?;
    let all = shop.json(&["backup", &repo, &project, "--tag", "all"])?;
    assert_eq!(all["new"], 2, "{all}");
    assert!(paths(&shop, "all")?.contains("src/b.log"));
    let none = shop.json(&[
        "backup",
        &repo,
        &project,
        "--tag",
        "none",
        "--exclude",
        "src",
    ])?;
    assert_eq!(
        (&none["new"], &none["left_out"]),
        (&json!(0), &json!(1)),
        "{none}"
    );
    assert!(
        !paths(&shop, "none")?
            .iter()
            .any(|path| path.starts_with("src"))
    );
    let again = shop.json(&["backup", &repo, &project, "--tag", "again"])?;
    assert_eq!(paths(&shop, "again")?, paths(&shop, "all")?);
    // Everything is known to the repository, whatever the manifest before left out.
    assert!(again["unique_bytes"].as_u64() < Some(5_000), "{again}");
    Ok(())
}

#[test]
fn rules_that_make_no_sense_are_refused_with_a_word_about_it() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files, image) = (shop.repository(), shop.path("files"), shop.path("disk.img"));
    let refused = shop.refused(&["backup", &repo, &files, "--exclude", "a{b"])?;
    assert!(refused.contains("a{b"), "{refused}");
    let refused = shop.refused(&["backup", &repo, &files, "--exclude-from", "/no/such"])?;
    assert!(refused.contains("/no/such"), "{refused}");
    let refused = shop.refused(&["backup", &repo, &image, "--exclude", "x"])?;
    assert!(refused.contains("no folder"), "{refused}");
    let refused = shop.refused(&["backup", &repo, &files, "--stdin-name", "x"])?;
    assert!(refused.contains("`-`"), "{refused}");
    assert_eq!(shop.json(&["list", &repo])?, json!([]));
    Ok(())
}

/// Runs `repo` with bytes on its standard input.
fn feed(shop: &Workshop, words: &[&str], bytes: &[u8]) -> Result<Output> {
    let mut command = binary::command();
    command.arg("repo").args(words);
    command.env("STRONGROOM_KEY_FILE", shop.place("key"));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes));
        Ok(child.wait_with_output()?)
    })
}

#[test]
fn a_stream_becomes_a_file_and_comes_back_as_a_stream() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    for (tag, bytes) in [
        ("none", Vec::new()),
        ("few", b"few bytes".to_vec()),
        (
            "many",
            [data::noise(1, 3 << 20), data::prose(2, 2 << 20)].concat(),
        ),
    ] {
        let words = [
            "backup",
            &repo,
            "-",
            "--stdin-name",
            "dump.sql",
            "--tag",
            tag,
        ];
        let saved = feed(&shop, &words, &bytes)?;
        assert!(saved.status.success(), "{saved:?}");
        assert_eq!(paths(&shop, tag)?, set(&["dump.sql"]));
        let words = ["restore", &repo, tag, "--path", "dump.sql", "--to", "-"];
        assert!(shop.output(&words)?.stdout == bytes, "{tag}");
        let to = shop.path(&format!("to {tag}"));
        shop.run(&["restore", &repo, tag, "--to", &to])?;
        assert!(fs::read(shop.place(&format!("to {tag}")).join("dump.sql"))? == bytes);
    }
    // The same bytes again, with a few in front, store next to nothing.
    let bytes = [
        b"new".to_vec(),
        data::noise(1, 3 << 20),
        data::prose(2, 2 << 20),
    ]
    .concat();
    let words = ["--json", "backup", &repo, "-", "--stdin-name", "dump.sql"];
    let saved = feed(&shop, &words, &bytes)?;
    // The long commands tell events, and the last is the result.
    let printed = String::from_utf8(saved.stdout)?;
    let saved: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap())?;
    assert!(saved["unique_bytes"].as_u64() < Some(600_000), "{saved}");
    shop.run(&["check", &repo, "--read-data"])?;
    Ok(())
}

#[test]
fn a_stream_becomes_a_disk_as_if_it_had_been_saved_from_an_image() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, image) = (shop.repository(), shop.path("disk.img"));
    shop.run(&["backup", &repo, &image, "--tag", "image"])?;
    let bytes = fs::read(&image)?;
    let saved = feed(
        &shop,
        &["backup", &repo, "-", "--volume", "--tag", "stream"],
        &bytes,
    )?;
    assert!(saved.status.success(), "{saved:?}");
    let same = shop.json(&["diff", &repo, "image", "stream"])?;
    assert_eq!(same, json!([]));
    let to = shop.path("back.img");
    shop.run(&["restore", &repo, "stream", "--to", &to])?;
    assert!(fs::read(&to)? == bytes);
    assert!(
        shop.output(&["restore", &repo, "stream", "--to", "-"])?
            .stdout
            == bytes
    );
    Ok(())
}

#[test]
fn a_command_that_fails_leaves_no_backup_however_much_it_printed() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    let words = [
        "backup",
        &repo,
        "-",
        "--stdin-name",
        "out",
        "--tag",
        "s1",
        "--stdin-command",
    ];
    let good = [
        &words[..],
        &["sh", "-c", "head -c 300000 /dev/zero; echo end"],
    ]
    .concat();
    shop.run(&good)?;
    let back = shop.output(&["cat", &repo, "s1", "out"])?.stdout;
    assert_eq!(back.len(), 300_004);
    let bad = [
        &words[..],
        &["sh", "-c", "head -c 3000000 /dev/zero; exit 3"],
    ]
    .concat();
    let refused = shop.refused(&bad)?;
    assert!(
        refused.contains("sh ended with exit status: 3"),
        "{refused}"
    );
    let absent = [&words[..], &["/no/such/program"]].concat();
    let refused = shop.refused(&absent)?;
    assert!(refused.contains("/no/such/program"), "{refused}");
    assert_eq!(
        shop.json(&["list", &repo])?.as_array().map(Vec::len),
        Some(1)
    );

    let refused = shop.refused(&["backup", &repo, "-"])?;
    assert!(
        refused.contains("--stdin-name") && refused.contains("--volume"),
        "{refused}"
    );
    let refused = shop.refused(&["backup", &repo, "-", "--stdin-name", "a/b"])?;
    assert!(refused.contains("a/b"), "{refused}");
    let refused = shop.refused(&["restore", &repo, "s1", "--to", "-"])?;
    assert!(refused.contains("repo export"), "{refused}");
    // A reader who goes away ends the command, not the machine's patience.
    let mut command = binary::command();
    command.args(["repo", "cat", &repo, "s1", "out"]);
    command.env("STRONGROOM_KEY_FILE", shop.place("key"));
    let full = command
        .stdout(File::options().write(true).open("/dev/full")?)
        .output()?;
    assert!(!full.status.success());
    Ok(())
}
