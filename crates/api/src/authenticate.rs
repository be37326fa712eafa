//! Proves who calls: by token, or by a signature over the raw request.
//!
//! A token comes before a signature: when both are there, a client that signs everything has
//! fetched a token and means it. What a signature is for is told by `X-Project-Id`, else by the
//! project in the path, else by `X-Domain-Id`; some clients add these headers after signing, so
//! they may choose among what the key's user may enter and nothing else.

use std::{borrow::Cow, sync::Arc};

use strongroom_control::{
    Error,
    identity::{Named, ProjectName, ScopeWish, Session},
};
use strongroom_model::AccessKeyId;
use strongroom_wire::sign::{self, Authorization, BodyHash, Payload, SignError};

use crate::{cloud::Cloud, failure::Failure, request::Request};

/// Proves who calls; `project` is the one in the path, if there is one.
pub(crate) fn authenticate(
    cloud: &Cloud,
    request: &Request,
    project: Option<&str>,
) -> Result<Arc<Session>, Failure> {
    if let Some(token) = request.header("x-auth-token") {
        return Ok(cloud.identity.session(token)?);
    }
    let Some(header) = request.header("authorization") else {
        return Err(Failure::unauthenticated(
            "there is no token and no signature",
        ));
    };
    let authorization = Authorization::parse(header).map_err(|error| wrong(&error))?;
    let access = AccessKeyId(authorization.access_key.to_owned());
    let key = cloud.identity.signing_key(&access)?;
    let headers = |name: &str| value(request, name);
    let signed = sign::Request {
        method: request.method.as_str(),
        path: request.uri.path(),
        query: request.uri.query().unwrap_or_default(),
        headers: &headers,
        body: BodyHash::of(&request.body),
    };
    let now = cloud.clock.now().as_seconds();
    let payload =
        sign::verify(&authorization, &signed, &key.secret, now).map_err(|error| wrong(&error))?;
    if payload == Payload::Unsigned && !request.body.is_empty() {
        return Err(Failure::unauthenticated(
            "the signature does not cover the body",
        ));
    }
    match cloud.identity.session_of_key(&key, &wish(request, project)) {
        Err(Error::Forbidden { .. }) => Err(Failure::OtherProject),
        proven => Ok(proven?),
    }
}

fn wish(request: &Request, project: Option<&str>) -> ScopeWish {
    let named = |text: &str| text.to_owned();
    if let Some(id) = request.header("x-project-id").or(project) {
        ScopeWish::Project(ProjectName::Id(named(id)))
    } else if let Some(id) = request.header("x-domain-id") {
        ScopeWish::Domain(Named::Id(named(id)))
    } else {
        ScopeWish::Unscoped
    }
}

fn value<'a>(request: &'a Request, name: &str) -> Option<Cow<'a, str>> {
    request
        .headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// What is wrong with a signature helps its sender and nobody else.
fn wrong(error: &SignError) -> Failure {
    Failure::Unauthenticated(error.to_string().into())
}
