//! Whether every line between two instants is there and unchanged: told from the vault alone.
//!
//! Three things are looked at: that the heads make one chain from the first to the last; that the
//! segments which hold the time asked for hold the lines that their heads say; and what the heads
//! say is missing. A chain cannot show by itself that its end was cut off: for that an anchor from
//! an earlier report is given back.
//!
//! Invariant: nothing is proven that was not read now; what was deleted is proven to have been
//! there, and not to be there.

use serde::{Deserialize, Serialize};
use strongroom_engine::tree::Progress;
use strongroom_model::{Clock, Timestamp};

use super::{
    chain::Chain,
    head::{Segment, link},
    restored::compare,
};
use crate::{Error, Result};

/// Problems and gaps beyond this many are counted and not listed.
pub const LISTED_MAX: usize = 1000;

/// A place in a chain that somebody remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The segment's number.
    pub number: u64,
    /// Its link.
    pub link: String,
}

/// What is to be proven.
pub struct VerifyOrder<'a> {
    /// The first instant.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// The head of an earlier report.
    pub anchor: Option<Anchor>,
    /// Told how far it is.
    pub progress: &'a Progress,
    /// Tells when the report was made.
    pub clock: &'a dyn Clock,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A segment is not there.
    Missing,
    /// A segment does not quote the one before it: one of them was changed or put elsewhere.
    Broken,
    /// A segment does not hold its lines.
    Altered,
    /// A second segment claims the place.
    Duplicate,
    /// A manifest cannot be read; nobody knows whose it is.
    Unreadable,
    /// The place that somebody remembers is not in the chain.
    AnchorLost,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The segment's number, if one is known.
    pub number: Option<u64>,
    /// What.
    pub what: String,
}

/// Lines that were missing when they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedGap {
    /// The segment that says so.
    pub number: u64,
    /// Whether lines are or may be missing.
    pub loses: bool,
    /// What.
    pub what: String,
}

/// What a proof found out. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// 1.
    pub version: u32,
    /// Whose logs.
    pub instance: String,
    /// The repository in which they are.
    pub repository: String,
    /// When this was found.
    pub made_at: String,
    /// The first instant asked for.
    pub from: String,
    /// The last one.
    pub to: String,
    /// Whether every line between them is there, unchanged, and none was lost on its way.
    pub proven: bool,
    /// Why not; empty if it is.
    pub unproven: Vec<String>,
    /// Since when the logs are in the chain.
    pub covered_from: Option<String>,
    /// Until when.
    pub covered_until: Option<String>,
    /// How many segments the whole chain has.
    pub chain_length: u64,
    /// Its newest segment: keep it, and give it back as an anchor.
    pub head: Option<Anchor>,
    /// The anchor that was given.
    pub anchor: Option<Anchor>,
    /// The first segment that was read for this time.
    pub first: Option<Anchor>,
    /// The last one.
    pub last: Option<Anchor>,
    /// How many were read.
    pub segments: u64,
    /// How many of that time were deleted on purpose.
    pub deleted: u64,
    /// The lines that were read.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What the logs lost before they were read.
    pub gaps: Vec<ReportedGap>,
    /// How many such gaps, listed or not.
    pub gap_count: u64,
    /// What is wrong with the chain.
    pub problems: Vec<Problem>,
    /// How many problems, listed or not.
    pub problem_count: u64,
}

impl Report {
    /// Whether every line of the time asked for is there and unchanged.
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// What stands against the proof.
    fn reasons(&self, since_then: bool, until_then: bool, lost: bool) -> Vec<String> {
        let known = |at: &Option<String>| at.clone().unwrap_or_else(|| "never".to_owned());
        let mut reasons = Vec::new();
        if !since_then {
            let from = known(&self.covered_from);
            reasons.push(format!("the chain covers the time only from {from} on"));
        }
        if !until_then {
            let until = known(&self.covered_until);
            reasons.push(format!("the chain covers the time only until {until}"));
        }
        if lost {
            reasons.push("lines were or may have been lost before they were read: see gaps".into());
        }
        if self.problem_count > 0 {
            let count = self.problem_count;
            reasons.push(format!(
                "{count} things are wrong with the chain: see problems"
            ));
        }
        if self.deleted > 0 {
            let deleted = self.deleted;
            reasons.push(format!(
                "{deleted} segments of that time were deleted on purpose"
            ));
        }
        reasons
    }

    fn problem(&mut self, kind: ProblemKind, number: Option<u64>, what: String) {
        self.problem_count += 1;
        if self.problems.len() < LISTED_MAX {
            self.problems.push(Problem { kind, number, what });
        }
    }

    fn gap(&mut self, gap: ReportedGap) {
        self.gap_count += 1;
        if self.gaps.len() < LISTED_MAX {
            self.gaps.push(gap);
        }
    }
}

