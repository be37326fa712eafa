//! What this region can do, in the keys that clients ask for.
//!
//! A flat map, as the vendor shows it. Nothing here is promised that does not work.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Error, Result};

/// Every feature of `region`, whose backups can be copied to `destinations`, with its value.
pub fn all(region: &str, destinations: &[String]) -> BTreeMap<String, Value> {
    [
        ("features.backup_double_az", json!(false)),
        ("features.bccrack_enable", json!(false)),
        ("replication.destination_dgw_regions", json!([])),
        ("replication.destination_regions", json!(destinations)),
        ("replication.enable", json!(!destinations.is_empty())),
        ("replication.source_region", json!(region)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// One feature of `region`.
pub fn one(region: &str, destinations: &[String], key: &str) -> Result<Value> {
    let mut all = all(region, destinations);
    all.remove(key).ok_or_else(|| {
        let known: Vec<_> = all.into_keys().collect();
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
    fn copies_are_promised_only_where_there_is_another_region() {
        let enabled = |to: &[String]| one("eu", to, "replication.enable").unwrap();
        assert_eq!(enabled(&[]), json!(false));
        assert_eq!(enabled(&["far".to_owned()]), json!(true));
    }

    #[test]
    fn an_unknown_feature_is_refused_with_the_known_ones() {
        assert_eq!(one("eu", &[], "replication.source_region").unwrap(), "eu");
        let refused = one("eu", &[], "replication").unwrap_err().to_string();
        assert!(refused.contains("replication.enable"), "{refused}");
    }
}
