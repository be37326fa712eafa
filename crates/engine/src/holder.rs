//! Who holds a lease: enough to tell that a process is surely gone, never that it is alive.
//!
//! A wrong answer costs no data: whoever is taken for gone is fenced off, and its commit fails.

use std::{fs, process};

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};

use crate::{
    codec::{Decoder, Encoder},
    error::Damage,
};

/// A process, named so that no other process on any machine is taken for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Name of the machine, for people.
    pub host: String,
    /// The machine's id, the same after a reboot; empty if unknown.
    pub machine: String,
    /// The kernel's id of this boot; empty if unknown.
    pub boot: String,
    /// The namespace in which the process id means something; empty if unknown.
    pub namespace: String,
    /// Process id.
    pub process: u32,
    /// When the process started, in clock ticks after boot; tells a reused process id apart.
    pub started_ticks: u64,
}

impl Holder {
    /// The calling process.
    pub fn this_process() -> Self {
        let line = |path| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let process = process::id();
        Self {
            host: line("/proc/sys/kernel/hostname"),
            machine: line("/etc/machine-id"),
            boot: line("/proc/sys/kernel/random/boot_id"),
            namespace: namespace.to_string_lossy().into_owned(),
            process,
            started_ticks: started_ticks(process).unwrap_or_default(),
        }
    }

    /// Whether the process surely does not run any more, as seen from this process.
    pub fn is_surely_gone(&self) -> bool {
        let here = Self::this_process();
        if self.boot.is_empty() || here.boot.is_empty() {
            return false;
        }
        if self.boot != here.boot {
            // Another boot of this machine ended all its processes; another machine says nothing.
            return !self.machine.is_empty() && self.machine == here.machine;
        }
        !self.namespace.is_empty() && self.namespace == here.namespace && !self.runs_here()
    }

    /// Whether the process runs, if it is one of this boot and namespace; yes if in doubt.
    fn runs_here(&self) -> bool {
        let Some(pid) = i32::try_from(self.process).ok().and_then(Pid::from_raw) else {
            return true;
        };
        test_kill_process(pid) != Err(Errno::SRCH)
            && started_ticks(self.process).is_none_or(|ticks| ticks == self.started_ticks)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(&self.host)
            .text(&self.machine)
            .text(&self.boot)
            .text(&self.namespace);
        out.u32(self.process).u64(self.started_ticks);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let holder = Self {
            host: decoder.text()?.to_owned(),
            machine: decoder.text()?.to_owned(),
            boot: decoder.text()?.to_owned(),
            namespace: decoder.text()?.to_owned(),
            process: decoder.u32()?,
            started_ticks: decoder.u64()?,
        };
        decoder.finish()?;
        Ok(holder)
    }
}

/// Field 22 of the process's status line; the second field may itself hold spaces and brackets.
fn started_ticks(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_only_if_this_machine_can_tell() {
        let here = Holder {
            machine: "m".to_owned(),
            ..Holder::this_process()
        };
        let other = |text: &str| text.to_owned();
        assert_eq!(Holder::decode(&here.encode()), Ok(here.clone()));
        assert!(!here.is_surely_gone());
        let reused = Holder {
            started_ticks: here.started_ticks + 1,
            ..here.clone()
        };
        assert!(reused.is_surely_gone());
        let elsewhere = Holder {
            namespace: other("pid:[1]"),
            ..reused.clone()
        };
        assert!(
            !elsewhere.is_surely_gone(),
            "another container's processes cannot be seen"
        );
        let ended = Holder {
            process: 0x3fff_ffff,
            ..here.clone()
        };
        assert!(ended.is_surely_gone());
        assert!(
            !Holder {
                boot: other("b"),
                ..here.clone()
            }
            .is_surely_gone()
        );
        assert!(
            !Holder {
                boot: String::new(),
                ..ended
            }
            .is_surely_gone()
        );
    }

    #[test]
    fn a_reboot_ends_every_process_of_the_machine() {
        let here = Holder::this_process();
        let before = Holder {
            boot: "before".to_owned(),
            ..here
        };
        assert_eq!(before.is_surely_gone(), !before.machine.is_empty());
    }
}
