//! `strongroom vault`: a vault is a quota, a set of resources and one repository.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use strongroom_model::Bytes;
use strongroom_wire::{
    Empty,
    cbr::{
        CreateVault, ListVault, ProjectPath, ShowVault, VaultPath,
        resource::ObjectType,
        vault::{
            BillingCreate, ConsistentLevel, CreateVaultRequest, ListVaultQuery, ListVaultReply,
            ProtectType, Vault, VaultCreate, VaultReply, VaultStatus,
        },
    },
    native::{
        self, ChangeVaultSafety, ResourceKind, ShowVaultSafety,
        safety::{Deed, VaultSafety, VaultSafetyChange},
    },
    query::NoQuery,
};

use crate::{
    arguments::Context,
    commands::{deletion::Consent, resource},
    connection::{Connection, is_id, is_not_found, until},
    output::table,
};

/// What is done with vaults.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a vault; prints its id
    Create(Create),
    /// List vaults
    List,
    /// Show one vault and what is in it
    Show {
        /// Its id or name
        vault: String,
    },
    /// Delete a vault, all its backups and the key of their data
    Delete {
        /// Its id or name
        vault: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Take a resource out of a vault, and delete its backups there
    Release {
        /// The vault's id or name
        vault: String,
        /// The resource's id or name
        resource: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Show or change how careful the service is with a vault
    Safety {
        /// Its id or name
        vault: String,
        #[command(flatten)]
        change: Change,
    },
}

/// What to change of a vault's safety.
#[derive(clap::Args)]
pub(crate) struct Change {
    /// Whether deletions need the token of their plan; less care is for operators
    #[arg(long, value_name = "true|false")]
    guarded: Option<bool>,
    /// Days that what was deleted can be brought back; fewer are for operators
    #[arg(long, value_name = "DAYS")]
    grace_days: Option<u32>,
    /// Keep automatic backups until they expire; for good
    #[arg(long)]
    lock: bool,
    /// Keep backups made by hand as well; for good
    #[arg(long, requires = "lock")]
    manual_too: bool,
}

/// A vault to be.
#[derive(clap::Args)]
pub(crate) struct Create {
    /// Its name
    name: String,
    /// What it takes: share or volume
    #[arg(long, default_value = "share")]
    kind: ResourceKind,
    /// How much its backups may take, in GiB
    #[arg(long, value_name = "GIB", default_value_t = SIZE_GIB)]
    size: u64,
    /// A line about it
    #[arg(long)]
    description: Option<String>,
}

/// The size of a vault if nothing is said: a limit, not an allocation.
pub(crate) const SIZE_GIB: u64 = 1024;

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        match self {
            Self::Create(options) => {
                let vault = create(&connection, options)?;
                context.output.show(&vault, |reply| reply.vault.id.clone())
            }
            Self::List => {
                let reply = list(&connection, ListVaultQuery::default())?;
                context.output.show(&reply, |reply| text(&reply.vaults))
            }
            Self::Show { vault } => {
                let reply = find(&connection, &vault)?;
                context.output.show(&reply, |reply| details(&reply.vault))
            }
            Self::Delete { vault, consent } => delete(context, &connection, &vault, &consent),
            Self::Release {
                vault,
                resource,
                consent,
            } => {
                let deed = Deed::RemoveResources {
                    vault_id: find(&connection, &vault)?.vault.id,
                    resource_ids: vec![resource::find(&connection, &resource)?.id],
                };
                consent.apply(context, &connection, &deed).map(drop)
            }
            Self::Safety { vault, change } => {
                let reply = safety(&connection, &vault, &change)?;
                context.output.show(&reply, |safety| {
                    format!(
                        "locked: {}, backups made by hand too: {}\nguarded: {}\n\
                         what is deleted can be brought back for {} days",
                        safety.locked, safety.locks_manual, safety.guarded, safety.grace_days
                    )
                })
            }
        }
    }
}

/// Makes a vault.
fn create(connection: &Connection, options: Create) -> Result<VaultReply> {
    let what = format!("cannot make vault {}", options.name);
    let description = options.description.map(|text| text.parse()).transpose()?;
    let vault = VaultCreate {
        backup_policy_id: None,
        billing: BillingCreate {
            cloud_type: None,
            consistent_level: ConsistentLevel::CrashConsistent,
            object_type: takes(options.kind),
            protect_type: ProtectType::Backup,
            size: options.size,
            charging_mode: None,
            is_multi_az: None,
        },
        description,
        name: options.name.parse().with_context(|| what.clone())?,
        resources: Vec::new(),
        tags: None,
        enterprise_project_id: None,
        auto_bind: None,
        bind_rules: None,
        auto_expand: None,
        threshold: None,
        smn_notify: None,
        backup_name_prefix: None,
        demand_billing: None,
        sys_lock_source_service: None,
        locked: None,
        availability_zone: None,
    };
    let path = connection.project_path();
    connection
        .call::<CreateVault>(path, NoQuery, CreateVaultRequest { vault })
        .context(what)
}

