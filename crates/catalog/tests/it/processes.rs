//! Several processes on one catalog, and processes that are killed.
//!
//! A child is this same test program, told by its environment what to do.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

use strongroom_catalog::Catalog;

use crate::backends::in_file;

const FILE: &str = "STRONGROOM_TEST_CATALOG";
const DEED: &str = "STRONGROOM_TEST_DEED";

fn child(file: &Path, deed: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "processes::a_child", "--ignored", "--nocapture"])
        .env(FILE, file)
        .env(DEED, deed)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn count(catalog: &Catalog) -> u64 {
    let text = catalog.read(|tx| tx.settings().get("count")).unwrap();
    text.map_or(0, |text| text.parse().unwrap())
}

fn raise(catalog: &Catalog) -> u64 {
    catalog
        .write(|tx| {
            let before: u64 = tx
                .settings()
                .get("count")?
                .map_or(0, |text| text.parse().unwrap());
            tx.settings().set("count", &(before + 1).to_string())?;
            Ok::<_, strongroom_catalog::Error>(before + 1)
        })
        .unwrap()
}

/// Not a test: what a child process does.
#[test]
#[ignore = "only as a child of the others"]
fn a_child() {
    let Ok(file) = env::var(FILE) else { return };
    let catalog = Catalog::open(file).unwrap();
    match env::var(DEED).as_deref() {
        Ok("raise") => assert!((0..100).all(|_| raise(&catalog) > 0)),
        Ok("raise for ever") => loop {
            println!("count {}", raise(&catalog));
        },
        Ok("hold") => catalog
            .write(|_| {
                println!("count 0");
                // Until the parent closes our output or kills us.
                let mut nothing = Vec::new();
                std::io::stdin().read_to_end(&mut nothing).unwrap();
                Ok::<_, strongroom_catalog::Error>(())
            })
            .unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn writers_of_several_processes_lose_nothing_of_each_other() {
    let subject = in_file();
    let children: Vec<_> = (0..3).map(|_| child(&subject.path(), "raise")).collect();
    for _ in 0..100 {
        raise(&subject.catalog);
        count(&subject.catalog);
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(count(&subject.catalog), 400);
}

#[test]
fn several_processes_may_open_a_new_catalog_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let children: Vec<_> = (0..4).map(|_| child(&path, "raise")).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(count(&Catalog::open(path).unwrap()), 400);
}

#[test]
fn what_a_killed_process_was_told_is_written_is_there() {
    let subject = in_file();
    let mut told = 0;
    for round in 1..=8 {
        let mut child = child(&subject.path(), "raise for ever");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines {
            if let Some(number) = line.unwrap().strip_prefix("count ") {
                told = number.parse().unwrap();
                if told % (7 * round) == 0 {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found = count(&subject.catalog);
        assert!(found >= told, "{found} of {told}");
        assert_eq!(subject.catalog.check().unwrap(), [""; 0]);
    }
    assert!(told > 0);
}

#[test]
fn a_process_killed_in_a_transaction_leaves_nothing_and_no_lock() {
    let subject = in_file();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "processes::a_child", "--ignored", "--nocapture"])
        .env(FILE, subject.path())
        .env(DEED, "hold")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let held = lines
        .map_while(Result::ok)
        .any(|line| line.starts_with("count"));
    assert!(held, "it is in its transaction");
    // Readers do not wait for it.
    assert_eq!(count(&subject.catalog), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(raise(&subject.catalog), 1);
}

#[test]
fn readers_see_one_moment_while_another_thread_writes() {
    let subject = in_file();
    raise(&subject.catalog);
    let (catalog, writer) = (&subject.catalog, subject.catalog.clone());
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || assert!((0..200).all(|_| raise(&writer) > 0)));
        while !writing.is_finished() {
            let (first, second) = catalog
                .read(|tx| {
                    Ok::<_, strongroom_catalog::Error>((
                        tx.settings().get("count")?,
                        tx.settings().get("count")?,
                    ))
                })
                .unwrap();
            assert_eq!(first, second);
        }
    });
    assert_eq!(count(catalog), 201);
}

#[test]
fn a_copy_made_while_others_write_is_whole() {
    let subject = in_file();
    let mut child = child(&subject.path(), "raise for ever");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.starts_with("count "))
    );
    let copies: Vec<_> = (0..5)
        .map(|number| {
            let path = subject.folder.path().join(format!("copy-{number}.sqlite"));
            subject.catalog.copy_to(&path).unwrap();
            Catalog::open(path).unwrap()
        })
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let counts: Vec<_> = copies.iter().map(count).collect();
    assert!(counts.is_sorted() && counts[0] > 0, "{counts:?}");
    for copy in &copies {
        assert_eq!(copy.check().unwrap(), [""; 0]);
    }
}
