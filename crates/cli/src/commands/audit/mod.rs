//! `strongroom audit`: audit logs of databases, backed up, restored, searched and proven (DBSS's
//! operations).
//!
//! Instances are named by id or name, backups by id. Registering is
//! `strongroom resource add audit`, because a path of the host is an operator's word.

mod find;
mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde_json::Value;
use strongroom_wire::{
    Empty,
    dbss::{
        BackupPath, DeleteAuditBackupTask, DeleteInstancesNew, DomainInstancePath,
        ListAuditObsBuckets, ListAuditSqlsNew, Number, RestoreAuditBackup, RetryAuditBackupTask,
        SetAuditBackupSwitch,
        backup::{BackupInfo, Cycle, Progress as How, SwitchMode, SwitchRequest},
        instance::{DeleteInstanceRequest, JobStatus},
        statement::{ListSqlsRequest, Order, TimeRange},
    },
    native::{
        BackUpAuditInstance, ChangeAuditInstance, RegisterAuditInstance, ShowAuditJob,
        VerifyAuditInstance,
        audit_log::{
            AuditInstanceChange, AuditInstancePath, AuditInstanceRegistration, AuditJobPath,
            AuditJobReply, RegisteredAuditInstance, VerifyAuditRequest,
        },
    },
    path::NoPath,
    query::NoQuery,
    time::{DbssTime, IamTime},
};

use self::{
    find::{backup_path, backups, find, id_of, instances, path_of, project_path},
    rows::{rows_of, rows_of_backups, rows_of_settings, rows_of_statements},
};
use super::resource;
use crate::{
    arguments::Context,
    connection::{Connection, follow},
    output::Output,
};

/// What is done with audit logs.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// List the audit instances
    List,
    /// Back up what is new in an instance's logs; prints the backup's id
    Backup {
        /// Its id or name
        instance: String,
        /// Do not wait; print the ids of backup and job
        #[arg(long)]
        detach: bool,
    },
    /// Have backups made by themselves, or not any more
    Schedule {
        /// Its id or name
        instance: String,
        #[arg(help = "How often: FIVE_MIN, PER_HOUR, PER_DAY, PER_WEEK, PER_MONTH; or off")]
        cycle: String,
        /// From when on, UTC, such as 2026-12-01T02:00:00; now if nothing is said
        #[arg(long, value_name = "TIME")]
        from: Option<DbssTime>,
    },
    /// Change what is set of an instance; prints what is set then
    Set(Settings),
    /// List the backups of an instance, the newest first
    Backups {
        /// Its id or name; the id of one that is off the list
        instance: String,
    },
    /// Lay a backup's lines out to be searched, beside the logs and read-only
    Restore {
        /// Its id or name
        instance: String,
        /// The backup's id
        backup: String,
    },
    /// Find statements in the logs as they are and in restored backups
    Search(Search),
    /// Prove that no line is missing or changed; prints a signed report
    Verify {
        /// Its id or name; the id of one that is off the list
        instance: String,
        /// From then on, UTC; from the first backup if nothing is said
        #[arg(long, value_name = "TIME")]
        from: Option<IamTime>,
        /// Until then, UTC; to the last backup if nothing is said
        #[arg(long, value_name = "TIME")]
        to: Option<IamTime>,
        /// Write the signed report to this file
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Repeat what failed of a backup: making, restoring or deleting it
    Retry {
        /// Its id or name
        instance: String,
        /// The backup's id
        backup: String,
    },
    /// Delete a backup's lines; its place in the chain stays provable
    Delete {
        /// Its id or name
        instance: String,
        /// The backup's id
        backup: String,
    },
    /// Take an instance off the list after a last backup; its logs and backups stay
    Remove {
        /// Its id or name
        instance: String,
    },
}

/// What is changed of an instance.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// Its id or name
    instance: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// What is said of it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Days that its backups are kept
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// The zone of local times in the logs, such as +02:00
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    timezone: Option<String>,
    /// From how full its disk is on it is backed up at once; 100 for never
    #[arg(long, value_name = "PERCENT")]
    hurry_percent: Option<u32>,
}

/// What is looked for.
#[derive(clap::Args)]
pub(crate) struct Search {
    /// Its id or name
    instance: String,
    /// A part of the statement
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// From then on, UTC
    #[arg(long, value_name = "TIME")]
    from: Option<DbssTime>,
    /// Until then, UTC
    #[arg(long, value_name = "TIME")]
    to: Option<DbssTime>,
    /// By this database account
    #[arg(long)]
    user: Option<String>,
    /// From this host
    #[arg(long)]
    client: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// What a directory of audit logs holds.
#[derive(clap::Args, Default)]
pub(crate) struct Directory {
    #[arg(
        long,
        value_name = "FORMAT",
        help = "audit: what wrote the logs: server_audit (MariaDB), postgres_csv (csvlog, pgaudit) \
                or json_lines; found out if nothing is said"
    )]
    format: Option<String>,
    /// audit: the zone of local times in the logs, such as +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    timezone: Option<String>,
    /// audit: from how full its disk is on it is backed up at once; 100 for never [default: 80]
    #[arg(long, value_name = "PERCENT")]
    hurry_percent: Option<u32>,
}

