//! Cuts a buffer where its content says so: a gear hash with normalised masks, without a key.
//!
//! Fewer cuts before the wanted average and more behind it keep the lengths close to it; the first
//! quarter of the average is skipped, which is a quarter of the work saved.

const GEAR: [u64; 256] = gear();

const fn gear() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state: u64 = 0x5ca1_ab1e;
    let mut at = 0;
    while at < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[at] = mixed ^ (mixed >> 31);
        at += 1;
    }
    table
}

/// The length of the first chunk of `bytes`; `average` is a power of two.
pub(crate) fn first(bytes: &[u8], average: usize) -> usize {
    let (least, most) = (average / 4, bytes.len().min(average * 4));
    if most <= least {
        return most;
    }
    let bits = average.trailing_zeros();
    // The high bits of the hash depend on the most bytes.
    let (rare, frequent) = (64 - (bits + 1), 64 - (bits - 1));
    let middle = average.min(most);
    let mut hash: u64 = 0;
    for (at, byte) in bytes[least..middle].iter().enumerate() {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if hash >> rare == 0 {
            return least + at + 1;
        }
    }
    for (at, byte) in bytes[middle..most].iter().enumerate() {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if hash >> frequent == 0 {
            return middle + at + 1;
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut state: u64 = 9;
        let mut step = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        };
        (0..len).map(|_| step()).collect()
    }

    fn lengths(mut bytes: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        while !bytes.is_empty() {
            lengths.push(first(bytes, 4096));
            bytes = &bytes[lengths[lengths.len() - 1]..];
        }
        lengths
    }

    #[test]
    fn chunks_keep_to_their_bounds_and_near_the_average() {
        let lengths = lengths(&noise(2 << 20));
        let (last, others) = lengths.split_last().unwrap();
        assert!(others.iter().all(|length| (1024..=16_384).contains(length)));
        assert!((1..=16_384).contains(last));
        let mean = (2 << 20) / lengths.len();
        assert!((3000..7000).contains(&mean), "{mean}");
    }

    #[test]
    fn an_insertion_moves_the_cuts_behind_it_and_no_others() {
        let old = noise(1 << 20);
        let mut new = old.clone();
        new.splice(300_000..300_000, *b"inserted");
        let (old, new) = (lengths(&old), lengths(&new));
        let same_at_front = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let same_at_end = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(same_at_front + same_at_end + 4 > old.len());
    }
}
