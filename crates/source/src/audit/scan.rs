//! All lines of logs as they are, for searches: files of a directory, and streams of lines that
//! were stored.
//!
//! Lines are shown where they lie in what comes; only one whose end has not come is held. Who looks
//! for a text has only those lines found and taken apart that hold it: the rest is passed over at
//! the speed at which bytes are searched.
//!
//! Invariant: where a line stands, and so what it is called, does not depend on how the stream is
//! cut into pieces.

use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
};

use memchr::memmem;

use super::{
    directory::LogDirectory,
    error::{Error, Result},
    format::{Format, Zone, without_hole},
    lines::line_end,
    listing::{Found, Listing},
    packing::{Unpacked, opening, packing},
    position::Head,
    reading::LINE_MAX,
    record,
};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;
/// Lines above one without a time in which a time is looked for.
const ABOVE: usize = 64;
/// How JSON may spell any letter or digit of ASCII: `\u0041` is an `A`.
const SPELLED: &[u8] = b"\\u00";
/// Letters, the rarest in logs first.
const RARE: &[u8] = b"qzjxkvwbyghpfm9876543210ucdlnisrotae";

/// The files of a directory at one moment.
pub struct LiveFiles {
    listing: Listing,
    files: Vec<LiveFile>,
}

/// A file of a directory.
#[derive(Clone, Debug)]
pub struct LiveFile {
    found: Found,
    opening: Vec<u8>,
    /// Its name.
    pub name: String,
    /// Its inode.
    pub inode: u64,
}

impl LogDirectory {
    /// The files that are logs of the directory's format. Of a file that is there plain and
    /// compressed only the first by name counts.
    pub fn live(&self) -> Result<LiveFiles> {
        let listing = self.list()?;
        let (mut files, mut seen): (Vec<LiveFile>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for found in listing.files.iter().filter(|found| found.stat.size > 0) {
            let looked = listing.file(found).and_then(|file| {
                let packing = packing(&file)?;
                Ok(opening(file, packing).0)
            });
            let Ok(opening) = looked else {
                continue;
            };
            let is_copy = seen.iter().any(|other| is_copy(other, &opening));
            if is_copy || !self.format().fits(&opening) {
                continue;
            }
            seen.push(opening.clone());
            files.push(LiveFile {
                opening,
                name: found.name.clone(),
                inode: found.stat.inode,
                found: found.clone(),
            });
        }
        Ok(LiveFiles { listing, files })
    }
}

/// Whether two files begin with the same bytes: lines have times, so one is a copy of the other.
fn is_copy(a: &[u8], b: &[u8]) -> bool {
    let length = a.len().min(b.len());
    a.get(..length) == b.get(..length)
}

impl LiveFile {
    /// Whether it is the file that began so, whatever its name is now.
    pub fn begins(&self, begins: &Head) -> bool {
        begins.fits(&self.opening)
    }
}

impl LiveFiles {
    /// The files, by name.
    pub fn files(&self) -> &[LiveFile] {
        &self.files
    }

    /// The bytes of a file as its writer wrote them, from a place on.
    pub fn open(&self, file: &LiveFile, from: u64) -> Result<impl Read + use<>> {
        let opened = self.listing.file(&file.found).and_then(|open| {
            let packing = packing(&open)?;
            Unpacked::open_at(open, packing, from)
        });
        opened.map_err(|cause| Error::File {
            file: file.name.clone(),
            cause,
        })
    }
}

/// Text that is looked for in capital or small letters; it has ASCII letters and digits only.
#[derive(Clone, Debug)]
pub struct Needle {
    lower: Vec<u8>,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    /// It has no letters.
    Exactly(Box<memmem::Finder<'static>>),
    /// By its rarest letter, small and capital, and where that stands in it.
    ByLetter(u8, u8, usize),
}

impl Needle {
    /// Looks for a text.
    pub fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase().into_bytes();
        let how = if lower.iter().any(u8::is_ascii_alphabetic) {
            let rarity = |byte: &u8| RARE.iter().position(|rare| rare == byte);
            let rarest = (0..lower.len()).min_by_key(|at| lower.get(*at).and_then(rarity));
            let at = rarest.unwrap_or_default();
            let letter = lower.get(at).copied().unwrap_or_default();
            How::ByLetter(letter, letter.to_ascii_uppercase(), at)
        } else {
            How::Exactly(Box::new(memmem::Finder::new(&lower).into_owned()))
        };
        Self { lower, how }
    }

    /// How long it is.
    pub fn length(&self) -> usize {
        self.lower.len()
    }

    /// Whether it may be in a line: it is, or the line spells letters in another way.
    pub fn may_be_in(&self, format: Format, line: &[u8]) -> bool {
        self.find(line).is_some()
            || format == Format::JsonLines && memmem::find(line, SPELLED).is_some()
    }

