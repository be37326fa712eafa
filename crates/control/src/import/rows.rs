//! The rows of the catalog that travel with the data: on every backup's manifest those that it
//! hangs on, and beside every vault's data all of the vault.
//!
//! They are whole rows, columns by name, so that what a later release adds to a table travels
//! too. What is only passing (who works on it just now) is set right when they come back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_catalog::{
    BackupFilter, BackupRow, CheckpointRow, Columns, Document, DomainRow, EnterpriseProjectRow,
    OrganizationPolicyRow, Page, PolicyRow, PolicyType, ProjectRow, ResourceRow, RolloutRow,
    TagRow, Tx, VaultPolicyRow, VaultResourceRow, VaultRow, VaultSafetyRow,
    policies::ScheduledBackupRow,
};

use crate::{Error, Reason, Result, vaults};

/// The label of a manifest under which the rows of its backup stand.
const LABEL: &str = "rows";

/// Rows as documents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// The service's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    domain: Columns,
    project: Columns,
    vault: Columns,
    /// The vault's label, if it is not the account's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    enterprise_projects: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    places: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checkpoints: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    backups: Vec<Columns>,
    /// How careful the service is with the vault, if that was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    safety: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<Columns>,
    /// Which of the backups a calendar asked for, and what they were promised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scheduled: Vec<Columns>,
    /// The organization's policies, and which of the project's came of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    organization_policies: Vec<Columns>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rollouts: Vec<Columns>,
}

/// The same rows, read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) region: Option<String>,
    pub(crate) domain: DomainRow,
    pub(crate) project: ProjectRow,
    pub(crate) vault: VaultRow,
    pub(crate) enterprise_projects: Vec<EnterpriseProjectRow>,
    pub(crate) tags: Vec<TagRow>,
    pub(crate) resources: Vec<ResourceRow>,
    pub(crate) places: Vec<VaultResourceRow>,
    pub(crate) checkpoints: Vec<CheckpointRow>,
    pub(crate) backups: Vec<BackupRow>,
    pub(crate) safety: Vec<VaultSafetyRow>,
    pub(crate) policies: Vec<PolicyRow>,
    pub(crate) bindings: Vec<VaultPolicyRow>,
    pub(crate) scheduled: Vec<ScheduledBackupRow>,
    pub(crate) organization_policies: Vec<OrganizationPolicyRow>,
    pub(crate) rollouts: Vec<RolloutRow>,
}

impl Rows {
    /// What a vault's row hangs on, and the row.
    fn above(tx: &Tx<'_>, vault: &VaultRow) -> Result<Self> {
        let project = tx
            .projects()
            .get(&vault.project_id)?
            .ok_or_else(|| Error::not_found(Reason::NoSuchProject, vault.project_id))?;
        let domain = tx
            .domains()
            .get(&project.domain_id)?
            .ok_or_else(|| Error::not_found(Reason::NoSuchDomain, project.domain_id))?;
        let label = match vault.enterprise_project_id.parse() {
            Ok(id) => tx.enterprise_projects().get(&domain.id, &id)?,
            // The default one has no row.
            Err(_) => None,
        };
        Ok(Self {
            enterprise_projects: label.iter().map(Document::to_document).collect(),
            region: tx.settings().get(crate::identity::accounts::REGION)?,
            domain: domain.to_document(),
            project: project.to_document(),
            vault: vault.to_document(),
            ..Self::default()
        })
    }

    /// Everything of a vault.
    pub(super) fn of_vault(tx: &Tx<'_>, vault: &VaultRow) -> Result<Self> {
        let (project, id) = (&vault.project_id, &vault.id);
        let mut rows = Self::above(tx, vault)?;
        rows.tags = documents(&tx.vault_tags().of_vault(project, id)?);
        for (place, resource) in tx.vault_resources().of_vault(project, id)? {
            rows.places.push(place.to_document());
            rows.resources.push(resource.to_document());
        }
        rows.checkpoints = documents(&tx.checkpoints().of_vault(project, id)?);
        let filter = BackupFilter {
            vault_id: Some(*id),
            ..BackupFilter::default()
        };
        rows.backups = documents(&tx.backups().list(project, &filter, &[], &Page::ALL)?.rows);
        rows.safety.extend(
            tx.trash()
                .safety(project, id)?
                .iter()
                .map(Document::to_document),
        );
        for operation_type in [PolicyType::Backup, PolicyType::Replication] {
            let Some(place) = tx.vault_policies().get(project, id, operation_type)? else {
                continue;
            };
            let policy = tx.policies().get(project, &place.policy_id)?;
            rows.policies
                .extend(policy.iter().map(Document::to_document));
            rows.bindings.push(place.to_document());
        }
        let scheduled = tx.scheduled_backups().of_vault(project, id, None)?;
        rows.scheduled = scheduled.iter().map(|one| one.row.to_document()).collect();
        rows.add_organization(tx, vault)?;
        Ok(rows)
    }

