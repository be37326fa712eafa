//! The threads that requests of all stores over a network run on: two for the whole process.
//!
//! The rest of the program is synchronous; a call waits here for its request.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, ErrorKind, Result};

/// The threads that requests run on; made once and kept.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: Mutex<Option<&'static Runtime>> = Mutex::new(None);
    let mut made = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = *made {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("strongroom-store")
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Unavailable).because(error))?;
    Ok(*made.insert(Box::leak(Box::new(runtime))))
}
