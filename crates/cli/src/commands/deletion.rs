//! `strongroom delete`, and what every command that deletes shares: the plan first.
//!
//! `--plan` shows what would go and changes nothing; `--token` consents to exactly that plan.
//! Without either, the plan that holds now is carried out, except in a guarded vault, where
//! somebody must have looked at it.

use anyhow::{Context as _, Result, bail};
use strongroom_model::Bytes;
use strongroom_wire::{
    native::{
        CarryOutPlan, PlanDeletion, PlanPath,
        safety::{Deed, Plan},
    },
    path::NoPath,
    query::NoQuery,
};

use crate::{arguments::Context, commands::backups, connection::Connection, output::table};

/// Deletes a backup.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The backup, by id, the beginning of it, or name
    backup: String,
    #[command(flatten)]
    consent: Consent,
}

/// Whether to look or to delete.
#[derive(clap::Args)]
pub(crate) struct Consent {
    /// Only show what would be lost, and the token that consents to it
    #[arg(long)]
    plan: bool,
    /// The token of the plan that was looked at; needed in a guarded vault
    #[arg(long, conflicts_with = "plan")]
    token: Option<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let deed = Deed::DeleteBackup {
            backup_id: backups::find(&connection, &self.backup)?,
        };
        self.consent.apply(context, &connection, &deed).map(drop)
    }
}

impl Consent {
    /// Shows the plan, or carries it out; whether it was carried out.
    pub(crate) fn apply(
        &self,
        context: &Context,
        connection: &Connection,
        deed: &Deed,
    ) -> Result<bool> {
        let plan = connection
            .call::<PlanDeletion>(NoPath, NoQuery, deed.clone())
            .context("cannot plan the deletion")?;
        if self.plan {
            context.output.show(&plan, text)?;
            return Ok(false);
        }
        if let (Some(why), None) = (&plan.refused, &self.token) {
            bail!("nothing was deleted: {why}");
        }
        if plan.guarded && self.token.is_none() {
            bail!(
                "vault {} is guarded, so nothing was deleted; look at it with --plan and give \
                 its --token",
                plan.vault_name
            );
        }
        let token = self.token.clone().unwrap_or_else(|| plan.token.clone());
        connection
            .call::<CarryOutPlan>(PlanPath { token }, NoQuery, deed.clone())
            .context("nothing was deleted")?;
        context.output.show(&plan, done)?;
        Ok(true)
    }
}

fn text(plan: &Plan) -> String {
    let rows = plan.goes.iter().map(|going| {
        [
            going.backup_id.clone(),
            going.name.clone(),
            going.resource_name.clone(),
            going
                .protected_at
                .map(|at| at.to_string())
                .unwrap_or_default(),
            Bytes(going.logical_bytes).to_string(),
            if going.restorable { "yes" } else { "no" }.to_owned(),
            going.shared_with.to_string(),
        ]
    });
    let heads = [
        "WOULD GO",
        "NAME",
        "RESOURCE",
        "SHOWS",
        "RESTORES",
        "RESTORABLE",
        "SHARED",
    ];
    let count = plan.goes.len();
    let mut lines = vec![table(heads, rows), format!("{count} backups would go")];
    for last in &plan.last_copies {
        lines.push(format!(
            "the last restorable copy of {} ({}) is among them",
            last.resource_name, last.resource_id
        ));
    }
    if plan.key_goes {
        lines.push("the key of the vault's data would go too".to_owned());
    }
    lines.push(match &plan.recoverable_until {
        Some(until) => format!("it could be brought back until {until}"),
        None => "nothing could be brought back".to_owned(),
    });
    if let Some(why) = &plan.refused {
        lines.push(format!("it would be refused: {why}"));
    }
    lines.push(format!("token: {}", plan.token));
    lines.join("\n")
}

fn done(plan: &Plan) -> String {
    let count = plan.goes.len();
    match &plan.recoverable_until {
        Some(until) => format!(
            "{count} backups deleted; `strongroom trash undelete` brings them back until {until}"
        ),
        None => format!("{count} backups are being deleted for good"),
    }
}
