//! How full the file system of a directory of logs is.
//!
//! Databases and their keepers delete the oldest logs when room runs short; whoever backs them up
//! must come before that.

use std::os::fd::AsFd;

/// Percent used at which logs are backed up at once: early enough before the usual 85, at which
/// the oldest ones go.
pub const HURRY_PERCENT: u8 = 80;

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// Bytes in all.
    pub total: u64,
    /// Bytes that a program without special rights may still write.
    pub free: u64,
}

impl Pressure {
    pub(super) fn of(directory: impl AsFd) -> rustix::io::Result<Self> {
        let said = rustix::fs::fstatvfs(directory)?;
        Ok(Self {
            total: said.f_blocks.saturating_mul(said.f_frsize),
            free: said.f_bavail.saturating_mul(said.f_frsize),
        })
    }

    /// Percent that are used, rounded up: what counts is how soon it is full.
    pub fn used_percent(&self) -> u8 {
        if self.total == 0 {
            return 0;
        }
        let used = u128::from(self.total.saturating_sub(self.free));
        let percent = (used * 100).div_ceil(u128::from(self.total));
        u8::try_from(percent).unwrap_or(100)
    }

    /// Whether it is fuller than `percent`.
    pub fn is_above(&self, percent: u8) -> bool {
        self.used_percent() > percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_used_is_rounded_up() {
        let of = |total, free| Pressure { total, free }.used_percent();
        assert_eq!(of(1000, 200), 80);
        assert_eq!(of(1000, 199), 81);
        assert_eq!(of(1000, 1000), 0);
        assert_eq!(of(1000, 0), 100);
        assert_eq!(of(0, 0), 0);
        let tight = Pressure {
            total: 1000,
            free: 199,
        };
        assert!(tight.is_above(HURRY_PERCENT) && !tight.is_above(81));
    }
}
