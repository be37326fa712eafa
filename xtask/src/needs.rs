//! What the tests need beside Rust, and how it gets onto this machine.
//!
//! Two kinds: Python packages, which go into a virtual environment below `target/` and so need no
//! rights and leave nothing behind, and Debian packages, which are installed only as root. What
//! cannot be installed is named with the command that would do it.
//!
//! Invariant: a test never skips because a tool is missing; the task fails before it starts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace::{on_path, output, root, run, scratch};

/// A program and the Debian packages that bring it, divided by blanks.
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
}

/// What the tests call.
pub(crate) const FOR_TESTS: &[Tool] = &[
    Tool {
        program: "git",
        package: "git",
    },
    Tool {
        program: "python3",
        package: "python3-venv",
    },
    Tool {
        program: "setfacl",
        package: "acl",
    },
    Tool {
        program: "setfattr",
        package: "attr",
    },
    Tool {
        program: "mariadb-install-db",
        package: "mariadb-server",
    },
    Tool {
        program: "mariadb-backup",
        package: "mariadb-backup",
    },
    Tool {
        // A plugin is no program; this is where it lies beside /usr/bin.
        program: "../lib/mysql/plugin/ha_spider.so",
        package: "mariadb-plugin-spider",
    },
    Tool {
        // Debian keeps several versions beside each other; of release 12 it is this one.
        program: "../lib/postgresql/15/bin/postgres",
        package: "postgresql-15",
    },
    Tool {
        program: "../share/postgresql/15/extension/pgaudit.control",
        package: "postgresql-15-pgaudit",
    },
    Tool {
        program: "qemu-img",
        package: "qemu-utils",
    },
    Tool {
        program: "strace",
        package: "strace",
    },
];

/// What the benchmark's peers are, or are built with.
pub(crate) const FOR_BENCH: &[Tool] = &[
    Tool {
        program: "restic",
        package: "restic",
    },
    Tool {
        program: "python3",
        package: "python3-venv",
    },
    Tool {
        program: "pkg-config",
        package: "pkg-config libsodium-dev",
    },
];

/// Installs the tools that are missing, or says which are and how to get them.
pub(crate) fn tools(wanted: &[Tool]) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|tool| !on_path(tool.program))
        .flat_map(|tool| tool.package.split(' '))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    if !is_root() || !on_path("apt-get") {
        bail!(
            "missing on this machine: {}; as root: {by_hand}",
            missing.join(", ")
        );
    }
    let wait = "DPkg::Lock::Timeout=590";
    run(Command::new("apt-get").args(["-o", wait, "-qq", "update"]))?;
    run(Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args([
            "-o",
            wait,
            "-qq",
            "-y",
            "--no-install-recommends",
            "install",
        ])
        .args(&missing))
    .with_context(|| format!("could not install what is missing; by hand: {by_hand}"))
}

/// The virtual environment with the vendors' clients, made or brought up to date.
pub(crate) fn python() -> Result<PathBuf> {
    let venv = scratch().join("venv");
    let list = root().join("e2e/python/requirements.txt");
    let wanted =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    // The list's copy beside the environment says what is installed; it is written last.
    let stamp = venv.join("strongroom-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(venv);
    }
    if venv.exists() {
        fs::remove_dir_all(&venv).context("cannot remove the outdated virtual environment")?;
    }
    install(&venv, &list).with_context(|| {
        format!(
            "the vendors' clients could not be installed; by hand: python3 -m venv {0} && \
             {0}/bin/pip install -r e2e/python/requirements.txt",
            venv.display()
        )
    })?;
    fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(venv)
}

fn install(venv: &Path, list: &Path) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    run(Command::new(venv.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(list))
}

/// Whether `cargo nextest` can be called.
pub(crate) fn has_nextest() -> bool {
    let mut probe = crate::workspace::cargo();
    probe
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
