//! The API from outside, in process: every reply of CBR is held against the vendor's published
//! definitions on its way out of [`cloud::TestCloud`].
#![expect(clippy::unwrap_used, reason = "tests, their helpers too, panic")]

mod bad_input;
mod cbr;
mod cloud;
mod eps;
mod flavor;
mod glue;
mod identity;
mod listening;
mod organization;
mod permissions;
mod policies;
mod running;
mod safety;
mod seed;
mod sessions;
mod sharing;
mod stores;
mod strangers;
mod watch;
