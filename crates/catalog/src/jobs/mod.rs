//! Jobs and the outputs of their steps.
//!
//! A job is put into the queue in the transaction that promises its work ([`Jobs::enqueue`]), and
//! ends in the transaction that records what came of it (`store`, the catalog as a job store).

mod store;

use strongroom_jobs::{Claim, Ending, Job, JobState, NewJob, StepOutput};
use strongroom_model::{JobId, Timestamp};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Listed, Page,
    },
    table::{Table, table},
    tx::Tx,
    value::{Field, Json, Value},
};

table! {
    /// A job as it is stored.
    pub(crate) struct JobRow, "jobs", "job", key ["id"] {
        id: JobId,
        seq: i64,
        kind: String,
        params: Json<serde_json::Value>,
        exclusive_key: Option<String>,
        state: JobState,
        position: usize,
        attempts: u32,
        progress: u8,
        ending: Option<Json<Ending>>,
        trouble: Option<String>,
        cancel_requested: bool,
        not_before: Timestamp,
        fence: u64,
        leased_by: Option<String>,
        leased_until: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
        ended_at: Option<Timestamp>,
    }
}

table! {
    /// The output of a finished step.
    pub(crate) struct StepRow, "job_steps", "step", key ["job_id", "position"] {
        job_id: JobId,
        position: usize,
        step: String,
        output: Json<serde_json::Value>,
    }
}

/// The table of jobs.
pub struct Jobs<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The jobs.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }
}

