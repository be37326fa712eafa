//! `strongroom repo`: the engine on a folder, with no service anywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Result, bail};
use serde_json::Value;
use strongroom_e2e::{binary, data, fingerprint::Fingerprint};
use tempfile::TempDir;

use crate::scene::text;

/// A repository beside a share and an image.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("files"))?;
        data::make_share(&folder.path().join("files"), 1)?;
        data::make_image(&folder.path().join("disk.img"), 64, 2)?;
        let shop = Self { folder };
        shop.run(&["init", &shop.repository()])?;
        Ok(shop)
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        text(&self.place(name)).to_owned()
    }

    pub(crate) fn repository(&self) -> String {
        self.path("repository")
    }

    pub(crate) fn output(&self, words: &[&str]) -> Result<Output> {
        let mut command = binary::command();
        command.arg("repo").args(words);
        command.env("STRONGROOM_KEY_FILE", self.place("key"));
        Ok(command.output()?)
    }

    pub(crate) fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.output(words)?;
        if !output.status.success() {
            bail!(
                "repo {}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) fn refused(&self, words: &[&str]) -> Result<String> {
        let output = self.output(words)?;
        if output.status.success() {
            bail!("repo {} succeeded", words.join(" "));
        }
        let said = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    pub(crate) fn packs(&self) -> Result<Vec<PathBuf>> {
        packs(Path::new(&self.repository()))
    }

    pub(crate) fn json(&self, words: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend(words);
        let printed = self.run(&all)?;
        // The long commands print events, the last of which is the result.
        let last = printed.lines().last().unwrap_or_default();
        let result = serde_json::from_str(&printed).or_else(|_| serde_json::from_str(last));
        Ok(result?)
    }

    /// The events that a command tells, whether it succeeds or not.
    fn events(&self, words: &[&str]) -> Result<Vec<Value>> {
        let mut all = vec!["--json"];
        all.extend(words);
        let printed = self.output(&all)?.stdout;
        let lines = String::from_utf8(printed)?;
        lines
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

#[test]
fn what_was_saved_comes_back_by_tag_name_or_as_the_latest() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files, image) = (shop.repository(), shop.path("files"), shop.path("disk.img"));
    let was = Fingerprint::of(&shop.place("files"))?;
    let disk = Fingerprint::of_disk(&shop.place("disk.img"))?;
    let first = shop.json(&["backup", &repo, &files, "--tag", "s1"])?;
    shop.run(&["backup", &repo, &image, "--tag", "disk"])?;
    data::change_share(&shop.place("files"), 3)?;
    let second = shop.json(&["backup", &repo, &files, "--tag", "s2"])?;
    let bytes = |value: &Value| value["unique_bytes"].as_u64().unwrap();
    assert!(bytes(&second) < bytes(&first) / 5, "{second}");
    assert_eq!(second["previous"], first["manifest"]);

    let listed = shop.json(&["list", &repo])?;
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let id = first["manifest"].as_str().unwrap();
    for name in ["s1", id, &id[..8]] {
        let to = shop.path(&format!("by {name}"));
        shop.run(&["restore", &repo, name, "--to", &to])?;
        was.compare(Path::new(&to))?;
    }
    let to = shop.path("latest");
    shop.run(&["restore", &repo, "latest", "--to", &to])?;
    Fingerprint::of(&shop.place("files"))?.compare(Path::new(&to))?;
    let to = shop.path("again.img");
    shop.run(&["restore", &repo, "disk", "--to", &to])?;
    disk.compare(Path::new(&to))?;
    let to = shop.path("part");
    shop.run(&["restore", &repo, "s1", "--path", "deep/er", "--to", &to])?;
    was.below("deep/er").compare(Path::new(&to))?;

    let printed = shop.output(&["cat", &repo, "s2", "text"])?.stdout;
    assert!(printed == fs::read(shop.place("files/text"))?);
    let printed = shop.output(&["cat", &repo, "disk"])?.stdout;
    assert!(printed == fs::read(shop.place("disk.img"))?);
    Ok(())
}

#[test]
fn forgetting_and_collecting_frees_space_and_nothing_that_is_needed() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    let noise = shop.place("files/only in the first");
    fs::write(&noise, data::noise(99, 8 << 20))?;
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    fs::remove_file(&noise)?;
    shop.run(&["backup", &repo, &files, "--tag", "s2"])?;
    let before = shop.json(&["stats", &repo])?;
    shop.run(&["forget", &repo, "s1"])?;
    let listed = shop.json(&["list", &repo])?;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    shop.run(&["collect", &repo])?;
    let after = shop.json(&["stats", &repo])?;
    let stored = |stats: &Value| stats["stored_bytes"].as_u64().unwrap();
    assert!(
        stored(&after) + (7 << 20) < stored(&before),
        "{before} {after}"
    );
    shop.run(&["check", &repo, "--read-data"])?;
    let to = shop.path("restored");
    shop.run(&["restore", &repo, "s2", "--to", &to])?;
    Fingerprint::of(&shop.place("files"))?.compare(Path::new(&to))?;

    for tag in ["s3", "s4", "s5"] {
        shop.run(&["backup", &repo, &files, "--tag", tag])?;
    }
    shop.run(&["forget", &repo, "--keep-last", "2"])?;
    let listed = shop.json(&["list", &repo])?;
    let mut tags: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["tag"].clone())
        .collect();
    tags.sort_by_key(ToString::to_string);
    assert_eq!(tags, ["s4", "s5"]);
    Ok(())
}

