//! Listens: one socket per vendor service, plain or TLS, with an orderly end.
//!
//! Each service has an origin of its own because CBR and DDM own the same paths and the vendors'
//! SDKs drop path prefixes (docs/adr/0006-one-origin-per-service.md).
//!
//! A stranger cannot hold the server up: the number of connections is bounded, a TLS handshake
//! must end within [`HANDSHAKE_SECONDS`], a request's head arrive within [`IDLE_SECONDS`], and both
//! happen in the connection's own task, never in the loop that accepts.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// How long a TLS handshake may take.
pub const HANDSHAKE_SECONDS: u64 = 20;
/// How long a connection may be idle, or take for the head of a request. Longer than the pools of
/// the usual clients keep theirs, so that it is the client who closes.
pub const IDLE_SECONDS: u64 = 75;
/// How long requests under way may go on after the word to stop.
pub const DRAIN_SECONDS: u64 = 15;
/// Connections held at once by one service; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;

/// The address of the other end of a connection; in every request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// One service on its socket.
pub struct Listener {
    /// The service's short name, for the log.
    pub service: &'static str,
    /// A bound socket.
    pub socket: TcpListener,
    /// What answers on it.
    pub router: Router,
}

/// Serves until `stop` is true (or its sender is gone), then lets requests under way finish for
/// at most [`DRAIN_SECONDS`].
pub async fn serve(
    listeners: Vec<Listener>,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let acceptor = tls.map(TlsAcceptor::from);
    let mut services = JoinSet::new();
    for listener in listeners {
        listener.socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpListener::from_std(listener.socket)?;
        let service = Arc::new(Accepting {
            service: listener.service,
            router: listener.router,
            acceptor: acceptor.clone(),
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        });
        services.spawn(service.run(socket, stop.clone()));
    }
    while let Some(ended) = services.join_next().await {
        if let Err(error) = ended {
            return Err(io::Error::other(error));
        }
    }
    Ok(())
}

struct Accepting {
    service: &'static str,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    room: Arc<Semaphore>,
}

impl Accepting {
    async fn run(self: Arc<Self>, socket: tokio::net::TcpListener, stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut stopping = std::pin::pin!(stopped(stop));
        loop {
            let accepted = tokio::select! {
                () = &mut stopping => break,
                accepted = self.accept(&socket) => accepted,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let (this, watcher) = (Arc::clone(&self), graceful.watcher());
                    connections.spawn(async move {
                        this.connection(stream, peer, watcher).await;
                        drop(permit);
                    });
                }
                // Out of descriptors, or the peer was gone at once: the next one may fare better.
                Err(error) => {
                    tracing::warn!(service = self.service, %error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        drop(socket);
        if timeout(Duration::from_secs(DRAIN_SECONDS), graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(
                service = self.service,
                open = connections.len(),
                "requests did not end in time; their connections are cut"
            );
        }
    }

    async fn accept(
        &self,
        socket: &tokio::net::TcpListener,
    ) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let room = Arc::clone(&self.room);
        let permit = room.acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = socket.accept().await?;
        Ok((stream, peer, permit))
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Replies are small; waiting to fill a packet only adds delay.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.acceptor else {
            return self.speak_http(stream, peer, watcher).await;
        };
        match timeout(
            Duration::from_secs(HANDSHAKE_SECONDS),
            acceptor.accept(stream),
        )
        .await
        {
            Ok(Ok(stream)) => self.speak_http(stream, peer, watcher).await,
            Ok(Err(error)) => tracing::debug!(service = self.service, %peer, %error, "no TLS"),
            Err(_) => tracing::debug!(service = self.service, %peer, "TLS handshake too slow"),
        }
    }

    async fn speak_http<S>(&self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(IDLE_SECONDS));
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_mins(1));
        let router = self.router.clone().layer(Extension(Peer(peer)));
        let connection = builder
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
            .into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(service = self.service, %peer, %error, "connection ended");
        }
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone can never say stop, so it has.
    let _ = stop.wait_for(|stop| *stop).await;
}