impl Jobs<'_> {
    /// Puts a job into the queue. It may run as soon as the transaction is committed.
    pub fn enqueue(&self, new: &NewJob) -> Result<()> {
        let job = Job::from(new);
        let sql = "SELECT COALESCE(MAX(seq), 0) + 1 FROM jobs";
        let next = self
            .0
            .query(JobRow::NAME, sql, &[], |row| row.take("seq"))?;
        self.0.insert(&JobRow {
            id: job.id,
            seq: next.first().copied().unwrap_or(1),
            kind: job.kind,
            params: Json(job.params),
            exclusive_key: job.exclusive_key,
            state: job.state,
            position: job.position,
            attempts: job.attempts,
            progress: job.progress,
            ending: None,
            trouble: None,
            cancel_requested: false,
            not_before: job.not_before,
            fence: job.fence,
            leased_by: None,
            leased_until: None,
            created_at: job.created_at,
            updated_at: job.updated_at,
            ended_at: None,
        })
    }

    /// Puts a job into the queue unless one of the same kind and exclusive key waits there
    /// unbegun; the id of the one that will do the work.
    pub fn enqueue_once(&self, new: &NewJob) -> Result<JobId> {
        let filter = Filter::new()
            .is("kind", &new.kind)
            .maybe("exclusive_key", new.exclusive_key.as_ref())
            .is("state", &JobState::Waiting)
            .is("cancel_requested", &false);
        let waiting: Vec<JobRow> = self.0.select(&filter, &[("seq", Ascending)])?;
        let same = |row: &&JobRow| row.exclusive_key == new.exclusive_key;
        if let Some(row) = waiting.iter().find(same) {
            return Ok(row.id);
        }
        self.enqueue(new)?;
        Ok(new.id)
    }

    /// The job of that id.
    pub fn get(&self, id: &JobId) -> Result<Option<Job>> {
        let row = self.0.one::<JobRow>(&Filter::new().is("id", id))?;
        row.map(|row| self.with_outputs(row)).transpose()
    }

    /// One page of the jobs that have not ended, or of all, the newest first; for operators.
    pub fn list(&self, with_ended: WithEnded, page: &Page) -> Result<Listed<Job>> {
        let filter = match with_ended {
            WithEnded::Yes => Filter::new(),
            WithEnded::No => Filter::new().that("ended_at IS NULL"),
        };
        let found = self
            .0
            .list(&Filter::new(), filter, &[("seq", Descending)], page)?;
        let jobs: Result<Vec<_>> = found
            .rows
            .into_iter()
            .map(|row| self.with_outputs(row))
            .collect();
        Ok(Listed {
            rows: jobs?,
            total: found.total,
        })
    }

    /// How many jobs have not ended and have that exclusive key.
    pub fn unfinished_with_key(&self, exclusive_key: &str) -> Result<u64> {
        let key = Filter::new().is("exclusive_key", &exclusive_key.to_owned());
        self.0.count::<JobRow>(&key.that("ended_at IS NULL"))
    }

    /// The jobs of that kind that have not ended, the oldest first.
    pub fn unfinished_of_kind(&self, kind: &str) -> Result<Vec<Job>> {
        let filter = Filter::new()
            .is("kind", &kind.to_owned())
            .that("ended_at IS NULL");
        let rows: Vec<JobRow> = self.0.select(&filter, &[("seq", Ascending)])?;
        rows.into_iter().map(|row| self.with_outputs(row)).collect()
    }

    /// The jobs of that kind that have not ended or were ordered after that time.
    pub fn recent_of_kind(&self, kind: &str, time: Timestamp) -> Result<Vec<Job>> {
        let filter = Filter::new()
            .is("kind", &kind.to_owned())
            .that_with("(ended_at IS NULL OR created_at > {})", &[time.to_value()]);
        let rows: Vec<JobRow> = self.0.select(&filter, &[("seq", Ascending)])?;
        rows.into_iter().map(|row| self.with_outputs(row)).collect()
    }

    /// Asks for a job to be stopped; `false` if it is unknown or has ended.
    pub fn request_cancel(&self, id: &JobId, now: Timestamp) -> Result<bool> {
        let sql = "UPDATE jobs SET cancel_requested = 1, updated_at = ?2 \
                   WHERE id = ?1 AND ended_at IS NULL";
        Ok(self.0.execute(sql, &[id.to_value(), now.to_value()])? > 0)
    }

    /// Forgets jobs that ended before that time; how many there were.
    pub fn remove_ended_before(&self, time: Timestamp) -> Result<u64> {
        self.0
            .execute("DELETE FROM jobs WHERE ended_at < ?1", &[time.to_value()])
    }

    fn with_outputs(&self, row: JobRow) -> Result<Job> {
        let steps: Vec<StepRow> = self.0.select(
            &Filter::new().is("job_id", &row.id),
            &[("position", Ascending)],
        )?;
        let outputs = steps.into_iter();
        Ok(Job {
            id: row.id,
            kind: row.kind,
            params: row.params.0,
            exclusive_key: row.exclusive_key,
            state: row.state,
            position: row.position,
            attempts: row.attempts,
            progress: row.progress,
            outputs: outputs
                .map(|s| StepOutput {
                    step: s.step,
                    output: s.output.0,
                })
                .collect(),
            ending: row.ending.map(|ending| ending.0),
            trouble: row.trouble,
            cancel_requested: row.cancel_requested,
            not_before: row.not_before,
            fence: row.fence,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
        })
    }

    /// The oldest job that may run now (see [`strongroom_jobs::JobStore::claim`]).
    fn runnable(&self, claim: &Claim<'_>) -> Result<Option<JobRow>> {
        let now = claim.now.to_value();
        let me = claim.runner.to_owned().to_value();
        let kinds: Vec<_> = claim.kinds.iter().map(|kind| (*kind).to_owned()).collect();
        if kinds.is_empty() {
            return Ok(None);
        }
        let mut filter = Filter::new()
            .that("ended_at IS NULL")
            .any("kind", &kinds)
            .that_with(
                "(not_before <= {} OR (cancel_requested = 1 AND state <> 'undoing'))",
                std::slice::from_ref(&now),
            )
            .that_with(
                "(leased_by IS NULL OR leased_by = {} OR leased_until < {})",
                &[me, now],
            )
            .that(
                "(exclusive_key IS NULL \
                 OR (cancel_requested = 1 AND state = 'waiting') \
                 OR NOT EXISTS (SELECT 1 FROM jobs AS older \
                                WHERE older.exclusive_key = jobs.exclusive_key \
                                AND older.seq < jobs.seq AND older.ended_at IS NULL))",
            );
        if !claim.held.is_empty() {
            let places = vec!["{}"; claim.held.len()].join(", ");
            let held: Vec<Value> = claim.held.iter().map(Field::to_value).collect();
            filter = filter.that_with(&format!("id NOT IN ({places})"), &held);
        }
        self.0.first(&filter, &[("seq", Ascending)])
    }
}

/// Whether a list of jobs has those that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WithEnded {
    /// It has.
    Yes,
    /// It has not.
    No,
}
