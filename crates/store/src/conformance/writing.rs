//! The checks of writing: conditions, races, all or nothing.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Area, Finding, Outcome, ensure, ensure_fails, in_parallel, pattern};
use crate::{
    error::{ErrorKind, Result},
    key::Key,
};

/// Creators of one key at once, and how often they race: a server whose check and write are two
/// steps was seen to let all of eight win in every round.
const CREATORS: u64 = 8;
const ROUNDS: u64 = 6;

/// Rewrites that a reader watches.
const WATCHED: u64 = 6;

pub(super) fn create_refuses(area: &Area) -> Outcome {
    let key = area.key("object");
    area.store.create_new(&key, b"first")?;
    // Never the same bytes: after a lost reply they would count as this creator's own.
    for bytes in [&b"other"[..], b"first and more", b""] {
        let again = area.store.create_new(&key, bytes);
        ensure_fails(
            again,
            ErrorKind::AlreadyExists,
            "creating an object a second time",
        )?;
        ensure(area.store.get(&key)? == "first", || {
            "a refused create changes the object".into()
        })?;
    }
    Ok(())
}

pub(super) fn put_refuses(area: &Area) -> Outcome {
    let key = area.key("object");
    area.store.put_idempotent(&key, b"first")?;
    area.store.put_idempotent(&key, b"first")?;
    // Another content of the same length is a mistake of the caller which must still not destroy.
    area.store.put_idempotent(&key, b"other")?;
    let longer = area.store.put_idempotent(&key, b"first and more");
    ensure_fails(
        longer,
        ErrorKind::Corrupt,
        "putting another length under the same name",
    )?;
    ensure(area.store.get(&key)? == "first", || {
        "the object is changed".into()
    })?;
    let create = area.store.create_new(&key, b"third");
    ensure_fails(
        create,
        ErrorKind::AlreadyExists,
        "creating an object that was put",
    )
}

pub(super) fn race(area: &Area) -> Outcome {
    // Several at once: some servers let contenders wait for a second.
    let rounds: Vec<u64> = (0..ROUNDS).collect();
    in_parallel(&rounds, |round| race_once(area, *round))
}

fn race_once(area: &Area, round: u64) -> Outcome {
    let key = area.key(&format!("round-{round}"));
    let mut winners = Vec::new();
    for (creator, result) in (0..).zip(compete(area, &key)) {
        match result {
            Ok(()) => winners.push(creator),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    let &[winner] = &winners[..] else {
        let count = winners.len();
        let what = format!("in round {round}, {count} of {CREATORS} creators are told they won");
        return Err(Finding::Broken(what));
    };
    ensure(area.store.get(&key)? == bid(winner), || {
        format!("in round {round} the object is not the winner's")
    })
}

fn compete(area: &Area, key: &Key) -> Vec<Result<()>> {
    let start = Barrier::new(usize::try_from(CREATORS).expect("it is small"));
    thread::scope(|scope| {
        let creators: Vec<_> = (0..CREATORS)
            .map(|creator| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    area.store.create_new(key, &bid(creator))
                })
            })
            .collect();
        let joined = creators.into_iter();
        joined
            .map(|creator| creator.join().expect("a creator does not panic"))
            .collect()
    })
}

/// What a creator writes: nobody else's bytes.
fn bid(creator: u64) -> Vec<u8> {
    pattern(100, 2 * creator + 1)
}

pub(super) fn whole_or_nothing(area: &Area) -> Outcome {
    let done = AtomicBool::new(false);
    let content = |round: u64| pattern(3 * 1024 * 1024, round);
    let names: Vec<Key> = (0..WATCHED)
        .map(|round| area.key(&format!("{round}")))
        .collect();
    thread::scope(|scope| {
        let reader = scope.spawn(|| -> Outcome {
            for (round, key) in (0..).zip(&names) {
                loop {
                    let last_look = done.load(Ordering::SeqCst);
                    match area.store.get(key) {
                        Ok(bytes) => {
                            ensure(bytes == content(round), || "a torn object is read".into())?;
                            break;
                        }
                        Err(error) if error.kind != ErrorKind::NotFound => return Err(error.into()),
                        Err(_) if last_look => break,
                        Err(_) => thread::yield_now(),
                    }
                }
            }
            Ok(())
        });
        let written = (0..).zip(&names).try_for_each(|(round, key)| {
            if round % 2 == 0 {
                area.store.create_new(key, &content(round))
            } else {
                area.store.put_idempotent(key, &content(round))
            }
        });
        done.store(true, Ordering::SeqCst);
        let read = reader.join().expect("the reader does not panic");
        written.map_err(Finding::from).and(read)
    })
}
