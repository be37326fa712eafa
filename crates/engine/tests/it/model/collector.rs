//! A collector, one store call after the other (docs/format.md, "Quarantine and sweep").

use super::{
    rules::{Rule, Rules},
    store::{Act, Chunks, INITIAL, Manifest, Outcome, Packs, Quarantine, Store, WRITERS, bits},
    writer::Writer,
};

/// What a collector does next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stage {
    Standing,
    Leases,
    NoteWaits,
    Wait,
    Fence,
    Unlease,
    Acts,
    Decide,
    Shun,
    Safe,
    Index,
    Manifests,
    Outcome,
    Stands,
    RemoveManifest,
    ClearAct,
    RemovePacks,
    DropIndex,
    Lift,
    Clear,
    MarkActs,
    MarkManifests,
    MarkPacks,
    MarkIndex,
    Condemn,
    CondemnSparse,
    Move,
    Ended,
}

/// A collector's memory. What is not needed any more is zero, so that equal futures are equal.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Collector {
    pub(crate) stage: Stage,
    number: usize,
    /// Quarantines still to sweep, and the one in hand.
    todo: u8,
    current: usize,
    marks: bool,
    noted: u8,
    /// The lease to fence off.
    lease: usize,
    /// Acts to decide, and manifests that turned out to be gone for good.
    acts: [u8; INITIAL],
    gone: u8,
    shunned: Packs,
    safe: Packs,
    dead: Packs,
    forgotten: u8,
    reached: Chunks,
    sparse: Packs,
    mover: Option<Box<Writer>>,
}

