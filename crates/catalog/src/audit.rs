//! Who did what. Only ever added to; the database refuses changes.

use strongroom_model::{ProjectId, Timestamp};

use crate::{
    error::Result,
    query::{Direction::Descending, Filter, Listed, Page},
    table::{Table, table},
    tx::Tx,
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
    pub fn append(&self, row: &AuditRow) -> Result<u64> {
        let sql = "SELECT COALESCE(MAX(seq), 0) + 1 FROM audit";
        let next = self
            .0
            .query(AuditRow::NAME, sql, &[], |row| row.take("seq"))?;
        let seq = next.first().copied().unwrap_or(1);
        self.0.insert(&AuditRow { seq, ..row.clone() })?;
        Ok(seq)
    }

    /// One page of the project's deeds, the newest first. There are no markers here.
    pub fn list(&self, project: &ProjectId, page: &Page) -> Result<Listed<AuditRow>> {
        self.page(Filter::new().is("project_id", project), page)
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
