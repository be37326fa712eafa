//! Directories of audit logs under everything that rotation does to them, by seed.
//!
//! A [`Keeper`] writes a log and renames, copies, cuts, compresses and deletes its files at random;
//! between any two of its steps the logs are read on, and some readings are forgotten as a kill
//! makes them be. What was read must be what was written, each line once, but for what the gaps
//! tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::Write as _,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use strongroom_source::audit::{
    Budget, Format, Gap, GapKind, LogDirectory, Lost, Position, Reading, Zone,
    scan::{Line, Scanner},
};
use strongroom_testkit::dice::Dice;

const LIVE: &str = "server_audit.log";

/// What a writer wrote into one file before it went on to another.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    /// Whether a reading that counts met it with something in it.
    seen: bool,
}

/// A file as it should be: the first bytes of a content.
#[derive(Clone)]
struct Held {
    content: usize,
    length: usize,
}

/// Writes and rotates a log.
struct Keeper {
    folder: PathBuf,
    dice: Dice,
    seed: u64,
    contents: Vec<Content>,
    files: BTreeMap<String, Held>,
    /// What the writer writes to: the live file, or what it was renamed to.
    open: File,
    live: usize,
    lines: u64,
    time: u64,
    /// Contents of which something went away since the last reading that counts.
    destroyed: BTreeSet<usize>,
    /// A plain file and its compressed form, side by side.
    compressing: Option<(String, String)>,
    /// Whether a copy of the live file was made that is to be followed by its cut.
    copied: bool,
    /// What happened so far, for whoever reads of a failure.
    story: Vec<String>,
}

impl Keeper {
    fn new(folder: &Path, seed: u64) -> Self {
        let open = create(&folder.join(LIVE));
        let live = Held {
            content: 0,
            length: 0,
        };
        let mut keeper = Self {
            folder: folder.to_owned(),
            dice: Dice::new(seed),
            seed,
            contents: vec![Content::default()],
            files: BTreeMap::from([(LIVE.to_owned(), live)]),
            open,
            live: 0,
            lines: 0,
            time: 1_000_000_000,
            destroyed: BTreeSet::new(),
            compressing: None,
            copied: false,
            story: Vec::new(),
        };
        keeper.touch(LIVE);
        keeper
    }

    fn tell(&mut self, what: &str) {
        let files = self.files.iter();
        let files: Vec<String> = files
            .map(|(name, held)| format!("{name}={}:{}", held.content, held.length))
            .collect();
        self.story.push(format!("{what}: {}", files.join(" ")));
    }

    fn step(&mut self) {
        if self.copied {
            // Whoever copies cuts next, and what is written between is lost by them.
            self.copied = false;
            self.cut();
            self.tell("cut behind the copy");
            return;
        }
        let (what, act): (&str, fn(&mut Self)) = match self.dice.below(100) {
            0..45 => ("append", Self::append),
            45..55 => ("append half", Self::append_half),
            55..65 => ("rename", Self::rename),
            65..72 => ("copy", Self::copy),
            72..85 => ("compress", Self::compress),
            85..92 => ("delete oldest", Self::delete_oldest),
            92..95 => ("cut", Self::cut),
            95..98 => ("delete live", Self::delete_live),
            _ => ("rename over", Self::rename_over),
        };
        act(self);
        self.tell(what);
    }

    fn touch(&mut self, name: &str) {
        self.time += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.time);
        File::open(self.folder.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }

    fn write(&mut self, bytes: &[u8]) {
        self.open.write_all(bytes).unwrap();
        let live = self.live;
        self.contents[live].bytes.extend_from_slice(bytes);
        if let Some(held) = self.files.get_mut(LIVE).filter(|held| held.content == live) {
            held.length += bytes.len();
            self.touch(LIVE);
        }
    }

