//! What the host of the logs does: processors, memory, network, and how full file systems are.
//!
//! The kernel counts from its start; what happens between two readings is their difference. Where
//! the kernel does not tell (it is no Linux), there is no reading, and nothing is guessed.

use std::{fs, io, path::Path};

use super::pressure::Pressure;

/// What the kernel has counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counted {
    /// Ticks of all processors in which something was done.
    pub busy_ticks: u64,
    /// Ticks of all processors.
    pub all_ticks: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Of these, bytes that programs may still have.
    pub memory_available: u64,
    /// Bytes that came over the network, not from this host itself.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
}

impl Counted {
    /// As it is now; `None` where the kernel does not tell.
    pub fn now() -> Option<Self> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{name}")).ok();
        Self::of(&read("stat")?, &read("meminfo")?, &read("net/dev")?)
    }

    fn of(stat: &str, meminfo: &str, net: &str) -> Option<Self> {
        let (busy_ticks, all_ticks) = ticks(stat)?;
        let (received, sent) = traffic(net);
        Some(Self {
            busy_ticks,
            all_ticks,
            memory: kibibytes(meminfo, "MemTotal:")?,
            memory_available: kibibytes(meminfo, "MemAvailable:")?,
            received,
            sent,
        })
    }

    /// Percent of the processors' time that was used since an earlier reading.
    pub fn processors_used_since(&self, earlier: &Self) -> u8 {
        let busy = self.busy_ticks.saturating_sub(earlier.busy_ticks);
        percent(busy, self.all_ticks.saturating_sub(earlier.all_ticks))
    }

    /// Percent of the memory that is used.
    pub fn memory_used(&self) -> u8 {
        percent(
            self.memory.saturating_sub(self.memory_available),
            self.memory,
        )
    }
}

fn percent(part: u64, whole: u64) -> u8 {
    let hundredths = u128::from(part) * 100 / u128::from(whole.max(1));
    u8::try_from(hundredths.min(100)).unwrap_or(100)
}

/// Busy ticks and all ticks of `/proc/stat`.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find(|line| line.starts_with("cpu "))?;
    // user nice system idle iowait irq softirq steal; what guests take is among the first two.
    let counts: Vec<u64> = line
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .map_while(|count| count.parse().ok())
        .collect();
    let [_, _, _, idle, waiting, ..] = counts[..] else {
        return None;
    };
    let all: u64 = counts.iter().sum();
    Some((all - idle - waiting, all))
}

fn kibibytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    let count: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    count.checked_mul(1024)
}

/// Received and sent bytes of all interfaces of `/proc/net/dev` but the one to this host itself.
fn traffic(net: &str) -> (u64, u64) {
    let interfaces = net.lines().filter_map(|line| line.split_once(':'));
    let others = interfaces.filter(|(name, _)| name.trim() != "lo");
    others.fold((0, 0), |(received, sent), (_, counts)| {
        let mut counts = counts.split_ascii_whitespace().map(str::parse::<u64>);
        let came = counts.next().and_then(Result::ok).unwrap_or_default();
        let went = counts.nth(7).and_then(Result::ok).unwrap_or_default();
        (received.saturating_add(came), sent.saturating_add(went))
    })
}

/// How full the file system of a path is.
pub fn pressure(path: &Path) -> io::Result<Pressure> {
    Ok(Pressure::of(fs::File::open(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 5 50 800 20 3 2 20 7 0\ncpu0 1 2 3\n";
    const MEMINFO: &str = "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     400 kB\n";
    const NET: &str = "Inter-|   Receive          |  Transmit\n face |bytes    packets\n\
        lo: 5 1 0 0 0 0 0 0 5 1\n  eth0: 700 9 0 0 0 0 0 0 300 4 0 0 0 0 0 0\n";

    #[test]
    fn what_the_kernel_writes_is_read() {
        let counted = Counted::of(STAT, MEMINFO, NET).unwrap();
        assert_eq!((counted.busy_ticks, counted.all_ticks), (180, 1000));
        assert_eq!(counted.memory, 1_024_000);
        assert_eq!(counted.memory_used(), 60);
        assert_eq!((counted.received, counted.sent), (700, 300));
        let later = Counted {
            busy_ticks: 230,
            all_ticks: 1200,
            ..counted
        };
        assert_eq!(later.processors_used_since(&counted), 25);
        assert_eq!(counted.processors_used_since(&counted), 0);
    }

    #[test]
    fn what_it_does_not_write_is_not_guessed() {
        assert_eq!(Counted::of("intr 1", MEMINFO, NET), None);
        assert_eq!(Counted::of("cpu 1 2", MEMINFO, NET), None);
        assert_eq!(Counted::of(STAT, "MemTotal: many kB", NET), None);
        assert!(Counted::now().is_some_and(|now| now.memory > 0));
    }
}
