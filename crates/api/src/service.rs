//! One vendor service: a route per declared operation, and one order of steps for all of them.
//!
//! A handler is a plain function `fn(&App, &Call<ShowBackup>) -> Result<ShowBackupReply, Failure>`;
//! its argument names the operation, so the router line is `.serve(backups::show)` and a handler
//! with the wrong reply does not compile. Everything below HTTP is synchronous: once the body is
//! read, the rest of a request runs on one blocking thread, and a panic there costs that request
//! alone. What looks at a few rows by their keys ([`Service::look`]) is done before another thread
//! would have woken up, so it is answered on the connection's own, unless it would have to wait
//! there for others (docs/adr/0027-sessions.md).
//!
//! Invariant: an operation of the service's table is always routed. [`Service::finish`] adds those
//! that do not work yet (they answer so, after full authentication) and refuses to build a
//! service that forgot one that works.

use std::{collections::HashSet, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{MethodFilter, on},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use strongroom_control::identity::Session;
use strongroom_wire::{
    Availability, Method, Operation, OperationInfo, Service as Vendor, path::PathParameters as _,
    query::QueryParameters as _,
};

use crate::{
    authorize::authorize,
    call::{Answer, Call, IntoAnswer},
    dialect::Dialect,
    failure::Failure,
    request::{Held, Request, read_body},
};

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the glue needs from the application behind it.
pub trait App: Send + Sync + 'static {
    /// A fresh name for a request.
    fn new_request_id(&self) -> String;

    /// Proves who calls. `project` is the one in the path, if the operation's path has one.
    fn authenticate(
        &self,
        request: &Request,
        project: Option<&str>,
    ) -> Result<Arc<Session>, Failure>;

    /// Whether a call that only looks would find nobody to wait for.
    fn is_free(&self) -> bool {
        true
    }

    /// Lets a proven caller go on, or says that it asks too often.
    fn admit(&self, session: &Session) -> Result<(), Failure>;

    /// A reply as the service writes it.
    fn write<R: Serialize>(&self, _service: Vendor, reply: &R) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(reply)
    }

    /// Notes what became of a call: log, audit trail, metrics.
    fn finished(&self, outcome: &Outcome<'_>);
}

/// What became of a call.
pub struct Outcome<'a> {
    /// The service's short name.
    pub service: &'static str,
    /// The operation; absent if there is none for the path.
    pub operation: Option<&'a OperationInfo>,
    /// The request.
    pub request: &'a Request,
    /// Who called, once proven.
    pub session: Option<&'a Session>,
    /// The status of the reply.
    pub status: StatusCode,
    /// The vendor's code and the cause, if it was refused.
    pub refused: Option<(&'a str, &'a Failure)>,
}

type Respond<A> = Box<dyn Fn(&A, Proved) -> Result<Reply, Failure> + Send + Sync>;

/// A request, the variable segments of its path, and who sent it.
struct Proved {
    request: Arc<Request>,
    segments: Vec<(&'static str, String)>,
    session: Option<Arc<Session>>,
}

struct Reply {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Vec<u8>>,
}

struct Route<A> {
    info: OperationInfo,
    respond: Respond<A>,
    /// Whether it only looks at a few rows by their keys.
    looks: bool,
}

struct Shared<A> {
    app: Arc<A>,
    dialect: Box<dyn Dialect>,
}

/// Builds the router of one vendor service.
pub struct Service<A> {
    shared: Arc<Shared<A>>,
    router: Router,
    routed: HashSet<(&'static str, String)>,
}

impl<A: App> Service<A> {
    /// A service without operations.
    pub fn new(app: Arc<A>, dialect: impl Dialect) -> Self {
        let shared = Arc::new(Shared {
            app,
            dialect: Box::new(dialect),
        });
        Self {
            shared,
            router: Router::new(),
            routed: HashSet::new(),
        }
    }

