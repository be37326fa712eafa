//! The origins of the services: five sockets, what is advertised for them, what answers on them.
//!
//! Sockets are bound before anything is told to anybody, so that what `endpoints.json` says is
//! true even when the operating system chose the ports.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::Arc,
};

use crate::{
    cbr,
    cloud::{Cloud, Endpoints},
    dbss, ddm, eps, iam,
    listen::Listener,
};

/// One bound socket per service.
pub struct Sockets {
    identity: TcpListener,
    cbr: TcpListener,
    ddm: TcpListener,
    dbss: TcpListener,
    eps: TcpListener,
}

impl Sockets {
    /// Binds consecutive ports from `listen` on, or a free one for each if its port is 0.
    /// The error names the address that could not be had.
    pub fn bind(listen: SocketAddr) -> io::Result<Self> {
        let socket = |place: u16| {
            let port = match listen.port() {
                0 => 0,
                first => first.checked_add(place).ok_or_else(|| {
                    io::Error::other(format!("there are not five ports from {first} on"))
                })?,
            };
            let address = SocketAddr::new(listen.ip(), port);
            TcpListener::bind(address)
                .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
        };
        Ok(Self {
            identity: socket(0)?,
            cbr: socket(1)?,
            ddm: socket(2)?,
            dbss: socket(3)?,
            eps: socket(4)?,
        })
    }

    /// What is advertised: `https` or `http`, and the host's name; the address if there is none.
    pub fn endpoints(
        &self,
        region: &str,
        scheme: &str,
        host: Option<&str>,
    ) -> io::Result<Endpoints> {
        let origin = |socket: &TcpListener| origin(socket, scheme, host);
        Ok(Endpoints {
            region: region.to_owned(),
            identity: origin(&self.identity)?,
            cbr: origin(&self.cbr)?,
            ddm: origin(&self.ddm)?,
            dbss: origin(&self.dbss)?,
            eps: origin(&self.eps)?,
            console: origin(&self.identity)?,
            stores: None,
        })
    }

    /// What [`listen::serve`](crate::listen::serve) serves.
    pub fn listeners(self, cloud: &Arc<Cloud>) -> Vec<Listener> {
        let listener = |service, socket, router| Listener {
            service,
            socket,
            router,
        };
        vec![
            listener("identity", self.identity, iam::router(Arc::clone(cloud))),
            listener("cbr", self.cbr, cbr::router(Arc::clone(cloud))),
            listener("ddm", self.ddm, ddm::router(Arc::clone(cloud))),
            listener("dbss", self.dbss, dbss::router(Arc::clone(cloud))),
            listener("eps", self.eps, eps::router(Arc::clone(cloud))),
        ]
    }
}

/// Under which address clients reach what listens there.
pub fn origin(socket: &TcpListener, scheme: &str, host: Option<&str>) -> io::Result<String> {
    let address = socket.local_addr()?;
    let host = match (host, address.ip()) {
        (Some(name), _) => name.to_owned(),
        (None, IpAddr::V4(ip)) => ip.to_string(),
        (None, IpAddr::V6(ip)) => format!("[{ip}]"),
    };
    Ok(format!("{scheme}://{host}:{}", address.port()))
}
