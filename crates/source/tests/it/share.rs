//! Shares on a real file system: everything POSIX keeps about a tree comes back.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::Path,
    sync::Arc,
};

use proptest::prelude::*;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};
use strongroom_engine::tree::ProblemKind;
use strongroom_model::content::{Name, SourceDirectory, TreeSource as _};
use strongroom_source::{Place, Share, Source};
use strongroom_testkit::{
    disk,
    tree::{Shape, Tree},
};

use crate::common::{carry, repository, save};

fn shape(entries: u64) -> Shape {
    Shape {
        entries,
        ..Shape::on_disk()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_tree_comes_back_with_everything_about_it(seed: u64, entries in 1_u64..120) {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        disk::write(&Tree::random(seed, &shape(entries)), &from).unwrap();
        let (saved, restored) = carry(&from, &to, Place::New);
        prop_assert!(saved.complete && restored.is_complete());
        disk::read(&from).unwrap().assert_same(&disk::read(&to).unwrap());
    }
}

/// A list as the kernel takes it: one user besides the owner may read, the mask lets him write.
fn acl() -> Vec<u8> {
    let mut acl = vec![2, 0, 0, 0];
    for (tag, bits, id) in [
        (1, 6, u32::MAX),
        (2, 4, 1234),
        (4, 4, u32::MAX),
        (16, 6, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        acl.extend(u16::to_le_bytes(tag));
        acl.extend(u16::to_le_bytes(bits));
        acl.extend(u32::to_le_bytes(id));
    }
    acl
}

#[test]
fn access_control_lists_come_back() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::create_dir(&from).unwrap();
    fs::write(from.join("file"), "x").unwrap();
    let set = |path: &Path, name: &str| {
        rustix::fs::setxattr(path, name, &acl(), rustix::fs::XattrFlags::empty())
    };
    if set(&from.join("file"), "system.posix_acl_access").is_err() {
        return; // this file system knows no lists
    }
    set(&from, "system.posix_acl_default").unwrap();
    fs::write(from.join("heir"), "inherits the default list").unwrap();
    carry(&from, &to, Place::New);
    let (wanted, found) = (disk::read(&from).unwrap(), disk::read(&to).unwrap());
    assert!(
        wanted
            .0
            .values()
            .all(|entry| !entry.attributes.xattrs.is_empty())
    );
    wanted.assert_same(&found);
}

#[test]
fn what_the_targets_parent_would_pass_on_does_not_show() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    fs::create_dir_all(from.join("d")).unwrap();
    fs::write(from.join("d/f"), "x").unwrap();
    let heir = place.path().join("heir");
    fs::create_dir(&heir).unwrap();
    if chown(&heir, None, Some(4242)).is_err() {
        return; // only root can give a directory to another group
    }
    fs::set_permissions(&heir, fs::Permissions::from_mode(0o2777)).unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    let _ = rustix::fs::setxattr(&heir, "system.posix_acl_default", &acl(), flags);
    carry(&from, &heir.join("to"), Place::New);
    disk::read(&from)
        .unwrap()
        .assert_same(&disk::read(&heir.join("to")).unwrap());
}

/// Makes directories in each other without ever naming the whole path.
fn dig(top: &Path, levels: u64, name: &str) -> rustix::fd::OwnedFd {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut here = openat(CWD, top, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&here, name, Mode::RWXU).unwrap();
        here = openat(&here, name, flags, Mode::empty()).unwrap();
    }
    here
}

#[test]
fn a_tree_deeper_than_any_path_and_than_descriptors_last_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::create_dir(&from).unwrap();
    let (levels, name) = (2500, "dir");
    let leaf = dig(&from, levels, name);
    let create = OFlags::CREATE | OFlags::WRONLY;
    let file = openat(&leaf, "leaf", create, Mode::RUSR | Mode::WUSR).unwrap();
    rustix::io::write(&file, b"deep").unwrap();
    let (saved, restored) = carry(&from, &to, Place::New);
    assert_eq!(
        (saved.stats.items.directories, saved.complete),
        (levels + 1, true)
    );
    assert_eq!((restored.directories, restored.files), (levels + 1, 1));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut here = openat(CWD, &to, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        here = openat(&here, name, flags, Mode::empty()).unwrap();
    }
    assert!(openat(&here, "leaf", OFlags::RDONLY, Mode::empty()).is_ok());
    // A restore in place removes the old content, whatever its depth.
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for path in [&from, &to] {
        carry(&empty, path, Place::InPlace);
        assert_eq!(fs::read_dir(path).unwrap().count(), 0);
    }
}

