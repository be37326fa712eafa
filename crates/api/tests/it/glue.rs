//! The glue alone, with a service of its own: the order of the steps and the ways to fail.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request as HttpRequest};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_api::{
    call::{Answer, Call},
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::{BODY_BYTES_MAX, Request},
    service::{App, Outcome, Service},
};
use strongroom_control::identity::{Domain, Project, Role, Scope, Session, User};
use strongroom_model::{DomainId, ProjectId, Timestamp, UserId};
use strongroom_wire::{
    Availability, Empty, Method, Operation, OperationInfo, Service as Of, path::AnyPath,
    query::NoQuery,
};
use tower::ServiceExt as _;

/// Keeps what the glue tells it.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl App for Notes {
    fn new_request_id(&self) -> String {
        "r".repeat(32)
    }

    fn authenticate(
        &self,
        request: &Request,
        project: Option<&str>,
    ) -> Result<Arc<Session>, Failure> {
        self.0
            .lock()
            .unwrap()
            .push(format!("authenticate for {project:?}"));
        match request.header("x-auth-token") {
            Some("good") => Ok(Arc::new(session())),
            _ => Err(Failure::unauthenticated("no")),
        }
    }

    fn admit(&self, _: &Session) -> Result<(), Failure> {
        Ok(())
    }

    fn finished(&self, outcome: &Outcome<'_>) {
        let name = outcome.operation.map_or("none", |operation| operation.name);
        let proven = outcome.session.is_some();
        let status = outcome.status.as_u16();
        self.0
            .lock()
            .unwrap()
            .push(format!("{name} {status} proven: {proven}"));
    }
}

fn session() -> Session {
    let domain = Domain {
        id: DomainId::from_bytes([1; 16]),
        name: "d".to_owned(),
    };
    let created_at = Timestamp::from_micros(0);
    Session {
        user: User {
            id: UserId::from_bytes([2; 16]),
            name: "u".to_owned(),
            domain_id: domain.id,
            enabled: true,
            is_admin: false,
            created_at,
        },
        scope: Scope::Project(Project {
            id: ProjectId::from_bytes([3; 16]),
            name: "p".to_owned(),
            domain_id: domain.id,
            enabled: true,
            created_at,
        }),
        domain,
        roles: vec![Role::Member],
        policies: Vec::new(),
        methods: Vec::new(),
        issued_at: created_at,
        expires_at: created_at,
    }
}

struct Plain;

