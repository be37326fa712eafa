//! A region that is another Strongroom: copies go there while both sides are killed, and come back
//! when the first one is gone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Certificate, blocking::Client};
use serde_json::{Value, json};
use strongroom_e2e::{
    binary::{self, Program},
    data,
    fingerprint::Fingerprint,
    service::Service,
    session::{self, Session},
    wait,
};
use tempfile::TempDir;

use crate::scene::{files_below, register, text};

/// The far service, which keeps a store for the near one.
struct Far {
    folder: PathBuf,
    /// Taken while it is down.
    service: Option<Service>,
    /// Host and port of the stores.
    at: String,
}

impl Far {
    fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("far");
        let service = Self::serve(&folder, "127.0.0.1:0")?;
        let endpoints = service.file("endpoints.json")?;
        let at = session::text(&endpoints["stores"])?;
        let at = at.strip_prefix("https://").context("TLS is on")?.to_owned();
        Ok(Self {
            folder,
            service: Some(service),
            at,
        })
    }

    fn serve(folder: &Path, at: &str) -> Result<Service> {
        Service::start_with(folder, &["--tls", "--host-stores", at])
    }

    fn kill(&mut self) -> Result<()> {
        let service = self.service.take().context("it runs")?;
        service.kill()
    }

    fn start_again(&mut self) -> Result<()> {
        // Somebody's ephemeral port may sit on ours for a moment.
        let at = self.at.clone();
        self.service = Some(Self::serve(&self.folder, &at)?);
        Ok(())
    }

    fn program(&self) -> Program {
        Program::new(&self.folder)
    }

    /// A new store; its secret goes into a file of that name.
    fn add_store(&self, name: &str, more: &[&str]) -> Result<PathBuf> {
        let file = self.folder.with_extension(format!("{name}.secret"));
        let mut words = vec!["admin", "store", "add", name, "--secret-file", text(&file)];
        words.extend(more);
        self.program().run(&words)?;
        Ok(file)
    }

    fn url(&self, store: &str, secret: &Path) -> String {
        let ca = self.folder.join("tls/ca.pem");
        let (at, secret, ca) = (&self.at, text(secret), text(&ca));
        format!("strongroom://{at}/{store}?secret={secret}&ca={ca}")
    }

    /// Speaks to its stores by hand.
    fn http(&self) -> Result<Client> {
        let ca = Certificate::from_pem(&fs::read(self.folder.join("tls/ca.pem"))?)?;
        Ok(Client::builder().add_root_certificate(ca).build()?)
    }

    /// The objects of a store.
    fn objects(&self, store: &str) -> PathBuf {
        self.folder.join("hosted").join(store).join("objects")
    }
}

/// The near service with a share of some megabytes.
struct Near {
    folder: PathBuf,
    region: String,
    service: Option<Service>,
    share: PathBuf,
}

impl Near {
    fn start(folder: &Path, url: &str) -> Result<Self> {
        let share = folder.join("files");
        fs::create_dir(&share)?;
        data::make_share(&share, 1)?;
        fs::write(share.join("much"), data::noise(9, 40 << 20))?;
        let mut near = Self {
            folder: folder.join("near"),
            region: format!("far={url}"),
            service: None,
            share: share.clone(),
        };
        near.start_again()?;
        register(&near.program(), "share", "files", share)?;
        Ok(near)
    }

    fn start_again(&mut self) -> Result<()> {
        let options = ["--region-store", &self.region];
        self.service = Some(Service::start_with(&self.folder, &options)?);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        self.service.take().context("it runs")?.kill()
    }

    fn program(&self) -> Program {
        Program::new(&self.folder)
    }

    fn session(&self) -> Result<Session> {
        Session::admin(self.service.as_ref().context("it runs")?)
    }

    /// Orders a copy of the backup in a new vault of the other region.
    fn copy(&self, backup: &str) -> Result<()> {
        let session = self.session()?;
        let body = json!({"vault": {"name": "copies", "resources": [], "billing": {
            "consistent_level": "crash_consistent", "object_type": "turbo",
            "protect_type": "replication", "size": 100,
        }}});
        let made = session.post("/v3/{project}/vaults", &body)?;
        let order = json!({"replicate": {
            "destination_project_id": session.project(),
            "destination_region": "far",
            "destination_vault_id": made["vault"]["id"],
        }});
        let path = format!("/v3/{{project}}/backups/{backup}/replicate");
        session.post(&path, &order).map(drop)
    }

