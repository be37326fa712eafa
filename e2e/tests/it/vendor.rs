//! The vendors' own clients, unmodified from the registry, drive the whole scenario.
//!
//! The scenarios are Python programs in `e2e/python`; what they assert stands there.

use anyhow::Result;
use strongroom_e2e::binary;

use crate::scene::{Scene, text};

/// Runs one scenario against a service started with those options.
fn play(scenario: &str, with_share: bool, options: &[&str]) -> Result<()> {
    let far = tempfile::tempdir()?;
    let region = format!("far={}", text(far.path()));
    let mut all = vec!["--region-store", &*region];
    all.extend(options);
    let scene = Scene::set_with(&all)?;
    let mut words = vec!["--data-dir", text(scene.service.data_dir())];
    if with_share {
        words.extend(["--share", &scene.share.id, text(&scene.share.path)]);
    }
    words.extend(["--volume", &scene.disk.id, text(&scene.disk.path)]);
    binary::scenario(scenario, &words)
}

#[test]
fn the_vendors_sdk_drives_everything_over_http() -> Result<()> {
    play("scenario_sdk.py", true, &[])
}

#[test]
fn the_vendors_sdk_drives_everything_over_https_with_our_own_authority() -> Result<()> {
    play("scenario_sdk.py", true, &["--tls"])
}

#[test]
fn the_vendors_sdk_calls_every_operation_of_enterprise_projects() -> Result<()> {
    play("scenario_eps.py", false, &[])
}

#[test]
fn openstack_commands_of_the_vendor_work_over_http() -> Result<()> {
    play("scenario_openstack.py", false, &[])
}

#[test]
fn openstack_commands_of_the_vendor_work_over_https_with_our_own_authority() -> Result<()> {
    play("scenario_openstack.py", false, &["--tls"])
}
