//! `strongroom admin`: projects, users and access keys, on the catalog itself.
//!
//! Who may write the data directory is the operator; no token is asked for. Works while `serve`
//! runs: the catalog knows several writers (all but rebuilding it). With `--json`, everything that
//! was made is printed under the names of `admin.json`; secrets are shown this once and cannot be
//! asked for again.

mod account;
mod audit;
mod notify;
mod permissions;
mod rebuild;
mod store;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use strongroom_catalog::Error as CatalogError;
use strongroom_control::{
    audit::Deed,
    identity::{Domain, NewUser, Project, Role, User},
};
use strongroom_model::ProjectId;

use crate::{arguments::Context, installation::Installation, output::table, system::SystemEntropy};

pub(crate) use account::Account;

/// What is managed.
#[derive(Subcommand)]
pub(crate) enum Noun {
    /// Projects: each sees only its own
    #[command(subcommand)]
    Project(ProjectVerb),
    /// Users
    #[command(subcommand)]
    User(UserVerb),
    /// Access keys, which sign requests
    #[command(subcommand)]
    Key(KeyVerb),
    /// Roles: who may do what in which project
    #[command(subcommand)]
    Role(permissions::RoleVerb),
    /// Custom policies in the vendors' JSON
    #[command(subcommand)]
    Policy(permissions::PolicyVerb),
    /// Where people are told of alarms
    #[command(subcommand)]
    Notify(notify::NotifyVerb),
    /// Stores that this service keeps for others
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// The audit trail: who did what
    #[command(subcommand)]
    Audit(audit::AuditVerb),
    /// Write the catalog anew from the data, after it was lost
    RebuildCatalog(rebuild::Options),
}

/// What is done with projects.
#[derive(Subcommand)]
pub(crate) enum ProjectVerb {
    /// Make a project; prints its id
    Add {
        /// Its name
        name: String,
    },
    /// List projects
    List,
}

/// What is done with users.
#[derive(Subcommand)]
pub(crate) enum UserVerb {
    /// Make a user with a random password and an access key, and show both
    Add {
        /// Its name
        name: String,
        /// The project it works in, by name or id; the region's if nothing is said
        #[arg(long)]
        project: Option<String>,
        /// Let it only look
        #[arg(long)]
        reader: bool,
        /// Let it operate the service
        #[arg(long, conflicts_with = "reader")]
        admin: bool,
    },
    /// List users
    List,
}

/// What is done with access keys.
#[derive(Subcommand)]
pub(crate) enum KeyVerb {
    /// Make an access key and show it
    Add {
        /// Whose it is, by name; the first user's if nothing is said
        #[arg(long, default_value = "admin")]
        user: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List access keys, without their secrets
    List {
        /// Only this user's, by name
        #[arg(long)]
        user: Option<String>,
    },
}

impl Noun {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        if let Self::RebuildCatalog(options) = &self {
            return options.run(context);
        }
        let desk = Desk::open(context)?;
        match self {
            Self::RebuildCatalog(_) => Ok(()),
            Self::Project(ProjectVerb::Add { name }) => desk.add_project(&name),
            Self::Project(ProjectVerb::List) => desk.list_projects(),
            Self::User(UserVerb::Add {
                name,
                project,
                reader,
                admin,
            }) => {
                let role = if reader { Role::Reader } else { Role::Member };
                desk.add_user(&name, project.as_deref(), role, admin)
            }
            Self::User(UserVerb::List) => desk.list_users(),
            Self::Key(KeyVerb::Add { user, description }) => desk.add_key(&user, &description),
            Self::Key(KeyVerb::List { user }) => desk.list_keys(user.as_deref()),
            Self::Role(verb) => verb.run(&desk),
            Self::Policy(verb) => verb.run(&desk),
            Self::Notify(verb) => verb.run(&desk),
            Self::Store(verb) => verb.run(&desk),
            Self::Audit(verb) => verb.run(&desk),
        }
    }
}

/// An opened installation with its one domain.
struct Desk<'a> {
    context: &'a Context,
    installation: Installation,
    domain: Domain,
}

impl<'a> Desk<'a> {
    fn open(context: &'a Context) -> Result<Self> {
        let installation = Installation::open(&context.data_dir())?;
        let domain = installation.identity.first_domain()?;
        Ok(Self {
            context,
            installation,
            domain,
        })
    }

    /// Puts into the audit trail what was done here.
    fn record(&self, operation: &str, target: &str) -> Result<()> {
        let deed = Deed {
            who: format!("operator, uid {}", rustix::process::getuid().as_raw()),
            project_id: None,
            source: "command line".to_owned(),
            request_id: String::new(),
            operation: operation.to_owned(),
            target: target.to_owned(),
            outcome: "done".to_owned(),
        };
        let recorded = self.installation.identity.record(deed);
        recorded.context("it is done, but could not be put into the audit trail")
    }

    fn said(&self, text: &str) -> Result<()> {
        let done = serde_json::json!({ "done": text });
        self.context.output.show(&done, |_| text.to_owned())
    }

