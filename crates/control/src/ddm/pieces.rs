//! Pieces of archived logs: what their manifests say of them, which are put together, and how they
//! are strung again when the catalog is lost.
//!
//! A busy server's log comes in a piece a minute. Pieces of an hour that is over become one, and
//! those of a day that is over; what is large already stays. A piece has the numbers of all that
//! were put together in it, so that a chain without a hole is known by numbers and places alone.
//!
//! Invariant: a piece counts as superfluous only if others that the catalog names hold every byte
//! of it. One that is merely unknown may be all that there is of a log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_catalog::{DdmLogPartRow, DdmLogRow, Json};
use strongroom_engine::Manifest;
use strongroom_model::{DdmInstanceId, ProjectId, Timestamp};

/// The label of a piece's manifest.
pub(crate) const LABEL: &str = "ddm-log";
/// The name of the file in it.
pub(crate) const FILE: &str = "log";
/// Pieces from that size on are not put together: their number is no trouble.
const LARGE: u64 = 64 << 20;
/// Changes of definitions from which on a piece is not put together: its label is long enough.
const MANY_CHANGES: usize = 200;

/// What a manifest says of the piece in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) instance: DdmInstanceId,
    pub(crate) server: String,
    /// What messages call the server.
    pub(crate) name: String,
    /// The number of the first piece that was put into it.
    pub(crate) first: u64,
    /// Its number, which is that of the last.
    pub(crate) seq: u64,
    pub(crate) epoch: u64,
    pub(crate) file: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// When the epoch began.
    pub(crate) from_second: i64,
    /// Up to which second the log is whole with it.
    pub(crate) until: i64,
    pub(crate) changes: Vec<(u64, i64)>,
    /// When the file was begun, and by which server.
    pub(crate) head: String,
    pub(crate) archived_at: Timestamp,
    /// How far the other logs of the layer were whole then: in one that is quiet no piece says it.
    pub(crate) beside: Vec<Beside>,
}

/// How far a log was whole, and where it ended then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) server: String,
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) until: i64,
}

impl Beside {
    /// What is known of a log; `None` if it is not read.
    pub(crate) fn of(log: &DdmLogRow) -> Option<Self> {
        Some(Self {
            server: log.server_id.clone(),
            file: log.file.clone()?,
            offset: log.log_offset,
            until: log.until_second,
        })
    }
}

impl Said {
    /// What a manifest says; `None` if it is no piece's.
    pub(crate) fn of(manifest: &Manifest) -> Option<Self> {
        let text = manifest.body.labels.get(LABEL)?;
        serde_json::from_str(text).ok()
    }

    /// The labels of the manifest.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let text = serde_json::json!(self).to_string();
        BTreeMap::from([(LABEL.to_owned(), text)])
    }

    /// The row of the piece.
    pub(crate) fn row(&self, project: ProjectId, manifest: String) -> DdmLogPartRow {
        DdmLogPartRow {
            project_id: project,
            server_id: self.server.clone(),
            seq: self.seq,
            instance_id: self.instance,
            epoch: self.epoch,
            file: self.file.clone(),
            from_offset: self.from,
            to_offset: self.to,
            changes: Json(self.changes.clone()),
            from_second: self.from_second,
            until_second: self.until,
            manifest_id: manifest,
            created_at: self.archived_at,
        }
    }

    /// Whether the other follows without a hole.
    fn is_followed_by(&self, next: &Self) -> bool {
        let goes_on = if self.file == next.file {
            next.from == self.to
        } else {
            next.from == 0
        };
        goes_on && next.first == self.seq + 1 && self.run() == next.run()
    }

    /// What tells a run of the log from others.
    fn run(&self) -> (i64, u64) {
        (self.from_second, self.epoch)
    }
}

/// The runs of pieces, in order, that are to be put together now.
pub(crate) fn ripe(parts: &[DdmLogPartRow], now: Timestamp) -> Vec<&[DdmLogPartRow]> {
    let runs = parts.chunk_by(|one, next| {
        let same = (one.epoch, &one.file, one.instance_id);
        same == (next.epoch, &next.file, next.instance_id)
            && one.to_offset == next.from_offset
            && period(one, now).is_some()
            && period(one, now) == period(next, now)
    });
    runs.filter(|run| run.len() > 1).collect()
}

