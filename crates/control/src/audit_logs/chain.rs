//! All segments of an instance, read from the vault.
//!
//! A chain is what its heads say: each quotes the link of the one before. Two segments may claim
//! one place when a worker that was given up wakes and stores what another one stored meanwhile;
//! the one that is continued counts, and the other is a rival that a proof names.
//!
//! Invariant: what counts is decided by the vault alone, and the same for everybody who looks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_engine::{Error as EngineError, ManifestId, Repository, RepositoryId};
use strongroom_source::audit::{Position, Span};

use super::{
    head::{LABEL, Segment, Written, others},
    of_engine,
};
use crate::{Error, Reason, Result};

/// Heads that were read, so that a manifest is read once: none is ever changed.
#[derive(Debug, Default)]
pub struct Heads(Mutex<Known>);

/// Of every manifest that was read the segment, if it is one.
type Known = BTreeMap<(RepositoryId, ManifestId), Option<Arc<Segment>>>;

/// The segments of one instance.
#[derive(Debug)]
pub struct Chain<'r> {
    pub(super) repository: &'r Repository,
    pub(super) instance: String,
    pub(super) segments: Vec<Segment>,
    pub(super) rivals: Vec<Segment>,
    pub(super) unreadable: Vec<(ManifestId, String)>,
}

impl Heads {
    /// All segments in a repository, and the manifests that nobody can read.
    fn all(&self, repository: &Repository) -> Result<(Vec<Arc<Segment>>, Unreadable)> {
        let names = repository.manifests().map_err(of_engine)?;
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for id in &names {
            let key = (repository.id(), *id);
            let known = self.slot().get(&key).cloned();
            if let Some(known) = known {
                found.extend(known);
                continue;
            }
            match repository.manifest(id) {
                Ok(manifest) => {
                    let segment = Segment::of(&manifest).map(Arc::new);
                    found.extend(segment.clone());
                    self.slot().insert(key, segment);
                }
                // Forgotten and collected since the listing.
                Err(EngineError::ManifestMissing { .. }) => {}
                Err(error @ EngineError::Damaged { .. }) => {
                    unreadable.push((*id, crate::jobs::chain(&error)));
                }
                Err(error) => return Err(of_engine(error)),
            }
        }
        let there: BTreeSet<ManifestId> = names.into_iter().collect();
        self.slot()
            .retain(|(of, id), _| *of != repository.id() || there.contains(id));
        Ok((found, unreadable))
    }

    fn slot(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Unreadable = Vec<(ManifestId, String)>;

/// The instances that have a chain in a repository, with the number of their last segment.
pub fn instances(repository: &Repository, heads: &Heads) -> Result<Vec<(String, u64)>> {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for segment in heads.all(repository)?.0 {
        let known = last.entry(segment.head.instance.clone()).or_default();
        *known = (*known).max(segment.head.number);
    }
    Ok(last.into_iter().collect())
}

impl<'r> Chain<'r> {
    /// The chain of an instance as it is in the vault.
    pub fn open(repository: &'r Repository, instance: &str, heads: &Heads) -> Result<Self> {
        let (all, unreadable) = heads.all(repository)?;
        let own = all
            .into_iter()
            .filter(|segment| segment.head.instance == instance);
        let (segments, rivals) = settle(own.map(|segment| Segment::clone(&segment)));
        Ok(Self {
            repository,
            instance: instance.to_owned(),
            segments,
            rivals,
            unreadable,
        })
    }

    /// The segments, the oldest first, deleted ones too. A number that is left out is missing.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The newest segment.
    pub fn last(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// The segment of that number.
    pub fn segment(&self, number: u64) -> Result<&Segment> {
        let found = self
            .segments
            .binary_search_by_key(&number, |segment| segment.head.number);
        let segment = found.ok().and_then(|at| self.segments.get(at));
        segment.ok_or_else(|| Error::not_found(Reason::NoSuchBackup, number))
    }

    /// Where the next reading begins.
    pub fn position(&self) -> Result<Position> {
        let Some(last) = self.last() else {
            return Ok(Position::default());
        };
        Ok(self.written(last)?.0.position)
    }

    /// From which files a segment's lines are.
    pub fn spans(&self, number: u64) -> Result<Vec<Span>> {
        Ok(self.written(self.segment(number)?)?.0.spans)
    }

    /// The caller's labels of a segment.
    pub fn labels(&self, number: u64) -> Result<BTreeMap<String, String>> {
        let manifest = self
            .repository
            .manifest(&self.segment(number)?.manifest)
            .map_err(of_engine)?;
        Ok(others(&manifest.body.labels))
    }

    /// The head of a segment with all that is in it, and its text.
    pub(super) fn written(&self, segment: &Segment) -> Result<(Written, String)> {
        let manifest = self
            .repository
            .manifest(&segment.manifest)
            .map_err(of_engine)?;
        let text = manifest.body.labels.get(LABEL).cloned().unwrap_or_default();
        let written = serde_json::from_str(&text).map_err(|error| Error::Conflict {
            reason: Reason::DataDamaged,
            message: format!("the head of segment {}: {error}", segment.head.number),
        })?;
        Ok((written, text))
    }
}

/// Which of all segments are the chain, and which are rivals.
fn settle(all: impl Iterator<Item = Segment>) -> (Vec<Segment>, Vec<Segment>) {
    let mut places: BTreeMap<u64, Vec<Segment>> = BTreeMap::new();
    for segment in all {
        places.entry(segment.head.number).or_default().push(segment);
    }
    let quoted: BTreeSet<String> = places
        .values()
        .flatten()
        .filter_map(|segment| segment.head.previous.clone())
        .collect();
    let (mut chain, mut rivals): (Vec<Segment>, Vec<Segment>) = (Vec::new(), Vec::new());
    for (_, mut claims) in places {
        let before = chain.last().map(|segment| segment.link.clone());
        // The best first: it continues the chain, is continued, holds its lines, and more of them.
        claims.sort_by_key(|segment| {
            let continues = before.is_none() || segment.head.previous == before;
            (
                !continues,
                !quoted.contains(&segment.link),
                segment.deleted.is_some(),
                std::cmp::Reverse(segment.head.bytes),
                segment.manifest,
            )
        });
        let mut claims = claims.into_iter();
        let Some(best) = claims.next() else {
            continue;
        };
        // What was left of a segment whose deletion did not come to its end is no rival.
        rivals.extend(claims.filter(|claim| claim.link != best.link || claim.deleted.is_none()));
        chain.push(best);
    }
    (chain, rivals)
}
