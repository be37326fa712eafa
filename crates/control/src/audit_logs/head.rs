//! What a segment says of itself: which lines it holds, what is missing, what came before it.
//!
//! The head is one label of the manifest, as JSON; its hash is the segment's link, which the next
//! head quotes. It therefore covers the lines (by their SHA-256), the position at which the next
//! reading begins, and the whole chain before it.
//!
//! Format: docs/dbss.md, "The chain".

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use strongroom_engine::{Manifest, ManifestId};
use strongroom_model::Timestamp;
use strongroom_source::audit::{Format, Gap, Pending, Position, Span};

/// The version that this release writes.
pub(super) const VERSION: u32 = 1;
/// The label with the head.
pub(super) const LABEL: &str = "audit-segment";
/// The label of a segment whose lines were deleted: when, in microseconds since 1970.
pub(super) const DELETED: &str = "audit-segment-deleted";
/// The file in the manifest's tree.
pub(super) const FILE: &str = "lines";

/// What is known of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub(super) version: u32,
    /// Whose logs.
    pub instance: String,
    /// Its place in the chain, from 1.
    pub number: u64,
    /// The link of the segment before it; none for the first.
    pub previous: Option<String>,
    /// The SHA-256 of its lines, in hexadecimal digits.
    pub sha256: String,
    /// How many lines.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The earliest time in a line.
    pub first_event: Option<Timestamp>,
    /// The latest.
    pub last_event: Option<Timestamp>,
    /// When the reading before it began; for the first, when its own did.
    pub looked_from: Timestamp,
    /// When its reading began: what was in the logs before is in the chain up to here.
    pub looked_at: Timestamp,
    /// Whether the logs held more when the reading ended.
    pub more: bool,
    /// What the lines look like.
    pub format: Format,
    /// What is missing before or in it.
    pub gaps: Vec<Gap>,
    /// Logs that could not be read then; what they hold comes later, or becomes a gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Pending>,
}

impl Head {
    /// Whether everything that was in the logs when the reading began is in the chain up to here.
    pub fn is_caught_up(&self) -> bool {
        !self.more && self.pending.is_empty()
    }
}

/// A head as it stands in the label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(flatten)]
    pub(super) head: Head,
    /// From which files the lines are.
    pub(super) spans: Vec<Span>,
    /// Where the next reading begins.
    pub(super) position: Position,
}

/// One segment of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it says of itself.
    pub head: Head,
    /// The hash of its head, in hexadecimal digits: what others quote.
    pub link: String,
    /// The manifest: its lines, or what was left when they were deleted.
    pub manifest: ManifestId,
    /// When its lines were deleted, if they were.
    pub deleted: Option<Timestamp>,
}

impl Segment {
    /// The segment of a manifest; `None` if it is none, or one of a later release.
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let labels = &manifest.body.labels;
        let text = labels.get(LABEL)?;
        let Written { head, .. } = serde_json::from_str(text).ok()?;
        if head.version != VERSION {
            return None;
        }
        let deleted = match labels.get(DELETED) {
            Some(time) => Some(Timestamp::from_micros(time.parse().ok()?)),
            None => None,
        };
        Some(Self {
            head,
            link: link(text),
            manifest: manifest.id,
            deleted,
        })
    }
}

/// The hash of a head.
pub(super) fn link(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// What the caller put beside a head.
pub(super) fn others(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let others = labels.iter().filter(|(name, _)| !name.starts_with(LABEL));
    others
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect()
}