    fn line(&mut self) -> String {
        self.lines += 1;
        let padding = usize::try_from(self.dice.below(200)).unwrap();
        format!(
            "20261121 12:{:02}:{:02},s{:06},app,10.0.0.7,{},{},QUERY,shop,'{}',0\n",
            self.lines / 60 % 60,
            self.lines % 60,
            self.lines,
            self.lines % 7,
            self.lines,
            "x".repeat(padding)
        )
    }

    fn append(&mut self) {
        for _ in 0..=self.dice.below(30) {
            let line = self.line();
            self.write(line.as_bytes());
        }
    }

    fn append_half(&mut self) {
        let line = self.line();
        let cut = 30 + usize::try_from(self.dice.below(20)).unwrap();
        self.write(&line.as_bytes()[..cut]);
        if self.dice.chance(60) {
            self.write(&line.as_bytes()[cut..]);
        } else if self.dice.chance(50) {
            self.write(b"\n");
        } else {
            // A line without an end; the next one comes behind it in another file.
            self.rename();
        }
    }

    /// Makes room for a first rotated file.
    fn shift(&mut self) {
        let mut rotated: Vec<(u64, String)> = self
            .files
            .keys()
            .filter_map(|name| Some((number(name)?, name.clone())))
            .collect();
        rotated.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        for (number, name) in rotated {
            let rest = name.trim_start_matches(|c: char| c != '.');
            let end = [".gz", ".zst"].iter().find(|end| rest.ends_with(*end));
            let next = format!("{LIVE}.{}{}", number + 1, end.unwrap_or(&""));
            self.relabel(&name, &next);
            if let Some((plain, packed)) = &mut self.compressing {
                for side in [plain, packed] {
                    if *side == name {
                        side.clone_from(&next);
                    }
                }
            }
        }
    }

    fn relabel(&mut self, from: &str, to: &str) {
        fs::rename(self.folder.join(from), self.folder.join(to)).unwrap();
        let held = self.files.remove(from).unwrap();
        if let Some(over) = self.files.insert(to.to_owned(), held) {
            self.destroyed.insert(over.content);
        }
    }

    fn rename(&mut self) {
        self.shift();
        self.relabel(LIVE, &format!("{LIVE}.1"));
        self.begin();
    }

    /// A new live file.
    fn begin(&mut self) {
        self.open = create(&self.folder.join(LIVE));
        self.contents.push(Content::default());
        self.live = self.contents.len() - 1;
        let held = Held {
            content: self.live,
            length: 0,
        };
        self.files.insert(LIVE.to_owned(), held);
        self.touch(LIVE);
    }

    fn copy(&mut self) {
        self.shift();
        let copy = format!("{LIVE}.1");
        fs::copy(self.folder.join(LIVE), self.folder.join(&copy)).unwrap();
        self.files.insert(copy.clone(), self.files[LIVE].clone());
        self.touch(&copy);
        self.copied = true;
    }

    fn cut(&mut self) {
        self.open.set_len(0).unwrap();
        let held = self.files.get_mut(LIVE).unwrap();
        self.destroyed.insert(held.content);
        self.contents.push(Content::default());
        self.live = self.contents.len() - 1;
        (held.content, held.length) = (self.live, 0);
        self.touch(LIVE);
    }

    fn compress(&mut self) {
        if let Some((plain, _)) = self.compressing.take() {
            fs::remove_file(self.folder.join(&plain)).unwrap();
            self.files.remove(&plain);
            return;
        }
        let rotated: Vec<String> = self
            .files
            .keys()
            .filter(|name| number(name).is_some() && !is_packed(name))
            .cloned()
            .collect();
        if rotated.is_empty() {
            return;
        }
        let plain = self.dice.pick(&rotated).clone();
        let bytes = fs::read(self.folder.join(&plain)).unwrap();
        let (end, packed) = if self.dice.chance(50) {
            (".gz", gzip(&bytes))
        } else {
            (".zst", zstd::encode_all(bytes.as_slice(), 1).unwrap())
        };
        let name = format!("{plain}{end}");
        fs::write(self.folder.join(&name), packed).unwrap();
        let modified = fs::metadata(self.folder.join(&plain))
            .unwrap()
            .modified()
            .unwrap();
        let file = File::open(self.folder.join(&name)).unwrap();
        file.set_modified(modified).unwrap();
        self.files.insert(name.clone(), self.files[&plain].clone());
        self.compressing = Some((plain, name));
    }

