//! `strongroom admin notify`: where people are told of alarms.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use strongroom_control::notify::{Channel, Channels, Courier as _, Settings};
use strongroom_model::Clock as _;

use super::Desk;
use crate::{
    commands::serve::courier::Post,
    output::table,
    system::{SystemClock, SystemEntropy},
};

/// What is done with channels.
#[derive(Subcommand)]
pub(crate) enum NotifyVerb {
    /// Add a channel
    #[command(subcommand)]
    Add(Kind),
    /// List channels, without what is secret of them
    List,
    /// Remove a channel and what was still to be told there
    Remove {
        /// Its name
        name: String,
    },
    /// Tell a channel something now
    Test {
        /// Its name
        name: String,
    },
}

/// How a channel tells.
#[derive(Subcommand)]
pub(crate) enum Kind {
    /// Alarms are posted as JSON
    Webhook {
        /// Its name
        name: String,
        /// Where
        #[arg(long)]
        url: String,
        /// Only for this project, by name or id
        #[arg(long)]
        project: Option<String>,
    },
    /// Alarms are mailed
    Mail {
        /// Its name
        name: String,
        /// The server: `smtp://HOST:25` or `smtps://USER:PASSWORD@HOST:465`
        #[arg(long)]
        server: String,
        /// The sender
        #[arg(long)]
        from: String,
        /// A receiver; may be said several times
        #[arg(long, required = true)]
        to: Vec<String>,
        /// Only for this project, by name or id
        #[arg(long)]
        project: Option<String>,
    },
    /// An address that is asked for every few minutes while all is well
    Heartbeat {
        /// Its name
        name: String,
        /// Where
        #[arg(long)]
        url: String,
        /// Only for this project, by name or id
        #[arg(long)]
        project: Option<String>,
    },
}

#[derive(Serialize)]
struct Shown {
    name: String,
    kind: &'static str,
    project_id: Option<String>,
}

impl Kind {
    fn parts(self) -> (String, Option<String>, Settings) {
        match self {
            Self::Webhook { name, url, project } => (name, project, Settings::Webhook { url }),
            Self::Heartbeat { name, url, project } => (name, project, Settings::Heartbeat { url }),
            Self::Mail {
                name,
                server,
                from,
                to,
                project,
            } => (name, project, Settings::Mail { server, from, to }),
        }
    }
}

impl NotifyVerb {
    pub(super) fn run(self, desk: &Desk<'_>) -> Result<()> {
        let channels = channels(desk);
        match self {
            Self::Add(kind) => {
                let (name, project, settings) = kind.parts();
                if let Settings::Mail { .. } = &settings {
                    Post::check_mail(&settings)?;
                }
                let project = project.map(|word| desk.project(Some(&word))).transpose()?;
                let channel = Channel {
                    name: name.clone(),
                    project_id: project.map(|project| project.id),
                    settings,
                };
                channels.add(&channel, SystemClock.now())?;
                desk.record("native:channels:create", &name)?;
                desk.said(&format!("channel {name} is told"))
            }
            Self::List => {
                let shown = |channel: Channel| Shown {
                    kind: channel.settings.kind(),
                    project_id: channel.project_id.map(|id| id.to_string()),
                    name: channel.name,
                };
                let all: Vec<_> = channels.list()?.into_iter().map(shown).collect();
                desk.context.output.show(&all, |all| {
                    let rows = all.iter().map(|channel| {
                        let project = channel.project_id.clone();
                        let project = project.unwrap_or_else(|| "all".to_owned());
                        [channel.name.clone(), channel.kind.to_owned(), project]
                    });
                    table(["NAME", "KIND", "PROJECT"], rows)
                })
            }
            Self::Remove { name } => {
                if !channels.remove(&name)? {
                    bail!("there is no channel {name}");
                }
                desk.record("native:channels:delete", &name)?;
                desk.said(&format!("channel {name} is gone"))
            }
            Self::Test { name } => test(desk, &name),
        }
    }
}

fn channels<'a>(desk: &'a Desk<'_>) -> Channels<'a> {
    Channels {
        catalog: &desk.installation.catalog,
        master_key: &desk.installation.master,
        entropy: &SystemEntropy,
    }
}

fn test(desk: &Desk<'_>, name: &str) -> Result<()> {
    let channels = channels(desk).list()?;
    let channel = channels.iter().find(|channel| channel.name == name);
    let channel = channel.with_context(|| format!("there is no channel {name}"))?;
    let post = Post::new()?;
    let told = match &channel.settings {
        Settings::Heartbeat { url } => post.beat(url),
        settings => post.deliver(
            settings,
            &serde_json::json!({ "event": "test", "kind": "test", "message": "this is a test" }),
        ),
    };
    if let Err(problem) = told {
        bail!("channel {name} could not be told: {problem}");
    }
    desk.said(&format!("channel {name} was told"))
}
