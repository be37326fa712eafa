//! The use cases, driven as `api` drives them, over a real catalog, real files and the real
//! engine. One file per noun; `world` builds what they need.
#![expect(clippy::unwrap_used, reason = "tests, their helpers too, panic")]
#![expect(clippy::print_stdout, reason = "a failing picture is named")]

mod crash;
mod failures;
mod lists;
mod safety;
mod rebuild;
mod story;
mod strangers;
mod tags;
mod vaults;
mod world;
