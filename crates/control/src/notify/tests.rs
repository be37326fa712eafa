//! Messages are told once, tried again with growing pauses, and given up at last.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use strongroom_catalog::{Catalog, Json};
use strongroom_model::Clock as _;
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};

use super::*;
use crate::{MasterKey, Parts, Reason};

struct Post {
    control: Control,
    clock: Arc<ManualClock>,
}

/// Remembers what it took and fails as often as it is told to.
#[derive(Default)]
struct Fake {
    failures: Cell<u32>,
    told: RefCell<Vec<(String, serde_json::Value)>>,
}

impl Courier for Fake {
    fn deliver(&self, settings: &Settings, message: &serde_json::Value) -> Result<(), String> {
        if self.failures.get() > 0 {
            self.failures.set(self.failures.get() - 1);
            return Err("connection refused".to_owned());
        }
        let mut told = self.told.borrow_mut();
        told.push((settings.kind().to_owned(), message.clone()));
        Ok(())
    }

    fn beat(&self, url: &str) -> Result<(), String> {
        self.deliver(
            &Settings::Heartbeat {
                url: url.to_owned(),
            },
            &().into(),
        )
    }
}

fn post() -> Post {
    let clock = Arc::new(ManualClock::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let control = Control::new(Parts {
        catalog: Catalog::memory().unwrap(),
        clock: clock.clone(),
        master_key: MasterKey::generate(entropy.as_ref()),
        entropy,
        store_of: crate::stores_below("memory://"),
        regions: std::collections::BTreeMap::new(),
        own_paths: Vec::new(),
    });
    Post { control, clock }
}

fn webhook(name: &str) -> Channel {
    Channel {
        name: name.to_owned(),
        project_id: None,
        settings: Settings::Webhook {
            url: "https://hooks.test/secret".to_owned(),
        },
    }
}

impl Post {
    fn add(&self, channel: &Channel) {
        let now = self.clock.now();
        self.control.channels().add(channel, now).unwrap();
    }

    fn tell(&self, channel: &str, number: u32) {
        let now = self.clock.now();
        let row = NotificationRow {
            seq: 0,
            channel: channel.to_owned(),
            message: Json(number.into()),
            created_at: now,
            attempts: 0,
            not_before: now,
            problem: None,
            delivered_at: None,
            given_up_at: None,
        };
        let told = self.control.write(|tx| Ok(tx.notifications().tell(&row)?));
        told.unwrap();
    }

    fn deliver(&self, courier: &Fake) -> (u64, u64, u64) {
        let done = self.control.deliver_notifications(courier).unwrap();
        (done.delivered, done.postponed, done.given_up)
    }
}

#[test]
fn settings_are_sealed_and_come_back_for_their_own_name_only() {
    let post = post();
    let control = &post.control;
    post.add(&webhook("ops"));
    assert_eq!(control.channels().list().unwrap(), [webhook("ops")]);
    let again = control
        .channels()
        .add(&webhook("ops"), post.clock.now())
        .unwrap_err();
    assert_eq!(again.reason(), Reason::AlreadyExists);
    let rows = control
        .read(|tx| Ok(tx.notifications().channels()?))
        .unwrap();
    assert!(!String::from_utf8_lossy(&rows[0].settings_sealed.0).contains("secret"));
    // Somebody gives another channel this one's settings.
    let moved = strongroom_catalog::ChannelRow {
        name: "moved".to_owned(),
        ..rows[0].clone()
    };
    let added = control.write(|tx| Ok(tx.notifications().add_channel(&moved)?));
    added.unwrap();
    assert!(control.channels().list().is_err());
    for (url, good) in [("ftp://x", false), ("http://x", true)] {
        let channel = Channel {
            settings: Settings::Webhook {
                url: url.to_owned(),
            },
            ..webhook("other")
        };
        assert_eq!(
            control.channels().add(&channel, post.clock.now()).is_ok(),
            good,
            "{url}"
        );
    }
}

#[test]
fn what_fails_is_tried_again_later_and_told_once() {
    let post = post();
    post.add(&webhook("ops"));
    post.tell("ops", 7);
    let courier = Fake::default();
    courier.failures.set(2);
    assert_eq!(post.deliver(&courier), (0, 1, 0));
    // Not before its time.
    assert_eq!(post.deliver(&courier), (0, 0, 0));
    post.clock.advance_seconds(60);
    assert_eq!(post.deliver(&courier), (0, 1, 0));
    post.clock.advance_seconds(60);
    assert_eq!(post.deliver(&courier), (0, 0, 0));
    post.clock.advance_seconds(60);
    assert_eq!(post.deliver(&courier), (1, 0, 0));
    assert_eq!(post.deliver(&courier), (0, 0, 0));
    let told = [("webhook".to_owned(), serde_json::json!(7))];
    assert_eq!(*courier.told.borrow(), told);
    assert_eq!(post.control.notifications_waiting().unwrap(), 0);
}

#[test]
fn a_message_is_given_up_after_three_days_and_with_its_channel() {
    let post = post();
    post.add(&webhook("ops"));
    post.tell("ops", 1);
    let courier = Fake::default();
    courier.failures.set(u32::MAX);
    let mut attempts = 0;
    while post.control.notifications_waiting().unwrap() > 0 {
        let (_, postponed, given_up) = post.deliver(&courier);
        attempts += postponed + given_up;
        post.clock.advance_seconds(600);
    }
    assert!((60..90).contains(&attempts), "{attempts}");
    post.tell("ops", 2);
    assert!(post.control.channels().remove("ops").unwrap());
    assert!(!post.control.channels().remove("ops").unwrap());
    assert_eq!(post.control.notifications_waiting().unwrap(), 0);
}

#[test]
fn one_bad_channel_does_not_hold_up_another() {
    let post = post();
    post.add(&webhook("ops"));
    post.tell("gone", 1);
    post.tell("ops", 2);
    assert_eq!(post.deliver(&Fake::default()), (1, 1, 0));
}

#[test]
fn a_heart_beats_only_while_all_is_well() {
    let post = post();
    let heart = Channel {
        settings: Settings::Heartbeat {
            url: "https://beat.test".to_owned(),
        },
        ..webhook("heart")
    };
    post.add(&heart);
    post.add(&webhook("ops"));
    let courier = Fake::default();
    post.control.watch_round().unwrap();
    assert_eq!(post.control.beat(&courier).unwrap(), 1);
    courier.failures.set(1);
    assert_eq!(post.control.beat(&courier).unwrap(), 0);
    assert_eq!(post.control.beat(&courier).unwrap(), 1);
}

#[test]
fn no_heart_beats_once_the_watchdog_has_stopped_looking() {
    let post = post();
    post.add(&Channel {
        settings: Settings::Heartbeat {
            url: "https://beats.test/secret".to_owned(),
        },
        ..webhook("heart")
    });
    let courier = Fake::default();
    assert_eq!(post.control.beat(&courier).unwrap(), 0);
    post.control.watch_round().unwrap();
    assert_eq!(post.control.beat(&courier).unwrap(), 1);
    post.clock.advance_seconds(3600);
    assert_eq!(post.control.beat(&courier).unwrap(), 0);
    post.control.watch_round().unwrap();
    assert_eq!(post.control.beat(&courier).unwrap(), 1);
}
