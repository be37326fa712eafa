//! Trees of files as plain values: random ones, edited ones, compared ones.
//!
//! A [`Tree`] is a flat map from path to entry, so that a comparison is a walk over two maps and
//! its result names paths. It is the judge of every round trip: what reads trees from disk for it
//! (`disk`) shares no code with what is tested.

use std::collections::BTreeMap;

use strongroom_model::content::{Attributes, FileTime, Name, Special, TreePath, Xattr};

use crate::dice::Dice;

/// Holes and data change at multiples of this, as on real file systems.
pub const PAGE: u64 = 4096;

/// A tree; the root directory is at the empty path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree(pub BTreeMap<TreePath, Entry>);

/// What is at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Paths with the same number are one inode.
    pub inode: u64,
    /// When the inode was last changed.
    pub changed: FileTime,
    /// Mode, owner, times, extended attributes.
    pub attributes: Attributes,
    /// What it is.
    pub body: Body,
}

/// What an entry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A file.
    File(Content),
    /// A directory; what is in it has its path as a prefix.
    Directory,
    /// A link, pipe or device.
    Special(Special),
    /// A socket.
    Socket,
}

/// Bytes with holes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Content {
    /// Length, holes included.
    pub size: u64,
    /// What is no hole, by offset; runs do not touch.
    pub data: BTreeMap<u64, Vec<u8>>,
}

impl Content {
    /// Content without holes.
    pub fn solid(bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        let data = if bytes.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(0, bytes)])
        };
        Self { size, data }
    }

    /// The bytes of a range, holes as zeroes.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) {
        buffer.fill(0);
        let end = offset + buffer.len() as u64;
        for (start, bytes) in self.data.range(..end) {
            let stop = start + bytes.len() as u64;
            let (from, to) = (offset.max(*start), end.min(stop));
            if from < to {
                let at =
                    |position: u64, base: u64| usize::try_from(position - base).expect("small");
                buffer[at(from, offset)..at(to, offset)]
                    .copy_from_slice(&bytes[at(from, *start)..at(to, *start)]);
            }
        }
    }

    /// Writes bytes over whatever is there; grows the content if they lie behind its end.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len() as u64;
        self.size = self.size.max(end);
        // The run that begins before and reaches here goes on; otherwise a new one begins.
        let reaches = |(at, run): &(&u64, &Vec<u8>)| **at + run.len() as u64 >= offset;
        let before = self.data.range(..=offset).next_back().filter(reaches);
        let start = before.map_or(offset, |(at, _)| *at);
        let mut run = self.data.remove(&start).unwrap_or_default();
        let at = usize::try_from(offset - start).expect("data fits into memory");
        if run.len() < at + bytes.len() {
            run.resize(at + bytes.len(), 0);
        }
        run[at..at + bytes.len()].copy_from_slice(bytes);
        // Runs that it now touches become part of it.
        while let Some((next, _)) = self.data.range(start..=start + run.len() as u64).next() {
            let next = *next;
            let behind = self.data.remove(&next).unwrap_or_default();
            let known = usize::try_from(start + run.len() as u64 - next).expect("it touches");
            run.extend_from_slice(behind.get(known..).unwrap_or_default());
        }
        self.data.insert(start, run);
    }

    /// Makes a range a hole.
    pub fn punch(&mut self, range: std::ops::Range<u64>) {
        let runs: Vec<(u64, Vec<u8>)> = std::mem::take(&mut self.data).into_iter().collect();
        for (at, bytes) in runs {
            let end = at + bytes.len() as u64;
            let cut = |from: u64, to: u64| {
                let index = |position: u64| usize::try_from(position - at).expect("small");
                bytes[index(from)..index(to)].to_vec()
            };
            if at < range.start {
                self.data.insert(at, cut(at, end.min(range.start)));
            }
            if end > range.end {
                let from = at.max(range.end);
                self.data.insert(from, cut(from, end));
            }
        }
    }

    /// Bytes that are no hole.
    pub fn allocated(&self) -> u64 {
        self.data.values().map(|run| run.len() as u64).sum()
    }
}