/// Registers a directory of audit logs.
pub(crate) fn add(
    connection: &Connection,
    options: resource::Add,
) -> Result<RegisteredAuditInstance> {
    let registration = AuditInstanceRegistration {
        project_id: options.project,
        name: options.name,
        path: resource::absolute(options.path)?,
        format: options.logs.format,
        keep_days: options.layer.keep_days,
        timezone: options.logs.timezone,
        hurry_percent: options.logs.hurry_percent,
    };
    let what = format!("cannot register the audit logs {}", registration.name);
    connection
        .call::<RegisterAuditInstance>(NoPath, NoQuery, registration)
        .context(what)
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let output = context.output;
        match self {
            Self::List => {
                let instances = instances(&connection)?;
                output.show(&instances, |instances| rows_of(instances))
            }
            Self::Backup { instance, detach } => back_up(&connection, output, &instance, detach),
            Self::Schedule {
                instance,
                cycle,
                from,
            } => schedule(&connection, output, &instance, &cycle, from),
            Self::Backups { instance } => {
                let reply = backups(&connection, &id_of(&connection, &instance)?)?;
                output.show(&reply, |reply| rows_of_backups(&reply.data_list))
            }
            Self::Set(settings) => settings.run(&connection, output),
            Self::Search(search) => search.run(&connection, output),
            Self::Verify {
                instance,
                from,
                to,
                report,
            } => verify(
                &connection,
                output,
                &instance,
                (from, to),
                report.as_deref(),
            ),
            Self::Remove { instance } => remove(&connection, output, &instance),
            Self::Restore { instance, backup } => {
                let path = backup_path(&connection, &instance, &backup)?;
                connection
                    .call::<RestoreAuditBackup>(path.clone(), NoQuery, Empty)
                    .with_context(|| format!("cannot restore {backup}"))?;
                done(&connection, output, "restoring the backup", &path)
            }
            Self::Retry { instance, backup } => {
                let path = backup_path(&connection, &instance, &backup)?;
                connection
                    .call::<RetryAuditBackupTask>(path.clone(), NoQuery, Empty)
                    .with_context(|| format!("cannot repeat anything of {backup}"))?;
                done(&connection, output, "repeating what failed", &path)
            }
            Self::Delete { instance, backup } => {
                let path = backup_path(&connection, &instance, &backup)?;
                connection
                    .call::<DeleteAuditBackupTask>(path.clone(), NoQuery, Empty)
                    .with_context(|| format!("cannot delete {backup}"))?;
                done(&connection, output, "deleting the backup", &path)
            }
        }
    }
}

impl Settings {
    fn run(self, connection: &Connection, output: Output) -> Result<()> {
        let path = AuditInstancePath {
            instance_id: find(connection, &self.instance)?.id,
        };
        let change = AuditInstanceChange {
            name: self.name,
            comment: self.comment,
            keep_days: self.keep_days,
            timezone: self.timezone,
            hurry_percent: self.hurry_percent,
        };
        let now = connection
            .call::<ChangeAuditInstance>(path, NoQuery, change)
            .with_context(|| format!("cannot change {}", self.instance))?;
        output.show(&now, rows_of_settings)
    }
}

impl Search {
    fn run(self, connection: &Connection, output: Output) -> Result<()> {
        let path = path_of(connection, id_of(connection, &self.instance)?);
        let request = ListSqlsRequest {
            time: TimeRange {
                start_time: self.from,
                end_time: self.to,
                time_range: None,
            },
            risk_levels: None,
            client_ip: self.client,
            client_name: None,
            db_ip: None,
            db_user: self.user,
            query_type: None,
            rule_name: None,
            sql_statement: self.text,
            sql_response: None,
            page: Number(1),
            size: Number(self.limit),
            time_order: Order::Descending,
        };
        let found = connection
            .call::<ListAuditSqlsNew>(path, NoQuery, request)
            .with_context(|| format!("cannot search {}", self.instance))?;
        output.show(&found, rows_of_statements)
    }
}

fn back_up(connection: &Connection, output: Output, word: &str, detach: bool) -> Result<()> {
    let path = AuditInstancePath {
        instance_id: find(connection, word)?.id,
    };
    let begun = connection
        .call::<BackUpAuditInstance>(path, NoQuery, Empty)
        .with_context(|| format!("cannot back up {word}"))?;
    if !detach {
        wait(
            connection,
            output,
            &format!("backing up {word}"),
            &begun.job_id,
        )?;
    }
    output.show(&begun, |begun| {
        if detach {
            format!("{}\n{}", begun.backup_id, begun.job_id)
        } else {
            begun.backup_id.clone()
        }
    })
}

