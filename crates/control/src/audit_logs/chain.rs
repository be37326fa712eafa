//! All segments of an instance, read from the vault.
//!
//! A chain is what its heads say: each quotes the link of the one before. Two segments may claim
//! one place when a worker that was given up wakes and stores what another one stored meanwhile;
//! the one that is continued counts, and the other is a rival that a proof names.
//!
//! A backup every five minutes makes a hundred thousand segments a year, so what was read is kept
//! ([`Heads`]): opening a chain lists the names in the vault and reads what is new among them.
//!
//! Invariant: what counts is decided by the vault alone, and the same for everybody who looks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use strongroom_engine::{Error as EngineError, ManifestId, Repository, RepositoryId};
use strongroom_source::audit::{Position, Span};

use super::{
    head::{LABEL, Segment, Written, others},
    of_engine,
};
use crate::{Error, Reason, Result};

/// Threads that read heads: most of the time they wait for the store.
const READERS_MAX: usize = 8;
/// Heads that are worth a thread.
const HEADS_PER_READER: usize = 64;

/// Heads that were read, so that a manifest is read once: none is ever changed.
#[derive(Debug, Default)]
pub struct Heads(Mutex<BTreeMap<RepositoryId, Known>>);

/// What is known of one repository.
#[derive(Debug, Default)]
struct Known {
    /// Of every manifest that was read the segment, if it is one.
    manifests: BTreeMap<ManifestId, Option<Arc<Segment>>>,
    /// The chains among them, by instance.
    chains: BTreeMap<String, Arc<Settled>>,
}

/// A chain as its heads make it.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    /// The oldest first.
    pub(super) segments: Vec<Arc<Segment>>,
    /// Others that claim their places.
    pub(super) rivals: Vec<Arc<Segment>>,
}

/// The segments of one instance.
#[derive(Debug)]
pub struct Chain<'r> {
    pub(super) repository: &'r Repository,
    pub(super) instance: String,
    pub(super) settled: Arc<Settled>,
    pub(super) unreadable: Unreadable,
}

type Unreadable = Vec<(ManifestId, String)>;

impl Heads {
    /// All chains in a repository, and the manifests that nobody can read.
    fn all(&self, repository: &Repository) -> Result<(BTreeMap<String, Arc<Settled>>, Unreadable)> {
        let names: BTreeSet<ManifestId> = repository
            .manifests()
            .map_err(of_engine)?
            .into_iter()
            .collect();
        let new: Vec<ManifestId> = self.with(repository, |known| {
            let is_new = |id: &&ManifestId| !known.manifests.contains_key(id);
            names.iter().filter(is_new).copied().collect()
        });
        let (read, unreadable) = read(repository, &new)?;
        Ok(self.with(repository, |known| {
            known.forget_but(&names);
            known.learn(read);
            (known.chains.clone(), unreadable)
        }))
    }

    fn with<T>(&self, repository: &Repository, body: impl FnOnce(&mut Known) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body(all.entry(repository.id()).or_default())
    }
}

impl Known {
    /// Drops what is not in the repository any more.
    fn forget_but(&mut self, there: &BTreeSet<ManifestId>) {
        let mut stale = BTreeSet::new();
        self.manifests.retain(|id, segment| {
            let stays = there.contains(id);
            if let (false, Some(segment)) = (stays, segment) {
                stale.insert(segment.head.instance.clone());
            }
            stays
        });
        for instance in stale {
            self.settle(&instance);
        }
    }

    /// Takes in what was read.
    fn learn(&mut self, read: Vec<Found>) {
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for (id, segment) in read {
            // Another thread may have been faster.
            if self.manifests.insert(id, segment.clone()).is_none() {
                segments.extend(segment);
            }
        }
        segments.sort_by_key(|segment| segment.head.number);
        let mut stale = BTreeSet::new();
        for segment in segments {
            let instance = &segment.head.instance;
            if stale.contains(instance) {
                continue;
            }
            let chain = self.chains.entry(instance.clone()).or_default();
            if chain.is_continued_by(&segment) {
                Arc::make_mut(chain).segments.push(segment);
            } else {
                stale.insert(instance.clone());
            }
        }
        for instance in stale {
            self.settle(&instance);
        }
    }

    /// Works out a chain anew.
    fn settle(&mut self, instance: &str) {
        let all = self.manifests.values().flatten();
        let own = all.filter(|segment| segment.head.instance == instance);
        let settled = settle(own.cloned());
        if settled.segments.is_empty() {
            self.chains.remove(instance);
        } else {
            self.chains.insert(instance.to_owned(), Arc::new(settled));
        }
    }
}

