//! Who holds a lease: enough to tell that a process is surely gone, never that it is alive.

use std::{fs, process};

use crate::{
    codec::{Decoder, Encoder},
    error::Damage,
};

/// A process, named so that no other process on any machine is taken for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Name of the machine, for people.
    pub host: String,
    /// The kernel's id of this boot of the machine; empty if unknown.
    pub boot: String,
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
        let process = process::id();
        Self {
            host: line("/proc/sys/kernel/hostname"),
            boot: line("/proc/sys/kernel/random/boot_id"),
            process,
            started_ticks: started_ticks(process).unwrap_or_default(),
        }
    }

    /// Whether the process surely does not run any more, as seen from this machine.
    pub fn is_surely_gone(&self) -> bool {
        let here = Self::this_process();
        // Another boot id on a host of the same name may be another machine: that proves nothing.
        !self.boot.is_empty()
            && self.boot == here.boot
            && started_ticks(self.process) != Some(self.started_ticks)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(&self.host)
            .text(&self.boot)
            .u32(self.process)
            .u64(self.started_ticks);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let holder = Self {
            host: decoder.text()?.to_owned(),
            boot: decoder.text()?.to_owned(),
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
    fn this_process_is_not_gone_and_one_that_ended_is() {
        let here = Holder::this_process();
        assert!(!here.is_surely_gone());
        assert_eq!(Holder::decode(&here.encode()), Ok(here.clone()));
        assert!(
            Holder {
                started_ticks: here.started_ticks + 1,
                ..here.clone()
            }
            .is_surely_gone()
        );
        assert!(
            !Holder {
                boot: "another machine".to_owned(),
                ..here
            }
            .is_surely_gone()
        );
    }
}
