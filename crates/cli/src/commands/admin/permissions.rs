//! `strongroom admin role|policy`: who may do what.
//!
//! A policy whose actions no operation has would be a mistake that nobody notices, worst in a
//! Deny; so it is compared with the tables of operations before it is taken.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use strongroom_control::permissions::{GrantedPolicy, Policy, Role};
use strongroom_wire::Service;

use super::Desk;
use crate::output::table;

/// What is done with roles.
#[derive(Subcommand)]
pub(crate) enum RoleVerb {
    /// Let a user act in a project
    Grant {
        /// Its name
        user: String,
        /// reader (read-only), auditor, backup-operator, member (user) or admin (administrator)
        role: String,
        /// The project, by name or id; the region's if nothing is said
        #[arg(long)]
        project: Option<String>,
    },
    /// Take a role away; works at once
    Revoke {
        /// Its name
        user: String,
        /// The role
        role: String,
        /// The project, by name or id; the region's if nothing is said
        #[arg(long)]
        project: Option<String>,
    },
    /// List the roles there are and who has them
    List,
}

/// What is done with custom policies.
#[derive(Subcommand)]
pub(crate) enum PolicyVerb {
    /// Make a policy of the vendors' JSON, or give one another text; works at once
    Put {
        /// Its name
        name: String,
        /// The file with the JSON
        file: PathBuf,
    },
    /// List policies and whom they concern
    List,
    /// Print a policy's JSON
    Show {
        /// Its name
        name: String,
    },
    /// Remove a policy that concerns nobody
    Remove {
        /// Its name
        name: String,
    },
    /// Have a policy concern a user
    Grant {
        /// Its name
        name: String,
        /// The user's name
        user: String,
        /// The project in which it holds, by name or id; everywhere if nothing is said
        #[arg(long)]
        project: Option<String>,
    },
    /// End that; works at once
    Revoke {
        /// Its name
        name: String,
        /// The user's name
        user: String,
        /// The project in which it held; everywhere if nothing is said
        #[arg(long)]
        project: Option<String>,
    },
}

/// A role that somebody has.
#[derive(Serialize)]
struct Held {
    user: String,
    role: &'static str,
    project_id: Option<String>,
}

/// A policy and whom it concerns.
#[derive(Serialize)]
struct Shown {
    name: String,
    policy: serde_json::Value,
    holders: Vec<Holder>,
}

#[derive(Serialize)]
struct Holder {
    user_id: String,
    project_id: Option<String>,
}

/// The roles by their own words and by the vendors'.
fn role(word: &str) -> Result<Role> {
    let own = match word {
        "read-only" | "readonly" => "reader",
        "backup-operator" | "operator" => "backup_operator",
        "user" => "member",
        "administrator" => "admin",
        other => other,
    };
    Role::parse(own).with_context(|| {
        let words: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!(
            "there is no role {word}; the roles are {}",
            words.join(", ")
        )
    })
}

impl RoleVerb {
    pub(super) fn run(self, desk: &Desk<'_>) -> Result<()> {
        match self {
            Self::Grant {
                user,
                role: word,
                project,
            } => grant_role(desk, &user, role(&word)?, project.as_deref()),
            Self::Revoke {
                user,
                role: word,
                project,
            } => revoke_role(desk, &user, role(&word)?, project.as_deref()),
            Self::List => list_roles(desk),
        }
    }
}

fn grant_role(desk: &Desk<'_>, user: &str, role: Role, project: Option<&str>) -> Result<()> {
    let (identity, user) = (&desk.installation.identity, desk.user(user)?);
    if role == Role::Admin {
        identity.make_operator(user.id, true)?;
    } else {
        identity.grant(user.id, desk.project(project)?.id, role)?;
    }
    desk.record("native:roles:grant", &format!("{role} to {}", user.name))?;
    desk.said(&format!("{} is {role}", user.name))
}

fn revoke_role(desk: &Desk<'_>, user: &str, role: Role, project: Option<&str>) -> Result<()> {
    let (identity, user) = (&desk.installation.identity, desk.user(user)?);
    if role == Role::Admin {
        identity.make_operator(user.id, false)?;
    } else {
        identity.revoke_grant(user.id, desk.project(project)?.id, role)?;
    }
    desk.record("native:roles:revoke", &format!("{role} from {}", user.name))?;
    desk.said(&format!("{} is not {role} any more", user.name))
}

fn list_roles(desk: &Desk<'_>) -> Result<()> {
    let identity = &desk.installation.identity;
    let mut held = Vec::new();
    for user in identity.users(desk.domain.id)? {
        if user.is_admin {
            held.push(Held {
                user: user.name.clone(),
                role: Role::Admin.as_str(),
                project_id: None,
            });
        }
        held.extend(
            identity
                .roles_of(user.id)?
                .iter()
                .map(|(project, role)| Held {
                    user: user.name.clone(),
                    role: role.as_str(),
                    project_id: Some(project.to_string()),
                }),
        );
    }
    desk.context.output.show(&held, |held| {
        let roles = Role::ALL.iter().map(|role| [role.as_str(), role.title()]);
        let roles = table(["ROLE", "MAY"], roles.map(|row| row.map(str::to_owned)));
        let everywhere = || "everywhere".to_owned();
        let rows = held.iter().map(|held| {
            let project = held.project_id.clone().unwrap_or_else(everywhere);
            [held.user.clone(), held.role.to_owned(), project]
        });
        format!("{roles}\n\n{}", table(["USER", "ROLE", "PROJECT"], rows))
    })
}

