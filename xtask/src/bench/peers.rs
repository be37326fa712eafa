//! The programs compared, and how each is told to do each thing.
//!
//! Every command is a line of shell with `{repo}`, `{src}` (the data), `{home}` (private settings),
//! `{out}` (an empty directory), `{one}` (a file below the data) and `{tag}` filled in. Peers run
//! at their defaults, encrypted.

use super::data::Dataset;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

/// A program and its ways.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    pub(super) command: fn(Step, Dataset) -> &'static str,
    /// Where below `{out}` the data lies after a restore.
    pub(super) restored: fn(Dataset) -> &'static str,
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "strongroom",
        variables: &[("STRONGROOM_KEY_FILE", "{home}/key")],
        command: |step, dataset| match (step, dataset) {
            (Step::Init, _) => "strongroom repo init {repo}",
            (Step::First | Step::NoChange | Step::Change, Dataset::D3) => {
                "strongroom repo backup {repo} {src}/disk.img --tag {tag}"
            }
            (Step::First | Step::NoChange | Step::Change, _) => {
                "strongroom repo backup {repo} {src} --tag {tag}"
            }
            (Step::List, _) => "strongroom repo list {repo}",
            (Step::One, Dataset::D3) => "strongroom repo cat {repo} s3 | cat",
            (Step::One, _) => "strongroom repo cat {repo} s3 {one} | cat",
            (Step::Restore, Dataset::D3) => "strongroom repo restore {repo} s3 --to {out}/disk.img",
            (Step::Restore, _) => "strongroom repo restore {repo} s3 --to {out}/tree",
            (Step::Check, _) => "strongroom repo check {repo} --read-data",
            (Step::Prune, _) => {
                "strongroom repo forget {repo} s1 s2 && strongroom repo collect {repo}"
            }
        },
        restored: |dataset| if dataset == Dataset::D3 { "" } else { "tree" },
    },
    Peer {
        name: "restic",
        variables: &[
            ("RESTIC_PASSWORD", "bench"),
            ("RESTIC_REPOSITORY", "{repo}"),
            ("RESTIC_CACHE_DIR", "{home}/cache"),
        ],
        command: |step, _| match step {
            Step::Init => "restic init -q",
            Step::First | Step::NoChange | Step::Change => "restic backup -q {src}",
            Step::List => "restic snapshots -q",
            Step::One => "restic dump latest {src}/{one} | cat",
            Step::Restore => "restic restore -q latest --target {out}",
            Step::Check => "restic check -q --read-data",
            Step::Prune => "restic forget -q --keep-last 1 --prune",
        },
        restored: |_| "{src}",
    },
    Peer {
        name: "borg",
        variables: &[
            ("BORG_PASSPHRASE", "bench"),
            ("BORG_REPO", "{repo}"),
            ("BORG_BASE_DIR", "{home}"),
            ("BORG_CHECK_I_KNOW_WHAT_I_AM_DOING", "YES"),
        ],
        command: |step, _| match step {
            Step::Init => "borg init -e repokey-blake2",
            Step::First | Step::NoChange | Step::Change => "cd {src} && borg create ::{tag} .",
            Step::List => "borg list",
            Step::One => "borg extract --stdout ::s3 {one} | cat",
            Step::Restore => "cd {out} && borg extract --sparse ::s3",
            Step::Check => "borg check --verify-data",
            Step::Prune => "borg prune --keep-last 1 && borg compact",
        },
        restored: |_| "",
    },
];