/// The day or hour that is over in which a piece was archived; none for one that is left alone.
fn period(part: &DdmLogPartRow, now: Timestamp) -> Option<(i64, i64)> {
    let left = part.to_offset - part.from_offset >= LARGE || part.changes.0.len() >= MANY_CHANGES;
    let (then, now) = (part.created_at.as_seconds(), now.as_seconds());
    let of = |seconds: i64| (then.div_euclid(seconds), now.div_euclid(seconds));
    if left {
        return None;
    }
    [86_400, 3600].into_iter().find_map(|seconds| {
        let (then, now) = of(seconds);
        (then < now).then_some((seconds, then))
    })
}

/// One piece for several.
pub(crate) fn together(run: &[DdmLogPartRow], first: &Said, last: &Said) -> Said {
    let changes = run.iter().flat_map(|part| part.changes.0.iter().copied());
    let until = run.iter().map(|part| part.until_second);
    Said {
        first: first.first,
        from: first.from,
        changes: changes.collect(),
        until: until.max().unwrap_or(last.until),
        ..last.clone()
    }
}

/// Whether pieces that the catalog names hold every byte of this one. `parts` are its server's.
pub(crate) fn is_superfluous(said: &Said, parts: &[DdmLogPartRow]) -> bool {
    let mut at = said.from;
    for part in parts {
        let same = (part.epoch, part.from_second) == (said.epoch, said.from_second);
        if same && part.file == said.file && (part.from_offset..part.to_offset).contains(&at) {
            at = part.to_offset;
        }
    }
    at >= said.to
}

/// A run of a server's log without a hole, as manifests tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strung {
    /// Its number in the catalog.
    pub(crate) epoch: u64,
    /// Its pieces in order, with their manifests.
    pub(crate) pieces: Vec<(Said, String)>,
}

impl Strung {
    /// Takes into account what pieces of other logs say of this one: if it ends where it ended
    /// then, nothing was logged meanwhile.
    pub(crate) fn vouch(&mut self, beside: &[Beside]) {
        let Some((last, _)) = self.pieces.last_mut() else {
            return;
        };
        for other in beside {
            let here = other.server == last.server && other.file == last.file;
            if here && other.offset == last.to {
                last.until = last.until.max(other.until);
            }
        }
    }

    /// Whether a copy that says so of its place belongs to it.
    pub(crate) fn holds(&self, run: (i64, u64), (file, offset): (&str, u64)) -> bool {
        self.pieces.iter().any(|(said, _)| {
            said.run() == run && said.file == file && (said.from..=said.to).contains(&offset)
        })
    }
}

/// Strings the pieces of one server, the oldest run first.
///
/// Where pieces hold the same, as a crash between two of our writes leaves them, those are taken
/// that reach furthest with the fewest. Behind a hole another run begins.
pub(crate) fn string(pieces: Vec<(Said, String)>) -> Vec<Strung> {
    let mut runs: BTreeMap<_, Vec<(Said, String)>> = BTreeMap::new();
    for piece in pieces {
        runs.entry(piece.0.run()).or_default().push(piece);
    }
    let mut all: Vec<Vec<(Said, String)>> = Vec::new();
    for mut run in runs.into_values() {
        run.sort_by_key(|(said, _)| (said.first, std::cmp::Reverse(said.seq)));
        while !run.is_empty() {
            let chain = longest(&run);
            let end = chain.last().map_or(0, |(said, _)| said.seq);
            run.retain(|(said, _)| said.first > end);
            all.push(chain);
        }
    }
    // Two of the same number cannot both be named; the newer run is the likelier to be asked for.
    let mut taken = std::collections::BTreeSet::new();
    let mut kept: Vec<_> = all
        .into_iter()
        .rev()
        .filter(|chain| {
            let numbers: Vec<_> = chain.iter().map(|(said, _)| said.seq).collect();
            let free = numbers.iter().all(|number| !taken.contains(number));
            if free {
                taken.extend(numbers);
            }
            free
        })
        .collect();
    kept.reverse();
    let mut epoch = 0;
    let chains = kept.into_iter().map(|pieces| {
        let said = pieces.first().map_or(0, |(said, _)| said.epoch);
        epoch = said.max(epoch + 1);
        Strung { epoch, pieces }
    });
    chains.collect()
}

