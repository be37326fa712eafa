//! Objects that this service keeps for others: what [`protocol`] says, over HTTP.
//!
//! On a socket of its own, which is only there if the operator wants it: who may send objects need
//! not be able to reach the rest. Objects are bytes and not documents, so nothing of the vendors'
//! glue is used: no dialect, no table of operations.
//!
//! Invariants: nothing of a body is read before the secret is proven; an object whose body did not
//! arrive whole is not there; the bytes that are held in memory at once are bounded, however many
//! ask.

mod path;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use strongroom_control::hosting::{
    Error, ErrorKind, Hosting, Kept, Key, Store,
    protocol::{
        self, END, KIND, LENGTH, MARK, MORE, OBJECT_BYTES_MAX, PAGE, RETAINS, UNTIL, VERSION,
    },
};
use strongroom_model::{Timestamp, chain};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::path::{Ask, Put, read};
use crate::listen::Peer;

/// Memory that objects on their way take at once, in MiB.
const ROOM: u32 = 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_mins(10);

struct Desk {
    hosting: Arc<Hosting>,
    room: Arc<Semaphore>,
}

/// What answers on the socket of the stores.
pub fn router(hosting: Arc<Hosting>) -> Router {
    let desk = Arc::new(Desk {
        hosting,
        room: Arc::new(Semaphore::new(ROOM as usize)),
    });
    Router::new().fallback(move |request| answer(Arc::clone(&desk), request))
}

type Result<T, E = Error> = std::result::Result<T, E>;

async fn answer(desk: Arc<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = desk.respond(&parts, body).await;
    let mut response = answered.unwrap_or_else(|error| {
        log(&parts, &error);
        refusal(&error)
    });
    let headers = response.headers_mut();
    headers.insert(MARK, HeaderValue::from_static(VERSION));
    response
}

/// A stranger is worth a line; an object that is not there is not.
fn log(parts: &Parts, error: &Error) {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let (path, method) = (parts.uri.path(), &parts.method);
    match error.kind {
        ErrorKind::NotFound | ErrorKind::AlreadyExists => {}
        _ => tracing::warn!(?peer, %method, path, problem = chain(error), "a store refuses"),
    }
}

fn refusal(error: &Error) -> Response {
    let (word, status) = protocol::said(error.kind);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, chain(error)).into_response();
    let headers = response.headers_mut();
    headers.insert(KIND, HeaderValue::from_static(word));
    response
}

impl Desk {
    async fn respond(self: &Arc<Self>, parts: &Parts, body: Body) -> Result<Response> {
        let (name, ask) = read(&parts.method, &parts.uri)?;
        let (this, secret) = (Arc::clone(self), secret(&parts.headers)?);
        let kept = blocking(move || this.hosting.enter(&name, &secret)).await?;
        let store = kept.store();
        match ask {
            Ask::About => Ok(with_header(RETAINS, HeaderValue::from_static("yes"))),
            Ask::List {
                prefix,
                after,
                unsettled,
            } => {
                let (from, after) = (store, after);
                let listing = move || page(&from, (&prefix, after.as_ref()), unsettled);
                let page = blocking(listing).await?;
                Ok(page.into_response())
            }
            Ask::Get(key) => self.get(store, key, range(&parts.headers)?).await,
            Ask::Size(key) => {
                let size = blocking(move || store.size(&key)).await?;
                Ok(with_header(LENGTH, HeaderValue::from(size)))
            }
            Ask::Put(key, how) => {
                let held = self.receive(&parts.headers, body).await?;
                put(kept, key, how, held).await
            }
            Ask::Delete(key) => done(blocking(move || store.delete(&key)).await),
            Ask::Retained(key) => {
                let until = blocking(move || store.retained_until(&key)).await?;
                Ok(match until {
                    Some(until) => with_header(UNTIL, HeaderValue::from(until.as_seconds())),
                    None => StatusCode::NO_CONTENT.into_response(),
                })
            }
            Ask::Retain(key, until) => {
                let until = Timestamp::from_micros(until.saturating_mul(1_000_000));
                done(blocking(move || store.retain(&key, until)).await)
            }
        }
    }

