//! The files in a data directory.

use std::fs;

use serde_json::json;
use strongroom_client::{Client, Error, files};

use crate::server::options;

#[test]
fn a_client_of_a_data_directory_is_its_first_user() {
    let dir = tempfile::tempdir().unwrap();
    let endpoints = json!({
        "region": "r-1", "identity": "http://127.0.0.1:7700", "cbr": "http://127.0.0.1:7701",
        "console": "http://127.0.0.1:7700",
    });
    fs::write(dir.path().join(files::ENDPOINTS), endpoints.to_string()).unwrap();
    let admin = json!({
        "domain": "acme", "domain_id": "d", "user": "admin", "password": "x", "project": "r-1",
        "project_id": "p", "access_key": "AK", "secret_key": "SK", "ca_file": null,
    });
    fs::write(dir.path().join(files::ADMIN), admin.to_string()).unwrap();
    let client = Client::from_data_dir(dir.path(), options()).unwrap();
    assert_eq!(
        (client.region(), client.project_id().unwrap().as_str()),
        ("r-1", "p")
    );
    let origin = client.origin(strongroom_wire::Service::Cbr).unwrap();
    assert_eq!(origin.as_str(), "http://127.0.0.1:7701/");
    assert_eq!(
        serde_json::to_value(files::admin(dir.path()).unwrap()).unwrap(),
        admin
    );
}

#[test]
fn a_missing_or_broken_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = files::endpoints(dir.path()).unwrap_err();
    assert!(matches!(&error, Error::File { .. }) && error.to_string().contains("endpoints.json"));
    fs::write(dir.path().join(files::ENDPOINTS), "{").unwrap();
    let error = files::endpoints(dir.path()).unwrap_err();
    assert!(matches!(error, Error::BadFile { .. }));
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, "no certificate").unwrap();
    let options = strongroom_client::Options {
        ca_file: Some(ca),
        ..options()
    };
    let error = Client::discover("https://127.0.0.1:1", options).unwrap_err();
    assert!(
        matches!(error, Error::Tls(_) | Error::Unreachable { .. }),
        "{error}"
    );
}