/// What random trees are made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many entries, about.
    pub entries: u64,
    /// The longest file without holes, in bytes.
    pub file_bytes: u64,
    /// Who owns everything, if not just anybody: on a disk only root can give files away, make
    /// devices and read what nobody may read.
    pub owner: Option<(u32, u32)>,
    /// Whether entries have extended attributes.
    pub xattrs: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            entries: 60,
            file_bytes: 300_000,
            owner: None,
            xattrs: true,
        }
    }
}

impl Shape {
    /// What this process can write to a disk and read again.
    #[must_use]
    pub fn on_disk() -> Self {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        let owner = (!user.is_root()).then(|| (user.as_raw(), group.as_raw()));
        Self {
            owner,
            ..Self::default()
        }
    }
}

impl Tree {
    /// A tree with nothing but its root.
    pub fn empty() -> Self {
        let attributes = Attributes {
            mode: 0o755,
            ..Attributes::default()
        };
        let changed = FileTime::new(1_000_000_000, 1);
        let root = Entry {
            inode: 1,
            changed,
            attributes,
            body: Body::Directory,
        };
        Self(BTreeMap::from([(TreePath::root(), root)]))
    }

    /// The tree of that seed.
    pub fn random(seed: u64, shape: &Shape) -> Self {
        let mut tree = Self::empty();
        for root in tree.0.values_mut() {
            (root.attributes.uid, root.attributes.gid) = shape.owner.unwrap_or_default();
        }
        let mut dice = Dice::new(seed);
        for _ in 0..shape.entries {
            tree.grow(&mut dice, shape);
        }
        tree
    }

    /// Adds a random entry somewhere.
    pub fn grow(&mut self, dice: &mut Dice, shape: &Shape) {
        let directories: Vec<TreePath> = self
            .0
            .iter()
            .filter(|(_, entry)| entry.body == Body::Directory)
            .map(|(path, _)| path.clone())
            .collect();
        let path = dice.pick(&directories).join(&name(dice));
        if self.0.contains_key(&path) {
            return;
        }
        let entry = self.linked(dice).unwrap_or_else(|| self.fresh(dice, shape));
        self.0.insert(path, entry);
    }

    /// One more name of something that is there.
    fn linked(&self, dice: &mut Dice) -> Option<Entry> {
        if !dice.chance(8) {
            return None;
        }
        let known: Vec<&Entry> = self
            .0
            .values()
            .filter(|entry| entry.body != Body::Directory)
            .collect();
        (!known.is_empty()).then(|| (*dice.pick(&known)).clone())
    }

    fn fresh(&self, dice: &mut Dice, shape: &Shape) -> Entry {
        let inode = self.0.values().map(|entry| entry.inode).max().unwrap_or(1) + 1;
        let body = body(dice, shape);
        let attributes = attributes(dice, shape, &body);
        let changed = FileTime::new(1_700_000_000, below_second(dice));
        Entry {
            inode,
            changed,
            attributes,
            body,
        }
    }

    /// Makes a few random changes as a user would, all at the time `now`.
    pub fn change(&mut self, dice: &mut Dice, shape: &Shape, now: FileTime) {
        for _ in 0..=dice.below(6) {
            match dice.below(4) {
                0 => self.grow(dice, shape),
                1 => self.remove_one(dice),
                _ => self.edit_one(dice, shape, now),
            }
        }
    }

    fn any_path(&self, dice: &mut Dice) -> Option<TreePath> {
        let paths: Vec<&TreePath> = self
            .0
            .keys()
            .filter(|path| **path != TreePath::root())
            .collect();
        (!paths.is_empty()).then(|| (*dice.pick(&paths)).clone())
    }

    fn remove_one(&mut self, dice: &mut Dice) {
        if let Some(path) = self.any_path(dice) {
            self.0.retain(|other, _| !is_at_or_below(other, &path));
        }
    }