    async fn get(&self, store: Store, key: Key, range: Option<(u64, u64)>) -> Result<Response> {
        let length = if let Some((first, end)) = range {
            end - first
        } else {
            let (store, key) = (store.clone(), key.clone());
            blocking(move || store.size(&key)).await?
        };
        let room = self.room_for(length).await?;
        let bytes = blocking(move || match range {
            Some((first, end)) => store.get_range(&key, first..end),
            None => store.get(&key),
        });
        let held = Held {
            bytes: bytes.await?,
            _room: room,
        };
        // The room is given back when the last byte is on its way.
        Ok(Body::from(Bytes::from_owner(held)).into_response())
    }

    /// The body, which must say how long it is and be as long.
    async fn receive(&self, headers: &HeaderMap, body: Body) -> Result<Held> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let length = announced.ok_or_else(|| mistaken("the body's length is missing"))?;
        let room = self.room_for(length).await?;
        let bytes = tokio::time::timeout(BODY_TIME, collect(body, length))
            .await
            .unwrap_or_else(|_| Err(broken("the body takes too long")))?;
        Ok(Held { bytes, _room: room })
    }

    async fn room_for(&self, bytes: u64) -> Result<OwnedSemaphorePermit> {
        if bytes > OBJECT_BYTES_MAX {
            return Err(mistaken("no object is so long"));
        }
        let mebibytes = u32::try_from(bytes >> 20).unwrap_or(ROOM) + 1;
        let room = Arc::clone(&self.room).acquire_many_owned(mebibytes.min(ROOM));
        room.await.map_err(|_| broken("the service is going down"))
    }
}

async fn put(kept: Arc<Kept>, key: Key, how: Put, held: Held) -> Result<Response> {
    done(
        blocking(move || match how {
            Put::Create => kept.store().create_new(&key, &held.bytes),
            Put::Content => kept.store().put_idempotent(&key, &held.bytes),
        })
        .await,
    )
}

/// An object on its way, with the room that it takes.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn collect(mut body: Body, length: u64) -> Result<Bytes> {
    let cut = || broken("the body ends too early or too late");
    let length = usize::try_from(length).map_err(|_| cut())?;
    let mut bytes = BytesMut::with_capacity(length);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| cut())?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > length {
            return Err(cut());
        }
        bytes.extend_from_slice(&data);
    }
    if bytes.len() == length {
        Ok(bytes.freeze())
    } else {
        Err(cut())
    }
}

/// A page of keys, as lines.
fn page(store: &Store, (prefix, after): (&str, Option<&Key>), unsettled: bool) -> Result<String> {
    let (mut lines, mut count) = (String::new(), 0);
    let mut full = false;
    let mut visit = |key: Key, size: u64| {
        if count == PAGE {
            full = true;
            return Err(Error::new(ErrorKind::Other).because("the page is full"));
        }
        count += 1;
        // Text takes whatever is written to it.
        let _ = writeln!(lines, "{key} {size}");
        Ok(())
    };
    let listed = if unsettled {
        store.list_unsettled_after(prefix, after, &mut visit)
    } else {
        store.list_after(prefix, after, &mut visit)
    };
    if !full {
        listed?;
    }
    lines.push_str(if full { MORE } else { END });
    lines.push('\n');
    Ok(lines)
}

fn secret(headers: &HeaderMap) -> Result<String> {
    let given = headers.get(header::AUTHORIZATION);
    let secret = given.and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
    let secret = secret.map(str::to_owned);
    secret.ok_or_else(|| Error::new(ErrorKind::Denied).because("there is no secret"))
}

/// `bytes=FIRST-LAST`, and no other form: nobody else asks here.
fn range(headers: &HeaderMap) -> Result<Option<(u64, u64)>> {
    let Some(given) = headers.get(header::RANGE) else {
        return Ok(None);
    };
    let read = || {
        let (first, last) = given
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse::<u64>().ok()?);
        let end = last.checked_add(1)?;
        (first < end).then_some((first, end))
    };
    read()
        .map(Some)
        .ok_or_else(|| mistaken("the range is not understood"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::new(ErrorKind::Other).because("the request panicked")))
}

fn done(result: Result<()>) -> Result<Response> {
    result.map(|()| StatusCode::NO_CONTENT.into_response())
}

fn with_header(name: &'static str, value: HeaderValue) -> Response {
    ([(HeaderName::from_static(name), value)], Body::empty()).into_response()
}

fn mistaken(cause: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported).because(cause)
}

fn broken(cause: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable).because(cause)
}
