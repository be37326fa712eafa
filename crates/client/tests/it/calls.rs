//! Calls: what is sent, how it is proven, what is made of the answer.

use serde_json::{Value, json};
use strongroom_client::{Client, Credentials, Endpoints, Error, ProjectChoice};
use strongroom_wire::{
    Empty,
    cbr::{
        self, BackupPath, ProjectPath, VaultPath, VaultTagPath, backup::ListBackupsQuery,
        vault::ListVaultQuery,
    },
    iam,
    path::NoPath,
    query::NoQuery,
    text::Secret,
};

use crate::server::{Answer, Server, backup, options, token};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY01";

fn key() -> Credentials {
    Credentials::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: Secret(SECRET.to_owned()),
        project_id: Some("p".to_owned()),
    }
}

fn password() -> Credentials {
    Credentials::Password {
        user: "admin".to_owned(),
        password: Secret("let me in".to_owned()),
        domain: "acme".to_owned(),
        project: Some(ProjectChoice::Name("r-1".to_owned())),
    }
}

fn backup_path() -> BackupPath {
    BackupPath {
        project_id: "p".to_owned(),
        backup_id: "b".to_owned(),
    }
}

fn vault_path() -> VaultPath {
    VaultPath {
        project_id: "p".to_owned(),
        vault_id: "v".to_owned(),
    }
}

fn show(client: &Client) -> Result<cbr::backup::BackupReply, Error> {
    client.call::<cbr::ShowBackup>(&backup_path(), &NoQuery, &Empty)
}

fn refusal(status: u16, body: Value) -> Error {
    let server = Server::start(&[Answer::Say(status, body)]);
    show(&server.client(Credentials::Anonymous)).unwrap_err()
}

#[test]
fn a_call_with_an_access_key_is_signed_and_its_reply_typed() {
    let server = Server::start(&[Answer::Say(200, backup())]);
    let reply = show(&server.client(key())).unwrap();
    assert_eq!(reply.backup.children.len(), 1);
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "GET /v3/p/backups/b HTTP/1.1");
    assert_eq!(asked.header("x-project-id"), "p");
    assert!(asked.check_signature(SECRET).is_ok(), "{asked:?}");
    assert!(asked.check_signature("another").is_err());
}

#[test]
fn signatures_cover_queries_bodies_and_odd_segments() {
    let server = Server::start(&[Answer::Say(200, json!({"backups": [], "count": 0}))]);
    let query = ListBackupsQuery {
        name: Some("a b/ü*~+&=".to_owned()),
        status: vec![
            cbr::backup::BackupStatus::Error,
            cbr::backup::BackupStatus::Available,
        ],
        ..ListBackupsQuery::default()
    };
    let path = ProjectPath {
        project_id: "p".to_owned(),
    };
    server
        .client(key())
        .call::<cbr::ListBackups>(&path, &query, &Empty)
        .unwrap();
    let asked = server.asked().remove(0);
    assert!(
        asked
            .line
            .contains("?name=a%20b%2F%C3%BC%2A~%2B%26%3D&status=error"),
        "{asked:?}"
    );
    assert!(asked.check_signature(SECRET).is_ok());

    let server = Server::start(&[Answer::Say(204, Value::Null)]);
    let path = VaultTagPath {
        project_id: "p".to_owned(),
        vault_id: "v".to_owned(),
        key: "a/b ü".to_owned(),
    };
    server
        .client(key())
        .call::<cbr::DeleteVaultTag>(&path, &NoQuery, &Empty)
        .unwrap();
    let body = serde_json::from_value(json!({"tag": {"key": "k", "value": "v"}})).unwrap();
    server
        .client(key())
        .call::<cbr::CreateVaultTags>(&vault_path(), &NoQuery, &body)
        .unwrap();
    let asked = server.asked();
    assert_eq!(
        asked[0].line,
        "DELETE /v3/p/vault/v/tags/a%2Fb%20%C3%BC HTTP/1.1"
    );
    assert_eq!(asked[1].body, r#"{"tag":{"key":"k","value":"v"}}"#);
    assert!(asked[0].check_signature(SECRET).is_ok() && asked[1].check_signature(SECRET).is_ok());
}

#[test]
fn a_path_of_dots_never_leaves_the_client() {
    let server = Server::start(&[Answer::Cut]);
    for id in ["", ".", ".."] {
        let path = BackupPath {
            project_id: "p".to_owned(),
            backup_id: id.to_owned(),
        };
        let result = server
            .client(key())
            .call::<cbr::DeleteBackup>(&path, &NoQuery, &Empty);
        assert!(matches!(result, Err(Error::Path(_))), "{id:?}");
    }
}

#[test]
fn a_password_is_used_once_and_its_token_for_every_call() {
    let server = Server::start(&[
        Answer::Token("t-1", token("p-1")),
        Answer::Say(200, backup()),
    ]);
    let client = server.client(password());
    assert_eq!(client.project_id().unwrap(), "p-1");
    show(&client).unwrap();
    show(&client).unwrap();
    let asked = server.asked();
    assert_eq!(
        asked[0].line,
        "POST /v3/auth/tokens?nocatalog=true HTTP/1.1"
    );
    let domain = json!({"name": "acme"});
    let expected = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": "admin", "domain": domain, "password": "let me in",
        }}},
        "scope": {"project": {"name": "r-1", "domain": domain}},
    }});
    assert_eq!(
        serde_json::from_str::<Value>(&asked[0].body).unwrap(),
        expected
    );
    let tokens: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("x-auth-token"))
        .collect();
    assert_eq!(tokens, ["", "t-1", "t-1"]);
}