    /// Where it stands first.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        let (small, capital, within) = match &self.how {
            How::Exactly(finder) => return finder.find(bytes),
            How::ByLetter(small, capital, within) => (*small, *capital, *within),
        };
        let length = self.lower.len();
        memchr::memchr2_iter(small, capital, bytes).find_map(|at| {
            let start = at.checked_sub(within)?;
            let found = bytes.get(start..start + length)?;
            found.eq_ignore_ascii_case(&self.lower).then_some(start)
        })
    }
}

/// A line as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Where it begins in the stream.
    pub place: u64,
    /// It, with its end if it has one.
    pub bytes: &'a [u8],
    /// Its time in microseconds since 1970, if it has one.
    pub time: Option<i64>,
    /// Its time, or that of the last line above it that has one.
    pub latest: i64,
}

/// Told of lines.
pub type Visit<'v> = dyn FnMut(&Line<'_>) -> ControlFlow<()> + 'v;

/// Shows the whole lines of a stream that is written to it; a last line without an end is shown
/// when it is finished. Lines longer than any that is kept are shown in parts.
pub struct Scanner<'v> {
    format: Format,
    zone: Zone,
    needle: Option<&'v Needle>,
    visit: &'v mut Visit<'v>,
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// Where that line begins.
    place: u64,
    /// Bytes of what is held in which no end is, where quotes count.
    scanned: usize,
    /// Whether that place is between quotes.
    quoted: bool,
    latest: i64,
    enough: bool,
}

impl<'v> Scanner<'v> {
    /// Shows the lines of a stream that begins at a place; if there is a needle, lines may be left
    /// out that do not hold it.
    pub fn new(
        (format, zone): (Format, Zone),
        place: u64,
        needle: Option<&'v Needle>,
        visit: &'v mut Visit<'v>,
    ) -> Self {
        Self {
            format,
            zone,
            needle,
            visit,
            held: Vec::new(),
            place,
            scanned: 0,
            quoted: false,
            latest: 0,
            enough: false,
        }
    }

    /// Whether whoever is shown the lines wants no more.
    pub fn has_enough(&self) -> bool {
        self.enough
    }

