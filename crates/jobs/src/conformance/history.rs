//! Random histories: jobs with and without keys and faults, cancels, crashes, a moving clock.
//!
//! A history is a list of bytes, so that any generator can make one and a failing one shrinks.
//! It runs in one thread and is repeatable: two stores that keep the contract give one answer.

use strongroom_model::JobId;

use super::{
    Bench, LastCall, World,
    world::{STEPS, Script},
};
use crate::job::JobState;

/// Plays the history, checks what must hold of every history, and tells everything that
/// happened, so that it can be compared with what happened on another store.
pub fn play<B: Bench>(moves: &[u8]) -> Vec<String> {
    let world = World::<B>::new();
    let mut runner = world.restarted();
    let mut jobs: Vec<(JobId, Option<String>)> = Vec::new();
    for byte in moves {
        let detail = byte >> 3;
        match byte % 8 {
            0..=2 if jobs.len() < 200 => {
                let key = (detail % 3 > 0).then(|| format!("key {}", detail % 3));
                let number = u8::try_from(jobs.len()).expect("fewer than 200");
                jobs.push((world.enqueue(number, key.as_deref(), &script(detail)), key));
            }
            3 | 4 => drop(runner.run_one().expect("the store works")),
            5 => world.advance(i64::from(detail) * 5),
            6 if !jobs.is_empty() => {
                let (id, _) = &jobs[usize::from(detail) % jobs.len()];
                runner.cancel(id).expect("the store works");
            }
            _ => {
                let last = if detail % 2 == 0 {
                    LastCall::Lost
                } else {
                    LastCall::Unheard
                };
                world.fuse.halt_at(usize::from(detail / 2), last);
                let _crashed = runner.run_one();
                runner = world.restarted();
            }
        }
    }
    for _ in 0..1000 {
        runner.run_until_idle().expect("the store works");
        world.advance(60);
        if jobs.iter().all(|(id, _)| world.job(id).state.is_final()) {
            break;
        }
    }
    check(&world, &jobs);
    let mut told = world.all_deeds();
    told.extend(world.bench.notes());
    told.extend(jobs.iter().map(|(id, _)| format!("{:?}", world.job(id))));
    told
}

fn script(detail: u8) -> Script {
    let step = usize::from(detail / 4) % STEPS.len();
    match detail % 8 {
        0..=3 => Script::default(),
        4 => Script::at(step, "fail"),
        5 => Script::at(step, "panic"),
        6 => Script {
            times: 2,
            ..Script::at(step, "retry")
        },
        _ => Script::at(step, "retry"),
    }
}

/// What holds at the end of every history.
fn check<B: Bench>(world: &World<B>, jobs: &[(JobId, Option<String>)]) {
    let notes = world.bench.notes();
    for (id, _) in jobs {
        let job = world.job(id);
        assert!(job.state.is_final(), "no job is left behind: {job:?}");
        let standing = world.standing(id);
        let whole = if job.state == JobState::Succeeded {
            STEPS.len()
        } else {
            0
        };
        assert_eq!(standing.len(), whole, "all or nothing: {job:?}");
        let said = notes
            .iter()
            .filter(|note| note.starts_with(&id.to_string()));
        assert_eq!(said.count(), 1, "it ends once: {job:?}");
        assert_eq!(job.trouble, None, "every undo worked: {job:?}");
    }
    for key in ["key 1", "key 2"] {
        let line: Vec<_> = jobs
            .iter()
            .filter(|(_, k)| k.as_deref() == Some(key))
            .map(|(id, _)| *id)
            .collect();
        let mut order: Vec<_> = world
            .order()
            .into_iter()
            .filter(|id| line.contains(id))
            .collect();
        order.dedup();
        let mut came = line;
        came.retain(|id| order.contains(id));
        assert_eq!(order, came, "one after the other, in the order they came");
    }
}
