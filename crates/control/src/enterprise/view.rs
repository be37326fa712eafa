//! What callers say about enterprise projects and what they get to see of them.

use strongroom_catalog::{DomainRow, EnterpriseMigrationRow, EnterpriseProjectRow, Tx};
use strongroom_model::{ProjectId, Timestamp, VaultId};

use super::{DEFAULT, find};
use crate::{Error, Result};

/// What an enterprise project is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Production.
    Prod,
    /// A trial.
    Poc,
}

impl Kind {
    /// The vendor's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prod => "prod",
            Self::Poc => "poc",
        }
    }
}

/// An enterprise project to be, or as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewEnterpriseProject {
    /// 1 to 255 letters, digits, `_`, `-`; not `default`.
    pub name: String,
    /// At most 512 characters.
    pub description: Option<String>,
    /// `prod` or `poc`.
    pub kind: Option<String>,
}

/// Refuses what the vendor's tables refuse; the kind, production if nothing was said.
pub(super) fn check(new: &NewEnterpriseProject) -> Result<Kind> {
    let allowed = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '\u{4e00}'..='\u{9fa5}')
    };
    let good = (1..=255).contains(&new.name.chars().count()) && new.name.chars().all(allowed);
    if !good || new.name.to_lowercase().contains("default") {
        let problem = "must have 1 to 255 letters, digits, _ and -, and not be called default";
        return Err(Error::invalid("name", problem));
    }
    let description = new.description.as_deref().unwrap_or_default();
    if description.chars().count() > 512 {
        return Err(Error::invalid(
            "description",
            "must have at most 512 characters",
        ));
    }
    match new.kind.as_deref() {
        None | Some("prod") => Ok(Kind::Prod),
        Some("poc") => Ok(Kind::Poc),
        Some(_) => Err(Error::invalid("type", "must be prod or poc")),
    }
}

/// An enterprise project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnterpriseProject {
    /// Its id; "0" is the default one.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Whether vaults may be put under it.
    pub enabled: bool,
    /// `prod` or `poc`.
    pub kind: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl From<EnterpriseProjectRow> for EnterpriseProject {
    fn from(row: EnterpriseProjectRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            description: row.description,
            enabled: row.enabled,
            kind: row.kind,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The one that every account has.
pub(super) fn default_one(domain: &DomainRow) -> EnterpriseProject {
    EnterpriseProject {
        id: DEFAULT.to_owned(),
        name: "default".to_owned(),
        description: String::new(),
        enabled: true,
        kind: Kind::Prod.as_str().to_owned(),
        created_at: domain.created_at,
        updated_at: domain.created_at,
    }
}

/// Which enterprise projects to list, and how; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnterpriseProjectFilter {
    /// With this id.
    pub id: Option<String>,
    /// With this text in its name.
    pub name: Option<String>,
    /// On or off.
    pub enabled: Option<bool>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Sorted by this word of the vendor's: `created_at`, `updated_at`, `name`.
    pub sort_key: Option<String>,
    /// Whether the smallest comes first; the largest does if nothing is said.
    pub ascending: bool,
}

impl EnterpriseProjectFilter {
    pub(super) fn matches(&self, found: &EnterpriseProject) -> bool {
        self.id.as_ref().is_none_or(|id| *id == found.id)
            && self
                .name
                .as_ref()
                .is_none_or(|part| found.name.contains(part.as_str()))
            && self.enabled.is_none_or(|enabled| enabled == found.enabled)
            && self.kind.as_ref().is_none_or(|kind| *kind == found.kind)
    }

    pub(super) fn sort(&self, all: &mut [EnterpriseProject]) {
        all.sort_by(|a, b| {
            let order = match self.sort_key.as_deref() {
                Some("updated_at") => a.updated_at.cmp(&b.updated_at),
                Some("name") => a.name.cmp(&b.name),
                _ => a.created_at.cmp(&b.created_at),
            };
            let order = order.then_with(|| a.id.cmp(&b.id));
            if self.ascending {
                order
            } else {
                order.reverse()
            }
        });
    }
}

/// Which moves to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationFilter {
    /// At that time or later.
    pub start_time: Option<Timestamp>,
    /// At that time or earlier.
    pub end_time: Option<Timestamp>,
    /// Of this vault.
    pub vault: Option<VaultId>,
}

/// A vault that went from one enterprise project to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the record.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user_name: String,
    /// The vault's project.
    pub project_id: ProjectId,
    /// Its name.
    pub project_name: String,
    /// The vault.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// Where it was: id and name, which may be gone.
    pub from: (String, String),
    /// Where it is since: id and name, which may be gone.
    pub to: (String, String),
}

/// A move with the present names of both ends.
pub(super) fn migration(tx: &Tx<'_>, row: EnterpriseMigrationRow) -> Result<Migration> {
    let named = |id: String| match find(tx, row.domain_id, &id) {
        Ok(found) => Ok((id, found.name)),
        Err(Error::NotFound { .. }) => Ok((id, String::new())),
        Err(other) => Err(other),
    };
    Ok(Migration {
        seq: row.seq,
        at: row.at,
        user_name: row.user_name,
        project_id: row.project_id,
        project_name: row.project_name,
        vault_id: row.vault_id,
        vault_name: row.vault_name,
        from: named(row.from_id)?,
        to: named(row.to_id)?,
    })
}

/// A vault under an enterprise project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundVault {
    /// Its id.
    pub id: VaultId,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project_id: ProjectId,
    /// The project's name.
    pub project_name: String,
}
