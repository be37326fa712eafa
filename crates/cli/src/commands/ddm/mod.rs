//! `strongroom ddm`: what sharding layers know, backed up and restored (DDM's operations).
//!
//! Instances are named by id or name, backups by id. Registering is `strongroom resource add ddm`,
//! because addresses and passwords are an operator's word.

mod recovery;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_wire::{
    Empty,
    ddm::{
        self as wire, BackupPath, DeleteBackup, DeleteDdmInstance, InstancePath, JobPath,
        ListAvailableRds, ListBackups, ListDdms, LongLimit, LongPageQuery, ProjectPath,
        RestoreMetadata, ShowDdmJobResult,
        backup::{BackupInfo, ListBackupsQuery, ListBackupsReply},
        instance::{DeleteDdmInstanceQuery, InstanceRow},
        job::{JobDetail, JobStatus},
        node::AvailableDataNode,
        restore::{MetadataSource, MetadataTarget, RestoreMetadataRequest},
    },
    native::{
        BackUpInstance, RegisterInstance,
        database::{DataNodeRegistration, InstanceRegistration, RegisteredInstance},
    },
    path::NoPath,
    query::{NoQuery, Offset},
    text::Secret,
};

use super::resource;
use crate::{
    arguments::Context,
    connection::{Connection, follow},
    output::{Output, table},
};

/// What is done with sharding layers.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// List the instances
    List,
    /// Back up what an instance knows now; prints the backup's id
    Backup {
        /// Its id or name
        instance: String,
        /// Do not wait; print the ids of backup and job
        #[arg(long)]
        detach: bool,
    },
    /// List backups, the newest first, of instances that are gone too
    Backups {
        /// Only of this instance, by id or name
        #[arg(long, value_name = "INSTANCE")]
        instance: Option<String>,
    },
    /// Copy the files of an instance's data nodes now; prints the copies' ids
    Copy {
        /// Its id or name
        instance: String,
    },
    /// List the copies of data nodes' files
    Copies {
        /// The instance, by id or name
        instance: String,
    },
    /// Archive the logs of an instance and its data nodes now; shows how far they are archived
    Logs {
        /// Its id or name
        instance: String,
    },
    /// List the times to which an instance can be brought back
    Times {
        /// Its id or name; an id if it is gone
        instance: String,
    },
    /// Print the topology file of an instance, as it was registered or restored
    Topology {
        /// Its id or name
        instance: String,
    },
    /// Bring data nodes and metadata back to a point in time, on empty servers
    Recover {
        /// The instance that it was, by id or name; an id if it is gone
        instance: String,
        /// The time, as `times` shows it: 2026-01-31T23:59:59Z
        #[arg(long, value_name = "TIME")]
        at: String,
        /// The empty instance that it is brought to, by id or name
        #[arg(long, value_name = "INSTANCE")]
        to: String,
        /// Which data node takes whose place, by name; the nth that of the nth if nothing is said
        #[arg(long = "data-node", value_name = "WAS=IS")]
        nodes: Vec<String>,
    },
    /// Write a backup to an empty instance
    Restore {
        /// The backup's id
        backup: String,
        /// The instance, by id or name
        #[arg(long, value_name = "INSTANCE")]
        to: String,
        /// A data node of that instance, by id or name; all of them if none is named
        #[arg(long = "data-node", value_name = "NODE")]
        nodes: Vec<String>,
    },
    /// Delete a backup
    Delete {
        /// The backup's id
        backup: String,
    },
    /// Take an instance off the list, after a backup; its backups stay, and its servers as they are
    Remove {
        /// Its id or name
        instance: String,
    },
}

