//! `strongroom policy`: when the backups of a vault are made by themselves, and how long they stay.

mod preview;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_wire::{
    Empty,
    cbr::{
        AssociateVaultPolicy, CreatePolicy, DeletePolicy, DisassociateVaultPolicy, ListPolicies,
        PolicyPath, UpdatePolicy, VaultPath,
        policy::{
            AssociatePolicyRequest, CreatePolicyRequest, DissociatePolicyRequest,
            ListPoliciesQuery, OperationDefinition, Policy, PolicyCreate, PolicyOperation,
            PolicyReply, PolicyUpdate, StartWindow, TriggerPropertiesRequest, TriggerRequest,
            UpdatePolicyRequest,
        },
    },
    query::NoQuery,
};

use crate::{
    arguments::Context,
    commands::vault,
    connection::{Connection, is_id},
    output::table,
};

/// What is done with policies.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a policy; prints its id
    Create(Create),
    /// List policies
    List,
    /// Show one policy
    Show {
        /// Its id or name
        policy: String,
    },
    /// Switch a policy on
    Enable {
        /// Its id or name
        policy: String,
    },
    /// Switch a policy off; its backups stay as long as they would
    Disable {
        /// Its id or name
        policy: String,
    },
    /// Have a vault follow a policy, in the place of the one it has
    Bind {
        /// The policy's id or name
        policy: String,
        /// The vault's id or name
        vault: String,
    },
    /// Have a vault follow a policy no longer
    Unbind {
        /// The policy's id or name
        policy: String,
        /// The vault's id or name
        vault: String,
    },
    /// Show which of a vault's backups exist on a day to come, and why the others go
    Preview(preview::Options),
    /// Delete a policy; the backups it made stay
    Delete {
        /// Its id or name
        policy: String,
    },
}

/// A policy to be.
#[derive(clap::Args)]
pub(crate) struct Create {
    /// Its name
    name: String,
    /// When, in UTC, such as "FREQ=DAILY;BYHOUR=1;BYMINUTE=30" or
    /// "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=22;BYMINUTE=0"; may be repeated
    #[arg(long = "rule", value_name = "RULE", required = true)]
    rules: Vec<String>,
    /// Spread starts over so many minutes, 60 to 480
    #[arg(long, value_name = "MINUTES")]
    window: Option<i64>,
    /// Keep the newest so many backups of each resource
    #[arg(long, value_name = "NUMBER", conflicts_with = "keep_days")]
    keep: Option<i64>,
    /// Keep backups so many days
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<i64>,
    /// Beside, keep the newest of each of so many days
    #[arg(long, value_name = "NUMBER")]
    daily: Option<i64>,
    /// Beside, keep the newest of each of so many weeks
    #[arg(long, value_name = "NUMBER")]
    weekly: Option<i64>,
    /// Beside, keep the newest of each of so many months
    #[arg(long, value_name = "NUMBER")]
    monthly: Option<i64>,
    /// Beside, keep the newest of each of so many years
    #[arg(long, value_name = "NUMBER")]
    yearly: Option<i64>,
    /// Where those days begin: an offset or a place such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC+00:00")]
    timezone: String,
    /// Read everything anew every so many runs
    #[arg(long, value_name = "RUNS")]
    full_every: Option<i64>,
    /// Make it without switching it on
    #[arg(long)]
    disabled: bool,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let show = |policy: Policy| {
            let reply = PolicyReply { policy };
            context
                .output
                .show(&reply, |reply| text(std::slice::from_ref(&reply.policy)))
        };
        match self {
            Self::Create(options) => {
                let reply = create(&connection, options)?;
                context.output.show(&reply, |reply| reply.policy.id.clone())
            }
            Self::List => {
                let path = connection.project_path();
                let reply = connection
                    .call::<ListPolicies>(path, ListPoliciesQuery::default(), Empty)
                    .context("cannot list policies")?;
                context.output.show(&reply, |reply| text(&reply.policies))
            }
            Self::Show { policy } => show(find(&connection, &policy)?),
            Self::Enable { policy } => show(switch(&connection, &policy, true)?),
            Self::Disable { policy } => show(switch(&connection, &policy, false)?),
            Self::Bind { policy, vault } => {
                let (found, path) = both(&connection, &policy, &vault)?;
                let body = AssociatePolicyRequest {
                    policy_id: Some(found.id),
                    ..AssociatePolicyRequest::default()
                };
                let reply = connection
                    .call::<AssociateVaultPolicy>(path, NoQuery, body)
                    .with_context(|| format!("cannot bind {policy} to {vault}"))?;
                context
                    .output
                    .show(&reply, |reply| reply.associate_policy.vault_id.clone())
            }
            Self::Unbind { policy, vault } => {
                let (found, path) = both(&connection, &policy, &vault)?;
                let body = DissociatePolicyRequest {
                    policy_id: found.id,
                };
                let reply = connection
                    .call::<DisassociateVaultPolicy>(path, NoQuery, body)
                    .with_context(|| format!("cannot unbind {policy} from {vault}"))?;
                context
                    .output
                    .show(&reply, |reply| reply.dissociate_policy.vault_id.clone())
            }
            Self::Preview(options) => options.run(context, &connection),
            Self::Delete { policy } => {
                let policy = find(&connection, &policy)?;
                let path = policy_path(&connection, &policy.id);
                connection
                    .call::<DeletePolicy>(path, NoQuery, Empty)
                    .with_context(|| format!("cannot delete policy {}", policy.name))?;
                let reply = PolicyReply { policy };
                context.output.show(&reply, |reply| reply.policy.id.clone())
            }
        }
    }
}

