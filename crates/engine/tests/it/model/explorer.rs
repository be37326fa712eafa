//! Visits every state that a world can come to, and shows the way to a bad one.

use std::{
    collections::{HashSet, VecDeque, hash_map::DefaultHasher},
    fmt::{self, Debug, Display, Formatter},
    hash::{Hash, Hasher},
};

use super::{
    collector::Collector,
    rules::Rules,
    store::{Act, Chunks, INITIAL, Manifest, Store},
    writer::{At, Writer},
};

/// What somebody wants of the manifests that are there at the start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Wish {
    /// Forget it, as that act.
    Forget(usize, usize),
    /// Bring it back.
    Restore(usize),
}

/// Who forgets and changes his mind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Forgetter {
    wishes: &'static [Wish],
    at: usize,
    /// Acts to be taken back, as listed.
    listed: u8,
    /// Manifests that he was told are back.
    back: u8,
}

impl Forgetter {
    pub(crate) const fn new(wishes: &'static [Wish]) -> Self {
        Self {
            wishes,
            at: 0,
            listed: 0,
            back: 0,
        }
    }

    fn step(&mut self, store: &mut Store) {
        match self.wishes[self.at] {
            Wish::Forget(id, act) => {
                let there = matches!(store.manifests[id], Manifest::Holds(_));
                if there && store.forgetting(id).next().is_none() {
                    store.acts[id][act] = Act::Undecided;
                    self.back &= !(1 << id);
                }
                self.at += 1;
            }
            Wish::Restore(id) if self.listed == 0 => {
                self.listed = store.forgetting(id).fold(0, |acts, act| acts | 1 << act);
                self.at += usize::from(self.listed == 0);
            }
            Wish::Restore(id) => {
                let act = self.listed.trailing_zeros() as usize;
                let act = &mut store.acts[id][act];
                if *act == Act::Undecided {
                    *act = Act::Restored;
                }
                let won = *act == Act::Restored;
                self.listed &= self.listed - 1;
                if !won || self.listed == 0 {
                    self.back |= u8::from(won) << id;
                    self.listed = 0;
                    self.at += 1;
                }
            }
        }
    }
}

/// Everybody and the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) writers: Vec<Option<Writer>>,
    pub(crate) collectors: Vec<Option<Collector>>,
    pub(crate) forgetter: Forgetter,
    /// How many processes may still die.
    pub(crate) crashes: u8,
    /// Whether collectors may give writers up.
    pub(crate) fences: bool,
}

/// One move, for the story of how it came to a loss.
#[derive(Clone, Copy)]
pub(crate) enum Move {
    Start,
    Writer(usize, At),
    WriterDies(usize),
    Collector(usize, super::collector::Stage),
    CollectorFences(usize, usize),
    CollectorDies(usize),
    Forgetter(usize),
}

impl Display for Move {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(out, "the start"),
            Self::Writer(number, at) => write!(out, "writer {number}: {at:?}"),
            Self::WriterDies(number) => write!(out, "writer {number} dies"),
            Self::Collector(number, stage) => write!(out, "collector {number}: {stage:?}"),
            Self::CollectorFences(number, lease) => {
                write!(out, "collector {number} gives up on lease {lease}")
            }
            Self::CollectorDies(number) => write!(out, "collector {number} dies"),
            Self::Forgetter(wish) => write!(out, "wish {wish}"),
        }
    }
}

impl World {
    /// A world with two manifests and the packs that they need.
    pub(crate) fn new(packs: [Chunks; INITIAL], manifests: [Chunks; INITIAL]) -> Self {
        let mut store = Store {
            present: 0b11,
            indexed: 0b11,
            ..Store::default()
        };
        store.contents[..INITIAL].copy_from_slice(&packs);
        for (slot, chunks) in store.manifests.iter_mut().zip(manifests) {
            *slot = Manifest::Holds(chunks);
        }
        Self {
            store,
            writers: Vec::new(),
            collectors: Vec::new(),
            forgetter: Forgetter::new(&[]),
            crashes: 0,
            fences: false,
        }
    }

