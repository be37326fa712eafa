//! Polling with a deadline, for what another process does.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long anything may take before a test calls it hung.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Asks until there is an answer; an error names what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if started.elapsed() > PATIENCE {
            bail!("{what} did not happen within {} s", PATIENCE.as_secs());
        }
        // Short enough to catch a server in the middle of its work.
        thread::sleep(Duration::from_millis(2));
    }
}
