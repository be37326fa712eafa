//! The generated page docs/api-coverage.md.

use std::{fs, path::Path};

use strongroom_wire::{Service, cbr, coverage::markdown};

#[test]
fn the_coverage_page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api-coverage.md");
    if std::env::var_os("STRONGROOM_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, markdown()).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == markdown(),
        "docs/api-coverage.md is stale: run with STRONGROOM_BLESS=1"
    );
}

#[test]
fn the_page_says_what_works_and_what_is_missing() {
    let page = markdown();
    let works = cbr::ALL
        .iter()
        .filter(|operation| operation.works())
        .count();
    assert!(
        page.contains(&format!("{works} of 76 operations work.")),
        "{page}"
    );
    let works = "| `ShowBackup` | Querying a Specified Backup \
                 | `GET /v3/{project_id}/backups/{backup_id}` | yes |";
    assert!(page.contains(works));
    let missing = Service::ALL
        .iter()
        .flat_map(|service| service.operations())
        .filter(|operation| !operation.works());
    let said = ["| not yet: ", "| refused: "].map(|word| page.matches(word).count());
    assert_eq!(said.iter().sum::<usize>(), missing.count());
}
