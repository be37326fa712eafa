//! Manifests by the names that people give them.
//!
//! Two labels belong to these commands: `source`, the path that was saved, by which the next save
//! of the same path finds what to build on; and `tag`, a name that the user chose.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{Layer, Manifest, ManifestId, Repository};
use strongroom_model::{Bytes, Timestamp};

use super::At;
use crate::{arguments::Context, output::table};

/// The label with the path that was saved.
pub(super) const SOURCE: &str = "source";
/// The label with the user's name for it.
pub(super) const TAG: &str = "tag";

/// A manifest as programs see it.
#[derive(Serialize)]
pub(super) struct Shown {
    manifest: String,
    kind: &'static str,
    tag: Option<String>,
    source: Option<String>,
    started: String,
    finished: String,
    previous: Option<String>,
    logical_bytes: u64,
    unique_bytes: u64,
    stored_bytes: u64,
    files: u64,
    directories: u64,
    blocks: u64,
    complete: bool,
    problem_count: u64,
    labels: BTreeMap<String, String>,
}

impl Shown {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let body = &manifest.body;
        Self {
            manifest: manifest.id.to_string(),
            kind: kind(body.layer),
            tag: body.labels.get(TAG).cloned(),
            source: body.labels.get(SOURCE).cloned(),
            started: time(body.started),
            finished: time(body.finished),
            previous: body.previous.map(|id| id.to_string()),
            logical_bytes: body.logical_bytes,
            unique_bytes: manifest.unique_bytes,
            stored_bytes: manifest.stored_bytes,
            files: body.items.files,
            directories: body.items.directories,
            blocks: body.items.blocks,
            complete: body.complete,
            problem_count: body.problem_count,
            labels: body.labels.clone(),
        }
    }
}

const fn kind(layer: Layer) -> &'static str {
    match layer {
        Layer::Tree => "tree",
        Layer::Volume => "volume",
    }
}

fn time(time: Timestamp) -> String {
    time.to_jiff()
        .map(|time| time.to_string())
        .unwrap_or_default()
}

/// Every manifest that counts, the oldest first.
pub(super) fn all(repository: &Repository) -> Result<Vec<Manifest>> {
    let names = repository.manifests().context("cannot list manifests")?;
    let mut manifests = names
        .iter()
        .map(|id| repository.manifest(id))
        .collect::<strongroom_engine::Result<Vec<_>>>()?;
    manifests.sort_by_key(|manifest| (manifest.body.finished, manifest.id));
    Ok(manifests)
}

/// The newest manifest of that path and kind, to build on.
pub(super) fn previous(
    repository: &Repository,
    source: &str,
    layer: Layer,
) -> Result<Option<ManifestId>> {
    let mut manifests = all(repository)?;
    manifests.retain(|manifest| {
        let body = &manifest.body;
        body.layer == layer && body.labels.get(SOURCE).is_some_and(|known| known == source)
    });
    Ok(manifests.pop().map(|manifest| manifest.id))
}

/// The manifest that the word names: an id or the beginning of one, a tag, or `latest`.
pub(super) fn find(repository: &Repository, word: &str) -> Result<Manifest> {
    if let Ok(id) = word.parse::<ManifestId>() {
        return Ok(repository.manifest(&id)?);
    }
    let mut manifests = all(repository)?;
    let tagged = |manifest: &Manifest| manifest.body.labels.get(TAG).is_some_and(|tag| tag == word);
    if word != "latest" {
        let by_tag = manifests.iter().any(tagged);
        let begins =
            |manifest: &Manifest| word.len() >= 4 && manifest.id.to_string().starts_with(word);
        manifests.retain(|manifest| {
            if by_tag {
                tagged(manifest)
            } else {
                begins(manifest)
            }
        });
        if !by_tag && manifests.len() > 1 {
            bail!("several manifests begin with {word}; write more of the id");
        }
    }
    // Of several with one tag, the newest.
    manifests.pop().with_context(|| {
        format!("there is no manifest {word}; `strongroom repo list` shows what there is")
    })
}

/// `strongroom repo list`.
pub(super) fn list(context: &Context, at: &At) -> Result<()> {
    let manifests = all(&at.open()?)?;
    let shown: Vec<Shown> = manifests.iter().map(Shown::new).collect();
    context.output.show(&shown, |shown| {
        let rows = shown.iter().map(|manifest| {
            let whole = if manifest.complete { "" } else { "incomplete" };
            [
                manifest.manifest.clone(),
                manifest.finished.chars().take(19).collect(),
                manifest.kind.to_owned(),
                manifest.tag.clone().unwrap_or_default(),
                Bytes(manifest.logical_bytes).to_string(),
                Bytes(manifest.stored_bytes).to_string(),
                manifest.source.clone().unwrap_or_default(),
                whole.to_owned(),
            ]
        });
        let heads = [
            "MANIFEST", "FINISHED", "KIND", "TAG", "SIZE", "STORED", "SOURCE", "",
        ];
        table(heads, rows)
    })
}
