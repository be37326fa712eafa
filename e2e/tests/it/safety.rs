//! Nothing is lost by mistake, from the command line: plans, the trash, guards, the look ahead.

use anyhow::Result;

use crate::scene::Scene;

#[test]
fn a_guarded_vault_deletes_by_plan_only_and_gives_back_what_it_deleted() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let backup = program.last_line(&["backup", "files"])?;
    let plan = program.json(&["delete", &backup, "--plan"])?;
    assert_eq!(plan["goes"][0]["backup_id"], backup.as_str());
    assert_eq!(
        plan["last_copies"][0]["resource_id"],
        scene.share.id.as_str()
    );
    let loose = program.json(&["vault", "safety", "shares"])?;
    assert_eq!(
        (&loose["guarded"], &loose["grace_days"]),
        (&false.into(), &0.into())
    );
    let guarded = program.json(&["vault", "safety", "shares", "--guarded", "true"])?;
    assert_eq!(guarded["grace_days"], 7);

    let said = program.refused(&["delete", &backup])?;
    assert!(
        said.contains("guarded") && said.contains("--plan"),
        "{said}"
    );
    let said = program.refused(&["delete", &backup, "--token", "0123"])?;
    assert!(said.contains("nothing was deleted"), "{said}");
    let plan = program.json(&["delete", &backup, "--plan"])?;
    let token = plan["token"].as_str().unwrap_or_default().to_owned();
    program.run(&["delete", &backup, "--token", &token])?;
    assert_eq!(program.json(&["backups"])?["count"], 0);

    let trash = program.json(&["trash", "list"])?;
    assert_eq!(trash["backups"][0]["id"], backup.as_str());
    program.run(&["trash", "undelete", &backup])?;
    assert_eq!(program.json(&["backups"])?["count"], 1);
    let said = program.refused(&["trash", "undelete", &backup])?;
    assert!(said.contains("is not in the trash"), "{said}");
    let said = program.refused(&["vault", "delete", "shares"])?;
    assert!(said.contains("guarded"), "{said}");
    let said = program.refused(&["vault", "release", "shares", "files"])?;
    assert!(said.contains("guarded"), "{said}");
    let plan = program.run(&["vault", "delete", "shares", "--plan"])?;
    assert!(
        plan.contains("the key of the vault's data would go too"),
        "{plan}"
    );
    Ok(())
}

#[test]
fn the_look_ahead_names_every_backup_and_why_it_goes() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let backup = program.last_line(&["backup", "files"])?;
    let nightly = "FREQ=DAILY;BYHOUR=1;BYMINUTE=0";
    program.run(&[
        "policy", "create", "nightly", "--rule", nightly, "--keep", "3",
    ])?;
    program.run(&[
        "policy",
        "create",
        "weekly",
        "--rule",
        nightly,
        "--keep-days",
        "7",
    ])?;
    program.run(&["policy", "bind", "nightly", "shares"])?;
    let seen = program.json(&["policy", "preview", "shares"])?;
    // Thirty nights, of which three stay, and what was made by hand.
    assert_eq!(
        (&seen["exist"], &seen["go"]),
        (&4.into(), &27.into()),
        "{seen}"
    );
    let by_hand = seen["backups"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["backup_id"] == backup.as_str()));
    assert_eq!(
        by_hand.expect("it is there")["because"][0]["ground"],
        "forever"
    );
    let other = program.json(&[
        "policy", "preview", "shares", "--policy", "weekly", "--gone",
    ])?;
    assert_eq!(other["exist"], 8);
    assert_eq!(other["backups"].as_array().map(Vec::len), Some(23));
    let text = program.run(&["policy", "preview", "shares", "--resource", "files"])?;
    assert!(
        text.contains("3 are newer") && text.contains("4 exist at the end"),
        "{text}"
    );
    let said = program.refused(&["policy", "preview", "shares", "--day", "2020-01-01"])?;
    assert!(said.contains("that day is over"), "{said}");
    Ok(())
}
