//! Golden catalogs: what a released schema looked like is opened by every later release.

use std::{
    fs,
    path::{Path, PathBuf},
};

use strongroom_catalog::Catalog;

use crate::sample::{contents, fill};

fn golden(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/catalog/v{version}.sqlite"))
}

#[test]
fn a_catalog_of_the_first_schema_is_brought_up_to_date_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    fs::copy(golden(1), &path).unwrap();
    let old = Catalog::open(&path).unwrap();
    let new = Catalog::memory().unwrap();
    let tenants = fill(&new);
    assert_eq!(contents(&old, &tenants), contents(&new, &tenants));
    assert_eq!(old.check().unwrap(), [""; 0]);
}

/// Writes the golden catalog of the newest schema; run once when a schema is released:
/// `cargo test -p strongroom-catalog --test it -- --ignored writes_the_golden_catalog`.
#[test]
#[ignore = "writes into fixtures/"]
fn writes_the_golden_catalog() {
    let path = golden(1);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(
        !path.exists(),
        "a released catalog is never written again; remove it by hand"
    );
    let catalog = Catalog::memory().unwrap();
    fill(&catalog);
    catalog.copy_to(path).unwrap();
}
