//! What a call on a store is, for the decorators that count, script and report calls.

use crate::error::ErrorKind;

/// The kinds of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Store::create_new`](crate::Store::create_new)
    CreateNew,
    /// [`Store::put_idempotent`](crate::Store::put_idempotent)
    PutIdempotent,
    /// [`Store::get`](crate::Store::get)
    Get,
    /// [`Store::get_range`](crate::Store::get_range) and
    /// [`Store::get_into`](crate::Store::get_into), with a range that is not empty
    GetRange,
    /// [`Store::size`](crate::Store::size)
    Size,
    /// [`Store::list`](crate::Store::list), whole
    List,
    /// [`Store::delete`](crate::Store::delete)
    Delete,
    /// [`Store::retain`](crate::Store::retain)
    Retain,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CreateNew,
        Self::PutIdempotent,
        Self::Get,
        Self::GetRange,
        Self::Size,
        Self::List,
        Self::Delete,
        Self::Retain,
    ];

    /// Whether it changes the store.
    pub const fn is_write(self) -> bool {
        use Operation::{CreateNew, Delete, PutIdempotent, Retain};
        matches!(self, CreateNew | PutIdempotent | Delete | Retain)
    }
}

/// One call as it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which call it was.
    pub operation: Operation,
    /// The key, or the prefix of a listing.
    pub name: String,
    /// Bytes handed over by the caller or returned to it.
    pub bytes: u64,
    /// How it failed; `None` for success.
    pub failure: Option<ErrorKind>,
}
