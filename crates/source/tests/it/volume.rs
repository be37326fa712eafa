//! Volumes in files: holes stay holes, in place only what differs is written.

use std::{
    fs,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use strongroom_engine::Error as EngineError;
use strongroom_model::content::{BlockSource as _, Error};
use strongroom_source::{Place, Source, Target, Volume, VolumeTarget};
use strongroom_testkit::{
    disk,
    image::{random, same_bytes},
    tree::Content,
};

use crate::common::{fill, repository, save};

#[test]
fn a_sparse_image_stays_sparse() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    let mut image = Content {
        size: 1 << 36,
        ..Content::default()
    };
    image.write(1 << 35, &vec![7; 70_000]);
    disk::write_content(&image, &from).unwrap();
    let repository = repository();
    let saved = save(
        &repository,
        &Source::Blocks(Volume::open(&from).unwrap()),
        None,
    );
    let target = Target::Blocks(VolumeTarget::create(&to, Place::New).unwrap());
    fill(&repository, &saved.manifest, &target).unwrap();
    target.switch().unwrap();
    assert!(fs::metadata(&to).unwrap().blocks() * 512 <= 1 << 18);
    assert!(same_bytes(&disk::read_content(&to).unwrap(), &image));
}

#[test]
fn in_place_only_what_differs_is_written_and_freed_space_is_freed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("disk.img");
    let image = random(3, 30 << 20);
    disk::write_content(&image, &path).unwrap();
    let repository = repository();
    let saved = save(
        &repository,
        &Source::Blocks(Volume::open(&path).unwrap()),
        None,
    );
    let restore = || {
        let target = Target::Blocks(VolumeTarget::create(&path, Place::InPlace).unwrap());
        fill(&repository, &saved.manifest, &target).unwrap();
        target.switch().unwrap();
    };
    let before = fs::metadata(&path).unwrap();
    // Written all over, and longer.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0xaa; 31 << 20], 0).unwrap();
    restore();
    let found = disk::read_content(&path).unwrap();
    assert!(same_bytes(&found, &image));
    let after = fs::metadata(&path).unwrap();
    assert!(after.blocks() * 512 < 20 << 20);
    assert_eq!(after.ino(), before.ino(), "it is still the same file");
    // Nothing differs: not even the time of modification changes.
    restore();
    let again = fs::metadata(&path).unwrap();
    assert_eq!(
        (again.mtime(), again.mtime_nsec()),
        (after.mtime(), after.mtime_nsec())
    );
}

#[test]
fn a_target_smaller_than_the_volume_is_refused_untouched() {
    let place = tempfile::tempdir().unwrap();
    let (from, small) = (place.path().join("from"), place.path().join("small"));
    disk::write_content(&random(3, 9 << 20), &from).unwrap();
    fs::write(&small, [5; 1000]).unwrap();
    let repository = repository();
    let saved = save(
        &repository,
        &Source::Blocks(Volume::open(&from).unwrap()),
        None,
    );
    let target = Target::Blocks(VolumeTarget::create(&small, Place::InPlace).unwrap());
    let refused = fill(&repository, &saved.manifest, &target).unwrap_err();
    let EngineError::Source(error) = refused else {
        panic!("{refused}")
    };
    assert!(matches!(
        *error,
        Error::TargetTooSmall {
            size: 1000,
            needed: 9_437_184,
            ..
        }
    ));
    assert!(
        error
            .to_string()
            .starts_with("target smaller than the content"),
        "{error}"
    );
    drop(target);
    assert_eq!(fs::read(&small).unwrap(), [5; 1000]);
}

#[test]
fn a_second_save_of_an_image_stores_next_to_nothing() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    disk::write_content(&random(3, 9 << 20), &from).unwrap();
    let repository = repository();
    let source = || Source::Blocks(Volume::open(&from).unwrap());
    let first = save(&repository, &source(), None);
    let second = save(&repository, &source(), Some(first.manifest));
    // It is read again if it was written within a tick of the first save.
    let read = second.stats.read_bytes;
    assert!(read == 0 || read == first.stats.read_bytes, "{read}");
    assert!(
        second.counts.new_chunks <= 1,
        "the top alone: {:?}",
        second.counts
    );
}

#[test]
fn an_image_that_is_cut_while_it_is_read_fails_and_says_so() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    fs::write(&from, vec![1; 100_000]).unwrap();
    let volume = Volume::open(&from).unwrap();
    fs::write(&from, b"short").unwrap();
    let error = volume.read_at(&mut [0; 1000], 50_000).unwrap_err();
    assert!(error.to_string().contains("cannot read"), "{error}");
}

/// A loop device over a file, for as long as this lives.
struct Loop(PathBuf);

impl Loop {
    /// `None` where there are no loop devices, or no right to them.
    fn over(file: &Path) -> Option<Self> {
        let done = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(file)
            .output()
            .ok()?;
        let name = String::from_utf8(done.stdout).ok()?;
        done.status.success().then(|| Self(name.trim_end().into()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup")
            .arg("--detach")
            .arg(&self.0)
            .status();
    }
}

#[test]
fn a_block_device_is_saved_and_restored_in_place_and_holes_read_as_zeroes() {
    let place = tempfile::tempdir().unwrap();
    let (file, image) = (place.path().join("file"), random(3, 12 << 20));
    disk::write_content(&image, &file).unwrap();
    let Some(device) = Loop::over(&file) else {
        return;
    };
    let repository = repository();
    let source = || Source::Blocks(Volume::open(&device.0).unwrap());
    let saved = save(&repository, &source(), None);
    assert_eq!(saved.stats.logical_bytes, 12 << 20);
    let written = fs::OpenOptions::new().write(true).open(&device.0).unwrap();
    written.write_all_at(&vec![0xaa; 12 << 20], 0).unwrap();
    drop(written);
    // A device never says that it did not change: it is read, and what is known is not stored.
    let changed = save(&repository, &source(), Some(saved.manifest));
    assert_eq!(changed.stats.read_bytes, 12 << 20);
    let target = Target::Blocks(VolumeTarget::create(&device.0, Place::InPlace).unwrap());
    let busy = VolumeTarget::create(&device.0, Place::InPlace).err();
    assert!(busy.is_some(), "somebody else writes to it");
    fill(&repository, &saved.manifest, &target).unwrap();
    target.switch().unwrap();
    let mut found = vec![0; 12 << 20];
    fs::File::open(&device.0)
        .unwrap()
        .read_exact_at(&mut found, 0)
        .unwrap();
    assert!(same_bytes(&Content::solid(found), &image));
}
