//! Whether a line agrees with what is asked for, the cheap questions first.
//!
//! A line is taken apart only if its time fits and a piece of the word that is looked for stands in
//! it as it is: whatever a format escapes, it leaves letters and digits alone. Only JSON may spell
//! any of them as `\u0041`; a line that does is taken apart whatever is looked for.

use strongroom_model::Timestamp;
use strongroom_source::audit::{
    Format, Record, Zone,
    scan::{Line, Needle},
};

use super::search::{Order, Outcome, Query};

/// Decides about lines.
pub(super) struct Matcher<'q> {
    query: &'q Query,
    keyword: Option<String>,
    /// Parts of the words asked for that stand in a line as they are, the longest first.
    needles: Vec<Needle>,
    plain: bool,
}

/// Parts of a word that stand in a line as they are, unless it is JSON that spells its letters.
fn needles(word: &str) -> impl Iterator<Item = Needle> {
    let runs = word.split(|letter: char| !letter.is_ascii_alphanumeric());
    runs.filter(|run| !run.is_empty()).map(Needle::of)
}

impl<'q> Matcher<'q> {
    pub(super) fn new(query: &'q Query) -> Self {
        let keyword = query.keyword.as_ref().map(|keyword| keyword.to_lowercase());
        let words = [
            &keyword,
            &query.user,
            &query.database,
            &query.client_ip,
            &query.object,
        ];
        let mut needles: Vec<Needle> = words
            .into_iter()
            .flatten()
            .flat_map(|word| needles(word))
            .collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.length()));
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

    /// What every line that agrees holds, if anything is known.
    pub(super) fn needle(&self) -> Option<&Needle> {
        self.needles.first()
    }

    /// In which order lines are wanted.
    pub(super) fn order(&self) -> Order {
        self.query.order
    }

    /// Whether a line agrees.
    pub(super) fn agrees(&self, format: Format, zone: Zone, line: &Line<'_>) -> bool {
        let Query { from, to, .. } = self.query;
        let time = line.time.map(Timestamp::from_micros);
        let early = time.zip(*from).is_some_and(|(time, from)| time < from);
        let late = time.zip(*to).is_some_and(|(time, to)| time > to);
        let undated = time.is_none() && (from.is_some() || to.is_some());
        if early || late || undated {
            return false;
        }
        self.plain
            || self
                .needles
                .iter()
                .all(|needle| needle.may_be_in(format, line.bytes))
                && self.agrees_closely(&Record::of(format, line.bytes, zone))
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
