//! The real code under a scheduler: writers, collectors, people who forget and people who restore,
//! each with a repository of their own on one store, of whom one at a time goes on until its next
//! store call. A seed chooses who; what was acknowledged must restore.
//!
//! The model (`model`) proves the rules. This looks for what the model leaves out: how listings
//! are read, what is cached, in which order one step makes its calls.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use strongroom_engine::{
    ManifestId, Repository, Result,
    collect::{CollectOptions, Collected, Fencing, collect},
    tree::Progress,
};
use strongroom_store::{
    Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::{
    dice::Dice,
    tree::{Shape, Tree},
};

use crate::{
    scene::{create, entropy, memory, open},
    world::{Origin, Saves, assert_sound, changed, comes_back, copy, save},
};

/// A thread that is not heard of for so long hangs.
const PATIENCE: Duration = Duration::from_mins(1);

const SMALL: Shape = Shape {
    entries: 8,
    file_bytes: 20_000,
    owner: None,
    xattrs: true,
};

/// Lets one actor at a time go on.
struct Turnstile {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    dice: Dice,
    /// Threads of each actor that wait; `None` for actors that have ended.
    waiting: Vec<Option<usize>>,
    /// Whose turn it is, and a number that grows with each turn.
    turn: Option<usize>,
    round: u64,
    /// The actors in the order of their turns.
    story: Vec<usize>,
}

impl Turnstile {
    fn new(seed: u64, actors: usize) -> Arc<Self> {
        let state = State {
            dice: Dice::new(seed),
            waiting: vec![Some(0); actors],
            turn: None,
            round: 0,
            story: Vec::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the actor's next turn. All of its threads that wait then go on together: they
    /// may be waiting for each other.
    fn pass(&self, actor: usize) {
        let mut state = self.state();
        if let Some(waiting) = &mut state.waiting[actor] {
            *waiting += 1;
        }
        let arrived = state.round;
        if state.turn.is_none_or(|turn| turn == actor) {
            self.choose(&mut state);
        }
        loop {
            if state.turn == Some(actor) && state.round > arrived {
                return;
            }
            let (held, slow) = self.changed.wait_timeout(state, PATIENCE).unwrap();
            assert!(
                !slow.timed_out(),
                "actor {actor} waits for ever: {:?}",
                held.story
            );
            state = held;
        }
    }

    /// The actor makes no more calls.
    fn leave(&self, actor: usize) {
        let mut state = self.state();
        state.waiting[actor] = None;
        if state.turn.is_none_or(|turn| turn == actor) {
            self.choose(&mut state);
        }
    }

    fn choose(&self, state: &mut State) {
        // At the start nobody goes before everybody is there.
        let everybody = state.waiting.iter().flatten().all(|waiting| *waiting > 0);
        let ready: Vec<usize> = (0..state.waiting.len())
            .filter(|actor| state.waiting[*actor] > Some(0))
            .collect();
        if ready.is_empty() || (state.turn.is_none() && !everybody) {
            return;
        }
        // Long stretches of one actor find other things than constant change.
        let stays = state
            .turn
            .filter(|turn| ready.contains(turn) && state.dice.below(3) > 0);
        let drawn = usize::try_from(state.dice.below(ready.len() as u64)).unwrap();
        let next = stays.unwrap_or(ready[drawn]);
        state.waiting[next] = Some(0);
        state.turn = Some(next);
        state.round += 1;
        state.story.push(next);
        self.changed.notify_all();
    }
}

/// What an actor did, as far as it was told.
enum Deed {
    Saved(Origin, Result<ManifestId>),
    Collected(Result<Collected>),
    /// Whether the first manifest was said to be back at the end.
    Back(bool),
    Restored(bool),
}

type Act = Box<dyn FnOnce(&Repository) -> Deed + Send>;

/// Runs the acts at once on one store, each dying after so many calls if it has a number.
fn run(store: &Store, seed: u64, acts: Vec<(Option<u64>, Act)>) -> Vec<Deed> {
    let turnstile = Turnstile::new(seed, acts.len());
    let threads = acts.into_iter().enumerate().map(|(actor, (dies, act))| {
        let turnstile = Arc::clone(&turnstile);
        let faults = Faults::new();
        let repository = open(&faults.wrap(store));
        let gate = Arc::clone(&turnstile);
        faults.add(
            Rule::any(),
            Fault::Before(Arc::new(move || gate.pass(actor))),
        );
        if let Some(calls) = dies {
            faults.stop_after(calls);
        }
        thread::spawn(move || {
            let deed = catch_unwind(AssertUnwindSafe(|| act(&repository)));
            turnstile.leave(actor);
            deed
        })
    });
    let threads: Vec<_> = threads.collect();
    threads
        .into_iter()
        .map(|thread| {
            thread
                .join()
                .unwrap()
                .unwrap_or_else(|panic| resume_unwind(panic))
        })
        .collect()
}

fn collecting(fencing: Fencing, seed: u64) -> Act {
    Box::new(move |repository| {
        let options = CollectOptions {
            fencing,
            ..CollectOptions::default()
        };
        Deed::Collected(collect(
            repository,
            &options,
            &Progress::default(),
            &entropy(seed),
        ))
    })
}

fn saving(tree: &Tree, previous: Option<ManifestId>, seed: u64) -> Act {
    let tree = tree.clone();
    Box::new(move |repository| {
        let saved = save(repository, &tree, previous, seed);
        Deed::Saved(Origin::Tree(tree), saved)
    })
}

/// Forgets and brings back, and ends with either.
fn wavering(id: ManifestId, seed: u64) -> Act {
    Box::new(move |repository| {
        let forget = |n| repository.forget(&id, &*entropy(seed + n));
        let restore = |n| repository.restore_forgotten(&id, &*entropy(seed + n));
        let _first = forget(1).and_then(|()| restore(2));
        let _second = forget(3);
        let back = !seed.is_multiple_of(3) && restore(4).is_ok();
        Deed::Back(back)
    })
}

fn restoring(id: ManifestId, origin: &Origin) -> Act {
    let origin = origin.clone();
    Box::new(move |repository| Deed::Restored(comes_back(repository, &id, &origin)))
}

/// How much came to a good end over many schedules: an exploration in which all fails shows
/// nothing.
#[derive(Default, Debug)]
struct Tally {
    saved: u32,
    collected: u32,
    removed: u64,
    restored: u32,
    back: u32,
    refused: u32,
}

/// One schedule: everybody at once, then the judgement.
fn explore(base: &Store, first: (ManifestId, &Tree), kept: &Saves, seed: u64, tally: &mut Tally) {
    let store = copy(base);
    let mut dice = Dice::new(seed);
    let fencing = |dice: &mut Dice| {
        if dice.below(2) == 0 {
            Fencing::All
        } else {
            Fencing::SurelyGone
        }
    };
    let (id, tree) = first;
    let (kept_id, kept_origin) = kept.first_key_value().unwrap();
    let (a, b) = (fencing(&mut dice), fencing(&mut dice));
    let mut acts = vec![
        saving(&changed(tree, seed % 5), Some(id), seed + 100),
        saving(tree, None, seed + 200),
        collecting(a, seed + 300),
        collecting(b, seed + 400),
        wavering(id, seed + 500),
        restoring(*kept_id, kept_origin),
    ];
    acts.truncate(if dice.below(3) == 0 { 6 } else { 5 });
    let dying = (dice.below(2) == 0).then(|| dice.below(4));
    let acts = acts.into_iter().enumerate().map(|(actor, act)| {
        let dies = dying == Some(actor as u64);
        (dies.then(|| 1 + dice.below(40)), act)
    });
    let deeds = run(&store, seed, acts.collect());
    judge(&store, first, kept, deeds, seed, tally);
}

fn judge(
    store: &Store,
    first: (ManifestId, &Tree),
    kept: &Saves,
    deeds: Vec<Deed>,
    seed: u64,
    tally: &mut Tally,
) {
    let mut promised = kept.clone();
    for deed in deeds {
        match deed {
            Deed::Saved(origin, Ok(id)) => {
                tally.saved += 1;
                promised.insert(id, origin);
            }
            Deed::Collected(Ok(collected)) => {
                tally.collected += 1;
                tally.removed += collected.packs_removed;
            }
            Deed::Saved(_, Err(_)) | Deed::Collected(Err(_)) => tally.refused += 1,
            Deed::Restored(whole) => {
                assert!(
                    whole,
                    "seed {seed}: a restore failed that nothing threatened"
                );
                tally.restored += 1;
            }
            Deed::Back(true) => {
                tally.back += 1;
                promised.insert(first.0, Origin::Tree(first.1.clone()));
            }
            Deed::Back(false) => {}
        }
    }
    let all_come_back = |when: &str| {
        let repository = open(store);
        for (id, origin) in &promised {
            assert!(
                comes_back(&repository, id, origin),
                "seed {seed}, {when}: {id} is lost"
            );
        }
    };
    all_come_back("after the race");
    for round in 0..2 {
        let options = CollectOptions {
            fencing: Fencing::All,
            ..CollectOptions::default()
        };
        let rest = entropy(seed + 600 + round);
        let collected = collect(&open(store), &options, &Progress::default(), &rest);
        collected.unwrap_or_else(|error| panic!("seed {seed}: a collection alone: {error:?}"));
    }
    all_come_back("after it was collected");
    assert_sound(&open(store), &promised);
}

fn explore_seeds(seeds: std::ops::Range<u64>) -> Tally {
    let base = memory();
    let repository = create(&base);
    let (old, other) = (Tree::random(1, &SMALL), Tree::random(2, &SMALL));
    let id = save(&repository, &old, None, 11).unwrap();
    let kept_id = save(&repository, &other, None, 12).unwrap();
    let kept = Saves::from([(kept_id, Origin::Tree(other))]);
    let mut tally = Tally::default();
    for seed in seeds {
        explore(&base, (id, &old), &kept, seed * 1009, &mut tally);
    }
    println!("{tally:?}");
    tally
}

#[test]
fn whatever_the_order_of_their_calls_what_was_acknowledged_restores() {
    let tally = explore_seeds(0..150);
    let moved = tally.saved > 50 && tally.collected > 50 && tally.restored > 10;
    assert!(moved && tally.removed > 5, "{tally:?}");
}

#[test]
#[ignore = "nightly: thousands of schedules"]
fn whatever_the_order_of_their_calls_what_was_acknowledged_restores_at_length() {
    explore_seeds(1000..9000);
}
