//! Object lock: has the server keep objects from deletion until a time.
//!
//! The client library does not know these calls, so they are made here, signed by its signer and
//! sent through the same layer as its own. A bucket with object lock keeps versions: a deletion
//! without a version hides an object there, and what it hides can be shown again by removing the
//! mark of the deletion.
//!
//! Invariant: a retention is read before it is set, and never set to an earlier time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, Request, header};
use md5::{Digest as _, Md5};
use object_store::{
    ClientOptions,
    aws::{AwsAuthorizer, AwsCredential},
    client::{HttpClient, HttpConnector as _, HttpError, HttpRequestBody},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use strongroom_model::Timestamp;

use super::{
    address::{Address, Mode, refused},
    refusal::{Connector, Refusal, element},
};
use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
};

/// What is not escaped in the path of a signed request.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The locks of one bucket.
pub(super) struct Locks {
    http: HttpClient,
    credential: AwsCredential,
    region: String,
    /// The bucket's URL, without a slash at the end.
    bucket: String,
    mode: Option<Mode>,
}

impl Locks {
    pub(super) fn new(
        address: &Address,
        environment: &Environment,
        options: &ClientOptions,
    ) -> Result<Self> {
        let secret = |text: &Option<String>| text.clone().unwrap_or_default();
        let endpoint = address.endpoint.as_ref().map_or_else(
            || format!("https://s3.{}.amazonaws.com", address.region),
            |endpoint| endpoint.as_str().trim_end_matches('/').to_owned(),
        );
        Ok(Self {
            http: Connector.connect(options).map_err(refused)?,
            credential: AwsCredential {
                key_id: secret(&environment.access_key_id),
                secret_key: secret(&environment.secret_access_key),
                token: environment.session_token.clone(),
            },
            region: address.region.clone(),
            bucket: format!("{endpoint}/{}", address.bucket),
            mode: address.lock,
        })
    }

    /// Whether locks were asked for; an error if the bucket has none then.
    pub(super) async fn offered(&self) -> Result<bool> {
        if self.mode.is_none() {
            return Ok(false);
        }
        let none = || {
            let cause = "the bucket has no object lock, which lock= asks for; make a bucket with \
                         one, or leave lock= out";
            Error::new(ErrorKind::Unsupported).because(cause)
        };
        match self.ask(Method::GET, "?object-lock=", String::new()).await {
            Ok(text) if element(&text, "ObjectLockEnabled") == "Enabled" => Ok(true),
            Ok(_) => Err(none()),
            Err(error) if error.kind == ErrorKind::NotFound => Err(none()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn retained_until(&self, name: &str) -> Result<Option<Timestamp>> {
        let asked = self.ask(Method::GET, &place(name), String::new()).await;
        let text = match asked {
            // No object, or one without a retention: both are kept until no time.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            asked => asked?,
        };
        let date = element(&text, "RetainUntilDate");
        if date.is_empty() {
            return Ok(None);
        }
        let read: Result<jiff::Timestamp, _> = date.parse();
        let read = read.map_err(|error| Error::new(ErrorKind::Other).because(error))?;
        Ok(Some(Timestamp::from_micros(read.as_microsecond())))
    }

    pub(super) async fn retain(&self, name: &str, until: Timestamp) -> Result<()> {
        let Some(mode) = self.mode else {
            let cause = "add lock=governance or lock=compliance to the store's address";
            return Err(Error::new(ErrorKind::Unsupported).because(cause));
        };
        let found = self.retained_until(name).await?;
        if found.is_some_and(|found| found.as_seconds() >= until.as_seconds()) {
            return Ok(());
        }
        let date = jiff::Timestamp::from_second(until.as_seconds());
        let date = date.map_err(|error| Error::new(ErrorKind::Unsupported).because(error))?;
        let body = format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode>\
             <RetainUntilDate>{date}</RetainUntilDate></Retention>",
            mode.word()
        );
        let asked = self.ask(Method::PUT, &place(name), body).await;
        asked.map(drop)
    }

    /// Sends a signed request; the text of the answer.
    async fn ask(&self, method: Method, rest: &str, body: String) -> Result<String> {
        let digest = STANDARD.encode(Md5::digest(body.as_bytes()));
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{rest}", self.bucket))
            .header(header::CONTENT_TYPE, "application/xml")
            .header("content-md5", digest)
            .body(HttpRequestBody::from(body))
            .map_err(refused)?;
        AwsAuthorizer::new(&self.credential, "s3", &self.region)
            .try_authorize(&mut request, None)
            .map_err(refused)?;
        let answer = self.http.execute(request).await.map_err(failed)?;
        let text = answer.into_body().bytes().await.map_err(failed)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn place(name: &str) -> String {
    format!("/{}?retention=", utf8_percent_encode(name, PLAIN))
}

fn failed(error: HttpError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut kind = ErrorKind::Unavailable;
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            kind = refusal.kind();
        }
        cause = error.source();
    }
    Error::new(kind).because(error)
}
