//! Audit logs in the vault: chains, kills, damage, proofs, restored sets, searches; the logs of a
//! real MariaDB while it is rotated.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use strongroom_control::{
    MasterKey, Reason, Result,
    audit_logs::{
        Anchor, Append, Appended, Chain, Heads, Logs, Order, Outcome, Query, RestoredSet,
        SEGMENT_BYTES, Segment, Signed, VerifyOrder, public_key, search, show, sign,
        verify::{ProblemKind, Report},
    },
};
use strongroom_engine::{
    CreateOptions, Repository, Unlock,
    tree::{Input, Progress, SaveOptions, cat, save_input},
};
use strongroom_model::{
    Clock as _, Timestamp,
    content::{Attributes, Name, TreePath},
};
use strongroom_source::audit::{Format, LogDirectory, StatementKind, Zone};
use strongroom_store::{Key, Store, fault::Faults};
use strongroom_testkit::{
    clock::ManualClock,
    entropy::SeededEntropy,
    mariadb::{AUDIT_LOG, Database, Setup},
};

const INSTANCE: &str = "an instance";

/// A directory of logs and a repository.
struct Shelf {
    folder: tempfile::TempDir,
    faults: Faults,
    store: Store,
    repository: Repository,
    clock: ManualClock,
    entropy: Arc<SeededEntropy>,
    heads: Heads,
    lines: u64,
}

impl Shelf {
    fn new() -> Self {
        let (store, entropy) = (Store::open("memory:").unwrap(), SeededEntropy::new(5));
        let faults = Faults::new();
        let faulty = faults.wrap(&store);
        let unlock = Unlock::Key([7; 32]);
        let options = CreateOptions::default();
        let repository = Repository::create(faulty, &unlock, options, &entropy).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            faults,
            store,
            repository,
            clock: ManualClock::default(),
            entropy: Arc::new(entropy),
            heads: Heads::default(),
            lines: 0,
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join(AUDIT_LOG)
    }

    /// Writes lines, one a second.
    fn write(&mut self, count: u64) {
        let mut options = OpenOptions::new();
        let mut log = options.create(true).append(true).open(self.log()).unwrap();
        for _ in 0..count {
            let line = self.next_line();
            log.write_all(line.as_bytes()).unwrap();
        }
    }

    fn next_line(&mut self) -> String {
        self.lines += 1;
        let (n, user) = (
            self.lines,
            ["app", "root"][usize::from(self.lines.is_multiple_of(10))],
        );
        let (code, word) = (
            u64::from(n.is_multiple_of(7)),
            ["SELECT", "DELETE"][usize::from(n.is_multiple_of(5))],
        );
        format!(
            "20260102 {:02}:{:02}:{:02},db1,{user},10.0.0.{},{n},{n},QUERY,shop,'{word} \\'x\\' /* mark{n:06} */',{code}\n",
            n / 3600 % 24,
            n / 60 % 60,
            n % 60,
            n % 3,
        )
    }