/// How a sharding layer is reached.
#[derive(clap::Args, Default)]
pub(crate) struct Layer {
    /// ddm: the layer's address, mysql://USER:PASSWORD@HOST:PORT; @FILE reads it from a file, so
    /// that the password is not among the processes
    #[arg(long, value_name = "URL", conflicts_with = "path")]
    url: Option<String>,
    /// ddm: a database server behind it; may be repeated
    #[arg(long = "data-node", value_name = "NAME=URL", requires = "url")]
    data_nodes: Vec<String>,
    /// ddm: the data directory of a database server on the service's machine, so that its files are
    /// copied and every point in time can be restored; may be repeated
    #[arg(long = "node-dir", value_name = "NAME=PATH", requires = "url")]
    node_dirs: Vec<String>,
    /// ddm: for a database server elsewhere, a command that writes such a copy to its standard
    /// output: ssh db1 mariadb-backup --backup --stream=mbstream; may be repeated
    #[arg(long = "backup-command", value_name = "NAME=COMMAND", requires = "url")]
    backup_commands: Vec<String>,
    /// ddm: what kind of layer it is: spider, topology [default: spider, with --topology topology]
    #[arg(long, requires = "url")]
    provider: Option<String>,
    /// ddm: the topology file of a layer that does not say itself what is where
    #[arg(long, value_name = "FILE", requires = "url")]
    topology: Option<PathBuf>,
    /// ddm, audit: days that backups are kept [default: 30, of audit logs 180]
    #[arg(long, value_name = "DAYS")]
    pub(crate) keep_days: Option<u32>,
    /// ddm: when it is backed up every day, UTC [default: 02:00]
    #[arg(long, value_name = "HH:MM", requires = "url")]
    backup_at: Option<String>,
}

/// Registers a sharding layer.
pub(crate) fn add(connection: &Connection, options: resource::Add) -> Result<RegisteredInstance> {
    let layer = options.layer;
    let url = layer.url.context("say with --url where the layer is")?;
    let nodes: Result<Vec<_>> = layer
        .data_nodes
        .iter()
        .map(|word| {
            let (name, url) = word
                .split_once('=')
                .context("a data node is named as NAME=URL")?;
            Ok(DataNodeRegistration {
                name: name.to_owned(),
                url: address(url)?,
                data_dir: of_node(&layer.node_dirs, name),
                backup_command: of_node(&layer.backup_commands, name)
                    .map(|command| command.split_whitespace().map(str::to_owned).collect()),
            })
        })
        .collect();
    let nodes = nodes?;
    for word in layer.node_dirs.iter().chain(&layer.backup_commands) {
        let name = word.split_once('=').map(|(name, _)| name);
        if !nodes.iter().any(|node| Some(node.name.as_str()) == name) {
            bail!("{word} names no --data-node");
        }
    }
    let topology = layer.topology.as_ref().map(|path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    });
    let kind = if topology.is_some() {
        "topology"
    } else {
        "spider"
    };
    let registration = InstanceRegistration {
        project_id: options.project,
        name: options.name,
        provider: layer.provider.unwrap_or_else(|| kind.to_owned()),
        topology: topology.transpose()?,
        url: address(&url)?,
        data_nodes: nodes,
        keep_days: layer.keep_days,
        backup_at: layer.backup_at,
    };
    let what = format!("cannot register the sharding layer {}", registration.name);
    connection
        .call::<RegisterInstance>(NoPath, NoQuery, registration)
        .context(what)
}

/// What is said of a data node in words such as NAME=VALUE.
fn of_node(words: &[String], node: &str) -> Option<String> {
    let mut pairs = words.iter().filter_map(|word| word.split_once('='));
    let found = pairs.find(|(name, _)| *name == node);
    found.map(|(_, value)| value.to_owned())
}

