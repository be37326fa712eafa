//! The client: one generic call for every declared operation.
//!
//! Nothing that is not idempotent is ever sent twice, with one exception: a request that was
//! refused because its token is not good any more has had no effect, and is sent again once with
//! a new token.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use strongroom_wire::{
    Empty, Operation, OperationInfo, Service,
    iam::{self, project::ListProjectsQuery, token::TokenQuery},
    native::{self, Endpoints},
    path::{self, NoPath},
    query::{self, NoQuery, QueryParameters},
    text::Secret,
};
use url::Url;

use crate::{
    Credentials, Error, ProjectChoice, Result,
    answer::Answer,
    credentials::by_password,
    files,
    transport::{Outgoing, Proof, Transport},
};

/// Tells the time in seconds since 1970, for signatures.
#[derive(Clone)]
pub struct Now(pub Arc<dyn Fn() -> i64 + Send + Sync>);

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0)())
    }
}

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The only certificate authorities to trust, in PEM form; the system's if there is none.
    pub ca_file: Option<PathBuf>,
    /// How long one exchange may take.
    pub timeout: Duration,
    /// How often to ask again for what may be asked again.
    pub retries: u32,
    /// How long to wait before asking again; twice as long each time.
    pub pause: Duration,
    /// Tells the time, for signatures.
    pub now: Now,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ca_file: None,
            timeout: Duration::from_mins(1),
            retries: 2,
            pause: Duration::from_millis(200),
            now: Now(Arc::new(system_time)),
        }
    }
}

/// A client of one installation.
#[derive(Debug)]
pub struct Client {
    region: String,
    origins: BTreeMap<String, Url>,
    credentials: Credentials,
    now: Now,
    transport: Transport,
    session: Mutex<Option<Session>>,
}

type SignIn = iam::KeystoneCreateUserTokenByPassword;

/// What a sign-in by password gave.
#[derive(Debug, Clone)]
struct Session {
    token: Secret,
    project_id: Option<String>,
}

impl Client {
    /// A client of the services at these origins.
    pub fn new(endpoints: Endpoints, credentials: Credentials, options: Options) -> Result<Self> {
        let origin = |(name, origin): (String, String)| Ok((name, parse_origin(&origin)?));
        let origins: BTreeMap<_, _> = endpoints
            .origins
            .into_iter()
            .map(origin)
            .collect::<Result<_>>()?;
        let transport = Transport::new(&options, &origins.values().collect::<Vec<_>>())?;
        Ok(Self {
            region: endpoints.region,
            origins,
            credentials,
            now: options.now,
            transport,
            session: Mutex::new(None),
        })
    }

    /// A client of the service with that data directory, as its first user.
    pub fn from_data_dir(data_dir: &Path, mut options: Options) -> Result<Self> {
        let endpoints = files::endpoints(data_dir)?;
        let admin = files::admin(data_dir)?;
        options.ca_file = options.ca_file.or_else(|| admin.ca_file.clone());
        Self::new(endpoints, admin.credentials(), options)
    }

