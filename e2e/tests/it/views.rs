//! Looking into backups with `strongroom repo`: lists and comparisons.

use std::{fs, os::unix::ffi::OsStrExt as _};

use anyhow::Result;
use serde_json::Value;
use strongroom_e2e::data;

use crate::repository::Workshop;

#[test]
fn a_list_shows_what_there_is_in_its_order_and_escapes_what_is_no_text() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    let odd = shop
        .place("files")
        .join(std::ffi::OsStr::from_bytes(b"odd\xff\n"));
    fs::write(odd, b"12345")?;
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    let listed = shop.json(&["ls", &repo, "s1", "--recursive"])?;
    let rows = listed.as_array().unwrap();
    let paths: Vec<_> = rows
        .iter()
        .map(|row| row["path"].as_str().unwrap())
        .collect();
    assert!(
        paths.contains(&"deep/er") && paths.contains(&"text"),
        "{paths:?}"
    );
    let odd = rows.iter().find(|row| row["path"] == r"odd\xff\n").unwrap();
    assert_eq!(odd["path_hex"], "6f6464ff0a");
    assert_eq!(odd["size"], 5);

    let top = shop.run(&["ls", &repo, "s1"])?;
    assert!(top.lines().any(|line| line == "deep/"), "{top}");
    assert!(!top.contains("deep/er"), "{top}");
    let long = shop.run(&["ls", &repo, "s1", "deep", "--long"])?;
    assert!(
        long.starts_with("drwx") && long.contains("deep/er"),
        "{long}"
    );
    let one = shop.run(&["ls", &repo, "s1", "text"])?;
    assert_eq!(one, "text\n");

    let refused = shop.refused(&["ls", &repo, "s1", "no/such"])?;
    assert!(refused.contains("no/such"), "{refused}");
    shop.run(&["backup", &repo, &shop.path("disk.img"), "--tag", "disk"])?;
    let refused = shop.refused(&["ls", &repo, "disk"])?;
    assert!(
        refused.contains("volume") && refused.contains("repo cat"),
        "{refused}"
    );
    Ok(())
}

#[test]
fn a_comparison_tells_what_was_added_removed_and_changed() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files, image) = (shop.repository(), shop.path("files"), shop.path("disk.img"));
    let inside = |name: &str| shop.place("files").join(name);
    fs::write(inside("goes"), b"123")?;
    shop.run(&["backup", &repo, &files, "--tag", "a"])?;
    shop.run(&["backup", &repo, &image, "--tag", "disk-a"])?;
    fs::remove_file(inside("goes"))?;
    fs::write(inside("comes"), b"4567")?;
    fs::write(inside("text"), b"other words")?;
    data::change_image(&shop.place("disk.img"), 5)?;
    shop.run(&["backup", &repo, &files, "--tag", "b"])?;
    shop.run(&["backup", &repo, &image, "--tag", "disk-b"])?;

    let told = shop.json(&["diff", &repo, "a", "b"])?;
    let row = |path: &str| {
        let rows = told.as_array().unwrap();
        rows.iter()
            .find(|row| row["path"] == path)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(told.as_array().unwrap().len(), 4, "{told}");
    assert_eq!(row("comes")["change"], "added");
    assert_eq!(row("comes")["after"]["size"], 4);
    assert_eq!(row("goes")["change"], "removed");
    assert_eq!(
        row("text")["aspects"],
        serde_json::json!(["content", "modified"])
    );
    assert_eq!(row(".")["aspects"], serde_json::json!(["modified"]));
    let text = shop.run(&["diff", &repo, "a", "b"])?;
    assert!(
        text.contains("\n+ comes\n- goes\n~ text  content, modified  "),
        "{text}"
    );
    assert!(
        text.ends_with("1 added (4 B), 1 removed (3 B), 2 changed\n"),
        "{text}"
    );
    let same = shop.run(&["diff", &repo, "a", "a"])?;
    assert_eq!(same.lines().count(), 1, "{same}");

    let told = shop.json(&["diff", &repo, "disk-a", "disk-b"])?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (tag, bytes) in [("disk-a", &mut a), ("disk-b", &mut b)] {
        bytes.extend(shop.output(&["cat", &repo, tag])?.stdout);
    }
    let ranges = told.as_array().unwrap();
    assert!(!ranges.is_empty());
    assert_eq!(blocks_that_differ(&a, &b), blocks_of(ranges));
    let refused = shop.refused(&["diff", &repo, "a", "disk-a"])?;
    assert!(refused.contains("nothing to compare"), "{refused}");
    Ok(())
}

const BLOCK: usize = 64 << 10;

fn blocks_that_differ(a: &[u8], b: &[u8]) -> Vec<usize> {
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK)).enumerate();
    blocks
        .filter(|(_, (a, b))| a != b)
        .map(|(number, _)| number)
        .collect()
}

fn blocks_of(ranges: &[Value]) -> Vec<usize> {
    let number = |value: &Value| {
        let number = value.as_u64().expect("ranges are numbers");
        usize::try_from(number).expect("images here are small")
    };
    let blocks = ranges.iter().flat_map(|range| {
        let (start, length) = (number(&range["offset"]), number(&range["length"]));
        start / BLOCK..(start + length).div_ceil(BLOCK)
    });
    blocks.collect()
}
