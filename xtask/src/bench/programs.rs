//! The programs compared, and how each is told to do each thing.
//!
//! Every command is a line of shell with `{repo}`, `{src}` (the data), `{home}` (private settings),
//! `{out}` (an empty directory), `{one}` (a file below the data), `{offset}` and `{length}` (the
//! part of it that is wanted; `{from}` counts from 1) and `{tag}` filled in. Peers run at their
//! defaults, encrypted.
//!
//! Invariant: what a program fetches lands in `{out}`, so that its bytes can be compared.

use super::data::Dataset;

/// A workload.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Init,
    First,
    NoChange,
    Change,
    List,
    One,
    Restore,
    Check,
    Prune,
}

impl Step {
    pub(super) const ALL: [Self; 9] = [
        Self::Init,
        Self::First,
        Self::NoChange,
        Self::Change,
        Self::List,
        Self::One,
        Self::Restore,
        Self::Check,
        Self::Prune,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::First => "first backup",
            Self::NoChange => "no change",
            Self::Change => "change",
            Self::List => "list",
            Self::One => "one file",
            Self::Restore => "restore",
            Self::Check => "check all bytes",
            Self::Prune => "forget + collect",
        }
    }

    /// The name under which the step saves, if it saves.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::First => "s1",
            Self::NoChange => "s2",
            _ => "s3",
        }
    }

    /// Whether the repository's size afterwards says something.
    pub(super) const fn writes(self) -> bool {
        matches!(
            self,
            Self::First | Self::NoChange | Self::Change | Self::Prune
        )
    }
}

/// What a program is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Our own.
    Ours,
    /// The yardstick: no links, no history, no check.
    Bare,
    /// A program that people use.
    Peer,
}

/// A program and its ways.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) version: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// The shell line of a step; `None` where the program has nothing like it.
    pub(super) command: fn(Step, Dataset) -> Option<&'static str>,
    /// Where below `{out}` the data lies after a restore.
    pub(super) restored: fn(Dataset) -> &'static str,
}

pub(super) const PROGRAMS: &[Program] = &[
    Program {
        name: "strongroom",
        role: Role::Ours,
        version: "strongroom --version",
        variables: &[("STRONGROOM_KEY_FILE", "{home}/key")],
        command: |step, dataset| Some(strongroom(step, dataset)),
        restored: |dataset| if dataset == Dataset::D3 { "" } else { "tree" },
    },
    Program {
        name: "bare pipeline",
        role: Role::Bare,
        version: "limits --help | head -1",
        variables: &[],
        command: bare,
        restored: |_| "",
    },
    Program {
        name: "restic",
        role: Role::Peer,
        version: "restic version",
        variables: &[
            ("RESTIC_PASSWORD", "bench"),
            ("RESTIC_REPOSITORY", "{repo}"),
            ("RESTIC_CACHE_DIR", "{home}/cache"),
        ],
        command: |step, dataset| Some(restic(step, dataset)),
        restored: |_| "{src}",
    },
    Program {
        name: "rustic",
        role: Role::Peer,
        version: "rustic --version",
        variables: &[
            ("HOME", "{home}"),
            ("RUSTIC_PASSWORD", "bench"),
            ("RUSTIC_REPOSITORY", "{repo}"),
            ("RUSTIC_CACHE_DIR", "{home}/cache"),
            ("RUSTIC_NO_PROGRESS", "true"),
            ("RUSTIC_LOG_LEVEL", "error"),
        ],
        command: |step, dataset| Some(rustic(step, dataset)),
        restored: |_| "",
    },
    Program {
        name: "borg",
        role: Role::Peer,
        version: "borg --version",
        variables: &[
            ("BORG_PASSPHRASE", "bench"),
            ("BORG_REPO", "{repo}"),
            ("BORG_BASE_DIR", "{home}"),
            ("BORG_CHECK_I_KNOW_WHAT_I_AM_DOING", "YES"),
        ],
        command: |step, dataset| Some(borg(step, dataset)),
        restored: |_| "",
    },
    Program {
        name: "bupstash",
        role: Role::Peer,
        version: "bupstash version",
        variables: BUPSTASH,
        command: |step, dataset| match step {
            Step::First | Step::NoChange | Step::Change => Some("bupstash put -q name={tag} {src}"),
            _ => bupstash(step, dataset),
        },
        restored: |_| "",
    },
    Program {
        name: "bupstash lz4",
        role: Role::Peer,
        version: "bupstash version",
        variables: BUPSTASH,
        command: |step, dataset| match step {
            Step::First | Step::NoChange | Step::Change => {
                Some("bupstash put -q --compression lz4 name={tag} {src}")
            }
            _ => bupstash(step, dataset),
        },
        restored: |_| "",
    },
];

const BUPSTASH: &[(&str, &str)] = &[
    ("BUPSTASH_REPOSITORY", "{repo}"),
    ("BUPSTASH_KEY", "{home}/key"),
    ("BUPSTASH_SEND_LOG", "{home}/send.log"),
    ("BUPSTASH_QUERY_CACHE", "{home}/query.cache"),
];

