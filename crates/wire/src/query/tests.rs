//! Queries as real clients send them.

use super::*;
use crate::cbr::{
    backup::{BackupSortField, BackupStatus, ListBackupsQuery, SortDirection},
    vault::ListVaultQuery,
};

fn problem<Q: QueryParameters + fmt::Debug>(pairs: &[(&'static str, &str)]) -> String {
    Q::parse(pairs.iter().copied()).unwrap_err().to_string()
}

#[test]
fn a_list_may_come_as_repeated_keys_or_as_one_text() {
    let pairs = [
        ("id", "a"),
        ("id", "b,c"),
        ("resources_ids", "r1,r2"),
        ("resource_ids", "r3"),
    ];
    let query = ListVaultQuery::parse(pairs).unwrap();
    assert_eq!(query.id, ["a", "b", "c"]);
    assert_eq!(query.resource_ids, ["r1", "r2", "r3"]);
    let sent = [
        ("id", "a"),
        ("id", "b"),
        ("id", "c"),
        ("resource_ids", "r1"),
    ];
    let pairs = query.pairs();
    assert!(
        sent.iter()
            .all(|(key, value)| pairs.contains(&(key, (*value).to_owned())))
    );
    assert_eq!(ListVaultQuery::parse(pairs).unwrap(), query);
}

#[test]
fn unknown_keys_and_empty_values_are_as_if_not_sent() {
    let pairs = [
        ("nonsense", "1"),
        ("limit", ""),
        ("status", ""),
        ("name", ""),
    ];
    assert_eq!(
        ListBackupsQuery::parse(pairs).unwrap(),
        ListBackupsQuery::default()
    );
}

#[test]
fn the_first_of_a_repeated_single_value_counts() {
    let query = ListBackupsQuery::parse([("name", "first"), ("name", "second")]).unwrap();
    assert_eq!(query.name.as_deref(), Some("first"));
}

#[test]
fn numbers_words_times_and_booleans_out_of_range_are_named() {
    for (name, value) in [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "ten"),
        ("limit", "-1"),
        ("offset", "-1"),
        ("used_percent", "101"),
        ("dec", "yes"),
        ("status", "gone"),
        ("start_time", "yesterday"),
        ("resource_type", "OS::Nova::Servers"),
        ("sort", "size:asc"),
        ("sort", "name:up"),
        ("sort", ""),
    ] {
        let result = ListBackupsQuery::parse([(name, value)]);
        if value.is_empty() {
            assert!(result.is_ok());
            continue;
        }
        let text = result.unwrap_err().to_string();
        assert!(
            text.starts_with(&format!("query parameter {name}: ")),
            "{text}"
        );
    }
    assert_eq!(
        problem::<ListBackupsQuery>(&[("limit", "5000")]),
        "query parameter limit: expected a whole number from 1 to 1000"
    );
}

#[test]
fn a_sort_key_without_direction_descends() {
    let query = ListBackupsQuery::parse([("sort", "created_at,name:asc")]).unwrap();
    let expected = vec![
        (BackupSortField::CreatedAt, SortDirection::Descending),
        (BackupSortField::Name, SortDirection::Ascending),
    ];
    assert_eq!(query.sort.as_ref().unwrap().0, expected);
    assert_eq!(
        query.pairs(),
        [("sort", "created_at:desc,name:asc".to_owned())]
    );
}

#[test]
fn states_may_be_repeated() {
    let query = ListBackupsQuery::parse([("status", "available"), ("status", "error")]).unwrap();
    assert_eq!(query.status, [BackupStatus::Available, BackupStatus::Error]);
}

#[test]
fn decoding_keeps_order_and_repeats_and_encoding_undoes_it() {
    let raw = "status=a&status=b&&name=a+b%2F%C3%BC%2B&flag&bad=%FF";
    let pairs = decode(raw);
    let expected = [
        ("status", "a"),
        ("status", "b"),
        ("name", "a b/ü+"),
        ("flag", ""),
        ("bad", "\u{FFFD}"),
    ];
    assert!(
        pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .eq(expected)
    );
    assert_eq!(
        encode(&pairs[..3]),
        "status=a&status=b&name=a%20b%2F%C3%BC%2B"
    );
    assert_eq!(decode(&encode(&pairs)), pairs);
}