impl Chain<'_> {
    /// Reads what the vault holds of a time, and the heads of the whole chain.
    pub fn verify(&self, order: &VerifyOrder<'_>) -> Result<Report> {
        if order.to < order.from {
            return Err(Error::invalid("to", "must not be before from"));
        }
        let mut report = self.blank(order);
        self.check_links(&mut report)?;
        self.check_anchor(&mut report);
        let mut lost = false;
        let touched = self.segments().iter();
        for segment in touched.filter(|segment| touches(segment, order)) {
            self.check_segment(segment, order, &mut report)?;
            lost |= segment
                .head
                .gaps
                .iter()
                .any(strongroom_source::audit::Gap::loses);
        }
        let first = self.segments().first();
        let since_then =
            first.is_some_and(|first| first.head.number == 1 && since(first) <= order.from);
        let until_then = self
            .segments()
            .iter()
            .any(|segment| segment.head.looked_at >= order.to && segment.head.is_caught_up());
        report.unproven = report.reasons(since_then, until_then, lost);
        report.proven = report.unproven.is_empty();
        Ok(report)
    }

    fn blank(&self, order: &VerifyOrder<'_>) -> Report {
        let (first, last) = (self.segments().first(), self.last());
        let mut caught_up = self.segments().iter().rev().map(|segment| &segment.head);
        Report {
            version: 1,
            instance: self.instance.clone(),
            repository: self.repository.id().to_string(),
            made_at: instant(order.clock.now()),
            from: instant(order.from),
            to: instant(order.to),
            proven: false,
            unproven: Vec::new(),
            covered_from: first.map(|first| instant(since(first))),
            covered_until: caught_up
                .find(|head| head.is_caught_up())
                .map(|head| instant(head.looked_at)),
            chain_length: last.map_or(0, |last| last.head.number),
            head: last.map(anchor),
            anchor: order.anchor.clone(),
            first: None,
            last: None,
            segments: 0,
            deleted: 0,
            lines: 0,
            bytes: 0,
            gaps: Vec::new(),
            gap_count: 0,
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    /// Whether the heads make one chain.
    fn check_links(&self, report: &mut Report) -> Result<()> {
        use ProblemKind as P;
        let mut before: Option<&Segment> = None;
        for segment in self.segments() {
            let number = segment.head.number;
            let expected = before.map_or(1, |before| before.head.number + 1);
            for missing in expected..number {
                if report.problems.len() >= LISTED_MAX {
                    report.problem_count += number - missing;
                    break;
                }
                let what = format!("segment {missing} is not in the vault");
                report.problem(P::Missing, Some(missing), what);
            }
            let quoted = segment.head.previous.as_deref();
            let follows = expected == number;
            if follows && quoted != before.map(|before| before.link.as_str()) {
                let what = match before {
                    Some(before) => format!(
                        "segment {number} does not follow segment {} as it is",
                        before.head.number
                    ),
                    None => format!("segment {number} is the first, and names one before it"),
                };
                report.problem(P::Broken, Some(number), what);
            }
            before = Some(segment);
        }
        for rival in &self.settled.rivals {
            let what = format!("manifest {} claims the same place", rival.manifest);
            report.problem(P::Duplicate, Some(rival.head.number), what);
        }
        for (manifest, why) in &self.unreadable {
            let what = format!("manifest {manifest} cannot be read: {why}");
            report.problem(P::Unreadable, None, what);
        }
        // What is remembered of a manifest must be what is in it now.
        for segment in self.segments() {
            match self.written(segment) {
                Ok((_, text)) if link(&text) == segment.link => {}
                Ok(_) => {
                    let what = "its head is another one than a moment ago".to_owned();
                    report.problem(P::Altered, Some(segment.head.number), what);
                }
                Err(error @ Error::Conflict { .. }) => {
                    let what = crate::jobs::chain(&error);
                    report.problem(P::Missing, Some(segment.head.number), what);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn check_anchor(&self, report: &mut Report) {
        let Some(anchor) = report.anchor.clone() else {
            return;
        };
        let there = self
            .segments()
            .iter()
            .any(|segment| segment.head.number == anchor.number && segment.link == anchor.link);
        if !there {
            let what = "the chain does not lead to the place that was remembered".to_owned();
            report.problem(ProblemKind::AnchorLost, Some(anchor.number), what);
        }
    }

    fn check_segment(
        &self,
        segment: &Segment,
        order: &VerifyOrder<'_>,
        report: &mut Report,
    ) -> Result<()> {
        let head = &segment.head;
        for gap in &head.gaps {
            report.gap(ReportedGap {
                number: head.number,
                loses: gap.loses(),
                what: gap.to_string(),
            });
        }
        report.first.get_or_insert_with(|| anchor(segment));
        report.last = Some(anchor(segment));
        if segment.deleted.is_some() {
            report.deleted += 1;
            return Ok(());
        }
        report.segments += 1;
        report.lines += head.lines;
        report.bytes += head.bytes;
        if let Err(what) = compare(self.repository, segment, order.progress)? {
            let what = format!("segment {} {what}", head.number);
            report.problem(ProblemKind::Altered, Some(head.number), what);
        }
        Ok(())
    }
}

fn anchor(segment: &Segment) -> Anchor {
    Anchor {
        number: segment.head.number,
        link: segment.link.clone(),
    }
}

/// Whether a segment holds lines of the time, or was read when lines of it could have come.
fn touches(segment: &Segment, order: &VerifyOrder<'_>) -> bool {
    let head = &segment.head;
    let overlaps = |from: Timestamp, to: Timestamp| from <= order.to && to >= order.from;
    let events = match (head.first_event, head.last_event) {
        (Some(first), Some(last)) => overlaps(first, last),
        // Lines without times may be of any time.
        _ => head.lines > 0,
    };
    events || overlaps(head.looked_from, head.looked_at)
}

/// Since when lines are in the chain: what was deleted before the first look nobody knows, so it is
/// the first line that was there.
fn since(first: &Segment) -> Timestamp {
    let head = &first.head;
    head.first_event
        .map_or(head.looked_from, |event| event.min(head.looked_from))
}

fn instant(time: Timestamp) -> String {
    time.to_jiff()
        .map_or_else(String::new, |time| time.to_string())
}
