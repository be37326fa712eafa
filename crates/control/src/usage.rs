//! How much space is used, by resource and by project.

use strongroom_catalog::{self as catalog, Tx, VaultFilter, VaultRow};
use strongroom_model::{Bytes, GiB, ProjectId, ResourceId, ResourceKind};

use crate::{Caller, Control, Listed, Page, Result, control::project};

/// What the backups of one resource take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageUsage {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub kind: ResourceKind,
    /// How many backups it has.
    pub backup_count: u64,
    /// What they take.
    pub backup_size: Bytes,
}

/// Which resources to count; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFilter {
    /// Only this one.
    pub resource_id: Option<ResourceId>,
    /// Of one of these kinds; an empty list matches none.
    pub kinds: Option<Vec<ResourceKind>>,
}

/// A project's quota and use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The sum of the sizes of its vaults.
    pub size: GiB,
    /// The sum of what they use.
    pub used: Bytes,
}

impl Control {
    /// The use of each resource in a vault, by vault and in the order they were added.
    pub fn storage_usage(
        &self,
        caller: &Caller,
        filter: &UsageFilter,
        page: &Page,
    ) -> Result<Listed<StorageUsage>> {
        let project = project(caller)?;
        let all = self.read(|tx| {
            let mut all = Vec::new();
            for vault in every_vault(tx, project)? {
                for (place, resource) in tx.vault_resources().of_vault(&project, &vault.id)? {
                    all.push(StorageUsage {
                        resource_id: resource.id,
                        resource_name: resource.name,
                        kind: resource.kind,
                        backup_count: place.backup_count,
                        backup_size: place.backup_size_bytes,
                    });
                }
            }
            Ok(all)
        })?;
        let wanted = |usage: &StorageUsage| {
            filter.resource_id.is_none_or(|id| id == usage.resource_id)
                && filter
                    .kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.contains(&usage.kind))
        };
        let matching = all.into_iter().filter(wanted).collect();
        page.window(matching, |usage| usage.resource_id.to_string())
    }

    /// The sums over the project's vaults.
    pub fn summary(&self, caller: &Caller) -> Result<Summary> {
        let project = project(caller)?;
        let vaults = self.read(|tx| every_vault(tx, project))?;
        let nothing = Summary {
            size: GiB(0),
            used: Bytes(0),
        };
        Ok(vaults.iter().fold(nothing, |sum, vault| Summary {
            size: GiB(sum.size.0.saturating_add(vault.size_gib.0)),
            used: sum.used + vault.used_bytes,
        }))
    }
}

/// All vaults of a project, oldest first.
pub(crate) fn every_vault(tx: &Tx<'_>, project: ProjectId) -> Result<Vec<VaultRow>> {
    Ok(tx
        .vaults()
        .list(&project, &VaultFilter::default(), &catalog::Page::ALL)?
        .rows)
}
