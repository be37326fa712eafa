//! Programs in Python, written from docs/format.md alone, against the golden repository and the
//! test vectors.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use strongroom_e2e::binary;

use crate::scene::text;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn golden(name: &str) -> PathBuf {
    root().join("fixtures/repository/v1").join(name)
}

/// What the reader prints.
fn read(words: &[&str]) -> Result<String> {
    let mut python = Command::new(binary::python("python"));
    python.arg(root().join("docs/read_repository.py"));
    python.args([golden("objects"), golden("key")]).args(words);
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = python.output()?;
    if !output.status.success() {
        bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn a_reader_written_from_the_document_reads_every_manifest_of_the_golden_repository() -> Result<()>
{
    let mut names = Vec::new();
    for expected in fs::read_dir(golden("expected"))? {
        let expected = expected?;
        let name = expected.file_name().into_string().ok().context("a name")?;
        let shown = read(&["show", &name])?;
        let mut shown: Vec<&str> = shown.lines().collect();
        shown.sort_unstable();
        let wanted = fs::read_to_string(expected.path())?;
        assert_eq!(shown, wanted.lines().collect::<Vec<_>>(), "{name}");
        names.push(name);
    }
    names.sort();
    let listed = read(&["list"])?;
    let listed: Vec<&str> = listed.lines().map(|line| &line[..32]).collect();
    assert_eq!(listed, names);
    Ok(())
}

#[test]
fn the_test_vectors_follow_from_the_document() -> Result<()> {
    let mut python = Command::new(binary::python("python"));
    python.arg(root().join("fixtures/vectors/check.py"));
    let output = python.env("PYTHONDONTWRITEBYTECODE", "1").output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[test]
fn a_reader_written_from_the_document_restores_what_the_engine_restores() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = folder.path().join("repository");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(golden("objects"))
        .arg(&repository)
        .status()?;
    assert!(copied.success());
    let cat = |words: &[&str]| -> Result<Vec<u8>> {
        let mut command = binary::command();
        command.args(["repo", "cat", text(&repository)]).args(words);
        command.env("STRONGROOM_KEY_FILE", golden("key"));
        let output = command.output()?;
        if !output.status.success() {
            bail!("cat {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    };
    for (at, line) in read(&["list"])?.lines().enumerate() {
        let (name, target) = (&line[..32], folder.path().join(at.to_string()));
        read(&["restore", name, text(&target)])?;
        if line.contains(" volume ") {
            assert_eq!(fs::read(&target)?, cat(&[name])?);
        } else {
            for path in ["empty", "random", "sparse", "text", "many/300"] {
                assert_eq!(fs::read(target.join(path))?, cat(&[name, path])?, "{path}");
            }
        }
    }
    Ok(())
}