impl Collector {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            stage: Stage::Standing,
            number,
            todo: 0,
            current: 0,
            marks: true,
            noted: 0,
            lease: 0,
            acts: [0; INITIAL],
            gone: 0,
            shunned: 0,
            safe: 0,
            dead: 0,
            forgotten: 0,
            reached: 0,
            sparse: 0,
            mover: None,
        }
    }

    /// One that has swept what stood, and begins to mark.
    pub(crate) fn marking(number: usize) -> Self {
        Self {
            stage: Stage::MarkActs,
            marks: false,
            ..Self::new(number)
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Whether it may do its next call now; if not, it waits for a writer.
    pub(crate) fn may_step(&self, store: &Store) -> bool {
        self.stage != Stage::Wait || self.noted & store.leases == 0
    }

    /// Gives up one of the writers that it waits for.
    pub(crate) fn give_up(&mut self, lease: usize) {
        self.lease = lease;
        self.stage = Stage::Fence;
    }

    /// The leases that keep it waiting.
    pub(crate) fn waits_for(&self, store: &Store) -> u8 {
        if self.stage == Stage::Wait {
            self.noted & store.leases
        } else {
            0
        }
    }

    /// Makes the next call to the store.
    pub(crate) fn step(&mut self, store: &mut Store, rules: Rules) {
        self.stage = match self.stage {
            Stage::Standing => {
                let standing =
                    (0..store.quarantines.len()).filter(|at| store.quarantines[*at].record);
                self.todo = standing.fold(0, |todo, at| todo | 1 << at);
                self.next()
            }
            Stage::Leases | Stage::NoteWaits | Stage::Wait | Stage::Fence | Stage::Unlease => {
                self.wait(store, rules)
            }
            Stage::Acts | Stage::Decide => self.last_words(store, rules),
            Stage::Shun | Stage::Safe | Stage::Index | Stage::Manifests => self.look(store, rules),
            Stage::Outcome | Stage::Stands => self.decide(store, rules),
            Stage::RemoveManifest
            | Stage::ClearAct
            | Stage::RemovePacks
            | Stage::DropIndex
            | Stage::Lift
            | Stage::Clear => self.end(store, rules),
            Stage::MarkActs
            | Stage::MarkManifests
            | Stage::MarkPacks
            | Stage::MarkIndex
            | Stage::Condemn
            | Stage::CondemnSparse
            | Stage::Move => self.mark(store, rules),
            Stage::Ended => Stage::Ended,
        };
    }

    fn next(&mut self) -> Stage {
        (self.gone, self.noted, self.lease) = (0, 0, 0);
        match bits(self.todo).next() {
            Some(at) => {
                self.todo &= !(1 << at);
                self.current = at;
                Stage::Leases
            }
            None if self.marks => {
                (self.marks, self.current) = (false, 0);
                Stage::MarkActs
            }
            None => Stage::Ended,
        }
    }

    fn wait(&mut self, store: &mut Store, rules: Rules) -> Stage {
        let fence = &mut store.manifests[INITIAL + self.lease];
        match self.stage {
            Stage::Leases => {
                if !rules.lack(Rule::RecordBeforeWaits) {
                    self.noted = store.leases;
                }
                Stage::NoteWaits
            }
            Stage::NoteWaits => {
                let waits = &mut store.quarantines[self.current].waits;
                self.noted = *waits.get_or_insert(self.noted);
                if rules.lack(Rule::SweepWaits) {
                    Stage::Acts
                } else {
                    Stage::Wait
                }
            }
            Stage::Wait => {
                self.noted = 0;
                Stage::Acts
            }
            Stage::Fence => {
                if *fence == Manifest::Free && !rules.lack(Rule::FenceBeforeRelease) {
                    *fence = Manifest::Fence;
                }
                Stage::Unlease
            }
            _ => {
                store.leases &= !(1 << self.lease);
                self.lease = 0;
                Stage::Wait
            }
        }
    }

    fn last_words(&mut self, store: &mut Store, rules: Rules) -> Stage {
        if self.stage == Stage::Acts {
            for (id, acts) in self.acts.iter_mut().enumerate() {
                *acts = store.forgetting(id).fold(0, |acts, act| acts | 1 << act);
            }
            if rules.lack(Rule::LastWordBeforeSweep) {
                self.gone =
                    (0..INITIAL).fold(0, |gone, id| gone | u8::from(self.acts[id] != 0) << id);
                self.acts = [0; INITIAL];
            }
        } else {
            let id = (0..INITIAL)
                .find(|id| self.acts[*id] != 0)
                .expect("asked for");
            let at = bits(self.acts[id]).next().expect("not empty");
            self.acts[id] &= !(1 << at);
            let act = &mut store.acts[id][at];
            if *act == Act::Undecided {
                *act = Act::Final;
            }
            self.gone |= u8::from(*act == Act::Final) << id;
        }
        if self.acts == [0; INITIAL] {
            Stage::Manifests
        } else {
            Stage::Decide
        }
    }

    /// Manifests, then quarantines, then packs. The index comes last although the code loads it
    /// earlier: others in the process may load it again at any time.
    fn look(&mut self, store: &Store, rules: Rules) -> Stage {
        let condemned = store.quarantines[self.current].packs;
        match self.stage {
            Stage::Manifests => {
                let manifests = store.manifests.iter().enumerate();
                self.reached = manifests.fold(0, |all, (id, manifest)| match manifest {
                    Manifest::Holds(chunks) if self.gone >> id & 1 == 0 => all | chunks,
                    _ => all,
                });
                Stage::Shun
            }
            Stage::Shun => {
                self.shunned = condemned;
                if !rules.lack(Rule::SecondLookShunsQuarantines) {
                    self.shunned |= store.condemned();
                }
                Stage::Safe
            }
            Stage::Safe => {
                self.safe = store.present & !std::mem::take(&mut self.shunned);
                Stage::Index
            }
            _ => {
                let safe = store.chunks_in(std::mem::take(&mut self.safe) & store.indexed);
                // What a pack holds it says itself: an index run may be late, or lost.
                let held = if rules.lack(Rule::SecondLookAsksThePacks) {
                    store.indexed & condemned
                } else {
                    condemned
                };
                let needed = std::mem::take(&mut self.reached) & !safe & store.chunks_in(held) != 0;
                // What was found is kept where it is not in the way.
                self.shunned = u8::from(needed && !rules.lack(Rule::SecondLook));
                Stage::Outcome
            }
        }
    }

    fn decide(&mut self, store: &mut Store, rules: Rules) -> Stage {
        let quarantine = &mut store.quarantines[self.current];
        let swept = |outcome| {
            if outcome == Outcome::Swept {
                Stage::RemoveManifest
            } else {
                Stage::Lift
            }
        };
        if self.stage == Stage::Outcome {
            let needed = std::mem::take(&mut self.shunned) != 0;
            let wanted = if needed {
                Outcome::Lifted
            } else {
                Outcome::Swept
            };
            if rules.lack(Rule::OutcomeIsDecided) {
                return swept(wanted);
            }
            let outcome = *quarantine.outcome.get_or_insert(wanted);
            if needed && outcome == Outcome::Swept {
                // Another quarantine is in the way for now: a later collection ends this one.
                return self.next();
            }
            return Stage::Stands;
        }
        match quarantine.outcome {
            Some(outcome) if quarantine.record || rules.lack(Rule::RecordOutlivesDecision) => {
                swept(outcome)
            }
            _ => {
                (quarantine.outcome, quarantine.waits) = (None, None);
                self.next()
            }
        }
    }

    fn end(&mut self, store: &mut Store, rules: Rules) -> Stage {
        let packs = store.quarantines[self.current].packs;
        let gone = bits(self.gone).next();
        match (self.stage, gone) {
            (Stage::RemoveManifest, Some(id)) => {
                store.manifests[id] = Manifest::Removed;
                Stage::ClearAct
            }
            (Stage::ClearAct, Some(id)) => {
                self.gone &= !(1 << id);
                for act in &mut store.acts[id] {
                    if *act == Act::Final {
                        *act = Act::Cleared;
                    }
                }
                Stage::RemoveManifest
            }
            (Stage::RemoveManifest | Stage::ClearAct, None) => {
                if rules.lack(Rule::LiftComesLast) {
                    store.quarantines[self.current].record = false;
                }
                Stage::RemovePacks
            }
            (Stage::RemovePacks, _) => match bits(packs & store.present).next() {
                Some(pack) => {
                    store.present &= !(1 << pack);
                    Stage::RemovePacks
                }
                None => Stage::DropIndex,
            },
            (Stage::DropIndex, _) => {
                store.indexed &= !packs;
                Stage::Lift
            }
            (Stage::Lift, _) => {
                store.quarantines[self.current].record = false;
                Stage::Clear
            }
            _ => {
                let quarantine = &mut store.quarantines[self.current];
                (quarantine.waits, quarantine.outcome) = (None, None);
                self.next()
            }
        }
    }

    fn mark(&mut self, store: &mut Store, rules: Rules) -> Stage {
        let slots = [2 * self.number, 2 * self.number + 1];
        match self.stage {
            Stage::MarkActs => {
                let forgotten = (0..INITIAL).filter(|id| store.forgetting(*id).next().is_some());
                self.forgotten = forgotten.fold(0, |forgotten, id| forgotten | 1 << id);
                Stage::MarkManifests
            }
            Stage::MarkManifests => {
                for (id, manifest) in store.manifests.iter().enumerate() {
                    if let Manifest::Holds(chunks) = manifest
                        && self.forgotten >> id & 1 == 0
                    {
                        self.reached |= chunks;
                    }
                }
                self.forgotten = 0;
                Stage::MarkPacks
            }
            Stage::MarkPacks => {
                self.safe = store.present;
                self.noted = store.leases * u8::from(rules.lack(Rule::RecordBeforeWaits));
                Stage::MarkIndex
            }
            Stage::MarkIndex => {
                self.plan(store);
                Stage::Condemn
            }
            Stage::Condemn => {
                let whole = std::mem::take(&mut self.dead);
                self.condemn(slots[0], whole, store, rules)
            }
            Stage::CondemnSparse => {
                let lease = WRITERS + self.number;
                let pack = INITIAL + 2 * WRITERS + self.number;
                let moved = store.chunks_in(self.sparse) & self.reached;
                self.mover =
                    (self.sparse != 0).then(|| Box::new(Writer::mover(lease, pack, moved)));
                self.reached = 0;
                let sparse = std::mem::take(&mut self.sparse);
                self.condemn(slots[1], sparse, store, rules)
            }
            _ => {
                let Some(mover) = &mut self.mover else {
                    return self.next();
                };
                mover.step(store, rules);
                if mover.has_ended() {
                    self.mover = None;
                    return self.next();
                }
                Stage::Move
            }
        }
    }

    /// Whole packs that nothing reaches, and packs that are partly dead.
    fn plan(&mut self, store: &Store) {
        for pack in bits(std::mem::take(&mut self.safe) & !store.condemned()) {
            let chunks = if store.indexed >> pack & 1 == 1 {
                store.contents[pack]
            } else {
                0
            };
            if chunks & self.reached == 0 {
                self.dead |= 1 << pack;
            } else if chunks & !self.reached != 0 {
                self.sparse |= 1 << pack;
            }
        }
    }

    fn condemn(&mut self, slot: usize, packs: Packs, store: &mut Store, rules: Rules) -> Stage {
        if packs != 0 {
            // Too early, and noted by whoever sweeps first.
            let waits = rules.lack(Rule::RecordBeforeWaits).then_some(self.noted);
            store.quarantines[slot] = Quarantine {
                record: true,
                packs,
                waits,
                outcome: None,
            };
            self.todo |= 1 << slot;
        }
        if self.stage == Stage::Condemn {
            Stage::CondemnSparse
        } else {
            Stage::Move
        }
    }
}