    /// Serves the operation that `handler` takes a call of.
    #[must_use]
    pub fn serve<O, H, R>(self, handler: H) -> Self
    where
        O: Operation,
        H: Fn(&A, &Call<O>) -> Result<R, Failure> + Send + Sync + 'static,
        R: IntoAnswer<O::Reply>,
    {
        self.route(OperationInfo::of::<O>(""), answering(handler), false)
    }

    /// The same for a handler that changes nothing and reads a few rows by their keys, however
    /// much there is: nothing that takes longer than to hand it to another thread.
    #[must_use]
    pub fn look<O, H, R>(self, handler: H) -> Self
    where
        O: Operation,
        H: Fn(&A, &Call<O>) -> Result<R, Failure> + Send + Sync + 'static,
        R: IntoAnswer<O::Reply>,
    {
        self.route(OperationInfo::of::<O>(""), answering(handler), true)
    }

    /// Serves what is no operation of any vendor and needs no proof: probes of an orchestrator.
    #[must_use]
    pub fn probe<F>(mut self, path: &str, look: F) -> Self
    where
        F: Fn(&A) -> (StatusCode, serde_json::Value) + Clone + Send + Sync + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let endpoint = move || async move {
            let id = shared.app.new_request_id();
            let app = Arc::clone(&shared.app);
            let looked = tokio::task::spawn_blocking(move || look(&app)).await;
            let failed = (StatusCode::INTERNAL_SERVER_ERROR, serde_json::json!({}));
            let (status, body) = looked.unwrap_or(failed);
            let reply = Reply {
                headers: Vec::new(),
                body: Some(body.to_string().into_bytes()),
            };
            render(status, reply, &id)
        };
        self.router = self.router.route(path, on(MethodFilter::GET, endpoint));
        self
    }

    /// Serves a page of plain text that is no operation and needs no proof: metrics.
    #[must_use]
    pub fn page<F>(mut self, path: &str, look: F) -> Self
    where
        F: Fn(&A) -> (StatusCode, String) + Clone + Send + Sync + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let endpoint = move || async move {
            let id = shared.app.new_request_id();
            let app = Arc::clone(&shared.app);
            let looked = tokio::task::spawn_blocking(move || look(&app)).await;
            let failed = (StatusCode::INTERNAL_SERVER_ERROR, String::new());
            let (status, text) = looked.unwrap_or(failed);
            let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            let reply = Reply {
                headers: vec![(header::CONTENT_TYPE, plain)],
                body: Some(text.into_bytes()),
            };
            render(status, reply, &id)
        };
        self.router = self.router.route(path, on(MethodFilter::GET, endpoint));
        self
    }