#[test]
fn a_token_that_is_not_good_any_more_is_replaced_once() {
    let expired = Answer::Say(
        401,
        json!({"error_code": "APIGW.0301", "error_msg": "expired"}),
    );
    let server = Server::start(&[
        Answer::Token("t-1", token("p-1")),
        expired.clone(),
        Answer::Token("t-2", token("p-1")),
        Answer::Say(200, backup()),
        expired.clone(),
        Answer::Token("t-3", token("p-1")),
        expired,
    ]);
    let client = server.client(password());
    show(&client).unwrap();
    let error = show(&client).unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 401);
    let asked = server.asked();
    let tokens: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("x-auth-token"))
        .collect();
    assert_eq!(tokens, ["", "t-1", "", "t-2", "t-2", "", "t-3"]);
}

#[test]
fn what_is_idempotent_is_asked_again_and_nothing_else() {
    let body = serde_json::from_value(json!({"resource_ids": ["r"]})).unwrap();
    for lost in [Answer::Cut, Answer::Say(503, Value::Null)] {
        let server = Server::start(&[lost.clone(), lost.clone(), Answer::Say(200, backup())]);
        assert!(show(&server.client(key())).is_ok());
        assert_eq!(server.asked().len(), 3);

        let server = Server::start(std::slice::from_ref(&lost));
        assert!(show(&server.client(key())).is_err());
        assert_eq!(server.asked().len(), 3);

        let server = Server::start(&[lost]);
        let client = server.client(key());
        let path = vault_path();
        assert!(
            client
                .call::<cbr::RemoveVaultResource>(&path, &NoQuery, &body)
                .is_err()
        );
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn a_deletion_whose_answer_was_lost_is_done_when_nothing_is_left() {
    let gone = json!({"error_code": "BackupService.6200", "error_msg": "there is no such backup"});
    let delete = |server: &Server| {
        server
            .client(key())
            .call::<cbr::DeleteBackup>(&backup_path(), &NoQuery, &Empty)
    };
    let server = Server::start(&[Answer::Cut, Answer::Say(404, gone.clone())]);
    assert_eq!(delete(&server).unwrap(), Empty);
    let server = Server::start(&[Answer::Say(404, gone)]);
    assert!(delete(&server).unwrap_err().is_not_found());
}

#[test]
fn refusals_are_read_in_every_dialect() {
    let code = |error: &Error| {
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.request_id.as_deref(), Some("r-7"));
        (
            refusal.status,
            refusal.code.clone(),
            refusal.message.clone(),
        )
    };
    let flat = refusal(
        404,
        json!({"error_code": "BackupService.6200", "error_msg": "gone"}),
    );
    assert_eq!(
        code(&flat),
        (404, "BackupService.6200".into(), "gone".into())
    );
    assert_eq!(
        flat.to_string(),
        "ShowBackup: gone (404, BackupService.6200, request r-7)"
    );
    let keystone = json!({"error": {"code": 401, "message": "no", "title": "Unauthorized"}});
    assert_eq!(
        code(&refusal(401, keystone)),
        (401, "401".into(), "no".into())
    );
    let page = refusal(418, json!("\n <h1>teapot</h1>\n"));
    assert_eq!(code(&page), (418, String::new(), "<h1>teapot</h1>".into()));
    assert_eq!(
        code(&refusal(400, Value::Null)),
        (400, String::new(), "no reason given".into())
    );
}

#[test]
fn an_answer_of_another_shape_is_told_apart_from_a_refusal() {
    let error = refusal(200, json!({"backup": {}}));
    assert!(
        matches!(
            error,
            Error::BadAnswer {
                operation: "ShowBackup",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn the_version_document_comes_with_status_300() {
    let version = json!({"versions": {"values": []}});
    let server = Server::start(&[Answer::Say(300, version)]);
    let client = server.client(Credentials::Anonymous);
    let reply = client
        .call::<iam::KeystoneListVersions>(&NoPath, &NoQuery, &Empty)
        .unwrap();
    assert!(reply.versions.values.is_empty());
}

#[test]
fn an_access_key_without_project_finds_the_one_named_like_the_region() {
    let project = |id: &str, name: &str| {
        json!({"id": id, "name": name, "domain_id": "d", "parent_id": "d", "enabled": true,
            "is_domain": false, "description": "", "links": {"self": ""}})
    };
    let links = json!({"self": "", "previous": null, "next": null});
    let projects = [project("p-0", "r-1_sub"), project("p-1", "r-1")];
    let server = Server::start(&[Answer::Say(
        200,
        json!({"links": links, "projects": projects}),
    )]);
    let client = server.client(Credentials::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: Secret(SECRET.to_owned()),
        project_id: None,
    });
    assert_eq!(client.project_id().unwrap(), "p-1");
    assert!(
        server.asked()[0]
            .line
            .starts_with("GET /v3/projects?name=r-1 ")
    );
    assert!(matches!(
        client.project_named("other"),
        Err(Error::NoSuchProject(_))
    ));
}

#[test]
fn a_token_is_validated_by_its_own_header() {
    let server = Server::start(&[Answer::Say(200, token("p-1"))]);
    let caller = Credentials::Token {
        token: Secret("caller".to_owned()),
        project_id: None,
    };
    let client = server.client(caller);
    let subject = Secret("subject".to_owned());
    let query = iam::token::TokenQuery::default();
    client
        .call_about_token::<iam::KeystoneValidateToken>(&subject, &NoPath, &query, &Empty)
        .unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(
        (
            asked.header("x-auth-token"),
            asked.header("x-subject-token")
        ),
        ("caller", "subject")
    );
    assert!(matches!(client.project_id(), Err(Error::NoProject)));
}

#[test]
fn nobody_there_and_no_endpoint_say_what_to_do() {
    let server = Server::start(&[Answer::Cut]);
    let endpoints = Endpoints {
        region: "r-1".to_owned(),
        origins: [("identity".to_owned(), server.origin.clone())].into(),
    };
    let client = Client::new(endpoints, Credentials::Anonymous, options()).unwrap();
    let path = ProjectPath {
        project_id: "p".to_owned(),
    };
    let error = client.call::<cbr::ListVault>(&path, &ListVaultQuery::default(), &Empty);
    assert_eq!(
        error.unwrap_err().to_string(),
        "the endpoints name no origin for cbr"
    );
    let error = Client::discover(&server.origin, options())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("does not answer: is the service running there?"),
        "{error}"
    );
    for bad in ["ftp://h", "h:1", "http://h/path", "http://", "https://u@h"] {
        let error = Client::discover(bad, options()).unwrap_err();
        assert!(matches!(error, Error::BadOrigin(_)), "{bad}: {error}");
    }
}

#[test]
fn endpoints_are_discovered_from_one_origin() {
    let endpoints = json!({"region": "r-1", "identity": "http://h:1", "cbr": "http://h:2"});
    let server = Server::start(&[Answer::Say(200, endpoints)]);
    let found = Client::discover(&server.origin, options()).unwrap();
    assert_eq!(
        (found.region.as_str(), found.origins["cbr"].as_str()),
        ("r-1", "http://h:2")
    );
}

#[test]
fn secrets_are_not_printed() {
    let server = Server::start(&[Answer::Cut]);
    for credentials in [key(), password()] {
        let printed = format!("{:?}", server.client(credentials));
        assert!(
            !printed.contains(SECRET) && !printed.contains("let me in"),
            "{printed}"
        );
    }
}