fn strongroom(step: Step, dataset: Dataset) -> &'static str {
    match (step, dataset) {
        (Step::Init, _) => "strongroom repo init {repo}",
        (Step::First | Step::NoChange | Step::Change, Dataset::D3) => {
            "strongroom repo backup {repo} {src}/disk.img --tag {tag}"
        }
        (Step::First | Step::NoChange | Step::Change, _) => {
            "strongroom repo backup {repo} {src} --tag {tag}"
        }
        (Step::List, _) => "strongroom repo list {repo}",
        (Step::One, Dataset::D3) => {
            "strongroom repo cat {repo} s3 --offset {offset} --length {length} > {out}/one"
        }
        (Step::One, _) => "strongroom repo cat {repo} s3 {one} > {out}/one",
        (Step::Restore, Dataset::D3) => "strongroom repo restore {repo} s3 --to {out}/disk.img",
        (Step::Restore, _) => "strongroom repo restore {repo} s3 --to {out}/tree",
        (Step::Check, _) => "strongroom repo check {repo} --read-data",
        (Step::Prune, _) => "strongroom repo forget {repo} s1 s2 && strongroom repo collect {repo}",
    }
}

fn bare(step: Step, _: Dataset) -> Option<&'static str> {
    match step {
        Step::Init => Some("mkdir {repo}"),
        Step::First | Step::Change => Some("limits forward {src} {repo}/{tag}"),
        Step::Restore => Some("limits reverse {repo}/s3 {out}"),
        _ => None,
    }
}

fn restic(step: Step, dataset: Dataset) -> &'static str {
    match (step, dataset) {
        (Step::Init, _) => "restic init -q",
        (Step::First | Step::NoChange | Step::Change, _) => "restic backup -q {src}",
        (Step::List, _) => "restic snapshots -q",
        // Cut off in the middle it leaves its lock behind, at which its check would stop.
        (Step::One, Dataset::D3) => {
            "set +o pipefail; restic dump latest {src}/{one} | tail -c +{from} | \
             head -c {length} > {out}/one; restic unlock -q"
        }
        (Step::One, _) => "restic dump latest {src}/{one} > {out}/one",
        (Step::Restore, _) => "restic restore -q latest --target {out}",
        (Step::Check, _) => "restic check -q --read-data",
        (Step::Prune, _) => "restic forget -q --keep-last 1 --prune",
    }
}

fn rustic(step: Step, dataset: Dataset) -> &'static str {
    match (step, dataset) {
        (Step::Init, _) => "rustic init",
        (Step::First | Step::NoChange | Step::Change, _) => "rustic backup {src}",
        (Step::List, _) => "rustic snapshots",
        (Step::One, Dataset::D3) => {
            "set +o pipefail; rustic dump latest:{src}/{one} | tail -c +{from} | \
             head -c {length} > {out}/one"
        }
        (Step::One, _) => "rustic dump latest:{src}/{one} > {out}/one",
        (Step::Restore, _) => "rustic restore latest:{src} {out}",
        (Step::Check, _) => "rustic check --read-data",
        // By default it deletes a day later; this is what makes it comparable.
        (Step::Prune, _) => {
            "rustic forget --keep-last 1 --prune --instant-delete --keep-delete 0s --keep-pack 0s"
        }
    }
}

fn borg(step: Step, dataset: Dataset) -> &'static str {
    match (step, dataset) {
        (Step::Init, _) => "borg init -e repokey-blake2",
        (Step::First | Step::NoChange | Step::Change, _) => "cd {src} && borg create ::{tag} .",
        (Step::List, _) => "borg list",
        (Step::One, Dataset::D3) => {
            "set +o pipefail; borg extract --stdout ::s3 {one} | tail -c +{from} | \
             head -c {length} > {out}/one"
        }
        (Step::One, _) => "borg extract --stdout ::s3 {one} > {out}/one",
        (Step::Restore, _) => "cd {out} && borg extract --sparse ::s3",
        (Step::Check, _) => "borg check --verify-data",
        (Step::Prune, _) => "borg prune --keep-last 1 && borg compact",
    }
}

/// What does not depend on the compression; it has no check.
fn bupstash(step: Step, dataset: Dataset) -> Option<&'static str> {
    match (step, dataset) {
        (Step::Init, _) => Some("bupstash init && bupstash new-key -o {home}/key"),
        (Step::List, _) => Some("bupstash list"),
        (Step::One, Dataset::D3) => Some(
            "set +o pipefail; bupstash get -q --pick {one} name={tag} | tail -c +{from} | \
             head -c {length} > {out}/one",
        ),
        (Step::One, _) => Some("bupstash get -q --pick {one} name={tag} > {out}/one"),
        (Step::Restore, _) => Some("bupstash restore -q --into {out} name={tag}"),
        (Step::Prune, _) => {
            Some("bupstash rm -q name=s1 && bupstash rm -q name=s2 && bupstash gc -q")
        }
        _ => None,
    }
}