    /// Takes all of a stream.
    pub fn read(mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; BLOCK];
        while !self.enough {
            let mut reader = &mut *from;
            let read = super::packing::fill(&mut reader, &mut buffer)?;
            if read == 0 {
                break;
            }
            self.take(buffer.get(..read).unwrap_or_default());
        }
        self.finish();
        Ok(())
    }

    /// The stream has ended.
    pub fn finish(mut self) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() && !self.enough {
            let _ = self.show(&held, 0, held.len());
        }
    }

    /// Takes the next bytes of the stream.
    fn take(&mut self, bytes: &[u8]) {
        if self.format == Format::PostgresCsv {
            return self.take_quoted(bytes);
        }
        let mut rest = bytes;
        while !self.held.is_empty() && !rest.is_empty() {
            let room = LINE_MAX.saturating_sub(self.held.len());
            let part = rest.get(..room.min(rest.len())).unwrap_or_default();
            let end = memchr::memchr(b'\n', part).map(|end| end + 1);
            let (first, behind) = rest.split_at(end.unwrap_or(part.len()));
            self.held.extend_from_slice(first);
            rest = behind;
            if end.is_some() || self.held.len() >= LINE_MAX {
                let length = self.held.len();
                if self.show_held(length).is_break() {
                    return;
                }
            }
        }
        let whole = memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1);
        let (lines, tail) = rest.split_at(whole);
        if self.pass(lines).is_break() {
            return;
        }
        self.place += whole as u64;
        self.held.extend_from_slice(tail);
        while self.held.len() >= LINE_MAX {
            // Longer than anything that is kept, and in one piece.
            if self.show_held(LINE_MAX).is_break() {
                return;
            }
        }
    }

    /// The same where only who counts quotes from the front knows the end of a line.
    fn take_quoted(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = LINE_MAX.saturating_sub(self.held.len());
            let (part, behind) = rest.split_at(room.min(rest.len()));
            self.held.extend_from_slice(part);
            rest = behind;
            let held = std::mem::take(&mut self.held);
            let passed = self.pass_quoted(&held);
            self.held = held;
            let ControlFlow::Continue(done) = passed else {
                return;
            };
            self.drop_held(done);
            if self.held.len() >= LINE_MAX {
                (self.scanned, self.quoted) = (LINE_MAX, false);
                if self.show_held(LINE_MAX).is_break() {
                    return;
                }
            }
        }
    }

    /// Shows the whole lines of what is held; how long they are.
    fn pass_quoted(&mut self, held: &[u8]) -> ControlFlow<(), usize> {
        let mut start = 0;
        while let Some(end) = line_end(held, &mut self.scanned, Some(&mut self.quoted)) {
            let line = held.get(start..end).unwrap_or_default();
            if self.may_be_wanted(line) {
                self.show(held, start, end)?;
            }
            start = end;
        }
        ControlFlow::Continue(start)
    }

    /// Shows the first bytes of what is held, and drops them.
    fn show_held(&mut self, length: usize) -> ControlFlow<()> {
        let held = std::mem::take(&mut self.held);
        let line = held.get(..length).unwrap_or_default();
        let shown = if self.may_be_wanted(line) {
            self.show(&held, 0, length)
        } else {
            ControlFlow::Continue(())
        };
        self.held = held;
        self.drop_held(length);
        shown
    }

    fn may_be_wanted(&self, line: &[u8]) -> bool {
        let format = self.format;
        self.needle.is_none_or(|one| one.may_be_in(format, line))
    }

    fn drop_held(&mut self, length: usize) {
        self.held.drain(..length);
        self.place += length as u64;
        self.scanned = self.scanned.saturating_sub(length);
    }

    /// Shows whole lines, or those of them that hold the needle.
    fn pass(&mut self, lines: &[u8]) -> ControlFlow<()> {
        let spells = self.format == Format::JsonLines;
        let mut spelled = Next::default();
        let mut holding = Next::default();
        let mut from = 0;
        while from < lines.len() {
            let found = self.needle.map_or(Some(from), |needle| {
                let holds = holding.from(lines, from, |rest| needle.find(rest));
                let other = spelled.from(lines, from, |rest| {
                    spells.then(|| memmem::find(rest, SPELLED)).flatten()
                });
                holds.into_iter().chain(other).min()
            });
            let Some((before, behind)) = found.and_then(|found| lines.split_at_checked(found))
            else {
                break;
            };
            let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', behind);
            let end = end.map_or(lines.len(), |end| before.len() + end + 1);
            if start > from {
                self.look_above(lines, start);
            }
            self.show(lines, start, end)?;
            from = end;
        }
        if from < lines.len() {
            self.look_above(lines, lines.len());
        }
        ControlFlow::Continue(())
    }

    /// Notes the time of the last line above a place that has one and is not far.
    fn look_above(&mut self, lines: &[u8], place: usize) {
        let mut end = place;
        for _ in 0..ABOVE {
            let Some(above) = lines.get(..end.saturating_sub(1)) else {
                return;
            };
            let start = memchr::memrchr(b'\n', above).map_or(0, |end| end + 1);
            let line = lines.get(start..end).unwrap_or_default();
            if let Some(time) = self.time_of(line) {
                self.latest = time;
                return;
            }
            end = start;
        }
    }

    fn time_of(&self, line: &[u8]) -> Option<i64> {
        record::time(self.format, without_hole(line), self.zone)
    }

    fn show(&mut self, lines: &[u8], start: usize, end: usize) -> ControlFlow<()> {
        let bytes = lines.get(start..end).unwrap_or_default();
        let time = self.time_of(bytes);
        self.latest = time.unwrap_or(self.latest);
        let shown = (self.visit)(&Line {
            place: self.place + start as u64,
            bytes,
            time,
            latest: self.latest,
        });
        self.enough |= shown.is_break();
        shown
    }
}

/// Where something stands next, looked for once only; behind everything if nowhere.
#[derive(Default)]
struct Next(Option<usize>);

