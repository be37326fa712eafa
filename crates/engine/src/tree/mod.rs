//! Trees of files: saving, restoring, finding, listing.
//!
//! A tree is Merkle: a directory's node names the nodes of its subdirectories, so what did not
//! change is shared with the manifest before, and every manifest reads as a whole one.
//!
//! - [`save_tree`]: from a [`TreeSource`](strongroom_model::content::TreeSource) to a manifest
//! - [`save_input`], [`save_labelled_input`]: from a stream of bytes to a manifest of one file
//! - [`restore_tree`], [`restore_path`]: from a manifest to a
//!   [`TreeSink`](strongroom_model::content::TreeSink), all of
//!   it or one path, around whatever is damaged
//! - [`list`], [`cat`]: looking without restoring
//! - [`reach`]: every chunk that a manifest needs
//! - [`Problem`], [`Loss`]: what could not be saved, what could not be brought back
//! - `entry`, `sequence`, `top`: the nodes and their encoding (docs/format.md, "Trees")
//! - `crew`, [`Progress`]: threads, and how far they are

mod cat;
pub(crate) mod crew;
pub(crate) mod entry;
pub(crate) mod find;
mod list;
pub(crate) mod loss;
mod previous;
pub(crate) mod problem;
mod progress;
mod reach;
pub(crate) mod restore;
pub(crate) mod save;
pub(crate) mod sequence;
pub(crate) mod top;

pub use self::{
    cat::cat,
    list::{Depth, Listed, list},
    loss::{Cause, Loss, Part},
    problem::{Problem, ProblemKind},
    progress::Progress,
    reach::{Reached, Visit, Visitor, reach},
    restore::{RestoreOptions, Restored, restore_path, restore_tree},
    save::{Input, SaveOptions, SaveStats, Saved, save_input, save_labelled_input, save_tree},
    top::problems,
};
