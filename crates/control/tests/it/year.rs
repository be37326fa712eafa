//! A simulated year: policies of every form, a clock that goes on by the hour, servers that stop,
//! change and lose replies, data that change. At the end, every scheduled backup that retention
//! promises is there and restores byte for byte, and none that should be gone is.
//!
//! What is promised is worked out here again, plainly, from a history of what was made. The seed is
//! printed; the same seed is the same year.

use std::{collections::BTreeMap, fs};

use strongroom_control::{
    Page, Resource,
    backups::{Backup, BackupFilter, BackupSort},
    policies::{Definition, NewPolicy, VaultPolicy},
    restores::RestoreTarget,
    words::ObjectType,
};
use strongroom_model::{BackupId, Clock as _, ResourceId, state::BackupStatus};
use strongroom_store::{
    ErrorKind,
    fault::{Fault, Rule},
};
use strongroom_testkit::dice::Dice;

use crate::world::World;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// How a policy keeps, in a form that the promise is easily worked out from.
#[derive(Clone, Copy)]
enum Form {
    Forever,
    Count(usize),
    Days(i64),
    CountAndDays { count: usize, newest_of: usize },
}

const FORMS: &[(Form, &str)] = &[
    (Form::Forever, "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=3;BYMINUTE=0"),
    (Form::Count(3), "FREQ=DAILY;BYHOUR=1,13;BYMINUTE=0"),
    (Form::Days(5), "FREQ=DAILY;BYHOUR=5;BYMINUTE=0"),
    (
        Form::CountAndDays {
            count: 2,
            newest_of: 6,
        },
        "FREQ=DAILY;INTERVAL=2;BYHOUR=2,9,20;BYMINUTE=0",
    ),
];

impl Form {
    fn definition(self) -> Definition {
        match self {
            Self::Forever => Definition::default(),
            Self::Count(count) => Definition {
                max_backups: i64::try_from(count).ok(),
                ..Definition::default()
            },
            Self::Days(days) => Definition {
                retention_duration_days: Some(days),
                ..Definition::default()
            },
            Self::CountAndDays { count, newest_of } => Definition {
                max_backups: i64::try_from(count).ok(),
                day_backups: i64::try_from(newest_of).ok(),
                timezone: Some("UTC+00:00".into()),
                ..Definition::default()
            },
        }
    }

    /// Which of the good backups, of which the newest comes first, are promised at that time.
    fn promised(self, made: &[&Made], now: i64) -> Vec<BackupId> {
        let mut days = Vec::new();
        let mut kept = Vec::new();
        for (place, one) in made.iter().enumerate() {
            let first_of_day = !days.contains(&(one.at / DAY));
            if first_of_day {
                days.push(one.at / DAY);
            }
            let keeps = match self {
                Self::Forever => true,
                Self::Count(count) => place < count,
                Self::Days(limit) => one.at + limit * DAY > now,
                Self::CountAndDays { count, newest_of } => {
                    place < count || (first_of_day && days.len() <= newest_of)
                }
            };
            if keeps || place == 0 {
                kept.push(one.id);
            }
        }
        kept
    }
}

/// A backup as it was when it was made.
struct Made {
    id: BackupId,
    /// When, in seconds.
    at: i64,
    good: bool,
    content: Vec<u8>,
}

struct Year {
    world: World,
    dice: Dice,
    resources: Vec<(Form, Resource)>,
    history: BTreeMap<ResourceId, Vec<Made>>,
    contents: BTreeMap<ResourceId, Vec<u8>>,
}

impl Year {
    fn new(seed: u64, each: usize) -> Self {
        println!("seed {seed}");
        let world = World::new();
        let mut resources = Vec::new();
        for (place, (form, rule)) in FORMS.iter().enumerate() {
            let new = NewPolicy {
                definition: form.definition(),
                ..NewPolicy::new(format!("p{place}"), &[rule])
            };
            let policy = world.control.create_policy(&world.alice, new).unwrap();
            let shares: Vec<_> = (0..each)
                .map(|n| world.share(&format!("s{place}-{n}")))
                .collect();
            let vault = world.vault(
                &format!("v{place}"),
                ObjectType::Turbo,
                &shares.iter().collect::<Vec<_>>(),
            );
            let bound = VaultPolicy {
                vault_id: vault.id,
                policy_id: policy.id,
                destination_vault_id: None,
            };
            world
                .control
                .associate_vault_policies(&world.alice, &[bound])
                .unwrap();
            resources.extend(shares.into_iter().map(|share| (*form, share)));
        }
        Self {
            world,
            dice: Dice::new(seed),
            resources,
            history: BTreeMap::new(),
            contents: BTreeMap::new(),
        }
    }

