//! Disk images as plain values: random sparse ones, and random writes to them.

use crate::{
    dice::Dice,
    tree::{Content, PAGE},
};

/// A sparse image of that size: some runs of data, some of them all zero.
pub fn random(seed: u64, size: u64) -> Content {
    let mut dice = Dice::new(seed);
    let mut image = Content {
        size,
        ..Content::default()
    };
    for _ in 0..3 + dice.below(8) {
        scribble(&mut image, &mut dice);
    }
    image
}

/// Writes, zeroes or frees a random part of the image, its size staying what it is.
pub fn scribble(image: &mut Content, dice: &mut Dice) {
    let at = dice.below(image.size.max(1)) / PAGE * PAGE;
    let most = (image.size - at).min(40 * PAGE);
    let count = usize::try_from(dice.below(most + 1)).expect("small");
    match dice.below(6) {
        0 => image.punch(at..at + most),
        1 => image.write(at, &vec![0; count]),
        2 => image.write(at, &vec![b'x'; count]),
        _ => image.write(at, &dice.bytes(count)),
    }
}

/// Whether both read the same, wherever their holes are.
pub fn same_bytes(a: &Content, b: &Content) -> bool {
    let mut edges: Vec<u64> = [a, b]
        .iter()
        .flat_map(|content| &content.data)
        .flat_map(|(at, run)| [*at, at + run.len() as u64])
        .collect();
    edges.sort_unstable();
    let is_hole = |content: &Content, at: u64| {
        let run = content.data.range(..=at).next_back();
        run.is_none_or(|(start, bytes)| start + bytes.len() as u64 <= at)
    };
    a.size == b.size
        && edges.windows(2).all(|edge| {
            if is_hole(a, edge[0]) && is_hole(b, edge[0]) {
                return true;
            }
            let length = usize::try_from(edge[1] - edge[0]).expect("data fits into memory");
            let (mut ours, mut theirs) = (vec![0; length], vec![0; length]);
            a.read(edge[0], &mut ours);
            b.read(edge[0], &mut theirs);
            ours == theirs
        })
}