    /// How the copy ended, and why, if it has.
    fn ending(&self) -> Result<Option<(bool, String)>> {
        let path = "/v3/{project}/operation-logs?operation_type=replication";
        let logs = self.session()?.get(path)?;
        let log = &logs["operation_logs"][0];
        Ok(match session::text(&log["status"])? {
            "waiting" | "running" => None,
            status => Some((status == "success", log["error_info"].to_string())),
        })
    }
}

fn files(folder: &Path) -> usize {
    files_below(folder).map_or(0, |found| found.len())
}

/// Whoever has the near service's own secret deletes all that he can; what was refused.
fn ravage(far: &Far, store: &str, secret: &Path) -> Result<Vec<String>> {
    let http = far.http()?;
    let secret = fs::read_to_string(secret)?;
    let mut refused = Vec::new();
    for key in files_below(&far.objects(store))? {
        let url = format!("https://{}/v1/stores/{store}/objects/{key}", far.at);
        let answer = http.delete(url).bearer_auth(secret.trim()).send()?;
        match answer.status().as_u16() {
            204 => {}
            423 => refused.push(key),
            status => bail!("{key}: {status}"),
        }
    }
    Ok(refused)
}

/// A service made anew from what the far one keeps, and the master key.
fn rebuild(folder: &Path, key: &Path, region: &str) -> Result<Service> {
    let anew = folder.join("anew");
    fs::create_dir(&anew)?;
    fs::copy(key, anew.join("master.key"))?;
    let mut command = binary::command();
    command.args(["admin", "rebuild-catalog", "--data-dir", text(&anew)]);
    let output = command.args(["--region-store", region]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    Service::start_with(&anew, &["--region-store", region])
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_copy_in_another_strongroom_survives_kills_and_restores_with_the_first_one_gone() -> Result<()>
{
    let folder: TempDir = tempfile::tempdir()?;
    let folder = folder.path();
    let mut far = Far::start(folder)?;
    let secret = far.add_store("mine", &[])?;
    let mut near = Near::start(folder, &far.url("mine", &secret))?;
    let was = Fingerprint::of(&near.share)?;
    let backup = near.program().last_line(&["backup", "files"])?;
    near.copy(&backup)?;
    let objects = far.objects("mine");
    // Each time a little further; the near one, then both, then the far one alone.
    let mut under_way = 0;
    for round in 0..4 {
        let before = files(&objects);
        wait::until("some more objects there", || {
            let more = files(&objects) > before;
            Ok((more || near.ending()?.is_some()).then_some(()))
        })?;
        under_way += u32::from(near.ending()?.is_none());
        if round != 3 {
            near.kill()?;
        }
        if round != 0 {
            far.kill()?;
            far.start_again()?;
        }
        if round != 3 {
            near.start_again()?;
        }
    }
    let (good, why) = wait::until("the end of the copy", || near.ending())?;
    ensure!(good, "{why}");
    ensure!(under_way > 1, "the copy was over before it was disturbed");
    // Nothing there is readable without the key.
    for name in files_below(&objects)? {
        let bytes = fs::read(objects.join(&name))?;
        ensure!(
            !bytes.windows(9).any(|part| part == b"small-001"),
            "{name} shows a name"
        );
    }

    // Locked, the copy is safe from the first service itself.
    let lock = ["vault", "safety", "copies", "--lock", "--manual-too"];
    near.program().run(&lock)?;
    let http = far.http()?;
    let own = fs::read_to_string(&secret)?;
    let manifest = files_below(&objects)?;
    let manifest = manifest.iter().find(|key| key.contains("/manifests/"));
    let manifest = manifest.context("a manifest")?;
    let url = format!("https://{}/v1/stores/mine/retention/{manifest}", far.at);
    wait::until(
        "the lock at the store, which the manifest gets last",
        || {
            let answer = http.get(&url).bearer_auth(own.trim()).send()?;
            let until = answer.headers().get("strongroom-store-until");
            Ok(until.map(drop))
        },
    )?;
    let refused = ravage(&far, "mine", &secret)?;
    for kind in ["/vault.json", "/format", "/keys/", "/manifests/", "/packs/"] {
        let kept = refused.iter().any(|key| key.contains(kind));
        ensure!(kept, "{kind} could be deleted: {refused:?}");
    }
    let said = far
        .program()
        .run(&["admin", "store", "undelete", "mine", "--days", "1"])?;
    ensure!(said.contains("objects are back"), "{said}");

    near.kill()?;
    let key = folder.join("kept.key");
    fs::rename(near.folder.join("master.key"), &key)?;
    fs::remove_dir_all(&near.folder)?;
    let anew = rebuild(folder, &key, &near.region)?;
    let program = anew.program();
    let backups = program.json(&["backups"])?;
    assert_eq!(backups["count"], 1, "{backups}");
    let replica = session::text(&backups["backups"][0]["id"])?.to_owned();
    let to = folder.join("restored");
    program.run(&["restore", &replica, "--to", text(&to)])?;
    was.compare(&to)?;

    // The far one's folder is a store by itself, should only its disks be left.
    far.kill()?;
    anew.kill()?;
    fs::remove_dir_all(folder.join("anew"))?;
    let region = format!("far={}", text(&objects));
    let anew = rebuild(folder, &key, &region)?;
    let to = folder.join("restored from the folder");
    anew.program()
        .run(&["restore", &replica, "--to", text(&to)])?;
    was.compare(&to)
}

/// Ends the near service and starts it with another address of the region.
fn move_region(near: &mut Near, url: &str) -> Result<()> {
    near.kill()?;
    near.region = format!("far={url}");
    near.start_again()
}

#[test]
fn a_store_that_refuses_fails_the_copy_with_a_reason_and_harms_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let mut far = Far::start(folder)?;
    let (small, large) = (
        far.add_store("small", &["--quota", "1MiB"])?,
        far.add_store("large", &[])?,
    );
    let mut near = Near::start(folder, &far.url("small", &small))?;
    let was = Fingerprint::of(&near.share)?;
    let backup = near.program().last_line(&["backup", "files"])?;

    // Full.
    near.copy(&backup)?;
    let (good, why) = wait::until("the end of the copy", || near.ending())?;
    ensure!(!good && why.contains("full"), "{why}");
    // Another store's secret, and a store that is not there.
    for (store, secret) in [("large", &small), ("none", &large)] {
        move_region(&mut near, &far.url(store, secret))?;
        near.copy(&backup)?;
        let (good, why) = wait::until("the end of the copy", || near.ending())?;
        ensure!(!good && why.contains("credentials"), "{why}");
    }
    assert_eq!(files(&far.objects("large")), 0);
    // A new secret shuts out whoever has the one before.
    let renewed = folder.join("renewed.secret");
    let words = [
        "admin",
        "store",
        "renew-secret",
        "large",
        "--secret-file",
        text(&renewed),
    ];
    far.program().run(&words)?;
    let large = (far.url("large", &large), far.url("large", &renewed));
    move_region(&mut near, &large.0)?;
    near.copy(&backup)?;
    let (good, why) = wait::until("the end of the copy", || near.ending())?;
    ensure!(!good && why.contains("credentials"), "{why}");
    move_region(&mut near, &large.1)?;
    near.copy(&backup)?;
    let (good, why) = wait::until("the end of the copy", || near.ending())?;
    ensure!(good, "{why}");
    // The original is as it was.
    let to = folder.join("restored");
    near.program()
        .run(&["restore", &backup, "--to", text(&to)])?;
    was.compare(&to)?;
    let listed: Value = far.program().json(&["admin", "store", "list"])?;
    assert_eq!(listed[0]["name"], "large", "{listed}");
    ensure!(
        listed[0]["used_bytes"].as_u64() > Some(40 << 20),
        "{listed}"
    );
    far.kill()
}