    /// The organization's policies, each with the one of this project that came of it, so that
    /// they are found again to be the organization's and not rolled out a second time.
    fn add_organization(&mut self, tx: &Tx<'_>, vault: &VaultRow) -> Result<()> {
        let project = &vault.project_id;
        let domain = tx.projects().get(project)?.map(|project| project.domain_id);
        for row in tx.organization_policies().any_domain()? {
            if Some(row.domain_id) != domain {
                continue;
            }
            self.organization_policies.push(row.to_document());
            let rollouts = tx.organization_policies().rollouts(&row.id)?.into_iter();
            for rollout in rollouts.filter(|rollout| rollout.project_id == *project) {
                let id = rollout.policy_id.as_ref().and_then(|id| id.parse().ok());
                let Some(id) = id else { continue };
                if let Some(policy) = tx.policies().get(project, &id)? {
                    let policy = policy.to_document();
                    if !self.policies.contains(&policy) {
                        self.policies.push(policy);
                    }
                    self.rollouts.push(rollout.to_document());
                }
            }
        }
        Ok(())
    }

    /// A backup and what it hangs on.
    pub(super) fn of_backup(tx: &Tx<'_>, backup: &BackupRow) -> Result<Self> {
        let project = &backup.project_id;
        let vault = vaults::rows::get(tx, *project, backup.vault_id)?;
        let checkpoint = tx
            .checkpoints()
            .get(project, &backup.checkpoint_id)?
            .ok_or_else(|| Error::not_found(Reason::NoSuchCheckpoint, backup.checkpoint_id))?;
        let mut rows = Self::above(tx, &vault)?;
        // The resource of a replica may be in another project, or only on another service.
        rows.resources.extend(
            tx.resources()
                .get(project, &backup.resource_id)?
                .iter()
                .map(Document::to_document),
        );
        rows.checkpoints.push(checkpoint.to_document());
        rows.backups.push(backup.to_document());
        Ok(rows)
    }

    /// The rows, if all of them are readable.
    pub(super) fn read(&self) -> strongroom_catalog::Result<Known> {
        Ok(Known {
            region: self.region.clone(),
            domain: DomainRow::from_document(&self.domain)?,
            project: ProjectRow::from_document(&self.project)?,
            vault: VaultRow::from_document(&self.vault)?,
            enterprise_projects: rows(&self.enterprise_projects)?,
            tags: rows(&self.tags)?,
            resources: rows(&self.resources)?,
            places: rows(&self.places)?,
            checkpoints: rows(&self.checkpoints)?,
            backups: rows(&self.backups)?,
            safety: rows(&self.safety)?,
            policies: rows(&self.policies)?,
            bindings: rows(&self.bindings)?,
            scheduled: rows(&self.scheduled)?,
            organization_policies: rows(&self.organization_policies)?,
            rollouts: rows(&self.rollouts)?,
        })
    }
}

fn documents<R: Document>(rows: &[R]) -> Vec<Columns> {
    rows.iter().map(Document::to_document).collect()
}

fn rows<R: Document>(documents: &[Columns]) -> strongroom_catalog::Result<Vec<R>> {
    documents.iter().map(R::from_document).collect()
}

/// What the manifest of a backup says beside its content: everything that the catalog would need
/// to list the backup again.
pub(crate) fn labels(tx: &Tx<'_>, backup: &BackupRow) -> Result<BTreeMap<String, String>> {
    let rows = serde_json::to_string(&Rows::of_backup(tx, backup)?)
        .map_err(|error| Error::bug("rows do not become a label", error))?;
    Ok([
        (crate::jobs::BACKUP_LABEL.to_owned(), backup.id.to_string()),
        (LABEL.to_owned(), rows),
    ]
    .into())
}

/// The rows on a manifest with those labels; `Err` says what is wrong with them.
pub(super) fn of_labels(labels: &BTreeMap<String, String>) -> std::result::Result<Known, String> {
    let text = labels
        .get(LABEL)
        .ok_or("it says nothing of a backup of this service")?;
    let rows: Rows = serde_json::from_str(text).map_err(|error| error.to_string())?;
    rows.read().map_err(|error| error.to_string())
}
