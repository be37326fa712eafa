//! Reads what is asked of a store from the method and the path.

use http::{Method, Uri};
use strongroom_control::hosting::{Error, ErrorKind, Key};

/// What is asked.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    /// What the store offers.
    About,
    /// A page of keys.
    List {
        prefix: String,
        after: Option<Key>,
        /// Whether nothing is built on them.
        unsettled: bool,
    },
    /// An object or a part of it.
    Get(Key),
    /// Its length.
    Size(Key),
    /// A write.
    Put(Key, Put),
    /// A deletion.
    Delete(Key),
    /// Until when an object is kept.
    Retained(Key),
    /// To keep an object until that second.
    Retain(Key, i64),
}

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Put {
    /// Under a key that must be free.
    Create,
    /// Under a name made from the content.
    Content,
}

/// The store's name and what is asked of it. Keys need no escaping, so nothing is unescaped.
pub(super) fn read(method: &Method, uri: &Uri) -> Result<(String, Ask), Error> {
    let unknown = || {
        let cause = format!(
            "{method} {} asks for nothing that is known here",
            uri.path()
        );
        Error::new(ErrorKind::Unsupported).because(cause)
    };
    let rest = uri.path().strip_prefix("/v1/stores/").ok_or_else(unknown)?;
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (kind, key) = rest.split_once('/').unwrap_or((rest, ""));
    let query = |name: &str| value_of(uri, name);
    let ask = match (method, kind, key) {
        (&Method::GET, "", "") => Ask::About,
        (&Method::GET, "objects", "") => Ask::List {
            prefix: query("prefix").unwrap_or_default().to_owned(),
            after: query("after").map(Key::new).transpose()?,
            unsettled: query("unsettled") == Some("yes"),
        },
        (&Method::GET, "objects", key) => Ask::Get(Key::new(key)?),
        (&Method::HEAD, "objects", key) => Ask::Size(Key::new(key)?),
        (&Method::DELETE, "objects", key) => Ask::Delete(Key::new(key)?),
        (&Method::PUT, "objects", key) => {
            let how = match query("put") {
                Some("create") => Put::Create,
                Some("content") => Put::Content,
                _ => return Err(unknown()),
            };
            Ask::Put(Key::new(key)?, how)
        }
        (&Method::GET, "retention", key) => Ask::Retained(Key::new(key)?),
        (&Method::PUT, "retention", key) => {
            let until = query("until").and_then(|text| text.parse().ok());
            Ask::Retain(Key::new(key)?, until.ok_or_else(unknown)?)
        }
        _ => return Err(unknown()),
    };
    Ok((name.to_owned(), ask))
}

fn value_of<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, text: &str) -> Result<(String, Ask), ErrorKind> {
        read(method, &text.parse().unwrap()).map_err(|error| error.kind)
    }

    #[test]
    fn what_is_asked_is_told_by_method_and_path() {
        let key = |text| Key::new(text).unwrap();
        for (method, text, ask) in [
            (Method::GET, "/v1/stores/a", Ask::About),
            (
                Method::GET,
                "/v1/stores/a/objects?prefix=p/&after=p/x",
                Ask::List {
                    prefix: "p/".into(),
                    after: Some(key("p/x")),
                    unsettled: false,
                },
            ),
            (
                Method::GET,
                "/v1/stores/a/objects/p/x",
                Ask::Get(key("p/x")),
            ),
            (
                Method::PUT,
                "/v1/stores/a/objects/p?put=create",
                Ask::Put(key("p"), Put::Create),
            ),
            (
                Method::PUT,
                "/v1/stores/a/retention/p?until=12",
                Ask::Retain(key("p"), 12),
            ),
        ] {
            assert_eq!(asked(&method, text), Ok(("a".into(), ask)), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_names_no_file() {
        for (method, text) in [
            (Method::GET, "/"),
            (Method::GET, "/v3/stores/a"),
            (Method::POST, "/v1/stores/a/objects/p"),
            (Method::PUT, "/v1/stores/a/objects/p"),
            (Method::PUT, "/v1/stores/a/objects/p?put=over"),
            (Method::PUT, "/v1/stores/a/retention/p"),
            (Method::PUT, "/v1/stores/a/retention/p?until=soon"),
            (Method::DELETE, "/v1/stores/a/objects/"),
            (Method::GET, "/v1/stores/a/objects/../b"),
            (Method::GET, "/v1/stores/a/objects/%2e%2e/b"),
            (Method::GET, "/v1/stores/a/objects//etc"),
        ] {
            assert_eq!(
                asked(&method, text),
                Err(ErrorKind::Unsupported),
                "{method} {text}"
            );
        }
    }
}
