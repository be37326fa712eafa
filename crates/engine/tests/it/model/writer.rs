//! A writer, one store call after the other (docs/format.md, "Leases, fences and the commit").
//!
//! A collector that writes chunks anew is one too, without a manifest.

use super::{
    rules::{Rule, Rules},
    store::{Chunks, INITIAL, Manifest, Packs, Store, bits},
};

/// What a writer does next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum At {
    Lease,
    Quarantines,
    Index,
    Presence,
    Previous,
    Pack,
    Run,
    LookAgain,
    PackAgain,
    RunAgain,
    Commit,
    Release,
    GiveUp,
    Committed,
    Failed,
}

/// A writer's memory.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Writer {
    pub(crate) at: At,
    /// Number of its lease.
    lease: usize,
    /// Its packs; the second is for what has to be written anew.
    packs: [Option<usize>; 2],
    want: Chunks,
    /// The manifest it builds on.
    previous: Option<usize>,
    commits: bool,
    shunned: Packs,
    known: Packs,
    taken_over: Chunks,
    relied: Packs,
}

impl Writer {
    /// A writer that saves `want` on top of `previous`.
    pub(crate) fn new(number: usize, want: Chunks, previous: Option<usize>, rules: Rules) -> Self {
        let first = INITIAL + 2 * number;
        let packs = [Some(first), Some(first + 1)];
        Self {
            at: if rules.lack(Rule::LeaseBeforeQuarantines) {
                At::Quarantines
            } else {
                At::Lease
            },
            lease: number,
            packs,
            want,
            previous: previous.filter(|_| rules.lack(Rule::TakenOverIsLookedUp)),
            commits: true,
            shunned: 0,
            known: 0,
            taken_over: 0,
            relied: 0,
        }
    }

    /// One that moves chunks for a collector.
    pub(crate) fn mover(lease: usize, pack: usize, want: Chunks) -> Self {
        let packs = [Some(pack), None];
        let writer = Self::new(lease, want, None, Rules::ALL);
        Self {
            packs,
            commits: false,
            ..writer
        }
    }

    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.at, At::Committed | At::Failed)
    }

    /// Makes the next call to the store.
    pub(crate) fn step(&mut self, store: &mut Store, rules: Rules) {
        let late = rules.lack(Rule::LeaseBeforeQuarantines) && self.commits;
        self.at = match self.at {
            At::Lease => {
                store.leases |= 1 << self.lease;
                if late { At::Index } else { At::Quarantines }
            }
            At::Quarantines => {
                if !rules.lack(Rule::WritersShunQuarantines) {
                    self.shunned = store.condemned();
                }
                if late { At::Lease } else { At::Index }
            }
            At::Index => {
                self.known = store.indexed & !self.shunned;
                self.shunned = 0;
                At::Presence
            }
            At::Presence => {
                self.known &= store.present;
                if self.previous.is_some() {
                    At::Previous
                } else {
                    At::Pack
                }
            }
            At::Previous => {
                self.take_over(store);
                At::Pack
            }
            At::Pack => self.store_new(store),
            At::Run => self.name(0, store),
            At::LookAgain => self.look_again(store),
            At::PackAgain => {
                store.present |= self.packs[1].map_or(0, |pack| 1 << pack);
                At::RunAgain
            }
            At::RunAgain => self.name(1, store),
            At::Commit => self.commit(store, rules),
            At::Release | At::GiveUp => {
                store.leases &= !(1 << self.lease);
                if self.at == At::Release {
                    At::Committed
                } else {
                    At::Failed
                }
            }
            At::Committed | At::Failed => self.at,
        };
    }

    /// Reads the previous manifest, and takes its chunks for there without asking.
    fn take_over(&mut self, store: &Store) {
        if let Some(previous) = self.previous.take()
            && let Manifest::Holds(chunks) = store.manifests[previous]
            && store.forgetting(previous).next().is_none()
        {
            self.taken_over = self.want & chunks;
        }
    }

    fn store_new(&mut self, store: &mut Store) -> At {
        let known = std::mem::take(&mut self.known);
        let asked = self.want & !std::mem::take(&mut self.taken_over);
        for chunk in bits(asked) {
            let mut holding = bits(known).filter(|pack| store.contents[*pack] >> chunk & 1 == 1);
            self.relied |= holding.next().map_or(0, |pack| 1 << pack);
        }
        let new = asked & !store.chunks_in(known);
        match self.packs[0] {
            Some(pack) if new != 0 => {
                store.contents[pack] = new;
                store.present |= 1 << pack;
                At::Run
            }
            _ => At::LookAgain,
        }
    }

    fn name(&self, pack: usize, store: &mut Store) -> At {
        store.indexed |= self.packs[pack].map_or(0, |pack| 1 << pack);
        At::LookAgain
    }

    /// Whether packs that were relied on are in quarantine by now; they are read and their chunks
    /// stored anew, once.
    fn look_again(&mut self, store: &mut Store) -> At {
        let affected = self.relied & store.condemned();
        self.relied &= !affected;
        if affected == 0 {
            self.relied = 0;
            return At::Commit;
        }
        match self.packs[1] {
            Some(pack) if store.contents[pack] == 0 && affected & !store.present == 0 => {
                store.contents[pack] = store.chunks_in(affected) & self.want;
                At::PackAgain
            }
            _ => At::GiveUp,
        }
    }

    fn commit(&self, store: &mut Store, rules: Rules) -> At {
        if !self.commits {
            return At::Release;
        }
        let manifest = &mut store.manifests[INITIAL + self.lease];
        if *manifest == Manifest::Free || rules.lack(Rule::CommitIsConditional) {
            *manifest = Manifest::Holds(self.want);
            At::Release
        } else {
            At::GiveUp
        }
    }
}