    /// An hour: data change, servers come and go, replies are lost, what is due is done.
    fn hour(&mut self) {
        self.world.clock.advance_seconds(HOUR);
        for (_, resource) in &self.resources {
            if self.dice.chance(8) || !self.contents.contains_key(&resource.id) {
                let size = usize::try_from(self.dice.below(3000)).unwrap();
                let content = self.dice.bytes(size);
                fs::write(self.world.file(&resource.name).join("data"), &content).unwrap();
                self.contents.insert(resource.id, content);
            }
        }
        // Now and then no server runs for an hour: what was due is caught up or missed.
        if self.dice.chance(30) {
            return;
        }
        if self.dice.chance(50) {
            self.world.control = self.world.second_control();
        }
        if self.dice.chance(12) {
            let call = self.world.faults.calls() + self.dice.below(40);
            let fault = if self.dice.chance(2) {
                Fault::Refuse(ErrorKind::Unavailable)
            } else {
                Fault::LoseReply(ErrorKind::Unavailable)
            };
            self.world.faults.add(Rule::call(call), fault);
        }
        self.world.control.schedule_round().unwrap();
        let second = self.world.second_control();
        second.schedule_round().unwrap();
        if self.dice.chance(3) {
            self.world.control.keep_up().unwrap();
        }
        self.work();
        self.note();
    }

    /// Does all jobs; what a fault interrupted is tried again until it is done.
    fn work(&self) {
        self.world.run();
        self.world.faults.heal();
        self.world.run_for_long();
    }

    /// Writes down what is new.
    fn note(&mut self) {
        let recent = BackupFilter {
            start_time: Some(self.world.clock.now().plus_seconds(-12 * HOUR)),
            ..BackupFilter::default()
        };
        for backup in self.all(&recent) {
            let unfinished = matches!(
                backup.status,
                BackupStatus::WaitingProtect | BackupStatus::Protecting
            );
            let of_resource = self.history.entry(backup.resource_id).or_default();
            if unfinished || of_resource.iter().any(|made| made.id == backup.id) {
                continue;
            }
            of_resource.push(Made {
                id: backup.id,
                at: backup.created_at.as_seconds(),
                good: backup.status == BackupStatus::Available,
                content: self.contents[&backup.resource_id].clone(),
            });
        }
    }

    fn all(&self, filter: &BackupFilter) -> Vec<Backup> {
        let mut all = Vec::new();
        let mut page = Page::default();
        loop {
            let world = &self.world;
            let sort = BackupSort::default();
            let found = world
                .control
                .list_backups(&world.alice, filter, &sort, &page)
                .unwrap();
            let Some(last) = found.items.last() else {
                return all;
            };
            page.marker = Some(last.id.to_string());
            all.extend(found.items);
        }
    }

    /// Days without trouble, to the last hour of the last of them.
    fn calm(&mut self, days: i64) {
        let end = (self.world.clock.now().as_seconds() / DAY + days) * DAY - HOUR / 2;
        while self.world.clock.now().as_seconds() < end {
            self.world.clock.advance_seconds(HOUR / 2);
            self.world.control.schedule_round().unwrap();
            self.work();
            self.note();
        }
        for _ in 0..2 {
            self.world.control.keep_up().unwrap();
            self.world.run_for_long();
        }
    }

    /// What is there against what is promised, byte for byte; how many backups there are.
    fn settle(&self) -> usize {
        let now = self.world.clock.now().as_seconds();
        let there = self.all(&BackupFilter::default());
        let mut seen = 0;
        for (form, resource) in &self.resources {
            let history = &self.history[&resource.id];
            let mut good: Vec<_> = history.iter().filter(|made| made.good).collect();
            good.reverse();
            let mut promised = form.promised(&good, now);
            promised.sort_unstable();
            let mut found: Vec<_> = there
                .iter()
                .filter(|backup| backup.resource_id == resource.id)
                .filter(|backup| backup.status == BackupStatus::Available)
                .map(|backup| backup.id)
                .collect();
            found.sort_unstable();
            assert_eq!(found, promised, "of {}", resource.name);
            for id in found {
                let made = history.iter().find(|made| made.id == id).unwrap();
                let to = self.world.dir.path().join("restored");
                let target = RestoreTarget::NewPath(to.clone());
                self.world.restore(id, target).unwrap();
                assert_eq!(fs::read(to.join("data")).unwrap(), made.content);
                fs::remove_dir_all(to).unwrap();
                seen += 1;
            }
        }
        seen
    }
}

fn simulate(seed: u64, each: usize, days: i64) {
    let mut year = Year::new(seed, each);
    for _ in 0..days * 24 {
        year.hour();
    }
    year.calm(3);
    let made: usize = year.history.values().map(Vec::len).sum();
    let there = year.settle();
    println!("{made} backups were made, {there} are there");
    assert!(there < made, "nothing was ever deleted");
    let fewest = each * usize::try_from(days).unwrap();
    assert!(made > fewest, "{made} backups prove nothing");
}

#[test]
fn after_some_weeks_of_trouble_what_is_promised_is_there_and_nothing_else() {
    simulate(1, 1, 12);
}

#[test]
#[ignore = "nightly: a year of a hundred resources"]
fn after_a_year_of_trouble_what_is_promised_is_there_and_nothing_else() {
    simulate(2, 25, 365);
}
