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
    /// A part of the keyword that stands in a line as it is, whatever the format escapes.
    needle: Option<Needle>,
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
        // The longest run of letters and digits: no format changes those.
        let needle = keyword.as_deref().and_then(|keyword| {
            let runs = keyword.split(|letter: char| !letter.is_ascii_alphanumeric());
            let run = runs.max_by_key(|run| run.len())?;
            let first = *run.as_bytes().first()?;
            Some(Needle {
                lower: run.as_bytes().to_vec(),
                first: (first, first.to_ascii_uppercase()),
            })
        });
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
            needle,
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
        if self
            .needle
            .as_ref()
            .is_some_and(|needle| !needle.is_in(line))
        {
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