    fn delete_oldest(&mut self) {
        let oldest = self
            .files
            .keys()
            .filter_map(|name| Some((number(name)?, name.clone())))
            .max();
        let Some((_, name)) = oldest else {
            return;
        };
        if let Some((plain, packed)) = &self.compressing
            && (*plain == name || *packed == name)
        {
            return;
        }
        fs::remove_file(self.folder.join(&name)).unwrap();
        let held = self.files.remove(&name).unwrap();
        self.destroyed.insert(held.content);
    }

    fn delete_live(&mut self) {
        fs::remove_file(self.folder.join(LIVE)).unwrap();
        let held = self.files.remove(LIVE).unwrap();
        self.destroyed.insert(held.content);
        self.begin();
    }

    /// A new log is put over the old one.
    fn rename_over(&mut self) {
        let new = self.folder.join("new");
        let open = create(&new);
        fs::rename(new, self.folder.join(LIVE)).unwrap();
        self.destroyed.insert(self.files[LIVE].content);
        self.contents.push(Content::default());
        self.live = self.contents.len() - 1;
        self.open = open;
        let held = Held {
            content: self.live,
            length: 0,
        };
        self.files.insert(LIVE.to_owned(), held);
        self.touch(LIVE);
    }

    /// Lines of a content; the last one may lack its end.
    fn lines_of(&self, content: usize) -> Vec<String> {
        let text = String::from_utf8(self.contents[content].bytes.clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The longest part of each content that is still in a file.
    fn surviving(&self) -> BTreeMap<usize, usize> {
        let mut longest = BTreeMap::new();
        for held in self.files.values() {
            let known = longest.entry(held.content).or_insert(0);
            *known = held.length.max(*known);
        }
        longest
    }
}

fn create(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create_new(true).append(true).open(path).unwrap()
}

fn number(name: &str) -> Option<u64> {
    let rest = name.strip_prefix(LIVE)?.strip_prefix('.')?;
    rest.split('.').next()?.parse().ok()
}

fn is_packed(name: &str) -> bool {
    [".gz", ".zst"].iter().any(|end| name.ends_with(end))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What readings that count took.
#[derive(Default)]
struct Taken {
    position: Position,
    lines: Vec<String>,
    gaps: Vec<Gap>,
}

impl Taken {
    fn look(&mut self, folder: &Path, budget: Budget) -> Reading {
        let mut logs = LogDirectory::open(folder, Format::ServerAudit).unwrap();
        let mut bytes = Vec::new();
        // As it is stored between two readings.
        let stored = serde_json::to_string(&self.position).unwrap();
        let from: Position = serde_json::from_str(&stored).unwrap();
        let reading = logs.read(&from, budget, &mut bytes).unwrap();
        assert_eq!(reading.bytes, bytes.len() as u64);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(reading.lines, text.lines().count() as u64);
        self.lines.extend(text.lines().map(str::to_owned));
        self.position = reading.position.clone();
        self.gaps.extend(reading.gaps.clone());
        reading
    }
}

fn live_through(seed: u64, steps: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(folder.path(), seed);
    let mut taken = Taken::default();
    let mut choices = Dice::new(seed ^ 0xa0d17);
    for step in 0..steps {
        keeper.step();
        if choices.chance(40) {
            let budget = match choices.below(4) {
                0 => Budget {
                    bytes: 1 + choices.below(3000),
                },
                _ => Budget::ALL,
            };
            if choices.chance(20) {
                // Killed before it counted.
                let position = taken.position.clone();
                let (lines, gaps) = (taken.lines.len(), taken.gaps.len());
                taken.look(folder.path(), budget);
                taken.position = position;
                taken.lines.truncate(lines);
                taken.gaps.truncate(gaps);
                continue;
            }
            look_and_judge(&mut keeper, &mut taken, budget, step);
        }
    }
    // At the end everything that is there is taken, whatever lacks its end too.
    keeper.copied = false;
    for _ in 0..3 {
        keeper.append();
        while look_and_judge(&mut keeper, &mut taken, Budget::ALL, steps).more {}
    }
    let surviving = keeper.surviving();
    let read: BTreeSet<&String> = taken.lines.iter().collect();
    assert_eq!(
        read.len(),
        taken.lines.len(),
        "seed {seed}: a line was read twice"
    );
    for (content, length) in surviving {
        let text = String::from_utf8(keeper.contents[content].bytes[..length].to_vec()).unwrap();
        for line in text.lines() {
            let line = line.to_owned();
            assert!(
                read.contains(&line),
                "seed {seed}: {line} is there and was not read"
            );
        }
    }
    let written: BTreeSet<String> = (0..keeper.contents.len())
        .flat_map(|content| keeper.lines_of(content))
        .collect();
    for line in &taken.lines {
        assert!(
            written.contains(line),
            "seed {seed}: {line} was never written"
        );
    }
}

/// Reads on, and compares the gaps that are told with what went away.
fn look_and_judge(keeper: &mut Keeper, taken: &mut Taken, budget: Budget, step: usize) -> Reading {
    let seed = keeper.seed;
    let reading = taken.look(&keeper.folder, budget);
    let after: BTreeSet<&String> = taken.lines.iter().collect();
    let known: Vec<String> = reading
        .position
        .files()
        .map(|(name, bytes)| format!("{name}={bytes}"))
        .collect();
    keeper
        .story
        .push(format!("look: {}; {:?}", known.join(" "), reading.gaps));
    let story = keeper.story.join("\n");
    assert_eq!(
        after.len(),
        taken.lines.len(),
        "seed {seed} step {step}: a line was read twice\n{story}"
    );
    let surviving = keeper.surviving();
    let loses = reading.gaps.iter().any(Gap::loses);
    // Lines that a reading could have taken and no reading can take any more.
    let mut lost = Vec::new();
    for content in std::mem::take(&mut keeper.destroyed) {
        let length = surviving.get(&content).copied().unwrap_or(0);
        let bytes = &keeper.contents[content].bytes;
        let there = String::from_utf8(bytes[..length].to_vec()).unwrap();
        let there: BTreeSet<&str> = there.lines().collect();
        let gone = keeper.lines_of(content);
        let gone = gone
            .into_iter()
            .filter(|line| !there.contains(line.as_str()) && !after.contains(line));
        if keeper.contents[content].seen {
            lost.extend(gone);
        }
    }
    assert!(
        lost.is_empty() || loses,
        "seed {seed} step {step}: lost without a gap: {:?}\n{story}",
        lost.first()
    );
    for held in keeper.files.values() {
        if held.length > 0 {
            keeper.contents[held.content].seen = true;
        }
    }
    for gap in &reading.gaps {
        assert_ne!(
            gap.kind,
            GapKind::Unreadable,
            "seed {seed} step {step}: {gap}"
        );
        if let Lost::Bytes(bytes) = gap.lost {
            assert!(bytes > 0);
            // Nobody recognises a file again by a piece of its first line.
            let piece = gap.from == 0 && bytes < 64;
            assert!(
                piece || !lost.is_empty(),
                "seed {seed} step {step}: nothing is lost: {gap}\n{story}"
            );
        }
    }
    reading
}

/// A directory with one log of that text.
fn directory_with(name: &str, text: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn read(folder: &Path, format: Format, from: &Position, bytes: u64) -> (Reading, String) {
    let mut logs = LogDirectory::open(folder, format).unwrap();
    let mut out = Vec::new();
    let reading = logs.read(from, Budget { bytes }, &mut out).unwrap();
    (reading, String::from_utf8(out).unwrap())
}

fn line_at(time: &str) -> String {
    format!("20261121 {time},db1,app,10.0.0.7,1,1,QUERY,shop,'SELECT \\'{time}\\'',0\n")
}

#[test]
fn a_record_of_many_lines_is_never_torn() {
    let record = "2026-11-21 12:00:00.000 UTC,\"app\",\"shop\",1,\"h:1\",s,1,\"SELECT\",x,v,0,LOG,00000,\
        \"statement: SELECT\n \"\"a\"\"\n,1\",,,,,,,,,\"psql\",\"client backend\",,0\n";
    let folder = directory_with("postgresql-2026-11-21.csv", record.repeat(5).as_bytes());
    assert_eq!(
        LogDirectory::detect(folder.path()).unwrap(),
        Some(Format::PostgresCsv)
    );
    let (mut position, mut parts) = (Position::default(), Vec::new());
    loop {
        let (reading, text) = read(folder.path(), Format::PostgresCsv, &position, 1);
        if reading.lines == 0 {
            break;
        }
        assert_eq!(reading.lines, 1);
        parts.push(text);
        position = reading.position;
    }
    assert_eq!(parts, vec![record; 5]);
}

#[test]
fn a_record_that_a_dead_server_left_open_ends_where_the_next_one_begins() {
    let record = |n: u32| {
        format!(
            "2026-11-21 12:00:0{n}.000 UTC,\"app\",\"shop\",1,\"h:1\",s,1,\"SELECT\",x,v,0,LOG,00000,\
             \"statement: SELECT\n2026-11-21 12:00:00.000 UTC,\"\"a\"\"\n,{n}\",,,,,,,,,\"psql\",\
             \"client backend\",,0\n"
        )
    };
    let cut = "2026-11-21 12:00:02.000 UTC,\"app\",\"shop\",1,\"h:1\",s,1,\"SELECT\",x,v,0,LOG,00000,\
        \"statement: SELECT\n 'half";
    let name = "postgresql-Sat.csv";
    let folder = directory_with(name, format!("{}{cut}", record(1)).as_bytes());
    let format = Format::PostgresCsv;
    let (reading, text) = read(folder.path(), format, &Position::default(), u64::MAX);
    assert_eq!((reading.lines, text), (1, record(1)));
    let (again, text) = read(folder.path(), format, &reading.position, u64::MAX);
    assert_eq!((again.lines, &*text), (0, ""), "it may yet be finished");
    // The next server goes on in the same file.
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join(name))
        .unwrap();
    log.write_all(format!("\n{}{}", record(3), record(4)).as_bytes())
        .unwrap();
    let mut position = again.position;
    let mut parts = Vec::new();
    loop {
        let (reading, text) = read(folder.path(), format, &position, 1);
        if reading.lines == 0 {
            break;
        }
        assert_eq!((reading.lines, reading.gaps.len()), (1, 0));
        parts.push(text);
        position = reading.position;
    }
    assert_eq!(parts, [format!("{cut}\n"), record(3), record(4)]);
    // A search sees the same lines.
    let logs = LogDirectory::open(folder.path(), format).unwrap();
    let live = logs.live().unwrap();
    let mut seen = Vec::new();
    let mut visit = |line: &Line<'_>| {
        seen.push(String::from_utf8(line.bytes.to_vec()).unwrap());
        ControlFlow::Continue(())
    };
    let scanner = Scanner::new((format, Zone(0)), 0, None, &mut visit);
    scanner
        .read(&mut live.open(&live.files()[0], 0).unwrap())
        .unwrap();
    assert_eq!(seen, [record(1), format!("{cut}\n"), record(3), record(4)]);

    // On the same line: nobody can tell where the half record ends, but all is there, and what
    // comes after is as it was.
    let text = format!("{}{cut}{}{}", record(1), record(3), record(4));
    let folder = directory_with(name, text.as_bytes());
    let (_, first) = read(folder.path(), format, &Position::default(), 1);
    assert_eq!(first, record(1));
    let (all, out) = read(folder.path(), format, &Position::default(), u64::MAX);
    assert_eq!(out, text);
    assert!(all.gaps.is_empty() && all.lines >= 3, "{all:?}");
    let (but_last, out) = read(
        folder.path(),
        format,
        &Position::default(),
        (text.len() - record(4).len()) as u64,
    );
    assert_eq!(format!("{out}{}", record(4)), text);
    assert!(but_last.more);
}

#[test]
fn zeros_that_a_cut_left_are_no_part_of_a_line() {
    let line = line_at("12:00:00");
    let mut text = vec![0; 100_000];
    text.extend_from_slice(line.as_bytes());
    let folder = directory_with(LIVE, &text);
    let (reading, read_text) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        1 << 20,
    );
    assert_eq!(
        (reading.lines, reading.gaps.len()),
        (0, 0),
        "zeros alone tell no format"
    );
    assert_eq!(read_text, "");
    // A log that was known before it was cut.
    let folder = directory_with(LIVE, line.as_bytes());
    let (reading, _) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        1 << 20,
    );
    fs::write(folder.path().join(LIVE), [line.as_bytes(), &text].concat()).unwrap();
    let (reading, read_text) = read(
        folder.path(),
        Format::ServerAudit,
        &reading.position,
        1 << 20,
    );
    assert_eq!((reading.lines, read_text), (1, line));
}

