//! The S3 backend against a real server. One test, because one start of the server is enough.

use strongroom_model::Timestamp;
use strongroom_store::{ErrorKind, Key, Store, config::Environment, conformance};

use crate::{
    conformance::decorated,
    weed::{self, Server},
};

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn open(server: &Server, prefix: &str) -> Store {
    Store::open_with(&server.url(prefix), &Server::environment()).unwrap()
}

#[test]
fn a_real_s3_server_keeps_the_contract() {
    let Some(server) = weed::start() else { return };
    open(&server, "").probe().unwrap();
    conformance(&open(&server, "some/Prefix")).unwrap();
    conformance(&decorated(&open(&server, "other"))).unwrap();
    prefixes_do_not_see_each_other(&server);
    a_wrong_secret_is_denied(&server);
    a_lock_of_the_bucket_keeps_objects(&server);
    a_missing_bucket_is_named(&server);
    stores_are_used_from_many_threads_and_from_blocking_tasks(&server);
}

fn prefixes_do_not_see_each_other(server: &Server) {
    let (one, two) = (open(server, "one"), open(server, "one-more"));
    one.create_new(&key("a"), b"1").unwrap();
    two.create_new(&key("a"), b"2").unwrap();
    assert_eq!(one.get(&key("a")).unwrap(), "1");
    let mut count = 0;
    let mut visit = |_, _| {
        count += 1;
        Ok(())
    };
    one.list("", &mut visit).unwrap();
    assert_eq!(count, 1);
}

fn a_lock_of_the_bucket_keeps_objects(server: &Server) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let now = Timestamp::from_micros(i64::try_from(now).unwrap());
    let (hour, day) = (now.plus_seconds(3600), now.plus_seconds(86_400));
    server.make_locked_bucket("locked");
    for mode in ["governance", "compliance"] {
        let url = server.url(&format!("some/{mode}"));
        let url = url.replace("s3://strongroom", "s3://locked");
        let url = format!("{url}&lock={mode}");
        let store = Store::open_with(&url, &Server::environment()).unwrap();
        conformance_of_locks(&store, (hour, day));
    }
    // Without being asked for, locks are left alone; where there are none, it is said.
    assert!(!open(server, "plain").retains().unwrap());
    let asked = format!("{}&lock=compliance", server.url("plain"));
    let store = Store::open_with(&asked, &Server::environment()).unwrap();
    assert_eq!(store.retains().unwrap_err().kind, ErrorKind::Unsupported);
}

fn conformance_of_locks(store: &Store, (hour, day): (Timestamp, Timestamp)) {
    let name = key("packs/a");
    assert!(store.retains().unwrap());
    store.create_new(&name, b"kept").unwrap();
    assert_eq!(store.retained_until(&name).unwrap(), None);
    let until = || {
        store
            .retained_until(&name)
            .unwrap()
            .map(Timestamp::as_seconds)
    };
    store.retain(&name, hour).unwrap();
    assert_eq!(until(), Some(hour.as_seconds()));
    store.retain(&name, day).unwrap();
    // Never shorter.
    store.retain(&name, hour).unwrap();
    assert_eq!(until(), Some(day.as_seconds()));
    let missing = store.retain(&key("packs/b"), hour).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    // Hidden at most: its version is refused to everybody, which is the server's part.
    let _hidden_or_refused = store.delete(&name);
}

fn a_wrong_secret_is_denied(server: &Server) {
    let environment = Environment {
        secret_access_key: Some("guess".into()),
        ..Server::environment()
    };
    let store = Store::open_with(&server.url("denied"), &environment).unwrap();
    assert_eq!(
        store.create_new(&key("a"), b"x").unwrap_err().kind,
        ErrorKind::Denied
    );
    assert_eq!(store.get(&key("a")).unwrap_err().kind, ErrorKind::Denied);
    assert_eq!(store.probe().unwrap_err().kind, ErrorKind::Denied);
}

fn a_missing_bucket_is_named(server: &Server) {
    let url = server.url("x").replace("s3://strongroom", "s3://nowhere");
    let store = Store::open_with(&url, &Server::environment()).unwrap();
    let error = store.list("", &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Other);
    let mut text = String::new();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    assert!(text.contains("make the bucket first"), "{text}");
}

fn stores_are_used_from_many_threads_and_from_blocking_tasks(server: &Server) {
    let store = open(server, "threads");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let store = store.clone();
            scope.spawn(move || store.create_new(&key(&format!("{n}")), b"x").unwrap());
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let size = runtime.block_on(async {
        tokio::task::spawn_blocking(move || store.size(&key("0")).unwrap())
            .await
            .unwrap()
    });
    assert_eq!(size, 1);
}
