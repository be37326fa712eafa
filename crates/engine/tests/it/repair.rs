//! Repair: everything that redundancy covers comes back, nothing that could be read before is
//! lost, an interrupted repair is finished by the next, and the second finds nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_engine::{
    ChunkId, Error, ManifestId, PackId, Repository, Result, Stream,
    check::Depth,
    layout::Object,
    quarantine::Reason,
    repair::{self, Plan, RepairOptions, Step},
    tree::{Progress, Reached, Visit, Visitor, reach},
};
use strongroom_store::{
    Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::dice::Dice;

use crate::{
    scene::{alter, entropy, keys, memory, open, replace},
    world::{Origin, Saves, checked, collect_now, comes_back, copy, save, save_disk, world},
};

fn options(mirrors: &[Repository]) -> RepairOptions<'_> {
    RepairOptions {
        mirrors,
        depth: Depth::AllBytes,
        ..RepairOptions::default()
    }
}

fn plan(store: &Store, mirrors: &[Repository]) -> Plan {
    repair::plan(&open(store), &options(mirrors), &Progress::default()).unwrap()
}

fn repair(repository: &Repository, mirrors: &[Repository], seed: u64) -> Result<Plan> {
    let (options, progress) = (options(mirrors), Progress::default());
    let plan = repair::plan(repository, &options, &progress)?;
    plan.execute(repository, &options, &progress, &entropy(seed))?;
    Ok(plan)
}

/// What each manifest needs, learned while all is well.
type Needs = BTreeMap<ManifestId, Vec<Reached>>;

struct Collecting(Vec<Reached>);

impl Visitor for Collecting {
    fn reach(&mut self, reached: Reached) -> Result<Visit> {
        self.0.push(reached);
        Ok(Visit::Descend)
    }

    fn lose(&mut self, _: ChunkId, error: Error) -> Result<()> {
        Err(error)
    }
}

fn needs(repository: &Repository) -> Needs {
    let reader = repository.reader();
    let of = |id: &ManifestId| {
        let mut collecting = Collecting(Vec::new());
        reach(&reader, &repository.manifest(id).unwrap(), &mut collecting).unwrap();
        collecting.0
    };
    let names = repository.manifest_names().unwrap();
    names.iter().map(|id| (*id, of(id))).collect()
}

/// Everything that can be read now: manifests, and the chunks that any of them needs.
fn readable(repository: &Repository, needs: &Needs) -> BTreeSet<String> {
    let reader = repository.reader();
    let mut readable = BTreeSet::new();
    let mut tried = BTreeSet::new();
    for (id, reached) in needs {
        if repository.manifest(id).is_ok() {
            readable.insert(id.to_string());
        }
        for Reached { id, stream } in reached {
            if tried.insert(*id) && reader.read(*stream, id).is_ok() {
                readable.insert(id.to_string());
            }
        }
    }
    readable
}

/// Damages some objects at random.
fn harm(store: &Store, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let prefix = *dice.pick(&[
            "packs/",
            "packs/",
            "packs/",
            "index/",
            "index/",
            "manifests/",
            "quarantine/",
            "forgotten/",
            "leases/",
        ]);
        let found = keys(store, prefix);
        if found.is_empty() {
            continue;
        }
        let key = dice.pick(&found).clone();
        let length = store.get(&key).unwrap().len() as u64;
        let at = usize::try_from(dice.below(length.max(1))).unwrap();
        match dice.below(6) {
            0 => store.delete(&key).unwrap(),
            1 => alter(store, &key, |bytes| bytes.truncate(at)),
            2 => alter(store, &key, |bytes| bytes.push(7)),
            3 => alter(store, &key, |bytes| {
                let end = (at + 500).min(bytes.len());
                bytes[at..end].fill(0);
            }),
            4 => {
                let other = store.get(dice.pick(&found)).unwrap();
                replace(store, &key, &other);
            }
            _ => alter(store, &key, |bytes| {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (at % 8);
                }
            }),
        }
    }
}

/// A world with a forgotten manifest and a quarantine that waits for a writer.
fn scene() -> (Store, Saves, Needs) {
    let store = memory();
    let (repository, saves) = world(&store);
    let needs = needs(&repository);
    let extra = crate::scene::save(&repository, 90, 0..4).unwrap();
    repository.forget(&extra, &*entropy(91)).unwrap();
    let last = *saves.last_key_value().unwrap().0;
    repository.forget(&last, &*entropy(92)).unwrap();
    let writer = repository
        .writer(crate::scene::options(), entropy(93))
        .unwrap();
    collect_now(&repository, 94).unwrap();
    repository.restore_forgotten(&last, &*entropy(95)).unwrap();
    writer.abandon();
    (store, saves, needs)
}

