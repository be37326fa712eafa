//! Orders: nothing is paid for here, so what an order would bring about happens at once.
//!
//! Documents: "Changing an Order", "Changing a Vault's Billing Mode", "Creating a Pre-paid
//! Vault". The same reply has a number for `retCode` in one place and text in another.

use serde::{Deserialize, Serialize};

use super::vault::ChargingMode;

/// The body of `ChangeOrder`. The table spells the fields one way, its example another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOrderRequest {
    /// What to order instead.
    #[serde(alias = "product_info", rename = "productInfo")]
    pub product_info: ProductInfo,
    /// The vault.
    #[serde(alias = "resource_id", rename = "resourceId")]
    pub resource_id: String,
}

/// A product (tables `CbcProductInfoOrderChange`, `CbcProductInfoUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductInfo {
    /// Its id in the order system.
    #[serde(alias = "product_id", rename = "productId")]
    pub product_id: String,
    /// The size in GB.
    #[serde(alias = "resource_size", rename = "resourceSize")]
    pub resource_size: u64,
    /// The unit: 17 is GB.
    #[serde(alias = "resource_size_measure_id", rename = "resourceSizeMeasureId")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_size_measure_id: Option<u32>,
    /// The kind of vault.
    #[serde(alias = "resource_spec_code", rename = "resourceSpecCode")]
    pub resource_spec_code: String,
}

/// The answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReply {
    /// The order.
    #[serde(rename = "orderId")]
    pub order_id: String,
    /// 0: done.
    #[serde(rename = "retCode")]
    pub ret_code: u32,
    /// The same in words.
    #[serde(rename = "retMsg")]
    pub ret_msg: String,
}

/// The answer of `UpdateOrder`, which says the code as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateOrderReply {
    /// The order.
    #[serde(rename = "orderId")]
    pub order_id: String,
    /// 0: done.
    #[serde(rename = "retCode")]
    pub ret_code: String,
    /// The same in words.
    #[serde(rename = "retMsg")]
    pub ret_msg: String,
}

/// The body of `ChangeVaultChargeMode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeChargeModeRequest {
    /// How the vaults are to be paid for.
    pub charging_mode: ChargingMode,
    /// For how long at a time.
    pub period_type: PeriodType,
    /// For how many periods.
    pub period_num: u32,
    /// The vaults.
    pub vault_ids: Vec<String>,
}

words! {
    /// The unit in which a pre-paid vault is paid for.
    PeriodType, "period type" {
        /// Years.
        Year = "year",
        /// Months.
        Month = "month",
    }
}

/// The answer of `CreatePostPaidVault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderVaultReply {
    /// The orders.
    pub orders: Vec<OrderResult>,
    /// 0: done.
    #[serde(rename = "retCode")]
    pub ret_code: u32,
    /// The same in words.
    #[serde(rename = "errText")]
    pub err_text: String,
    /// `"0"`: done.
    pub error_code: String,
}

/// What became of an order (table `CbcOrderResult`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderResult {
    /// The service in the order system.
    #[serde(rename = "cloudServiceId")]
    pub cloud_service_id: String,
    /// The order.
    #[serde(rename = "orderId")]
    pub order_id: String,
    /// 1: done.
    #[serde(rename = "subscribeResult")]
    pub subscribe_result: u32,
    /// The vault.
    #[serde(rename = "resourceId")]
    pub resource_id: String,
}
