//! The protocol of writers, collectors and forgetting, without bytes: small enough that every
//! order of its steps, and every crash, is visited.
//!
//! The model says what docs/format.md says ("Leases, fences and the commit", "Quarantine and
//! sweep"), one step for each call to the store. It proves the rules, not the code; `interleave`
//! drives the code. To know that the model can see a loss, each rule is taken away in turn, and
//! the exploration must find one.
//!
//! A copy to another repository is a writer there; where it comes from, it reads like a restore.

mod collector;
mod explorer;
mod rules;
mod store;
mod writer;

use self::{
    collector::Collector,
    explorer::{Explored, Forgetter, Wish, World, explore},
    rules::{Rule, Rules},
    store::{Act, Quarantine},
    writer::Writer,
};

const FORGET: &[Wish] = &[Wish::Forget(0, 0)];
const CHANGE_OF_MIND: &[Wish] = &[Wish::Forget(0, 0), Wish::Restore(0), Wish::Forget(0, 1)];

/// Two manifests, one pack and one chunk each; nobody there.
fn plain() -> World {
    World::new([0b01, 0b10], [0b01, 0b10])
}

fn two_writers(rules: Rules) -> World {
    let mut world = plain();
    world
        .writers
        .push(Some(Writer::new(0, 0b101, Some(0), rules)));
    world
        .writers
        .push(Some(Writer::new(1, 0b001, Some(0), rules)));
    world.collectors.push(Some(Collector::new(0)));
    world.forgetter = Forgetter::new(FORGET);
    world.fences = true;
    world
}

fn one_writer(rules: Rules) -> World {
    World {
        writers: vec![Some(Writer::new(0, 0b101, Some(0), rules))],
        crashes: 1,
        ..two_writers(rules)
    }
}

fn two_collectors(rules: Rules) -> World {
    let mut world = plain();
    world
        .writers
        .push(Some(Writer::new(0, 0b001, Some(0), rules)));
    world
        .collectors
        .extend([Some(Collector::new(0)), Some(Collector::new(1))]);
    world.forgetter = Forgetter::new(FORGET);
    world
}

fn change_of_mind(rules: Rules) -> World {
    World {
        forgetter: Forgetter::new(CHANGE_OF_MIND),
        ..two_collectors(rules)
    }
}

fn crashed_collector(rules: Rules) -> World {
    World {
        crashes: 1,
        ..two_collectors(rules)
    }
}

fn fenced(rules: Rules) -> World {
    World {
        fences: true,
        ..change_of_mind(rules)
    }
}

/// One chunk in two packs, each of which holds something that goes: each collector would leave
/// it to the other's pack.
fn sparse(rules: Rules) -> World {
    let mut world = World::new([0b011, 0b110], [0b101, 0b010]);
    world
        .writers
        .push(Some(Writer::new(0, 0b010, Some(1), rules)));
    world.collectors.push(Some(Collector::new(0)));
    world.forgetter = Forgetter::new(CHANGE_OF_MIND);
    world.crashes = 1;
    world
}

fn two_sparse(rules: Rules) -> World {
    let mut world = sparse(rules);
    world.collectors.push(Some(Collector::new(1)));
    world.crashes = 0;
    world
}

/// Both packs hold the chunk of a forgotten manifest. One is in quarantine already, and while that
/// is swept, another collector that began earlier condemns the other; then the manifest comes back.
fn contested(rules: Rules) -> World {
    let mut world = World::new([0b1, 0b1], [0b1, 0]);
    world.store.acts[0][0] = Act::Undecided;
    world.store.quarantines[3] = Quarantine {
        record: true,
        packs: 0b10,
        ..Quarantine::default()
    };
    world.writers.push(Some(Writer::new(0, 0b1, None, rules)));
    world
        .collectors
        .extend([Some(Collector::marking(0)), Some(Collector::new(1))]);
    world.forgetter = Forgetter::new(&[Wish::Restore(0)]);
    world
}

/// The same with one pack, and a writer who is given up while he stores the chunk anew.
fn contested_and_fenced(rules: Rules) -> World {
    let mut world = contested(rules);
    world.store.contents[0] = 0;
    world.fences = true;
    world
}

/// The world in which a loss is found soonest without the rule.
fn world_without(rule: Rule) -> World {
    let world = match rule {
        Rule::TakenOverIsLookedUp | Rule::OutcomeIsDecided | Rule::RecordOutlivesDecision => {
            change_of_mind
        }
        Rule::SecondLookShunsQuarantines => contested,
        Rule::SecondLookAsksThePacks => contested_and_fenced,
        Rule::LastWordBeforeSweep => change_of_mind,
        Rule::LeaseBeforeQuarantines
        | Rule::WritersShunQuarantines
        | Rule::CommitIsConditional
        | Rule::RecordBeforeWaits
        | Rule::SweepWaits
        | Rule::FenceBeforeRelease
        | Rule::SecondLook
        | Rule::LiftComesLast => two_writers,
    };
    world(Rules::without(rule))
}

fn assert_good(world: World) {
    let explored = explore(world, Rules::ALL);
    println!("{explored:?}");
    assert!(explored.counterexample.is_none(), "{explored:?}");
    assert!(explored.states > 1000, "the world does not move");
}

#[test]
fn a_collector_among_writers_loses_nothing_in_any_order() {
    assert_good(two_writers(Rules::ALL));
}

#[test]
fn a_writer_or_a_collector_that_dies_anywhere_costs_nothing() {
    assert_good(one_writer(Rules::ALL));
}

#[test]
fn chunks_that_are_written_anew_are_never_between_two_places() {
    assert_good(sparse(Rules::ALL));
}

#[test]
fn two_collectors_do_not_rely_on_each_others_packs() {
    assert_good(two_collectors(Rules::ALL));
    assert_good(contested(Rules::ALL));
}

#[test]
#[ignore = "nightly: millions of states"]
fn many_at_once_lose_nothing_in_any_order() {
    for world in [
        contested_and_fenced,
        change_of_mind,
        crashed_collector,
        fenced,
        two_sparse,
    ] {
        assert_good(world(Rules::ALL));
    }
}

#[test]
fn without_any_one_of_the_rules_something_is_lost() {
    for rule in Rule::ALL {
        let Explored {
            states,
            counterexample,
        } = explore(world_without(rule), Rules::without(rule));
        let Some((moves, wrong)) = counterexample else {
            panic!("{rule:?} may be broken and nobody notices in {states} states");
        };
        println!(
            "{rule:?}: {wrong} after {} moves, in {states} states",
            moves.len()
        );
    }
}