/// The chain that reaches furthest from the first piece's place; of these, the shortest.
fn longest(run: &[(Said, String)]) -> Vec<(Said, String)> {
    let mut by_first: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, (said, _)) in run.iter().enumerate() {
        by_first.entry(said.first).or_default().push(place);
    }
    // For each piece, from the last: how far it reaches, with how many, by way of which.
    let mut best: Vec<(u64, usize, Option<usize>)> = vec![(0, 0, None); run.len()];
    let better = |one: &(u64, usize, Option<usize>), other: &(u64, usize, Option<usize>)| {
        (one.0, std::cmp::Reverse(one.1)).cmp(&(other.0, std::cmp::Reverse(other.1)))
    };
    for place in (0..run.len()).rev() {
        let said = &run[place].0;
        let next = by_first.get(&(said.seq + 1)).into_iter().flatten();
        let way = next
            .filter(|next| said.is_followed_by(&run[**next].0))
            .map(|next| (best[*next].0, best[*next].1 + 1, Some(*next)))
            .max_by(better);
        best[place] = way.unwrap_or((said.seq, 1, None));
    }
    let first = run.first().map_or(0, |(said, _)| said.first);
    let starts = by_first.get(&first).into_iter().flatten();
    let mut at = starts
        .copied()
        .max_by(|one, other| better(&best[*one], &best[*other]));
    let mut chain = Vec::new();
    while let Some(place) = at {
        chain.push(run[place].clone());
        at = best[place].2;
    }
    chain
}

