//! Bandwidth limits, on a clock that only a wait moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use strongroom_store::{
    Key, Store, conformance,
    limit::{Limits, NoRate, Pace, Rate, limited},
};

/// Time in microseconds; a wait adds to it and nothing else does.
#[derive(Default)]
struct Manual(AtomicU64);

impl Manual {
    fn advance(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Pace for Manual {
    fn passed(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn wait(&self, time: Duration) {
        self.advance(time);
    }
}

/// A store in memory with limits in bytes per second.
fn bench(upload: u64, download: u64) -> (Store, Arc<Manual>) {
    let pace = Arc::new(Manual::default());
    let limits = Limits {
        upload: Rate::new(upload),
        download: Rate::new(download),
    };
    let store = Store::open("memory:").unwrap();
    let paced: Arc<dyn Pace> = pace.clone();
    (limited(&store, limits, &paced), pace)
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

#[test]
fn uploads_take_the_time_that_their_bytes_are_allowed() {
    let (store, pace) = bench(1_000, 0);
    for n in 0..10 {
        let name = key(&n.to_string());
        store.create_new(&name, &[0; 500]).unwrap();
    }
    store.put_idempotent(&key("ten"), &[0; 5_000]).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(10));
    // The other direction is free.
    store.get(&key("ten")).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(10));
}

#[test]
fn downloads_take_the_time_that_their_bytes_are_allowed() {
    let (store, pace) = bench(0, 100);
    store.create_new(&key("a"), &[7; 1_000]).unwrap();
    assert_eq!(pace.passed(), Duration::ZERO);
    store.get_range(&key("a"), 100..300).unwrap();
    store.get_into(&key("a"), 0..300, &mut Vec::new()).unwrap();
    store.get(&key("a")).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(2 + 3 + 10));
    // Sizes and listings move no content.
    store.size(&key("a")).unwrap();
    store.list("", &mut |_, _| Ok(())).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(15));
}

#[test]
fn an_idle_spell_allows_one_second_of_burst_and_no_more() {
    let (store, pace) = bench(1_000, 0);
    pace.advance(Duration::from_hours(1));
    store.create_new(&key("a"), &[0; 1_000]).unwrap();
    assert_eq!(pace.passed(), Duration::from_hours(1));
    store.create_new(&key("b"), &[0; 1_000]).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(3_601));
}

#[test]
fn a_rate_of_huge_objects_does_not_overflow() {
    let (store, pace) = bench(1, 0);
    store.create_new(&key("a"), &vec![0; 1 << 20]).unwrap();
    assert_eq!(pace.passed(), Duration::from_secs(1 << 20));
    assert_eq!(Rate::new(u64::MAX).unwrap().bytes_per_second(), u64::MAX);
}

#[test]
fn a_limited_store_keeps_the_contract() {
    let (store, _) = bench(1 << 20, 1 << 20);
    conformance(&store).unwrap();
}

#[test]
fn rates_are_read_with_the_usual_units() {
    for (text, expected) in [
        ("1", 1),
        ("500B", 500),
        ("500K", 500 << 10),
        ("20M", 20 << 20),
        ("20m/s", 20 << 20),
        ("1.5GiB", 3 << 29),
        ("10MB/s", 10_000_000),
        ("2 kB", 2_000),
        ("0.5K", 512),
    ] {
        let rate: Rate = text.parse().unwrap();
        assert_eq!(rate.bytes_per_second(), expected, "{text}");
    }
}

#[test]
fn what_is_no_rate_is_refused_with_what_to_write() {
    for text in [
        "",
        "fast",
        "M",
        "-1M",
        "0",
        "0.0K",
        "1.M",
        "1.5.5M",
        "10Mbit",
        "10Mb",
        "1e6",
        "1T",
        "99999999999G",
        "1,5M",
        ".5M",
    ] {
        let refused: NoRate = text.parse::<Rate>().unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("bytes per second such as"), "{text}: {said}");
    }
}