/// An address, or what stands in the file that is named.
fn address(word: &str) -> Result<Secret> {
    let Some(path) = word.strip_prefix('@') else {
        return Ok(Secret(word.to_owned()));
    };
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(Secret(text.trim().to_owned()))
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
            Self::Backups { instance } => {
                let id = match instance {
                    Some(word) => Some(find(&connection, &word)?.id),
                    None => None,
                };
                let reply = backups(&connection, id.as_ref())?;
                output.show(&reply, |reply| rows_of_backups(&reply.backups))
            }
            Self::Copy { instance } => recovery::copy(&connection, output, &instance),
            Self::Copies { instance } => recovery::copies(&connection, output, &instance),
            Self::Logs { instance } => recovery::logs(&connection, output, &instance),
            Self::Times { instance } => recovery::times(&connection, output, &instance),
            Self::Topology { instance } => recovery::topology(&connection, output, &instance),
            Self::Recover {
                instance,
                at,
                to,
                nodes,
            } => {
                let job = recovery::recover(&connection, &instance, (&at, &to), &nodes)?;
                done(&connection, output, "recovering", &job)
            }
            Self::Restore { backup, to, nodes } => {
                let job = restore(&connection, backup, &to, &nodes)?;
                done(&connection, output, "restoring metadata", &job)
            }
            Self::Delete { backup } => {
                let path = BackupPath {
                    project_id: connection.project().to_owned(),
                    backup_id: backup.clone(),
                };
                let reply = connection
                    .call::<DeleteBackup>(path, NoQuery, Empty)
                    .with_context(|| format!("cannot delete backup {backup}"))?;
                done(&connection, output, "deleting the backup", &reply.job_id)
            }
            Self::Remove { instance } => {
                let found = find(&connection, &instance)?;
                let path = InstancePath {
                    project_id: connection.project().to_owned(),
                    instance_id: found.id,
                };
                let query = DeleteDdmInstanceQuery::default();
                let reply = connection
                    .call::<DeleteDdmInstance>(path, query, Empty)
                    .with_context(|| format!("cannot remove {instance}"))?;
                done(&connection, output, "removing the instance", &reply.job_id)
            }
        }
    }
}

fn back_up(connection: &Connection, output: Output, word: &str, detach: bool) -> Result<()> {
    let instance = find(connection, word)?;
    let path = strongroom_wire::native::database::InstancePath {
        instance_id: instance.id,
    };
    let begun = connection
        .call::<BackUpInstance>(path, NoQuery, Empty)
        .with_context(|| format!("cannot back up {word}"))?;
    if !detach {
        let what = format!("backing up {word}");
        wait(connection, output, &what, &begun.job_id)?;
    }
    output.show(&begun, |begun| {
        if detach {
            format!("{}\n{}", begun.backup_id, begun.job_id)
        } else {
            begun.backup_id.clone()
        }
    })
}

fn restore(connection: &Connection, backup: String, to: &str, words: &[String]) -> Result<String> {
    let all = backups(connection, None)?.backups;
    let Some(known) = all.iter().find(|known| known.id == backup) else {
        bail!("there is no backup {backup}; `strongroom ddm backups` lists them");
    };
    let target = find(connection, to)?;
    let path = InstancePath {
        project_id: connection.project().to_owned(),
        instance_id: target.id.clone(),
    };
    let query = LongPageQuery {
        limit: LongLimit::new(1024),
        offset: None,
    };
    let there = connection
        .call::<ListAvailableRds>(path, query, Empty)?
        .data_nodes;
    let named = |word: &String| {
        let found = there
            .iter()
            .find(|node: &&AvailableDataNode| node.id == *word || node.name == *word);
        found
            .map(|node| node.id.clone())
            .with_context(|| format!("{to} has no data node {word}"))
    };
    let nodes: Result<Vec<_>> = if words.is_empty() {
        Ok(there.iter().map(|node| node.id.clone()).collect())
    } else {
        words.iter().map(named).collect()
    };
    let request = RestoreMetadataRequest {
        source: MetadataSource {
            restore_time: None,
            backup_id: Some(backup),
        },
        target: MetadataTarget {
            instance_id: target.id,
            data_nodes: nodes?,
        },
    };
    let path = InstancePath {
        project_id: connection.project().to_owned(),
        instance_id: known.instance_id.clone(),
    };
    let reply = connection
        .call::<RestoreMetadata>(path, NoQuery, request)
        .with_context(|| format!("cannot restore to {to}"))?;
    Ok(reply.job_id)
}