    /// Every state that one move leads to.
    fn moves(&self, rules: Rules, visit: &mut dyn FnMut(Move, Self)) {
        for (number, writer) in self.writers.iter().enumerate() {
            let Some(writer) = writer.as_ref().filter(|writer| !writer.has_ended()) else {
                continue;
            };
            let mut world = self.clone();
            let mut stepped = writer.clone();
            stepped.step(&mut world.store, rules);
            world.writers[number] = Some(stepped);
            visit(Move::Writer(number, writer.at), world);
            self.die(visit, Move::WriterDies(number), |world| {
                world.writers[number] = None;
            });
        }
        for (number, collector) in self.collectors.iter().enumerate() {
            let Some(collector) = collector.as_ref().filter(|each| !each.has_ended()) else {
                continue;
            };
            if collector.may_step(&self.store) {
                let mut world = self.clone();
                let mut stepped = collector.clone();
                stepped.step(&mut world.store, rules);
                world.collectors[number] = Some(stepped);
                visit(Move::Collector(number, collector.stage), world);
            }
            let in_the_way = if self.fences {
                collector.waits_for(&self.store)
            } else {
                0
            };
            for lease in super::store::bits(in_the_way) {
                let mut world = self.clone();
                let mut fencing = collector.clone();
                fencing.give_up(lease);
                world.collectors[number] = Some(fencing);
                visit(Move::CollectorFences(number, lease), world);
            }
            self.die(visit, Move::CollectorDies(number), |world| {
                world.collectors[number] = None;
            });
        }
        if self.forgetter.at < self.forgetter.wishes.len() {
            let mut world = self.clone();
            world.forgetter.step(&mut world.store);
            visit(Move::Forgetter(self.forgetter.at), world);
        }
    }

    fn die(&self, visit: &mut dyn FnMut(Move, Self), how: Move, kill: impl FnOnce(&mut Self)) {
        if self.crashes > 0 {
            let mut world = self.clone();
            world.crashes -= 1;
            kill(&mut world);
            visit(how, world);
        }
    }

    /// What must never be: something needed is gone, or a promise was broken.
    fn wrong(&self) -> Option<String> {
        if let Some((id, chunks)) = self.store.lost() {
            return Some(format!("manifest {id} lost chunks {chunks:#b}"));
        }
        let broken = |id: usize| !matches!(self.store.manifests[id], Manifest::Holds(_));
        let back = super::store::bits(self.forgetter.back).find(|id| broken(*id));
        let committed = self
            .writers
            .iter()
            .enumerate()
            .find_map(|(number, writer)| {
                let told = writer
                    .as_ref()
                    .is_some_and(|writer| writer.at == At::Committed);
                (told && broken(INITIAL + number)).then_some(INITIAL + number)
            });
        back.or(committed)
            .map(|id| format!("manifest {id} was promised and is not there"))
    }
}

/// What an exploration found.
pub(crate) struct Explored {
    pub(crate) states: usize,
    /// The shortest way to a bad state, and what is bad there.
    pub(crate) counterexample: Option<(Vec<Move>, String)>,
}

impl Debug for Explored {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.counterexample {
            None => write!(out, "{} states, all good", self.states),
            Some((moves, wrong)) => {
                moves.iter().try_for_each(|step| writeln!(out, "{step}"))?;
                write!(out, "{wrong}")
            }
        }
    }
}

/// Visits every state, those that take fewer moves first, and stops at the first bad one.
pub(crate) fn explore(start: World, rules: Rules) -> Explored {
    let mut seen = HashSet::from([fingerprint(&start)]);
    let mut ways: Vec<(usize, Move)> = vec![(0, Move::Start)];
    let mut queue = VecDeque::from([(0, start)]);
    while let Some((from, world)) = queue.pop_front() {
        if let Some(wrong) = world.wrong() {
            let mut moves = Vec::new();
            let mut at = from;
            while at != 0 {
                moves.push(ways[at].1);
                at = ways[at].0;
            }
            moves.reverse();
            return Explored {
                states: seen.len(),
                counterexample: Some((moves, wrong)),
            };
        }
        world.moves(rules, &mut |by, next| {
            if seen.insert(fingerprint(&next)) {
                ways.push((from, by));
                queue.push_back((ways.len() - 1, next));
            }
        });
    }
    Explored {
        states: seen.len(),
        counterexample: None,
    }
}

/// A state in 128 bits: among ten million, two that collide are not to be expected.
fn fingerprint(world: &World) -> (u64, u64) {
    let hash = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, world).hash(&mut hasher);
        hasher.finish()
    };
    (hash(1), hash(2))
}
