//! The system gives no more: files may not grow, descriptors run out. Every such end is an error
//! that says what failed, nothing acknowledged is lost, and a clean run afterwards succeeds.
//!
//! The kernel itself refuses, by the limits of the process: what is tested is every layer from the
//! system call to the message.

use std::process::{Command, Output};

use anyhow::{Result, ensure};
use strongroom_e2e::{binary, fingerprint::Fingerprint};

use crate::repository::Workshop;

/// Runs `repo …` under a limit of the shell's.
fn limited(shop: &Workshop, limit: &str, words: &[&str]) -> Result<Output> {
    let script = format!("trap '' XFSZ; ulimit {limit}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(binary::path());
    shell.arg("repo").args(words);
    shell.env("STRONGROOM_KEY_FILE", shop.place("key"));
    Ok(shell.output()?)
}

fn said(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_restore_into_a_target_that_fills_is_an_error_that_names_the_target() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    shop.run(&["backup", &repo, &shop.path("files"), "--tag", "files"])?;
    shop.run(&["backup", &repo, &shop.path("disk.img"), "--tag", "disk"])?;
    for (tag, source) in [("files", "files"), ("disk", "disk.img")] {
        let to = shop.path(&format!("short of {tag}"));
        let output = limited(&shop, "-f 16", &["restore", &repo, tag, "--to", &to])?;
        let said = said(&output);
        ensure!(!output.status.success(), "{tag} was restored into no room");
        ensure!(said.contains("too large"), "{tag}: {said}");
        let print = match tag {
            "files" => Fingerprint::of(&shop.place(source))?,
            _ => Fingerprint::of_disk(&shop.place(source))?,
        };
        let again = shop.path(&format!("room for {tag}"));
        shop.run(&["restore", &repo, tag, "--to", &again])?;
        print.compare(again.as_ref())?;
    }
    Ok(())
}

#[test]
fn a_save_into_a_store_that_fills_fails_and_the_next_one_succeeds() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    shop.run(&["backup", &repo, &shop.path("disk.img"), "--tag", "disk"])?;
    let save = ["backup", &repo, &shop.path("files"), "--tag", "files"];
    let output = limited(&shop, "-f 16", &save)?;
    ensure!(!output.status.success(), "a save succeeded without room");
    ensure!(said(&output).contains("too large"), "{}", said(&output));
    shop.run(&["check", &repo, "--read-data"])?;
    shop.run(&save)?;
    let to = shop.path("restored");
    shop.run(&["restore", &repo, "files", "--to", &to])?;
    Fingerprint::of(&shop.place("files"))?.compare(to.as_ref())?;
    shop.run(&["restore", &repo, "disk", "--to", &shop.path("disk again")])?;
    Fingerprint::of_disk(&shop.place("disk.img"))?.compare(&shop.place("disk again"))
}

#[test]
fn too_few_descriptors_are_an_error_or_enough_and_never_a_hole() -> Result<()> {
    let shop = Workshop::new()?;
    let repo = shop.repository();
    let files = shop.path("files");
    let print = Fingerprint::of(&shop.place("files"))?;
    for count in [6, 8, 10, 12, 14, 16, 20, 24] {
        let (limit, tag) = (format!("-n {count}"), format!("of {count}"));
        let save = limited(&shop, &limit, &["backup", &repo, &files, "--tag", &tag])?;
        if !save.status.success() {
            let said = said(&save);
            ensure!(
                said.contains("open files") || said.contains("shared librar"),
                "{count} descriptors: {said}"
            );
            // What is listed without an acknowledgement says that it is not complete.
            shop.run(&["backup", &repo, &files, "--tag", &tag])?;
        }
        let to = shop.path(&format!("to {count}"));
        let restore = limited(&shop, &limit, &["restore", &repo, &tag, "--to", &to])?;
        if restore.status.success() {
            print.compare(to.as_ref())?;
        } else {
            let said = said(&restore);
            ensure!(
                said.contains("open files") || said.contains("shared librar"),
                "{count} descriptors: {said}"
            );
        }
    }
    shop.run(&["check", &repo, "--read-data"])?;
    Ok(())
}