/// Waits for a job and prints its id.
fn done(connection: &Connection, output: Output, what: &str, job: &str) -> Result<()> {
    let job = wait(connection, output, what, job)?;
    output.show(&job, |job| job.id.clone())
}

/// Waits for the end of a job; an error if it failed.
fn wait(connection: &Connection, output: Output, what: &str, id: &str) -> Result<JobDetail> {
    let job = follow(output, what, || {
        let path = JobPath {
            project_id: connection.project().to_owned(),
            job_id: id.to_owned(),
        };
        let job = connection
            .call::<ShowDdmJobResult>(path, NoQuery, Empty)?
            .job;
        let percent = job.process.trim_end_matches('%').parse().unwrap_or(0);
        Ok((percent, (job.status != JobStatus::Running).then_some(job)))
    })?;
    if job.status == JobStatus::Failed {
        bail!("{what}: job {id} failed: {}", job.fail_reason);
    }
    Ok(job)
}

fn project_path(connection: &Connection) -> ProjectPath {
    ProjectPath {
        project_id: connection.project().to_owned(),
    }
}

/// Every instance, page after page.
fn instances(connection: &Connection) -> Result<Vec<InstanceRow>> {
    let mut all: Vec<InstanceRow> = Vec::new();
    loop {
        let query = LongPageQuery {
            limit: LongLimit::new(1000),
            offset: Some(Offset(u32::try_from(all.len())?)),
        };
        let page = connection
            .call::<ListDdms>(project_path(connection), query, Empty)
            .context("cannot list instances")?;
        if page.instances.is_empty() {
            return Ok(all);
        }
        all.extend(page.instances);
    }
}

/// Every backup, page after page.
fn backups(connection: &Connection, instance: Option<&String>) -> Result<ListBackupsReply> {
    let mut all: Vec<BackupInfo> = Vec::new();
    loop {
        let query = ListBackupsQuery {
            instance_id: instance.cloned(),
            limit: wire::Limit::new(128),
            offset: Some(Offset(u32::try_from(all.len())?)),
            ..ListBackupsQuery::default()
        };
        let mut page = connection
            .call::<ListBackups>(project_path(connection), query, Empty)
            .context("cannot list backups")?;
        if page.backups.is_empty() {
            page.backups = all;
            page.offset = 0;
            return Ok(page);
        }
        all.extend(page.backups);
    }
}

/// The instance of that id or name.
fn find(connection: &Connection, word: &str) -> Result<InstanceRow> {
    let mut found = instances(connection)?;
    found.retain(|instance| instance.id == word || instance.name == word);
    found
        .pop()
        .with_context(|| format!("there is no instance {word}; `strongroom ddm list` shows them"))
}

fn rows_of(instances: &[InstanceRow]) -> String {
    let rows = instances.iter().map(|instance| {
        [
            instance.id.clone(),
            instance.name.clone(),
            instance.status.clone(),
            instance.engine_version.clone(),
            format!("{}:{}", instance.access_ip, instance.access_port),
        ]
    });
    table(["ID", "NAME", "STATUS", "VERSION", "ADDRESS"], rows)
}

fn rows_of_backups(backups: &[BackupInfo]) -> String {
    let rows = backups.iter().map(|backup| {
        [
            backup.id.clone(),
            backup.instance_name.clone(),
            backup.status.to_string(),
            backup.backup_type.to_string(),
            format!("{:.1} KB", backup.file_size),
            backup.created.to_string(),
        ]
    });
    let heads = ["ID", "INSTANCE", "STATUS", "TYPE", "SIZE", "CREATED"];
    table(heads, rows)
}
