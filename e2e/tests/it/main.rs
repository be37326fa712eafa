//! The product seen from outside: commands, HTTP, vendors' clients, and kills at any moment.
//!
//! - `trial`: `strongroom try`, the README's first command
//! - `story`: the user's commands from registration to restore
//! - `repository`: `strongroom repo` without a service
//! - `reader`: a reader written from the format's document alone
//! - `rebuild`: the catalog is deleted and comes back
//! - `operators`: projects, users and keys; nobody sees what is not his
//! - `safety`: plans, the trash, guards, and the look ahead, from the command line
//! - `regions`: a region that is another Strongroom
//! - `refusals`: bad input, and what it gets
//! - `dbss`: audit logs of a real database, lost and found
//! - `ddm`: what sharding layers of real databases know; `layer`: the stage of these stories
//! - `exports`: other programs read what `strongroom repo export` writes
//! - `inputs`: what goes into a backup: exclude rules, streams
//! - `kill`: the server is killed in the midst of its work, again and again
//! - `mount`: a mounted repository
//! - `leftovers`: nothing is left behind
//! - `shortage`: no more room, no more descriptors
//! - `soak`: everything at random, for as long as one likes
//! - `points`: databases at points in time
//! - `postgres`: audit logs of a real PostgreSQL
//! - `views`: lists and comparisons of `strongroom repo`
//! - `vendor`: the vendors' own unmodified clients, over http and https

mod dbss;
mod ddm;
mod exports;
mod inputs;
mod kill;
mod kill_exact;
mod layer;
mod leftovers;
mod mount;
mod operators;
mod points;
mod postgres;
mod reader;
mod rebuild;
mod refusals;
mod regions;
mod repository;
mod safety;
mod scene;
mod shortage;
mod soak;
mod story;
mod syscalls;
mod trial;
mod vendor;
mod views;
