//! What is said of several vaults at once, and what the vendor's order system would say.
//!
//! Nothing is paid for here: an order does at once what it would have brought about, and how a
//! vault would be paid for is remembered because clients read it back.

use strongroom_model::{GiB, VaultId, state::VaultStatus};

use super::{VaultChange, rows};
use crate::{
    Caller, Control, Error, Reason, Result, control::project, limits, words::ChargingMode,
};

/// Vaults that one change of terms names at most.
const VAULTS_MAX: usize = 60;

impl Control {
    /// Sets when people are told about all vaults of the project; returns those that changed.
    pub fn update_all_vaults(
        &self,
        caller: &Caller,
        smn_notify: Option<bool>,
        threshold: Option<i64>,
    ) -> Result<Vec<VaultId>> {
        let project = project(caller)?;
        if smn_notify.is_none() && threshold.is_none() {
            let problem = "must say smn_notify or threshold";
            return Err(Error::invalid("vault", problem));
        }
        let threshold = threshold.map(limits::threshold).transpose()?.map(u32::from);
        let now = self.now();
        self.write(|tx| {
            let every = strongroom_catalog::VaultFilter {
                status: Some(VaultStatus::Available),
                ..strongroom_catalog::VaultFilter::default()
            };
            let all = tx
                .vaults()
                .list(&project, &every, &strongroom_catalog::Page::ALL)?;
            let mut changed = Vec::new();
            for before in all.rows {
                let notify = smn_notify.unwrap_or(before.smn_notify);
                let threshold = threshold.unwrap_or(before.threshold);
                if (notify, threshold) == (before.smn_notify, before.threshold) {
                    continue;
                }
                tx.vaults().change(&project, &before.id, |row| {
                    row.smn_notify = notify;
                    row.threshold = threshold;
                    row.updated_at = now;
                })?;
                changed.push(before.id);
            }
            Ok(changed)
        })
    }

    /// Gives a vault the size that was ordered; the answer names the order.
    pub fn order_vault_size(&self, caller: &Caller, id: VaultId, size: GiB) -> Result<String> {
        let change = VaultChange {
            size: Some(size),
            ..VaultChange::default()
        };
        limits::vault_size(size, limits::VAULT_SIZE_CREATED_MIN)?;
        self.update_vault(caller, id, change)?;
        Ok(self.order_id())
    }

    /// Remembers how vaults would be paid for, all of them or none; the answer names the order.
    pub fn order_charging_mode(
        &self,
        caller: &Caller,
        ids: &[VaultId],
        mode: ChargingMode,
    ) -> Result<String> {
        let project = project(caller)?;
        if ids.is_empty() || ids.len() > VAULTS_MAX {
            let problem = format!("must name 1 to {VAULTS_MAX} vaults");
            return Err(Error::invalid("vault_ids", problem));
        }
        let now = self.now();
        self.write(|tx| {
            for id in ids {
                rows::get_available(tx, project, *id, Reason::VaultNotUpdatable)?;
                tx.vaults().change(&project, id, |row| {
                    row.charging_mode = mode.into();
                    row.updated_at = now;
                })?;
            }
            Ok(())
        })?;
        Ok(self.order_id())
    }

    /// A name for an order that is done already.
    pub fn order_id(&self) -> String {
        let random = strongroom_model::entropy::random::<8>(self.entropy());
        format!("CS{}", hex::encode_upper(random))
    }
}