#[test]
fn a_clock_that_runs_back_is_told_and_loses_nothing() {
    let lines = [
        line_at("12:00:00"),
        line_at("12:00:01"),
        line_at("11:00:00"),
        line_at("11:00:01"),
    ];
    let folder = directory_with(LIVE, lines.concat().as_bytes());
    let (reading, text) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        1 << 20,
    );
    assert_eq!(text, lines.concat());
    assert_eq!(reading.gaps.len(), 1);
    assert_eq!(reading.gaps[0].kind, GapKind::ClockRanBack);
    assert!(!reading.gaps[0].loses());
    let (first, last) = (reading.first_event.unwrap(), reading.last_event.unwrap());
    assert_eq!(last.micros_since(first), 3_601_000_000);
}

#[test]
fn a_line_without_its_end_waits() {
    let (one, two) = (line_at("12:00:00"), line_at("12:00:01"));
    let folder = directory_with(LIVE, format!("{one}{}", &two[..40]).as_bytes());
    let (reading, text) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        1 << 20,
    );
    assert_eq!(text, one);
    fs::write(folder.path().join(LIVE), format!("{one}{two}")).unwrap();
    let (reading, text) = read(
        folder.path(),
        Format::ServerAudit,
        &reading.position,
        1 << 20,
    );
    assert_eq!((text, reading.gaps), (two, vec![]));
}

