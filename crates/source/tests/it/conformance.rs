//! What every kind of resource can do: save, change, save again, restore each state, at a new
//! place and in place; and how it fails.
//!
//! The suite runs over the registry. A new kind adds its sample to [`sample`] and nothing else.

use std::{fs, path::Path};

use strongroom_model::{
    ResourceKind,
    content::{Error, FileTime},
};
use strongroom_source::{
    Place,
    registry::{KINDS, Kind},
};
use strongroom_testkit::{
    dice::Dice,
    disk, image,
    tree::{Body, Shape, Tree},
};

use crate::common::{fill, repository, save};

/// How a test makes and changes a resource of a kind.
struct Sample {
    make: fn(&Path, u64),
    change: fn(&Path, u64),
    read: fn(&Path) -> State,
}

/// What a resource holds.
enum State {
    Tree(Tree),
    Bytes(String),
}

impl State {
    fn assert_same(&self, found: &Self) {
        match (self, found) {
            (Self::Tree(wanted), Self::Tree(found)) => wanted.assert_same(found),
            (Self::Bytes(wanted), Self::Bytes(found)) => assert_eq!(wanted, found),
            _ => panic!("states of two kinds"),
        }
    }
}

fn sample(kind: ResourceKind) -> Sample {
    match kind {
        ResourceKind::Share => Sample {
            make: |path, seed| disk::write(&Tree::random(seed, &Shape::on_disk()), path).unwrap(),
            change: change_share,
            read: |path| {
                let mut tree = disk::read(path).unwrap();
                tree.0.retain(|_, entry| entry.body != Body::Socket);
                State::Tree(tree)
            },
        },
        ResourceKind::Volume => Sample {
            make: |path, seed| disk::write_content(&image::random(seed, 9 << 20), path).unwrap(),
            change: |path, seed| {
                let mut content = disk::read_content(path).unwrap();
                image::scribble(&mut content, &mut Dice::new(seed));
                fs::remove_file(path).unwrap();
                disk::write_content(&content, path).unwrap();
            },
            read: |path| {
                let bytes = fs::read(path).unwrap();
                State::Bytes(format!("{} bytes, {}", bytes.len(), blake3::hash(&bytes)))
            },
        },
    }
}

fn change_share(path: &Path, seed: u64) {
    let mut tree = disk::read(path).unwrap();
    let now = FileTime::new(1_750_000_000, 1);
    tree.change(&mut Dice::new(seed), &Shape::on_disk(), now);
    fs::remove_dir_all(path).unwrap();
    disk::write(&tree, path).unwrap();
}

fn for_every_kind(check: fn(&Kind, &Sample, &Path)) {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        check(kind, &sample(kind.kind), place.path());
    }
}

#[test]
fn every_kind_is_in_the_registry() {
    let listed: Vec<_> = KINDS.iter().map(|kind| kind.kind).collect();
    assert_eq!(listed, ResourceKind::ALL);
}

#[test]
fn every_state_comes_back_at_a_new_place_and_in_place() {
    for_every_kind(|kind, sample, place| {
        let resource = place.join("resource");
        let repository = repository();
        (sample.make)(&resource, 42);
        let (mut states, mut previous) = (Vec::new(), None);
        for round in 0..4 {
            let saved = save(&repository, &(kind.open)(&resource).unwrap(), previous);
            assert!(saved.complete, "{:?}", saved.problems);
            previous = Some(saved.manifest);
            states.push((saved.manifest, (sample.read)(&resource)));
            (sample.change)(&resource, round);
        }
        for (number, (manifest, state)) in states.iter().enumerate() {
            let new = place.join(format!("new-{number}"));
            for (path, to) in [(&new, Place::New), (&resource, Place::InPlace)] {
                let target = (kind.target)(path, to).unwrap();
                let restored = fill(&repository, manifest, &target).unwrap();
                assert!(restored.is_complete(), "{:?}", restored.losses);
                assert_eq!(target.switch().unwrap().len(), 0);
                state.assert_same(&(sample.read)(path));
            }
        }
        let names = fs::read_dir(place).unwrap().count();
        assert_eq!(names, 5, "the resource and four restores, and no shadow");
    });
}

