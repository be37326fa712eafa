//! Domains, the projects and users in them, and which user has which role in which project.

use strongroom_model::{DomainId, ProjectId, Timestamp, UserId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::Sealed,
};

table! {
    /// An account.
    pub struct DomainRow, "domains", "domain", key ["id"] {
        /// Its id.
        id: DomainId,
        /// Its name, unique.
        name: String,
        /// When it was made.
        created_at: Timestamp,
    }
}

table! {
    /// A project: the tenant boundary.
    pub struct ProjectRow, "projects", "project", key ["id"] {
        /// Its id.
        id: ProjectId,
        /// The domain it belongs to.
        domain_id: DomainId,
        /// Its name, unique in its domain.
        name: String,
        /// Whether it may be used.
        enabled: bool,
        /// When it was made.
        created_at: Timestamp,
    }
}

table! {
    /// A user of a domain.
    pub struct UserRow, "users", "user", key ["id"] {
        /// Their id.
        id: UserId,
        /// The domain they belong to.
        domain_id: DomainId,
        /// Their name, unique in their domain.
        name: String,
        /// The hash of the password, as the hasher writes it; `None` if none will do.
        password_hash: Option<Sealed>,
        /// Whether they may do anything.
        enabled: bool,
        /// Whether they may do everything in their domain.
        is_admin: bool,
        /// When they were made.
        created_at: Timestamp,
        /// When the password was last set; older tokens are void.
        password_changed_at: Timestamp,
    }
}

table! {
    /// A role that a user has in a project.
    pub struct GrantRow, "grants", "grant", key ["user_id", "project_id", "role"] {
        /// The user.
        user_id: UserId,
        /// The project.
        project_id: ProjectId,
        /// The role's name.
        role: String,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of domains.
pub struct Domains<'t>(&'t Tx<'t>);

/// The table of projects.
pub struct Projects<'t>(&'t Tx<'t>);

/// The table of users.
pub struct Users<'t>(&'t Tx<'t>);

/// The table of grants.
pub struct Grants<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The domains.
    pub fn domains(&self) -> Domains<'_> {
        Domains(self)
    }

    /// The projects.
    pub fn projects(&self) -> Projects<'_> {
        Projects(self)
    }

    /// The users.
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }

    /// The grants.
    pub fn grants(&self) -> Grants<'_> {
        Grants(self)
    }
}

impl Domains<'_> {
    /// Adds a domain.
    pub fn insert(&self, row: &DomainRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The domain of that id.
    pub fn get(&self, id: &DomainId) -> Result<Option<DomainRow>> {
        self.0.one(&Filter::new().is("id", id))
    }

    /// The domain of that name.
    pub fn by_name(&self, name: &str) -> Result<Option<DomainRow>> {
        self.0.one(&Filter::new().is("name", &name.to_owned()))
    }

    /// All domains, the oldest first.
    pub fn list(&self) -> Result<Vec<DomainRow>> {
        self.0.select(&Filter::new(), BY_AGE)
    }
}

impl Projects<'_> {
    /// Adds a project; `Duplicate` if the domain has one of that name.
    pub fn insert(&self, row: &ProjectRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project of that id.
    pub fn get(&self, id: &ProjectId) -> Result<Option<ProjectRow>> {
        self.0.one(&Filter::new().is("id", id))
    }

    /// The domain's project of that name.
    pub fn by_name(&self, domain: &DomainId, name: &str) -> Result<Option<ProjectRow>> {
        self.0.one(
            &Filter::new()
                .is("domain_id", domain)
                .is("name", &name.to_owned()),
        )
    }

    /// The domain's projects, the oldest first.
    pub fn list(&self, domain: &DomainId) -> Result<Vec<ProjectRow>> {
        self.0
            .select(&Filter::new().is("domain_id", domain), BY_AGE)
    }

    /// The projects in which the user has any role or policy, the oldest first.
    pub fn of_user(&self, user: &UserId) -> Result<Vec<ProjectRow>> {
        let member = "(id IN (SELECT project_id FROM grants WHERE user_id = {}) \
                      OR EXISTS (SELECT 1 FROM permission_grants AS held \
                      WHERE held.user_id = {} AND held.domain_id = projects.domain_id \
                      AND (held.project_id IS NULL OR held.project_id = projects.id)))";
        let user = crate::value::Field::to_value(user);
        let values = [user.clone(), user];
        self.0
            .select(&Filter::new().that_with(member, &values), BY_AGE)
    }

    /// The projects of every domain, the oldest first; for operators.
    pub fn any_domain_list(&self) -> Result<Vec<ProjectRow>> {
        self.0.select(&Filter::new(), BY_AGE)
    }

    /// Changes a project and returns it; `NotFound` if there is none.
    pub fn change(&self, id: &ProjectId, edit: impl FnOnce(&mut ProjectRow)) -> Result<ProjectRow> {
        self.0.change(&Filter::new().is("id", id), id, edit)
    }
}

impl Users<'_> {
    /// Adds a user; `Duplicate` if the domain has one of that name.
    pub fn insert(&self, row: &UserRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The user of that id.
    pub fn get(&self, id: &UserId) -> Result<Option<UserRow>> {
        self.0.one(&Filter::new().is("id", id))
    }

    /// The domain's user of that name.
    pub fn by_name(&self, domain: &DomainId, name: &str) -> Result<Option<UserRow>> {
        self.0.one(
            &Filter::new()
                .is("domain_id", domain)
                .is("name", &name.to_owned()),
        )
    }

    /// The domain's users, the oldest first.
    pub fn list(&self, domain: &DomainId) -> Result<Vec<UserRow>> {
        self.0
            .select(&Filter::new().is("domain_id", domain), BY_AGE)
    }

    /// Changes a user and returns them; `NotFound` if there is none.
    pub fn change(&self, id: &UserId, edit: impl FnOnce(&mut UserRow)) -> Result<UserRow> {
        self.0.change(&Filter::new().is("id", id), id, edit)
    }
}

impl Grants<'_> {
    /// Gives a user a role in a project; having it already is fine.
    pub fn give(&self, row: &GrantRow) -> Result<()> {
        let held = held(row);
        if self.0.count::<GrantRow>(&held)? == 0 {
            self.0.insert(row)
        } else {
            Ok(())
        }
    }

    /// Takes a role away; `false` if the user did not have it.
    pub fn take(&self, row: &GrantRow) -> Result<bool> {
        Ok(self.0.remove::<GrantRow>(&held(row))? > 0)
    }

    /// The roles that the user has in the project, by name.
    pub fn roles(&self, user: &UserId, project: &ProjectId) -> Result<Vec<String>> {
        let held = Filter::new().is("user_id", user).is("project_id", project);
        let rows: Vec<GrantRow> = self.0.select(&held, &[("role", Ascending)])?;
        Ok(rows.into_iter().map(|row| row.role).collect())
    }
}

fn held(row: &GrantRow) -> Filter {
    Filter::new()
        .is("user_id", &row.user_id)
        .is("project_id", &row.project_id)
        .is("role", &row.role)
}