#[test]
fn an_unreadable_directory_and_file_are_named_and_the_rest_is_kept() {
    if rustix::process::geteuid().is_root() {
        return; // nothing is unreadable for root
    }
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::create_dir_all(from.join("locked")).unwrap();
    fs::write(from.join("secret"), "x").unwrap();
    fs::write(from.join("open"), "x").unwrap();
    for name in ["locked", "secret"] {
        fs::set_permissions(from.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let (saved, _) = carry(&from, &to, Place::New);
    fs::set_permissions(from.join("locked"), fs::Permissions::from_mode(0o700)).unwrap();
    let kinds: Vec<_> = saved.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::Unreadable; 2]);
    assert!(!saved.complete);
    assert_eq!(fs::read(to.join("open")).unwrap(), b"x");
}

#[test]
fn no_link_is_followed_out_of_the_share() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let (from, to, outside) = (path("from"), path("to"), path("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("secret"), "x").unwrap();
    fs::create_dir(&from).unwrap();
    symlink(&outside, from.join("link")).unwrap();
    let root = Share::open(&from).unwrap().root().unwrap();
    let link = Name::new(b"link").unwrap();
    assert!(root.open_directory(&link).err().unwrap().is_vanished());
    assert!(root.open_file(&link).err().unwrap().is_vanished());
    carry(&from, &to, Place::New);
    assert_eq!(fs::read_link(to.join("link")).unwrap(), outside);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn a_directory_that_was_replaced_while_it_was_closed_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("d")).unwrap();
    let root = Share::open(place.path()).unwrap().root().unwrap();
    let name = Name::new(b"d").unwrap();
    let kept = root.open_directory(&name).unwrap();
    fs::rename(place.path().join("d"), place.path().join("moved")).unwrap();
    fs::create_dir(place.path().join("d")).unwrap();
    // So many more are opened that the first is closed.
    let others: Vec<Arc<dyn SourceDirectory>> = (0..400)
        .map(|_| root.open_directory(&name).unwrap())
        .collect();
    let error = kept.names().err().unwrap();
    assert!(error.is_vanished(), "{error}");
    assert_eq!(others.len(), 400);
}

#[test]
fn reading_a_share_leaves_its_access_times_alone() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::create_dir(&from).unwrap();
    fs::write(from.join("file"), "x").unwrap();
    // An access time before the others is one that relatime would renew.
    let times = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 1000,
            tv_nsec: 0,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: 2000,
            tv_nsec: 0,
        },
    };
    for path in [from.join("file"), from.clone()] {
        rustix::fs::utimensat(CWD, &path, &times, AtFlags::empty()).unwrap();
    }
    carry(&from, &to, Place::New);
    for path in [from.join("file"), from] {
        assert_eq!(fs::metadata(path).unwrap().atime(), 1000);
    }
}

#[test]
fn a_second_save_of_a_share_stores_next_to_nothing() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    disk::write(&Tree::random(5, &shape(150)), &from).unwrap();
    let repository = repository();
    let source = Source::Tree(Share::open(&from).unwrap());
    let first = save(&repository, &source, None);
    let second = save(&repository, &source, Some(first.manifest));
    // What was written within a tick of the first save is read again, once, and not stored.
    assert!(
        second.counts.new_chunks <= 1,
        "the top alone: {:?}",
        second.counts
    );
    assert_eq!(second.stats.items, first.stats.items);
}

#[test]
fn a_file_that_is_removed_between_listing_and_opening_has_vanished() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("f"), "x").unwrap();
    let root = Share::open(place.path()).unwrap().root().unwrap();
    let name = root.names().unwrap().pop().unwrap();
    unlinkat(CWD, place.path().join("f"), AtFlags::empty()).unwrap();
    assert!(root.stat_entry(&name).err().unwrap().is_vanished());
    assert!(root.open_file(&name).err().unwrap().is_vanished());
}
