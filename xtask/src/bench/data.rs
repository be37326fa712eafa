//! The four data sets, and the change that each goes through between two backups.
//!
//! Shapes and shares follow what backup programs meet: a tree of small files (D1), a database's
//! files (D2), a sparse disk image (D3), incompressible files (D4). Everything is made from seeds.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    random::Random,
    text::{self, Words},
};

const MIB: u64 = 1 << 20;
const PAGE: usize = 16 << 10;

/// How much data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// 6,000 files and 0.5 GiB in all: minutes.
    Small,
    /// 60,000 files and 3 GiB in all.
    Medium,
}

impl Scale {
    const fn factor(self) -> u64 {
        match self {
            Self::Small => 1,
            Self::Medium => 6,
        }
    }
}

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub(crate) enum Dataset {
    /// A tree of small source-like files.
    D1,
    /// A database dump, a table file and a log.
    D2,
    /// A sparse disk image.
    D3,
    /// Incompressible files.
    D4,
}

impl Dataset {
    pub(super) const ALL: [Self; 4] = [Self::D1, Self::D2, Self::D3, Self::D4];

    /// The file that is fetched alone, below the data set.
    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::D1 => "dir003/sub0/file00123.rs",
            Self::D2 => "access.log",
            Self::D3 => "disk.img",
            Self::D4 => "random1.bin",
        }
    }

    /// Makes the data set in `dir`, which must not exist.
    pub(super) fn create(self, dir: &Path, scale: Scale) -> Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        match self {
            Self::D1 => tree(dir, scale),
            Self::D2 => database(dir, scale),
            Self::D3 => image(dir, scale),
            Self::D4 => random_files(dir, scale),
        }
    }

    /// Changes it as a day's work would.
    pub(super) fn change(self, dir: &Path, scale: Scale) -> Result<()> {
        match self {
            Self::D1 => change_tree(dir, scale),
            Self::D2 => change_database(dir, scale),
            Self::D3 => change_image(dir, scale),
            Self::D4 => change_random(dir),
        }
    }
}

fn files(scale: Scale) -> u64 {
    match scale {
        Scale::Small => 6_000,
        Scale::Medium => 60_000,
    }
}

fn tree_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!(
        "dir{:03}/sub{}/file{number:05}.rs",
        number / 40 % 500,
        number / 8 % 5
    ))
}

fn tree(dir: &Path, scale: Scale) -> Result<()> {
    let mut random = Random::new(1);
    let words = Words::new(&mut random, 4000);
    let mut last = Vec::new();
    for number in 0..files(scale) {
        // Sizes spread over four powers of two around 8 KiB.
        let spread = 1_500 << random.below(4);
        let len = (1_500 << random.below(5)) + random.below(spread);
        let len = usize::try_from(len)?;
        let content = match random.below(100) {
            0..5 if !last.is_empty() => std::mem::take(&mut last),
            5..8 => random.bytes(len),
            _ => text::source(&mut random, &words, len),
        };
        let path = tree_path(dir, number);
        fs::create_dir_all(path.parent().context("has a parent")?)?;
        fs::write(&path, &content)?;
        if number % 500 == 7 {
            std::os::unix::fs::symlink("nowhere/at/all", path.with_extension("link"))?;
        }
        last = content;
    }
    Ok(())
}

fn change_tree(dir: &Path, scale: Scale) -> Result<()> {
    let mut random = Random::new(101);
    let words = Words::new(&mut random, 300);
    for _ in 0..files(scale) / 100 {
        let path = tree_path(dir, random.below(files(scale)));
        let mut content = fs::read(&path)?;
        let middle = content.len() / 2;
        let edit = text::source(&mut random, &words, 120);
        content.splice(middle..middle, edit);
        fs::write(&path, content)?;
    }
    for number in 0..files(scale) / 1000 {
        let content = text::source(&mut random, &words, 9_000);
        fs::write(dir.join(format!("new{number:03}.rs")), content)?;
    }
    Ok(())
}

