//! Who gets into which store.

use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};

use super::*;

fn hosting(folder: &Path) -> Hosting {
    Hosting::new(folder, Arc::new(ManualClock::default()))
}

fn define(hosting: &Hosting, name: &str, definition: &Definition) {
    fs::create_dir_all(&hosting.folder).unwrap();
    let text = serde_json::to_vec(definition).unwrap();
    fs::write(hosting.file(name), text).unwrap();
}

fn denied(entered: Result<Arc<Kept>, Error>) -> bool {
    entered.is_err_and(|error| error.kind == ErrorKind::Denied)
}

#[test]
fn a_store_opens_for_its_own_secret_and_for_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let hosting = hosting(&folder.path().join("hosted"));
    assert_eq!(hosting.names().unwrap(), [""; 0]);
    let entropy = SeededEntropy::new(1);
    let (one, secret) = Definition::new(7, &entropy);
    let (two, other) = Definition::new(0, &entropy);
    assert_ne!(*secret, *other);
    define(&hosting, "one", &one);
    define(&hosting, "two", &two);
    assert_eq!(hosting.names().unwrap(), ["one", "two"]);
    let key = Key::new("a").unwrap();
    let entered = hosting.enter("one", &secret).unwrap().store();
    entered.create_new(&key, b"x").unwrap();
    // Two stores share nothing.
    let entered = hosting.enter("two", &other).unwrap().store();
    assert!(entered.get(&key).is_err());
    for (name, secret) in [
        ("one", other.as_str()),
        ("one", ""),
        ("one", &one.secret_digest),
        ("none", &secret),
        ("../hosted/one", &secret),
    ] {
        assert!(denied(hosting.enter(name, secret)), "{name}");
    }
    // What is on the disk opens nothing.
    let text = fs::read_to_string(hosting.file("one")).unwrap();
    assert!(!text.contains(secret.as_str()));
}

#[test]
fn a_new_secret_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let hosting = hosting(folder.path());
    let entropy = SeededEntropy::new(2);
    let (mut definition, before) = Definition::new(7, &entropy);
    define(&hosting, "one", &definition);
    hosting.enter("one", &before).unwrap();
    let after = definition.renew_secret(&entropy);
    define(&hosting, "one", &definition);
    assert!(denied(hosting.enter("one", &before)));
    hosting.enter("one", &after).unwrap();
}

#[test]
fn a_definition_that_is_damaged_or_of_a_later_release_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hosting = hosting(folder.path());
    let (definition, secret) = Definition::new(7, &SeededEntropy::new(3));
    let later = Definition {
        version: 2,
        ..definition
    };
    define(&hosting, "one", &later);
    let refused = hosting.enter("one", &secret).err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    fs::write(hosting.file("one"), "{}").unwrap();
    let refused = hosting.enter("one", &secret).err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
}
