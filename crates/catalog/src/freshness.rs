//! How fresh the backups of each resource are, read in one go for many resources.
//!
//! Each row costs two looks into the index of backups by resource, whatever their number: the
//! newest good backup and the newest that has failed.

use strongroom_model::{ProjectId, ResourceId, ResourceKind, Timestamp, VaultId};

use crate::{
    error::Result,
    query::Filter,
    table::Row,
    tx::Tx,
    value::{Field, Json},
};

/// What is known of a resource in a vault and its backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshnessRow {
    /// The project.
    pub project_id: ProjectId,
    /// The vault.
    pub vault_id: VaultId,
    /// The vault's name.
    pub vault_name: String,
    /// Whether somebody wants to be told about the vault.
    pub notify: bool,
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub kind: ResourceKind,
    /// Since when it is in the vault.
    pub added_at: Timestamp,
    /// When the data of its newest good backup began to be read.
    pub last_good_at: Option<Timestamp>,
    /// When its newest failed backup was asked for.
    pub last_failed_at: Option<Timestamp>,
    /// When its newest good backup was asked for.
    pub last_good_asked_at: Option<Timestamp>,
    /// When the vault's repository was last checked.
    pub last_verified_at: Option<Timestamp>,
    /// What the vault's policy promises.
    pub promise: Option<PromiseRow>,
}

/// When a policy says that backups are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromiseRow {
    /// The vendor's rules.
    pub pattern: Vec<String>,
    /// Within how many minutes a backup begins.
    pub start_window_minutes: Option<u32>,
    /// Since when it holds for the vault.
    pub since: Timestamp,
}

/// A vault that is nearly full and does not grow by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullRow {
    /// The project.
    pub project_id: ProjectId,
    /// The vault.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// Whether somebody wants to be told about it.
    pub notify: bool,
    /// How many percent of it are used.
    pub used_percent: u64,
    /// From how many percent on people are told.
    pub threshold: u32,
}

/// A vault whose repository was found damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// The project.
    pub project_id: ProjectId,
    /// The vault.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// Whether somebody wants to be told about it.
    pub notify: bool,
    /// What was found.
    pub problems: Vec<String>,
}

/// Sums over the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sums {
    /// Vaults.
    pub vaults: u64,
    /// The sum of their sizes.
    pub size_gib: u64,
    /// The sum of what their backups use.
    pub used_bytes: u64,
    /// Jobs that have not ended.
    pub jobs_unfinished: u64,
    /// Records of the audit trail.
    pub audit_records: u64,
}

// What is in the trash was deleted: it protects nobody, and its vault worries nobody. A copy is
// no newer than its original, whenever it was made.
const NEWEST_GOOD: &str = "SELECT b.id FROM backups b WHERE b.project_id = r.project_id \
    AND b.resource_id = r.id AND b.trashed_at IS NULL AND b.replica_of IS NULL \
    AND b.status IN ('available', 'waiting_restore', 'restoring') \
    ORDER BY b.created_at DESC LIMIT 1";

const NEWEST_FAILED: &str = "SELECT b.created_at FROM backups b \
    WHERE b.project_id = r.project_id AND b.resource_id = r.id AND b.status = 'error' \
    AND b.trashed_at IS NULL AND b.replica_of IS NULL \
    ORDER BY b.created_at DESC LIMIT 1";

/// Questions over several tables, for the watchdog.
pub struct Freshness<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// How fresh backups are.
    pub fn freshness(&self) -> Freshness<'_> {
        Freshness(self)
    }
}

