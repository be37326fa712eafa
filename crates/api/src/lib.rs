//! HTTP: one router and one error dialect per vendor service over the use cases of control.
//!
//! Reading order:
//! - [`service`]: a route per declared operation, and the order of steps of every call
//! - [`request`], [`call`], [`failure`], [`dialect`]: what comes in, what a handler sees, what
//!   can go wrong, and how a service says so
//! - [`cloud`]: what every handler works with; `authenticate`, `authorize`, [`limit`],
//!   `audit`: who calls, what it may do and how often, what is kept;
//!   [`metrics`]: what is counted
//! - `codes`, `windows`: what several services do alike with refusals and lists
//! - [`cbr`], [`dbss`], [`ddm`], [`eps`], [`iam`], [`native`]: the services
//! - [`stores`]: objects that are kept for other services
//! - [`origins`], [`listen`], [`tls`]: sockets, connections, certificates
//!
//! Invariants: nothing below this crate is async; a vendor's odd spelling does not get past it;
//! no reply leaves that its service's dialect has not shaped.

mod audit;
mod authenticate;
mod authorize;
pub mod call;
pub mod cbr;
pub mod cloud;
mod codes;
pub mod dbss;
pub mod ddm;
pub mod dialect;
pub mod eps;
pub mod failure;
pub mod iam;
pub mod limit;
pub mod listen;
pub mod metrics;
pub mod native;
pub mod origins;
pub mod request;
pub mod service;
pub mod stores;
pub mod tls;
mod windows;

pub use cloud::{Cloud, Endpoints};