fn schedule(
    connection: &Connection,
    output: Output,
    word: &str,
    cycle: &str,
    from: Option<DbssTime>,
) -> Result<()> {
    let off = cycle == "off";
    let instance = find(connection, word)?;
    let buckets = connection
        .call::<ListAuditObsBuckets>(project_path(connection), NoQuery, Empty)?
        .obs_list;
    let bucket = buckets
        .into_iter()
        .next()
        .context("the project has no bucket")?;
    let request = SwitchRequest {
        bucket_name: bucket.bucket_name,
        bucket_root_path: None,
        cycle: if off { Cycle::Day } else { cycle.parse()? },
        mode: SwitchMode::Automatic,
        status: Number(u32::from(!off)),
        // An instant that has passed is the first of those to come.
        trigger_time: from.unwrap_or_default(),
    };
    let path = DomainInstancePath {
        domain_id: connection.domain()?,
        instance_id: instance.id.clone(),
    };
    connection
        .call::<SetAuditBackupSwitch>(path, NoQuery, request)
        .with_context(|| format!("cannot schedule backups of {word}"))?;
    output.show(&instance.id, Clone::clone)
}

fn verify(
    connection: &Connection,
    output: Output,
    word: &str,
    (from, to): (Option<IamTime>, Option<IamTime>),
    file: Option<&Path>,
) -> Result<()> {
    let path = AuditInstancePath {
        instance_id: id_of(connection, word)?,
    };
    let begun = connection
        .call::<VerifyAuditInstance>(path, NoQuery, VerifyAuditRequest { from, to })
        .with_context(|| format!("cannot verify {word}"))?;
    let what = format!("verifying {word}");
    let job = wait(connection, output, &what, &begun.job_id)?;
    let report = job.report.context("the service told no report")?;
    let text = serde_json::to_string_pretty(&report)?;
    if let Some(file) = file {
        fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let found = &report["report"];
    output.show(&report, |_| match file {
        Some(_) => summary(found),
        None => text.clone(),
    })?;
    if found["proven"] != true {
        let why = found["unproven"].as_array().into_iter().flatten();
        let why: Vec<_> = why.filter_map(Value::as_str).collect();
        bail!("{word} is not proven: {}", why.join("; "));
    }
    Ok(())
}

/// What a report says, in a line; all of it is in the file.
fn summary(report: &Value) -> String {
    let text = |field: &str| report[field].as_str().unwrap_or("never").to_owned();
    format!(
        "{} lines in {} segments read; the chain covers {} to {}; {} gaps, {} problems",
        report["lines"],
        report["segments"],
        text("covered_from"),
        text("covered_until"),
        report["gap_count"],
        report["problem_count"]
    )
}

fn remove(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let found = find(connection, word)?;
    let request = DeleteInstanceRequest {
        id: found.id.clone(),
        delete_publicip: None,
        delete_volume: None,
    };
    connection
        .call::<DeleteInstancesNew>(project_path(connection), NoQuery, request)
        .with_context(|| format!("cannot remove {word}"))?;
    output.show(&found.id, Clone::clone)
}

/// Waits until nothing is being done with a backup any more; an error if that failed.
fn done(connection: &Connection, output: Output, what: &str, path: &BackupPath) -> Result<()> {
    let row = follow(output, what, || {
        let row = backup(connection, path)?;
        let percent = u64::from(row.percentage);
        Ok((percent, is_settled(row.progress).then_some(row)))
    })?;
    let failed = matches!(
        row.progress,
        How::AutoFailed | How::ManualFailed | How::RestoreFailed | How::DeleteFailed
    );
    if failed {
        let why = row.restore_task_fail_reason.or(row.backup_task_fail_reason);
        bail!("{what}: {} failed: {}", path.id, why.unwrap_or_default());
    }
    output.show(&row, |row| row.id.clone())
}

const fn is_settled(progress: How) -> bool {
    !matches!(
        progress,
        How::Waiting
            | How::AutoRunning
            | How::ManualRunning
            | How::RestoreWaiting
            | How::Restoring
            | How::Deleting
    )
}

fn backup(connection: &Connection, path: &BackupPath) -> Result<BackupInfo> {
    let all = backups(connection, &path.instance_id)?.data_list;
    let found = all.into_iter().find(|row| row.id == path.id);
    found.with_context(|| format!("there is no backup {}", path.id))
}

/// Waits for the end of a job; an error if it failed.
fn wait(connection: &Connection, output: Output, what: &str, id: &str) -> Result<AuditJobReply> {
    let job = follow(output, what, || {
        let path = AuditJobPath {
            job_id: id.to_owned(),
        };
        let job = connection.call::<ShowAuditJob>(path, NoQuery, Empty)?;
        let percent = u64::from(job.progress);
        Ok((percent, (job.status != JobStatus::Running).then_some(job)))
    })?;
    if job.status == JobStatus::Failed {
        let why = job.fail_reason.unwrap_or_default();
        bail!("{what}: job {id} failed: {why}");
    }
    Ok(job)
}
