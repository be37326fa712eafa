//! How far a long operation is, and the wish that it end.
//!
//! The numbers are written by many threads and read by whoever shows them; each is right, but
//! two read one after the other need not belong to the same moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Shared between an operation and those who watch it.
#[derive(Debug, Default)]
pub struct Progress {
    bytes_done: AtomicU64,
    bytes_total: AtomicU64,
    items_done: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Bytes of content dealt with, read or not.
    pub fn bytes_done(&self) -> u64 {
        self.bytes_done.load(Ordering::Relaxed)
    }

    /// Bytes of content known of so far; grows while a tree is being discovered.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
            .load(Ordering::Relaxed)
            .max(self.bytes_done())
    }

    /// Entries of a tree, or blocks of a volume, dealt with.
    pub fn items_done(&self) -> u64 {
        self.items_done.load(Ordering::Relaxed)
    }

    /// Asks the operation to end soon, with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Fails if the operation is to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn expect_at_least(&self, bytes: u64) {
        self.bytes_total.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn finish_items(&self, items: u64) {
        self.items_done.fetch_add(items, Ordering::Relaxed);
    }
}
