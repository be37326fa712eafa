//! Turns a server's refusals into typed errors.
//!
//! The client library keeps status codes to itself, so the layer below it is ours: every answer
//! that is not a success becomes a [`Refusal`] that travels up inside the library's error and is
//! found again by [`kind_of`]. That layer also keeps the library from retrying, which would be
//! wrong for a conditional write; our own decorator retries.

use std::{error::Error as StdError, fmt};

use futures_util::future::BoxFuture;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpService, ReqwestConnector,
    },
};

use crate::error::ErrorKind;

/// How much of an answer's body is searched for the code and the message.
const BODY_MAX: usize = 64 * 1024;

/// A server's answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    /// S3's own code, such as `SlowDown`; empty if it sent none.
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, body: &str) -> Self {
        let (code, message) = (element(body, "Code"), element(body, "Message"));
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    pub(super) fn kind(&self) -> ErrorKind {
        match (self.status, self.code.as_str()) {
            (507, _) => ErrorKind::NoSpace,
            (_, "QuotaExceeded" | "XMinioStorageFull" | "XMinioStorageQuotaExceeded") => {
                ErrorKind::NoSpace
            }
            (_, "NoSuchBucket") => ErrorKind::Other,
            (429, _) => ErrorKind::Throttled,
            (_, "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded") => {
                ErrorKind::Throttled
            }
            (404, _) => ErrorKind::NotFound,
            (412, _) => ErrorKind::AlreadyExists,
            // A conflict tells that somebody else writes at this moment, not that he succeeds.
            (408 | 409, _) | (400, "RequestTimeout") => ErrorKind::Unavailable,
            (401 | 403, _) | (400, "ExpiredToken" | "InvalidToken") => ErrorKind::Denied,
            (405 | 501, _) => ErrorKind::Unsupported,
            (416, _) => ErrorKind::Corrupt,
            (500..=599, _) => ErrorKind::Unavailable,
            _ => ErrorKind::Other,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the server answers {} {}", self.status, self.code)?;
        if !self.message.is_empty() {
            write!(out, " ({})", self.message)?;
        }
        match (self.status, self.code.as_str()) {
            (_, "NoSuchBucket") => out.write_str("; make the bucket first"),
            (301 | 307 | 308, _) => out.write_str("; check region and endpoint"),
            _ => Ok(()),
        }
    }
}

impl StdError for Refusal {}

/// The text of the first element of that name, without looking further into the document.
pub(super) fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let start = body
        .split_once(&format!("<{name}>"))
        .map_or("", |(_, rest)| rest);
    start.split_once("</").map_or("", |(text, _)| text)
}

/// What sort of failure lies at the bottom of a client error.
pub(super) fn kind_of(error: &object_store::Error) -> ErrorKind {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut kind = match error {
        object_store::Error::InvalidPath { .. } => ErrorKind::Unsupported,
        object_store::Error::NotFound { .. } => ErrorKind::NotFound,
        // An answer that cannot be read: the library found it malformed, or the connection ended.
        _ => ErrorKind::Unavailable,
    };
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return refusal.kind();
        }
        if error.is::<HttpError>() {
            kind = ErrorKind::Unavailable;
        }
        cause = error.source();
    }
    kind
}

/// Connects as the library would, with [`Refusing`] in between.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Refusing(inner)))
    }
}

#[derive(Debug)]
struct Refusing(HttpClient);

impl HttpService for Refusing {
    fn call<'service, 'future>(
        &'service self,
        request: HttpRequest,
    ) -> BoxFuture<'future, Result<HttpResponse, HttpError>>
    where
        'service: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let response = self.0.execute(request).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let body = response.into_body().bytes().await.unwrap_or_default();
            let text = String::from_utf8_lossy(body.get(..BODY_MAX).unwrap_or(&body));
            Err(HttpError::new(
                HttpErrorKind::Unknown,
                Refusal::new(status.as_u16(), &text),
            ))
        })
    }
}
