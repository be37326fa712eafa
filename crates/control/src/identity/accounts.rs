//! Domains, projects, users and roles; and what the first start makes of them.
//!
//! The functions without a session are the operator's, who owns the data directory; callers of
//! the API come with a [`Session`] and see their own domain only.

use strongroom_catalog::{DomainRow, GrantRow, ProjectRow, Sealed, Tx, UserRow};
use strongroom_model::{DomainId, ProjectId, UserId};
use zeroize::Zeroizing;

use super::{Domain, Identity, Project, Role, Session, User, access_keys::NewAccessKey, secret};
use crate::{
    Error, Reason, Result,
    permissions::{Policy, policies_of},
};

/// The name of the user that the first start makes.
const FIRST_USER: &str = "admin";
/// The name of the domain that the first start makes.
const FIRST_DOMAIN: &str = "strongroom";
/// The setting that holds the region's name.
pub(crate) const REGION: &str = "region";
const FIRST_KEY: &str = "made by the first start";

/// What the first start made, with its secrets, which cannot be asked for again.
#[derive(Debug)]
pub struct FirstStart {
    /// The account.
    pub domain: Domain,
    /// The project with the region's name.
    pub project: Project,
    /// The operator.
    pub user: User,
    /// The operator's password.
    pub password: Zeroizing<String>,
    /// The operator's access key.
    pub key: NewAccessKey,
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its name, 1 to 64 characters, unique in the domain.
    pub name: String,
    /// Its password; without one it can only sign requests.
    pub password: Option<Zeroizing<String>>,
    /// Whether it operates the service.
    pub is_admin: bool,
}

/// Which projects to list; `None` matches all, texts match exactly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFilter {
    /// The account.
    pub domain_id: Option<String>,
    /// The project's name.
    pub name: Option<String>,
    /// Whether it is in use.
    pub enabled: Option<bool>,
}

impl Identity {
    /// Makes the domain, the region's project, the operator and its access key, all or nothing.
    /// `None` if that has been done before; another region is then refused.
    pub fn first_start(&self, region: &str) -> Result<Option<FirstStart>> {
        check_name("region", region)?;
        let password = secret::password(self.0.entropy.as_ref());
        let hash = self.0.passwords.hash(&password, self.0.entropy.as_ref())?;
        let made = self.write(|tx| {
            if let Some(known) = tx.settings().get(REGION)? {
                if known != region {
                    let problem = format!("this data directory is for region {known:?}");
                    return Err(Error::invalid("region", problem));
                }
                return Ok(None);
            }
            tx.settings().set(REGION, region)?;
            let domain = self.first_domain_row(tx)?;
            // Both are there already in a catalog that was rebuilt.
            let project = match tx.projects().by_name(&domain.id, region)? {
                Some(project) => shown_project(project),
                None => self.insert_project(tx, domain.id, region)?,
            };
            let user = self.insert_user(tx, domain.id, FIRST_USER, Some(hash), true)?;
            grant(tx, &user.id, &project.id, Role::Member)?;
            let key = self.insert_key(tx, user.id, FIRST_KEY)?;
            Ok(Some((shown_domain(domain), project, user, key)))
        })?;
        Ok(made.map(|(domain, project, user, key)| FirstStart {
            domain,
            project,
            user,
            password,
            key,
        }))
    }

    fn first_domain_row(&self, tx: &Tx<'_>) -> Result<DomainRow> {
        if let Some(domain) = tx.domains().by_name(FIRST_DOMAIN)? {
            return Ok(domain);
        }
        let domain = DomainRow {
            id: DomainId::new(self.0.entropy.as_ref()),
            name: FIRST_DOMAIN.to_owned(),
            created_at: self.0.clock.now(),
        };
        tx.domains().insert(&domain)?;
        Ok(domain)
    }

