//! A cloud in a box: the real routers over a real catalog in memory, with a clock that stands
//! still and the same randomness in every run.

use std::{borrow::Cow, collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use strongroom_api::{Cloud, Endpoints, cbr, dbss, ddm, eps, iam, limit::Limit, metrics::Metrics};
use strongroom_catalog::Catalog;
use strongroom_control::{
    Control, MasterKey, Parts,
    identity::{FirstStart, Identity, NewUser, Project, Role, User},
    stores_below,
};
use strongroom_jobs::Options;
use strongroom_model::Clock as _;
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use strongroom_wire::{
    OperationInfo, Service, definitions,
    flavor::Flavor,
    sign::{self, BodyHash, canonical::format_date},
};
use tower::ServiceExt as _;

/// A cloud in a box.
pub(crate) struct TestCloud {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) first: FirstStart,
    origins: BTreeMap<&'static str, Router>,
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
}

/// Somebody with a project, a token for it and an access key.
pub(crate) struct Tenant {
    pub(crate) user: User,
    pub(crate) project: Project,
    pub(crate) token: String,
    pub(crate) access: String,
    pub(crate) secret: String,
}

/// A reply.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// A request that is being put together.
pub(crate) struct Ask<'c> {
    cloud: &'c TestCloud,
    origin: &'static str,
    method: Method,
    uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(crate) const HOST: &str = "cloud.test:7700";

impl TestCloud {
    pub(crate) fn new() -> Self {
        Self::limited(0)
    }

    /// One that lets each project make that many requests a second.
    pub(crate) fn limited(requests_per_second: u32) -> Self {
        Self::with(Flavor::Huawei, requests_per_second)
    }

    /// One that speaks the backup service's language in that flavour.
    pub(crate) fn flavored(flavor: Flavor) -> Self {
        Self::with(flavor, 0)
    }