    fn edit_one(&mut self, dice: &mut Dice, shape: &Shape, now: FileTime) {
        let Some(path) = self.any_path(dice) else {
            return;
        };
        let mut entry = self.0[&path].clone();
        entry.changed = now;
        match &mut entry.body {
            Body::File(content) if dice.chance(70) => {
                let at = dice.below(content.size + 1) / PAGE * PAGE;
                let count = usize::try_from(dice.below(9000)).expect("small") + 1;
                let bytes = dice.bytes(count);
                content.write(at, &bytes);
                entry.attributes.modified = now;
            }
            body => entry.attributes = attributes(dice, shape, body),
        }
        let inode = entry.inode;
        for other in self.0.values_mut().filter(|other| other.inode == inode) {
            *other = entry.clone();
        }
    }

    /// What differs between the trees, a line for each difference; sockets are not expected back.
    pub fn differences(&self, restored: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, wanted) in self
            .0
            .iter()
            .filter(|(_, entry)| entry.body != Body::Socket)
        {
            match restored.0.get(path) {
                None => found.push(format!("{path} is missing")),
                Some(entry) => compare(path, wanted, entry, &mut found),
            }
        }
        for path in restored.0.keys() {
            if self
                .0
                .get(path)
                .is_none_or(|entry| entry.body == Body::Socket)
            {
                found.push(format!("{path} should not be there"));
            }
        }
        let (ours, theirs) = (self.link_groups(), restored.link_groups());
        if ours != theirs {
            found.push(format!("hard links differ: {ours:?} became {theirs:?}"));
        }
        found
    }

    /// Fails with every difference.
    pub fn assert_same(&self, restored: &Self) {
        let found = self.differences(restored);
        assert!(found.is_empty(), "the trees differ:\n{}", found.join("\n"));
    }

    /// Paths that are one inode, sorted.
    fn link_groups(&self) -> Vec<Vec<&TreePath>> {
        let mut groups: BTreeMap<u64, Vec<&TreePath>> = BTreeMap::new();
        for (path, entry) in &self.0 {
            if !matches!(entry.body, Body::Directory | Body::Socket) {
                groups.entry(entry.inode).or_default().push(path);
            }
        }
        let mut groups: Vec<_> = groups
            .into_values()
            .filter(|group| group.len() > 1)
            .collect();
        groups.sort();
        groups
    }

    /// The part at or below `path`, with paths as seen from there.
    #[must_use]
    pub fn below(&self, path: &TreePath) -> Self {
        let moved = self
            .0
            .iter()
            .filter(|(other, _)| is_at_or_below(other, path));
        let moved = moved.map(|(other, entry)| {
            let rest = other
                .as_bytes()
                .get(path.as_bytes().len()..)
                .unwrap_or_default();
            (
                TreePath::parse(rest).expect("a part of a legal path"),
                entry.clone(),
            )
        });
        Self(moved.collect())
    }
}

