//! Exports of `strongroom repo`: other programs read them and find the same.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use strongroom_e2e::{data, fingerprint::Fingerprint};

use crate::repository::Workshop;

/// Runs another program, which must succeed; what it printed.
fn call(program: &str, words: &[&str]) -> Result<String> {
    let output = Command::new(program).args(words).output();
    let output = output.with_context(|| format!("{program} is missing; run `cargo xtask test`"))?;
    if !output.status.success() {
        bail!(
            "{program} {words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What Python's tarfile finds: for each name its type, size, mode, owner, link and digest.
const LOOK: &str = r"
import hashlib, json, os, sys, tarfile
found = {}
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        content = ''
        if member.isreg():
            content = hashlib.sha256(archive.extractfile(member).read()).hexdigest()
        name = os.fsencode(member.name).hex()
        found[name] = [member.type.decode(), member.size, member.mode, member.uid, member.gid,
                       member.linkname, content]
json.dump(found, sys.stdout)
";

/// The same of a folder.
const WALK: &str = r"
import hashlib, json, os, stat, sys
top, found, seen = os.fsencode(sys.argv[1]), {}, {}
def look(path, name):
    facts = os.lstat(path)
    content, link, size = '', '', 0
    if stat.S_ISREG(facts.st_mode):
        kind, size = '0', facts.st_size
        content = hashlib.sha256(open(path, 'rb').read()).hexdigest()
    elif stat.S_ISDIR(facts.st_mode): kind = '5'
    elif stat.S_ISLNK(facts.st_mode): kind, link = '2', os.readlink(path).decode()
    elif stat.S_ISFIFO(facts.st_mode): kind = '6'
    if facts.st_nlink > 1 and kind == '0':
        if facts.st_ino in seen: kind, link, size, content = '1', seen[facts.st_ino], 0, ''
        else: seen[facts.st_ino] = os.fsdecode(name)
    found[name.hex()] = [kind, size, stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid,
                         link, content]
    if kind == '5':
        for child in sorted(os.listdir(path)):
            look(os.path.join(path, child), name + b'/' + child)
look(top, b'.')
json.dump(found, sys.stdout)
";

fn tar_of(shop: &Workshop, words: &[&str]) -> Result<PathBuf> {
    let place = shop.place("export.tar");
    let to = shop.path("export.tar");
    let words = [&["export"], words, &["--format", "tar", "--to", &to]].concat();
    shop.run(&words)?;
    Ok(place)
}

#[test]
fn gnu_tar_and_python_read_an_archive_as_what_was_saved() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    let deep = shop
        .place("files")
        .join("long ".repeat(20))
        .join("names ".repeat(30));
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("é".repeat(60)), b"found")?;
    fs::hard_link(deep.join("é".repeat(60)), deep.join("another"))?;
    let ends = File::create(shop.place("files/ends in a hole"))?;
    ends.write_all_at(&data::noise(7, 5000), 1 << 20)?;
    ends.set_len(30 << 20)?;
    let hollow = File::create(shop.place("files/only a hole"))?;
    hollow.set_len(3 << 30)?;
    drop((ends, hollow));
    File::options()
        .write(true)
        .open(shop.place("files/empty"))?
        .set_modified(std::time::UNIX_EPOCH - std::time::Duration::from_millis(1500))?;
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    let was = Fingerprint::of(&shop.place("files"))?;
    let archive = tar_of(&shop, &[&repo, "s1"])?;
    assert!(
        fs::metadata(&archive)?.len() < 12 << 20,
        "holes are not written out"
    );

    let to = shop.place("extracted");
    fs::create_dir(&to)?;
    let (archive, to) = (shop.path("export.tar"), shop.path("extracted"));
    let words = [
        "-xpf",
        &archive,
        "-C",
        &to,
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
    ];
    call("tar", &words)?;
    was.compare(Path::new(&to))?;
    for hollow in ["ends in a hole", "only a hole", "holes"] {
        let allocated = fs::metadata(shop.place("extracted").join(hollow))?.blocks() * 512;
        assert!(allocated < 1 << 20, "{hollow}: {allocated}");
    }

    fs::remove_file(shop.place("files/only a hole"))?;
    shop.run(&["backup", &repo, &files, "--tag", "s2"])?;
    fs::remove_file(&archive)?;
    tar_of(&shop, &[&repo, "s2"])?;
    let found: Value = serde_json::from_str(&call("python3", &["-c", LOOK, &archive])?)?;
    let expected: Value = serde_json::from_str(&call("python3", &["-c", WALK, &files])?)?;
    let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
    assert_eq!(found.len(), expected.len());
    for (name, facts) in expected {
        assert_eq!(found.get(name), Some(facts), "{name}");
    }
    Ok(())
}

#[test]
fn a_part_of_a_tree_goes_through_a_pipe_and_refusals_leave_nothing() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files, image) = (shop.repository(), shop.path("files"), shop.path("disk.img"));
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    shop.run(&["backup", &repo, &image, "--tag", "disk"])?;
    let words = [
        "export", &repo, "s1", "--path", "deep/er", "--format", "tar", "--to", "-",
    ];
    let piped = shop.output(&words)?;
    assert!(piped.status.success(), "{piped:?}");
    fs::write(shop.place("part.tar"), piped.stdout)?;
    fs::create_dir(shop.place("part"))?;
    let (archive, to) = (shop.path("part.tar"), shop.path("part"));
    call(
        "tar",
        &[
            "-xpf",
            &archive,
            "-C",
            &to,
            "--xattrs",
            "--xattrs-include=*",
        ],
    )?;
    let was = Fingerprint::of(&shop.place("files"))?.below("deep/er");
    was.compare(Path::new(&to))?;
    let one = [
        "export", &repo, "s1", "--path", "text", "--format", "tar", "--to", "-",
    ];
    fs::write(shop.place("one.tar"), shop.output(&one)?.stdout)?;
    assert_eq!(call("tar", &["-tf", &shop.path("one.tar")])?, "./text\n");
    // Nothing else is told on standard output, not even to programs.
    let told = shop.output(&[&["--json"][..], &one].concat())?.stdout;
    assert!(told == fs::read(shop.place("one.tar"))?);

    let to = shop.path("refused");
    for (tag, format, told) in [
        ("disk", "tar", "raw or qcow2"),
        ("s1", "raw", "as tar"),
        ("s1", "qcow2", "as tar"),
    ] {
        let words = ["export", &repo, tag, "--format", format, "--to", &to];
        let refused = shop.refused(&words)?;
        assert!(refused.contains(told), "{refused}");
    }
    let there = ["export", &repo, "s1", "--format", "tar", "--to", &archive];
    let refused = shop.refused(&there)?;
    assert!(refused.contains("exists"), "{refused}");
    assert!(!Path::new(&to).exists());
    Ok(())
}