    fn account(&self) -> Account {
        Account {
            ca_file: account::authority(&self.installation.folder),
            ..Account::of(&self.domain)
        }
    }

    fn add_project(&self, name: &str) -> Result<()> {
        let identity = &self.installation.identity;
        let project = identity
            .create_project(self.domain.id, name)
            .with_context(|| format!("cannot make project {name}"))?;
        self.record("native:projects:create", name)?;
        let account = self.account().in_project(&project);
        self.context
            .output
            .show(&account, |_| project.id.to_string())
    }

    fn list_projects(&self) -> Result<()> {
        let domain = self.domain.id;
        let rows = self
            .installation
            .catalog
            .read::<_, CatalogError>(|tx| tx.projects().list(&domain))?;
        let accounts: Vec<Account> = rows
            .iter()
            .map(|row| Account {
                project: Some(row.name.clone()),
                project_id: Some(row.id.to_string()),
                ..self.account()
            })
            .collect();
        self.context.output.show(&accounts, |_| {
            let rows = rows
                .iter()
                .map(|row| [row.id.to_string(), row.name.clone()]);
            table(["ID", "NAME"], rows)
        })
    }

    fn add_user(&self, name: &str, project: Option<&str>, role: Role, admin: bool) -> Result<()> {
        let identity = &self.installation.identity;
        let project = self.project(project)?;
        let password = account::password(&SystemEntropy);
        let new = NewUser {
            name: name.to_owned(),
            password: Some(password.clone()),
            is_admin: admin,
        };
        let user = identity
            .create_user(self.domain.id, &new)
            .with_context(|| format!("cannot make user {name}"))?;
        identity.grant(user.id, project.id, role)?;
        let key = identity.create_key(user.id, "made with the user")?;
        self.record("native:users:create", name)?;
        let account = self.account().in_project(&project).with_key(&key);
        let account = Account {
            user: Some(user.name),
            password: Some(password.to_string()),
            ..account
        };
        self.context.output.show(&account, Account::text)
    }

    fn list_users(&self) -> Result<()> {
        let users = self.installation.identity.users(self.domain.id)?;
        let accounts: Vec<Account> = users
            .iter()
            .map(|user| self.account().of_user(user))
            .collect();
        self.context.output.show(&accounts, |_| {
            let rows = users.iter().map(|user| {
                let may = if user.is_admin { "operate" } else { "use" };
                let enabled = if user.enabled { "" } else { "shut out" };
                [
                    user.id.to_string(),
                    user.name.clone(),
                    may.into(),
                    enabled.into(),
                ]
            });
            table(["ID", "NAME", "MAY", ""], rows)
        })
    }

    fn add_key(&self, user: &str, description: &str) -> Result<()> {
        let user = self.user(user)?;
        let key = self
            .installation
            .identity
            .create_key(user.id, description)
            .with_context(|| format!("cannot make an access key for {}", user.name))?;
        self.record("native:keys:create", &user.name)?;
        let account = self.account().of_user(&user).with_key(&key);
        self.context.output.show(&account, Account::text)
    }

    fn list_keys(&self, user: Option<&str>) -> Result<()> {
        let users = match user {
            Some(name) => vec![self.user(name)?],
            None => self.installation.identity.users(self.domain.id)?,
        };
        let mut accounts = Vec::new();
        for user in &users {
            let rows = self
                .installation
                .catalog
                .read::<_, CatalogError>(|tx| tx.access_keys().of_user(&user.id))?;
            accounts.extend(rows.into_iter().map(|row| Account {
                access_key: Some(row.access.to_string()),
                ..self.account().of_user(user)
            }));
        }
        self.context.output.show(&accounts, |accounts| {
            let rows = accounts.iter().map(|account| {
                let text = |field: &Option<String>| field.clone().unwrap_or_default();
                [text(&account.access_key), text(&account.user)]
            });
            table(["ACCESS KEY", "USER"], rows)
        })
    }

    fn user(&self, name: &str) -> Result<User> {
        let found = self
            .installation
            .identity
            .user_by_name(self.domain.id, name);
        found.with_context(|| format!("cannot find user {name}"))
    }

    /// The project of that name or id; the region's if nothing is said.
    fn project(&self, word: Option<&str>) -> Result<Project> {
        let identity = &self.installation.identity;
        let name = match word {
            Some(word) => match word.parse::<ProjectId>() {
                Ok(id) => self.project_name(id)?,
                Err(_) => word.to_owned(),
            },
            None => identity
                .region()?
                .context("this service has never been started")?,
        };
        let found = identity.project_by_name(self.domain.id, &name);
        found.with_context(|| format!("cannot find project {name}"))
    }

    fn project_name(&self, id: ProjectId) -> Result<String> {
        let row = self
            .installation
            .catalog
            .read::<_, CatalogError>(|tx| tx.projects().get(&id))?;
        Ok(row
            .with_context(|| format!("there is no project {id}"))?
            .name)
    }
}
