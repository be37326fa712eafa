//! Writes trees to a real file system and reads them back, by other means than what is tested:
//! whole paths, one call at a time.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, lchown},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, FileType, Mode, SeekFrom, Timespec, Timestamps, UTIME_OMIT, XattrFlags,
        lgetxattr, llistxattr, lsetxattr, major, makedev, minor, mknodat, seek, utimensat,
    },
    io::Errno,
};
use strongroom_model::content::{Attributes, FileTime, Name, Special, TreePath, Xattr};

use crate::tree::{Body, Content, Entry, Tree};

fn at(root: &Path, path: &TreePath) -> PathBuf {
    if *path == TreePath::root() {
        return root.to_owned();
    }
    root.join(OsStr::from_bytes(path.as_bytes()))
}

/// Writes the tree to `root`, which does not exist yet.
pub fn write(tree: &Tree, root: &Path) -> io::Result<()> {
    let mut inodes: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for (path, entry) in &tree.0 {
        let place = at(root, path);
        if entry.body != Body::Directory
            && let Some(first) = inodes.get(&entry.inode)
        {
            fs::hard_link(first, &place)?;
            continue;
        }
        make(&place, &entry.body)?;
        inodes.insert(entry.inode, place);
    }
    // From the leaves up: everything made in a directory changes its times.
    for (path, entry) in tree.0.iter().rev() {
        set_attributes(&at(root, path), entry)?;
    }
    Ok(())
}

fn make(place: &Path, body: &Body) -> io::Result<()> {
    let node = |kind, number: u64| {
        let half = |part: u64| u32::try_from(part & 0xffff_ffff).expect("half of 64 bits");
        let device = makedev(half(number >> 32), half(number));
        mknodat(CWD, place, kind, Mode::RUSR, device).map_err(io::Error::from)
    };
    match body {
        Body::Directory => fs::create_dir(place),
        Body::File(content) => write_content(content, place),
        Body::Special(Special::Symlink(target)) => {
            std::os::unix::fs::symlink(OsStr::from_bytes(target), place)
        }
        Body::Special(Special::Fifo) => node(FileType::Fifo, 0),
        Body::Special(Special::CharDevice(number)) => node(FileType::CharacterDevice, *number),
        Body::Special(Special::BlockDevice(number)) => node(FileType::BlockDevice, *number),
        Body::Socket => node(FileType::Socket, 0),
    }
}

/// Writes content with its holes to a new file.
pub fn write_content(content: &Content, place: &Path) -> io::Result<()> {
    let file = File::create_new(place)?;
    file.set_len(content.size)?;
    content
        .data
        .iter()
        .try_for_each(|(offset, run)| file.write_all_at(run, *offset))
}

fn set_attributes(place: &Path, entry: &Entry) -> io::Result<()> {
    let Attributes {
        mode,
        uid,
        gid,
        modified,
        xattrs,
    } = &entry.attributes;
    lchown(place, Some(*uid), Some(*gid))?;
    for Xattr { name, value } in xattrs {
        lsetxattr(place, &name[..], value, XattrFlags::empty())?;
    }
    if !matches!(entry.body, Body::Special(Special::Symlink(_))) {
        rustix::fs::chmodat(CWD, place, Mode::from_raw_mode(*mode), AtFlags::empty())?;
    }
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds,
            tv_nsec: modified.nanos.into(),
        },
    };
    Ok(utimensat(CWD, place, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Reads the tree at `root`.
pub fn read(root: &Path) -> io::Result<Tree> {
    let mut entries = BTreeMap::new();
    let mut waiting = vec![TreePath::root()];
    while let Some(path) = waiting.pop() {
        let place = at(root, &path);
        let entry = read_entry(&place)?;
        if entry.body == Body::Directory {
            for child in fs::read_dir(&place)? {
                let name = child?.file_name().into_vec();
                waiting.push(path.join(&Name::new(&name).expect("the kernel gives legal names")));
            }
        }
        entries.insert(path, entry);
    }
    Ok(Tree(entries))
}

fn read_entry(place: &Path) -> io::Result<Entry> {
    let stat = fs::symlink_metadata(place)?;
    let kind = stat.file_type();
    let number = u64::from(major(stat.rdev())) << 32 | u64::from(minor(stat.rdev()));
    let body = if kind.is_dir() {
        Body::Directory
    } else if kind.is_symlink() {
        Body::Special(Special::Symlink(
            fs::read_link(place)?.into_os_string().into_vec(),
        ))
    } else if kind.is_fifo() {
        Body::Special(Special::Fifo)
    } else if kind.is_char_device() {
        Body::Special(Special::CharDevice(number))
    } else if kind.is_block_device() {
        Body::Special(Special::BlockDevice(number))
    } else if kind.is_socket() {
        Body::Socket
    } else {
        Body::File(read_content(place)?)
    };
    let time = |seconds: i64, nanos: i64| {
        FileTime::new(seconds, u32::try_from(nanos).expect("below a second"))
    };
    let attributes = Attributes {
        mode: stat.mode() & 0o7777,
        uid: stat.uid(),
        gid: stat.gid(),
        modified: time(stat.mtime(), stat.mtime_nsec()),
        xattrs: read_xattrs(place)?,
    };
    let changed = time(stat.ctime(), stat.ctime_nsec());
    Ok(Entry {
        inode: stat.ino(),
        changed,
        attributes,
        body,
    })
}

/// Reads content with its holes.
pub fn read_content(place: &Path) -> io::Result<Content> {
    let file = File::open(place)?;
    let mut content = Content {
        size: file.metadata()?.len(),
        data: BTreeMap::new(),
    };
    let mut from = 0;
    loop {
        let start = match seek(&file, SeekFrom::Data(from)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(content),
            Err(errno) => return Err(errno.into()),
        };
        from = seek(&file, SeekFrom::Hole(start))?;
        let mut run = vec![0; usize::try_from(from - start).expect("it fits into memory")];
        file.read_exact_at(&mut run, start)?;
        content.data.insert(start, run);
    }
}

fn read_xattrs(place: &Path) -> io::Result<Vec<Xattr>> {
    let mut list = vec![0; 65_536];
    let length = match llistxattr(place, &mut list[..]) {
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        length => length?,
    };
    let mut xattrs = Vec::new();
    for name in list[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let mut value = vec![0; 65_536];
        let length = lgetxattr(place, name, &mut value[..])?;
        value.truncate(length);
        xattrs.push(Xattr {
            name: name.to_vec(),
            value,
        });
    }
    xattrs.sort_unstable();
    Ok(xattrs)
}
