//! The use cases, driven as `api` drives them, over a real catalog, real files and the real
//! engine. One file per noun; `world` builds what they need.
#![expect(clippy::unwrap_used, reason = "tests, their helpers too, panic")]
#![expect(clippy::print_stdout, reason = "a failing picture is named")]

mod audit_logs;
mod crash;
mod crash_care;
mod dbss;
mod ddm;
mod failures;
mod freshness;
mod lists;
mod locks_at_store;
mod points;
mod rebuild;
mod replication;
mod retention;
mod safety;
mod scale;
mod schedule;
mod story;
mod strangers;
mod tags;
mod usage;
mod vaults;
mod verification;
mod world;
mod year;
