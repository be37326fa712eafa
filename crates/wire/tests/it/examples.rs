//! Fixtures of the databases' services: read as our types, written back, and held against the
//! vendor's published definitions.

use std::{fs, path::PathBuf};

use serde_json::Value;
use strongroom_wire::{
    Operation, OperationInfo, Service,
    definitions::{check_of, is_published_of},
};

/// A part of an operation's fixture, if there is one.
pub(crate) fn example(service: Service, operation: &str, part: &str) -> Option<Value> {
    let folder = match service {
        Service::Ddm => "ddm",
        Service::Dbss => "dbss",
        other => panic!("{other:?} has its fixtures elsewhere"),
    };
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.extend(["..", "..", "fixtures", "wire", folder, operation, part]);
    let bytes = fs::read(path.with_extension("json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// Reads the operation's fixtures as its types and expects the same when they are written.
pub(crate) fn both_ways<O: Operation>(service: Service) -> &'static str {
    let part = |part: &str| {
        example(service, O::NAME, part).unwrap_or_else(|| panic!("{}: no {part}", O::NAME))
    };
    if O::HAS_REPLY {
        let reply = part("reply");
        let read: O::Reply = serde_json::from_value(reply.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
        assert_eq!(serde_json::to_value(&read).unwrap(), reply, "{}", O::NAME);
    }
    if O::HAS_BODY {
        let request = part("request");
        let read: O::Body = serde_json::from_value(request.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
        assert_eq!(serde_json::to_value(&read).unwrap(), request, "{}", O::NAME);
    }
    O::NAME
}

/// Holds every reply of a working operation against its definition, which may know it under
/// another status of success; how many there were.
pub(crate) fn check_replies(
    service: Service,
    operations: &[OperationInfo],
    status: impl Fn(&OperationInfo) -> u16,
) -> usize {
    let (mut checked, mut found) = (0, Vec::new());
    for operation in operations.iter().filter(|operation| operation.works()) {
        let reply = example(service, operation.name, "reply");
        let Some(reply) = reply.filter(|_| operation.has_reply) else {
            continue;
        };
        if !is_published_of(service, operation.name) {
            continue;
        }
        if let Err(problems) = check_of(service, operation.name, status(operation), &reply) {
            let name = operation.name;
            found.extend(problems.into_iter().map(|one| format!("{name}{one}")));
        }
        checked += 1;
    }
    assert_eq!(found, [""; 0]);
    checked
}