#[test]
fn damage_under_compression_is_told_when_it_does_not_change_any_more() {
    let mut dice = Dice::new(3);
    let mut lines = String::new();
    for number in 0..20_000_u64 {
        let token = dice.number();
        let (hour, minute, second) = (12 + number / 3600, number / 60 % 60, number % 60);
        lines.push_str(&line_at(&format!("{hour}:{minute:02}:{second:02}")));
        lines.insert_str(lines.len() - 4, &format!(" {token:x}"));
    }
    let mut packed = gzip(lines.as_bytes());
    let middle = packed.len() / 2;
    packed.truncate(middle);
    let folder = directory_with(&format!("{LIVE}.1.gz"), &packed);
    let (first, some) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        u64::MAX,
    );
    assert!(lines.starts_with(&some) && some.len() > 1000);
    assert_eq!(
        (first.pending.len(), first.gaps.len()),
        (1, 0),
        "it may still be written"
    );
    let (second, none) = read(
        folder.path(),
        Format::ServerAudit,
        &first.position,
        u64::MAX,
    );
    assert_eq!((none.as_str(), second.pending.len()), ("", 0));
    assert_eq!(second.gaps.len(), 1);
    assert_eq!(second.gaps[0].kind, GapKind::Unreadable);
    assert_eq!(second.gaps[0].from, some.len() as u64);
    let (third, _) = read(
        folder.path(),
        Format::ServerAudit,
        &second.position,
        u64::MAX,
    );
    assert!(!third.is_news(&second.position), "told once");
}

