//! Who may do what: roles, and custom policies in the vendors' JSON.
//!
//! Every declared operation has an action (`cbr:vaults:create`); a session permits it if a role or
//! a policy allows it and no policy denies it. Policies hold in one project or everywhere in the
//! account, and work at once: nothing is remembered of them once one has changed
//! (docs/adr/0018-access.md, docs/adr/0027-sessions.md).
//!
//! Actions of `iam` are about the caller's own account and need no role; the use cases behind them
//! ask for an operator where one is needed. A policy can deny them.
//!
//! Invariant: deny wins; an operator is no exception, and helps itself by `strongroom admin`.

mod document;
mod pattern;
mod roles;

use strongroom_catalog::{Error as CatalogError, PermissionGrantRow, PermissionPolicyRow, Tx};
use strongroom_model::{DomainId, ProjectId, UserId};

pub use document::{Ask, Policy};
pub use roles::Role;

use self::document::Verdict;
use crate::{Error, Reason, Result, identity::Identity};

/// Policies in a domain at most.
const POLICIES_MAX: usize = 200;

/// A custom policy and whom it concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantedPolicy {
    /// Its name.
    pub name: String,
    /// The vendors' JSON.
    pub document: String,
    /// The users, each with the project in which it holds; none is everywhere.
    pub holders: Vec<(UserId, Option<ProjectId>)>,
}

/// Whether roles and policies permit it.
pub(crate) fn permit(roles: &[Role], policies: &[Policy], ask: &Ask<'_>) -> bool {
    let verdicts = || policies.iter().map(|policy| policy.verdict(ask));
    if verdicts().any(|verdict| verdict == Verdict::Denied) {
        return false;
    }
    ask.action.starts_with("iam:")
        || roles.iter().any(|role| role.allows(ask.action))
        || verdicts().any(|verdict| verdict == Verdict::Allowed)
}

/// The policies that concern a user in a project, or everywhere.
///
/// One that cannot be read any more (by a release before the one that took it) is an error, so
/// nobody gets in with a Deny left out.
pub(crate) fn policies_of(
    tx: &Tx<'_>,
    user: &UserId,
    project: Option<&ProjectId>,
) -> Result<Vec<Policy>> {
    let rows = tx.permissions().of_user(user, project)?;
    let read = |row: &PermissionPolicyRow| Policy::parse(&row.name, &row.document);
    rows.iter().map(read).collect()
}

impl Identity {
    /// Makes a custom policy, or gives the one of that name another document; works at once.
    pub fn put_policy(&self, domain: DomainId, name: &str, document: &str) -> Result<Policy> {
        crate::identity::accounts::check_name("name", name)?;
        if Role::parse(name).is_some() {
            return Err(Error::invalid("name", "is the name of a role"));
        }
        let policy = Policy::parse(name, document)?;
        let now = self.now();
        self.write(|tx| {
            let known = tx.permissions().list(&domain)?;
            let old = known.iter().find(|row| row.name == name);
            if old.is_none() && known.len() >= POLICIES_MAX {
                let message = format!("an account has {POLICIES_MAX} policies at most");
                return Err(Error::quota(Reason::InvalidParameter, message));
            }
            tx.permissions().put(&PermissionPolicyRow {
                domain_id: domain,
                name: name.to_owned(),
                document: document.to_owned(),
                created_at: old.map_or(now, |row| row.created_at),
                updated_at: now,
            })?;
            Ok(policy)
        })
    }

    /// Removes a custom policy that concerns nobody.
    pub fn remove_policy(&self, domain: DomainId, name: &str) -> Result<()> {
        self.write(|tx| match tx.permissions().remove(&domain, name) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::not_found(Reason::NoSuchPolicy, name)),
            Err(CatalogError::Reference) => Err(Error::conflict(
                Reason::StillInUse,
                format!("policy {name} concerns users; revoke it from them first"),
            )),
            Err(other) => Err(other.into()),
        })
    }

    /// The custom policies of a domain by name, and whom they concern.
    pub fn policies(&self, domain: DomainId) -> Result<Vec<GrantedPolicy>> {
        self.read(|tx| {
            let grants = tx.permissions().grants(&domain)?;
            let rows = tx.permissions().list(&domain)?.into_iter();
            let holders = |name: &str| {
                let of = grants.iter().filter(|grant| grant.policy == name);
                of.map(|grant| (grant.user_id, grant.project_id)).collect()
            };
            Ok(rows
                .map(|row| GrantedPolicy {
                    holders: holders(&row.name),
                    name: row.name,
                    document: row.document,
                })
                .collect())
        })
    }

    /// Has a policy concern a user, in a project or everywhere in its account.
    pub fn grant_policy(
        &self,
        user: UserId,
        project: Option<ProjectId>,
        policy: &str,
    ) -> Result<()> {
        self.write(|tx| {
            let row = grant_row(tx, user, project, policy)?;
            if tx.permissions().get(&row.domain_id, policy)?.is_none() {
                return Err(Error::not_found(Reason::NoSuchPolicy, policy));
            }
            Ok(tx.permissions().give(&row)?)
        })
    }

    /// Ends that; works at once, for tokens handed out before too.
    pub fn revoke_policy(
        &self,
        user: UserId,
        project: Option<ProjectId>,
        policy: &str,
    ) -> Result<()> {
        self.write(|tx| {
            let row = grant_row(tx, user, project, policy)?;
            if tx.permissions().take(&row)? {
                return Ok(());
            }
            Err(Error::not_found(Reason::NoSuchPolicy, policy))
        })
    }

    /// Makes a user an operator of the service, or an ordinary user again. The last one stays.
    pub fn make_operator(&self, user: UserId, operator: bool) -> Result<()> {
        self.write(|tx| {
            let row = crate::identity::accounts::user_row(tx, &user)?;
            let others = tx.users().list(&row.domain_id)?;
            let mut others = others.iter().filter(|other| other.id != user);
            if row.is_admin && !operator && !others.any(|other| other.is_admin && other.enabled) {
                return Err(Error::conflict(
                    Reason::StillInUse,
                    format!("{} is the last administrator; name another first", row.name),
                ));
            }
            tx.users().change(&user, |row| row.is_admin = operator)?;
            Ok(())
        })
    }

    /// The roles that a user was given, by project.
    pub fn roles_of(&self, user: UserId) -> Result<Vec<(ProjectId, Role)>> {
        self.read(|tx| {
            let mut roles = Vec::new();
            for project in tx.projects().of_user(&user)? {
                let words = tx.grants().roles(&user, &project.id)?;
                let known = words.iter().filter_map(|word| Role::parse(word));
                roles.extend(known.map(|role| (project.id, role)));
            }
            Ok(roles)
        })
    }
}

fn grant_row(
    tx: &Tx<'_>,
    user: UserId,
    project: Option<ProjectId>,
    policy: &str,
) -> Result<PermissionGrantRow> {
    let domain_id = crate::identity::accounts::user_row(tx, &user)?.domain_id;
    if let Some(project) = project {
        let row = crate::identity::accounts::project_row(tx, &project)?;
        if row.domain_id != domain_id {
            return Err(Error::not_found(Reason::NoSuchProject, project));
        }
    }
    Ok(PermissionGrantRow {
        user_id: user,
        domain_id,
        policy: policy.to_owned(),
        project_id: project,
    })
}

#[cfg(test)]
mod tests;
