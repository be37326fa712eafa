//! How much space is used, by resource and by project.

use strongroom_catalog::{self as catalog, PlaceFilter};
use strongroom_model::{Bytes, GiB, ProjectId, ResourceId, ResourceKind};

use crate::{Caller, Control, Listed, Page, Result, control::project, page::LIMIT_MAX};

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
    /// The use of each resource in a vault, in the order they were added.
    pub fn storage_usage(
        &self,
        caller: &Caller,
        filter: &UsageFilter,
        page: &Page,
    ) -> Result<Listed<StorageUsage>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let kinds = match &filter.kinds {
            Some(kinds) if kinds.is_empty() => return Ok(Listed::nothing()),
            kinds => kinds.clone().unwrap_or_default(),
        };
        let filter = PlaceFilter {
            resource_id: filter.resource_id,
            kinds,
        };
        let (found, total) = self.read(|tx| Ok(tx.usage().places(&project, &filter, &page)?))?;
        let items = found.into_iter().map(|found| StorageUsage {
            resource_id: found.place.resource_id,
            resource_name: found.name,
            kind: found.kind,
            backup_count: found.place.backup_count,
            backup_size: found.place.backup_size_bytes,
        });
        Ok(Listed {
            items: items.collect(),
            total,
        })
    }

    /// The sums over the project's vaults.
    pub fn summary(&self, caller: &Caller) -> Result<Summary> {
        let project = project(caller)?;
        let usage = self.read(|tx| Ok(tx.usage().of_project(&project)?))?;
        Ok(Summary {
            size: GiB(usage.size_gib),
            used: usage.used_bytes,
        })
    }

    /// Counts what is kept counted again, a few projects each time and all of them in turn; how
    /// many had to be put right. That would be a mistake of ours or a damaged catalog.
    pub(crate) fn recount(&self) -> Result<u64> {
        let after = self.read(|tx| Ok(tx.settings().get(RECOUNTED)?))?;
        let mut last = after.and_then(|text| text.parse::<ProjectId>().ok());
        let (mut counted, mut wrong) = (0, 0);
        while counted < RECOUNT_ENOUGH {
            let next = self.read(|tx| Ok(tx.usage().any_project_next(last.as_ref())?))?;
            last = next;
            let Some(project) = next else {
                break;
            };
            let (backups, found) = self.read(|tx| {
                let every = catalog::BackupFilter::default();
                Ok((
                    tx.backups().count(&project, &every)?,
                    tx.usage().differences(&project)?,
                ))
            })?;
            if !found.is_empty() {
                tracing::error!(%project, ?found, "was counted wrongly; counted anew");
                self.write(|tx| Ok(tx.usage().repair(&project)?))?;
                wrong += 1;
            }
            // A project without backups costs something too.
            counted += backups + 100;
        }
        let place = last.map(|project| project.to_string()).unwrap_or_default();
        self.write(|tx| Ok(tx.settings().set(RECOUNTED, &place)?))?;
        Ok(wrong)
    }
}

/// Where the catalog keeps which project was counted last; empty after the last one.
const RECOUNTED: &str = "recounted";
/// Backups that one round counts again, and with them their whole project.
const RECOUNT_ENOUGH: u64 = 100_000;