    fn with(flavor: Flavor, requests_per_second: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("files")).unwrap();
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(1));
        let catalog = Catalog::memory().unwrap();
        let master_key = MasterKey::generate(entropy.as_ref());
        let (clock_dyn, entropy_dyn) = (clock.clone(), entropy.clone());
        let identity =
            Identity::new(catalog.clone(), clock_dyn, entropy_dyn, master_key.clone()).unwrap();
        let first = identity.first_start("eu-test").unwrap().unwrap();
        let data = dir.path().join("data");
        let control = Control::new(Parts {
            catalog: catalog.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            store_of: stores_below(data.join("repositories").to_str().unwrap()),
            regions: [(
                "eu-nl".to_owned(),
                stores_below(data.join("far").to_str().unwrap()),
            )]
            .into(),
            master_key,
            own_paths: vec![data],
        });
        let cloud = Arc::new(Cloud {
            control,
            identity,
            endpoints: endpoints(),
            clock: clock.clone(),
            entropy,
            flavor,
            limit: Limit::new(requests_per_second),
            metrics: Metrics::default(),
            health: Box::new(BTreeMap::new),
        });
        let origins = BTreeMap::from([
            ("identity", iam::router(cloud.clone())),
            ("cbr", cbr::router(cloud.clone())),
            ("ddm", ddm::router(cloud.clone())),
            ("dbss", dbss::router(cloud.clone())),
            ("eps", eps::router(cloud.clone())),
        ]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            cloud,
            catalog,
            clock,
            first,
            origins,
            runtime,
            dir,
        }
    }

    /// Somebody with a project of its own.
    pub(crate) fn tenant(&self, name: &str) -> Tenant {
        self.tenant_as(name, Role::Member)
    }

    /// Somebody with that role in a project of its own.
    pub(crate) fn tenant_as(&self, name: &str, role: Role) -> Tenant {
        let identity = &self.cloud.identity;
        let password = Some(format!("password of {name}").into());
        let new = NewUser {
            name: name.to_owned(),
            password,
            is_admin: false,
        };
        let user = identity.create_user(self.first.domain.id, &new).unwrap();
        let project = identity
            .create_project(self.first.domain.id, &format!("p-{name}"))
            .unwrap();
        identity.grant(user.id, project.id, role).unwrap();
        self.signed_in(user, project, &format!("password of {name}"))
    }

    /// The operator, in the region's project.
    pub(crate) fn operator(&self) -> Tenant {
        let FirstStart {
            user,
            project,
            password,
            key,
            ..
        } = &self.first;
        let token = self.sign_in(&user.name, password, &project.id.to_string());
        Tenant {
            user: user.clone(),
            project: project.clone(),
            token,
            access: key.key.access.0.clone(),
            secret: key.secret.to_string(),
        }
    }

    fn signed_in(&self, user: User, project: Project, password: &str) -> Tenant {
        let key = self
            .cloud
            .identity
            .create_key(user.id, "for tests")
            .unwrap();
        let token = self.sign_in(&user.name, password, &project.id.to_string());
        let (access, secret) = (key.key.access.0, key.secret.to_string());
        Tenant {
            user,
            project,
            token,
            access,
            secret,
        }
    }

    pub(crate) fn sign_in(&self, user: &str, password: &str, project: &str) -> String {
        let reply = self
            .post("identity", "/v3/auth/tokens")
            .json(&serde_json::json!({ "auth": {
                "identity": { "methods": ["password"], "password": { "user": {
                    "name": user, "password": password, "domain": { "name": "strongroom" },
                } } },
                "scope": { "project": { "id": project } },
            } }))
            .send();
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.headers["x-subject-token"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Runs all jobs that can run now.
    pub(crate) fn run(&self) {
        let runner = self.cloud.control.runner(Options::named("test"));
        runner.adopt_orphans().unwrap();
        runner.run_until_idle().unwrap();
    }

    /// The path of something that can be protected.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    /// Registers a share with a file in it, or a small image, for a tenant; its id.
    pub(crate) fn resource(&self, of: &Tenant, kind: &str, name: &str) -> String {
        let path = self.file(name);
        if kind == "share" {
            fs::create_dir(&path).unwrap();
            fs::write(path.join("hello.txt"), format!("hello from {name}")).unwrap();
        } else {
            fs::write(&path, vec![7; 3 << 20]).unwrap();
        }
        let reply = self
            .post("identity", "/native/v1/resources")
            .token(&self.operator())
            .json(&serde_json::json!({
                "kind": kind, "name": name, "path": path,
                "project_id": of.project.id.to_string(),
            }))
            .send();
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.text_at("/id")
    }

    pub(crate) fn get(&self, origin: &'static str, uri: &str) -> Ask<'_> {
        self.ask(origin, Method::GET, uri)
    }

    pub(crate) fn post(&self, origin: &'static str, uri: &str) -> Ask<'_> {
        self.ask(origin, Method::POST, uri)
    }

    pub(crate) fn put(&self, origin: &'static str, uri: &str) -> Ask<'_> {
        self.ask(origin, Method::PUT, uri)
    }

    pub(crate) fn delete(&self, origin: &'static str, uri: &str) -> Ask<'_> {
        self.ask(origin, Method::DELETE, uri)
    }

    pub(crate) fn ask(&self, origin: &'static str, method: Method, uri: &str) -> Ask<'_> {
        let headers = vec![("host".to_owned(), HOST.to_owned())];
        Ask {
            cloud: self,
            origin,
            method,
            uri: uri.to_owned(),
            headers,
            body: Vec::new(),
        }
    }
}

impl Tenant {
    /// A path of CBR in this tenant's project.
    pub(crate) fn at(&self, rest: &str) -> String {
        format!("/v3/{}{rest}", self.project.id)
    }

    /// A path of the first version of the database services.
    pub(crate) fn v1(&self, rest: &str) -> String {
        format!("/v1/{}{rest}", self.project.id)
    }
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn token(self, of: &Tenant) -> Self {
        self.header("x-auth-token", &of.token)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string().into_bytes())
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", "application/json")
    }

    /// Signs as the SDKs do. Everything that is to be signed must have been said.
    pub(crate) fn signed(self, of: &Tenant) -> Self {
        let project = of.project.id.to_string();
        self.header("x-project-id", &project)
            .signed_with(&of.access, &of.secret)
    }

    /// Signed and sent with a body.
    pub(crate) fn signed_json(self, of: &Tenant, body: &Value) -> Reply {
        self.json(body).signed(of).send()
    }

    /// Another path and query under the same signature.
    pub(crate) fn uri(mut self, uri: &str) -> Self {
        uri.clone_into(&mut self.uri);
        self
    }

    /// Another body under the same signature.
    pub(crate) fn swap_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// Another value of a header under the same signature.
    pub(crate) fn replace(mut self, name: &str, value: &str) -> Self {
        for header in &mut self.headers {
            if header.0 == name {
                value.clone_into(&mut header.1);
            }
        }
        self
    }

    pub(crate) fn signed_with(self, access: &str, secret: &str) -> Self {
        let date = format_date(self.cloud.clock.now().as_seconds());
        self.header("x-sdk-date", &date)
            .signed_as_it_is(access, secret)
    }

    /// Signs with the date that was said.
    pub(crate) fn signed_at(self, of: &Tenant) -> Self {
        let project = of.project.id.to_string();
        self.header("x-project-id", &project)
            .signed_as_it_is(&of.access, &of.secret)
    }

    fn signed_as_it_is(self, access: &str, secret: &str) -> Self {
        let this = self;
        let names: Vec<_> = this.headers.iter().map(|(name, _)| name.as_str()).collect();
        let find = |name: &str| {
            let found = this.headers.iter().find(|(known, _)| known == name)?;
            Some(Cow::Owned(found.1.clone()))
        };
        let (path, query) = this.uri.split_once('?').unwrap_or((&this.uri, ""));
        let request = sign::Request {
            method: this.method.as_str(),
            path,
            query,
            headers: &find,
            body: BodyHash::of(&this.body),
        };
        let value = sign::sign(&request, &names, access, secret).unwrap();
        this.header("authorization", &value)
    }

    /// Sends it; what comes back must be as the dialects promise.
    pub(crate) fn send(self) -> Reply {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).unwrap();
        let router = self.cloud.origins[self.origin].clone();
        let reply = self.cloud.runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let json = if text.is_empty() || self.uri == "/metrics" {
                Value::Null
            } else {
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
            };
            Reply {
                status: parts.status,
                headers: parts.headers,
                text,
                json,
            }
        });
        let id = reply.headers["x-request-id"].to_str().unwrap();
        assert_eq!(id.len(), 32, "every reply names its request");
        if !reply.text.is_empty() && self.uri != "/metrics" {
            assert_eq!(reply.headers["content-type"], "application/json");
        }
        let service = Service::ALL
            .iter()
            .find(|service| service.as_str() == self.origin);
        // The definitions are of one flavour, which shows nulls.
        let defined = self.cloud.cloud.flavor == Flavor::Huawei;
        if let Some(service) = service.filter(|_| defined) {
            hold_against_the_definitions(*service, &self.method, &self.uri, &reply);
        }
        reply
    }
}

impl Reply {
    /// Sent, and answered with that status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Refused with that status and code, in the flat shape.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.json["error_code"], code, "{}", self.text);
        assert!(
            self.json["error_msg"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        self.is(status)
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("no text at {pointer}: {}", self.text))
            .to_owned()
    }
}

/// The operation of a table that a path is of: the one with the fewest variable segments.
pub(crate) fn operation(
    service: Service,
    method: &Method,
    path: &str,
) -> Option<&'static OperationInfo> {
    let matches = |info: &&&'static OperationInfo| {
        let (template, path) = (info.path.split('/'), path.split('/'));
        info.method.as_str() == method.as_str()
            && template.clone().count() == path.clone().count()
            && template
                .zip(path)
                .all(|(name, text)| name.starts_with('{') || name == text)
    };
    let variables = |info: &&&'static OperationInfo| info.path.matches('{').count();
    service
        .operations()
        .iter()
        .filter(|info| matches(&info))
        .min_by_key(|info| variables(&info))
}

fn hold_against_the_definitions(service: Service, method: &Method, uri: &str, reply: &Reply) {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    let Some(info) = operation(service, method, path) else {
        return;
    };
    if !definitions::is_published_of(service, info.name) {
        return;
    }
    if let Err(problems) =
        definitions::check_of(service, info.name, reply.status.as_u16(), &reply.json)
    {
        panic!("{} {uri}: {problems:#?}\n{}", info.name, reply.text);
    }
}

fn endpoints() -> Endpoints {
    let origin = |name: &str| format!("https://{name}.cloud.test");
    Endpoints {
        region: "eu-test".to_owned(),
        identity: origin("iam"),
        cbr: origin("cbr"),
        ddm: origin("ddm"),
        dbss: origin("dbss"),
        eps: origin("eps"),
        console: origin("iam"),
        stores: None,
    }
}