impl Freshness<'_> {
    /// The resources of a project that are in a vault, in the order of their ids, after that one.
    pub fn list(
        &self,
        project: &ProjectId,
        after: Option<&ResourceId>,
        limit: u32,
    ) -> Result<Vec<FreshnessRow>> {
        let own = Filter::new().is("vr.project_id", project);
        self.page(own, after, limit)
    }

    /// The resources of all projects that are in a vault, as [`list`](Self::list).
    pub fn any_project_list(
        &self,
        after: Option<&ResourceId>,
        limit: u32,
    ) -> Result<Vec<FreshnessRow>> {
        self.page(Filter::new(), after, limit)
    }

    fn page(
        &self,
        mut filter: Filter,
        after: Option<&ResourceId>,
        limit: u32,
    ) -> Result<Vec<FreshnessRow>> {
        if let Some(after) = after {
            filter = filter.that_with("vr.resource_id > {}", &[after.to_value()]);
        }
        let clauses = filter.sql();
        let limit = filter.bind(limit.to_value());
        let sql = format!(
            "SELECT vr.project_id, vr.vault_id, v.name, v.smn_notify, r.id, r.name, r.kind, \
             vr.added_at, g.protected_at, ({NEWEST_FAILED}), g.created_at, rep.last_check_at, \
             {PROMISE} \
             FROM vault_resources vr \
             JOIN vaults v ON v.id = vr.vault_id \
             JOIN resources r ON r.id = vr.resource_id \
             LEFT JOIN backups g ON g.id = ({NEWEST_GOOD}) \
             LEFT JOIN repositories rep ON rep.vault_id = vr.vault_id \
             {PROMISED}{clauses} ORDER BY vr.resource_id LIMIT {limit}"
        );
        self.0.query("vault_resources", &sql, filter.params(), row)
    }

    /// The vaults that are used beyond their threshold and do not grow by themselves.
    pub fn any_project_nearly_full(&self) -> Result<Vec<FullRow>> {
        // In MiB, so that no product leaves 64 bits.
        let sql = "SELECT project_id, id, name, smn_notify, \
                   used_bytes / 1048576 * 100 / (size_gib * 1024), threshold FROM vaults \
                   WHERE size_gib > 0 AND auto_expand = 0 AND demand_billing = 0 \
                   AND trashed_at IS NULL \
                   AND used_bytes / 1048576 * 100 >= size_gib * 1024 * threshold ORDER BY id";
        self.0.query("vaults", sql, &[], |row| {
            Ok(FullRow {
                project_id: row.take("project_id")?,
                vault_id: row.take("id")?,
                vault_name: row.take("name")?,
                notify: row.take("smn_notify")?,
                used_percent: row.take("used_bytes")?,
                threshold: row.take("threshold")?,
            })
        })
    }

    /// The vaults in whose repositories the last check found something.
    pub fn any_project_damaged(&self) -> Result<Vec<DamagedRow>> {
        let sql = "SELECT v.project_id, v.id, v.name, v.smn_notify, rep.check_problems \
                   FROM repositories rep JOIN vaults v ON v.id = rep.vault_id \
                   WHERE rep.check_problems <> '[]' AND v.trashed_at IS NULL ORDER BY v.id";
        self.0.query("repositories", sql, &[], |row| {
            Ok(DamagedRow {
                project_id: row.take("project_id")?,
                vault_id: row.take("id")?,
                vault_name: row.take("name")?,
                notify: row.take("smn_notify")?,
                problems: row.take::<Json<Vec<String>>>("check_problems")?.0,
            })
        })
    }

    /// Sums over the installation, none of which reads more than the vaults.
    pub fn any_project_sums(&self) -> Result<Sums> {
        let sql = "SELECT COUNT(*), COALESCE(SUM(size_gib), 0), COALESCE(SUM(used_bytes), 0), \
                   (SELECT COUNT(*) FROM jobs WHERE ended_at IS NULL), \
                   COALESCE((SELECT MAX(seq) FROM audit), 0) FROM vaults";
        let found = self.0.query("vaults", sql, &[], |row| {
            Ok(Sums {
                vaults: row.take("id")?,
                size_gib: row.take("size_gib")?,
                used_bytes: row.take("used_bytes")?,
                jobs_unfinished: row.take("jobs")?,
                audit_records: row.take("seq")?,
            })
        })?;
        Ok(found.first().copied().unwrap_or_default())
    }
}

fn row(row: &mut Row) -> Result<FreshnessRow> {
    Ok(FreshnessRow {
        project_id: row.take("project_id")?,
        vault_id: row.take("vault_id")?,
        vault_name: row.take("name")?,
        notify: row.take("smn_notify")?,
        resource_id: row.take("resource_id")?,
        resource_name: row.take("name")?,
        kind: row.take("kind")?,
        added_at: row.take("added_at")?,
        last_good_at: row.take("protected_at")?,
        last_failed_at: row.take("created_at")?,
        last_good_asked_at: row.take("created_at")?,
        last_verified_at: row.take("last_check_at")?,
        promise: promise(row)?,
    })
}

/// A promise counts from when it was made or last changed.
const PROMISE: &str = "p.pattern, p.start_window_minutes, CASE WHEN p.id IS NULL THEN NULL \
    WHEN p.updated_at > vp.added_at THEN p.updated_at ELSE vp.added_at END";

/// What the vault's backup policy promises, if it is in force and the resource is not left out.
const PROMISED: &str = "LEFT JOIN vault_policies vp ON vp.project_id = vr.project_id \
    AND vp.vault_id = vr.vault_id AND vp.operation_type = 'backup' AND vr.auto_protect = 1 \
    LEFT JOIN policies p ON p.project_id = vp.project_id AND p.id = vp.policy_id \
    AND p.enabled = 1";

fn promise(row: &mut Row) -> Result<Option<PromiseRow>> {
    let pattern: Option<Json<Vec<String>>> = row.take("pattern")?;
    let start_window_minutes = row.take("start_window_minutes")?;
    let since: Option<Timestamp> = row.take("added_at")?;
    Ok(pattern.zip(since).map(|(pattern, since)| PromiseRow {
        pattern: pattern.0,
        start_window_minutes,
        since,
    }))
}