    /// Gives the operator of the first start a new password and a new access key, for when what
    /// [`first_start`](Self::first_start) told was lost. The old ones and their tokens end.
    pub fn renew_first_user(&self) -> Result<FirstStart> {
        let password = secret::password(self.0.entropy.as_ref());
        let hash = self.0.passwords.hash(&password, self.0.entropy.as_ref())?;
        self.write(|tx| {
            let gone = || Error::not_found(Reason::NoSuchUser, FIRST_USER);
            let domain = tx.domains().by_name(FIRST_DOMAIN)?.ok_or_else(gone)?;
            let user = tx
                .users()
                .by_name(&domain.id, FIRST_USER)?
                .ok_or_else(gone)?;
            let region = tx.settings().get(REGION)?.ok_or_else(gone)?;
            let project = tx
                .projects()
                .by_name(&domain.id, &region)?
                .ok_or_else(gone)?;
            self.change_password(tx, &user.id, Some(hash))?;
            for key in tx.access_keys().of_user(&user.id)? {
                if key.description == FIRST_KEY {
                    tx.access_keys().remove(&key.access)?;
                }
            }
            let key = self.insert_key(tx, user.id, FIRST_KEY)?;
            Ok(FirstStart {
                domain: shown_domain(domain),
                project: shown_project(project),
                user: shown_user(user),
                password: password.clone(),
                key,
            })
        })
    }

    /// The region of this installation; `None` before the first start.
    pub fn region(&self) -> Result<Option<String>> {
        self.read(|tx| Ok(tx.settings().get(REGION)?))
    }

    /// The domain that the first start made.
    pub fn first_domain(&self) -> Result<Domain> {
        self.read(|tx| {
            let none = || Error::not_found(Reason::NoSuchDomain, FIRST_DOMAIN);
            Ok(shown_domain(
                tx.domains().by_name(FIRST_DOMAIN)?.ok_or_else(none)?,
            ))
        })
    }

    /// Makes a project; conflicts if the domain has one of that name.
    pub fn create_project(&self, domain: DomainId, name: &str) -> Result<Project> {
        check_name("name", name)?;
        self.write(|tx| self.insert_project(tx, domain, name))
    }

    /// Makes a user; conflicts if the domain has one of that name.
    pub fn create_user(&self, domain: DomainId, new: &NewUser) -> Result<User> {
        check_name("name", &new.name)?;
        let hash = self.hash_maybe(new.password.as_ref())?;
        self.write(|tx| self.insert_user(tx, domain, &new.name, hash, new.is_admin))
    }

    /// Lets a user act in a project. `Admin` is no role that can be given: it is the user's own.
    pub fn grant(&self, user: UserId, project: ProjectId, role: Role) -> Result<()> {
        if role == Role::Admin {
            let problem = "admin is no role in a project: make the user an operator";
            return Err(Error::invalid("role", problem));
        }
        self.write(|tx| {
            let user_row = user_row(tx, &user)?;
            let project_row = project_row(tx, &project)?;
            if user_row.domain_id != project_row.domain_id {
                return Err(Error::not_found(Reason::NoSuchProject, project));
            }
            grant(tx, &user, &project, role)
        })
    }

    /// Takes a role away; works at once, for tokens handed out before too.
    pub fn revoke_grant(&self, user: UserId, project: ProjectId, role: Role) -> Result<()> {
        let row = GrantRow {
            user_id: user,
            project_id: project,
            role: role.as_str().to_owned(),
        };
        self.write(|tx| Ok(tx.grants().take(&row).map(drop)?))
    }

    /// Sets a user's password, or takes it away; ends all its tokens.
    pub fn set_password(&self, user: UserId, password: Option<&Zeroizing<String>>) -> Result<()> {
        let hash = self.hash_maybe(password)?;
        self.write(|tx| self.change_password(tx, &user, hash))
    }

    /// Lets a user in or keeps it out; keeping it out ends all its tokens for good.
    pub fn enable_user(&self, user: UserId, enabled: bool) -> Result<User> {
        let now = self.0.clock.now();
        self.write(|tx| {
            user_row(tx, &user)?;
            if !enabled {
                tx.tokens().revoke_of_user(&user, now)?;
            }
            Ok(shown_user(
                tx.users().change(&user, |row| row.enabled = enabled)?,
            ))
        })
    }

