//! Ten thousand resources that fall due at once: what a round costs is bounded and counted, and
//! what one leaves the next does.

use strongroom_catalog::ResourceRow;
use strongroom_control::{
    Control,
    backups::BackupFilter,
    policies::{NewPolicy, VaultPolicy},
    schedule::Round,
    vaults::{AddedResource, NewVault},
    words::ObjectType,
};
use strongroom_model::{Bytes, Clock as _, GiB, ResourceId, ResourceKind};

use crate::world::World;

const VAULTS: u64 = 50;
const IN_EACH: u64 = 200;
const ALL: u64 = VAULTS * IN_EACH;
/// What one round may order: its limit, and the last vault that it began with.
const ROUND_MAX: u64 = 2000 + IN_EACH;

/// Ten thousand resources in fifty vaults that follow one policy.
fn crowd(world: &World) {
    let project_id = world.alice.project_id.unwrap();
    let policy = NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"]);
    let policy = world.control.create_policy(&world.alice, policy).unwrap();
    for vault in 0..VAULTS {
        let rows: Vec<_> = (0..IN_EACH)
            .map(|number| ResourceRow {
                id: ResourceId::from_bytes(
                    (u128::from(vault * IN_EACH + number + 1) << 64).to_be_bytes(),
                ),
                project_id,
                kind: ResourceKind::Share,
                name: format!("share {vault}-{number}"),
                path: format!("/nowhere/{vault}/{number}").into(),
                size_bytes: Bytes(1),
                created_at: world.clock.now(),
                removed_at: None,
            })
            .collect();
        world.insert_resources(&rows);
        let added = rows.iter().map(|row| AddedResource {
            id: row.id,
            kind: Some(row.kind),
            extra_info: None,
        });
        let new = NewVault {
            resources: added.collect(),
            backup_policy_id: Some(policy.id),
            ..NewVault::new(format!("v{vault}"), ObjectType::Turbo, GiB(10))
        };
        world.control.create_vault(&world.alice, new).unwrap();
    }
}

/// The time of the next run, and a minute more.
fn until_one_oclock(world: &World) {
    let into_day = world.clock.now().as_seconds().rem_euclid(86_400);
    world.clock.advance_seconds(86_400 - into_day + 3600 + 60);
}

/// A round, and how many statements it took.
fn counted(world: &World, control: &Control) -> (Round, u64) {
    let before = world.statements();
    let began = processor_millis();
    let round = control.schedule_round().unwrap();
    println!(
        "{} ms of processor time for {round:?}",
        processor_millis() - began
    );
    (round, world.statements() - before)
}

/// How long this thread has been on a processor.
fn processor_millis() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos: u64 = told.split(' ').next().unwrap().parse().unwrap();
    nanos / 1_000_000
}

#[test]
fn ten_thousand_resources_that_are_due_at_once_are_ordered_in_bounded_rounds() {
    let mut world = World::new();
    crowd(&world);
    let (idle, cost) = counted(&world, &world.control);
    assert_eq!(idle, Round::default());
    assert!(cost < 10, "a round without work takes {cost} statements");

    until_one_oclock(&world);
    let second = world.second_control();
    let (mut ordered, mut rounds) = (0, 0);
    loop {
        // Two servers in turn, and a restart between any two rounds.
        let control = if rounds % 2 == 0 {
            &world.control
        } else {
            &second
        };
        let (round, cost) = counted(&world, control);
        assert!(round.backups <= ROUND_MAX, "{round:?}");
        let allowed = 20 + round.backups * 12;
        assert!(cost <= allowed, "{cost} statements for {round:?}");
        ordered += round.backups;
        rounds += 1;
        if !round.more {
            break;
        }
        world.control = world.second_control();
    }
    assert_eq!(ordered, ALL);
    assert_eq!(rounds, ALL.div_ceil(2000));
    let filter = BackupFilter::default();
    let found = world.backups_in_all(&filter);
    assert_eq!(found, ALL);
    let (after, cost) = counted(&world, &world.control);
    assert_eq!(after, Round::default());
    assert!(cost < 10, "a round after the work takes {cost} statements");
}

#[test]
fn vaults_that_have_nothing_to_back_up_do_not_make_a_round_long_either() {
    let world = World::new();
    let policy = NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"]);
    let policy = world.control.create_policy(&world.alice, policy).unwrap();
    for number in 0..600 {
        let new = NewVault::new(format!("v{number}"), ObjectType::Turbo, GiB(10));
        let vault = world.control.create_vault(&world.alice, new).unwrap();
        let bound = VaultPolicy {
            vault_id: vault.id,
            policy_id: policy.id,
            destination_vault_id: None,
        };
        let bind = world
            .control
            .associate_vault_policies(&world.alice, &[bound]);
        bind.unwrap();
    }
    until_one_oclock(&world);
    let first = world.control.schedule_round().unwrap();
    let second = world.control.schedule_round().unwrap();
    assert!(first.more && !second.more);
    assert_eq!(first.idle + second.idle, 600);
}