    fn chain(&self) -> Chain<'_> {
        Chain::open(&self.repository, INSTANCE, &self.heads).unwrap()
    }

    fn try_append(&self, bytes: u64) -> Result<Appended> {
        let progress = Progress::default();
        let mut logs = LogDirectory::open(self.folder.path(), Format::ServerAudit).unwrap();
        self.clock.advance_seconds(300);
        let order = self.order(&progress, bytes);
        let heads = Heads::default();
        Chain::open(&self.repository, INSTANCE, &heads)?.append(&mut logs, &order)
    }

    fn order<'a>(&'a self, progress: &'a Progress, segment_bytes: u64) -> Append<'a> {
        Append {
            clock: &self.clock,
            entropy: self.entropy.clone(),
            progress,
            segment_bytes,
            labels: BTreeMap::from([("owner".to_owned(), "alice".to_owned())]),
        }
    }

    fn append(&self) -> Segment {
        let appended = self.try_append(SEGMENT_BYTES).unwrap();
        assert!(
            appended.pending.is_empty() && !appended.more,
            "{appended:?}"
        );
        appended.segment.unwrap()
    }

    /// The lines of all segments, as they are stored.
    fn stored(&self) -> String {
        let segments = self.chain().segments().to_vec();
        let parts = segments.iter().filter(|segment| segment.deleted.is_none());
        parts
            .map(|segment| text(&self.repository, segment))
            .collect()
    }

    fn restore(&self, number: u64) -> RestoredSet {
        self.chain().restore(number, &Progress::default()).unwrap()
    }

    fn verify(&self, anchor: Option<Anchor>) -> Report {
        self.verify_between(first(), self.clock.now(), anchor)
    }

    fn verify_between(&self, from: Timestamp, to: Timestamp, anchor: Option<Anchor>) -> Report {
        let progress = Progress::default();
        let order = VerifyOrder {
            from,
            to,
            anchor,
            progress: &progress,
            clock: &self.clock,
        };
        // From the vault alone: nothing is remembered.
        let heads = Heads::default();
        let chain = Chain::open(&self.repository, INSTANCE, &heads).unwrap();
        chain.verify(&order).unwrap()
    }

    /// Stores what somebody with all keys would: lines of their choice under a head of theirs.
    fn forge(&self, segment: &Segment, change: impl Fn(String) -> String, lines: &str) {
        let manifest = self.repository.manifest(&segment.manifest).unwrap();
        let progress = Progress::default();
        let mut options = SaveOptions::new(&progress, self.entropy.clone());
        options.labels = manifest.body.labels;
        let head = options.labels.get_mut("audit-segment").unwrap();
        *head = change(head.clone());
        let input = Input {
            bytes: &mut lines.as_bytes(),
            name: Name::new(b"lines").unwrap(),
            attributes: Attributes::default(),
        };
        save_input(&self.repository, input, &self.clock, &options).unwrap();
    }

    fn forget(&self, segment: &Segment) {
        self.repository
            .forget(&segment.manifest, &*self.entropy)
            .unwrap();
    }
}

/// A time of the day on which all tests play, 2026-01-02.
fn at(hour: i64, minute: i64, second: i64) -> Timestamp {
    let seconds = hour * 3600 + minute * 60 + second;
    Timestamp::from_micros((1_767_312_000 + seconds) * 1_000_000)
}

/// The time of the first line.
fn first() -> Timestamp {
    at(0, 0, 1)
}