    /// Opens a project or closes it for everybody.
    pub fn enable_project(&self, project: ProjectId, enabled: bool) -> Result<Project> {
        self.write(|tx| {
            project_row(tx, &project)?;
            Ok(shown_project(
                tx.projects()
                    .change(&project, |row| row.enabled = enabled)?,
            ))
        })
    }

    /// The user of that name; for the operator.
    pub fn user_by_name(&self, domain: DomainId, name: &str) -> Result<User> {
        self.read(|tx| {
            let none = || Error::not_found(Reason::NoSuchUser, name);
            Ok(shown_user(
                tx.users().by_name(&domain, name)?.ok_or_else(none)?,
            ))
        })
    }

    /// The project of that name; for the operator.
    pub fn project_by_name(&self, domain: DomainId, name: &str) -> Result<Project> {
        self.read(|tx| {
            let none = || Error::not_found(Reason::NoSuchProject, name);
            Ok(shown_project(
                tx.projects().by_name(&domain, name)?.ok_or_else(none)?,
            ))
        })
    }

    /// Every user of a domain, the oldest first; for the operator.
    pub fn users(&self, domain: DomainId) -> Result<Vec<User>> {
        self.read(|tx| {
            Ok(tx
                .users()
                .list(&domain)?
                .into_iter()
                .map(shown_user)
                .collect())
        })
    }

    /// The projects that the caller may enter: open ones in which it has a role.
    pub fn enterable_projects(&self, session: &Session) -> Result<Vec<Project>> {
        self.read(|tx| {
            Ok(projects_of(tx, &session.user)?
                .filter(|of| of.enabled)
                .collect())
        })
    }

    /// The projects of a user; of another one than the caller's for operators only.
    pub fn projects_of_user(&self, session: &Session, user: UserId) -> Result<Vec<Project>> {
        if user != session.user.id {
            session.require_admin()?;
        }
        self.read(|tx| {
            let user = shown_user(user_row(tx, &user)?);
            if user.domain_id != session.domain.id {
                return Err(Error::not_found(Reason::NoSuchUser, user.id));
            }
            Ok(projects_of(tx, &user)?.collect())
        })
    }

    /// The caller's projects (all of the domain for an operator) that match, the oldest first.
    pub fn list_projects(&self, session: &Session, filter: &ProjectFilter) -> Result<Vec<Project>> {
        let same = |asked: &Option<String>, of: &str| asked.as_deref().is_none_or(|one| one == of);
        self.read(|tx| {
            let matching = projects_of(tx, &session.user)?.filter(|project| {
                same(&filter.domain_id, &project.domain_id.to_string())
                    && same(&filter.name, &project.name)
                    && filter
                        .enabled
                        .is_none_or(|enabled| enabled == project.enabled)
            });
            Ok(matching.collect())
        })
    }

    /// One of the caller's projects.
    pub fn show_project(&self, session: &Session, id: ProjectId) -> Result<Project> {
        self.read(|tx| {
            let none = || Error::not_found(Reason::NoSuchProject, id);
            projects_of(tx, &session.user)?
                .find(|project| project.id == id)
                .ok_or_else(none)
        })
    }

    fn hash_maybe(&self, password: Option<&Zeroizing<String>>) -> Result<Option<String>> {
        password
            .map(|text| self.0.passwords.hash(text, self.0.entropy.as_ref()))
            .transpose()
    }

    fn insert_project(&self, tx: &Tx<'_>, domain_id: DomainId, name: &str) -> Result<Project> {
        if tx.projects().by_name(&domain_id, name)?.is_some() {
            return Err(Error::conflict(
                Reason::AlreadyExists,
                format!("project {name}"),
            ));
        }
        let row = ProjectRow {
            id: ProjectId::new(self.0.entropy.as_ref()),
            domain_id,
            name: name.to_owned(),
            enabled: true,
            created_at: self.0.clock.now(),
        };
        tx.projects().insert(&row)?;
        Ok(shown_project(row))
    }

