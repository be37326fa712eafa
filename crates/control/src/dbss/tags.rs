//! Labels on directories of audit logs, and directories found by their labels.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_catalog::{self as catalog, DbssTagRow};
use strongroom_model::DbssInstanceId;

use crate::{
    Caller, Control, Listed, Page, Result, Tag,
    control::project,
    dbss::{
        get,
        instances::{self, Instance},
    },
    limits,
    tags::TagQuery,
};

impl Control {
    /// The labels of a directory, by key.
    pub fn log_tags(&self, caller: &Caller, id: DbssInstanceId) -> Result<Vec<Tag>> {
        let project = project(caller)?;
        self.read(|tx| {
            get(tx, project, id)?;
            let tags = tx.dbss_instances().tags(&project, Some(&id))?;
            Ok(tags.into_iter().map(tag).collect())
        })
    }

    /// The labels of all the project's directories: every value of every key.
    pub fn all_log_tags(&self, caller: &Caller) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let project = project(caller)?;
        self.read(|tx| {
            let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for tag in tx.dbss_instances().tags(&project, None)? {
                all.entry(tag.key).or_default().insert(tag.value);
            }
            Ok(all)
        })
    }

    /// Puts labels on a directory, over those of the same keys.
    pub fn set_log_tags(&self, caller: &Caller, id: DbssInstanceId, tags: Vec<Tag>) -> Result<()> {
        let project = project(caller)?;
        let tags = limits::tags("tags", tags)?;
        self.write(|tx| {
            get(tx, project, id)?;
            for Tag { key, value } in tags {
                tx.dbss_instances().set_tag(&DbssTagRow {
                    project_id: project,
                    instance_id: id,
                    key,
                    value,
                })?;
            }
            limits::tag_count(tx.dbss_instances().tags(&project, Some(&id))?.len())
        })
    }

    /// Takes labels off a directory; those that it does not bear do not matter, and a value that is
    /// given must be the label's.
    pub fn remove_log_tags(&self, caller: &Caller, id: DbssInstanceId, tags: &[Tag]) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            get(tx, project, id)?;
            let there = tx.dbss_instances().tags(&project, Some(&id))?;
            for wanted in tags {
                let meant = |row: &&DbssTagRow| {
                    row.key == wanted.key && (wanted.value.is_empty() || row.value == wanted.value)
                };
                if let Some(row) = there.iter().find(meant) {
                    tx.dbss_instances().remove_tag(&project, &id, &row.key)?;
                }
            }
            Ok(())
        })
    }

    /// The project's directories with such labels, the oldest first.
    pub fn logs_by_tags(
        &self,
        caller: &Caller,
        query: &TagQuery,
        page: &Page,
    ) -> Result<Listed<Instance>> {
        let project = project(caller)?;
        query.check()?;
        let window = page.rows(instances::PAGE_MAX)?;
        self.read(|tx| {
            let all = tx.dbss_instances().list(&project, &catalog::Page::ALL)?;
            let mut found = Vec::new();
            for row in all.rows {
                let tags = tx.dbss_instances().tags(&project, Some(&row.id))?;
                let tags: Vec<_> = tags.into_iter().map(tag).collect();
                if query.matches(&row.name, &tags) {
                    found.push(instances::view(tx, caller, row)?);
                }
            }
            let total = found.len() as u64;
            let skip = usize::try_from(window.offset).unwrap_or(usize::MAX);
            let items = found.into_iter().skip(skip);
            Ok(Listed {
                items: items.take(window.limit as usize).collect(),
                total,
            })
        })
    }
}

fn tag(row: DbssTagRow) -> Tag {
    Tag {
        key: row.key,
        value: row.value,
    }
}
