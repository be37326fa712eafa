//! Every operation on a store that fails, lies or is slow at any of its calls.
//!
//! One fault befalls one call: it is refused, its answer is lost, it is done later than anybody
//! waits, it is torn, its listing is stale, incomplete or breaks off, or the store is gone from
//! then on. Whatever the operation says then: everything that was acknowledged comes back, what it
//! acknowledges itself holds, the repository checks, and the same operation succeeds on a store
//! that works again.

use strongroom_engine::{
    ManifestId, Repository, Result, Unlock,
    check::Depth,
    copy::{CopyOptions, copy as copy_manifests, create_mirror},
    repair::{self, RepairOptions},
    tree::Progress,
};
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::{
    image,
    tree::{Shape, Tree},
};

use crate::{
    scene::{KEY, create, entropy, keys, memory, open, options, replace, small},
    world::{
        Origin, Saves, assert_all_come_back, assert_sound, changed, checked, collect_now,
        comes_back, copy, save, save_disk,
    },
};

/// So many calls of each operation are struck in every run; all of them at night.
const STRUCK: u64 = 6;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Act {
    SaveTree,
    SaveVolume,
    Restore,
    Forget,
    BringBack,
    Collect,
    Copy,
    CopyToMirror,
    Repair,
    Check,
}

const ACTS: [Act; 10] = [
    Act::SaveTree,
    Act::SaveVolume,
    Act::Restore,
    Act::Forget,
    Act::BringBack,
    Act::Collect,
    Act::Copy,
    Act::CopyToMirror,
    Act::Repair,
    Act::Check,
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Trouble {
    Refused,
    Full,
    ReplyLost,
    Late,
    Torn,
    Stale,
    Incomplete,
    BrokenOff,
    Gone,
}

const TROUBLES: [Trouble; 9] = [
    Trouble::Refused,
    Trouble::Full,
    Trouble::ReplyLost,
    Trouble::Late,
    Trouble::Torn,
    Trouble::Stale,
    Trouble::Incomplete,
    Trouble::BrokenOff,
    Trouble::Gone,
];

impl Trouble {
    /// Lets call `n` from now on go wrong.
    fn strike(self, faults: &Faults, n: u64) {
        let report = ErrorKind::Unavailable;
        let fault = match self {
            Self::Refused => Fault::Refuse(report),
            Self::Full => Fault::Refuse(ErrorKind::NoSpace),
            Self::ReplyLost => Fault::LoseReply(report),
            Self::Late => Fault::Late { after: 2, report },
            Self::Torn => Fault::TearWrite {
                keep: 100,
                report: Some(report),
            },
            Self::Stale => Fault::StaleList { newest: 2 },
            Self::Incomplete => Fault::OmitListed { skip: 0, count: 2 },
            Self::BrokenOff => Fault::BreakOff { after: 1, report },
            Self::Gone => return faults.stop_after(n - 1),
        };
        faults.add(Rule::call(faults.calls() + n), fault);
    }
}

/// A repository before the act, and what must come back whatever happens.
struct Stage {
    store: Store,
    /// What a copy goes to, or a repair takes from.
    other: Store,
    saves: Saves,
    /// What the act is about; it is none of `saves`.
    subject: Option<(ManifestId, Origin)>,
}

fn shape() -> Shape {
    Shape {
        entries: 10,
        file_bytes: 25_000,
        ..Shape::default()
    }
}

/// What the acts that save save.
fn next_tree() -> Tree {
    changed(&Tree::random(61, &shape()), 62)
}

impl Stage {
    fn set(act: Act) -> Self {
        let (store, other) = (memory(), memory());
        let repository = create(&store);
        let (tree, disk) = (Tree::random(61, &shape()), image::random(63, 300 << 10));
        let first = save(&repository, &tree, None, 64).unwrap();
        let second = save_disk(&repository, &disk, 65).unwrap();
        let mut saves = Saves::from([(first, Origin::Tree(tree)), (second, Origin::Disk(disk))]);
        let mut subject = None;
        match act {
            Act::Forget | Act::BringBack | Act::Collect => {
                let tree = Tree::random(66, &shape());
                let third = save(&repository, &tree, None, 67).unwrap();
                subject = Some((third, Origin::Tree(tree)));
                if act != Act::Forget {
                    repository.forget(&third, &*entropy(68)).unwrap();
                }
            }
            Act::Copy => {
                Repository::create(other.clone(), &Unlock::Key(KEY), small(), &*entropy(69))
                    .unwrap();
            }
            Act::CopyToMirror => create_mirror(&repository, &other).unwrap(),
            Act::Repair => {
                create_mirror(&repository, &other).unwrap();
                copy_all(&repository, &open(&other), 70).unwrap();
                let pack = keys(&store, "packs/").remove(0);
                let mut bytes = store.get(&pack).unwrap().to_vec();
                bytes[120] ^= 1;
                replace(&store, &pack, &bytes);
                // Until the repair nothing is promised.
                saves.clear();
            }
            Act::SaveTree | Act::SaveVolume | Act::Restore | Act::Check => {}
        }
        Self {
            store,
            other,
            saves,
            subject,
        }
    }

    /// The same with stores of its own.
    fn again(&self) -> Self {
        Self {
            store: copy(&self.store),
            other: copy(&self.other),
            saves: self.saves.clone(),
            subject: self.subject.clone(),
        }
    }

    /// The store whose calls go wrong.
    fn struck(&mut self, act: Act) -> &mut Store {
        match act {
            Act::Copy | Act::CopyToMirror => &mut self.other,
            _ => &mut self.store,
        }
    }

    /// Does it; returns what it says was saved.
    fn run(&self, act: Act, seed: u64) -> Result<Saves> {
        let repository = Repository::open(self.store.clone(), &Unlock::Key(KEY))?;
        let mut saved = Saves::new();
        match act {
            Act::SaveTree => {
                let previous = self
                    .saves
                    .iter()
                    .find_map(|(id, origin)| matches!(origin, Origin::Tree(_)).then_some(*id));
                let id = save(&repository, &next_tree(), previous, seed)?;
                saved.insert(id, Origin::Tree(next_tree()));
            }
            Act::SaveVolume => {
                let disk = image::random(71, 200 << 10);
                let id = save_disk(&repository, &disk, seed)?;
                saved.insert(id, Origin::Disk(disk));
            }
            // Asserts that what is called complete is what was saved.
            Act::Restore => {
                for (id, origin) in &self.saves {
                    comes_back(&repository, id, origin);
                }
            }
            Act::Forget => repository.forget(&self.subject(), &*entropy(seed))?,
            Act::BringBack => {
                repository.restore_forgotten(&self.subject(), &*entropy(seed))?;
                saved.extend(self.subject.clone());
            }
            Act::Collect => drop(collect_now(&repository, seed)?),
            Act::Copy | Act::CopyToMirror => {
                let dest = Repository::open(self.other.clone(), &Unlock::Key(KEY))?;
                copy_all(&repository, &dest, seed)?;
            }
            Act::Repair => {
                let mirrors = [open(&self.other)];
                let wanted = RepairOptions {
                    mirrors: &mirrors,
                    depth: Depth::AllBytes,
                    ..RepairOptions::default()
                };
                let progress = Progress::default();
                let plan = repair::plan(&repository, &wanted, &progress)?;
                plan.execute(&repository, &wanted, &progress, &entropy(seed))?;
            }
            Act::Check => drop(checked(&repository, &self.saves)?),
        }
        Ok(saved)
    }

    fn subject(&self) -> ManifestId {
        self.subject.as_ref().unwrap().0
    }
}

/// Copies all manifests; what failed is an error.
fn copy_all(source: &Repository, dest: &Repository, seed: u64) -> Result<()> {
    let progress = Progress::default();
    let wanted = CopyOptions {
        manifests: &[],
        writer: options(),
        progress: &progress,
        entropy: entropy(seed),
        labels: None,
    };
    let copied = copy_manifests(source, dest, &wanted)?;
    copied
        .failed
        .into_iter()
        .try_for_each(|(_, error)| Err(error))
}

/// Strikes call `n` of the act, and judges.
fn strike(stage: &Stage, act: Act, trouble: Trouble, n: u64) {
    let what = format!("{act:?}, {trouble:?} at call {n}");
    println!("{what}");
    let mut stage = stage.again();
    let whole = stage.struck(act).clone();
    let faults = Faults::new();
    *stage.struck(act) = faults.wrap(&whole);
    trouble.strike(&faults, n);
    let said = stage.run(act, 80);
    faults.heal();
    *stage.struck(act) = whole;
    assert_all_come_back(&open(&stage.store), &stage.saves);
    if let Ok(saved) = &said {
        assert_all_come_back(&open(&stage.store), saved);
        stage.saves.extend(saved.clone());
    }
    if trouble == Trouble::Torn {
        // Half an object under its name is more than a store that keeps its contract does. What is
        // in the way of others is what repairs are for, without a mirror if need be.
        let wanted = RepairOptions::default();
        let progress = Progress::default();
        for store in [&stage.store, &stage.other] {
            if keys(store, "format").is_empty() {
                continue;
            }
            let repository = open(store);
            let plan = repair::plan(&repository, &wanted, &progress).unwrap();
            plan.execute(&repository, &wanted, &progress, &entropy(90))
                .unwrap();
        }
        assert_all_come_back(&open(&stage.store), &stage.saves);
        return;
    }
    match stage.run(act, 81) {
        Ok(saved) => stage.saves.extend(saved),
        Err(error) => panic!("{what}: {error:?}"),
    }
    assert_all_come_back(&open(&stage.store), &stage.saves);
    assert_sound(&open(&stage.store), &stage.saves);
    if matches!(act, Act::Copy | Act::CopyToMirror) {
        assert_sound(&open(&stage.other), &Saves::new());
        let copies = open(&stage.other).manifests().unwrap().len();
        assert!(copies >= stage.saves.len(), "{what}: {copies} copies");
    }
}

fn strike_all(at_most: u64) {
    for act in ACTS {
        let stage = Stage::set(act);
        let mut trial = stage.again();
        let faults = Faults::new();
        let whole = trial.struck(act).clone();
        *trial.struck(act) = faults.wrap(&whole);
        trial.run(act, 80).unwrap();
        let calls = faults.calls();
        assert!(calls > 2, "{act:?} makes {calls} calls");
        for (turn, trouble) in (0..).zip(TROUBLES) {
            let step = calls.div_ceil(at_most).max(1);
            // Another offset for each trouble, so that all calls have their turn.
            for n in (1 + turn % step..=calls).step_by(usize::try_from(step).unwrap()) {
                strike(&stage, act, trouble, n);
            }
        }
    }
}

#[test]
fn a_fault_at_any_call_of_any_operation_loses_nothing_and_the_next_run_succeeds() {
    strike_all(STRUCK);
}

#[test]
#[ignore = "nightly: every call of every operation with every fault"]
fn a_fault_at_every_call_of_every_operation_loses_nothing() {
    strike_all(u64::MAX);
}

#[test]
fn a_write_that_arrives_after_it_was_given_up_does_no_harm() {
    let store = memory();
    let repository = create(&store);
    let faults = Faults::new();
    let slow = open(&faults.wrap(&store));
    let tree = Tree::random(61, &shape());
    let late = Fault::Late {
        after: 1_000_000,
        report: ErrorKind::Unavailable,
    };
    faults.add(Rule::on(Operation::CreateNew).under("manifests/"), late);
    save(&slow, &tree, None, 91).unwrap_err();
    assert!(repository.manifests().unwrap().is_empty());
    // The commit arrives, after the writer gave up and before its fence does.
    faults.heal();
    let manifests = open(&store).manifests().unwrap();
    assert_eq!(manifests.len(), 1);
    assert!(comes_back(
        &open(&store),
        &manifests[0],
        &Origin::Tree(tree)
    ));
}