    fn insert_user(
        &self,
        tx: &Tx<'_>,
        domain_id: DomainId,
        name: &str,
        hash: Option<String>,
        is_admin: bool,
    ) -> Result<User> {
        if tx.users().by_name(&domain_id, name)?.is_some() {
            return Err(Error::conflict(
                Reason::AlreadyExists,
                format!("user {name}"),
            ));
        }
        let now = self.0.clock.now();
        let row = UserRow {
            id: UserId::new(self.0.entropy.as_ref()),
            domain_id,
            name: name.to_owned(),
            password_hash: hash.map(|text| Sealed(text.into_bytes())),
            enabled: true,
            is_admin,
            created_at: now,
            password_changed_at: now,
        };
        tx.users().insert(&row)?;
        Ok(shown_user(row))
    }

    fn change_password(&self, tx: &Tx<'_>, user: &UserId, hash: Option<String>) -> Result<()> {
        user_row(tx, user)?;
        let now = self.0.clock.now();
        tx.tokens().revoke_of_user(user, now)?;
        tx.users().change(user, |row| {
            row.password_hash = hash.map(|text| Sealed(text.into_bytes()));
            row.password_changed_at = now;
        })?;
        Ok(())
    }
}

/// The projects in which a user can do something; an operator can in all of its domain.
pub(super) fn projects_of(
    tx: &Tx<'_>,
    user: &User,
) -> Result<impl Iterator<Item = Project> + use<>> {
    let mut projects = Vec::new();
    let rows = if user.is_admin {
        tx.projects().list(&user.domain_id)?
    } else {
        tx.projects().of_user(&user.id)?
    };
    for row in rows {
        // A policy that only denies opens nothing.
        if row.domain_id == user.domain_id
            && (user.is_admin
                || !tx.grants().roles(&user.id, &row.id)?.is_empty()
                || policies_of(tx, &user.id, Some(&row.id))?
                    .iter()
                    .any(Policy::allows_something))
        {
            projects.push(shown_project(row));
        }
    }
    Ok(projects.into_iter())
}

/// What a user may do in a project of its domain.
pub(super) fn roles_in(tx: &Tx<'_>, user: &User, project: &Project) -> Result<Vec<Role>> {
    if project.domain_id != user.domain_id {
        return Ok(Vec::new());
    }
    let granted = tx.grants().roles(&user.id, &project.id)?;
    let mut roles: Vec<_> = granted
        .iter()
        .filter_map(|word| Role::parse(word))
        .collect();
    roles.retain(|role| *role != Role::Admin);
    roles.extend(user.is_admin.then_some(Role::Admin));
    Ok(roles)
}

pub(crate) fn user_row(tx: &Tx<'_>, id: &UserId) -> Result<UserRow> {
    tx.users()
        .get(id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchUser, id))
}

pub(crate) fn project_row(tx: &Tx<'_>, id: &ProjectId) -> Result<ProjectRow> {
    tx.projects()
        .get(id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchProject, id))
}

fn grant(tx: &Tx<'_>, user: &UserId, project: &ProjectId, role: Role) -> Result<()> {
    let role = role.as_str().to_owned();
    Ok(tx.grants().give(&GrantRow {
        user_id: *user,
        project_id: *project,
        role,
    })?)
}

pub(super) fn shown_domain(row: DomainRow) -> Domain {
    Domain {
        id: row.id,
        name: row.name,
    }
}

pub(super) fn shown_project(row: ProjectRow) -> Project {
    let ProjectRow {
        id,
        domain_id,
        name,
        enabled,
        created_at,
    } = row;
    Project {
        id,
        name,
        domain_id,
        enabled,
        created_at,
    }
}

pub(super) fn shown_user(row: UserRow) -> User {
    let UserRow {
        id,
        domain_id,
        name,
        enabled,
        is_admin,
        created_at,
        ..
    } = row;
    User {
        id,
        name,
        domain_id,
        enabled,
        is_admin,
        created_at,
    }
}

pub(crate) fn check_name(field: &'static str, name: &str) -> Result<()> {
    let letters = |letter: char| letter.is_alphanumeric() || "-_.@".contains(letter);
    if (1..=64).contains(&name.chars().count()) && name.chars().all(letters) {
        Ok(())
    } else {
        Err(Error::invalid(
            field,
            "must have 1 to 64 letters, digits and - _ . @",
        ))
    }
}