#[test]
fn what_is_no_log_is_left_alone() {
    let folder = directory_with(LIVE, line_at("12:00:00").as_bytes());
    let inside = |name: &str| folder.path().join(name);
    fs::write(inside("ibdata1"), Dice::new(1).bytes(5000)).unwrap();
    fs::write(inside("notes.txt"), "20261121 is a Saturday\n").unwrap();
    fs::create_dir(inside("shop")).unwrap();
    fs::write(inside("shop/server_audit.log"), line_at("13:00:00")).unwrap();
    std::os::unix::fs::symlink(inside("shop/server_audit.log"), inside("link")).unwrap();
    fs::hard_link(inside(LIVE), inside("z-second-name")).unwrap();
    let (reading, text) = read(
        folder.path(),
        Format::ServerAudit,
        &Position::default(),
        1 << 20,
    );
    assert_eq!(text, line_at("12:00:00"));
    assert_eq!(
        (reading.pending.len(), reading.position.files().count()),
        (0, 1)
    );
    let (again, text) = read(
        folder.path(),
        Format::ServerAudit,
        &reading.position,
        1 << 20,
    );
    assert!(text.is_empty() && !again.is_news(&reading.position));
    let only = LogDirectory::open(folder.path(), Format::ServerAudit).unwrap();
    let mut only = only.with_files("other*").unwrap();
    let mut out = Vec::new();
    assert_eq!(
        only.read(&Position::default(), Budget::ALL, &mut out)
            .unwrap()
            .lines,
        0
    );
}