impl PolicyVerb {
    pub(super) fn run(self, desk: &Desk<'_>) -> Result<()> {
        let (identity, domain) = (&desk.installation.identity, desk.domain.id);
        match self {
            Self::Put { name, file } => {
                let document = fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                check_actions(&Policy::parse(&name, &document)?)?;
                identity.put_policy(domain, &name, &document)?;
                desk.record("native:policies:put", &name)?;
                desk.said(&format!("policy {name} holds"))
            }
            Self::List => list_policies(desk),
            Self::Show { name } => {
                let all = identity.policies(domain)?;
                let found = all.into_iter().find(|policy| policy.name == name);
                let found = found.with_context(|| format!("there is no policy {name}"))?;
                desk.context
                    .output
                    .show(&shown(&found)?, |_| found.document.clone())
            }
            Self::Remove { name } => {
                identity.remove_policy(domain, &name)?;
                desk.record("native:policies:remove", &name)?;
                desk.said(&format!("policy {name} is gone"))
            }
            Self::Grant {
                name,
                user,
                project,
            } => {
                let user = desk.user(&user)?;
                let project = project.map(|word| desk.project(Some(&word))).transpose()?;
                identity.grant_policy(user.id, project.map(|one| one.id), &name)?;
                desk.record("native:policies:grant", &format!("{name} to {}", user.name))?;
                desk.said(&format!("policy {name} concerns {}", user.name))
            }
            Self::Revoke {
                name,
                user,
                project,
            } => {
                let user = desk.user(&user)?;
                let project = project.map(|word| desk.project(Some(&word))).transpose()?;
                identity.revoke_policy(user.id, project.map(|one| one.id), &name)?;
                desk.record(
                    "native:policies:revoke",
                    &format!("{name} from {}", user.name),
                )?;
                desk.said(&format!(
                    "policy {name} does not concern {} any more",
                    user.name
                ))
            }
        }
    }
}

/// Refuses a pattern that is nobody's action.
fn check_actions(policy: &Policy) -> Result<()> {
    let declared = || Service::ALL.iter().flat_map(|service| service.operations());
    for pattern in policy.actions() {
        if !declared().any(|operation| policy.concerns(pattern, operation.action)) {
            let services: Vec<_> = Service::ALL
                .iter()
                .map(|service| service.as_str())
                .collect();
            bail!(
                "policy: no operation has an action like {pattern:?}; the services are {}, and \
                 docs/permissions.md says how actions are named",
                services.join(", ")
            );
        }
    }
    Ok(())
}

fn list_policies(desk: &Desk<'_>) -> Result<()> {
    let policies = desk.installation.identity.policies(desk.domain.id)?;
    let all = policies.iter().map(shown).collect::<Result<Vec<_>>>()?;
    desk.context.output.show(&all, |all| {
        let rows = all.iter().flat_map(|policy| {
            let nobody = policy.holders.is_empty();
            let none = nobody.then(|| [policy.name.clone(), String::new(), String::new()]);
            let held = policy.holders.iter().map(|holder| {
                let project = holder.project_id.clone();
                let project = project.unwrap_or_else(|| "everywhere".to_owned());
                [policy.name.clone(), holder.user_id.clone(), project]
            });
            none.into_iter().chain(held).collect::<Vec<_>>()
        });
        table(["POLICY", "USER", "PROJECT"], rows)
    })
}

fn shown(policy: &GrantedPolicy) -> Result<Shown> {
    let holders = policy.holders.iter().map(|(user, project)| Holder {
        user_id: user.to_string(),
        project_id: project.map(|id| id.to_string()),
    });
    Ok(Shown {
        name: policy.name.clone(),
        policy: serde_json::from_str(&policy.document)?,
        holders: holders.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_known_by_their_own_words_and_by_the_vendors() {
        for (word, known) in [
            ("read-only", Role::Reader),
            ("user", Role::Member),
            ("administrator", Role::Admin),
            ("backup-operator", Role::Operator),
        ] {
            assert_eq!(role(word).unwrap(), known);
            assert_eq!(role(known.as_str()).unwrap(), known);
        }
        let text = role("king").unwrap_err().to_string();
        assert!(
            text.contains("reader, auditor, backup_operator, member, admin"),
            "{text}"
        );
    }

    #[test]
    fn an_action_that_nothing_has_is_named() {
        let policy = |action: &str| {
            let text = format!(
                r#"{{"Version": "1.1", "Statement": [{{"Effect": "Deny", "Action": ["{action}"]}}]}}"#
            );
            check_actions(&Policy::parse("p", &text).unwrap())
        };
        for good in ["*", "cbr:*:delete", "cbr:vaults:create", "*:audit:*"] {
            policy(good).unwrap();
        }
        for typo in ["cbr:vault:create", "cbr:vaults:Create", "ecs:*:*"] {
            let text = policy(typo).unwrap_err().to_string();
            assert!(text.contains(typo), "{text}");
        }
    }
}