/// Whether `path` is `top` or lies below it.
pub fn is_at_or_below(path: &TreePath, top: &TreePath) -> bool {
    let rest = path.as_bytes().strip_prefix(top.as_bytes());
    *top == TreePath::root() || rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

fn compare(path: &TreePath, wanted: &Entry, found: &Entry, differences: &mut Vec<String>) {
    let mut wanted_attributes = wanted.attributes.clone();
    if matches!(wanted.body, Body::Special(Special::Symlink(_))) {
        // A symlink has no mode of its own.
        wanted_attributes.mode = found.attributes.mode;
    }
    if wanted_attributes != found.attributes {
        differences.push(format!(
            "{path}: {wanted_attributes:?} became {:?}",
            found.attributes
        ));
    }
    match (&wanted.body, &found.body) {
        (Body::File(wanted), Body::File(found)) => {
            if wanted.size != found.size {
                differences.push(format!(
                    "{path}: {} bytes became {}",
                    wanted.size, found.size
                ));
            } else if wanted.data != found.data {
                let runs = |content: &Content| -> Vec<(u64, usize)> {
                    content
                        .data
                        .iter()
                        .map(|(at, run)| (*at, run.len()))
                        .collect()
                };
                let (ours, theirs) = (runs(wanted), runs(found));
                differences.push(format!(
                    "{path}: content differs; runs {ours:?}, now {theirs:?}"
                ));
            }
        }
        (wanted, found) if wanted != found => {
            differences.push(format!("{path}: {wanted:?} became {found:?}"));
        }
        _ => {}
    }
}

fn name(dice: &mut Dice) -> Name {
    let bytes = match dice.below(12) {
        0 => {
            let mut bytes = dice.bytes(6);
            bytes
                .iter_mut()
                .filter(|byte| matches!(**byte, 0 | b'/'))
                .for_each(|byte| *byte = 0xff);
            bytes
        }
        1 => b"new\nline \"quoted\" \\".to_vec(),
        2 => vec![b'x'; 255],
        3 => "größe ☃".as_bytes().to_vec(),
        4 => format!("...{}", dice.below(9)).into_bytes(),
        5 => format!("-rf {}", dice.below(9)).into_bytes(),
        _ => format!(
            "{}-{}",
            dice.pick(&["a", "lib", "src", "data", "Z"]),
            dice.below(500)
        )
        .into(),
    };
    Name::new(&bytes).expect("legal by construction")
}

fn body(dice: &mut Dice, shape: &Shape) -> Body {
    match dice.below(20) {
        0..=3 => Body::Directory,
        4..=5 => {
            let length = usize::try_from(dice.below(60)).expect("small") + 1;
            let mut target = dice.bytes(length);
            target
                .iter_mut()
                .filter(|byte| **byte == 0)
                .for_each(|byte| *byte = b'/');
            Body::Special(Special::Symlink(target))
        }
        6 => Body::Special(Special::Fifo),
        7 => Body::Socket,
        8 if shape.owner.is_none() => Body::Special(Special::CharDevice(1 << 32 | 3)),
        9 if shape.owner.is_none() => {
            Body::Special(Special::BlockDevice(7 << 32 | dice.below(200)))
        }
        10..=11 => Body::File(sparse(dice)),
        _ => Body::File(Content::solid(file_bytes(dice, shape.file_bytes))),
    }
}

fn file_bytes(dice: &mut Dice, max: u64) -> Vec<u8> {
    let limit = *dice.pick(&[1, 65, 600, 5000, 20_000, max.max(1)]);
    let count = usize::try_from(dice.below(limit.min(max) + 1)).expect("small");
    if dice.chance(30) {
        return dice.bytes(count);
    }
    format!("line {} of a text\n", dice.below(5))
        .into_bytes()
        .into_iter()
        .cycle()
        .take(count)
        .collect()
}

fn sparse(dice: &mut Dice) -> Content {
    let mut content = Content {
        size: dice.below(64) * PAGE + dice.below(PAGE),
        data: BTreeMap::new(),
    };
    for _ in 0..dice.below(4) {
        let page = dice.below(content.size / PAGE + 1) * PAGE;
        let count = (content.size - page).min((1 + dice.below(3)) * PAGE);
        let bytes = dice.bytes(usize::try_from(count).expect("small"));
        content.write(page, &bytes);
    }
    content
}

fn below_second(dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(1_000_000_000)).expect("below a second")
}

fn attributes(dice: &mut Dice, shape: &Shape, body: &Body) -> Attributes {
    let modes: &[u32] = match (shape.owner, body) {
        (None, _) => &[0o644, 0o755, 0o600, 0o000, 0o4755, 0o2750, 0o1777, 0o444],
        (Some(_), Body::Directory) => &[0o755, 0o700, 0o1777],
        (Some(_), _) => &[0o644, 0o755, 0o600, 0o4755],
    };
    let any = |dice: &mut Dice| u32::try_from(dice.below(70_000)).expect("small");
    let (uid, gid) = shape.owner.unwrap_or_else(|| (any(dice), any(dice)));
    let seconds = dice.below(2_000_000_000).cast_signed() - 100_000_000;
    let modified = FileTime::new(seconds, below_second(dice));
    let keeps = matches!(body, Body::File(_) | Body::Directory);
    let mut xattrs = Vec::new();
    if shape.xattrs && keeps && dice.chance(25) {
        for number in 0..dice.below(3) {
            let length = *dice.pick(&[0_usize, 20, 900]);
            let value = dice.bytes(length);
            xattrs.push(Xattr {
                name: format!("user.note-{number}").into_bytes(),
                value,
            });
        }
    }
    Attributes {
        mode: *dice.pick(modes),
        uid,
        gid,
        modified,
        xattrs,
    }
}
