//! What vaults and resources use is kept up to date by whatever changes it: after any history it
//! is what a count of everything says.

use strongroom_control::{
    Page,
    backups::BackupFilter,
    locks::SafetyChange,
    usage::{StorageUsage, UsageFilter},
    words::ObjectType,
};
use strongroom_model::{Bytes, GiB};
use strongroom_testkit::dice::Dice;

use crate::world::{World, added};

const DAY: i64 = 86_400;

/// One random deed of a tenant; refusals are fine, for they must change nothing.
fn deed(world: &World, dice: &mut Dice, shares: &[strongroom_control::Resource]) {
    let (control, alice) = (&world.control, &world.alice);
    let vaults = world.vaults();
    let backups = world.backups(&BackupFilter::default());
    let share = dice.pick(shares).id;
    let ids: Vec<_> = vaults.iter().map(|vault| vault.id).collect();
    let vault = (!ids.is_empty()).then(|| *dice.pick(&ids));
    match (dice.below(10), vault) {
        (0..=3, Some(vault)) => {
            let _refused = control.create_checkpoint(
                alice,
                strongroom_control::checkpoints::NewCheckpoint::of(vault),
            );
        }
        (4, _) if !backups.is_empty() => {
            let ids: Vec<_> = backups.iter().map(|backup| backup.id).collect();
            let _refused = control.delete_backup(alice, *dice.pick(&ids));
        }
        (5, Some(vault)) => {
            let _refused = control.remove_vault_resources(alice, vault, vec![share]);
        }
        (6, Some(vault)) => {
            let found = shares.iter().find(|one| one.id == share).unwrap();
            let _refused = control.add_vault_resources(alice, vault, vec![added(found)]);
        }
        (7, Some(vault)) => {
            let others: Vec<_> = ids.iter().filter(|id| **id != vault).collect();
            if let Some(to) = others.first() {
                let _refused = control.migrate_vault_resources(alice, vault, **to, vec![share]);
            }
        }
        (8, Some(vault)) => {
            if dice.chance(60) {
                let change = SafetyChange {
                    grace_days: Some(u32::try_from(dice.below(3)).unwrap()),
                    ..SafetyChange::default()
                };
                let _refused = control.change_vault_safety(&world.admin, vault, change);
            } else {
                let _refused = control.delete_vault(alice, vault);
            }
        }
        _ => {
            let trash = control.list_trash(alice).unwrap();
            for vault in &trash.vaults {
                let _refused = control.undelete_vault(alice, vault.id);
            }
            for backup in &trash.backups {
                let _refused = control.undelete_backup(alice, backup.id);
            }
        }
    }
}

#[test]
fn after_a_random_history_what_is_used_is_what_counting_again_says() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let mut dice = Dice::new(seed);
        let world = World::new();
        let shares: Vec<_> = (0..4).map(|n| world.share(&format!("s{n}"))).collect();
        for step in 0..60 {
            if world.vaults().len() < 2 {
                world.vault(&format!("v{step}"), ObjectType::Turbo, &[]);
            }
            world.clock.advance_seconds(DAY / 4);
            deed(&world, &mut dice, &shares);
            if dice.chance(70) {
                world.run();
            }
            if dice.chance(10) {
                world.control.keep_up().unwrap();
            }
            assert_eq!(world.counted_wrongly(), [""; 0], "after step {step}");
        }
    }
}

#[test]
fn counts_that_went_wrong_are_put_right_by_the_upkeep() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    let usage = || -> Vec<StorageUsage> {
        let (all, page) = (UsageFilter::default(), Page::default());
        let found = world.control.storage_usage(&world.alice, &all, &page);
        found.unwrap().items
    };
    let right = usage();
    assert_eq!(right[0].backup_count, 1);
    assert_ne!(right[0].backup_size, Bytes(0));
    world.spoil_counts(&backup);
    assert_ne!(usage(), right);
    assert_eq!(world.counted_wrongly().len(), 1);
    let recounted: u64 = (0..3)
        .map(|_| world.control.keep_up().unwrap().recounted)
        .sum();
    assert_eq!(recounted, 1);
    assert_eq!(usage(), right);
    let summary = world.control.summary(&world.alice).unwrap();
    assert_eq!(summary.size, GiB(10));
    assert_eq!(summary.used, world.vaults()[0].used);
}