#[test]
fn a_repair_of_a_sound_repository_does_nothing() {
    let (store, ..) = scene();
    let before = keys(&store, "");
    let plan = repair(&open(&store), &[], 1).unwrap();
    assert!(plan.is_empty() && plan.unhealed.is_empty(), "{plan:?}");
    assert_eq!(keys(&store, ""), before);
}

/// Borg#3444 dropped valid items: here nothing that could be read is ever lost.
#[test]
fn a_repair_never_reduces_what_can_be_read_and_a_second_one_does_nothing() {
    let (pristine, _, needs) = scene();
    for seed in 0..250 {
        let store = copy(&pristine);
        harm(&store, &mut Dice::new(seed));
        let before = readable(&open(&store), &needs);
        let planned = plan(&store, &[]);
        let done = repair(&open(&store), &[], 1000 + seed);
        // A quarantine record that cannot be read keeps writers out until it is replaced.
        let barred = open(&store).quarantines().is_err();
        assert!(done.is_ok() || barred, "seed {seed}: {done:?}");
        let after = readable(&open(&store), &needs);
        let lost: Vec<_> = before.difference(&after).collect();
        assert!(lost.is_empty(), "seed {seed}: {planned:?} lost {lost:?}");
        if let Ok(done) = done {
            assert_eq!(done.steps, planned.steps, "seed {seed}");
            let second = plan(&store, &[]);
            assert!(second.is_empty(), "seed {seed}: {:?}", second.steps);
            // What nobody names any more cannot be told again.
            assert!(second.unhealed.len() <= done.unhealed.len(), "seed {seed}");
        }
    }
}

#[test]
fn everything_comes_back_from_a_mirror_whatever_is_damaged() {
    let (pristine, saves, needs) = scene();
    let mirrors = [open(&copy(&pristine))];
    let whole = readable(&mirrors[0], &needs);
    for seed in 300..420 {
        let store = copy(&pristine);
        harm(&store, &mut Dice::new(seed));
        let names = open(&store).manifest_names().unwrap();
        repair(&open(&store), &mirrors, seed).unwrap_or_else(|error| panic!("{seed}: {error:?}"));
        let repository = open(&store);
        let gone = |id: &&String| saves.keys().any(|save| save.to_string() == **id);
        let missing: Vec<_> = whole
            .difference(&readable(&repository, &needs))
            .filter(|id| !gone(id))
            .cloned()
            .collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?}");
        for (id, origin) in saves.iter().filter(|(id, _)| names.contains(id)) {
            assert!(comes_back(&repository, id, origin), "seed {seed}: {id}");
        }
        assert!(plan(&store, &mirrors).is_empty(), "seed {seed}");
    }
}

#[test]
fn a_repair_that_is_interrupted_anywhere_is_finished_by_the_next() {
    let (pristine, saves, needs) = scene();
    let mirrors = [open(&copy(&pristine))];
    let harmed = copy(&pristine);
    let packs = keys(&harmed, "packs/");
    alter(&harmed, &packs[0], |bytes| bytes[150] ^= 1);
    harmed.delete(&packs[packs.len() / 2]).unwrap();
    let runs = keys(&harmed, "index/");
    alter(&harmed, &runs[0], |bytes| bytes[150] ^= 1);
    let manifest = Object::Manifest(*saves.first_key_value().unwrap().0);
    alter(&harmed, &manifest.key(), |bytes| bytes[100] ^= 1);
    let counting = Faults::new();
    let store = counting.wrap(&copy(&harmed));
    let repository = open(&store);
    let opening = counting.calls();
    let steps = repair(&repository, &mirrors, 7).unwrap().steps;
    assert!(
        steps
            .iter()
            .any(|step| matches!(step, Step::Replace { .. }))
    );
    let calls = counting.calls() - opening;
    for n in (1..=calls).filter(|n| calls - n < 90 || n % 7 == 0) {
        for lost in [false, true] {
            let inner = copy(&harmed);
            let faults = Faults::new();
            let repository = open(&faults.wrap(&inner));
            let before = readable(&open(&inner), &needs);
            if lost {
                let reply = Fault::LoseReply(strongroom_store::ErrorKind::Unavailable);
                faults.add(Rule::call(faults.calls() + n), reply);
            } else {
                faults.stop_after(n - 1);
            }
            // That it failed is what the second one is for.
            let _ = repair(&repository, &mirrors, 8);
            faults.heal();
            let between = readable(&open(&inner), &needs);
            let lost: Vec<_> = before.difference(&between).collect();
            assert!(lost.is_empty(), "call {n}: {lost:?}");
            repair(&open(&inner), &mirrors, 9).unwrap();
            for (id, origin) in &saves {
                assert!(comes_back(&open(&inner), id, origin), "call {n}");
            }
            assert!(plan(&inner, &mirrors).is_empty(), "call {n}");
        }
    }
}