fn text(repository: &Repository, segment: &Segment) -> String {
    let mut bytes = Vec::new();
    let path = TreePath::parse(b"lines").unwrap();
    let progress = Progress::default();
    cat(
        repository,
        &segment.manifest,
        &path,
        0..u64::MAX,
        &mut bytes,
        &progress,
    )
    .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn kinds(report: &Report) -> Vec<(ProblemKind, Option<u64>)> {
    let problems = report.problems.iter();
    problems
        .map(|problem| (problem.kind, problem.number))
        .collect()
}

#[test]
fn segments_hold_every_line_once_and_quote_each_other() {
    let mut shelf = Shelf::new();
    shelf.write(100);
    let one = shelf.append();
    assert_eq!((one.head.number, one.head.lines), (1, 100));
    assert_eq!(one.head.previous, None);
    assert_eq!(
        shelf.try_append(SEGMENT_BYTES).unwrap().segment,
        None,
        "nothing is new"
    );
    shelf.write(50);
    let two = shelf.append();
    assert_eq!((two.head.number, two.head.lines), (2, 50));
    assert_eq!(two.head.previous, Some(one.link));
    assert_eq!(two.head.looked_from, one.head.looked_at);
    assert_eq!(shelf.stored(), fs::read_to_string(shelf.log()).unwrap());
    assert_eq!(shelf.chain().labels(2).unwrap()["owner"], "alice");
    let all = strongroom_control::audit_logs::instances(&shelf.repository, &shelf.heads).unwrap();
    assert_eq!(all, [(INSTANCE.to_owned(), 2)]);
    assert_eq!(
        shelf
            .verify_between(first(), two.head.looked_at, None)
            .problems,
        []
    );
    assert!(
        shelf
            .verify_between(first(), two.head.looked_at, None)
            .is_proven()
    );
}

#[test]
fn a_long_log_becomes_several_segments() {
    let mut shelf = Shelf::new();
    shelf.write(300);
    let mut numbers = Vec::new();
    loop {
        let appended = shelf.try_append(5000).unwrap();
        let Some(segment) = appended.segment else {
            break;
        };
        assert!(segment.head.bytes < 5300);
        numbers.push(segment.head.number);
        if !appended.more {
            break;
        }
    }
    assert!(numbers.len() > 4, "{numbers:?}");
    assert_eq!(shelf.stored(), fs::read_to_string(shelf.log()).unwrap());
    assert!(
        shelf
            .verify_between(first(), shelf.chain().last().unwrap().head.looked_at, None)
            .is_proven()
    );
}

#[test]
fn a_kill_at_any_call_of_the_store_neither_loses_nor_doubles_a_line() {
    let mut killed = 0;
    for call in 1.. {
        let mut shelf = Shelf::new();
        shelf.write(40);
        shelf.append();
        shelf.write(40);
        shelf.faults.stop_after(call);
        let outcome = shelf.try_append(SEGMENT_BYTES);
        shelf.faults.heal();
        killed += u64::from(outcome.is_err());
        // The next start looks into the vault; what it finds there it does not read again.
        shelf.write(3);
        let segment = shelf.append();
        assert!(matches!(segment.head.lines, 3 | 43), "{segment:?}");
        assert_eq!(
            shelf.stored(),
            fs::read_to_string(shelf.log()).unwrap(),
            "call {call}"
        );
        let report = shelf.verify_between(first(), segment.head.looked_at, None);
        assert!(report.is_proven(), "call {call}: {report:?}");
        if outcome.is_ok() && call > 5 {
            break;
        }
    }
    assert!(killed > 5, "{killed}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn a_segment_that_is_missing_altered_doubled_or_moved_shows() {
    let stage = || {
        let mut shelf = Shelf::new();
        for _ in 0..4 {
            shelf.write(20);
            shelf.append();
        }
        let segments = shelf.chain().segments().to_vec();
        (shelf, segments)
    };
    let (shelf, segments) = stage();
    let head = shelf.verify(None).head.unwrap();
    assert_eq!(
        head,
        Anchor {
            number: 4,
            link: segments[3].link.clone()
        }
    );
    assert_eq!(kinds(&shelf.verify(Some(head.clone()))), []);

    shelf.forget(&segments[1]);
    let report = shelf.verify(None);
    assert_eq!(kinds(&report), [(ProblemKind::Missing, Some(2))]);
    assert!(!report.is_proven());

    // The end of a chain is missed only by who remembers it.
    let (shelf, segments) = stage();
    shelf.forget(&segments[3]);
    assert_eq!(kinds(&shelf.verify(None)), []);
    assert_eq!(
        kinds(&shelf.verify(Some(head))),
        [(ProblemKind::AnchorLost, Some(4))]
    );

    // Other lines under the old head.
    let (shelf, segments) = stage();
    let lines = text(&shelf.repository, &segments[2]);
    shelf.forge(
        &segments[2],
        |head| head,
        &lines.replace("DELETE", "SELECT"),
    );
    shelf.forget(&segments[2]);
    assert_eq!(
        kinds(&shelf.verify(None)),
        [(ProblemKind::Altered, Some(3))]
    );

    // Other lines under a head that fits them.
    let (shelf, segments) = stage();
    shelf.forge(
        &segments[2],
        |head| head.replace("\"gaps\":[]", "\"gaps\": []"),
        &lines,
    );
    shelf.forget(&segments[2]);
    assert_eq!(kinds(&shelf.verify(None)), [(ProblemKind::Broken, Some(4))]);

    // Two change places.
    let (shelf, segments) = stage();
    for (from, to) in [(1, 2), (2, 1)] {
        let (old, new) = (
            format!("\"number\":{}", from + 1),
            format!("\"number\":{}", to + 1),
        );
        let lines = text(&shelf.repository, &segments[from]);
        shelf.forge(&segments[from], |head| head.replace(&old, &new), &lines);
    }
    shelf.forget(&segments[1]);
    shelf.forget(&segments[2]);
    let report = shelf.verify(None);
    assert!(
        kinds(&report).contains(&(ProblemKind::Broken, Some(2))),
        "{report:?}"
    );

    // One is there twice.
    let (shelf, segments) = stage();
    shelf.forge(
        &segments[1],
        |head| head,
        &text(&shelf.repository, &segments[1]),
    );
    assert_eq!(
        kinds(&shelf.verify(None)),
        [(ProblemKind::Duplicate, Some(2))]
    );
}

#[test]
fn damage_of_the_store_shows_and_the_rest_is_restored() {
    let mut shelf = Shelf::new();
    shelf.write(2000);
    shelf.append();
    shelf.write(2000);
    let two = shelf.append();
    // The longest pack holds lines of one of the two.
    let mut packs: Vec<(u64, Key)> = Vec::new();
    shelf
        .store
        .list("packs/", &mut |key, size| {
            packs.push((size, key.clone()));
            Ok(())
        })
        .unwrap();
    packs.sort();
    let (_, key) = packs.pop().unwrap();
    let mut bytes = shelf.store.get(&key).unwrap().to_vec();
    bytes[1000] ^= 1;
    shelf.store.delete(&key).unwrap();
    shelf.store.create_new(&key, &bytes).unwrap();
    let report = shelf.verify_between(first(), two.head.looked_at, None);
    assert!(!report.is_proven());
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert_eq!(report.problems[0].kind, ProblemKind::Altered);
    let damaged = report.problems[0].number.unwrap();
    let error = shelf
        .chain()
        .restore(damaged, &Progress::default())
        .unwrap_err();
    assert_eq!(error.reason(), Reason::DataDamaged);
    assert_eq!(shelf.restore(3 - damaged).lines, 2000);
}

#[test]
fn a_deleted_segment_leaves_the_chain_provable() {
    let mut shelf = Shelf::new();
    for _ in 0..3 {
        shelf.write(20);
        shelf.append();
    }
    let progress = Progress::default();
    let order = shelf.order(&progress, SEGMENT_BYTES);
    for number in [1, 3] {
        let mut chain = shelf.chain();
        chain.delete(number, &order).unwrap();
        chain.delete(number, &order).unwrap();
    }
    let (deleted, there): (Vec<_>, Vec<_>) = shelf
        .chain()
        .segments()
        .iter()
        .cloned()
        .partition(|segment| segment.deleted.is_some());
    assert_eq!((deleted.len(), there.len()), (2, 1));
    let report = shelf.verify(None);
    assert_eq!(kinds(&report), []);
    assert_eq!((report.deleted, report.segments), (2, 1));
    assert_eq!(
        report.unproven,
        ["2 segments of that time were deleted on purpose"]
    );
    let second = there[0].head.clone();
    let (from, to) = (second.first_event.unwrap(), second.last_event.unwrap());
    assert!(to < second.looked_from, "lines here are older than looks");
    assert!(shelf.verify_between(from, to, None).is_proven());
    let error = shelf.chain().restore(1, &progress).unwrap_err();
    assert_eq!(error.reason(), Reason::NoSuchBackup);
    // The position stands in what is left, so nothing is read again.
    shelf.write(5);
    assert_eq!(shelf.append().head.lines, 5);
}

#[test]
fn what_the_logs_lost_stands_in_the_report_and_nothing_is_called_proven() {
    let mut shelf = Shelf::new();
    shelf.write(20);
    shelf.append();
    shelf.write(20);
    fs::remove_file(shelf.log()).unwrap();
    shelf.write(20);
    let segment = shelf.append();
    assert_eq!(segment.head.gaps.len(), 1);
    let report = shelf.verify_between(first(), segment.head.looked_at, None);
    assert_eq!((report.gap_count, report.problem_count), (1, 0));
    assert!(!report.is_proven());
}

#[test]
fn a_quiet_time_is_proven_by_a_segment_that_says_so() {
    let mut shelf = Shelf::new();
    shelf.write(20);
    let one = shelf.append();
    shelf.clock.advance_seconds(3600);
    let now = shelf.clock.now();
    let report = shelf.verify_between(one.head.looked_at, now, None);
    assert!(!report.is_proven() && report.problem_count == 0);
    assert!(
        report.unproven[0].contains("only until"),
        "{:?}",
        report.unproven
    );
    let progress = Progress::default();
    let mut logs = LogDirectory::open(shelf.folder.path(), Format::ServerAudit).unwrap();
    let order = shelf.order(&progress, SEGMENT_BYTES);
    let quiet = shelf
        .chain()
        .attest(&mut logs, &order)
        .unwrap()
        .segment
        .unwrap();
    assert_eq!((quiet.head.number, quiet.head.lines), (2, 0));
    assert!(
        shelf
            .verify_between(one.head.looked_at, now, None)
            .is_proven()
    );
    assert_eq!(shelf.restore(2).bytes, 0);
}

#[test]
fn a_log_that_cannot_be_read_is_pending_and_nothing_is_called_proven_until_it_can() {
    let mut shelf = Shelf::new();
    shelf.write(20);
    // Compression that has only begun.
    let line = shelf.next_line();
    let whole = gzip(&[line, shelf.next_line()].concat().into_bytes());
    let packed = shelf.folder.path().join(format!("{AUDIT_LOG}.1.gz"));
    fs::write(&packed, &whole[..15]).unwrap();
    let appended = shelf.try_append(SEGMENT_BYTES).unwrap();
    assert_eq!(appended.pending.len(), 1, "{appended:?}");
    let head = appended.segment.unwrap().head;
    assert_eq!(head.lines, 20);
    assert!(!head.is_caught_up());
    assert!(
        !shelf
            .verify_between(first(), head.looked_at, None)
            .is_proven()
    );
    fs::write(&packed, &whole).unwrap();
    let head = shelf.append().head;
    assert_eq!((head.lines, head.gaps.len()), (2, 0));
    assert!(
        shelf
            .verify_between(first(), head.looked_at, None)
            .is_proven()
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut child = Command::new("gzip")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn a_report_is_signed_and_a_changed_one_is_refused() {
    let mut shelf = Shelf::new();
    shelf.write(20);
    shelf.append();
    let master = MasterKey::generate(&SeededEntropy::new(9));
    let other = MasterKey::generate(&SeededEntropy::new(10));
    let key = public_key(&master);
    let signed = sign(&shelf.verify(None), &master);
    let text = serde_json::to_string_pretty(&signed).unwrap();
    let read: Signed = serde_json::from_str(&text).unwrap();
    assert_eq!(read.check(&key).unwrap(), &signed.report);
    assert!(read.check(&public_key(&other)).is_err());
    let bent: Signed =
        serde_json::from_str(&text.replace("\"lines\": 20", "\"lines\": 21")).unwrap();
    assert_ne!(bent, read);
    assert!(bent.check(&key).is_err());
}

#[test]
fn a_statement_of_json_is_found_however_its_letters_are_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let line = |second: u32, statement: &str| {
        format!(
            "{{\"timestamp\": \"2026-01-02T00:00:0{second}Z\", \"user\": \"app\", \
             \"sqltext\": \"{statement}\"}}\n"
        )
    };
    let text = [
        line(1, "DROP TABLE orders"),
        line(2, "\\u0044\\u0052op TABLE orders"),
        line(3, "SELECT '\\u00e4'"),
        line(4, "d\\u0072\\u006Fp table orders"),
    ];
    fs::write(folder.path().join("audit.json"), text.concat()).unwrap();
    let logs = LogDirectory::open(folder.path(), Format::JsonLines).unwrap();
    let query = Query {
        keyword: Some("Drop Table".to_owned()),
        user: Some("app".to_owned()),
        order: Order::OldestFirst,
        limit: 10,
        ..Query::default()
    };
    let found = search(&query, &[Logs::Live(&logs)], &Progress::default()).unwrap();
    let said: Vec<_> = found.hits.iter().map(|hit| &*hit.statement).collect();
    let expected = [
        "DROP TABLE orders",
        "DRop TABLE orders",
        "drop table orders",
    ];
    assert_eq!((found.total, said), (3, expected.to_vec()));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn lines_are_found_live_and_restored_each_once_the_newest_first() {
    let mut shelf = Shelf::new();
    shelf.write(100);
    shelf.append();
    shelf.write(100);
    shelf.append();
    shelf.write(100);
    let logs = LogDirectory::open(shelf.folder.path(), Format::ServerAudit).unwrap();
    let (one, two) = (shelf.restore(1), shelf.restore(2));
    let everything = [
        Logs::Live(&logs),
        Logs::Restored(&shelf.repository, &two, Zone(0)),
        Logs::Restored(&shelf.repository, &one, Zone(0)),
    ];
    let progress = Progress::default();
    let find = |query: Query| search(&query, &everything, &progress).unwrap();
    let page = Query {
        limit: 10,
        ..Query::default()
    };
    let all = find(page.clone());
    assert_eq!(
        (all.total, all.hits.len()),
        (300, 10),
        "live lines that are restored count once"
    );
    assert!(all.hits.is_sorted_by_key(|hit| std::cmp::Reverse(hit.time)));
    assert!(
        all.hits[0].statement.contains("mark000300"),
        "{:?}",
        all.hits[0]
    );
    let old = find(Query {
        order: Order::OldestFirst,
        offset: 95,
        ..page.clone()
    });
    assert!(old.hits[0].statement.contains("mark000096"));
    assert!(old.hits.is_sorted_by_key(|hit| hit.time));

    let total = |query: Query| find(query).total;
    let word = |word: &str| Query {
        keyword: Some(word.to_owned()),
        ..page.clone()
    };
    assert_eq!(total(word("MARK000042")), 1);
    assert_eq!(total(word("select 'x'")), 240);
    assert_eq!(
        total(word("\\'x\\'")),
        0,
        "a statement is searched as it was sent"
    );
    assert_eq!(
        total(Query {
            user: Some("root".to_owned()),
            ..page.clone()
        }),
        30
    );
    assert_eq!(
        total(Query {
            kind: Some(StatementKind::Delete),
            ..page.clone()
        }),
        60
    );
    assert_eq!(
        total(Query {
            outcome: Some(Outcome::Failed),
            ..page.clone()
        }),
        42
    );
    assert_eq!(
        total(Query {
            client_ip: Some("10.0.0.2".to_owned()),
            ..page.clone()
        }),
        100
    );
    assert_eq!(
        total(Query {
            database: Some("other".to_owned()),
            ..page.clone()
        }),
        0
    );
    let between = Query {
        from: Some(at(0, 1, 0)),
        to: Some(at(0, 1, 59)),
        ..page.clone()
    };
    assert_eq!(total(between), 60);
    let restored_only = search(&page, &everything[2..], &progress).unwrap();
    assert_eq!(restored_only.total, 100);

    let hit = &find(word("mark000142")).hits[0];
    let id = hit.id.to_string().parse().unwrap();
    let shown = show(id, &everything, &progress).unwrap().unwrap();
    assert_eq!(&shown, hit);
    assert!(
        "nothing"
            .parse::<strongroom_control::audit_logs::HitId>()
            .is_err()
    );
    let far = Query {
        offset: 200_000,
        ..page
    };
    assert!(search(&far, &everything, &progress).is_err());
}

#[test]
fn a_line_of_ten_megabytes_passes_and_a_longer_one_than_kept_is_told() {
    let mut shelf = Shelf::new();
    shelf.write(1);
    let mut log = OpenOptions::new().append(true).open(shelf.log()).unwrap();
    let long = "x".repeat(10 << 20);
    writeln!(
        log,
        "20260102 00:00:01,db1,app,h,1,1,QUERY,shop,'SELECT {long}',0"
    )
    .unwrap();
    shelf.write(1);
    let segment = shelf.append();
    assert_eq!((segment.head.lines, segment.head.gaps.len()), (3, 0));
    assert_eq!(shelf.stored(), fs::read_to_string(shelf.log()).unwrap());
    let too_long = "y".repeat(strongroom_source::audit::reading::LINE_MAX + 10);
    writeln!(log, "20260102 00:00:02,{too_long}").unwrap();
    shelf.write(2);
    let segment = shelf.append();
    assert_eq!(segment.head.lines, 2);
    assert_eq!(segment.head.gaps.len(), 1, "{:?}", segment.head.gaps);
    assert!(shelf.stored().ends_with(&text(&shelf.repository, &segment)));
}

#[test]
fn a_directory_that_cannot_be_read_is_told_and_nothing_is_stored() {
    let shelf = Shelf::new();
    let gone = shelf.folder.path().join("gone");
    assert!(LogDirectory::open(&gone, Format::ServerAudit).is_err());
    fs::create_dir(&gone).unwrap();
    let mut logs = LogDirectory::open(&gone, Format::ServerAudit).unwrap();
    assert_eq!(logs.identity().unwrap(), logs.clone().identity().unwrap());
    fs::remove_dir(&gone).unwrap();
    let progress = Progress::default();
    let order = shelf.order(&progress, SEGMENT_BYTES);
    let error = shelf.chain().append(&mut logs, &order).unwrap_err();
    assert_eq!(error.reason(), Reason::InputOutput);
    assert!(error.to_string().contains("gone"), "{error}");
    assert!(shelf.chain().last().is_none());
}

/// What rotates the log of a real server.
fn rotated(name: &Path, number: u32) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(format!(".{number}"));
    path.into()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn the_log_of_a_real_mariadb_is_kept_whole_while_it_is_rotated() {
    let shelf = Shelf::new();
    let setup = Setup {
        audit: true,
        no_log: true,
        ..Setup::default()
    };
    let server = Database::start(shelf.folder.path(), "server", setup).unwrap();
    let (folder, log) = (
        server.audit_directory(),
        server.audit_directory().join(AUDIT_LOG),
    );
    assert_eq!(
        LogDirectory::detect(&folder).unwrap(),
        Some(Format::ServerAudit)
    );
    let mut logs = LogDirectory::open(&folder, Format::ServerAudit).unwrap();
    let mut asked = 0;
    let mut ask = |count: u32| {
        let statements: Vec<String> = (0..count)
            .map(|_| {
                asked += 1;
                format!("SELECT 'it''s\nmark{asked:05}'")
            })
            .collect();
        server.sql(&statements.join(";")).unwrap();
        // The server writes about a connection when its client has gone, too.
        let until = Instant::now() + Duration::from_mins(1);
        let last = format!("mark{asked:05}");
        let written = || fs::read_to_string(&log).unwrap_or_default();
        let is_done = |text: &str| {
            let behind = text.split_once(&last).map(|(_, behind)| behind);
            behind.is_some_and(|behind| behind.contains(",DISCONNECT,"))
        };
        while !is_done(&written()) {
            assert!(
                Instant::now() < until,
                "the log does not grow: {}",
                written()
            );
            thread::sleep(Duration::from_millis(5));
        }
    };
    let progress = Progress::default();
    let take = |logs: &mut LogDirectory| {
        shelf.clock.advance_seconds(60);
        let order = shelf.order(&progress, SEGMENT_BYTES);
        shelf.chain().append(logs, &order).unwrap()
    };
    ask(20);
    take(&mut logs);
    ask(20);
    // The plugin's own rotation, unread lines in the old file.
    server
        .sql("SET GLOBAL server_audit_file_rotate_now=ON")
        .unwrap();
    ask(20);
    take(&mut logs);
    // logrotate: copytruncate, seen between its two steps.
    ask(20);
    fs::rename(rotated(&log, 1), rotated(&log, 2)).unwrap();
    fs::copy(&log, rotated(&log, 1)).unwrap();
    take(&mut logs);
    OpenOptions::new()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(0)
        .unwrap();
    ask(20);
    take(&mut logs);
    // And compressed.
    let packed = std::process::Command::new("gzip")
        .arg(rotated(&log, 2))
        .status()
        .unwrap();
    assert!(packed.success());
    ask(20);
    take(&mut logs);
    fs::remove_file(folder.join(format!("{AUDIT_LOG}.2.gz"))).unwrap();
    take(&mut logs);

    let stored = shelf.stored();
    for number in 1..=100 {
        let mark = format!("mark{number:05}");
        assert_eq!(stored.matches(&mark).count(), 1, "{mark}\n{stored}");
    }
    let chain = shelf.chain();
    let gaps: Vec<_> = chain
        .segments()
        .iter()
        .flat_map(|segment| &segment.head.gaps)
        .collect();
    assert_eq!(gaps, Vec::<&strongroom_source::audit::Gap>::new());
    let sets: Vec<RestoredSet> = chain
        .segments()
        .iter()
        .map(|segment| chain.restore(segment.head.number, &progress).unwrap())
        .collect();
    let mut everywhere: Vec<Logs<'_>> = sets
        .iter()
        .map(|set| Logs::Restored(&shelf.repository, set, Zone(0)))
        .collect();
    everywhere.push(Logs::Live(&logs));
    let query = Query {
        keyword: Some("it''s\nmark000".to_owned()),
        kind: Some(StatementKind::Select),
        limit: 100,
        ..Query::default()
    };
    let found = search(&query, &everywhere, &progress).unwrap();
    assert_eq!(
        found.total, 99,
        "each once, whether live or restored or both"
    );
    assert!(
        found
            .hits
            .iter()
            .all(|hit| hit.user == "root" && hit.succeeded)
    );
}

/// Processor seconds of this process.
fn processor_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, nanos) = (spent.tv_sec, spent.tv_nsec);
    #[expect(clippy::cast_precision_loss, reason = "a test runs for minutes")]
    let spent = seconds as f64 + nanos as f64 / 1e9;
    spent
}

#[test]
#[ignore = "nightly: a gigabyte of logs"]
#[expect(clippy::cast_precision_loss, reason = "sizes in megabytes")]
fn a_gigabyte_of_logs_is_taken_and_searched_at_a_hundred_megabytes_a_second() {
    let mut shelf = Shelf::new();
    let mut log = std::io::BufWriter::new(fs::File::create(shelf.log()).unwrap());
    let (mut written, mut number) = (0, 0_u64);
    while written < 1 << 30 {
        number += 1;
        let key = blake3::hash(&number.to_le_bytes()).to_hex();
        let line = format!(
            "20260102 {:02}:{:02}:{:02},db1,app,10.0.{}.{},{},{number},QUERY,shop,'SELECT id, name, \
             price FROM orders WHERE customer = {} AND token = \\'{}\\' ORDER BY id LIMIT 20',0\n",
            number / 3_600_000 % 24,
            number / 60_000 % 60,
            number / 1000 % 60,
            number % 8,
            number % 250,
            number % 1009,
            number * 7919 % 1_000_003,
            &key[..32],
        );
        log.write_all(line.as_bytes()).unwrap();
        written += line.len();
    }
    log.into_inner().unwrap();
    let megabytes = written as f64 / 1e6;
    let before = processor_seconds();
    let segment = shelf.append();
    let taking = processor_seconds() - before;
    assert_eq!(segment.head.lines, number);
    println!(
        "taken: {megabytes:.0} MB at {:.0} MB per processor second",
        megabytes / taking
    );

    let set = shelf.restore(1);
    let logs = [Logs::Restored(&shelf.repository, &set, Zone(0))];
    let progress = Progress::default();
    let before = processor_seconds();
    let query = Query {
        keyword: Some("customer = 7919 ".to_owned()),
        limit: 50,
        ..Query::default()
    };
    let found = search(&query, &logs, &progress).unwrap();
    let searching = processor_seconds() - before;
    assert!(found.total > 0 && found.hits.len() <= 50);
    println!(
        "searched: {:.0} MB per processor second",
        megabytes / searching
    );
    shelf.lines = number;
    assert!(megabytes / taking > 50.0, "even as tests are compiled");
}
