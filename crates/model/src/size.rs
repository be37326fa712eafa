//! Amounts of data, with the unit in the type.

use std::{
    fmt,
    ops::{Add, AddAssign},
};

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Bytes(pub u64);

/// A number of GiB (the vendors write GB and count 2^30 bytes).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct GiB(pub u64);

impl Bytes {
    /// Whole MiB, rounded up: the unit of a vault's `billing.used`.
    pub const fn mib_ceil(self) -> u64 {
        self.0.div_ceil(1 << 20)
    }

    /// Whole GiB, rounded up: the unit of `resource_size`. A resource is never 0 GB on the wire.
    pub const fn gib_ceil(self) -> GiB {
        let gib = self.0.div_ceil(1 << 30);
        GiB(if gib == 0 { 1 } else { gib })
    }
}

impl GiB {
    /// The same amount in bytes; saturates.
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(1 << 30))
    }
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            if value < 1024.0 || unit == "TiB" {
                let digits = usize::from(unit != "B" && value < 100.0);
                return write!(f, "{value:.digits$} {unit}");
            }
            value /= 1024.0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up_to_the_vendors_units() {
        assert_eq!(Bytes(0).gib_ceil(), GiB(1));
        assert_eq!(Bytes((1 << 30) + 1).gib_ceil(), GiB(2));
        assert_eq!(Bytes(1).mib_ceil(), 1);
        assert_eq!(Bytes(1536).to_string(), "1.5 KiB");
        assert_eq!(Bytes(12).to_string(), "12 B");
    }
}
