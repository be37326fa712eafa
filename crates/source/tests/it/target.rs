//! Targets of shares: what is refused, what stays, what a switch replaces.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use strongroom_engine::tree::{Progress, RestoreOptions, restore_path};
use strongroom_model::content::{Attributes, Error, Name, TreePath, TreeSink as _};
use strongroom_source::{Mounts, Place, Share, ShareTarget, Source, Target};
use strongroom_testkit::{
    disk,
    tree::{Shape, Tree},
};

use crate::common::{carry, fill, repository, save};

fn same(from: &Path, to: &Path) {
    disk::read(from)
        .unwrap()
        .assert_same(&disk::read(to).unwrap());
}

#[test]
fn an_empty_directory_is_a_new_place() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    disk::write(&Tree::random(2, &Shape::on_disk()), &from).unwrap();
    fs::create_dir(&to).unwrap();
    carry(&from, &to, Place::New);
    same(&from, &to);
}

#[test]
fn a_place_that_is_taken_before_the_switch_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    disk::write(&Tree::random(2, &Shape::on_disk()), &from).unwrap();
    let repository = repository();
    let saved = save(
        &repository,
        &Source::Tree(Share::open(&from).unwrap()),
        None,
    );
    let target = Target::Tree(ShareTarget::create(&to, Place::New).unwrap());
    fill(&repository, &saved.manifest, &target).unwrap();
    fs::create_dir(&to).unwrap();
    fs::write(to.join("mine"), "x").unwrap();
    assert!(matches!(target.switch(), Err(Error::TargetNotEmpty { .. })));
    assert_eq!(fs::read(to.join("mine")).unwrap(), b"x");
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        2,
        "no shadow stays"
    );
}

#[test]
fn a_single_file_is_restored_under_the_name_of_the_target() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    fs::create_dir_all(from.join("d")).unwrap();
    fs::write(from.join("d/file"), "content").unwrap();
    let repository = repository();
    let saved = save(
        &repository,
        &Source::Tree(Share::open(&from).unwrap()),
        None,
    );
    let target = ShareTarget::create(&place.path().join("other-name"), Place::New).unwrap();
    let progress = Progress::default();
    let options = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    let path = TreePath::parse(b"d/file").unwrap();
    restore_path(&repository, &saved.manifest, &path, &target, options).unwrap();
    target.switch().unwrap();
    assert_eq!(
        fs::read(place.path().join("other-name")).unwrap(),
        b"content"
    );
}

#[test]
fn a_missing_parent_is_named() {
    let place = tempfile::tempdir().unwrap();
    let error = ShareTarget::create(&place.path().join("no/such"), Place::New)
        .err()
        .unwrap();
    assert!(error.to_string().ends_with("/no"), "{error}");
}

#[test]
fn a_share_registered_by_a_link_is_restored_where_the_link_leads() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let (from, real, link) = (path("from"), path("real"), path("link"));
    disk::write(&Tree::random(2, &Shape::on_disk()), &from).unwrap();
    disk::write(&Tree::random(3, &Shape::on_disk()), &real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    carry(&from, &link, Place::InPlace);
    assert!(link.is_symlink());
    same(&from, &real);
}

