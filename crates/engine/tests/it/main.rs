//! The engine against stores: what comes back, what is refused, what a crash leaves.

mod common;
mod write_read;
