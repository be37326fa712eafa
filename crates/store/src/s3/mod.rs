//! Keeps objects in a bucket of an S3-compatible server.
//!
//! A create is one PUT with `If-None-Match: *`; that a server honours it is not believed but tried
//! (`Store::probe`). Large objects go up in parts, several at once, and only under names made from
//! their content: servers differ in whether a condition holds for a multipart upload, and for such
//! an object it does not matter who wins. The rest of the program is synchronous; requests run on
//! two threads shared by all stores of the process.
//!
//! Invariant: one call makes one attempt; only parts of an upload are retried here.

mod address;
mod lock;
mod refusal;

use std::{future::Future, ops::Range, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    Certificate, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut},
    list::{PaginatedListOptions, PaginatedListStore},
    multipart::{MultipartStore, PartId},
    path::Path,
};
use strongroom_model::Timestamp;
use tokio::runtime::Runtime;

use self::{
    address::{Address, refused},
    lock::Locks,
    refusal::{Connector, kind_of},
};
use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    key::Key,
    retry::{RetryPolicy, jittered},
    runtime::runtime,
    store::{Backend, Listing, Visit, same_length},
};

/// Objects longer than this go up in parts of this size.
const PART: usize = 8 * 1024 * 1024;
/// Most parts an upload may have, by the protocol.
const PARTS_MAX: usize = 10_000;
/// Parts of one object on the wire at once.
const PARTS_AT_ONCE: usize = 4;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of the server, and so also the longest time for sending one part.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// Longest time for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(10);

/// A prefix in a bucket.
pub(crate) struct S3 {
    client: AmazonS3,
    locks: Locks,
    address: Address,
    runtime: &'static Runtime,
}