#[test]
fn an_index_that_is_gone_is_made_again_from_the_packs() {
    let (store, saves, _) = scene();
    for run in keys(&store, "index/") {
        store.delete(&run).unwrap();
    }
    assert!(!comes_back(
        &open(&store),
        saves.first_key_value().unwrap().0,
        saves.first_key_value().unwrap().1
    ));
    let plan = repair(&open(&store), &[], 1).unwrap();
    assert!(matches!(plan.steps.as_slice(), [Step::Index { .. }]));
    for (id, origin) in &saves {
        assert!(comes_back(&open(&store), id, origin), "{id}");
    }
    let checked = checked(&open(&store), &saves).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
}

/// The pack with the most segments, so that one of them can rot alone.
fn largest(store: &Store, stream: Stream) -> PackId {
    let repository = open(store);
    let mut packs = Vec::new();
    repository.packs(&mut |id, _| packs.push(id)).unwrap();
    packs.retain(|id| repository.pack_directory(*id).unwrap().stream() == stream);
    let segments = |id: &PackId| repository.pack_directory(*id).unwrap().segments().len();
    packs.into_iter().max_by_key(segments).unwrap()
}

/// Longhorn#1385: a pack that was found damaged poisons no later save.
#[test]
fn after_a_repair_a_new_save_stores_what_is_lost_and_a_collection_removes_the_damaged_pack() {
    for stream in [Stream::Data, Stream::Tree] {
        let store = memory();
        let (_, saves) = world(&store);
        let pack = largest(&store, stream);
        alter(&store, &Object::Pack(pack).key(), |bytes| bytes[150] ^= 1);
        let plan = repair(&open(&store), &[], 1).unwrap();
        assert_eq!(plan.unhealed.len(), 1);
        let repository = open(&store);
        let quarantines = repository.quarantines().unwrap();
        assert!(
            quarantines
                .iter()
                .all(|each| each.reason == Reason::Damaged)
        );
        let mut again = Saves::new();
        for (seed, (id, origin)) in (50..).zip(&saves) {
            let saved = match origin {
                Origin::Tree(tree) => save(&open(&store), tree, Some(*id), seed),
                Origin::Disk(disk) => save_disk(&open(&store), disk, seed),
            };
            again.insert(saved.unwrap(), origin.clone());
        }
        // Equal content has equal chunks: the old manifests are whole again, too.
        for (id, origin) in saves.iter().chain(&again) {
            assert!(comes_back(&open(&store), id, origin), "{stream}: {id}");
        }
        let sound = checked(&open(&store), &saves).unwrap();
        assert!(sound.findings.is_empty(), "{:?}", sound.findings);
        collect_now(&open(&store), 70).unwrap();
        let repository = open(&store);
        assert!(repository.quarantines().unwrap().is_empty());
        assert!(matches!(
            repository.pack_bytes(pack),
            Err(Error::Damaged { .. })
        ));
        let sound = checked(&repository, &saves).unwrap();
        assert!(sound.findings.is_empty(), "{:?}", sound.findings);
    }
}

#[test]
fn a_damaged_pack_stays_in_quarantine_as_long_as_something_of_it_is_lost() {
    let store = memory();
    let (_, saves) = world(&store);
    let pack = largest(&store, Stream::Data);
    alter(&store, &Object::Pack(pack).key(), |bytes| bytes[150] ^= 1);
    repair(&open(&store), &[], 1).unwrap();
    let found = checked(&open(&store), &saves).unwrap().findings;
    assert!(!found.is_empty());
    for finding in &found {
        assert!(
            matches!(&finding.error, Error::ChunkLost { pack: lost, .. } if *lost == pack),
            "{found:?}"
        );
    }
    for seed in [2, 3] {
        collect_now(&open(&store), seed).unwrap();
        assert_eq!(open(&store).quarantines().unwrap().len(), 1);
        assert!(open(&store).pack_bytes(pack).is_ok());
    }
}

/// The run that names a forgotten manifest's packs is lost, the manifest is brought back, and a
/// quarantine of these packs stands.
#[test]
fn a_sweep_keeps_packs_that_are_needed_although_the_index_has_lost_them() {
    let (store, saves, _) = scene();
    for run in keys(&store, "index/") {
        alter(&store, &run, |bytes| *bytes.last_mut().unwrap() ^= 1);
    }
    let packs = keys(&store, "packs/");
    // It may refuse; it may not remove.
    let _ = collect_now(&open(&store), 5);
    assert_eq!(keys(&store, "packs/"), packs);
    for run in keys(&store, "index/") {
        store.delete(&run).unwrap();
    }
    let _ = collect_now(&open(&store), 6);
    repair(&open(&store), &[], 7).unwrap();
    for (id, origin) in &saves {
        assert!(comes_back(&open(&store), id, origin), "{id}");
    }
}
