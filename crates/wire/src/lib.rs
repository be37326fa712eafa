//! The vendors' documents as types: one declaration per operation, errors, times, signing rules.
//!
//! Plain data: no server, no client, no async, and none of our other crates below it, so that the
//! server, the command line and the tests read one truth. A vendor's odd spelling is written down
//! here once; `api` translates it and no other crate ever sees it.
//!
//! - [`operation`]: what an operation is, and the `operations!` table that declares them
//! - [`cbr`], [`dbss`], [`ddm`], [`eps`], [`iam`]: one folder per vendor service: its table,
//!   requests and replies
//! - [`native`], [`watch`]: our own small API for operators
//! - [`path`], [`query`]: the parameters of a request line
//! - [`word`], [`text`], [`time`]: closed enumerations, bounded texts, documented time formats
//! - [`flavor`]: replies as T Cloud Public writes them
//! - [`error_code`]: the error codes in use and the body shape of each dialect
//! - [`sign`]: the three signature forms, checked and made
//! - [`coverage`]: docs/api-coverage.md, written from the tables
//! - `definitions` (feature): replies checked against the vendor's published schemas

#[macro_use]
pub mod word;
#[macro_use]
pub mod path;
#[macro_use]
pub mod query;
#[macro_use]
pub mod operation;

pub mod cbr;
pub mod coverage;
pub mod dbss;
pub mod ddm;
#[cfg(feature = "definitions")]
pub mod definitions;
pub mod eps;
pub mod error_code;
pub mod flavor;
pub mod iam;
pub mod native;
pub mod sign;
pub mod text;
pub mod time;
pub mod watch;

pub use operation::{Availability, Empty, Method, Operation, OperationInfo, Service};