impl S3 {
    /// The store that `url` names, with credentials from `environment`; makes no request.
    pub(crate) fn new(url: &str, environment: &Environment) -> Result<Self> {
        let address = Address::parse(url, environment)?;
        let (Some(key_id), Some(secret)) =
            (&environment.access_key_id, &environment.secret_access_key)
        else {
            return Err(Error::new(ErrorKind::Denied)
                .because("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        };
        let mut options = ClientOptions::new()
            .with_allow_http(address.is_plain())
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_read_timeout(SILENCE_MAX)
            .with_timeout(REQUEST_TIMEOUT);
        if let Some(file) = &environment.authorities {
            for authority in authorities(file)? {
                options = options.with_root_certificate(authority);
            }
        }
        let once = RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&address.bucket)
            .with_region(&address.region)
            .with_access_key_id(key_id)
            .with_secret_access_key(secret)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_virtual_hosted_style_request(false)
            .with_client_options(options.clone())
            .with_retry(once)
            .with_http_connector(Connector);
        if let Some(token) = &environment.session_token {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &address.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        let client = builder.build().map_err(refused)?;
        let locks = Locks::new(&address, environment, &options)?;
        Ok(Self {
            client,
            locks,
            address,
            runtime: runtime()?,
        })
    }

    fn path(&self, key: &Key) -> Path {
        let full = self.full(key.as_str());
        Path::parse(full).expect("a key below a checked prefix is a path")
    }

    fn full(&self, name: &str) -> String {
        match self.address.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    fn wait<T>(
        &self,
        key: &Key,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T> {
        self.runtime
            .block_on(request)
            .map_err(|error| failed(error).at(key))
    }

    async fn upload(&self, path: &Path, bytes: &[u8]) -> object_store::Result<()> {
        let size = bytes.len().div_ceil(PARTS_MAX).max(PART);
        let upload = self.client.create_multipart(path).await?;
        let parts: object_store::Result<Vec<PartId>> = stream::iter(bytes.chunks(size).enumerate())
            .map(|(number, part)| self.upload_part(path, &upload, number, part))
            .buffered(PARTS_AT_ONCE)
            .try_collect()
            .await;
        let done = match parts {
            Ok(parts) => self.client.complete_multipart(path, &upload, parts).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // Parts of an abandoned upload cost space. If this fails too, the bucket's own rule
            // for unfinished uploads has to remove them.
            if let Err(abort) = self.client.abort_multipart(path, &upload).await {
                tracing::warn!(%path, %abort, "an unfinished upload stays behind");
            }
            return Err(error);
        }
        Ok(())
    }

    async fn upload_part(
        &self,
        path: &Path,
        upload: &String,
        number: usize,
        part: &[u8],
    ) -> object_store::Result<PartId> {
        let payload = PutPayload::from(Bytes::copy_from_slice(part));
        for wait in RetryPolicy::default().waits() {
            match self
                .client
                .put_part(path, upload, number, payload.clone())
                .await
            {
                Err(error) if kind_of(&error).is_retryable() => {
                    tracing::warn!(%path, number, %error, "a part failed; sending it again");
                    tokio::time::sleep(jittered(wait)).await;
                }
                done => return done,
            }
        }
        self.client.put_part(path, upload, number, payload).await
    }
}

impl Backend for S3 {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let path = self.path(key);
        let payload = PutPayload::from(Bytes::copy_from_slice(bytes));
        let options = PutOptions::from(PutMode::Create);
        let done = self.wait(key, self.client.put_opts(&path, payload, options));
        done.map(drop).map_err(unwritten)
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        if bytes.len() <= PART {
            return match self.create_new(key, bytes) {
                Err(error) if error.kind == ErrorKind::AlreadyExists => {
                    same_length(key, self.size(key)?, bytes)
                }
                done => done,
            };
        }
        match self.size(key) {
            Ok(found) => same_length(key, found, bytes),
            Err(error) if error.kind == ErrorKind::NotFound => self
                .wait(key, self.upload(&self.path(key), bytes))
                .map_err(unwritten),
            Err(error) => Err(error),
        }
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let path = self.path(key);
        self.wait(key, async { self.client.get(&path).await?.bytes().await })
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        self.wait(key, self.client.get_range(&self.path(key), range))
    }

    fn size(&self, key: &Key) -> Result<u64> {
        Ok(self.wait(key, self.client.head(&self.path(key)))?.size)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let (base, prefix) = (self.full(""), self.full(listing.prefix));
        let mut offset = listing.after.map(|key| self.full(key.as_str()));
        let mut page_token = None;
        let mut last = None;
        loop {
            let (offset, page_token_now) = (offset.take(), page_token.take());
            let options = PaginatedListOptions {
                offset,
                page_token: page_token_now,
                ..PaginatedListOptions::default()
            };
            let request = self.client.list_paginated(Some(&prefix), options);
            let page = self.runtime.block_on(request).map_err(failed)?;
            for object in page.result.objects {
                let name = object.location.as_ref().strip_prefix(&base);
                // What is no key of ours was put there by somebody else.
                let Some(key) = name.and_then(|name| Key::new(name).ok()) else {
                    continue;
                };
                if last.as_ref().is_some_and(|last| *last >= key) {
                    let cause = "the server lists objects out of order, or twice";
                    return Err(Error::new(ErrorKind::Unsupported).at(&key).because(cause));
                }
                last = Some(key.clone());
                visit(key, object.size)?;
            }
            match page.page_token {
                Some(token) => page_token = Some(token),
                None => return Ok(()),
            }
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        match self.wait(key, self.client.delete(&self.path(key))) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn retains(&self) -> Result<bool> {
        self.runtime.block_on(self.locks.offered())
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        let name = self.full(key.as_str());
        let retained = self.locks.retain(&name, until);
        self.runtime
            .block_on(retained)
            .map_err(|error| error.at(key))
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        let name = self.full(key.as_str());
        let asked = self.locks.retained_until(&name);
        self.runtime.block_on(asked).map_err(|error| error.at(key))
    }

    fn describe(&self) -> String {
        self.address.describe()
    }
}

/// The certificates of a file, of which there must be one at least.
fn authorities(file: &std::path::Path) -> Result<Vec<Certificate>> {
    let broken = |why: &str| {
        refused(format!(
            "STRONGROOM_S3_CA names {}, which {why}",
            file.display()
        ))
    };
    let text = std::fs::read(file).map_err(|error| broken(&format!("cannot be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&text)
        .map_err(|_| broken("holds no certificates in PEM form"))?;
    if found.is_empty() {
        return Err(broken("holds no certificates in PEM form"));
    }
    Ok(found)
}

fn failed(error: object_store::Error) -> Error {
    Error::new(kind_of(&error)).because(error)
}

/// A write cannot fail for want of the object: then it is the bucket that is missing.
fn unwritten(mut error: Error) -> Error {
    if error.kind == ErrorKind::NotFound {
        error.kind = ErrorKind::Other;
    }
    error
}

#[cfg(test)]
mod tests;
