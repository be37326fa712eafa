//! The Reed–Solomon code: parity shards of data shards, and data shards from what is left.
//!
//! Parity shard `j` is the sum of all data shards `i`, each times 1 / ((k + j) + i). Every square
//! part of that (Cauchy) matrix can be inverted, so any k of the k + m shards give back all.
//!
//! Invariant: k + m is at most 256, so that all the numbers in the matrix differ.

use super::field::{add_products, inverse, product};

/// Most shards of both kinds together.
pub(super) const SHARDS_MAX: usize = 256;

/// The factor of data shard `i` in parity shard `j`; both numbers add as elements of the field.
fn factor(data: usize, j: usize, i: usize) -> u8 {
    let element = |number: usize| u8::try_from(number).expect("shards are at most 256");
    inverse(element(data + j) ^ element(i))
}

/// The `parity` shards of these data shards, `len` bytes each; a data shard that is shorter counts
/// as followed by zeroes.
pub(super) fn encode(shards: &[&[u8]], parity: usize, len: usize) -> Vec<Vec<u8>> {
    let mut out = vec![vec![0; len]; parity];
    add_products(&mut out, shards, |j, i| factor(shards.len(), j, i));
    out
}

/// The data shards that are `None`, in their order, from the others and as many `parity` shards
/// (each with its number).
pub(super) fn solve(shards: &[Option<&[u8]>], parity: &[(usize, &[u8])]) -> Vec<Vec<u8>> {
    let lost: Vec<usize> = (0..shards.len()).filter(|i| shards[*i].is_none()).collect();
    assert_eq!(lost.len(), parity.len(), "one parity shard per lost one");
    // What the lost shards alone would have for parity.
    let mut rest: Vec<Vec<u8>> = parity.iter().map(|(_, shard)| shard.to_vec()).collect();
    let kept: Vec<&[u8]> = shards.iter().map(|shard| shard.unwrap_or(&[])).collect();
    add_products(&mut rest, &kept, |row, i| {
        factor(shards.len(), parity[row].0, i)
    });
    let matrix = parity
        .iter()
        .map(|(j, _)| lost.iter().map(|i| factor(shards.len(), *j, *i)).collect())
        .collect();
    let inverted = invert(matrix);
    let len = rest.first().map_or(0, Vec::len);
    let mut out = vec![vec![0; len]; lost.len()];
    let rest: Vec<&[u8]> = rest.iter().map(Vec::as_slice).collect();
    add_products(&mut out, &rest, |row, column| inverted[row][column]);
    out
}

/// The inverse of a square matrix of which every square part has one.
fn invert(mut matrix: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let size = matrix.len();
    for (row, line) in matrix.iter_mut().enumerate() {
        line.extend((0..size).map(|column| u8::from(row == column)));
    }
    for pivot in 0..size {
        // No row need be exchanged: the leading parts of the matrix have inverses, too.
        let scale = inverse(matrix[pivot][pivot]);
        for element in &mut matrix[pivot] {
            *element = product(*element, scale);
        }
        let line = matrix[pivot].clone();
        for (_, other) in matrix
            .iter_mut()
            .enumerate()
            .filter(|(row, _)| *row != pivot)
        {
            let scale = other[pivot];
            for (element, by) in other.iter_mut().zip(&line) {
                *element ^= product(*by, scale);
            }
        }
    }
    matrix
        .into_iter()
        .map(|mut line| line.split_off(size))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every subset of `of` numbers with `size` members, as bits.
    fn subsets(of: u32, size: u32) -> impl Iterator<Item = u32> {
        (0..1 << of).filter(move |set: &u32| set.count_ones() == size)
    }

    #[test]
    fn any_k_of_the_shards_give_back_all() {
        const LEN: usize = 5;
        for (k, m) in [(1, 1), (1, 3), (4, 2), (5, 4), (3, 5)] {
            let data: Vec<Vec<u8>> = (0..k)
                .map(|i| {
                    (0..LEN)
                        .map(|at| u8::try_from((i * 89 + at * 57 + 3) % 256).unwrap())
                        .collect()
                })
                .collect();
            let views: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
            let parity = encode(&views, m, LEN);
            for kept in subsets(u32::try_from(k + m).unwrap(), u32::try_from(k).unwrap()) {
                let here = |shard: usize| kept >> shard & 1 == 1;
                let shards: Vec<_> = (0..k).map(|i| here(i).then(|| views[i])).collect();
                let lost: Vec<usize> = (0..k).filter(|i| !here(*i)).collect();
                let left = (0..m).filter(|j| here(k + j));
                let left: Vec<_> = left.map(|j| (j, parity[j].as_slice())).collect();
                assert_eq!(left.len(), lost.len());
                let solved = solve(&shards, &left);
                let wanted: Vec<_> = lost.iter().map(|i| data[*i].clone()).collect();
                assert_eq!(solved, wanted, "{k} + {m}, kept {kept:b}");
            }
        }
    }

    #[test]
    fn the_largest_code_has_no_number_twice() {
        let shards = vec![[1_u8].as_slice(); 128];
        let parity = encode(&shards, SHARDS_MAX - shards.len(), 1);
        assert_eq!(parity.len(), 128);
    }
}
