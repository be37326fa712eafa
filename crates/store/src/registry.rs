//! Which forms of URL name which kind of store: a table, and the code that reads it.
//!
//! To add a backend: one file that implements the backend trait, one row here. The conformance
//! suite runs over the rows.

use std::{path::Path, sync::Arc};

use url::Url;

use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    local::Local,
    memory::Memory,
    remote::Remote,
    retry::{RetryPolicy, Sleep, retrying},
    s3::S3,
    store::Store,
};

/// One kind of store and how a URL names it.
pub struct Scheme {
    /// The URL scheme, without the colon.
    pub name: &'static str,
    /// How to write one, for help texts and error messages.
    pub form: &'static str,
    open: fn(&str, &Environment) -> Result<Store>,
}

/// Every kind of store there is.
pub const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "file",
        form: "file:///directory, or just a path",
        open: open_file,
    },
    Scheme {
        name: "memory",
        form: "memory:",
        open: open_memory,
    },
    Scheme {
        name: "s3",
        form: "s3://bucket/prefix?endpoint=https://host:port&region=name",
        open: open_s3,
    },
    Scheme {
        name: "strongroom",
        form: "strongroom://host:port/store?secret=FILE&ca=FILE",
        open: open_remote,
    },
];

/// The address of what lies under `name` in the store of that address; a query stays behind.
pub fn below(url: &str, name: &str) -> String {
    let (place, query) = url.find('?').map_or((url, ""), |at| url.split_at(at));
    format!("{}/{name}{query}", place.trim_end_matches('/'))
}

/// Opens the store that `url` names; a text without a scheme is a directory.
pub(crate) fn open(url: &str, environment: &Environment) -> Result<Store> {
    let Some(scheme) = scheme_of(url) else {
        return open_directory(Path::new(url));
    };
    if let Some(known) = SCHEMES
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(scheme))
    {
        return (known.open)(url, environment);
    }
    let forms: Vec<&str> = SCHEMES.iter().map(|known| known.form).collect();
    Err(refused(format!(
        "{scheme:?} is no kind of store; write one of: {} (a directory with a colon in its name: \
         ./{url})",
        forms.join("; ")
    )))
}

/// What stands before the first colon, if it can be a scheme.
fn scheme_of(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let mut letters = scheme.bytes();
    let valid = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some(scheme)
}

fn open_directory(path: &Path) -> Result<Store> {
    if path.as_os_str().is_empty() {
        return Err(refused("the path of the store is empty"));
    }
    Ok(Store::new(Local::new(path)?))
}

fn open_file(url: &str, _: &Environment) -> Result<Store> {
    let parsed = Url::parse(url).map_err(refused)?;
    let path = parsed.to_file_path().map_err(|()| {
        refused(format!(
            "{url:?} names no local path; write file:///directory"
        ))
    })?;
    open_directory(&path)
}

fn open_memory(url: &str, _: &Environment) -> Result<Store> {
    match url.split_once(':') {
        Some((_, "")) => Ok(Store::new(Memory::default())),
        _ => Err(refused("a store in memory has no name; write memory:")),
    }
}

fn open_s3(url: &str, environment: &Environment) -> Result<Store> {
    let store = Store::new(S3::new(url, environment)?);
    Ok(retrying(&store, RetryPolicy::default(), Arc::new(Sleep)))
}

fn open_remote(url: &str, environment: &Environment) -> Result<Store> {
    let store = Store::new(Remote::new(url, environment)?);
    Ok(retrying(&store, RetryPolicy::default(), Arc::new(Sleep)))
}

fn refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unsupported).because(cause)
}
