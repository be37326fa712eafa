//! Arithmetic of GF(256), the field that parity is computed in: x⁸ + x⁴ + x³ + x² + 1.
//!
//! Single elements go through tables. Long runs of bytes are multiplied by doubling: the eight
//! doublings of a block are made once and then added up for every factor, which compilers turn
//! into vector code on every processor, with no table in the way and nothing unsafe.

/// Bytes that are worked on at once; eight doublings of them fit a first-level cache.
const BLOCK: usize = 2048;
/// What is left of x⁸ when it is reduced.
const REDUCED: u8 = 0x1d;
const TABLES: Tables = Tables::new();

struct Tables {
    power: [u8; 510],
    log: [u8; 256],
}

impl Tables {
    const fn new() -> Self {
        let (mut power, mut log) = ([0; 510], [0; 256]);
        let (mut at, mut element) = (0_u8, 1_u8);
        while at < 255 {
            power[at as usize] = element;
            power[at as usize + 255] = element;
            log[element as usize] = at;
            element = double(element);
            at += 1;
        }
        Self { power, log }
    }
}

const fn double(element: u8) -> u8 {
    (element << 1) ^ (REDUCED * (element >> 7))
}

/// The product of two elements.
pub(super) fn product(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    let log = |element: u8| usize::from(TABLES.log[usize::from(element)]);
    TABLES.power[log(a) + log(b)]
}

/// What gives 1 when multiplied by `element`, which is not 0.
pub(super) fn inverse(element: u8) -> u8 {
    assert_ne!(element, 0, "zero has no inverse");
    TABLES.power[255 - usize::from(TABLES.log[usize::from(element)])]
}

/// Adds to each row of `out` the sum of `inputs`, input `i` times `factor(row, i)`. Rows have one
/// length; an input that is shorter counts as followed by zeroes.
pub(super) fn add_products(
    out: &mut [Vec<u8>],
    inputs: &[&[u8]],
    factor: impl Fn(usize, usize) -> u8,
) {
    let len = out.first().map_or(0, Vec::len);
    let mut doublings = Doublings([[0; BLOCK]; 8]);
    for start in (0..len).step_by(BLOCK) {
        for (column, input) in inputs.iter().enumerate() {
            let end = (start + BLOCK).min(input.len()).min(len);
            let Some(block) = input.get(start..end).filter(|block| !block.is_empty()) else {
                continue;
            };
            doublings.fill(block);
            for (row, out) in out.iter_mut().enumerate() {
                doublings.add(factor(row, column), &mut out[start..end]);
            }
        }
    }
}

/// A block of bytes times 1, 2, 4 … 128.
struct Doublings([[u8; BLOCK]; 8]);

impl Doublings {
    fn fill(&mut self, block: &[u8]) {
        self.0[0][..block.len()].copy_from_slice(block);
        for power in 1..8 {
            let (done, rest) = self.0.split_at_mut(power);
            for (to, from) in rest[0].iter_mut().zip(&done[power - 1]) {
                *to = double(*from);
            }
        }
    }

    fn add(&self, factor: u8, out: &mut [u8]) {
        for (bit, doubling) in self.0.iter().enumerate() {
            if factor >> bit & 1 == 1 {
                for (to, from) in out.iter_mut().zip(doubling) {
                    *to ^= from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplication as it is defined: shift, add, reduce.
    fn by_hand(a: u8, b: u8) -> u8 {
        let mut product = 0_u16;
        for bit in 0..8 {
            if b >> bit & 1 == 1 {
                product ^= u16::from(a) << bit;
            }
        }
        for bit in (8..15).rev() {
            if product >> bit & 1 == 1 {
                product ^= 0x11d << (bit - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn products_and_inverses_are_those_of_the_field() {
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(product(a, b), by_hand(a, b), "{a} × {b}");
            }
            assert!(a == 0 || by_hand(a, inverse(a)) == 1, "{a}");
        }
    }

    #[test]
    fn long_rows_are_multiplied_byte_by_byte() {
        let input: Vec<u8> = (0..2 * BLOCK + 77)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let short = &input[..BLOCK + 5];
        let mut out = vec![vec![7; input.len()]; 2];
        let factor = |row: usize, column: usize| [[3, 0x8e], [0, 255]][row][column];
        add_products(&mut out, &[&input, short], factor);
        for (row, out) in out.iter().enumerate() {
            for (at, found) in out.iter().enumerate() {
                let second = short.get(at).copied().unwrap_or(0);
                let sum = by_hand(factor(row, 0), input[at]) ^ by_hand(factor(row, 1), second);
                assert_eq!(*found, 7 ^ sum);
            }
        }
    }
}
