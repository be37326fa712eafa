//! Shares and disk images with every sort of content, made from a seed, and changes to them.

use std::{
    ffi::OsStr,
    fs::{self, File, FileTimes},
    io::Write,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, PermissionsExt, symlink},
    },
    path::Path,
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Result, bail};
use rustix::fs::{CWD, FileType, Mode, XattrFlags};

/// Bytes that no compressor shortens, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Lines of text that compress well, the same for the same seed.
pub fn prose(seed: u64, length: usize) -> Vec<u8> {
    let words = [
        "vault", "share", "disk", "pack", "lease", "mark", "sweep", "and", "of", "the",
    ];
    let choices = noise(seed, length / 2 + 16);
    let mut text = Vec::with_capacity(length + 32);
    for line in choices.chunks(16) {
        if text.len() >= length {
            break;
        }
        for choice in &line[..line.len() / 2] {
            text.extend_from_slice(words[usize::from(*choice) % words.len()].as_bytes());
            text.push(b' ');
        }
        // A number in each line tells it from all others, as in real logs and sources.
        let number = u32::from_le_bytes([line[0], line[1], line[2], line[3]]);
        text.extend_from_slice(format!("{number:08x}\n").as_bytes());
    }
    text.truncate(length);
    text
}

/// Makes a share: files of all sizes, links of both kinds, pipes, holes, attributes, access lists,
/// names that are not UTF-8, times with nanoseconds.
pub fn make_share(root: &Path, seed: u64) -> Result<()> {
    let deep = root.join("deep/er/and deeper still");
    fs::create_dir_all(&deep)?;
    fs::create_dir(root.join("empty folder"))?;
    fs::write(root.join("empty"), b"")?;
    fs::write(root.join("text"), prose(seed, 900_000))?;
    fs::write(root.join("noise"), noise(seed + 1, 3 << 20))?;
    for number in 0..120 {
        let name = format!("small-{number:03}");
        let length = 40 + usize::from(noise(seed + number, 1)[0]) * 40;
        fs::write(deep.join(name), prose(seed + number, length))?;
    }
    fs::write(
        root.join(OsStr::from_bytes(b"not \xff\xfe utf-8\n")),
        b"name",
    )?;

    let holes = File::create(root.join("holes"))?;
    holes.set_len(64 << 20)?;
    holes.write_all_at(&prose(seed + 2, 100_000), 5 << 20)?;
    holes.write_all_at(&noise(seed + 3, 70_000), (40 << 20) + 123)?;

    fs::hard_link(root.join("noise"), deep.join("second name"))?;
    symlink("text", root.join("link"))?;
    symlink("/nowhere/at all", root.join("dangling"))?;
    let pipe = root.join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o640), 0)?;

    let text = root.join("text");
    rustix::fs::setxattr(&text, "user.origin", b"a \0 value", XattrFlags::empty())?;
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o4751))?;
    access_list(&text, "u:12:r")?;
    access_list(&root.join("empty folder"), "d:g:34:rx")?;

    let file = File::options().write(true).open(&text)?;
    file.set_times(times(1_600_000_000, 123_456_789))?;
    File::open(&deep)?.set_times(times(1_500_000_000, 1))?;
    Ok(())
}

/// Changes a share made by [`make_share`]: edits, growth, new and vanished names, new attributes.
pub fn change_share(root: &Path, seed: u64) -> Result<()> {
    let deep = root.join("deep/er/and deeper still");
    let mut text = fs::read(root.join("text"))?;
    text.splice(1000..1000, prose(seed, 500));
    fs::write(root.join("text"), text)?;
    let mut noise_file = File::options().append(true).open(root.join("noise"))?;
    noise_file.write_all(&noise(seed, 10_000))?;
    fs::write(deep.join("small-007"), prose(seed + 7, 3000))?;
    fs::remove_file(deep.join("small-008"))?;
    fs::rename(deep.join("small-009"), root.join("moved"))?;
    fs::write(root.join("new"), prose(seed + 8, 50_000))?;
    fs::set_permissions(&deep, fs::Permissions::from_mode(0o700))?;
    fs::remove_file(root.join("link"))?;
    symlink("new", root.join("link"))?;
    Ok(())
}

/// Changes a share that may have been changed any number of times: files are written, extended,
/// moved over others and removed.
pub fn edit_share(root: &Path, seed: u64) -> Result<()> {
    let deep = root.join("deep/er/and deeper still");
    for step in 0..8 {
        let seed = seed.wrapping_add(step);
        let number = noise(seed, 8);
        let number = u64::from_le_bytes(number.try_into().expect("eight bytes were asked for"));
        let file = deep.join(format!("small-{:03}", number % 40));
        let bytes = prose(seed, 500 + usize::try_from(number % 70_000)?);
        match number >> 32 & 3 {
            0 if file.exists() => fs::remove_file(file)?,
            1 if file.exists() => fs::rename(file, root.join(format!("moved-{}", number % 5)))?,
            2 => File::options()
                .append(true)
                .open(root.join("noise"))?
                .write_all(&bytes)?,
            _ => fs::write(file, bytes)?,
        }
    }
    Ok(())
}

/// Makes a sparse disk image of `size_mib` MiB with data in a quarter of it.
pub fn make_image(path: &Path, size_mib: u64, seed: u64) -> Result<()> {
    let image = File::create(path)?;
    image.set_len(size_mib << 20)?;
    for part in 0..(size_mib / 4).max(1) {
        let bytes = if part % 3 == 0 {
            noise(seed + part, 1 << 20)
        } else {
            prose(seed + part, 1 << 20)
        };
        image.write_all_at(&bytes, (part * 4) << 20)?;
    }
    Ok(())
}

/// Rewrites some blocks of an image, as a running system would.
pub fn change_image(path: &Path, seed: u64) -> Result<()> {
    let image = File::options().write(true).open(path)?;
    let blocks = image.metadata()?.len() / 4096;
    for part in 0..20 {
        let place = noise(seed + part, 8);
        let place = u64::from_le_bytes(place.try_into().expect("eight bytes were asked for"));
        image.write_all_at(&noise(seed + part, 4096), place % blocks * 4096)?;
    }
    Ok(())
}

fn times(seconds: u64, nanos: u32) -> FileTimes {
    FileTimes::new().set_modified(UNIX_EPOCH + Duration::new(seconds, nanos))
}

fn access_list(path: &Path, entry: &str) -> Result<()> {
    let done = Command::new("setfacl")
        .args(["-m", entry])
        .arg(path)
        .status()?;
    if !done.success() {
        bail!(
            "setfacl refused {}; is the package acl installed?",
            path.display()
        );
    }
    Ok(())
}