/// Makes a vault of that kind and name with the usual size.
pub(crate) fn create_default(
    connection: &Connection,
    kind: ResourceKind,
    name: &str,
) -> Result<Vault> {
    let options = Create {
        name: name.to_owned(),
        kind,
        size: SIZE_GIB,
        description: None,
    };
    Ok(create(connection, options)?.vault)
}

/// Which vaults take resources of that kind.
pub(crate) const fn takes(kind: ResourceKind) -> ObjectType {
    match kind {
        ResourceKind::Share => ObjectType::Turbo,
        ResourceKind::Volume => ObjectType::Disk,
    }
}

/// Every vault that the query finds.
pub(crate) fn list(connection: &Connection, query: ListVaultQuery) -> Result<ListVaultReply> {
    let path: ProjectPath = connection.project_path();
    connection
        .call::<ListVault>(path, query, Empty)
        .context("cannot list vaults")
}

/// The vault of that id or name.
pub(crate) fn find(connection: &Connection, word: &str) -> Result<VaultReply> {
    if is_id(word) {
        return connection
            .call::<ShowVault>(vault_path(connection, word), NoQuery, Empty)
            .with_context(|| format!("cannot find vault {word}"));
    }
    let query = ListVaultQuery {
        name: Some(word.to_owned()),
        ..ListVaultQuery::default()
    };
    // Whether the filter wants the whole name or a part of it is the server's affair.
    let mut found = list(connection, query)?.vaults;
    found.retain(|vault| vault.name == word);
    match (found.pop(), found.pop()) {
        (Some(vault), None) => Ok(VaultReply { vault }),
        (None, _) => bail!("there is no vault {word}; `strongroom vault list` shows what there is"),
        _ => bail!("several vaults are called {word}; name one by its id"),
    }
}

fn vault_path(connection: &Connection, vault: &str) -> VaultPath {
    VaultPath {
        project_id: connection.project().to_owned(),
        vault_id: vault.to_owned(),
    }
}

/// Shows a vault's safety, after the change if one was asked for.
fn safety(connection: &Connection, word: &str, change: &Change) -> Result<VaultSafety> {
    let path = native::VaultPath {
        vault_id: find(connection, word)?.vault.id,
    };
    let asked = VaultSafetyChange {
        locked: change.lock.then_some(true),
        locks_manual: change.manual_too.then_some(true),
        guarded: change.guarded,
        grace_days: change.grace_days,
    };
    if asked == VaultSafetyChange::default() {
        return connection
            .call::<ShowVaultSafety>(path, NoQuery, Empty)
            .with_context(|| format!("cannot show the safety of vault {word}"));
    }
    connection
        .call::<ChangeVaultSafety>(path, NoQuery, asked)
        .with_context(|| format!("cannot change the safety of vault {word}"))
}

fn delete(context: &Context, connection: &Connection, word: &str, consent: &Consent) -> Result<()> {
    let reply = find(connection, word)?;
    let vault = &reply.vault;
    let deed = Deed::DeleteVault {
        vault_id: vault.id.clone(),
    };
    if !consent.apply(context, connection, &deed)? {
        return Ok(());
    }
    let path = vault_path(connection, &vault.id);
    until(
        || match connection.call::<ShowVault>(path.clone(), NoQuery, Empty) {
            Err(error) if is_not_found(&error) => Ok(Some(())),
            Err(error) => Err(error),
            Ok(reply) if reply.vault.billing.status == VaultStatus::Error => bail!(
                "vault {} could not be deleted; `strongroom task list` says why",
                vault.name
            ),
            Ok(_) => Ok(None),
        },
    )
}

fn text(vaults: &[Vault]) -> String {
    let rows = vaults.iter().map(|vault| {
        [
            vault.id.clone(),
            vault.name.clone(),
            vault.billing.object_type.to_string(),
            vault.billing.status.to_string(),
            vault.resources.len().to_string(),
            Bytes(vault.billing.used << 20).to_string(),
            format!("{} GiB", vault.billing.size),
        ]
    });
    let heads = ["ID", "NAME", "TAKES", "STATUS", "RESOURCES", "USED", "SIZE"];
    table(heads, rows)
}

fn details(vault: &Vault) -> String {
    let rows = vault.resources.iter().map(|resource| {
        [
            resource.id.clone(),
            resource.name.clone(),
            resource.protect_status.to_string(),
            resource.backup_count.unwrap_or(0).to_string(),
            Bytes(resource.backup_size.unwrap_or(0) << 20).to_string(),
        ]
    });
    let heads = ["RESOURCE", "NAME", "STATUS", "BACKUPS", "USED"];
    format!(
        "{}\n{}",
        text(std::slice::from_ref(vault)),
        table(heads, rows)
    )
}
