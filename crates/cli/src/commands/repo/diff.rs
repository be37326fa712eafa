//! `strongroom repo diff`: what differs between two manifests, told while it is found.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Error, Layer, Manifest, Repository,
    diff::{
        Aspect, Difference, DiskChange, DiskRange, TreeSummary, VolumeSummary, diff_trees,
        diff_volumes,
    },
    tree::{Listed, Loss},
};
use strongroom_model::Bytes;

use super::{
    At,
    ls::{raw, time, told, word},
    manifests,
};
use crate::{arguments::Context, rows::Rows};

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// The manifest before: its id or the beginning of it, a tag, or `latest`
    before: String,
    /// The manifest after
    after: String,
}

/// An entry that differs, for programs.
#[derive(Serialize)]
struct Row {
    change: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    aspects: Vec<&'static str>,
    before: Option<State>,
    after: Option<State>,
}

/// What an entry was or is.
#[derive(Serialize)]
struct State {
    kind: &'static str,
    size: u64,
    mode: String,
    uid: u32,
    gid: u32,
    modified: String,
}

/// A range of a disk that differs, for programs.
#[derive(Serialize)]
struct RangeRow {
    change: &'static str,
    offset: u64,
    length: u64,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let before = manifests::find(&repository, &self.before)?;
        let after = manifests::find(&repository, &self.after)?;
        let mut rows = Rows::new(context.output);
        let compared = match (before.body.layer, after.body.layer) {
            (Layer::Tree, Layer::Tree) => trees(&repository, &before, &after, &mut rows),
            (Layer::Volume, Layer::Volume) => volumes(&repository, &before, &after, &mut rows),
            _ => bail!(
                "one of {} and {} is a tree and one a volume; there is nothing to compare",
                before.id,
                after.id
            ),
        };
        let (summary, losses) =
            compared.with_context(|| format!("cannot compare {} with {}", before.id, after.id))?;
        rows.finish()?;
        context.output.say(&summary)?;
        if !losses.is_empty() {
            bail!(
                "{} parts are lost and could not be compared\n{}",
                losses.len(),
                told(&losses)
            );
        }
        Ok(())
    }
}

fn trees(
    repository: &Repository,
    before: &Manifest,
    after: &Manifest,
    rows: &mut Rows,
) -> Result<(String, Vec<Loss>)> {
    let mut visit = |difference: Difference| {
        rows.row(&Row::new(&difference), Row::text)
            .map_err(Error::output)
    };
    let summary = diff_trees(repository, &before.id, &after.id, &mut visit)?;
    let TreeSummary {
        added,
        added_bytes,
        removed,
        removed_bytes,
        changed,
        losses,
    } = summary;
    let text = format!(
        "{added} added ({}), {removed} removed ({}), {changed} changed",
        Bytes(added_bytes),
        Bytes(removed_bytes),
    );
    Ok((text, losses))
}

fn volumes(
    repository: &Repository,
    before: &Manifest,
    after: &Manifest,
    rows: &mut Rows,
) -> Result<(String, Vec<Loss>)> {
    let mut visit = |range: DiskRange| {
        rows.row(&RangeRow::new(&range), RangeRow::text)
            .map_err(Error::output)
    };
    let summary = diff_volumes(repository, &before.id, &after.id, &mut visit)?;
    let VolumeSummary {
        size_before,
        size_after,
        changed_bytes,
        filled_bytes,
        freed_bytes,
        losses,
    } = summary;
    let mut text = format!(
        "{} changed, {} filled, {} freed",
        Bytes(changed_bytes),
        Bytes(filled_bytes),
        Bytes(freed_bytes),
    );
    if size_before != size_after {
        text = format!("{text}; {size_before} bytes before, {size_after} after");
    }
    Ok((text, losses))
}

impl Row {
    fn new(difference: &Difference) -> Self {
        let Difference {
            before,
            after,
            aspects,
        } = difference;
        let change = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let path = after.as_ref().or(before.as_ref()).map(|entry| &entry.path);
        Self {
            change,
            path: path.map(ToString::to_string).unwrap_or_default(),
            path_hex: path.and_then(raw),
            aspects: aspects.iter().map(|aspect| name(*aspect)).collect(),
            before: before.as_ref().map(State::new),
            after: after.as_ref().map(State::new),
        }
    }

    fn text(&self) -> String {
        let (mark, state) = match self.change {
            "added" => ('+', &self.after),
            "removed" => ('-', &self.before),
            _ => ('~', &self.after),
        };
        let folder = state
            .as_ref()
            .is_some_and(|state| state.kind == "directory");
        let slash = if folder && self.path != "." { "/" } else { "" };
        let mut text = format!("{mark} {}{slash}", self.path);
        if !self.aspects.is_empty() {
            text = format!("{text}  {}", self.aspects.join(", "));
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before.size != after.size => {
                format!("{text}  {} to {}", Bytes(before.size), Bytes(after.size))
            }
            _ => text,
        }
    }
}

impl State {
    fn new(entry: &Listed) -> Self {
        Self {
            kind: word(entry.kind),
            size: entry.size,
            mode: format!("{:04o}", entry.mode),
            uid: entry.uid,
            gid: entry.gid,
            modified: time(entry.modified),
        }
    }
}

impl RangeRow {
    fn new(range: &DiskRange) -> Self {
        Self {
            change: match range.change {
                DiskChange::Changed => "changed",
                DiskChange::Filled => "filled",
                DiskChange::Freed => "freed",
            },
            offset: range.bytes.start,
            length: range.bytes.end - range.bytes.start,
        }
    }

    fn text(&self) -> String {
        format!("{:>15} {:>12} {}", self.offset, self.length, self.change)
    }
}

const fn name(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Kind => "kind",
        Aspect::Content => "content",
        Aspect::Mode => "mode",
        Aspect::Owner => "owner",
        Aspect::Modified => "modified",
        Aspect::Attributes => "attributes",
    }
}
