//! The record of a job and the moves it may make. Pure: no store, no threads.
//!
//! While the job goes forward `position` is the step to run next, while it goes back the number
//! of steps still to undo. `attempts` counts the starts of that step and is raised *before* each
//! start, so that a step that kills the whole process does not do so for ever, and so that the
//! undo knows whether the step at `position` was ever begun.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strongroom_model::{JobId, Timestamp};

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// No step was ever started.
    Waiting,
    /// Goes forward.
    Running,
    /// Goes back: the undos run.
    Undoing,
    /// All steps are done.
    Succeeded,
    /// A step failed for good and what was done is undone.
    Failed,
    /// Somebody cancelled it and what was done is undone.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: &[Self] = &[
        Self::Waiting,
        Self::Running,
        Self::Undoing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word stored for the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|state| state.as_str() == word)
    }

    /// Whether nothing will happen to the job any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A code for programs and a sentence for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobFailure {
    /// The step's code, or one of the runner's own ([`JobFailure::PANICKED`] and its like).
    pub code: String,
    /// What failed.
    pub message: String,
}

impl JobFailure {
    /// The code of a step that panicked.
    pub const PANICKED: &str = "panicked";
    /// The code of a step that was tried as often as it may be.
    pub const EXHAUSTED: &str = "attempts_exhausted";
    /// The code of a job whose recorded steps are not those of this release.
    pub const STEPS_CHANGED: &str = "steps_changed";
    /// The code of a job whose end hook refused again and again.
    pub const END_REFUSED: &str = "end_refused";

    /// The code of a step that could not read its parameters or an earlier output.
    pub const UNREADABLE: &str = "unreadable";

    /// A failure of that code.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// How a job ends, or will end once its undos have run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every step is done.
    Succeeded,
    /// A step failed for good.
    Failed(JobFailure),
    /// Somebody cancelled it.
    Cancelled,
}

impl Ending {
    /// The final state of a job that ends so.
    pub const fn state(&self) -> JobState {
        match self {
            Self::Succeeded => JobState::Succeeded,
            Self::Failed(_) => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
        }
    }
}

/// A job to be put into the queue.
#[derive(Clone, PartialEq, Debug)]
pub struct NewJob {
    /// Its id, drawn by the caller.
    pub id: JobId,
    /// The name of its [`JobType`](crate::JobType).
    pub kind: String,
    /// What its steps get to read.
    pub params: Value,
    /// Two unfinished jobs with the same key never run at once; they run in the order they came.
    pub exclusive_key: Option<String>,
    /// Not to be started before this time; `None` for at once.
    pub not_before: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What a finished step left for the later ones.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepOutput {
    /// The step's name.
    pub step: String,
    /// What it returned.
    pub output: Value,
}

/// A job as it is remembered.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The name of its type.
    pub kind: String,
    /// What its steps get to read.
    pub params: Value,
    /// See [`NewJob::exclusive_key`].
    pub exclusive_key: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// The step to run next; while undoing, the number of steps still to undo.
    pub position: usize,
    /// How often the step (or undo) at `position` was started.
    pub attempts: u32,
    /// Percent of the whole job, as its steps said.
    pub progress: u8,
    /// The outputs of the finished steps, in order.
    pub outputs: Vec<StepOutput>,
    /// How it ended, or will once undone.
    pub ending: Option<Ending>,
    /// Going forward, why the last try of the step failed; going back, what was not undone.
    pub trouble: Option<String>,
    /// Somebody wants it stopped.
    pub cancel_requested: bool,
    /// Not to be taken up before this time.
    pub not_before: Timestamp,
    /// The token of its newest claim; 0 if it was never claimed.
    pub fence: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its record last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl From<&NewJob> for Job {
    fn from(new: &NewJob) -> Self {
        Self {
            id: new.id,
            kind: new.kind.clone(),
            params: new.params.clone(),
            exclusive_key: new.exclusive_key.clone(),
            state: JobState::Waiting,
            position: 0,
            attempts: 0,
            progress: 0,
            outputs: Vec::new(),
            ending: None,
            trouble: None,
            cancel_requested: false,
            not_before: new.not_before.unwrap_or(new.created_at),
            fence: 0,
            created_at: new.created_at,
            updated_at: new.created_at,
            ended_at: None,
        }
    }
}

impl Job {
    /// The step at `position` is about to be started (or undone) once more.
    pub fn start(&mut self) {
        self.attempts += 1;
        if self.state == JobState::Waiting {
            self.state = JobState::Running;
        }
    }

    /// The step at `position` is done.
    pub fn advance(&mut self, output: StepOutput) {
        self.outputs.push(output);
        self.position += 1;
        self.attempts = 0;
        self.trouble = None;
    }

    /// From now on it goes back. Of its `steps`, one that was begun is undone as a done one is.
    pub fn turn_back(&mut self, ending: Ending, steps: usize) {
        self.state = JobState::Undoing;
        self.ending = Some(ending);
        self.position = steps.min(self.position + usize::from(self.attempts > 0));
        self.attempts = 0;
        self.trouble = None;
    }

    /// The last start does not count: the step was asked to stop, it did not fail.
    pub fn uncount(&mut self) {
        self.attempts = self.attempts.saturating_sub(1);
    }

    /// The undo of step `position - 1` is done or given up with `trouble`.
    pub fn retreat(&mut self, trouble: Option<String>) {
        self.position -= 1;
        self.attempts = 0;
        if let Some(trouble) = trouble {
            self.add_trouble(&trouble);
        }
    }

    /// Something more that went wrong on the way back.
    pub fn add_trouble(&mut self, trouble: &str) {
        self.trouble = Some(match self.trouble.take() {
            Some(earlier) => format!("{earlier}; {trouble}"),
            None => trouble.to_owned(),
        });
    }
}
