//! A request as it came: raw bytes first, because signatures cover them.
//!
//! Nothing is parsed here but the request line. The body is read whole, up to [`BODY_BYTES_MAX`],
//! and before anybody is proven; so the memory that strangers can take is bounded too: only
//! `LARGE_AT_ONCE` bodies of more than `SMALL_BYTES` are held at a time, others wait.

use std::{net::SocketAddr, time::Duration};

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{failure::Failure, listen::Peer};

/// The largest body: the vendor's gateway takes 12 MB.
pub const BODY_BYTES_MAX: usize = 12 << 20;
/// How much of a body that is too large is read all the same. A client that is still sending
/// does not look for an answer; closing on it would turn the refusal into a broken connection.
const DRAIN_BYTES_MAX: usize = 64 << 20;
/// What every request may bring without waiting; no call that means anything brings more.
const SMALL_BYTES: usize = 64 << 10;
/// How many larger bodies are held at once, in the whole process.
const LARGE_AT_ONCE: usize = 10;
/// How long a body may take.
const BODY_SECONDS: u64 = 60;

/// One request, unparsed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Our name for it: `X-Request-Id` of the reply, of the log and of operation logs.
    pub id: String,
    /// The method.
    pub method: Method,
    /// Path and query as sent.
    pub uri: Uri,
    /// The headers; `Host` is there for HTTP/2 as well.
    pub headers: HeaderMap,
    /// The bytes of the body.
    pub body: Bytes,
    /// Where it came from, if it came over a socket.
    pub peer: Option<SocketAddr>,
}

impl Request {
    /// The request without its body, which [`read_body`] adds.
    pub fn new(id: String, parts: Parts) -> Self {
        let Parts {
            method,
            uri,
            mut headers,
            extensions,
            ..
        } = parts;
        // HTTP/2 has no Host header, but what was signed was called one.
        if !headers.contains_key(header::HOST)
            && let Some(authority) = uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            headers.insert(header::HOST, host);
        }
        let peer = extensions.get::<Peer>().map(|peer| peer.0);
        Self {
            id,
            method,
            uri,
            headers,
            body: Bytes::new(),
            peer,
        }
    }

    /// A header as text, if it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The network address for the audit trail.
    pub fn source(&self) -> String {
        self.peer
            .map_or_else(|| "in process".to_owned(), |peer| peer.ip().to_string())
    }

    /// The variable segments of `template` with what the path has in their places, decoded.
    pub fn segments<'t>(&self, template: &'t str) -> Result<Vec<(&'t str, String)>, Failure> {
        template
            .split('/')
            .zip(self.uri.path().split('/'))
            .filter_map(|(name, text)| Some((name.strip_prefix('{')?.strip_suffix('}')?, text)))
            .map(
                |(name, text)| match percent_decode_str(text).decode_utf8() {
                    Ok(text) => Ok((name, text.into_owned())),
                    Err(_) => Err(Failure::malformed(name, "is not UTF-8")),
                },
            )
            .collect()
    }

    /// The decoded pairs of the query in the order in which they were sent.
    pub fn query(&self) -> Result<Vec<(String, String)>, Failure> {
        let decode = |text: &str| match percent_decode_str(&text.replace('+', " ")).decode_utf8() {
            Ok(text) => Ok(text.into_owned()),
            Err(_) => Err(Failure::malformed("query", "is not UTF-8")),
        };
        self.uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(key)?, decode(value)?))
            })
            .collect()
    }
}

static ROOM: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

/// A body that has been read, with the room that it takes until it is dropped.
#[derive(Debug, Default)]
pub struct Held {
    /// The bytes.
    pub bytes: Bytes,
    _room: Option<SemaphorePermit<'static>>,
}

/// Reads a whole body, or says why it cannot be had.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Held, Failure> {
    if body.is_end_stream() {
        return Ok(Held::default());
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let waits = headers.contains_key(header::EXPECT);
    if waits && announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        // This client sends nothing before it is told to.
        return Err(Failure::BodyTooLarge);
    }
    tokio::time::timeout(Duration::from_secs(BODY_SECONDS), collect(body, announced))
        .await
        .unwrap_or(Err(Failure::BodyUnreadable))
}

async fn collect(mut body: Body, announced: Option<usize>) -> Result<Held, Failure> {
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0).min(SMALL_BYTES));
    let (mut dropped, mut room) = (0_usize, None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Failure::BodyUnreadable)?.into_data() else {
            continue;
        };
        if dropped > 0 || bytes.len() + data.len() > BODY_BYTES_MAX {
            dropped += bytes.len() + data.len();
            (bytes, room) = (BytesMut::new(), None);
            if dropped > DRAIN_BYTES_MAX {
                break;
            }
            continue;
        }
        if room.is_none() && bytes.len() + data.len() > SMALL_BYTES {
            room = Some(ROOM.acquire().await.map_err(|_| Failure::BodyUnreadable)?);
        }
        bytes.extend_from_slice(&data);
    }
    if dropped > 0 {
        return Err(Failure::BodyTooLarge);
    }
    let bytes = bytes.freeze();
    Ok(Held { bytes, _room: room })
}
