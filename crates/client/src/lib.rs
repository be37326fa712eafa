//! A typed client built on wire, for the command line and the tests.
//!
//! One generic call, [`Client::call`], does every operation of every service: the declaration in
//! `wire` says method, path, types and origin. It blocks; it must not run on an async worker.
//!
//! - [`client`]: the client and its calls
//! - [`credentials`]: by token, by access key, by password
//! - [`files`]: the files that the service leaves for its clients
//! - [`error`]: what can go wrong
//! - `transport`: one exchange over HTTP; `answer`: what came back

mod answer;
pub mod client;
pub mod credentials;
pub mod error;
pub mod files;
mod transport;

pub use client::{Client, Options};
pub use credentials::{Credentials, ProjectChoice};
pub use error::{Error, Refusal, Result};
pub use strongroom_wire::native::Endpoints;
