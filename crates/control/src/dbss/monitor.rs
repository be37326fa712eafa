//! What the host of audit logs does: this one, on which the directories are read.
//!
//! A sample is taken with each round of the service, and one when somebody asks. They are kept in
//! memory for a day, because nobody needs to know after a restart what the host did before.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Mutex, PoisonError},
};

use strongroom_model::{DbssInstanceId, Timestamp};
pub use strongroom_source::audit::Pressure;
use strongroom_source::audit::host::{self, Counted};

use crate::{
    Caller, Control, Result,
    control::project,
    dbss::{get, open},
};

/// For so long samples are kept.
const KEPT_SECONDS: i64 = 86_400;
/// The most of them: somebody may ask often.
const KEPT_MAX: usize = 2000;
/// Two samples are at least so far apart.
const APART_MICROS: i64 = 1_000_000;

/// What the host did until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The moment.
    pub at: Timestamp,
    /// Percent of the processors' time since the sample before.
    pub processors_percent: u8,
    /// Percent of the memory.
    pub memory_percent: u8,
    /// Bytes that came over the network in a second.
    pub received_per_second: u64,
    /// Bytes that went.
    pub sent_per_second: u64,
}

/// The host of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// When the disks were looked at.
    pub at: Timestamp,
    /// The samples of the time asked for, the oldest first.
    pub samples: Vec<Sample>,
    /// The file system of the directory.
    pub logs: Pressure,
    /// The one of the operating system.
    pub system: Option<Pressure>,
    /// The one for temporary files.
    pub temporary: Option<Pressure>,
}

/// Samples of the last day.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last: Option<(Timestamp, Counted)>,
    samples: VecDeque<Sample>,
}

impl Samples {
    /// Takes note of what the kernel has counted until now.
    fn note(&self, now: Timestamp, counted: Counted) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, earlier)) = kept.last {
            let micros = now.micros_since(before);
            if (0..APART_MICROS).contains(&micros) {
                return;
            }
            // Of a clock that ran back nothing can be said per second.
            if let Ok(micros @ 1..) = u64::try_from(micros) {
                let per_second = |count: u64| {
                    let exact = u128::from(count) * 1_000_000 / u128::from(micros);
                    u64::try_from(exact).unwrap_or(u64::MAX)
                };
                let sample = Sample {
                    at: now,
                    processors_percent: counted.processors_used_since(&earlier),
                    memory_percent: counted.memory_used(),
                    received_per_second: per_second(
                        counted.received.saturating_sub(earlier.received),
                    ),
                    sent_per_second: per_second(counted.sent.saturating_sub(earlier.sent)),
                };
                kept.samples.push_back(sample);
            }
        }
        kept.last = Some((now, counted));
        let old = now.plus_seconds(-KEPT_SECONDS);
        kept.samples
            .retain(|sample| sample.at >= old && sample.at <= now);
        let many = kept.samples.len().saturating_sub(KEPT_MAX);
        kept.samples.drain(..many);
    }

    fn between(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Vec<Sample> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |sample: &&Sample| {
            from.is_none_or(|from| sample.at >= from)
                && until.is_none_or(|until| sample.at <= until)
        };
        kept.samples.iter().filter(wanted).copied().collect()
    }
}

impl Control {
    /// Samples the host.
    pub(crate) fn sample_host(&self) {
        if let Some(counted) = Counted::now() {
            self.samples().note(self.now(), counted);
        }
    }

    /// What the host of a directory does and did.
    pub fn monitor_logs(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Monitor> {
        let project = project(caller)?;
        let row = self.read(|tx| get(tx, project, id))?;
        let logs = open(&row)?;
        let logs = logs
            .pressure()
            .map_err(|error| crate::dbss::of_source(&error))?;
        self.sample_host();
        let used = |path: &Path| host::pressure(path).ok();
        Ok(Monitor {
            at: self.now(),
            samples: self.samples().between(from, until),
            logs,
            system: used(Path::new("/")),
            temporary: used(&std::env::temp_dir()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(busy_ticks: u64, received: u64) -> Counted {
        Counted {
            busy_ticks,
            all_ticks: busy_ticks * 2,
            memory: 100,
            memory_available: 25,
            received,
            sent: received * 2,
        }
    }

    #[test]
    fn samples_are_differences_and_go_after_a_day() {
        let (samples, start) = (Samples::default(), Timestamp::from_micros(0));
        samples.note(start, counted(100, 1000));
        assert_eq!(samples.between(None, None), [], "one reading tells nothing");
        let minute = start.plus_seconds(60);
        samples.note(minute, counted(200, 7000));
        let first = samples.between(None, None)[0];
        assert_eq!((first.processors_percent, first.memory_percent), (50, 75));
        assert_eq!(
            (first.received_per_second, first.sent_per_second),
            (100, 200)
        );
        // Asked twice in a moment: one sample.
        samples.note(
            Timestamp::from_micros(minute.as_micros() + 1),
            counted(201, 7001),
        );
        assert_eq!(samples.between(None, None).len(), 1);
        assert_eq!(samples.between(Some(minute.plus_seconds(1)), None), []);
        assert_eq!(samples.between(None, Some(start)), []);
        samples.note(minute.plus_seconds(KEPT_SECONDS + 1), counted(300, 8000));
        assert!(samples.between(None, Some(minute)).is_empty(), "a day old");
    }

    #[test]
    fn a_clock_that_runs_back_makes_no_sample() {
        let (samples, start) = (Samples::default(), Timestamp::from_micros(10_000_000));
        samples.note(start, counted(100, 1000));
        samples.note(start.plus_seconds(-5), counted(200, 2000));
        assert_eq!(samples.between(None, None), []);
        samples.note(start, counted(300, 2000));
        assert_eq!(samples.between(None, None).len(), 1);
    }
}
