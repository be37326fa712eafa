//! The product seen from outside: commands, HTTP, vendors' clients, and kills at any moment.
//!
//! - `trial`: `strongroom try`, the README's first command
//! - `story`: the user's commands from registration to restore
//! - `repository`: `strongroom repo` without a service
//! - `reader`: a reader written from the format's document alone
//! - `operators`: projects, users and keys; nobody sees what is not his
//! - `refusals`: bad input, and what it gets
//! - `kill`: the server is killed in the midst of its work, again and again
//! - `leftovers`: nothing is left behind
//! - `vendor`: the vendors' own unmodified clients, over http and https

mod kill;
mod leftovers;
mod operators;
mod reader;
mod refusals;
mod repository;
mod scene;
mod story;
mod trial;
mod vendor;
