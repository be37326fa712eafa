//! Plain HTTP calls with a token, as somebody with `curl` and the vendor's pages would make them.

use std::fs;

use anyhow::{Context, Result, bail};
use reqwest::{
    Certificate, Method,
    blocking::{Client, RequestBuilder},
};
use serde_json::{Value, json};

use crate::service::Service;

/// A signed-in caller.
#[derive(Debug)]
pub struct Session {
    http: Client,
    endpoints: Value,
    token: String,
    project: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; null if there was none.
    pub body: Value,
}

impl Answer {
    /// Fails unless it is a refusal with that code; what it says.
    pub fn must_refuse(&self, status: u16, code: &str) -> &str {
        let body = &self.body;
        assert_eq!(
            (self.status, &body["error_code"]),
            (status, &json!(code)),
            "{body}"
        );
        body["error_msg"].as_str().unwrap_or_default()
    }
}

impl Session {
    /// Signs in as the administrator whom the service made when it first started.
    pub fn admin(service: &Service) -> Result<Self> {
        let admin = service.file("admin.json")?;
        let endpoints = service.file("endpoints.json")?;
        let mut http = Client::builder();
        if let Some(ca) = admin["ca_file"].as_str() {
            http = http.add_root_certificate(Certificate::from_pem(&fs::read(ca)?)?);
        }
        let http = http.build()?;
        let url = format!("{}/v3/auth/tokens", text(&endpoints["identity"])?);
        let answer = http.post(url).json(&password_sign_in(&admin)).send()?;
        let token = answer
            .headers()
            .get("X-Subject-Token")
            .context("signing in gave no token")?
            .to_str()?
            .to_owned();
        let project = text(&admin["project_id"])?.to_owned();
        Ok(Self {
            http,
            endpoints,
            token,
            project,
        })
    }

    /// The token of the session.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The project of the session.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Calls CBR; `{project}` in the path becomes the session's project.
    pub fn cbr(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.call("cbr", method, path, body)
    }

    /// A GET of CBR that must succeed.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.get_of("cbr", path)
    }

    /// A GET of any service that must succeed.
    pub fn get_of(&self, service: &str, path: &str) -> Result<Value> {
        let answer = self.call(service, "GET", path, None)?;
        if answer.status != 200 {
            bail!("GET {path} answered {} {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }

    /// A POST to CBR that must succeed.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.cbr("POST", path, Some(body))?;
        if !(200..300).contains(&answer.status) {
            bail!("POST {path} answered {} {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }

    /// Calls any service by its name in `endpoints.json`.
    pub fn call(
        &self,
        service: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let request = self.request(service, method, path)?;
        let request = request.header("X-Auth-Token", &self.token);
        send(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// A request without credentials, for who wants to send his own or none.
    pub fn request(&self, service: &str, method: &str, path: &str) -> Result<RequestBuilder> {
        let origin = text(&self.endpoints[service])?;
        let path = path.replace("{project}", &self.project);
        let method = Method::from_bytes(method.as_bytes())?;
        Ok(self.http.request(method, format!("{origin}{path}")))
    }
}

/// Sends the request and reads the whole answer.
pub fn send(request: RequestBuilder) -> Result<Answer> {
    let answer = request.send()?;
    let status = answer.status().as_u16();
    let text = answer.text()?;
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).with_context(|| format!("{status} is not JSON: {text}"))?
    };
    Ok(Answer { status, body })
}

fn password_sign_in(admin: &Value) -> Value {
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": admin["user"], "password": admin["password"],
            "domain": {"name": admin["domain"]},
        }}},
        "scope": {"project": {"id": admin["project_id"]}},
    }})
}

/// The value, which must be text.
pub fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("{value} is not text"))
}
