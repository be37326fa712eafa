//! Clients that ask one thing again and again over connections that stay open.
//!
//! As little work as HTTP allows, because it is the server that is measured: the request is bytes
//! made once, of the reply only its status and length are read.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};

/// How the server is asked.
pub(crate) struct Load {
    pub(crate) clients: usize,
    pub(crate) time: Duration,
}

impl Load {
    /// Replies a second, all of which have that many bytes.
    pub(crate) fn rate(&self, to: SocketAddr, request: &[u8], length: usize) -> Result<f64> {
        let clients: Vec<_> = (0..self.clients)
            .map(|_| {
                let (request, time) = (request.to_vec(), self.time);
                thread::spawn(move || -> Result<f64> {
                    let mut connection = Connection::open(to)?;
                    // What is asked once is in every cache, as it is for the next client.
                    connection.ask(&request)?;
                    let (began, mut done) = (Instant::now(), 0_u32);
                    while began.elapsed() < time {
                        let reply = connection.ask(&request)?;
                        ensure!(reply.len() == length, "the reply changed its length");
                        done += 1;
                    }
                    Ok(f64::from(done) / began.elapsed().as_secs_f64())
                })
            })
            .collect();
        let mut sum = 0.0;
        for client in clients {
            sum += client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok(sum)
    }
}

/// A connection that stays open.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).with_context(|| format!("cannot connect to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            line: String::new(),
            body: Vec::new(),
        })
    }

    /// Sends the request and reads the whole reply, which must be a success.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.get_mut().write_all(request)?;
        let (mut status, mut length) = (String::new(), 0);
        loop {
            self.line.clear();
            self.stream.read_line(&mut self.line)?;
            let line = self.line.trim_end();
            if status.is_empty() {
                line.clone_into(&mut status);
                ensure!(!status.is_empty(), "the server closed the connection");
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        ensure!(
            status.contains(" 200 "),
            "{status}: {}",
            String::from_utf8_lossy(&self.body)
        );
        Ok(&self.body)
    }
}