    /// Asks the identity origin where all services are.
    pub fn discover(identity: &str, options: Options) -> Result<Endpoints> {
        let origins = BTreeMap::from([("identity".to_owned(), identity.to_owned())]);
        let endpoints = Endpoints {
            region: String::new(),
            origins,
        };
        Self::new(endpoints, Credentials::Anonymous, options)?
            .call::<native::ShowEndpoints>(&NoPath, &NoQuery, &Empty)
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Calls an operation.
    pub fn call<O: Operation>(
        &self,
        path: &O::Path,
        query: &O::Query,
        body: &O::Body,
    ) -> Result<O::Reply> {
        self.exchange::<O>(path, query, body, None)?.reply::<O>()
    }

    /// Calls an operation about a token, such as its validation or revocation.
    pub fn call_about_token<O: Operation>(
        &self,
        subject: &Secret,
        path: &O::Path,
        query: &O::Query,
        body: &O::Body,
    ) -> Result<O::Reply> {
        self.exchange::<O>(path, query, body, Some(subject))?
            .reply::<O>()
    }

    /// The project that calls are for.
    ///
    /// With an access key and no project, the one whose name is the region's.
    pub fn project_id(&self) -> Result<String> {
        match &self.credentials {
            Credentials::Anonymous => Err(Error::NoProject),
            Credentials::Token { project_id, .. } => project_id.clone().ok_or(Error::NoProject),
            Credentials::AccessKey {
                project_id: Some(id),
                ..
            } => Ok(id.clone()),
            Credentials::AccessKey {
                project_id: None, ..
            } => self.project_named(&self.region),
            Credentials::Password {
                project: Some(ProjectChoice::Id(id)),
                ..
            } => Ok(id.clone()),
            Credentials::Password { .. } => self.session()?.project_id.ok_or(Error::NoProject),
        }
    }

    /// The id of the project with that name.
    pub fn project_named(&self, name: &str) -> Result<String> {
        let query = ListProjectsQuery {
            name: Some(name.to_owned()),
            ..ListProjectsQuery::default()
        };
        let reply = self.call::<iam::KeystoneListProjects>(&NoPath, &query, &Empty)?;
        let found = reply
            .projects
            .into_iter()
            .find(|project| project.name == name);
        found
            .map(|project| project.id)
            .ok_or_else(|| Error::NoSuchProject(name.to_owned()))
    }

    /// A token for the client's user and project: the one it has, or a new one by password.
    pub fn token(&self) -> Result<Secret> {
        match &self.credentials {
            Credentials::Token { token, .. } => Ok(token.clone()),
            _ => self.session().map(|session| session.token),
        }
    }

    fn exchange<O: Operation>(
        &self,
        path: &O::Path,
        query: &O::Query,
        body: &O::Body,
        subject_token: Option<&Secret>,
    ) -> Result<Answer> {
        let operation = &OperationInfo::of::<O>("");
        let url = self.url::<O>(path, query)?;
        let body = O::HAS_BODY.then(|| serde_json::to_vec(body)).transpose();
        let body = body.map_err(Error::Request)?;
        let body = body.as_deref();
        let outgoing = Outgoing {
            operation,
            url: &url,
            project_id: None,
            subject_token,
            body,
        };
        if operation.public {
            return self.transport.exchange(&outgoing, Proof::Nothing);
        }
        match &self.credentials {
            Credentials::Anonymous => self.transport.exchange(&outgoing, Proof::Nothing),
            Credentials::Token { token, .. } => {
                self.transport.exchange(&outgoing, Proof::Token(token))
            }
            Credentials::AccessKey {
                access_key,
                secret_key,
                project_id,
            } => {
                let outgoing = Outgoing {
                    project_id: project_id.as_deref(),
                    ..outgoing
                };
                let now = (self.now.0)();
                let proof = Proof::Signature {
                    access_key,
                    secret_key,
                    now,
                };
                self.transport.exchange(&outgoing, proof)
            }
            Credentials::Password { .. } => {
                let session = self.session()?;
                let answer = self
                    .transport
                    .exchange(&outgoing, Proof::Token(&session.token))?;
                if answer.status != 401 {
                    return Ok(answer);
                }
                self.forget(&session);
                let session = self.session()?;
                self.transport
                    .exchange(&outgoing, Proof::Token(&session.token))
            }
        }
    }

    fn url<O: Operation>(&self, path: &O::Path, query: &O::Query) -> Result<Url> {
        let origin = self.origin(O::SERVICE)?;
        let mut url = origin.clone();
        url.set_path(&path::render(O::PATH, path)?);
        let pairs = query.pairs();
        if !pairs.is_empty() {
            url.set_query(Some(&query::encode(&pairs)));
        }
        Ok(url)
    }

    /// Where a service is.
    pub fn origin(&self, service: Service) -> Result<&Url> {
        self.origins
            .get(service.endpoint_key())
            .ok_or(Error::NoEndpoint(service))
    }

    fn session(&self) -> Result<Session> {
        let Credentials::Password {
            user,
            password,
            domain,
            project,
        } = &self.credentials
        else {
            return Err(Error::NoPassword);
        };
        // Held while signing in: whoever else needs a token waits for this one.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &*session {
            return Ok(session.clone());
        }
        let request = by_password(user, password, domain, project.as_ref());
        let query = TokenQuery {
            nocatalog: Some("true".to_owned()),
        };
        let answer = self.exchange::<SignIn>(&NoPath, &query, &request, None)?;
        let reply = answer.reply::<SignIn>()?;
        let token = Secret(answer.subject_token.ok_or(Error::NoToken(SignIn::NAME))?);
        let project_id = reply.token.project.map(|project| project.id);
        Ok(session.insert(Session { token, project_id }).clone())
    }

    /// Drops a token that is not good any more, unless somebody has a new one already.
    fn forget(&self, stale: &Session) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.take_if(|session| session.token == stale.token);
    }
}

fn parse_origin(text: &str) -> Result<Url> {
    let bad = || Error::BadOrigin(text.to_owned());
    let url: Url = text.parse().map_err(|_| bad())?;
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    let known = matches!(url.scheme(), "http" | "https") && url.has_host();
    if bare && known { Ok(url) } else { Err(bad()) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client has no clock but its machine's"
)]
fn system_time() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
