//! What is asked: one backup, and a page of the list by every filter, order and way to go on.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::fill::Facts;

/// A request.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Its path and query below the project; what stands in angle brackets is of the catalog.
    path: &'static str,
    /// Whether the reply is what it should be.
    pub(crate) check: fn(&Facts, &[u8]) -> Result<()>,
}

impl Case {
    /// The path for a catalog.
    pub(crate) fn path(&self, facts: &Facts) -> String {
        self.path
            .replace("<checkpoint>", &facts.checkpoint.to_string())
            .replace("<day>", "2024-01-03T22:13:20Z")
            .replace("<end>", &(facts.backups - 400).to_string())
            .replace("<half>", &(facts.backups / 2).to_string())
            .replace("<middle>", &facts.middle.to_string())
            .replace("<name>", &facts.name)
            .replace("<resource>", &facts.resource.to_string())
            .replace("<vault>", &facts.vault.to_string())
    }
}

const fn list(
    name: &'static str,
    check: fn(&Facts, &[u8]) -> Result<()>,
    path: &'static str,
) -> Case {
    Case { name, path, check }
}

/// Everything that is measured. Where the smallest catalog has no thousand to answer with, all are
/// asked for as many as it has, so that the pages are alike.
pub(crate) const CASES: &[Case] = &[
    list("ShowBackup", shown, "/backups/<middle>"),
    list("first page", all, "/backups?limit=1000&offset=0"),
    list(
        "offset in the middle",
        all,
        "/backups?limit=400&offset=<half>",
    ),
    list(
        "offset near the end",
        all,
        "/backups?limit=400&offset=<end>",
    ),
    list(
        "marker in the middle",
        all,
        "/backups?limit=400&marker=<middle>",
    ),
    list("by vault", some, "/backups?limit=1000&vault_id=<vault>"),
    list(
        "by checkpoint",
        some,
        "/backups?limit=1000&checkpoint_id=<checkpoint>",
    ),
    list(
        "by resource",
        some,
        "/backups?limit=1000&resource_id=<resource>",
    ),
    list(
        "by resource name",
        some,
        "/backups?limit=1000&resource_name=share-0",
    ),
    list(
        "by resource type",
        all,
        "/backups?limit=1000&resource_type=OS::Sfs::Turbo",
    ),
    list("by name", some, "/backups?limit=1000&name=<name>"),
    list(
        "by status available",
        some,
        "/backups?limit=1000&status=available",
    ),
    list("by status error", some, "/backups?limit=10&status=error"),
    list(
        "by status deleting",
        none,
        "/backups?limit=1000&status=deleting",
    ),
    list("full ones", some, "/backups?limit=10&incremental=false"),
    list(
        "incremental ones",
        some,
        "/backups?limit=1000&incremental=true",
    ),
    list("since a day", some, "/backups?limit=400&start_time=<day>"),
    list("until a day", some, "/backups?limit=400&end_time=<day>"),
    list(
        "status since a day",
        some,
        "/backups?limit=400&status=available&start_time=<day>",
    ),
    list(
        "by enterprise project",
        some,
        "/backups?limit=1000&enterprise_project_id=0",
    ),
    list(
        "by use of the vault",
        none,
        "/backups?limit=1000&used_percent=90",
    ),
    list("by parent", none, "/backups?limit=1000&parent_id=<middle>"),
    list("shared ones", none, "/backups?limit=1000&own_type=shared"),
    list(
        "sorted by created_at",
        all,
        "/backups?limit=1000&sort=created_at:asc",
    ),
    list(
        "sorted by updated_at",
        all,
        "/backups?limit=1000&sort=updated_at:desc",
    ),
    list("sorted by name", all, "/backups?limit=1000&sort=name:asc"),
    list(
        "sorted by status",
        all,
        "/backups?limit=1000&sort=status:desc",
    ),
    list(
        "sorted by protected_at",
        all,
        "/backups?limit=1000&sort=protected_at:desc",
    ),
    list("sorted by id", all, "/backups?limit=1000&sort=id:asc"),
    list(
        "sorted by name, offset in the middle",
        all,
        "/backups?limit=400&sort=name:asc&offset=<half>",
    ),
    list(
        "sorted by name, marker in the middle",
        all,
        "/backups?limit=400&sort=name:asc&marker=<middle>",
    ),
];

fn shown(facts: &Facts, reply: &[u8]) -> Result<()> {
    let reply: Value = serde_json::from_slice(reply)?;
    ensure!(reply["backup"]["id"] == facts.middle.to_string());
    Ok(())
}

fn counted(reply: &[u8]) -> Result<(u64, usize)> {
    let reply: Value = serde_json::from_slice(reply)?;
    let rows = reply["backups"].as_array().map_or(0, Vec::len);
    Ok((reply["count"].as_u64().unwrap_or_default(), rows))
}

fn all(facts: &Facts, reply: &[u8]) -> Result<()> {
    let (count, rows) = counted(reply)?;
    ensure!(count == facts.backups, "{count} of {}", facts.backups);
    ensure!(rows > 0, "the page is empty");
    Ok(())
}

fn some(facts: &Facts, reply: &[u8]) -> Result<()> {
    let (count, rows) = counted(reply)?;
    ensure!(count > 0 && count <= facts.backups, "{count} match");
    ensure!(rows > 0, "the page is empty");
    Ok(())
}

fn none(_: &Facts, reply: &[u8]) -> Result<()> {
    let (count, rows) = counted(reply)?;
    ensure!(count == 0 && rows == 0, "{count} match");
    Ok(())
}
