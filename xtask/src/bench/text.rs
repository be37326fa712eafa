//! Text that compresses as people's data does: source code, SQL rows, log lines.

use std::fmt::Write as _;

use super::random::Random;

/// A vocabulary of made-up words.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn new(random: &mut Random, count: usize) -> Self {
        const PARTS: [&str; 24] = [
            "al", "ber", "con", "dri", "el", "fo", "gra", "hin", "in", "jo", "ket", "lo", "mar",
            "ne", "or", "pre", "qua", "ri", "ste", "tor", "un", "ver", "wi", "zo",
        ];
        let word = |random: &mut Random| {
            (0..2 + random.below(3)).fold(String::new(), |word, _| {
                word + PARTS[usize::try_from(random.below(24)).unwrap_or(0)]
            })
        };
        Self((0..count).map(|_| word(random)).collect())
    }

    pub(super) fn draw(&self, random: &mut Random) -> &str {
        let at = random.skewed(self.0.len() as u64);
        &self.0[usize::try_from(at).unwrap_or(0)]
    }
}

/// About `len` bytes that look like a program's source.
pub(super) fn source(random: &mut Random, words: &Words, len: usize) -> Vec<u8> {
    let mut text = String::with_capacity(len + 128);
    while text.len() < len {
        let indent = " ".repeat(usize::try_from(random.below(4)).unwrap_or(0) * 4);
        let (a, b, c) = (words.draw(random), words.draw(random), words.draw(random));
        let number = random.next() % 5000;
        let _ = match random.below(5) {
            0 => writeln!(text, "{indent}fn {a}_{b}({c}: usize) -> Result<{a}> {{"),
            1 => writeln!(text, "{indent}let {a} = {b}.{c}({number})?;"),
            2 => writeln!(
                text,
                "{indent}// {a} the {b} of each {c}, {} {number}",
                words.draw(random)
            ),
            3 => writeln!(
                text,
                "{indent}if {a}.{b} != \"{c}{number}\" {{ return Err({a}); }}"
            ),
            _ => writeln!(text, "{indent}}}\n"),
        };
    }
    text.truncate(len);
    text.into_bytes()
}

/// One statement of a database dump, 64 rows long.
pub(super) fn insert(random: &mut Random, words: &Words, id: &mut u64) -> String {
    let mut statement = String::from("INSERT INTO `orders` VALUES ");
    for row in 0..64 {
        *id += 1;
        let comma = if row == 0 { "" } else { "," };
        let (name, city) = (words.draw(random), words.draw(random));
        let (amount, hash) = (random.below(100_000), random.next());
        let _ = write!(
            statement,
            "{comma}({id},'{name} {city}','{city}',{}.{:02},'2026-{:02}-{:02}','{hash:08x}')",
            amount / 100,
            amount % 100,
            1 + random.below(12),
            1 + random.below(28)
        );
    }
    statement.push_str(";\n");
    statement
}

/// About `len` bytes of an access log.
pub(super) fn log(random: &mut Random, words: &Words, len: usize, second: &mut u64) -> Vec<u8> {
    let mut text = String::with_capacity(len + 256);
    while text.len() < len {
        *second += random.below(3);
        let (a, b) = (words.draw(random), words.draw(random));
        let _ = writeln!(
            text,
            "10.0.{}.{} - - [{second}] \"GET /{a}/{b}?id={} HTTP/1.1\" {} {}",
            random.below(64),
            random.below(256),
            random.below(1_000_000),
            [200, 200, 200, 304, 404][usize::try_from(random.below(5)).unwrap_or(0)],
            random.below(60_000)
        );
    }
    text.into_bytes()
}
