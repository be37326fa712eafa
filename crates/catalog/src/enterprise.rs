//! Enterprise projects: an account's labels over vaults, across its projects.
//!
//! The default one, "0", is always there and has no row.

use strongroom_model::{DomainId, EnterpriseProjectId, ProjectId, Timestamp, UserId, VaultId};

use crate::{
    error::Result,
    query::{
        Direction::{self, Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::Field,
    vaults::VaultRow,
};

table! {
    /// An enterprise project.
    pub struct EnterpriseProjectRow, "enterprise_projects", "enterprise project",
    key ["domain_id", "id"] {
        /// Its id.
        id: EnterpriseProjectId,
        /// The account that it belongs to.
        domain_id: DomainId,
        /// Its name, unique in the account.
        name: String,
        /// What was written about it.
        description: String,
        /// Whether things may be put under it.
        enabled: bool,
        /// `prod` or `poc`.
        kind: String,
        /// When it was made.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
}

table! {
    /// A vault that went from one enterprise project to another.
    pub struct EnterpriseMigrationRow, "enterprise_migrations", "migration record", key ["seq"] {
        /// Its place in the record; 0 for the next free one.
        seq: i64,
        /// The account.
        domain_id: DomainId,
        /// When.
        at: Timestamp,
        /// Who asked for it.
        user_id: UserId,
        /// Their name at that time.
        user_name: String,
        /// The project of the vault.
        project_id: ProjectId,
        /// Its name at that time.
        project_name: String,
        /// The vault.
        vault_id: VaultId,
        /// Its name at that time.
        vault_name: String,
        /// The enterprise project before.
        from_id: String,
        /// The enterprise project since.
        to_id: String,
        /// `success`, or what went wrong.
        outcome: String,
    }
}

/// Which enterprise projects are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct EnterpriseProjectFilter {
    /// With this id.
    pub id: Option<EnterpriseProjectId>,
    /// With this text in its name.
    pub name: Option<String>,
    /// Switched on, or off.
    pub enabled: Option<bool>,
    /// Of this kind.
    pub kind: Option<String>,
}

/// What enterprise projects can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnterpriseProjectKey {
    /// When it was made.
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// Its name.
    Name,
}

/// Which migrations are wanted.
#[derive(Clone, Debug, Default)]
pub struct EnterpriseMigrationFilter {
    /// At that time or later.
    pub from: Option<Timestamp>,
    /// At that time or earlier.
    pub to: Option<Timestamp>,
    /// Of a vault with exactly this name.
    pub vault_name: Option<String>,
    /// To or from this enterprise project.
    pub enterprise_project_id: Option<String>,
}

const NEWEST_FIRST: &[Key] = &[("at", Descending), ("seq", Descending)];

/// The table of enterprise projects.
pub struct EnterpriseProjects<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The enterprise projects.
    pub fn enterprise_projects(&self) -> EnterpriseProjects<'_> {
        EnterpriseProjects(self)
    }
}

impl EnterpriseProjects<'_> {
    /// Adds one; `Duplicate` if the account has one of that name.
    pub fn insert(&self, row: &EnterpriseProjectRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The account's enterprise project of that id.
    pub fn get(
        &self,
        domain: &DomainId,
        id: &EnterpriseProjectId,
    ) -> Result<Option<EnterpriseProjectRow>> {
        self.0.one(&own(domain).is("id", id))
    }

    /// The account's enterprise project of that name.
    pub fn by_name(&self, domain: &DomainId, name: &str) -> Result<Option<EnterpriseProjectRow>> {
        self.0.one(&own(domain).is("name", &name.to_owned()))
    }

    /// The account's enterprise projects that match, in that order.
    pub fn list(
        &self,
        domain: &DomainId,
        filter: &EnterpriseProjectFilter,
        (key, way): (EnterpriseProjectKey, Direction),
    ) -> Result<Vec<EnterpriseProjectRow>> {
        let mut wanted = own(domain)
            .maybe("id", filter.id.as_ref())
            .maybe("enabled", filter.enabled.as_ref())
            .maybe("kind", filter.kind.as_ref());
        if let Some(part) = &filter.name {
            wanted = wanted.that_with("INSTR(name, {}) > 0", &[part.to_value()]);
        }
        let column = match key {
            EnterpriseProjectKey::CreatedAt => "created_at",
            EnterpriseProjectKey::UpdatedAt => "updated_at",
            EnterpriseProjectKey::Name => "name",
        };
        self.0.select(&wanted, &[(column, way), ("id", Ascending)])
    }

    /// Changes one and returns it; `NotFound` if the account has none of that id.
    pub fn change(
        &self,
        domain: &DomainId,
        id: &EnterpriseProjectId,
        edit: impl FnOnce(&mut EnterpriseProjectRow),
    ) -> Result<EnterpriseProjectRow> {
        self.0.change(&own(domain).is("id", id), id, edit)
    }

    /// Removes one; `false` if there was none.
    pub fn remove(&self, domain: &DomainId, id: &EnterpriseProjectId) -> Result<bool> {
        Ok(self
            .0
            .remove::<EnterpriseProjectRow>(&own(domain).is("id", id))?
            > 0)
    }

    /// The vaults of the account under that enterprise project, in all its projects or in some.
    pub fn vaults(
        &self,
        domain: &DomainId,
        enterprise_project: &str,
        projects: &[ProjectId],
    ) -> Result<Vec<VaultRow>> {
        let of_domain = "project_id IN (SELECT id FROM projects WHERE domain_id = {})";
        let wanted = Filter::new()
            .is("enterprise_project_id", &enterprise_project.to_owned())
            .that_with(of_domain, &[domain.to_value()])
            .any("project_id", projects)
            .that("trashed_at IS NULL");
        self.0
            .select(&wanted, &[("created_at", Ascending), ("id", Ascending)])
    }

    /// Notes that a vault went from one to another.
    pub fn record(&self, row: &EnterpriseMigrationRow) -> Result<()> {
        let highest = self.0.query(
            "enterprise_migrations",
            "SELECT COALESCE(MAX(seq), 0) FROM enterprise_migrations",
            &[],
            |row| row.take::<i64>("seq"),
        )?;
        let seq = highest.first().copied().unwrap_or(0) + 1;
        self.0
            .insert(&EnterpriseMigrationRow { seq, ..row.clone() })
    }

    /// One page of the account's migrations, the newest first.
    pub fn migrations(
        &self,
        domain: &DomainId,
        filter: &EnterpriseMigrationFilter,
        page: &Page,
    ) -> Result<Listed<EnterpriseMigrationRow>> {
        let mut wanted = own(domain)
            .at_least("at", filter.from.as_ref())
            .at_most("at", filter.to.as_ref())
            .maybe("vault_name", filter.vault_name.as_ref());
        if let Some(id) = &filter.enterprise_project_id {
            let values = [id.to_value(), id.to_value()];
            wanted = wanted.that_with("(from_id = {} OR to_id = {})", &values);
        }
        self.0.list(&own(domain), wanted, NEWEST_FIRST, page)
    }
}

fn own(domain: &DomainId) -> Filter {
    Filter::new().is("domain_id", domain)
}
