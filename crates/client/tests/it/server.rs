//! A server that answers what a test tells it, and remembers what it was asked.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use serde_json::{Value, json};
use strongroom_client::{Client, Credentials, Endpoints, Options, client::Now};
use strongroom_wire::sign::{Authorization, BodyHash, Payload, Request, SignError, verify};

pub(crate) const NOW: i64 = 1_767_582_855;

/// What the server was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn check_signature(&self, secret: &str) -> Result<Payload, SignError> {
        let mut line = self.line.split(' ');
        let (method, target) = (line.next().unwrap(), line.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = |name: &str| self.headers.get(name).map(|v| Cow::Borrowed(v.as_str()));
        let body = BodyHash::of(self.body.as_bytes());
        let request = Request {
            method,
            path,
            query,
            headers: &headers,
            body,
        };
        let authorization = Authorization::parse(self.header("authorization"))?;
        verify(&authorization, &request, secret, NOW)
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a body; a text body goes out as it is.
    Say(u16, Value),
    /// The same with a token in the header.
    Token(&'static str, Value),
    /// Nothing: the connection is cut.
    Cut,
}

/// A running server. It stops with the test's process.
pub(crate) struct Server {
    pub(crate) origin: String,
    asked: Arc<Mutex<mpsc::Receiver<Asked>>>,
}

impl Server {
    /// Answers the requests in turn; the last answer holds for all that follow.
    pub(crate) fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (send, asked) = mpsc::channel();
        let mut answers = answers.to_vec();
        answers.reverse();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(asked) = read(&stream) else { continue };
                // Told before it is answered: the test may look as soon as it has the answer.
                send.send(asked).unwrap();
                answer(&stream, answers.last().unwrap());
                if answers.len() > 1 {
                    answers.pop();
                }
            }
        });
        Self {
            origin,
            asked: Arc::new(Mutex::new(asked)),
        }
    }

    /// What was asked so far, oldest first.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let first = asked.recv_timeout(Duration::from_secs(5)).unwrap();
        std::iter::once(first).chain(asked.try_iter()).collect()
    }

    pub(crate) fn client(&self, credentials: Credentials) -> Client {
        let origins = ["identity", "cbr"].map(|name| (name.to_owned(), self.origin.clone()));
        let endpoints = Endpoints {
            region: "r-1".to_owned(),
            origins: origins.into(),
        };
        Client::new(endpoints, credentials, options()).unwrap()
    }
}

pub(crate) fn options() -> Options {
    let now = Now(Arc::new(|| NOW));
    Options {
        pause: Duration::ZERO,
        now,
        ..Options::default()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut asked = Asked::default();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.trim_end().clone_into(&mut asked.line);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        asked.headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length: u64 = asked.header("content-length").parse().unwrap_or_default();
    reader.take(length).read_to_string(&mut asked.body).ok()?;
    Some(asked)
}

fn answer(mut stream: &TcpStream, answer: &Answer) {
    let (status, token, body) = match answer {
        Answer::Say(status, body) => (*status, "", body),
        Answer::Token(token, body) => (201, *token, body),
        Answer::Cut => return,
    };
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let length = match status {
        204 => String::new(),
        _ => format!("content-length: {}\r\n", text.len()),
    };
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nconnection: close\r\nx-request-id: r-7\r\n\
         x-subject-token: {token}\r\n{length}\r\n{text}"
    )
    .unwrap();
}

/// The answer of `ShowBackup`, from the vendor's document.
pub(crate) fn backup() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/wire/cbr/ShowBackup/reply.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn token(project: &str) -> Value {
    let domain = json!({"id": "d", "name": "acme"});
    json!({"token": {
        "expires_at": "2026-01-06T03:14:15.000000Z", "issued_at": "2026-01-05T03:14:15.000000Z",
        "methods": ["password"], "roles": [],
        "project": {"id": project, "name": "r-1", "domain": domain},
        "user": {"id": "u", "name": "admin", "password_expires_at": "", "domain": domain},
    }})
}
