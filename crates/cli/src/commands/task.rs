//! `strongroom task`: what the service is doing and what became of it (the vendors' operation
//! logs).
//!
//! [`wait`] is how every other command waits for a task: it shows how far it is, and a task that
//! fails becomes an error with the task's own code and words.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_wire::{
    Empty,
    cbr::{
        ListOpLogs, OperationLogPath, ShowOpLog,
        operation_log::{ListOpLogsQuery, OperationLog, OperationLogReply, TaskStatus},
    },
    native::{CancelTask, TaskPath},
    query::NoQuery,
};

use crate::{
    arguments::Context,
    connection::{Connection, follow, until},
    output::{Output, table},
};

/// What is done with tasks.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// List tasks, the newest first
    List {
        /// Only tasks in this state
        #[arg(long)]
        status: Option<TaskStatus>,
        /// Only tasks of this vault, by id
        #[arg(long, value_name = "ID")]
        vault: Option<String>,
        /// Only tasks of this resource, by id
        #[arg(long, value_name = "ID")]
        resource: Option<String>,
    },
    /// Show one task
    Show {
        /// Its id
        task: String,
    },
    /// Stop a task; what it has done so far is undone
    Cancel {
        /// Its id
        task: String,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        match self {
            Self::List {
                status,
                vault,
                resource,
            } => {
                let query = ListOpLogsQuery {
                    status,
                    vault_id: vault,
                    resource_id: resource,
                    ..ListOpLogsQuery::default()
                };
                let reply = connection
                    .call::<ListOpLogs>(connection.project_path(), query, Empty)
                    .context("cannot list tasks")?;
                context
                    .output
                    .show(&reply, |reply| text(&reply.operation_logs))
            }
            Self::Show { task } => {
                let reply = show(&connection, &task)?;
                context
                    .output
                    .show(&reply, |reply| details(&reply.operation_log))
            }
            Self::Cancel { task } => {
                let path = TaskPath {
                    operation_log_id: task.clone(),
                };
                connection
                    .call::<CancelTask>(path, NoQuery, Empty)
                    .with_context(|| format!("cannot cancel task {task}"))?;
                let log = until(|| ended(&connection, &task))?;
                let reply = OperationLogReply { operation_log: log };
                context
                    .output
                    .show(&reply, |reply| details(&reply.operation_log))
            }
        }
    }
}

fn show(connection: &Connection, task: &str) -> Result<OperationLogReply> {
    let path = OperationLogPath {
        project_id: connection.project().to_owned(),
        operation_log_id: task.to_owned(),
    };
    connection
        .call::<ShowOpLog>(path, NoQuery, Empty)
        .with_context(|| format!("cannot find task {task}"))
}

/// The task if nothing will happen to it any more.
fn ended(connection: &Connection, task: &str) -> Result<Option<OperationLog>> {
    let log = show(connection, task)?.operation_log;
    let goes_on = matches!(log.status, TaskStatus::Waiting | TaskStatus::Running);
    Ok((!goes_on).then_some(log))
}

/// Waits for the end of the task, showing how far it is; an error if it did not succeed.
pub(crate) fn wait(
    connection: &Connection,
    output: Output,
    what: &str,
    task: &str,
) -> Result<OperationLog> {
    let log = follow(output, what, || {
        let log = show(connection, task)?.operation_log;
        let percent = u64::from(log.extra_info.common.progress);
        let goes_on = matches!(log.status, TaskStatus::Waiting | TaskStatus::Running);
        Ok((percent, (!goes_on).then_some(log)))
    })?;
    if log.status != TaskStatus::Success {
        bail!(
            "{what}: task {task} ended as {}: {}",
            log.status,
            reason(&log)
        );
    }
    Ok(log)
}

/// Why the task failed, in its own words.
fn reason(log: &OperationLog) -> String {
    let error = &log.error_info;
    match (error.message.as_str(), error.code.as_str()) {
        ("", "") => "no reason was recorded; the service's log may have one".to_owned(),
        (message, "") => message.to_owned(),
        ("", code) => code.to_owned(),
        (message, code) => format!("{message} ({code})"),
    }
}

fn text(logs: &[OperationLog]) -> String {
    let rows = logs.iter().map(|log| {
        let resource = log.extra_info.resource.as_ref();
        let name = resource.and_then(|resource| resource.name.clone());
        [
            log.id.clone(),
            log.operation_type.to_string(),
            log.status.to_string(),
            format!("{} %", log.extra_info.common.progress),
            log.vault_name.clone().unwrap_or_default(),
            name.unwrap_or_default(),
            log.created_at.to_string(),
        ]
    });
    let heads = [
        "ID", "TYPE", "STATUS", "DONE", "VAULT", "RESOURCE", "CREATED",
    ];
    table(heads, rows)
}

fn details(log: &OperationLog) -> String {
    let mut shown = text(std::slice::from_ref(log));
    if log.status == TaskStatus::Failed {
        shown = format!("{shown}\nfailed: {}", reason(log));
    }
    shown
}
