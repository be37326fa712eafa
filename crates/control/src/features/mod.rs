//! What this region can do, in the keys that clients ask for.
//!
//! A flat map, as the vendor shows it. Nothing here is promised that does not work.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Error, Result};

/// Every feature of `region` with its value.
pub fn all(region: &str) -> BTreeMap<String, Value> {
    [
        ("features.backup_double_az", json!(false)),
        ("features.bccrack_enable", json!(false)),
        ("replication.destination_dgw_regions", json!([])),
        ("replication.destination_regions", json!([])),
        ("replication.enable", json!(false)),
        ("replication.source_region", json!(region)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// One feature of `region`.
pub fn one(region: &str, key: &str) -> Result<Value> {
    all(region).remove(key).ok_or_else(|| {
        let known: Vec<_> = all(region).into_keys().collect();
        Error::invalid(
            "feature_key",
            format!("must be one of {}", known.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_feature_is_refused_with_the_known_ones() {
        assert_eq!(one("eu", "replication.source_region").unwrap(), "eu");
        let refused = one("eu", "replication").unwrap_err().to_string();
        assert!(refused.contains("replication.enable"), "{refused}");
    }
}