#[test]
fn a_restore_that_is_given_up_leaves_everything_as_it_was() {
    for_every_kind(|kind, sample, place| {
        let (resource, new) = (place.join("resource"), place.join("new"));
        let repository = repository();
        (sample.make)(&resource, 7);
        let saved = save(&repository, &(kind.open)(&resource).unwrap(), None);
        let before = (sample.read)(&resource);
        let target = (kind.target)(&new, Place::New).unwrap();
        fill(&repository, &saved.manifest, &target).unwrap();
        drop(target);
        assert!(!new.exists());
        before.assert_same(&(sample.read)(&resource));
        assert_eq!(fs::read_dir(place).unwrap().count(), 1, "no shadow stays");
    });
}

#[test]
fn a_new_place_that_is_taken_is_refused_and_stays_as_it_is() {
    for_every_kind(|kind, sample, place| {
        let resource = place.join("resource");
        (sample.make)(&resource, 7);
        let before = (sample.read)(&resource);
        let refused = (kind.target)(&resource, Place::New).err();
        assert!(
            matches!(refused, Some(Error::TargetNotEmpty { .. })),
            "{refused:?}"
        );
        before.assert_same(&(sample.read)(&resource));
        assert_eq!(fs::read_dir(place).unwrap().count(), 1);
    });
}

#[test]
fn a_resource_that_vanished_is_named() {
    for_every_kind(|kind, _, place| {
        let error = (kind.open)(&place.join("vanished")).err().unwrap();
        assert!(error.is_vanished());
        assert!(error.to_string().contains("vanished"), "{error}");
    });
}

#[test]
fn a_resource_of_the_wrong_kind_is_refused() {
    for_every_kind(|kind, _, place| {
        let wrong = match kind.kind {
            ResourceKind::Share => {
                fs::write(place.join("file"), "").unwrap();
                place.join("file")
            }
            ResourceKind::Volume => place.to_owned(),
        };
        let error = (kind.open)(&wrong).err().unwrap();
        assert!(matches!(error, Error::WrongKind { .. }), "{error}");
    });
}

#[test]
fn what_a_killed_restore_left_behind_is_removed_by_the_next() {
    for_every_kind(|kind, sample, place| {
        let (resource, new) = (place.join("resource"), place.join("new"));
        let repository = repository();
        (sample.make)(&resource, 7);
        let saved = save(&repository, &(kind.open)(&resource).unwrap(), None);
        let target = (kind.target)(&new, Place::New).unwrap();
        fill(&repository, &saved.manifest, &target).unwrap();
        // The lock of a killed process goes with it, its files stay.
        let (shadow, kept) = (place.join(".new.strongroom-restore"), place.join("kept"));
        fs::rename(&shadow, &kept).unwrap();
        std::mem::forget(target);
        fs::create_dir(&shadow).unwrap();
        fs::rename(&kept, shadow.join("rest")).unwrap();
        let target = (kind.target)(&new, Place::New).unwrap();
        fill(&repository, &saved.manifest, &target).unwrap();
        target.switch().unwrap();
        (sample.read)(&resource).assert_same(&(sample.read)(&new));
        assert_eq!(fs::read_dir(place).unwrap().count(), 2);
    });
}

#[test]
fn two_restores_to_one_place_at_once_are_refused() {
    for_every_kind(|kind, _, place| {
        let first = (kind.target)(&place.join("new"), Place::New).unwrap();
        let second = (kind.target)(&place.join("new"), Place::New).err();
        assert!(
            matches!(second, Some(Error::TargetBusy { .. })),
            "{second:?}"
        );
        drop(first);
    });
}
