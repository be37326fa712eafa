//! How much space is used, by resource and by project.

use strongroom_model::{Bytes, GiB, ResourceId, ResourceKind};

use crate::{Caller, Control, Listed, Page, Result};

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
    /// The use of each resource that has backups or is in a vault.
    pub fn storage_usage(
        &self,
        caller: &Caller,
        filter: &UsageFilter,
        page: &Page,
    ) -> Result<Listed<StorageUsage>> {
        self.pending(caller, (filter, page))
    }

    /// The sums over the project's vaults.
    pub fn summary(&self, caller: &Caller) -> Result<Summary> {
        self.pending(caller, ())
    }
}