impl Dialect for Plain {
    fn service(&self) -> &'static str {
        "plain"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        let status = match failure {
            Failure::NoSuchApi => 404,
            Failure::BodyTooLarge => 413,
            Failure::Unauthenticated(_) => 401,
            Failure::OtherProject => 403,
            Failure::Malformed { .. } => 400,
            _ => 500,
        };
        let body = json!({ "no": failure.to_string(), "path": request.uri.path() });
        Refusal {
            status: status.try_into().unwrap(),
            code: status.to_string(),
            body,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Words {
    words: String,
}

macro_rules! operation {
    ($name:ident, $method:ident $path:literal, $body:ty, $reply:ty, $public:literal) => {
        enum $name {}

        impl Operation for $name {
            const SERVICE: Of = Of::Cbr;
            const NAME: &'static str = stringify!($name);
            const METHOD: Method = Method::$method;
            const PATH: &'static str = $path;
            const ACTION: &'static str = "plain:things:do";
            const SUCCESS: u16 = 200;
            const STATUS: Availability = Availability::Working;
            const PUBLIC: bool = $public;
            type Path = AnyPath;
            type Query = NoQuery;
            type Body = $body;
            type Reply = $reply;
        }
    };
}

operation!(Say, Post "/v3/{project_id}/things/{key}/say", Words, Words, false);
operation!(Fall, Get "/fall", Empty, Empty, true);
operation!(Hush, Delete "/hush", Empty, Empty, true);

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
fn say(_: &Notes, call: &Call<Say>) -> Result<Answer<Words>, Failure> {
    let words = format!("{} said {}", call.path["key"], call.body.words);
    let headers = vec![("x-said".parse().unwrap(), "yes".parse().unwrap())];
    Ok(Answer {
        reply: Words { words },
        headers,
    })
}

fn fall(_: &Notes, _: &Call<Fall>) -> Result<Empty, Failure> {
    panic!("the handler fell")
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
fn hush(_: &Notes, _: &Call<Hush>) -> Result<Empty, Failure> {
    Ok(Empty)
}

struct Glue {
    notes: Arc<Notes>,
    router: Router,
    runtime: tokio::runtime::Runtime,
}

const OWN: &str = "/v3/03030303030303030303030303030303/things/x/say";

impl Glue {
    fn new() -> Self {
        let notes = Arc::new(Notes::default());
        let service = Service::new(Arc::clone(&notes), Plain);
        let router = service.serve(say).serve(fall).serve(hush).finish(&[]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        Self {
            notes,
            router,
            runtime,
        }
    }

    fn send(&self, method: &str, uri: &str, token: &str, body: Body) -> (u16, HeaderMap, Bytes) {
        let request = HttpRequest::builder()
            .method(method)
            .uri(uri)
            .header("x-auth-token", token)
            .body(body)
            .unwrap();
        self.runtime.block_on(async {
            let reply = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = reply.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            (parts.status.as_u16(), parts.headers, bytes)
        })
    }

    fn status(&self, method: &str, uri: &str, token: &str, body: &str) -> u16 {
        let (status, headers, bytes) = self.send(method, uri, token, body.to_owned().into());
        assert_eq!(headers["x-request-id"], "r".repeat(32).as_str());
        if status != 200 {
            let body: Value = serde_json::from_slice(&bytes).expect("every refusal is JSON");
            assert_eq!(body["path"], uri.split('?').next().unwrap());
        }
        status
    }

    fn noted(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.0.lock().unwrap())
    }
}

#[test]
fn a_call_goes_through_all_steps_and_is_noted() {
    let glue = Glue::new();
    let uri = OWN.replace("/x/", "/a%20key%2Fx/");
    let (status, headers, body) = glue.send("POST", &uri, "good", r#"{"words":"ü"}"#.into());
    assert_eq!((status, &headers["x-said"]), (200, &"yes".parse().unwrap()));
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap()["words"],
        "a key/x said ü"
    );
    assert_eq!(
        glue.noted(),
        [
            "authenticate for Some(\"03030303030303030303030303030303\")",
            "Say 200 proven: true"
        ]
    );
}

#[test]
fn who_calls_is_asked_before_what_is_said_is_looked_at() {
    let glue = Glue::new();
    assert_eq!(glue.status("POST", OWN, "bad", "not json"), 401);
    let foreign = OWN.replace("03030303030303030303030303030303", &"f".repeat(32));
    assert_eq!(glue.status("POST", &foreign, "good", "not json"), 403);
    assert_eq!(glue.status("POST", OWN, "good", "not json"), 400);
    assert_eq!(glue.status("POST", OWN, "good", ""), 400);
    assert_eq!(glue.status("POST", OWN, "good", r#"{"words":7}"#), 400);
    assert_eq!(
        glue.status("POST", &OWN.replace("/x/", "/%ff/"), "good", "{}"),
        400
    );
    let noted = glue.noted();
    assert!(noted.contains(&"Say 401 proven: false".to_owned()));
    assert!(noted.contains(&"Say 403 proven: true".to_owned()));
}

#[test]
fn unknown_paths_and_wrong_methods_are_answered_in_the_dialect() {
    let glue = Glue::new();
    for (method, uri) in [
        ("GET", "/nowhere"),
        ("GET", OWN),
        ("POST", "/hush"),
        ("PATCH", "/"),
    ] {
        assert_eq!(glue.status(method, uri, "good", ""), 404);
    }
    // A closing slash is the same path, and nothing is asked of a body that nobody reads.
    assert_eq!(glue.status("DELETE", "/hush/", "", "not json"), 200);
    assert_eq!(glue.noted().len(), 5);
}

#[test]
fn an_empty_reply_has_no_body_and_no_type() {
    let (status, headers, body) = Glue::new().send("DELETE", "/hush", "", Body::empty());
    assert_eq!((status, body.len()), (200, 0));
    assert!(!headers.contains_key("content-type"));
}

#[test]
fn a_panic_costs_one_request() {
    let glue = Glue::new();
    assert_eq!(glue.status("GET", "/fall", "", ""), 500);
    assert_eq!(glue.status("DELETE", "/hush", "", ""), 200);
    assert_eq!(
        glue.noted(),
        ["Fall 500 proven: false", "Hush 200 proven: false"]
    );
}

#[test]
fn twelve_megabytes_are_read_and_one_byte_more_is_refused() {
    let glue = Glue::new();
    let frame = r#"{"words":""}"#.len();
    let words = "x".repeat(BODY_BYTES_MAX - frame);
    let body = format!(r#"{{"words":"{words}"}}"#);
    assert_eq!(glue.status("POST", OWN, "good", &body), 200);
    assert_eq!(glue.status("POST", OWN, "good", &format!("{body} ")), 413);
    // Nothing is promised by Content-Length: chunks are counted as they come.
    let chunks = (0..14).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20])));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    assert_eq!(glue.send("POST", OWN, "good", body).0, 413);
    // Paths that are no operation's are no way around it.
    assert_eq!(
        glue.status("POST", "/nowhere", "", &" ".repeat(BODY_BYTES_MAX + 1)),
        413
    );
}

#[test]
fn more_large_bodies_than_are_held_at_once_wait_for_each_other() {
    let glue = Glue::new();
    let body = format!(r#"{{"words":"{}"}}"#, "x".repeat(1 << 20));
    let call = |_| {
        let request = HttpRequest::post(OWN).header("x-auth-token", "good");
        let request = request.body(Body::from(body.clone())).unwrap();
        let router = glue.router.clone();
        async move { router.oneshot(request).await.unwrap().status().as_u16() }
    };
    let calls = futures_util::future::join_all((0..40).map(call));
    assert_eq!(glue.runtime.block_on(calls), [200; 40]);
}

#[test]
#[should_panic(expected = "Say is declared as working but has no handler")]
fn a_service_that_forgets_an_operation_cannot_be_built() {
    static TABLE: [OperationInfo; 1] = [OperationInfo::of::<Say>("")];
    let service = Service::new(Arc::new(Notes::default()), Plain);
    let _ = service.serve(fall).finish(&[&TABLE]);
}