impl Next {
    /// Where it stands from a place on.
    fn from(
        &mut self,
        bytes: &[u8],
        from: usize,
        find: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Option<usize> {
        let known = self.0.filter(|place| *place >= from);
        let place = known.unwrap_or_else(|| {
            let found = find(bytes.get(from..).unwrap_or_default());
            found.map_or(usize::MAX, |place| from + place)
        });
        self.0 = Some(place);
        (place < bytes.len()).then_some(place)
    }
}

impl Write for Scanner<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.enough {
            self.take(bytes);
        }
        if self.enough {
            return Err(io::Error::other("no more lines are wanted"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Place, text, and the time that orders it.
    type Shown = Vec<(u64, Vec<u8>, i64)>;

    fn shown(format: Format, pieces: &[&[u8]], needle: Option<&Needle>) -> Shown {
        let mut shown = Vec::new();
        let mut visit = |line: &Line<'_>| {
            shown.push((line.place, line.bytes.to_vec(), line.latest));
            ControlFlow::Continue(())
        };
        let mut scanner = Scanner::new((format, Zone(0)), 7, needle, &mut visit);
        for piece in pieces {
            scanner.write_all(piece).unwrap();
        }
        scanner.finish();
        shown
    }

    /// The same by the plainest of ways.
    fn plainly(format: Format, bytes: &[u8]) -> Shown {
        let (mut shown, mut start, mut quoted, mut latest) = (Vec::new(), 0, false, 0);
        for (at, byte) in bytes.iter().enumerate() {
            quoted ^= *byte == b'"' && format == Format::PostgresCsv;
            if at + 1 == bytes.len() || *byte == b'\n' && !quoted {
                let line = &bytes[start..=at];
                latest = record::time(format, line, Zone(0)).unwrap_or(latest);
                shown.push((7 + start as u64, line.to_vec(), latest));
                start = at + 1;
            }
        }
        shown
    }

    fn holds(line: &[u8], word: &str) -> bool {
        let text = String::from_utf8_lossy(line).to_ascii_lowercase();
        text.contains(&word.to_ascii_lowercase())
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_its_lines_are_the_same(
            lines in prop::collection::vec(
                "(20261121 12:00:0[0-9],|2026-11-2 1)?[a-d\"\n4711 ]{0,12}",
                0..12,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            word in "(b|aB|71|4a|Cd4)",
        ) {
            let text = lines.join("\n").into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pairs = places.windows(2);
            let pieces: Vec<&[u8]> = pairs.map(|pair| &text[pair[0]..pair[1]]).collect();
            let needle = Needle::of(&word);
            for format in [Format::ServerAudit, Format::PostgresCsv] {
                let expected = plainly(format, &text);
                prop_assert_eq!(&shown(format, &pieces, None), &expected);
                let found = shown(format, &pieces, Some(&needle));
                // Whatever holds the needle is shown, and nothing that is no line.
                for line in &expected {
                    if holds(&line.1, &word) {
                        let there = |one: &&(u64, Vec<u8>, i64)| {
                            (one.0, &one.1) == (line.0, &line.1)
                        };
                        prop_assert!(found.iter().any(|one| there(&one)), "{line:?}");
                    }
                }
                let places: Vec<u64> = expected.iter().map(|line| line.0).collect();
                prop_assert!(found.iter().all(|one| places.contains(&one.0)));
            }
        }
    }

    #[test]
    fn a_needle_is_found_in_capital_and_small_letters() {
        for (word, text, place) in [
            ("drop", "xx DrOp TABLE", Some(3)),
            ("4711", "a 4711", Some(2)),
            ("q4", "..Q4", Some(2)),
            ("drop", "dro", None),
            ("aaab", "aaaaab", Some(2)),
            ("b", "", None),
        ] {
            assert_eq!(
                Needle::of(word).find(text.as_bytes()),
                place,
                "{word} {text}"
            );
        }
    }

    #[test]
    fn a_line_of_json_that_spells_its_letters_is_not_passed_over() {
        let lines: &[u8] =
            b"{\"a\": \"plain\"}\n{\"a\": \"\\u0064ROP\"}\n{\"a\": 1}\n{\"a\": \"drop\"}\n";
        let needle = Needle::of("drop");
        let places = |format| -> Vec<u64> {
            let found = shown(format, &[lines], Some(&needle));
            found.into_iter().map(|line| line.0).collect()
        };
        assert_eq!(places(Format::JsonLines), [7 + 15, 7 + 15 + 19 + 9]);
        assert_eq!(places(Format::ServerAudit), [7 + 15 + 19 + 9]);
    }

    #[test]
    fn who_has_enough_is_shown_no_more() {
        let mut count = 0;
        let mut visit = |_: &Line<'_>| {
            count += 1;
            ControlFlow::Break(())
        };
        let form = (Format::ServerAudit, Zone(0));
        let mut scanner = Scanner::new(form, 0, None, &mut visit);
        assert!(scanner.write_all(b"a\nb\nc").is_err());
        assert!(scanner.has_enough());
        scanner.finish();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_line_longer_than_any_that_is_kept_is_shown_in_parts_of_one_length() {
        let long = vec![b'x'; LINE_MAX + 10];
        for piece in [LINE_MAX + 10, 5 << 20] {
            let pieces: Vec<&[u8]> = long.chunks(piece).collect();
            let mut parts = Vec::new();
            let mut visit = |line: &Line<'_>| {
                parts.push((line.place, line.bytes.len()));
                ControlFlow::Continue(())
            };
            let form = (Format::JsonLines, Zone(0));
            let mut scanner = Scanner::new(form, 0, None, &mut visit);
            for piece in pieces {
                scanner.write_all(piece).unwrap();
            }
            scanner.finish();
            assert_eq!(parts, [(0, LINE_MAX), (LINE_MAX as u64, 10)]);
        }
    }
}