/// Statements of the dump; a changed one has other rows, so offsets behind it move.
fn dump(path: &Path, len: u64, changed: bool) -> Result<()> {
    let mut random = Random::new(2);
    let mut edits = Random::new(102);
    let words = Words::new(&mut random, 20_000);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut id, mut written) = (0, 0);
    while written < len {
        let statement = text::insert(&mut random, &words, &mut id);
        written += statement.len() as u64;
        if changed && edits.below(100) == 0 {
            let other = text::insert(&mut edits, &words, &mut (id + 1_000_000_000));
            out.write_all(other.as_bytes())?;
            if edits.below(2) == 0 {
                continue;
            }
        }
        out.write_all(statement.as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// A page of a table file: a header, rows, free space.
fn table_page(random: &mut Random, words: &Words, number: u64) -> Vec<u8> {
    let mut page = number.to_be_bytes().to_vec();
    page.extend_from_slice(&random.bytes(30));
    let full = PAGE - usize::try_from(random.below(4_000)).unwrap_or(0);
    while page.len() < full {
        page.extend_from_slice(&random.next().to_be_bytes()[..6]);
        page.extend_from_slice(words.draw(random).as_bytes());
        page.extend_from_slice(words.draw(random).as_bytes());
        page.extend_from_slice(&random.below(5_000).to_be_bytes());
    }
    page.resize(PAGE, 0);
    page
}

const DATABASE_MIB: u64 = 180;

fn database(dir: &Path, scale: Scale) -> Result<()> {
    let total = DATABASE_MIB * MIB * scale.factor();
    dump(&dir.join("dump.sql"), total * 55 / 100, false)?;
    let mut random = Random::new(3);
    let words = Words::new(&mut random, 8_000);
    let mut table = BufWriter::with_capacity(1 << 20, File::create(dir.join("table.ibd"))?);
    for number in 0..total * 30 / 100 / PAGE as u64 {
        table.write_all(&table_page(&mut random, &words, number))?;
    }
    table.flush()?;
    let len = usize::try_from(total * 15 / 100)?;
    let log = text::log(&mut random, &words, len, &mut 1_700_000_000);
    fs::write(dir.join("access.log"), log)?;
    Ok(())
}

fn change_database(dir: &Path, scale: Scale) -> Result<()> {
    let total = DATABASE_MIB * MIB * scale.factor();
    dump(&dir.join("dump.sql"), total * 55 / 100, true)?;
    let mut random = Random::new(103);
    let words = Words::new(&mut random, 8_000);
    let table = OpenOptions::new().write(true).open(dir.join("table.ibd"))?;
    let pages = table.metadata()?.len() / PAGE as u64;
    for _ in 0..pages * 3 / 100 {
        let number = random.below(pages);
        let page = table_page(&mut random, &words, number);
        table.write_all_at(&page, number * PAGE as u64)?;
    }
    let more = text::log(&mut random, &words, 1 << 20, &mut 1_800_000_000);
    OpenOptions::new()
        .append(true)
        .open(dir.join("access.log"))?
        .write_all(&more)?;
    Ok(())
}

fn image(dir: &Path, scale: Scale) -> Result<()> {
    let image = File::create(dir.join("disk.img"))?;
    image.set_len(640 * MIB * scale.factor())?;
    let mut random = Random::new(4);
    let words = Words::new(&mut random, 10_000);
    // A quarter is used, in runs of 1 to 8 MiB with holes of thrice that between.
    let mut at = 0;
    while at < 640 * MIB * scale.factor() - 16 * MIB {
        let len = (1 + random.below(8)) * MIB;
        let content = match random.below(10) {
            0 => random.bytes(usize::try_from(len)?),
            1..4 => (0..len / PAGE as u64)
                .flat_map(|number| table_page(&mut random, &words, number))
                .collect(),
            _ => text::source(&mut random, &words, usize::try_from(len)?),
        };
        image.write_all_at(&content, at)?;
        at += len * 4;
    }
    Ok(())
}

fn change_image(dir: &Path, scale: Scale) -> Result<()> {
    let image = OpenOptions::new().write(true).open(dir.join("disk.img"))?;
    let mut random = Random::new(104);
    let words = Words::new(&mut random, 10_000);
    let mut left = 5 * MIB * scale.factor();
    while left > 0 {
        let len = ((4 << 10) << random.below(6)).min(left);
        let at = random.below((640 * scale.factor() - 16) * 256) * 4096;
        let content = text::source(&mut random, &words, usize::try_from(len)?);
        image.write_all_at(&content, at)?;
        left -= len;
    }
    Ok(())
}

fn random_files(dir: &Path, scale: Scale) -> Result<()> {
    let mut random = Random::new(5);
    for number in 0..4 {
        let len = usize::try_from(24 * MIB * scale.factor())?;
        fs::write(dir.join(format!("random{number}.bin")), random.bytes(len))?;
    }
    Ok(())
}

fn change_random(dir: &Path) -> Result<()> {
    let mut random = Random::new(105);
    for number in 0..4 {
        let path = dir.join(format!("random{number}.bin"));
        let file = OpenOptions::new().write(true).open(path)?;
        let len = file.metadata()?.len();
        for _ in 0..len / 100 / (64 << 10) {
            let at = random.below(len - (64 << 10));
            file.write_all_at(&random.bytes(64 << 10), at)?;
        }
    }
    Ok(())
}