#[test]
fn without_its_owner_a_program_loses_its_setuid_bit() {
    if rustix::process::geteuid().is_root() {
        return; // root may set every owner
    }
    let place = tempfile::tempdir().unwrap();
    let target = ShareTarget::create(&place.path().join("to"), Place::New).unwrap();
    let (top, name) = target.top().unwrap();
    let file = top.make_file(&name, 0, None).unwrap().unwrap();
    let wanted = Attributes {
        mode: 0o4755,
        ..Attributes::default()
    };
    assert_eq!(file.finish(&wanted).unwrap().len(), 1);
    target.switch().unwrap();
    let mode = fs::metadata(place.path().join("to"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn an_entry_is_never_made_twice() {
    let place = tempfile::tempdir().unwrap();
    let target = ShareTarget::create(&place.path().join("to"), Place::New).unwrap();
    let (top, name) = target.top().unwrap();
    let root = top.make_directory(&name).unwrap();
    let twice = Name::new(b"twice").unwrap();
    root.make_file(&twice, 0, None).unwrap();
    assert!(root.make_file(&twice, 0, None).is_err());
    assert!(root.make_directory(&twice).is_err());
}

/// A mounted file system, for as long as this lives.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    /// `None` where mounting is not allowed.
    fn tmpfs(path: &'a Path) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        mount("tmpfs", path, "tmpfs", MountFlags::empty(), c"size=64m").ok()?;
        Some(Self(path))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        unmount(self.0, UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn a_mount_point_is_restored_in_place_by_switching_what_is_in_it() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    let Some(_mount) = Mount::tmpfs(&to) else {
        return;
    };
    let shape = Shape {
        xattrs: false,
        ..Shape::on_disk()
    };
    disk::write(&Tree::random(2, &shape), &from).unwrap();
    disk::write(&Tree::random(3, &shape), &to.join("old")).unwrap();
    fs::write(to.join("older"), "x").unwrap();
    carry(&from, &to, Place::InPlace);
    same(&from, &to);
}

#[test]
fn an_empty_mount_point_is_a_new_place_and_a_filled_one_is_not() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    let Some(_mount) = Mount::tmpfs(&to) else {
        return;
    };
    let shape = Shape {
        xattrs: false,
        ..Shape::on_disk()
    };
    disk::write(&Tree::random(2, &shape), &from).unwrap();
    carry(&from, &to, Place::New);
    same(&from, &to);
    let refused = ShareTarget::create(&to, Place::New).err();
    assert!(
        matches!(refused, Some(Error::TargetNotEmpty { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_switch_that_was_cut_off_in_a_mount_point_is_rolled_back() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("to");
    let Some(_mount) = Mount::tmpfs(&to) else {
        return;
    };
    let shadow = to.join(".strongroom-restore");
    let check = || {
        drop(ShareTarget::create(&to, Place::InPlace).unwrap());
        assert_eq!(fs::read(to.join("gone")).unwrap(), b"1");
        assert_eq!(fs::read(to.join("staying")).unwrap(), b"2");
        assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
    };
    // Cut off while the old entries were leaving.
    fs::create_dir_all(shadow.join("leaving")).unwrap();
    fs::write(shadow.join("leaving/gone"), "1").unwrap();
    fs::write(to.join("staying"), "2").unwrap();
    check();
    // Cut off while the new ones were coming.
    fs::create_dir_all(shadow.join("old")).unwrap();
    for name in ["gone", "staying"] {
        fs::rename(to.join(name), shadow.join("old").join(name)).unwrap();
    }
    fs::write(to.join("gone"), "new").unwrap();
    check();
    // Cut off when all was done but the tidying up.
    fs::create_dir_all(shadow.join("trash")).unwrap();
    fs::write(shadow.join("trash/gone"), "old").unwrap();
    check();
}

#[test]
fn what_is_mounted_inside_a_share_is_not_removed_with_its_old_content() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("to");
    let inner = to.join("inner");
    let Some(_mount) = Mount::tmpfs(&inner) else {
        return;
    };
    fs::write(inner.join("precious"), "x").unwrap();
    let refused = ShareTarget::create(&to, Place::InPlace).err();
    assert!(
        matches!(refused, Some(Error::HoldsMount { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read(inner.join("precious")).unwrap(), b"x");
}

#[test]
fn what_is_mounted_inside_belongs_to_the_share_unless_it_is_told_to_stay() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    let inner = from.join("inner");
    let Some(_mount) = Mount::tmpfs(&inner) else {
        return;
    };
    fs::write(inner.join("there"), "x").unwrap();
    let repository = repository();
    for (mounts, files) in [(Mounts::Cross, 1), (Mounts::Stay, 0)] {
        let share = Share::open_with(&from, mounts).unwrap();
        let saved = save(&repository, &Source::Tree(share), None);
        assert_eq!(
            (saved.stats.items.files, saved.stats.items.directories),
            (files, 2)
        );
    }
}
