//! The socket of the stores that are kept for others, and the round that ends what was deleted.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use strongroom_api::{listen::Listener, origins, stores};
use strongroom_control::{Control, hosting::Hosting};

use super::{
    rounds::{Next, Rounds},
    upkeep::panicked,
};
use crate::{installation, system::SystemClock};

/// The stores and their bound socket.
pub(super) struct Hosted {
    hosting: Arc<Hosting>,
    socket: TcpListener,
}

impl Hosted {
    /// Those in the data directory, on that address.
    pub(super) fn bind(at: SocketAddr, folder: &Path) -> Result<Self> {
        let socket = TcpListener::bind(at).with_context(|| format!("cannot listen on {at}"))?;
        let hosting = Hosting::new(&installation::hosted(folder), Arc::new(SystemClock));
        Ok(Self {
            hosting: Arc::new(hosting),
            socket,
        })
    }

    /// Where they are reached.
    pub(super) fn origin(&self, scheme: &str, host: Option<&str>) -> Result<String> {
        Ok(origins::origin(&self.socket, scheme, host)?)
    }

    /// What serves them, and their rounds, which end when dropped.
    pub(super) fn start(self, control: &Control) -> Result<(Rounds, Listener)> {
        let router = stores::router(Arc::clone(&self.hosting));
        let hosting = self.hosting;
        let purge = move || {
            match hosting.purge() {
                Ok(0) => {}
                Ok(purged) => tracing::info!(purged, "what was deleted long ago is gone"),
                Err(error) => tracing::warn!(%error, "cannot look after the stores that are kept"),
            }
            Next::InTime
        };
        let hour = Duration::from_hours(1);
        let rounds = Rounds::start("hosting", hour, panicked(control), purge)
            .context("cannot start the rounds")?;
        let listener = Listener {
            service: "stores",
            socket: self.socket,
            router,
        };
        Ok((rounds, listener))
    }
}
