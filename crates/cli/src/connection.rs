//! Finds the service and speaks to it as whoever the environment says.
//!
//! In this order: `--data-dir` (or its variable) names the directory of a service on this machine;
//! `STRONGROOM_URL`, else `OS_AUTH_URL`, names the identity origin of one anywhere, with the usual
//! `OS_*` variables for who calls; else the directory `./strongroom-data` if it is there.

use std::{
    env,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use strongroom_client::{Client, Credentials, Options, ProjectChoice, files};
use strongroom_model::ResourceId;
use strongroom_wire::{
    Empty, Operation, Service,
    cbr::ProjectPath,
    iam::{KeystoneListAuthDomains, domain::ListDomainsQuery},
    path::NoPath,
    text::Secret,
};

use crate::{arguments::Context, output::Output, progress::Progress};

/// A service and who calls it.
pub(crate) struct Connection {
    client: Client,
    project: String,
}

impl Connection {
    /// Finds the service.
    pub(crate) fn find(context: &Context) -> Result<Self> {
        Self::over(client(context)?)
    }

    /// The service with that data directory, as its first user.
    pub(crate) fn to_data_dir(folder: &Path) -> Result<Self> {
        Self::over(Client::from_data_dir(folder, Options::default())?)
    }

    fn over(client: Client) -> Result<Self> {
        let project = client.project_id().context(
            "cannot tell which project to work in; set OS_PROJECT_NAME or OS_PROJECT_ID",
        )?;
        Ok(Self { client, project })
    }

    /// The origin of CBR.
    pub(crate) fn cbr(&self) -> Result<String> {
        let origin = self.client.origin(Service::Cbr)?;
        Ok(origin.origin().ascii_serialization())
    }

    /// The project's id.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The account's id, asked for: few operations need it.
    pub(crate) fn domain(&self) -> Result<String> {
        let query = ListDomainsQuery::default();
        let found = self.call::<KeystoneListAuthDomains>(NoPath, query, Empty)?;
        let first = found.domains.into_iter().next();
        Ok(first.context("the service names no account")?.id)
    }

    /// The path of operations on the whole project.
    pub(crate) fn project_path(&self) -> ProjectPath {
        ProjectPath {
            project_id: self.project.clone(),
        }
    }

    /// Calls an operation.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make these for the call; borrowing them is noise"
    )]
    pub(crate) fn call<O: Operation>(
        &self,
        path: O::Path,
        query: O::Query,
        body: O::Body,
    ) -> Result<O::Reply> {
        Ok(self.client.call::<O>(&path, &query, &body)?)
    }
}

fn client(context: &Context) -> Result<Client> {
    let url = variable("STRONGROOM_URL").or_else(|| variable("OS_AUTH_URL"));
    let folder = match (&context.data_dir, url) {
        (Some(folder), _) => folder.clone(),
        (None, Some(url)) => return remote(&url),
        (None, None) => context.data_dir(),
    };
    if !folder.join(files::ENDPOINTS).exists() {
        bail!(
            "no service is known: {} has no {}; start one with `strongroom serve`, or name one \
             with --data-dir, STRONGROOM_URL or OS_AUTH_URL",
            folder.display(),
            files::ENDPOINTS
        );
    }
    Ok(Client::from_data_dir(&folder, Options::default())?)
}

/// A service that the environment names.
fn remote(url: &str) -> Result<Client> {
    let options = Options {
        ca_file: variable("OS_CACERT").map(PathBuf::from),
        ..Options::default()
    };
    let credentials = credentials()?;
    let endpoints = Client::discover(origin(url), options.clone())?;
    Ok(Client::new(endpoints, credentials, options)?)
}

/// Who the environment says is calling.
fn credentials() -> Result<Credentials> {
    let project_id = variable("OS_PROJECT_ID");
    if let Some(token) = variable("OS_TOKEN") {
        let token = Secret(token);
        return Ok(Credentials::Token { token, project_id });
    }
    if let (Some(access_key), Some(secret)) = (variable("OS_ACCESS_KEY"), variable("OS_SECRET_KEY"))
    {
        return Ok(Credentials::AccessKey {
            access_key,
            secret_key: Secret(secret),
            project_id,
        });
    }
    let (Some(user), Some(password)) = (variable("OS_USERNAME"), variable("OS_PASSWORD")) else {
        bail!(
            "nobody is named as the caller: set OS_USERNAME and OS_PASSWORD, or OS_ACCESS_KEY and \
             OS_SECRET_KEY, or OS_TOKEN"
        );
    };
    let domain = variable("OS_USER_DOMAIN_NAME").or_else(|| variable("OS_DOMAIN_NAME"));
    let by_name = || variable("OS_PROJECT_NAME").map(ProjectChoice::Name);
    Ok(Credentials::Password {
        user,
        password: Secret(password),
        domain: domain.context("set OS_USER_DOMAIN_NAME: the account that the user belongs to")?,
        project: project_id.map(ProjectChoice::Id).or_else(by_name),
    })
}

/// The origin in an address such as `https://backup.example.org:7700/v3/`.
fn origin(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix("/v3").unwrap_or(url).trim_end_matches('/')
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the word is an id and not a name.
pub(crate) fn is_id(word: &str) -> bool {
    word.parse::<ResourceId>().is_ok()
}

/// Whether the service says that the thing is not there.
pub(crate) fn is_not_found(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<strongroom_client::Error>();
    cause.is_some_and(strongroom_client::Error::is_not_found)
}

/// Asks until there is an answer, at first often and then now and then.
pub(crate) fn until<T>(mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let mut pause = Duration::from_millis(20);
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_millis(500));
    }
}

/// The same of something that tells how far it is, in percent; shows that meanwhile.
pub(crate) fn follow<T>(
    output: Output,
    what: &str,
    mut look: impl FnMut() -> Result<(u64, Option<T>)>,
) -> Result<T> {
    let mut progress = Progress::percent(output, what);
    until(|| {
        let (percent, found) = look()?;
        progress.set(percent, 100);
        Ok(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_openstack_is_cut_down_to_its_origin() {
        for url in [
            "http://a:1",
            "http://a:1/",
            "http://a:1/v3",
            "http://a:1/v3/",
        ] {
            assert_eq!(origin(url), "http://a:1");
        }
    }

    #[test]
    fn names_are_not_taken_for_ids() {
        assert!(is_id("6df2b54c-dd62-4059-a07c-1b8f24f2725d"));
        for name in ["home", "", "6df2b54cdd624059a07c1b8f24f2725d"] {
            assert!(!is_id(name), "{name:?}");
        }
    }
}
