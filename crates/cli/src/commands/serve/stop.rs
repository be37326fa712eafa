//! When to stop serving: a signal, or the end of whoever started the service.

use std::{io, thread};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{oneshot, watch},
};

/// Becomes true when it is time to stop. Must be called inside a runtime.
pub(super) fn watch(until_stdin_closes: bool) -> Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let (closed, stdin) = oneshot::channel::<()>();
    if until_stdin_closes {
        // Blocks in a read until the other end is closed; ends with the process.
        thread::spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = closed.send(());
        });
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            // Nobody sends if nobody watches; that is no reason to stop.
            Ok(()) = stdin => {}
        }
        tracing::info!("stopping: requests under way finish, jobs are left for the next start");
        let _ = stop.send(true);
    });
    Ok(stopped)
}