#[test]
fn qemu_finds_no_fault_in_an_image_and_the_same_bytes() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    // Sizes that are no whole blocks, nor sectors; nothing but a hole; nothing at all.
    let odd = File::create(shop.place("odd.img"))?;
    odd.write_all_at(&data::noise(3, 100_001), 200_000)?;
    File::create(shop.place("hole.img"))?.set_len(5 << 30)?;
    let far = File::create(shop.place("far.img"))?;
    far.set_len(1 << 40)?;
    far.write_all_at(b"far away", (1 << 39) + 12_345)?;
    for name in ["disk.img", "odd.img", "hole.img", "far.img"] {
        let image = shop.path(name);
        shop.run(&["backup", &repo, &image, "--tag", name])?;
        let to = shop.path(&format!("{name}.qcow2"));
        shop.run(&["export", &repo, name, "--format", "qcow2", "--to", &to])?;
        call("qemu-img", &["check", "-f", "qcow2", &to])?;
        call(
            "qemu-img",
            &["compare", "-f", "raw", "-F", "qcow2", &image, &to],
        )?;
        let data = fs::metadata(&image)?.blocks() * 512;
        let size = fs::metadata(&to)?.len();
        assert!(size < data + (2 << 20), "{name}: {size} bytes for {data}");
        let words = ["export", &repo, name, "--format", "qcow2", "--to", "-"];
        assert!(
            shop.output(&words)?.stdout == fs::read(&to)?,
            "{name}: through a pipe"
        );
    }
    let (image, to) = (shop.path("disk.img"), shop.path("disk.raw"));
    let converted = shop.path("converted.raw");
    let qcow2 = shop.path("disk.img.qcow2");
    call(
        "qemu-img",
        &["convert", "-f", "qcow2", "-O", "raw", &qcow2, &converted],
    )?;
    assert!(fs::read(&converted)? == fs::read(&image)?);
    shop.run(&["export", &repo, "disk.img", "--format", "raw", "--to", &to])?;
    assert!(fs::read(&to)? == fs::read(&image)?);
    let allocated = fs::metadata(&to)?.blocks();
    assert!(
        allocated <= fs::metadata(&image)?.blocks() + 256,
        "{allocated}"
    );
    let words = ["export", &repo, "disk.img", "--format", "raw", "--to", "-"];
    assert!(shop.output(&words)?.stdout == fs::read(&image)?);
    Ok(())
}

#[test]
fn what_is_lost_is_named_and_everything_else_is_exported() -> Result<()> {
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    let before = shop.packs()?;
    fs::write(shop.place("files/victim"), data::noise(12, 400 << 10))?;
    shop.run(&["backup", &repo, &files, "--tag", "s2"])?;
    // The victim fits into one segment, so the largest of the new packs holds all of it.
    let all = shop.packs()?;
    let new = all.iter().filter(|pack| !before.contains(pack));
    let pack = new.max_by_key(|pack| pack.metadata().map_or(0, |facts| facts.len()));
    fs::remove_file(pack.context("there is a new pack")?)?;
    let to = shop.path("damaged.tar");
    let refused = shop.refused(&["export", &repo, "s2", "--format", "tar", "--to", &to])?;
    assert!(
        refused.contains("victim") && refused.contains("lost"),
        "{refused}"
    );
    let to_check = shop.place("extracted");
    fs::create_dir(&to_check)?;
    let into = shop.path("extracted");
    call(
        "tar",
        &["-xpf", &to, "-C", &into, "--xattrs", "--xattrs-include=*"],
    )?;
    assert!(fs::read(to_check.join("victim"))? == vec![0; 400 << 10]);
    fs::remove_file(to_check.join("victim"))?;
    assert!(fs::read(to_check.join("text"))? == fs::read(shop.place("files/text"))?);
    Ok(())
}
