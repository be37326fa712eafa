//! `strongroom policy preview`: which backups exist on a day to come, and why the others go.

use anyhow::{Context as _, Result};
use strongroom_wire::{
    Empty,
    native::{
        PreviewRetention, PreviewRetentionQuery, VaultPath,
        retention::{Because, ForeseenBackup, Ground, RetentionPreview},
    },
};

use crate::{
    arguments::Context,
    commands::{resource, vault},
    connection::Connection,
    output::table,
};

/// What to look ahead at.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The vault's id or name
    vault: String,
    /// Look to the end of that day in UTC, such as 2027-01-31; 30 days ahead if not given
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// As though the vault followed this policy, its id or name
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Only of this resource, its id or name
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Leave out what exists at the end
    #[arg(long)]
    gone: bool,
}

impl Options {
    pub(super) fn run(self, context: &Context, connection: &Connection) -> Result<()> {
        let path = VaultPath {
            vault_id: vault::find(connection, &self.vault)?.vault.id,
        };
        let policy = self.policy.map(|word| super::find(connection, &word));
        let resource = self.resource.map(|word| resource::find(connection, &word));
        let query = PreviewRetentionQuery {
            day: self.day,
            policy_id: policy.transpose()?.map(|policy| policy.id),
            resource_id: resource.transpose()?.map(|resource| resource.id),
        };
        let mut preview = connection
            .call::<PreviewRetention>(path, query, Empty)
            .with_context(|| format!("cannot look ahead at vault {}", self.vault))?;
        if self.gone {
            preview.backups.retain(|backup| backup.goes_at.is_some());
        }
        context.output.show(&preview, text)
    }
}

fn text(preview: &RetentionPreview) -> String {
    let rows = preview.backups.iter().map(|backup| {
        [
            backup.resource_name.clone(),
            backup.at.to_string(),
            name(backup),
            match &backup.goes_at {
                Some(at) => format!("goes {at}"),
                None => "exists".to_owned(),
            },
            backup
                .because
                .iter()
                .map(|because| said(because, backup.goes_at.is_some()))
                .collect::<Vec<_>>()
                .join("; "),
        ]
    });
    let heads = ["RESOURCE", "OF (UTC)", "BACKUP", "THEN", "BECAUSE"];
    format!(
        "{}\nuntil {}: {} exist at the end, {} go",
        table(heads, rows),
        preview.until,
        preview.exist,
        preview.go
    )
}

fn name(backup: &ForeseenBackup) -> String {
    match (&backup.name, &backup.made_at) {
        (Some(name), _) => name.clone(),
        (None, Some(at)) => format!("(made {at})"),
        (None, None) => String::new(),
    }
}

/// A ground in words.
fn said(because: &Because, goes: bool) -> String {
    let number = because.number.unwrap_or(0);
    let until = because
        .until
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    match because.ground {
        Ground::Newest => "it is the newest good one".to_owned(),
        Ground::Count if goes => format!("{number} are newer"),
        Ground::FormerCount if goes => format!("{number} of its time are newer"),
        Ground::Count => format!("among the {number} newest"),
        Ground::FormerCount => format!("among the {number} newest of its time"),
        Ground::Until => format!("its day is {until}"),
        Ground::Forever => "nothing limits it".to_owned(),
        Ground::NewestOfDay => "newest of its day".to_owned(),
        Ground::NewestOfWeek => "newest of its week".to_owned(),
        Ground::NewestOfMonth => "newest of its month".to_owned(),
        Ground::NewestOfYear => "newest of its year".to_owned(),
        Ground::LongTerm => format!("a long-term rule until {until}"),
        Ground::Promised => "the vault keeps the rule that it was made under".to_owned(),
        Ground::Failed => "it failed, and is kept for a look at it".to_owned(),
        Ground::ClockNotBelieved => "the service's clock jumped".to_owned(),
        Ground::Expired => "its day has come".to_owned(),
        Ground::FailedLongAgo => "it failed long ago".to_owned(),
        Ground::FailedTooOften => "many newer ones failed, too".to_owned(),
    }
}