#[test]
fn damage_is_found_named_and_survived_by_everything_else() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, image) = (shop.repository(), shop.path("disk.img"));
    shop.run(&["backup", &repo, &shop.path("files"), "--tag", "files"])?;
    let healthy = shop.run(&["check", &repo, "--read-data"])?;
    assert!(!healthy.is_empty());
    let packs_before = packs(Path::new(&repo))?;
    shop.run(&["backup", &repo, &image, "--tag", "disk"])?;
    // One byte in the middle of a pack that only the disk needs.
    let all = packs(Path::new(&repo))?;
    let of_disk = all.iter().filter(|pack| !packs_before.contains(pack));
    let victim = of_disk
        .max_by_key(|pack| pack.metadata().map_or(0, |m| m.len()))
        .unwrap();
    let mut bytes = fs::read(victim)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(victim)?;
    fs::write(victim, bytes)?;

    let told = shop.refused(&["check", &repo, "--read-data"])?;
    let name = victim.file_name().unwrap().to_str().unwrap();
    assert!(told.contains(name), "{name} is not in {told}");
    let to = shop.path("broken.img");
    let refused = shop.refused(&["restore", &repo, "disk", "--to", &to])?;
    assert!(
        refused.contains("bytes") && refused.contains("lost"),
        "{refused}"
    );
    let to = shop.path("restored");
    shop.run(&["restore", &repo, "files", "--to", &to])?;
    Fingerprint::of(&shop.place("files"))?.compare(Path::new(&to))
}

fn packs(repository: &Path) -> Result<Vec<PathBuf>> {
    let names = crate::scene::listing(repository)?;
    let packs = names
        .iter()
        .filter(|name| name.starts_with("packs/") && !name.ends_with('/'));
    Ok(packs.map(|name| repository.join(name)).collect())
}

#[test]
fn wrong_words_and_wrong_keys_are_told_what_to_do() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    let refused = shop.refused(&["init", &repo])?;
    assert!(refused.contains("already"), "{refused}");
    let refused = shop.refused(&["restore", &repo, "s9", "--to", &shop.path("x")])?;
    assert!(
        refused.contains("s9") && refused.contains("repo list"),
        "{refused}"
    );
    let refused = shop.refused(&["restore", &repo, "s1", "--to", &files])?;
    assert!(refused.contains("exists"), "{refused}");
    let refused = shop.refused(&["cat", &repo, "s1", "no/such/file"])?;
    assert!(refused.contains("no/such/file"), "{refused}");
    let refused = shop.refused(&["backup", &repo, &shop.path("nowhere")])?;
    assert!(refused.contains("nowhere"), "{refused}");
    let refused = shop.refused(&["list", &shop.path("files")])?;
    assert!(refused.contains("repository"), "{refused}");

    fs::write(shop.place("key"), "00".repeat(32))?;
    let refused = shop.refused(&["list", &repo])?;
    assert!(refused.contains("key"), "{refused}");
    fs::remove_file(shop.place("key"))?;
    let refused = shop.refused(&["list", &repo])?;
    assert!(refused.contains("key"), "{refused}");
    Ok(())
}

#[test]
fn a_passphrase_opens_what_it_locked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = text(&folder.path().join("repository")).to_owned();
    fs::write(folder.path().join("one"), b"content")?;
    let one = text(&folder.path().join("one")).to_owned();
    let run = |passphrase: &str, words: &[&str]| {
        let mut command = binary::command();
        command.arg("repo").args(words);
        command.env("STRONGROOM_PASSPHRASE", passphrase).output()
    };
    assert!(run("correct horse", &["init", &repo])?.status.success());
    assert!(
        run("correct horse", &["backup", &repo, &one])?
            .status
            .success()
    );
    assert!(run("correct horse", &["list", &repo])?.status.success());
    assert!(!run("battery staple", &["list", &repo])?.status.success());
    Ok(())
}

/// The largest pack of a repository, on disk.
fn largest_pack(repository: &Path) -> Result<PathBuf> {
    let mut largest = (0, PathBuf::new());
    for folder in fs::read_dir(repository.join("packs"))? {
        for pack in fs::read_dir(folder?.path())? {
            let pack = pack?.path();
            largest = largest.max((fs::metadata(&pack)?.len(), pack));
        }
    }
    Ok(largest.1)
}