fn create(connection: &Connection, options: Create) -> Result<PolicyReply> {
    let what = format!("cannot make policy {}", options.name);
    let of_days = [
        options.daily,
        options.weekly,
        options.monthly,
        options.yearly,
    ];
    let needs_zone = of_days.iter().any(Option::is_some);
    let policy = PolicyCreate {
        enabled: Some(!options.disabled),
        name: options.name.parse().with_context(|| what.clone())?,
        operation_definition: OperationDefinition {
            max_backups: options.keep,
            retention_duration_days: options.keep_days,
            day_backups: options.daily,
            week_backups: options.weekly,
            month_backups: options.monthly,
            year_backups: options.yearly,
            timezone: needs_zone.then_some(options.timezone),
            full_backup_interval: options.full_every,
            ..OperationDefinition::default()
        },
        operation_type: PolicyOperation::Backup,
        trigger: TriggerRequest {
            properties: TriggerPropertiesRequest {
                pattern: options.rules,
                start_window_minutes: options
                    .window
                    .map_or(StartWindow::Unsaid, StartWindow::Minutes),
            },
        },
    };
    let path = connection.project_path();
    connection
        .call::<CreatePolicy>(path, NoQuery, CreatePolicyRequest { policy })
        .context(what)
}

/// The policy of that id or name.
fn find(connection: &Connection, word: &str) -> Result<Policy> {
    let path = connection.project_path();
    let mut found = connection
        .call::<ListPolicies>(path, ListPoliciesQuery::default(), Empty)
        .context("cannot list policies")?
        .policies;
    found.retain(|policy| policy.id == word || (!is_id(word) && policy.name == word));
    match (found.pop(), found.pop()) {
        (Some(policy), None) => Ok(policy),
        (None, _) => {
            bail!("there is no policy {word}; `strongroom policy list` shows what there is")
        }
        _ => bail!("several policies are called {word}; name one by its id"),
    }
}

/// A policy and the path of a vault.
fn both(connection: &Connection, policy: &str, word: &str) -> Result<(Policy, VaultPath)> {
    let policy = find(connection, policy)?;
    let path = VaultPath {
        project_id: connection.project().to_owned(),
        vault_id: vault::find(connection, word)?.vault.id,
    };
    Ok((policy, path))
}

fn switch(connection: &Connection, word: &str, enabled: bool) -> Result<Policy> {
    let policy = find(connection, word)?;
    let change = PolicyUpdate {
        enabled: Some(enabled),
        ..PolicyUpdate::default()
    };
    let path = policy_path(connection, &policy.id);
    let reply = connection
        .call::<UpdatePolicy>(path, NoQuery, UpdatePolicyRequest { policy: change })
        .with_context(|| format!("cannot switch policy {word}"))?;
    Ok(reply.policy)
}

fn policy_path(connection: &Connection, policy: &str) -> PolicyPath {
    PolicyPath {
        project_id: connection.project().to_owned(),
        policy_id: policy.to_owned(),
    }
}

fn text(policies: &[Policy]) -> String {
    let rows = policies.iter().map(|policy| {
        [
            policy.id.clone(),
            policy.name.clone(),
            if policy.enabled { "on" } else { "off" }.to_owned(),
            policy.trigger.properties.pattern.join(" "),
            kept(&policy.operation_definition),
            policy
                .associated_vaults
                .as_ref()
                .map_or(0, Vec::len)
                .to_string(),
        ]
    });
    table(["ID", "NAME", "IS", "WHEN (UTC)", "KEEPS", "VAULTS"], rows)
}

/// How long backups stay, in a few words.
fn kept(definition: &OperationDefinition) -> String {
    let mut words = Vec::new();
    let mut say = |count: Option<i64>, what: &str| {
        if let Some(count) = count.filter(|count| *count > 0) {
            words.push(format!("{count} {what}"));
        }
    };
    say(definition.max_backups, "newest");
    say(definition.retention_duration_days, "days");
    let limited = !words.is_empty();
    let mut say = |count: Option<i64>, what: &str| {
        if let Some(count) = count.filter(|count| *count > 0) {
            words.push(format!("{count} {what}"));
        }
    };
    say(definition.day_backups, "daily");
    say(definition.week_backups, "weekly");
    say(definition.month_backups, "monthly");
    say(definition.year_backups, "yearly");
    if limited {
        words.join(", ")
    } else {
        "all".to_owned()
    }
}