/// How far a server's log was archived, as its pieces tell.
pub(crate) fn log_row(project: ProjectId, strung: &[Strung], now: Timestamp) -> Option<DdmLogRow> {
    let last = strung.last()?;
    let (said, _) = last.pieces.last()?;
    let until = last.pieces.iter().map(|(said, _)| said.until).max();
    Some(DdmLogRow {
        project_id: project,
        server_id: said.server.clone(),
        instance_id: said.instance,
        name: said.name.clone(),
        epoch: last.epoch,
        from_second: said.from_second,
        until_second: until.unwrap_or(said.until),
        file: Some(said.file.clone()),
        log_offset: said.to,
        head: Some(said.head.clone()),
        gtid: None,
        problem: None,
        gap: None,
        gap_at: None,
        looked_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: [u8; 16] = [9; 16];

    /// A piece: its first and last number, where it begins and ends in the file.
    fn said((first, seq): (u64, u64), file: &str, (from, to): (u64, u64)) -> Said {
        Said {
            instance: DdmInstanceId::from_bytes([1; 16]),
            server: "s".to_owned(),
            name: "data node s".to_owned(),
            first,
            seq,
            epoch: 1,
            file: file.to_owned(),
            from,
            to,
            from_second: 100,
            until: 100 + i64::try_from(seq).unwrap(),
            changes: vec![(from, 100)],
            head: "1-1".to_owned(),
            archived_at: Timestamp::from_micros(i64::try_from(seq).unwrap() * 60_000_000),
            beside: Vec::new(),
        }
    }

    fn row(said: &Said) -> DdmLogPartRow {
        said.row(ProjectId::from_bytes(PROJECT), format!("m{}", said.seq))
    }

    /// A hundred minutes of a log that is rotated after seventy.
    fn pieces() -> Vec<Said> {
        let piece = |number: u64| {
            let (file, place) = if number < 70 {
                ("b.000001", number)
            } else {
                ("b.000002", number - 70)
            };
            said((number, number), file, (place * 10, place * 10 + 10))
        };
        (0..100).map(piece).collect()
    }

    fn numbers(strung: &[Strung]) -> Vec<(u64, Vec<u64>)> {
        let of = |run: &Strung| {
            let pieces = run.pieces.iter();
            (run.epoch, pieces.map(|(said, _)| said.seq).collect())
        };
        strung.iter().map(of).collect()
    }

    fn named(pieces: Vec<Said>) -> Vec<(Said, String)> {
        pieces.into_iter().map(|said| (said, "m".into())).collect()
    }

    #[test]
    fn pieces_of_an_hour_that_is_over_become_one_and_then_those_of_a_day() {
        let rows: Vec<_> = pieces().iter().map(row).collect();
        let at = |minutes: i64| Timestamp::from_micros(minutes * 60_000_000);
        let lengths = |minutes| -> Vec<usize> {
            let runs = ripe(&rows, at(minutes));
            runs.into_iter().map(<[_]>::len).collect()
        };
        assert_eq!(lengths(59), [0_usize; 0]);
        // The first hour, and of the second what is in the first file: files stay apart.
        assert_eq!(lengths(60), [60]);
        assert_eq!(lengths(120), [60, 10, 30]);
        assert_eq!(lengths(24 * 60), [70, 30]);
        // What is large, or has many changes, stays by itself.
        let mut odd = rows.clone();
        odd[69].to_offset += LARGE;
        odd[20].changes = Json(vec![(1, 1); MANY_CHANGES]);
        let lengths: Vec<_> = ripe(&odd, at(120)).into_iter().map(<[_]>::len).collect();
        assert_eq!(lengths, [20, 39, 9, 30]);
    }

    #[test]
    fn a_piece_is_superfluous_only_if_others_hold_all_of_it() {
        let rows: Vec<_> = pieces().iter().map(row).collect();
        let merged = said((0, 59), "b.000001", (0, 600));
        assert!(is_superfluous(&merged, &rows));
        assert!(is_superfluous(&pieces()[3], &[row(&merged)]));
        let holed: Vec<_> = rows.iter().filter(|row| row.seq != 30).cloned().collect();
        assert!(!is_superfluous(&merged, &holed));
        assert!(!is_superfluous(&pieces()[3], &[]));
        let elsewhere = Said {
            from_second: 101,
            ..merged.clone()
        };
        assert!(!is_superfluous(&elsewhere, &rows));
        let longer = said((0, 60), "b.000001", (0, 701));
        assert!(!is_superfluous(&longer, &rows));
    }

    #[test]
    fn a_log_is_strung_again_whatever_a_crash_left() {
        let all: Vec<u64> = (0..100).collect();
        assert_eq!(numbers(&string(named(pieces()))), [(1, all.clone())]);
        // Put together, and the parts are still there; or some of them.
        let merged = said((0, 59), "b.000001", (0, 600));
        let mut both = pieces();
        both.push(merged.clone());
        let whole: Vec<u64> = std::iter::once(59).chain(60..100).collect();
        assert_eq!(numbers(&string(named(both.clone()))), [(1, whole.clone())]);
        both.retain(|said| said.seq != 17);
        assert_eq!(numbers(&string(named(both))), [(1, whole)]);
        // The same piece twice: the longer one leads on.
        let mut twice = pieces();
        twice.insert(0, said((50, 50), "b.000001", (500, 505)));
        assert_eq!(numbers(&string(named(twice))), [(1, all)]);
    }

    #[test]
    fn behind_a_hole_another_run_begins_and_a_copy_belongs_to_one_of_them() {
        let mut holed = pieces();
        holed.retain(|said| said.seq != 30);
        let strung = string(named(holed));
        let (one, other): (Vec<u64>, Vec<u64>) = ((0..30).collect(), (31..100).collect());
        assert_eq!(numbers(&strung), [(1, one), (2, other)]);
        let of = |file, offset| {
            let mut runs = strung.iter();
            let run = runs.find(|run| run.holds((100, 1), (file, offset)));
            run.map(|run| run.epoch)
        };
        assert_eq!(of("b.000001", 299), Some(1));
        assert_eq!(of("b.000001", 305), None);
        assert_eq!(of("b.000001", 320), Some(2));
        assert_eq!(of("b.000002", 5), Some(2));
        let log = log_row(
            ProjectId::from_bytes(PROJECT),
            &strung,
            Timestamp::from_micros(0),
        )
        .unwrap();
        assert_eq!((log.epoch, log.until_second, log.log_offset), (2, 199, 300));
        // What other logs say of the end of this one counts, of another place not.
        let mut strung = strung;
        let say = |offset, until| Beside {
            server: "s".to_owned(),
            file: "b.000002".to_owned(),
            offset,
            until,
        };
        strung[1].vouch(&[say(300, 250), say(290, 900)]);
        let log = log_row(
            ProjectId::from_bytes(PROJECT),
            &strung,
            Timestamp::from_micros(0),
        );
        assert_eq!(log.unwrap().until_second, 250);
        // A later run keeps its number, or gets the next.
        let later = Said {
            epoch: 2,
            from_second: 500,
            ..said((100, 100), "b.000001", (0, 10))
        };
        let mut more = pieces();
        more.retain(|said| said.seq != 30);
        more.push(later);
        let strung = string(named(more));
        let epochs: Vec<_> = strung.iter().map(|run| run.epoch).collect();
        assert_eq!(epochs, [1, 2, 3]);
    }
}
