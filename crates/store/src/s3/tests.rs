//! Reading URLs and refusals; the real thing is tried against a real server in `tests/it`.

use std::net::{Ipv4Addr, TcpListener};

use super::{S3, address::Address, refusal::Refusal};
use crate::{config::Environment, error::ErrorKind, key::Key, store::Backend};

fn environment() -> Environment {
    Environment {
        access_key_id: Some("id".into()),
        secret_access_key: Some("very secret".into()),
        ..Environment::default()
    }
}

fn parse(url: &str) -> Address {
    Address::parse(url, &environment()).unwrap()
}

#[test]
fn a_url_names_bucket_prefix_endpoint_and_region() {
    let address = parse("s3://vaults/some/Place/?endpoint=http://127.0.0.1:9000&region=eu-1");
    assert_eq!(
        (address.bucket.as_str(), address.prefix.as_str()),
        ("vaults", "some/Place")
    );
    assert_eq!(
        address.endpoint.as_ref().unwrap().as_str(),
        "http://127.0.0.1:9000/"
    );
    assert_eq!(address.region, "eu-1");
    assert!(address.is_plain());

    let address = parse("s3://vaults?endpoint=https%3A%2F%2Fs3.example.org");
    assert_eq!(
        (address.prefix.as_str(), address.region.as_str()),
        ("", "us-east-1")
    );
    assert!(!address.is_plain());
    assert!(!parse("s3://vaults").is_plain());
}

#[test]
fn the_environment_fills_in_what_the_url_leaves_out() {
    let environment = Environment {
        region: Some("from-env".into()),
        endpoint: Some("http://env.example.org".into()),
        ..environment()
    };
    let address = Address::parse("s3://b", &environment).unwrap();
    assert_eq!(address.region, "from-env");
    assert_eq!(
        address.endpoint.unwrap().host_str(),
        Some("env.example.org")
    );
    let address = Address::parse("s3://b?region=r&endpoint=https://u", &environment).unwrap();
    assert_eq!(
        (address.region.as_str(), address.endpoint.unwrap().as_str()),
        ("r", "https://u/")
    );
}

#[test]
fn what_a_url_should_not_hold_is_refused() {
    let hostile = [
        "s3:",
        "s3://",
        "s3:///prefix",
        "s3://id:secret@b/p",
        "s3://id@b/p",
        "s3://b:90/p",
        "s3://b/p#f",
        "s3://b?endpont=http://x",
        "s3://b?region=",
        "s3://b?region=a&region=b",
        "s3://b?endpoint=ftp://x",
        "s3://b?endpoint=x",
        "s3://b?endpoint=http://u:p@x",
        "s3://b//p",
    ];
    for url in hostile {
        let kind = S3::new(url, &environment()).map(drop).unwrap_err().kind;
        assert_eq!(kind, ErrorKind::Unsupported, "{url}");
    }
}

#[test]
fn without_credentials_nothing_is_tried() {
    let none = Environment::default();
    assert_eq!(
        S3::new("s3://b", &none).map(drop).unwrap_err().kind,
        ErrorKind::Denied
    );
}

#[test]
fn a_file_of_authorities_that_holds_none_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (missing, empty) = (dir.path().join("missing.pem"), dir.path().join("empty.pem"));
    std::fs::write(&empty, "no certificate\n").unwrap();
    for file in [missing, empty] {
        let environment = Environment {
            authorities: Some(file.clone()),
            ..environment()
        };
        let error = S3::new("s3://b", &environment).map(drop).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        let name = file.display().to_string();
        assert!(
            cause.contains("STRONGROOM_S3_CA") && cause.contains(&name),
            "{cause}"
        );
    }
}

#[test]
fn secrets_are_shown_nowhere() {
    let store = S3::new("s3://b/p?endpoint=https://s3.example.org", &environment()).unwrap();
    assert_eq!(store.describe(), "S3 bucket b/p at https://s3.example.org/");
    assert!(!format!("{:?}", environment()).contains("secret"));
}

#[test]
fn a_refusal_is_told_by_status_and_code() {
    use ErrorKind::{
        AlreadyExists, Corrupt, Denied, NoSpace, NotFound, Other, Throttled, Unavailable,
        Unsupported,
    };
    let cases = [
        (404, "NoSuchKey", NotFound),
        (404, "", NotFound),
        (404, "NoSuchBucket", Other),
        (412, "PreconditionFailed", AlreadyExists),
        (409, "ConditionalRequestConflict", Unavailable),
        (403, "AccessDenied", Denied),
        (403, "SignatureDoesNotMatch", Denied),
        (403, "QuotaExceeded", NoSpace),
        (507, "", NoSpace),
        (503, "SlowDown", Throttled),
        (429, "", Throttled),
        (503, "ServiceUnavailable", Unavailable),
        (500, "InternalError", Unavailable),
        (400, "RequestTimeout", Unavailable),
        (400, "ExpiredToken", Denied),
        (400, "InvalidArgument", Other),
        (416, "InvalidRange", Corrupt),
        (501, "NotImplemented", Unsupported),
        (301, "PermanentRedirect", Other),
    ];
    for (status, code, kind) in cases {
        let body = format!("<?xml?><Error><Code>{code}</Code><Message>why</Message></Error>");
        assert_eq!(Refusal::new(status, &body).kind(), kind, "{status} {code}");
    }
    let shown = Refusal::new(404, "<Error><Code>NoSuchBucket</Code></Error>").to_string();
    assert_eq!(
        shown,
        "the server answers 404 NoSuchBucket; make the bucket first"
    );
    assert_eq!(
        Refusal::new(500, "<html>busy").to_string(),
        "the server answers 500 "
    );
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("s3://bucket/prefix?endpoint=http://127.0.0.1:{port}");
    let store = S3::new(&url, &environment()).unwrap();
    let key = Key::new("a").unwrap();
    assert_eq!(store.size(&key).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(
        store.create_new(&key, b"x").unwrap_err().kind,
        ErrorKind::Unavailable
    );
}
