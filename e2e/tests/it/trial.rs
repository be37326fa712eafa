//! `strongroom try`: the README's first command keeps its promises.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use strongroom_e2e::{binary, wait};
use tempfile::TempDir;

use crate::scene::listing;

/// A folder to try it on, and a folder that is the trial's only place for temporary files.
struct Stage {
    folder: TempDir,
}

impl Stage {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("mine/below"))?;
        for number in 0..40 {
            let path = folder.path().join(format!("mine/below/{number}.txt"));
            fs::write(path, strongroom_e2e::data::prose(number, 20_000))?;
        }
        fs::create_dir(folder.path().join("tmp"))?;
        Ok(Self { folder })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = binary::command();
        command.args(words).arg(self.folder.path().join("mine"));
        command.env("TMPDIR", self.temporary());
        command
    }

    fn temporary(&self) -> std::path::PathBuf {
        self.folder.path().join("tmp")
    }
}

#[test]
fn the_whole_main_job_runs_and_leaves_nothing_behind() -> Result<()> {
    let stage = Stage::new()?;
    let before = listing(stage.folder.path())?;
    let output = stage.command(&["try"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    let told = [
        "first backup",
        "second backup",
        "incremental",
        "\"backup\": {",
        "byte for byte",
        "stored",
        "nothing is left behind",
    ];
    for words in told {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    assert_eq!(listing(stage.folder.path())?, before);
    Ok(())
}

#[test]
fn a_program_gets_the_steps_as_json() -> Result<()> {
    let stage = Stage::new()?;
    let output = stage.command(&["--json", "try"]).output()?;
    let steps: Value = serde_json::from_slice(&output.stdout)?;
    let names: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["step"])
        .collect();
    let due = [
        "service",
        "data",
        "protect",
        "first backup",
        "first backup",
        "change",
    ];
    assert_eq!(names[..6], due);
    let second = &steps[7];
    assert_eq!(second["step"], "second backup");
    let bytes = |name: &str| second[name].as_u64().unwrap();
    assert!(
        bytes("unique_bytes") < bytes("logical_bytes") / 20,
        "{second}"
    );
    Ok(())
}

#[test]
fn kept_it_goes_on_and_says_where() -> Result<()> {
    let stage = Stage::new()?;
    let output = stage.command(&["--json", "try", "--keep"]).output()?;
    let left: Value = serde_json::from_slice(&output.stdout)?;
    let identity = left["endpoints"]["identity"].as_str().unwrap();
    let alive = reqwest::blocking::get(format!("{identity}/native/v1/health"))?;
    assert_eq!(alive.status(), 200);
    let data_dir = Path::new(left["data_dir"].as_str().unwrap());
    let backups = binary::Program::new(data_dir).json(&["backups"])?;
    assert!(backups["backups"].as_array().unwrap().len() >= 4);

    let pid = i32::try_from(left["pid"].as_i64().unwrap())?;
    let pid = Pid::from_raw(pid).unwrap();
    kill_process(pid, Signal::TERM)?;
    wait::until("the end of the kept service", || {
        let gone = rustix::process::test_kill_process(pid).is_err();
        // Nobody is left to take note of the end of an orphan in some containers.
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let dead = stat.map_or(true, |stat| stat.contains(") Z "));
        Ok((gone || dead).then_some(()))
    })
}

#[test]
fn interrupted_it_leaves_nothing_behind() -> Result<()> {
    let stage = Stage::new()?;
    let mut child = stage
        .command(&["try"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    wait::until("the trial's data", || {
        let image = listing(&stage.temporary())?;
        Ok(image
            .iter()
            .any(|name| name.ends_with("disk.img"))
            .then_some(()))
    })?;
    kill_process(Pid::from_child(&child), Signal::INT)?;
    let status = child.wait()?;
    assert!(!status.success());
    assert_eq!(listing(&stage.temporary())?, Vec::<String>::new());
    Ok(())
}
