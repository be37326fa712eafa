//! Who did what. Only ever added to; the database refuses changes, and each record has a seal.
//!
//! A seal is a hash over the record and the seal before it, made by the caller, who has a key.
//! So a record that was changed, put in or taken out where SQL's own refusals do not reach (in
//! the file, by another program) is seen by whoever computes the seals again.

use strongroom_model::{ProjectId, Timestamp};

use crate::{
    error::Result,
    query::{Direction::Descending, Filter, Listed, Page},
    table::{Table, table},
    tx::Tx,
    value::Field,
};

table! {
    /// One deed.
    pub struct AuditRow, "audit", "audit record", key ["seq"] {
        /// Its number, rising; given by [`Audit::append`].
        seq: u64,
        /// When.
        at: Timestamp,
        /// In which project, if in one.
        project_id: Option<ProjectId>,
        /// Who: a user's id, an access key, `operator`.
        who: String,
        /// From where: an address.
        source: String,
        /// The request.
        request_id: String,
        /// What was asked for.
        operation: String,
        /// Of which object.
        target: String,
        /// What became of it.
        outcome: String,
    }
}

table! {
    /// The seal of a deed.
    pub struct SealRow, "audit_seals", "seal", key ["seq"] {
        /// The number of the deed.
        seq: u64,
        /// The hash.
        seal: Seal,
    }
}

/// A hash over a record and the seal before it.
pub type Seal = [u8; 32];

/// What comes before the first seal.
const NO_SEAL: Seal = [0; 32];

/// The audit trail.
pub struct Audit<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The audit trail.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }
}

impl Audit<'_> {
    /// Adds a deed, whatever number it has, and returns the number that it got.
    ///
    /// `seal` makes the seal of a record that comes after the given one. What an earlier release
    /// has recorded without seals is sealed first.
    pub fn append(&self, row: &AuditRow, seal: impl Fn(&AuditRow, &Seal) -> Seal) -> Result<u64> {
        // Seals of records that somebody has taken out keep their numbers.
        let sql = "SELECT MAX(COALESCE((SELECT MAX(seq) FROM audit), 0), \
                   COALESCE((SELECT MAX(seq) FROM audit_seals), 0)) + 1";
        let next = self
            .0
            .query(AuditRow::NAME, sql, &[], |row| row.take("seq"))?;
        let seq = next.first().copied().unwrap_or(1);
        let last = match self.last_seal()? {
            Some(last) => last.seal,
            None => self.seal_what_has_none(&seal)?,
        };
        let row = AuditRow { seq, ..row.clone() };
        self.0.insert(&row)?;
        self.0.insert(&SealRow {
            seq,
            seal: seal(&row, &last),
        })?;
        Ok(seq)
    }

    fn seal_what_has_none(&self, seal: impl Fn(&AuditRow, &Seal) -> Seal) -> Result<Seal> {
        let mut last = SealRow {
            seq: 0,
            seal: NO_SEAL,
        };
        loop {
            let rows = self.records(last.seq, 1000)?;
            if rows.is_empty() {
                return Ok(last.seal);
            }
            for row in rows {
                last = SealRow {
                    seq: row.seq,
                    seal: seal(&row, &last.seal),
                };
                self.0.insert(&last)?;
            }
        }
    }

    /// The newest seal.
    pub fn last_seal(&self) -> Result<Option<SealRow>> {
        self.0.first(&Filter::new(), &[("seq", Descending)])
    }

    /// The deeds after that number, the oldest first.
    pub fn records(&self, after: u64, limit: u32) -> Result<Vec<AuditRow>> {
        self.after(after, limit)
    }

    /// The seals after that number, the oldest first.
    pub fn seals(&self, after: u64, limit: u32) -> Result<Vec<SealRow>> {
        self.after(after, limit)
    }

    fn after<R: Table>(&self, seq: u64, limit: u32) -> Result<Vec<R>> {
        let mut filter = Filter::new().that_with("seq > {}", &[seq.to_value()]);
        let clauses = filter.sql();
        let limit = filter.bind(limit.to_value());
        let sql = format!(
            "SELECT {} FROM {}{clauses} ORDER BY seq ASC LIMIT {limit}",
            R::COLUMNS.join(", "),
            R::NAME
        );
        self.0.query(R::NAME, &sql, filter.params(), R::read)
    }

    /// One page of the project's deeds, the newest first. There are no markers here.
    pub fn list(&self, project: &ProjectId, page: &Page) -> Result<Listed<AuditRow>> {
        self.page(Filter::new().is("project_id", project), page)
    }

    /// The newest deeds of the project in that time, at most so many, whose operation begins with
    /// one of `operations` and whose target contains one of `targets`.
    pub fn about(
        &self,
        project: &ProjectId,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        operations: &[&str],
        targets: &[&str],
        limit: u32,
    ) -> Result<Vec<AuditRow>> {
        let mut filter = Filter::new()
            .is("project_id", project)
            .at_least("at", from.as_ref())
            .at_most("at", until.as_ref());
        for (column, words, begins) in [("operation", operations, true), ("target", targets, false)]
        {
            let found: Vec<_> = words
                .iter()
                .map(|word| {
                    let front = if begins { "" } else { "%" };
                    let place = filter.bind(format!("{front}{word}%").to_value());
                    format!("{column} LIKE {place}")
                })
                .collect();
            filter = filter.that(&format!("({})", found.join(" OR ")));
        }
        let page = Page {
            limit,
            ..Page::default()
        };
        Ok(self.page(filter, &page)?.rows)
    }

    /// One page of the deeds in all projects and outside of any, the newest first.
    pub fn any_project_list(&self, page: &Page) -> Result<Listed<AuditRow>> {
        self.page(Filter::new(), page)
    }

    fn page(&self, filter: Filter, page: &Page) -> Result<Listed<AuditRow>> {
        let page = Page {
            marker: None,
            ..page.clone()
        };
        self.0
            .list(&filter.clone(), filter, &[("seq", Descending)], &page)
    }
}