fn rot(file: &Path) -> Result<()> {
    let mut bytes = fs::read(file)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(file)?;
    Ok(fs::write(file, bytes)?)
}

#[test]
fn rot_is_healed_from_a_mirror_and_a_copy_restores_alone() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    let (mirror, other) = (shop.path("mirror"), shop.path("other"));
    let was = Fingerprint::of(&shop.place("files"))?;
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    shop.run(&["init", &mirror, "--mirror-of", &repo])?;
    shop.run(&["copy", &repo, &mirror])?;
    let key = shop.path("other key");
    shop.run(&["init", &other, "--key-file", &key])?;
    let copied = shop.json(&["copy", &repo, &other, "s1", "--to-key-file", &key])?;
    assert_eq!(copied["copied"].as_array().unwrap().len(), 1);

    rot(&largest_pack(&shop.place("repository"))?)?;
    let said = shop.refused(&["check", &repo, "--read-data"])?;
    assert!(said.contains("repo repair"), "{said}");
    let planned = shop.refused(&["repair", &repo, "--from", &mirror, "--dry-run"])?;
    assert!(planned.contains("would put pack"), "{planned}");
    let done = shop.json(&["repair", &repo, "--from", &mirror])?;
    let steps = done["steps"].as_array().unwrap();
    for step in steps {
        let step = step.as_str().unwrap();
        assert!(
            planned.contains(&format!("would {step}")),
            "{step} in {planned}"
        );
    }
    shop.run(&["check", &repo, "--read-data"])?;
    shop.run(&["check", &repo, "--read-data", "--heal", "--part", "1/3"])?;
    shop.run(&["collect", &repo])?;
    let again = shop.json(&["repair", &repo])?;
    assert!(again["steps"].as_array().unwrap().is_empty(), "{again}");
    let to = shop.path("healed");
    shop.run(&["restore", &repo, "s1", "--to", &to])?;
    was.compare(Path::new(&to))?;

    fs::remove_dir_all(shop.place("repository"))?;
    fs::remove_dir_all(shop.place("mirror"))?;
    let to = shop.path("from the copy");
    shop.run(&["restore", &other, "s1", "--key-file", &key, "--to", &to])?;
    was.compare(Path::new(&to))?;
    Ok(())
}

#[test]
fn programs_are_told_events_one_per_line() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files, to) = (shop.repository(), shop.path("files"), shop.path("back"));
    let names = |events: &[Value]| -> Vec<String> {
        let name = |event: &Value| event["event"].as_str().unwrap_or("none").to_owned();
        events.iter().map(name).collect()
    };
    for words in [
        &["backup", &repo, &files][..],
        &["check", &repo, "--read-data"],
        &["restore", &repo, "latest", "--to", &to],
        &["collect", &repo],
    ] {
        let events = shop.events(words)?;
        let told = names(&events);
        assert_eq!(
            told.first().map(String::as_str),
            Some("progress"),
            "{words:?}"
        );
        assert_eq!(told.last().map(String::as_str), Some("done"), "{words:?}");
        assert!(told.len() >= 3, "{words:?}: {told:?}");
        let first = &events[0];
        for field in [
            "bytes_done",
            "bytes_total",
            "items_done",
            "bytes_per_second",
        ] {
            assert!(first[field].is_u64(), "{words:?}: {first}");
        }
    }
    // The place is taken now: that is told as the last event, and by the exit status.
    let told = names(&shop.events(&["restore", &repo, "latest", "--to", &to])?);
    assert_eq!(told.last().map(String::as_str), Some("failed"), "{told:?}");
    Ok(())
}

#[test]
fn a_limited_repository_works_and_a_bad_rate_is_refused() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    let limits = ["--limit-upload", "1G", "--limit-download", "500MB/s"];
    let backup = [&["backup", &repo, &files][..], &limits].concat();
    shop.run(&backup)?;
    shop.run(&[&["check", &repo, "--read-data"][..], &limits].concat())?;
    let said = shop.refused(&["list", &repo, "--limit-download", "10Mbit"])?;
    assert!(said.contains("write bytes per second such as"), "{said}");
    Ok(())
}

#[test]
fn the_store_itself_is_tried() -> Result<()> {
    let shop = Workshop::new()?;
    let said = shop.run(&["check", &shop.repository(), "--store"])?;
    assert!(
        said.contains("of concurrent creators of a key exactly one"),
        "{said}"
    );
    assert!(said.contains("promises of a store are kept"), "{said}");
    // What was tried is gone: the repository is as whole as before.
    shop.run(&["check", &shop.repository()])?;
    Ok(())
}