impl Settled {
    /// Whether a segment is the next of the chain beyond doubt.
    fn is_continued_by(&self, segment: &Segment) -> bool {
        match self.segments.last() {
            None => segment.head.number == 1 && segment.head.previous.is_none(),
            Some(last) => {
                segment.head.number == last.head.number + 1
                    && segment.head.previous.as_ref() == Some(&last.link)
            }
        }
    }
}

/// A manifest, and its segment if it is one.
type Found = (ManifestId, Option<Arc<Segment>>);

/// What of a manifest is known: its segment, nothing if it is gone, or why it cannot be read.
type Looked = (ManifestId, Option<Result<Option<Arc<Segment>>, String>>);

/// Reads heads, several at a time.
fn read(repository: &Repository, ids: &[ManifestId]) -> Result<(Vec<Found>, Unreadable)> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<Looked>> {
        let mut looked = Vec::new();
        while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = match repository.manifest(id) {
                Ok(manifest) => Some(Ok(Segment::of(&manifest).map(Arc::new))),
                // Forgotten and collected since the listing.
                Err(EngineError::ManifestMissing { .. }) => None,
                Err(error @ EngineError::Damaged { .. }) => Some(Err(crate::jobs::chain(&error))),
                Err(error) => {
                    next.store(ids.len(), Ordering::Relaxed);
                    return Err(of_engine(error));
                }
            };
            looked.push((*id, found));
        }
        Ok(looked)
    };
    let readers = ids.len().div_ceil(HEADS_PER_READER).clamp(1, READERS_MAX);
    let parts = thread::scope(|scope| {
        let others: Vec<_> = (1..readers).map(|_| scope.spawn(work)).collect();
        let mut parts = vec![work()];
        for other in others {
            let panicked = |_| Err(Error::bug("the reading of heads panicked", "see the log"));
            parts.push(other.join().unwrap_or_else(panicked));
        }
        parts
    });
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for part in parts {
        for (id, looked) in part? {
            match looked {
                Some(Ok(segment)) => found.push((id, segment)),
                Some(Err(why)) => unreadable.push((id, why)),
                None => {}
            }
        }
    }
    unreadable.sort();
    Ok((found, unreadable))
}

/// The instances that have a chain in a repository, with the number of their last segment.
pub fn instances(repository: &Repository, heads: &Heads) -> Result<Vec<(String, u64)>> {
    let chains = heads.all(repository)?.0.into_iter();
    let last = |chain: &Settled| chain.segments.last().map_or(0, |last| last.head.number);
    Ok(chains
        .map(|(instance, chain)| (instance, last(&chain)))
        .collect())
}

impl<'r> Chain<'r> {
    /// The chain of an instance as it is in the vault.
    pub fn open(repository: &'r Repository, instance: &str, heads: &Heads) -> Result<Self> {
        let (mut chains, unreadable) = heads.all(repository)?;
        Ok(Self {
            repository,
            instance: instance.to_owned(),
            settled: chains.remove(instance).unwrap_or_default(),
            unreadable,
        })
    }

    /// The segments, the oldest first, deleted ones too. A number that is left out is missing.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.settled.segments
    }

    /// The newest segment.
    pub fn last(&self) -> Option<&Segment> {
        self.settled.segments.last().map(|last| &**last)
    }

    /// The segment of that number.
    pub fn segment(&self, number: u64) -> Result<&Segment> {
        let segments = self.segments();
        let found = segments.binary_search_by_key(&number, |segment| segment.head.number);
        let segment = found.ok().and_then(|at| segments.get(at));
        segment
            .map(|segment| &**segment)
            .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, number))
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
fn settle(all: impl Iterator<Item = Arc<Segment>>) -> Settled {
    let mut places: BTreeMap<u64, Vec<Arc<Segment>>> = BTreeMap::new();
    for segment in all {
        places.entry(segment.head.number).or_default().push(segment);
    }
    let mut settled = Settled::default();
    while let Some((_, mut claims)) = places.pop_first() {
        let before = settled.segments.last().map(|segment| segment.link.clone());
        // Only the next place quotes this one.
        let quoted = |link: &String| {
            let next = places.first_key_value().map(|(_, claims)| claims.iter());
            next.into_iter()
                .flatten()
                .any(|segment| segment.head.previous.as_ref() == Some(link))
        };
        // The best first: it continues the chain, is continued, holds its lines, and more of them.
        claims.sort_by_cached_key(|segment| {
            let continues = before.is_none() || segment.head.previous == before;
            (
                !continues,
                !quoted(&segment.link),
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
        let rivals = claims.filter(|claim| claim.link != best.link || claim.deleted.is_none());
        settled.rivals.extend(rivals);
        settled.segments.push(best);
    }
    settled
}
