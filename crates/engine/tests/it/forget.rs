//! Forgetting and thinking better of it.

use strongroom_engine::{Error, forget::Verdict};

use crate::scene::*;

#[test]
fn a_forgotten_manifest_is_not_listed_and_comes_back_on_request() {
    let repository = create(&memory());
    let id = save(&repository, 2, 0..5).unwrap();
    repository.forget(&id, &*entropy(3)).unwrap();
    repository.forget(&id, &*entropy(4)).unwrap();
    assert!(repository.manifests().unwrap().is_empty());
    assert_eq!(repository.manifest_names().unwrap(), [id]);
    repository.restore_forgotten(&id, &*entropy(5)).unwrap();
    assert_eq!(repository.manifests().unwrap(), [id]);
    repository.forget(&id, &*entropy(6)).unwrap();
    assert!(repository.manifests().unwrap().is_empty());
}

#[test]
fn the_first_verdict_holds() {
    let repository = create(&memory());
    let id = save(&repository, 2, 0..5).unwrap();
    repository.forget(&id, &*entropy(3)).unwrap();
    let (_, act) = repository.forgotten().unwrap()[0];
    let decide = |verdict, seed| {
        repository
            .decide(&id, act, verdict, &*entropy(seed))
            .unwrap()
    };
    assert_eq!(decide(Verdict::Final, 4), Verdict::Final);
    assert_eq!(decide(Verdict::Restored, 5), Verdict::Final);
    let refused = repository.restore_forgotten(&id, &*entropy(6));
    assert!(matches!(refused, Err(Error::ManifestMissing { .. })));
    assert!(repository.manifests().unwrap().is_empty());
}

#[test]
fn a_writer_does_not_build_on_a_forgotten_manifest() {
    let repository = create(&memory());
    let id = save(&repository, 2, 0..5).unwrap();
    let writer = repository.writer(options(), entropy(3)).unwrap();
    assert_eq!(writer.previous(&id).unwrap().id, id);
    repository.forget(&id, &*entropy(4)).unwrap();
    assert!(matches!(
        writer.previous(&id),
        Err(Error::ManifestForgotten { .. })
    ));
}

#[test]
fn a_damaged_forgetting_record_forgets_nothing() {
    let store = memory();
    let repository = create(&store);
    let id = save(&repository, 2, 0..5).unwrap();
    repository.forget(&id, &*entropy(3)).unwrap();
    let record = keys(&store, "forgotten/").remove(0);
    alter(&store, &record, |bytes| bytes[100] ^= 1);
    assert_eq!(repository.manifests().unwrap(), [id]);
}

#[test]
fn an_unknown_manifest_cannot_be_forgotten() {
    let repository = create(&memory());
    let id = strongroom_engine::ManifestId::from_bytes([9; 16]);
    let refused = repository.forget(&id, &*entropy(3));
    assert!(matches!(refused, Err(Error::ManifestMissing { .. })));
}