    /// The router: with the operations of `table` that do not work yet, and with every other
    /// path and method answered in the service's dialect.
    ///
    /// # Panics
    ///
    /// If an operation of `table` works but was not served: a mistake in this crate.
    pub fn finish(mut self, tables: &[&'static [OperationInfo]]) -> Router {
        for info in tables.iter().flat_map(|table| table.iter()) {
            if self.routed.contains(&key(info)) {
                continue;
            }
            let operation = info.name;
            let respond: Respond<A> = match info.availability {
                Availability::Working => {
                    panic!("{operation} is declared as working but has no handler")
                }
                Availability::NotYet { reason } => {
                    Box::new(move |_, _| Err(Failure::NotYet { operation, reason }))
                }
                Availability::Refused { reason } => {
                    Box::new(move |_, _| Err(Failure::NotOffered { operation, reason }))
                }
            };
            self = self.route(*info, respond, false);
        }
        let (nowhere, wrong_method) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        let no_such_api = |_: &A, _: &Request| Failure::NoSuchApi;
        self.router
            .method_not_allowed_fallback(move |request| refuse(wrong_method, request, no_such_api))
            .fallback(move |request| refuse(nowhere, request, no_such_api))
    }

    fn route(mut self, info: OperationInfo, respond: Respond<A>, looks: bool) -> Self {
        if !self.routed.insert(key(&info)) {
            return self;
        }
        let route = Arc::new(Route {
            info,
            respond,
            looks,
        });
        let shared = Arc::clone(&self.shared);
        let endpoint = move |request: axum::extract::Request| {
            handle(Arc::clone(&shared), Arc::clone(&route), request)
        };
        let method = on(filter(info.method), endpoint);
        self.router = self.router.route(info.path, method.clone());
        // Clients write both `/v3` and `/v3/`.
        if info.path != "/" {
            self.router = self.router.route(&format!("{}/", info.path), method);
        }
        self
    }
}

/// Two operations of one document may share a method and a path; they are one route.
fn key(info: &OperationInfo) -> (&'static str, String) {
    let shape = info
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    (info.method.as_str(), shape.collect::<Vec<_>>().join("/"))
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Head => MethodFilter::HEAD,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

fn answering<A, O, H, R>(handler: H) -> Respond<A>
where
    A: App,
    O: Operation,
    H: Fn(&A, &Call<O>) -> Result<R, Failure> + Send + Sync + 'static,
    R: IntoAnswer<O::Reply>,
{
    Box::new(move |app: &A, proved: Proved| {
        let call = parse::<O>(proved)?;
        let Answer { reply, headers } = handler(app, &call)?.into_answer();
        let body = if O::HAS_REPLY {
            Some(app.write(O::SERVICE, &reply).map_err(|error| {
                tracing::error!(operation = O::NAME, %error, "cannot render the reply");
                Failure::Broken
            })?)
        } else {
            None
        };
        Ok(Reply { headers, body })
    })
}

fn parse<O: Operation>(proved: Proved) -> Result<Call<O>, Failure> {
    let Proved {
        request,
        segments,
        session,
    } = proved;
    let segments: Vec<_> = segments
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let path = O::Path::from_segments(&segments).map_err(|missing| {
        tracing::error!(operation = O::NAME, %missing, "the declaration does not fit its path");
        Failure::Broken
    })?;
    let query = O::Query::parse(request.query()?)
        .map_err(|error| Failure::malformed(error.name, error.problem))?;
    let body = if O::HAS_BODY {
        request.body.as_ref()
    } else {
        b"null"
    };
    let body = serde_json::from_slice(body).map_err(|error| Failure::malformed("body", error))?;
    Ok(Call {
        path,
        query,
        body,
        session,
        request,
    })
}

/// The order of steps of every call, top to bottom.
async fn handle<A: App>(
    shared: Arc<Shared<A>>,
    route: Arc<Route<A>>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut request = Request::new(shared.app.new_request_id(), parts);
    let (held, unread) = match read_body(&request.headers, body).await {
        Ok(held) => (held, None),
        Err(failure) => (Held::default(), Some(failure)),
    };
    request.body = held.bytes.clone();
    let request = Arc::new(request);
    if route.looks && shared.app.is_free() {
        return work(&shared, &route, &request, unread);
    }
    let (fallback, info, kept) = (Arc::clone(&shared), route.info, Arc::clone(&request));
    let answered = tokio::task::spawn_blocking(move || {
        let response = work(&shared, &route, &request, unread);
        drop(held);
        response
    });
    match answered.await {
        Ok(response) => response,
        Err(_) => fallback.respond(Some(&info), &kept, None, Err(Failure::Broken)),
    }
}

/// The steps below HTTP; a panic is an answer too.
fn work<A: App>(
    shared: &Shared<A>,
    route: &Route<A>,
    request: &Arc<Request>,
    unread: Option<Failure>,
) -> Response {
    let span = tracing::info_span!("call", operation = route.info.name, request = %request.id);
    let _span = span.enter();
    let mut session = None;
    let result = if let Some(failure) = unread {
        Err(failure)
    } else {
        let app = shared.app.as_ref();
        let call = AssertUnwindSafe(|| answer(app, route, request, &mut session));
        std::panic::catch_unwind(call).unwrap_or_else(|_| {
            tracing::error!("the handler panicked");
            Err(Failure::Broken)
        })
    };
    shared.respond(Some(&route.info), request, session.as_deref(), result)
}

fn answer<A: App>(
    app: &A,
    route: &Route<A>,
    request: &Arc<Request>,
    proven: &mut Option<Arc<Session>>,
) -> Result<(StatusCode, Reply), Failure> {
    let segments = request.segments(route.info.path)?;
    if !route.info.public {
        // In identity's paths a project is what is looked at, not what is acted for.
        let tenant = |(name, _): &&(&str, String)| {
            *name == "project_id" && route.info.service != strongroom_wire::Service::Iam
        };
        let project = segments.iter().find(tenant).map(|(_, id)| id.as_str());
        let session = proven.insert(app.authenticate(request, project)?);
        if project.is_some_and(|id| !session.acts_for(id)) {
            return Err(Failure::OtherProject);
        }
        // Three operations of DBSS have the account in the project's place.
        let account = segments.iter().find(|(name, _)| *name == "domain_id");
        let of_tenant = route.info.service == strongroom_wire::Service::Dbss;
        if of_tenant && account.is_some_and(|(_, id)| !session.is_of(id)) {
            return Err(Failure::OtherProject);
        }
        app.admit(session)?;
        authorize(session, &route.info, &segments)?;
    }
    let proved = Proved {
        request: Arc::clone(request),
        segments,
        session: proven.clone(),
    };
    let reply = (route.respond)(app, proved)?;
    let status = StatusCode::from_u16(route.info.success).map_err(|_| Failure::Broken)?;
    Ok((status, reply))
}

/// Answers a request that is no operation's.
async fn refuse<A: App>(
    shared: Arc<Shared<A>>,
    request: axum::extract::Request,
    why: impl FnOnce(&A, &Request) -> Failure + Send + 'static,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut request = Request::new(shared.app.new_request_id(), parts);
    let read = read_body(&request.headers, body).await;
    let (fallback, kept) = (Arc::clone(&shared), request.clone());
    let answered = tokio::task::spawn_blocking(move || {
        let failure = match read {
            Ok(held) => {
                request.body = held.bytes.clone();
                why(&shared.app, &request)
            }
            Err(failure) => failure,
        };
        shared.respond(None, &request, None, Err(failure))
    });
    match answered.await {
        Ok(response) => response,
        Err(_) => fallback.respond(None, &kept, None, Err(Failure::Broken)),
    }
}

impl<A: App> Shared<A> {
    fn respond(
        &self,
        operation: Option<&OperationInfo>,
        request: &Request,
        session: Option<&Session>,
        result: Result<(StatusCode, Reply), Failure>,
    ) -> Response {
        let service = self.dialect.service();
        let (status, reply) = match result {
            Ok((status, reply)) => {
                let outcome = Outcome {
                    service,
                    operation,
                    request,
                    session,
                    status,
                    refused: None,
                };
                self.app.finished(&outcome);
                (status, reply)
            }
            Err(failure) => {
                let refusal = self.dialect.render(&failure, request);
                let refused = Some((refusal.code.as_str(), &failure));
                let status = refusal.status;
                let outcome = Outcome {
                    service,
                    operation,
                    request,
                    session,
                    status,
                    refused,
                };
                self.app.finished(&outcome);
                let body = Some(refusal.body.to_string().into_bytes());
                let headers = retry_after(&failure).into_iter().collect();
                (status, Reply { headers, body })
            }
        };
        render(status, reply, &request.id)
    }
}

/// When to try again, for those who asked too often.
fn retry_after(failure: &Failure) -> Option<(HeaderName, HeaderValue)> {
    let Failure::Throttled { seconds } = failure else {
        return None;
    };
    Some((header::RETRY_AFTER, HeaderValue::from(*seconds)))
}

fn render(status: StatusCode, reply: Reply, request_id: &str) -> Response {
    let has_body = reply.body.is_some();
    let mut response = Response::new(reply.body.map_or_else(Body::empty, Body::from));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    // Replies carry tokens and secrets; nothing between us and the client may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A reply's own headers take the place of these.
    for (name, value) in reply.headers {
        headers.insert(name, value);
    }
    response
}
