//! Whether a line agrees with what is asked for, the cheap questions first.
//!
//! A line is taken apart only if its time fits and a piece of the word that is looked for stands in
//! it as it is: whatever a format escapes, it leaves letters and digits alone.

use strongroom_model::Timestamp;
use strongroom_source::audit::{Format, Record, Zone};

use super::search::{Outcome, Query};

/// Decides about lines.
pub(super) struct Matcher<'q> {
    query: &'q Query,
    keyword: Option<String>,
    /// Parts of the keyword that stand in a line as they are, whatever the format escapes.
    needles: Vec<Needle>,
    plain: bool,
}

/// Looks for bytes in capital or small letters.
struct Needle {
    lower: Vec<u8>,
    first: (u8, u8),
}

impl Needle {
    fn is_in(&self, line: &[u8]) -> bool {
        let length = self.lower.len();
        memchr::memchr2_iter(self.first.0, self.first.1, line).any(|at| {
            line.get(at..at + length)
                .is_some_and(|part| part.eq_ignore_ascii_case(&self.lower))
        })
    }
}

impl<'q> Matcher<'q> {
    pub(super) fn new(query: &'q Query) -> Self {
        let keyword = query.keyword.as_ref().map(|keyword| keyword.to_lowercase());
        let runs = keyword.as_deref().unwrap_or_default();
        let runs = runs.split(|letter: char| !letter.is_ascii_alphanumeric());
        let needles = runs.filter_map(|run| {
            let first = *run.as_bytes().first()?;
            Some(Needle {
                lower: run.as_bytes().to_vec(),
                first: (first, first.to_ascii_uppercase()),
            })
        });
        let mut needles: Vec<Needle> = needles.collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.lower.len()));
        let Query {
            user,
            database,
            client_ip,
            object,
            kind,
            keyword: word,
            outcome,
            ..
        } = query;
        let plain = [user, database, client_ip, object, word]
            .iter()
            .all(|said| said.is_none())
            && kind.is_none()
            && outcome.is_none();
        Self {
            query,
            keyword,
            needles,
            plain,
        }
    }

    /// Whether a line agrees, and its time, as far as it was looked at.
    pub(super) fn agrees(
        &self,
        format: Format,
        zone: Zone,
        line: &[u8],
    ) -> (bool, Option<Timestamp>) {
        let Query { from, to, .. } = self.query;
        let time = Record::time_of(format, line, zone);
        let early = time.zip(*from).is_some_and(|(time, from)| time < from);
        let late = time.zip(*to).is_some_and(|(time, to)| time > to);
        let undated = time.is_none() && (from.is_some() || to.is_some());
        if early || late || undated {
            return (false, time);
        }
        if self.plain {
            return (true, time);
        }
        if !self.needles.iter().all(|needle| needle.is_in(line)) {
            return (false, time);
        }
        (self.agrees_closely(&Record::of(format, line, zone)), time)
    }

    fn agrees_closely(&self, record: &Record<'_>) -> bool {
        let query = self.query;
        let is = |wanted: &Option<String>, said: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == said)
        };
        is(&query.user, &record.user)
            && is(&query.database, &record.database)
            && is(&query.client_ip, &record.host)
            && is(&query.object, &record.object)
            && query.kind.is_none_or(|kind| record.kind() == kind)
            && query
                .outcome
                .is_none_or(|outcome| (outcome == Outcome::Succeeded) == record.succeeded())
            && self
                .keyword
                .as_ref()
                .is_none_or(|keyword| record.statement.to_lowercase().contains(keyword))
    }
}
