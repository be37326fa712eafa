//! `strongroom repo mount`: what is seen is what was saved, by many at once, until it ends.
//!
//! These tests mount for real. Where that cannot be (a container without /dev/fuse), they fail and
//! say so; `STRONGROOM_TEST_WITHOUT_FUSE=1` says that this is known and leaves them out.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use strongroom_e2e::{binary, data, fingerprint::Fingerprint};

use crate::repository::Workshop;

/// Whether somebody said that nothing can be mounted here.
fn left_out() -> bool {
    std::env::var_os("STRONGROOM_TEST_WITHOUT_FUSE").is_some()
}

/// A mounted repository; unmounted by force if the test fails.
struct Mount {
    child: Child,
    errors: ChildStderr,
    folder: PathBuf,
}

impl Mount {
    fn of(shop: &Workshop) -> Result<Self> {
        let folder = shop.place("mounted");
        fs::create_dir_all(&folder)?;
        let mut command = binary::command();
        command
            .args(["repo", "mount", &shop.repository()])
            .arg(&folder);
        command.env("STRONGROOM_KEY_FILE", shop.place("key"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let said = child.stdout.take().context("it is piped")?;
        let errors = child.stderr.take().context("it is piped")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let mut mount = Self {
            child,
            errors,
            folder,
        };
        if !line.starts_with("mounted on") {
            let mut told = String::new();
            mount.errors.read_to_string(&mut told)?;
            anyhow::bail!(
                "nothing can be mounted here; run the tests where /dev/fuse is, or set \
                 STRONGROOM_TEST_WITHOUT_FUSE=1 to leave these out: {told}"
            );
        }
        Ok(mount)
    }

    fn place(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }

    fn interrupt(&self) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        let id = Pid::from_raw(id).context("a process has a number")?;
        Ok(kill_process(id, Signal::INT)?)
    }

    /// Interrupts it and waits for its end; what it said.
    fn end(mut self) -> Result<String> {
        self.interrupt()?;
        let mut told = String::new();
        self.errors.read_to_string(&mut told)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}: {told}");
        ensure!(
            fs::read_dir(&self.folder)?.next().is_none(),
            "still mounted"
        );
        Ok(told)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Nothing is mounted if all went well.
        let mut umount = Command::new("umount");
        let _ = umount
            .arg("-l")
            .arg(&self.folder)
            .stderr(Stdio::null())
            .status();
    }
}

#[test]
fn everything_that_was_saved_is_seen_as_it_was() -> Result<()> {
    if left_out() {
        return Ok(());
    }
    let shop = Workshop::new()?;
    let (repo, files, image) = (shop.repository(), shop.path("files"), shop.path("disk.img"));
    let was = Fingerprint::of(&shop.place("files"))?;
    let first = shop.json(&["backup", &repo, &files, "--tag", "first"])?;
    shop.run(&["backup", &repo, &image, "--tag", "disk"])?;
    data::change_share(&shop.place("files"), 3)?;
    let is = Fingerprint::of(&shop.place("files"))?;
    shop.run(&["backup", &repo, &files, "--tag", "second"])?;
    let mount = Mount::of(&shop)?;
    let id = first["manifest"].as_str().context("there is an id")?;
    was.compare(&mount.place("by-id").join(id))?;
    is.compare(&mount.place("latest/."))?;
    assert!(fs::read(mount.place("by-tag/disk"))? == fs::read(&image)?);
    for (folder, count) in [
        ("by-id", 3),
        ("by-time", 3),
        ("by-tag", 3),
        ("by-source", 2),
    ] {
        assert_eq!(
            fs::read_dir(mount.place(folder))?.count(),
            count,
            "{folder}"
        );
    }

    // Several at once.
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| was.compare(&mount.place("by-tag/first/."))))
            .collect();
        readers
            .into_iter()
            .try_for_each(|reader| reader.join().expect("no reader panics"))
    })?;

    let copy = shop.place("copy");
    let mut cp = Command::new("cp");
    cp.arg("-a").arg(mount.place("by-id").join(id)).arg(&copy);
    ensure!(cp.status()?.success());
    was.compare(&copy)?;
    let allocated = fs::metadata(copy.join("holes"))?.blocks() * 512;
    assert!(
        allocated < 1 << 20,
        "{allocated} bytes of holes were copied"
    );

    assert!(
        fs::write(mount.place("latest/new"), b"x").is_err(),
        "it is read-only"
    );
    assert!(File::open(mount.place("by-id/no such")).is_err());
    // What is saved meanwhile is found, at the latest when its folder is opened anew.
    assert_eq!(mount.end()?.lines().count(), 1);
    Ok(())
}

#[test]
fn damage_is_an_error_of_the_file_that_has_it_and_of_no_other() -> Result<()> {
    if left_out() {
        return Ok(());
    }
    let shop = Workshop::new()?;
    let (repo, files) = (shop.repository(), shop.path("files"));
    shop.run(&["backup", &repo, &files])?;
    let before = shop.packs()?;
    fs::write(shop.place("files/victim"), data::noise(12, 1 << 20))?;
    shop.run(&["backup", &repo, &files, "--tag", "s1"])?;
    let all = shop.packs()?;
    let new = all.iter().filter(|pack| !before.contains(pack));
    let pack = new.max_by_key(|pack| pack.metadata().map_or(0, |facts| facts.len()));
    fs::remove_file(pack.context("there is a new pack")?)?;
    let mount = Mount::of(&shop)?;
    for _ in 0..2 {
        let error = fs::read(mount.place("by-tag/s1/victim")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(5), "{error}");
    }
    for whole in ["text", "noise", "deep/er/and deeper still/small-007"] {
        let seen = fs::read(mount.place("by-tag/s1").join(whole))?;
        assert!(
            seen == fs::read(shop.place("files").join(whole))?,
            "{whole}"
        );
    }
    let told = mount.end()?;
    assert_eq!(told.matches("cannot read victim of ").count(), 1, "{told}");
    Ok(())
}

#[test]
fn an_interrupted_mount_is_gone_at_once_and_readers_finish() -> Result<()> {
    if left_out() {
        return Ok(());
    }
    let shop = Workshop::new()?;
    let repo = shop.repository();
    shop.run(&["backup", &repo, &shop.path("files"), "--tag", "s1"])?;
    let mut mount = Mount::of(&shop)?;
    let mut reader = File::open(mount.place("by-tag/s1/noise"))?;
    let mut begin = vec![0; 10_000];
    reader.read_exact(&mut begin)?;
    mount.interrupt()?;
    let mut line = String::new();
    BufReader::new(&mut mount.errors).read_line(&mut line)?;
    assert!(line.starts_with("unmounted"), "{line}");
    assert!(fs::read_dir(&mount.folder)?.next().is_none());
    reader.read_to_end(&mut begin)?;
    assert!(begin == fs::read(shop.place("files/noise"))?);
    drop(reader);
    assert!(mount.child.wait()?.success());

    let refused = shop.refused(&["mount", &repo, &shop.path("no such")])?;
    assert!(refused.contains("no such"), "{refused}");
    let refused = shop.refused(&["mount", &repo, &shop.path("files/text")])?;
    assert!(refused.contains("no folder"), "{refused}");
    assert!(Path::new(&repo).exists());
    Ok(())
}
