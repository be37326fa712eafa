//! Alarms, where people are told of them, and what is still to be told.
//!
//! A notification is written in the transaction that raises or clears its alarm, so none is
//! forgotten by a crash and none tells of what did not happen.

use strongroom_model::{ProjectId, ResourceId, Timestamp, VaultId};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Listed, Page,
    },
    table::{Table, table},
    tx::Tx,
    value::{Field, Json, Sealed},
};

table! {
    /// Something that somebody should look at.
    pub struct AlarmRow, "alarms", "alarm", key ["seq"] {
        /// Its number, rising; given by [`Notifications::raise`].
        seq: u64,
        /// What is wrong, as a word.
        kind: String,
        /// The project.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// The vault's name.
        vault_name: String,
        /// The resource, if it is about one.
        resource_id: Option<ResourceId>,
        /// The resource's name.
        resource_name: Option<String>,
        /// What is wrong, for people.
        message: String,
        /// Whether somebody was told.
        notify: bool,
        /// Since when.
        raised_at: Timestamp,
        /// Until when; none if it still holds.
        cleared_at: Option<Timestamp>,
    }
}

table! {
    /// Where people are told.
    pub struct ChannelRow, "channels", "channel", key ["name"] {
        /// Its name.
        name: String,
        /// How, as a word.
        kind: String,
        /// The project it is for; none is all of them.
        project_id: Option<ProjectId>,
        /// Addresses and passwords.
        settings_sealed: Sealed,
        /// When it was made.
        created_at: Timestamp,
    }
}

table! {
    /// Something to be told.
    pub struct NotificationRow, "notifications", "notification", key ["seq"] {
        /// Its number, rising; given by [`Notifications::tell`].
        seq: u64,
        /// Where.
        channel: String,
        /// What.
        message: Json<serde_json::Value>,
        /// Since when.
        created_at: Timestamp,
        /// How often it was tried.
        attempts: u32,
        /// When to try next.
        not_before: Timestamp,
        /// Why the last attempt failed.
        problem: Option<String>,
        /// When it was told.
        delivered_at: Option<Timestamp>,
        /// When nobody tried any more.
        given_up_at: Option<Timestamp>,
    }
}

const WAITING: &str = "delivered_at IS NULL AND given_up_at IS NULL";

/// The tables of alarms, channels and notifications.
pub struct Notifications<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// Alarms, channels, notifications.
    pub fn notifications(&self) -> Notifications<'_> {
        Notifications(self)
    }
}

impl Notifications<'_> {
    /// Raises an alarm, whatever number it has; `Duplicate` if it is raised already.
    pub fn raise(&self, row: &AlarmRow) -> Result<()> {
        let seq = self.next::<AlarmRow>()?;
        self.0.insert(&AlarmRow { seq, ..row.clone() })
    }

    /// Ends an alarm.
    pub fn clear(&self, seq: u64, now: Timestamp) -> Result<AlarmRow> {
        let of = Filter::new().is("seq", &seq);
        self.0
            .change(&of, &seq, |row: &mut AlarmRow| row.cleared_at = Some(now))
    }

    /// The alarms of all projects that hold.
    pub fn any_project_open(&self) -> Result<Vec<AlarmRow>> {
        let open = Filter::new().that("cleared_at IS NULL");
        self.0.select(&open, &[("seq", Ascending)])
    }

    /// One page of a project's alarms, the newest first; only those that hold if `open`.
    pub fn alarms(
        &self,
        project: &ProjectId,
        which: Which,
        page: &Page,
    ) -> Result<Listed<AlarmRow>> {
        let own = Filter::new().is("project_id", project);
        let filter = match which {
            Which::Open => own.clone().that("cleared_at IS NULL"),
            Which::All => own.clone(),
        };
        let page = Page {
            marker: None,
            ..page.clone()
        };
        self.0.list(&own, filter, &[("seq", Descending)], &page)
    }

    /// Adds a channel; `Duplicate` if there is one of that name.
    pub fn add_channel(&self, row: &ChannelRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The channels by name.
    pub fn channels(&self) -> Result<Vec<ChannelRow>> {
        self.0.select(&Filter::new(), &[("name", Ascending)])
    }

    /// Removes a channel, and what was still to be told there; `false` if there was none.
    pub fn remove_channel(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        let waiting = Filter::new().is("channel", &name).that(WAITING);
        self.0.remove::<NotificationRow>(&waiting)?;
        let own = Filter::new().is("name", &name);
        Ok(self.0.remove::<ChannelRow>(&own)? > 0)
    }

    /// Adds something to be told, whatever number it has.
    pub fn tell(&self, row: &NotificationRow) -> Result<()> {
        let seq = self.next::<NotificationRow>()?;
        self.0.insert(&NotificationRow { seq, ..row.clone() })
    }

    /// What is to be told now, the oldest first.
    pub fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<NotificationRow>> {
        let mut filter = Filter::new()
            .that(WAITING)
            .at_most("not_before", Some(&now));
        let clauses = filter.sql();
        let limit = filter.bind(limit.to_value());
        let sql = format!(
            "SELECT {} FROM notifications{clauses} ORDER BY not_before, seq LIMIT {limit}",
            NotificationRow::COLUMNS.join(", ")
        );
        self.0.query(
            NotificationRow::NAME,
            &sql,
            filter.params(),
            NotificationRow::read,
        )
    }

    /// How many are still to be told.
    pub fn waiting(&self) -> Result<u64> {
        self.0
            .count::<NotificationRow>(&Filter::new().that(WAITING))
    }

    /// Notes what became of an attempt; one that was removed meanwhile is no error.
    pub fn tried(&self, seq: u64, edit: impl FnOnce(&mut NotificationRow)) -> Result<()> {
        let of = Filter::new().is("seq", &seq);
        match self.0.change(&of, &seq, edit) {
            Ok(_) | Err(crate::Error::NotFound { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Forgets alarms and notifications that have ended before that.
    pub fn forget_before(&self, before: Timestamp) -> Result<u64> {
        let alarms = Filter::new().at_most("cleared_at", Some(&before));
        let told = Filter::new().at_most("COALESCE(delivered_at, given_up_at)", Some(&before));
        Ok(self.0.remove::<AlarmRow>(&alarms)? + self.0.remove::<NotificationRow>(&told)?)
    }

    fn next<R: Table>(&self) -> Result<u64> {
        let sql = format!("SELECT COALESCE(MAX(seq), 0) + 1 FROM {}", R::NAME);
        let next = self.0.query(R::NAME, &sql, &[], |row| row.take("seq"))?;
        Ok(next.first().copied().unwrap_or(1))
    }
}

/// Which alarms are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Those that hold.
    Open,
    /// Those that have ended, too.
    All,
}