#[test]
fn lines_of_json_are_taken_as_they_are() {
    let text = "{\"ts\":1795262400,\"user\":\"a\"}\n{\"ts\":1795262401,\"user\":\"b\"}\n";
    let folder = directory_with("audit.json", text.as_bytes());
    assert_eq!(
        LogDirectory::detect(folder.path()).unwrap(),
        Some(Format::JsonLines)
    );
    let (reading, read_text) = read(
        folder.path(),
        Format::JsonLines,
        &Position::default(),
        1 << 20,
    );
    assert_eq!((reading.lines, read_text.as_str()), (2, text));
    assert_eq!(reading.first_event.unwrap().as_seconds(), 1_795_262_400);
}

#[test]
fn a_position_of_a_later_release_is_refused() {
    let folder = directory_with(LIVE, line_at("12:00:00").as_bytes());
    let later: Position = serde_json::from_str("{\"version\":2,\"marks\":[]}").unwrap();
    let mut logs = LogDirectory::open(folder.path(), Format::ServerAudit).unwrap();
    assert!(logs.read(&later, Budget::ALL, &mut Vec::new()).is_err());
}

#[test]
fn whatever_rotation_does_every_line_is_read_once_or_told_missing() {
    for seed in 0..150 {
        live_through(seed, 60);
    }
}

#[test]
#[ignore = "nightly: thousands of histories"]
fn whatever_rotation_does_for_long_every_line_is_read_once_or_told_missing() {
    for seed in 1000..3000 {
        live_through(seed, 120);
    }
}
