//! Whether everything is backed up as promised, as tenants and monitoring read it over HTTP.

use crate::cloud::TestCloud;

#[test]
fn status_freshness_and_alarms_are_the_projects_own() {
    let cloud = TestCloud::new();
    let (ann, bob) = (cloud.tenant("ann"), cloud.tenant("bob"));
    let get = |who, path: &str| cloud.get("identity", path).token(who).send().is(200).json;
    for who in [&ann, &bob] {
        let status = get(who, "/native/v1/status");
        assert_eq!(status["alarm_count"], 0);
        assert_eq!(status["resources"]["overdue"], 0);
        assert_eq!(
            get(who, "/native/v1/freshness")["resources"],
            serde_json::json!([])
        );
        assert_eq!(get(who, "/native/v1/alarms?all=true&limit=5")["total"], 0);
    }
    assert!(get(&ann, "/native/v1/status")["watched_at"].is_null());
    cloud.cloud.control.watch_round().unwrap();
    assert!(get(&ann, "/native/v1/status")["watched_at"].is_string());
    let bad = cloud.get("identity", "/native/v1/freshness?marker=nonsense");
    bad.token(&ann).send().is(400);
}

/// The names in docs/metrics.md.
fn documented() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let names = text.lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split('`').next()?;
        name.starts_with("strongroom_").then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn metrics_are_all_documented_and_name_nothing_of_any_project() {
    let cloud = TestCloud::new();
    let ann = cloud.tenant("ann");
    cloud
        .get("cbr", &ann.at("/vaults"))
        .token(&ann)
        .send()
        .is(200);
    cloud.get("cbr", &ann.at("/vaults")).send().is(401);
    cloud.cloud.control.watch_round().unwrap();
    let page = cloud.get("identity", "/metrics").send().is(200);
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let value = |name: &str| {
        let line = page.text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} is missing: {}", page.text))
            .trim()
            .to_owned()
    };
    let list = r#"strongroom_requests_total{service="cbr",operation="ListVault",status="#;
    assert_eq!(value(&format!("{list}\"200\"}}")), "1");
    assert_eq!(value(&format!("{list}\"401\"}}")), "1");
    assert_eq!(value(r#"strongroom_alarms{kind="overdue"}"#), "0");
    let shown: Vec<_> = page
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for name in &shown {
        assert!(documented().iter().any(|known| known == name), "{name}");
    }
    for name in documented() {
        // There is no good backup yet.
        let absent = name == "strongroom_oldest_good_backup_age_seconds";
        assert_eq!(shown.contains(&name.as_str()), !absent, "{name}");
    }
    assert!(!page.text.contains(&ann.project.id.to_string()));
}
