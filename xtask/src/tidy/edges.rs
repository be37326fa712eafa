//! Which crate may use which: DESIGN's map, checked against what cargo really builds.
//!
//! An arrow of the map may be followed further only by `cli`, which wires everything together.
//! New arrows are a decision (docs/adr/0001-layers-and-a-synchronous-core.md), not a line in a
//! manifest.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Offence;
use crate::workspace::{cargo, output};

/// What each package may use, by the package's name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("strongroom-model", &[]),
    ("strongroom-wire", &[]),
    ("strongroom-store", &["strongroom-model"]),
    (
        "strongroom-engine",
        &["strongroom-store", "strongroom-model"],
    ),
    ("strongroom-source", &["strongroom-model"]),
    ("strongroom-jobs", &["strongroom-model"]),
    (
        "strongroom-catalog",
        &["strongroom-jobs", "strongroom-model"],
    ),
    (
        "strongroom-control",
        &[
            "strongroom-engine",
            "strongroom-store",
            "strongroom-source",
            "strongroom-catalog",
            "strongroom-jobs",
            "strongroom-model",
        ],
    ),
    (
        "strongroom-api",
        &["strongroom-control", "strongroom-wire", "strongroom-model"],
    ),
    ("strongroom-client", &["strongroom-wire"]),
    (
        "strongroom",
        &[
            "strongroom-api",
            "strongroom-catalog",
            "strongroom-client",
            "strongroom-control",
            "strongroom-engine",
            "strongroom-jobs",
            "strongroom-model",
            "strongroom-source",
            "strongroom-store",
            "strongroom-wire",
        ],
    ),
    (
        "strongroom-testkit",
        &["strongroom-model", "strongroom-store"],
    ),
    (
        "strongroom-bench-api",
        &[
            "strongroom-api",
            "strongroom-catalog",
            "strongroom-control",
            "strongroom-model",
            "strongroom-wire",
        ],
    ),
    ("strongroom-e2e", &[]),
    ("strongroom-limits", &[]),
    ("xtask", &["strongroom-wire"]),
];

/// The most direct dependencies that are not ours.
const FOREIGN: usize = 20;

/// A package of the workspace as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(super) struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for an ordinary dependency.
    kind: Option<String>,
    /// Set for a package of the workspace.
    path: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// The packages of this workspace.
pub(super) fn from_cargo() -> Result<Vec<Package>> {
    let json = output(cargo().args(["metadata", "--no-deps", "--format-version=1", "--offline"]))?;
    let metadata: Metadata =
        serde_json::from_str(&json).context("cargo metadata's answer has an unknown form")?;
    Ok(metadata.packages)
}

/// Edges that the map does not have, and packages with too many dependencies.
pub(super) fn check(packages: &[Package]) -> Vec<Offence> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Offence> {
    let offence = |message: String| Offence {
        path: format!("package {}", package.name),
        line: 0,
        message,
    };
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
        return vec![offence(
            "is not on the map (xtask/src/tidy/edges.rs)".into(),
        )];
    };
    let mut found = Vec::new();
    let of_kind = |dev: bool| {
        package
            .dependencies
            .iter()
            .filter(move |used| (used.kind.as_deref() == Some("dev")) == dev)
    };
    for used in of_kind(false).filter(|used| used.path.is_some()) {
        if !allowed.contains(&used.name.as_str()) {
            found.push(offence(format!(
                "may not use {}: the map has no such arrow",
                used.name
            )));
        }
    }
    let foreign = of_kind(false).filter(|used| used.path.is_none()).count();
    if foreign > FOREIGN {
        found.push(offence(format!(
            "has {foreign} foreign dependencies, at most {FOREIGN}"
        )));
    }
    found
}

#[cfg(test)]
pub(super) fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
    let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
        name: (*name).to_owned(),
        kind: kind.map(str::to_owned),
        path: name.starts_with("strongroom").then(String::new),
    };
    Package {
        name: name.to_owned(),
        dependencies: uses.iter().map(dependency).collect(),
    }
}
