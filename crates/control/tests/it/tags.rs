//! Labels: limits, batch rules, and vaults found by them.

use strongroom_control::{
    Page, Reason, Tag,
    tags::{TagQuery, TagValues},
    words::ObjectType,
};

use crate::world::{World, refused};

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

#[test]
fn setting_overwrites_and_a_missing_key_is_missed_only_alone() {
    let world = World::new();
    let vault = world.vault("v", ObjectType::Disk, &[]).id;
    let (control, alice) = (&world.control, &world.alice);
    control
        .set_vault_tags(alice, vault, vec![tag("a", "1"), tag("b", "2")])
        .unwrap();
    control
        .set_vault_tags(alice, vault, vec![tag("a", "3")])
        .unwrap();
    assert_eq!(
        control.vault_tags(alice, vault).unwrap(),
        [tag("a", "3"), tag("b", "2")]
    );
    let gone = vec![
        ("x".into(), None),
        ("a".into(), Some("other".into())),
        ("b".into(), None),
    ];
    control.remove_vault_tags(alice, vault, gone).unwrap();
    assert_eq!(control.vault_tags(alice, vault).unwrap(), [tag("a", "3")]);
    assert_eq!(
        refused(control.delete_vault_tag(alice, vault, "b")),
        Reason::NoSuchTag
    );
    control.delete_vault_tag(alice, vault, "a").unwrap();
    assert!(control.vault_tags(alice, vault).unwrap().is_empty());
}

#[test]
fn a_vault_bears_twenty_tags_and_not_one_more() {
    let world = World::new();
    let vault = world.vault("v", ObjectType::Disk, &[]).id;
    let tags = |range: std::ops::Range<u8>| range.map(|n| tag(&n.to_string(), "")).collect();
    world
        .control
        .set_vault_tags(&world.alice, vault, tags(0..20))
        .unwrap();
    let more = world
        .control
        .set_vault_tags(&world.alice, vault, tags(20..21));
    assert_eq!(refused(more), Reason::TooManyTags);
    assert_eq!(
        world.control.vault_tags(&world.alice, vault).unwrap().len(),
        20
    );
    world
        .control
        .set_vault_tags(&world.alice, vault, tags(0..20))
        .unwrap();
}

#[test]
fn vaults_are_found_by_labels_a_page_at_a_time() {
    let world = World::new();
    let (control, alice) = (&world.control, &world.alice);
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = world.vault(&format!("v{n}"), ObjectType::Disk, &[]).id;
        control
            .set_vault_tags(alice, id, vec![tag("parity", &(n % 2).to_string())])
            .unwrap();
        ids.push(id);
        world.clock.advance_seconds(1);
    }
    let even = TagValues {
        key: "parity".into(),
        values: vec!["0".into()],
    };
    let query = TagQuery {
        tags: vec![even],
        ..TagQuery::default()
    };
    let find = |offset| {
        let page = Page {
            limit: 2,
            offset,
            marker: None,
        };
        let found = control.find_vaults_by_tags(alice, &query, &page).unwrap();
        (
            found.items.iter().map(|vault| vault.id).collect::<Vec<_>>(),
            found.total,
        )
    };
    assert_eq!(find(0), (vec![ids[0], ids[2]], 3));
    assert_eq!(find(2), (vec![ids[4]], 3));
    assert_eq!(find(9), (vec![], 3));
    let keys = control.project_tags(alice).unwrap();
    assert_eq!(
        keys,
        [TagValues {
            key: "parity".into(),
            values: vec!["0".into(), "1".into()]
        }]
    );
}
