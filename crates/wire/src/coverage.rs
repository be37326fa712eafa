//! docs/api-coverage.md, written from the operation tables.
//!
//! A test compares the page with the tables; `STRONGROOM_BLESS=1` rewrites it.

use std::fmt::Write as _;

use crate::operation::{Availability, OperationInfo, Service};

const HEADER: &str = "\
# Which operations work

<!-- Generated from the operation tables of crates/wire. Do not edit: change the tables, then run
`STRONGROOM_BLESS=1 cargo nextest run -p strongroom-wire coverage`. -->

Declared are all operations of CBR and EPS, of DDM and DBSS those that have to do with backups and
what their clients ask on the way, and of IAM those that clients of the backup services call, each
with its path, its permission and its place in the tests. Those that do not work yet answer so, in
the error shape of their service.
";

/// The page.
pub fn markdown() -> String {
    let mut page = HEADER.to_owned();
    for service in Service::ALL {
        section(&mut page, *service).expect("writing to a String cannot fail");
    }
    page
}

fn section(page: &mut String, service: Service) -> std::fmt::Result {
    let operations = service.operations();
    let working = operations
        .iter()
        .filter(|operation| operation.works())
        .count();
    writeln!(page, "\n## {}\n", title(service))?;
    writeln!(page, "{working} of {} operations work.\n", operations.len())?;
    writeln!(page, "| operation | | method and path | works |")?;
    writeln!(page, "| --- | --- | --- | --- |")?;
    operations
        .iter()
        .try_for_each(|operation| row(page, operation))
}

fn row(page: &mut String, operation: &OperationInfo) -> std::fmt::Result {
    let OperationInfo {
        name,
        title,
        method,
        path,
        ..
    } = operation;
    let works = match operation.availability {
        Availability::Working => "yes".to_owned(),
        Availability::NotYet { reason } => format!("not yet: {reason}"),
        Availability::Refused { reason } => format!("refused: {reason}"),
    };
    writeln!(page, "| `{name}` | {title} | `{method} {path}` | {works} |")
}

const fn title(service: Service) -> &'static str {
    match service {
        Service::Cbr => "Cloud Backup and Recovery (CBR v3)",
        Service::Dbss => "Database Security Service (DBSS v1 to v3)",
        Service::Ddm => "Distributed Database Middleware (DDM v1 to v3)",
        Service::Eps => "Enterprise Project Service (EPS v1.0)",
        Service::Iam => "Identity and Access Management (IAM)",
        Service::Native => "Strongroom's own API",
    }
}
