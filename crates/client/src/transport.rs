//! One exchange over HTTP: builds the request, proves who asks, reads the answer.

use std::{borrow::Cow, time::Duration};

use reqwest::blocking as http;
use strongroom_wire::{
    Method, OperationInfo,
    sign::{self, BodyHash, canonical},
    text::Secret,
};
use url::Url;

use crate::{Error, Options, Result, answer::Answer};

/// How a request proves who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    Nothing,
    Token(&'a Secret),
    Signature {
        access_key: &'a str,
        secret_key: &'a Secret,
        now: i64,
    },
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) operation: &'a OperationInfo,
    pub(crate) url: &'a Url,
    pub(crate) project_id: Option<&'a str>,
    pub(crate) subject_token: Option<&'a Secret>,
    pub(crate) body: Option<&'a [u8]>,
}

/// The HTTP client behind a [`crate::Client`].
#[derive(Debug)]
pub(crate) struct Transport {
    http: http::Client,
    retries: u32,
    pause: Duration,
}

impl Transport {
    pub(crate) fn new(options: &Options, origins: &[&Url]) -> Result<Self> {
        let mut builder = http::Client::builder()
            .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(options.timeout);
        if let Some(path) = &options.ca_file {
            let pem = std::fs::read(path).map_err(|source| Error::File {
                path: path.clone(),
                source,
            })?;
            // A service with an authority of its own needs no other.
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(Error::Tls)?;
            builder = builder.tls_certs_only(certificates);
        } else if origins.iter().all(|origin| origin.scheme() == "http") {
            // Without TLS, a machine without any certificates will do.
            builder = builder.tls_certs_only([]);
        }
        if origins.iter().all(|origin| is_loopback(origin)) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().map_err(Error::Tls)?,
            retries: options.retries,
            pause: options.pause,
        })
    }

    /// Sends, and asks again if there was no answer and asking again has no second effect.
    pub(crate) fn exchange(&self, outgoing: &Outgoing<'_>, proof: Proof<'_>) -> Result<Answer> {
        let retries = if outgoing.operation.method.is_idempotent() {
            self.retries
        } else {
            0
        };
        let mut attempt = 0;
        loop {
            let result = self.once(outgoing, proof);
            let busy = match &result {
                Ok(answer) => matches!(answer.status, 429 | 502 | 503 | 504),
                Err(error) => matches!(error, Error::Unreachable { .. }),
            };
            if !busy || attempt == retries {
                let repeated = attempt > 0 && outgoing.operation.method == Method::Delete;
                return result.map(|answer| if repeated { done(answer) } else { answer });
            }
            std::thread::sleep(self.pause * 2_u32.saturating_pow(attempt));
            attempt += 1;
        }
    }

    fn once(&self, outgoing: &Outgoing<'_>, proof: Proof<'_>) -> Result<Answer> {
        let mut request = self
            .http
            .request(method(outgoing.operation.method), outgoing.url.clone());
        for (name, value) in headers(outgoing, proof)? {
            request = request.header(name, value);
        }
        if let Some(body) = outgoing.body {
            request = request.body(body.to_vec());
        }
        let unreachable = |source| Error::Unreachable {
            origin: outgoing.url.origin().ascii_serialization(),
            source,
        };
        let response = request.send().map_err(unreachable)?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Ok(Answer {
            status: response.status().as_u16(),
            request_id: header("x-request-id"),
            subject_token: header("x-subject-token"),
            body: response.bytes().map_err(unreachable)?.to_vec(),
        })
    }
}

/// The headers of a request, the proof included; `host` is the HTTP client's business.
fn headers(outgoing: &Outgoing<'_>, proof: Proof<'_>) -> Result<Vec<(&'static str, String)>> {
    let mut headers = vec![("accept", "application/json".to_owned())];
    if outgoing.body.is_some() {
        headers.push(("content-type", "application/json;charset=utf-8".to_owned()));
    }
    if let Some(project_id) = outgoing.project_id {
        headers.push(("x-project-id", project_id.to_owned()));
    }
    if let Some(Secret(token)) = outgoing.subject_token {
        headers.push(("x-subject-token", token.clone()));
    }
    match proof {
        Proof::Nothing => {}
        Proof::Token(Secret(token)) => headers.push(("x-auth-token", token.clone())),
        Proof::Signature {
            access_key,
            secret_key,
            now,
        } => {
            headers.push((canonical::DATE_HEADER, canonical::format_date(now)));
            let signature = signature(outgoing, &headers, access_key, secret_key)?;
            headers.push(("authorization", signature));
        }
    }
    Ok(headers)
}

fn signature(
    outgoing: &Outgoing<'_>,
    headers: &[(&'static str, String)],
    access_key: &str,
    secret_key: &Secret,
) -> Result<String> {
    let host = host(outgoing.url);
    let lookup = |name: &str| match name {
        "host" => Some(Cow::Borrowed(host.as_str())),
        _ => headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| Cow::Borrowed(value.as_str())),
    };
    let signed: Vec<&str> = headers
        .iter()
        .map(|(name, _)| *name)
        .chain(std::iter::once("host"))
        .collect();
    let request = sign::Request {
        method: outgoing.operation.method.as_str(),
        path: outgoing.url.path(),
        query: outgoing.url.query().unwrap_or_default(),
        headers: &lookup,
        body: BodyHash::of(outgoing.body.unwrap_or_default()),
    };
    Ok(sign::sign(&request, &signed, access_key, &secret_key.0)?)
}

/// The header `Host` as it will be sent: with the port unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A repeated deletion that finds nothing has been done by a request whose answer was lost.
fn done(answer: Answer) -> Answer {
    if answer.status == 404 {
        Answer {
            status: 204,
            body: Vec::new(),
            ..answer
        }
    } else {
        answer
    }
}

const fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}
