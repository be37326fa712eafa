//! The kernel's questions, translated into those of [`View`] and its answers into replies.
//!
//! Invariant: every question is answered once.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use fuser::{
    Errno, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyLseek, ReplyOpen,
    ReplyStatfs, ReplyXattr, Request,
};

use super::{
    inodes::What,
    shelf::FRESH,
    view::{BLOCK_BYTES, FOREVER, View, lock, with_number},
};

/// Answers with a value, or with its size if that is what was asked for.
fn reply_value(size: u32, value: &[u8], reply: ReplyXattr) {
    match u32::try_from(value.len()) {
        Ok(length) if size == 0 => reply.size(length),
        Ok(length) if length <= size => reply.data(value),
        _ => reply.error(Errno::ERANGE),
    }
}

impl Filesystem for View {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.find(parent, name) {
            Ok((fresh, attributes)) => reply.entry(&fresh, &attributes, Generation(0)),
            Err(errno) => reply.error(errno),
        }
    }

    fn forget(&self, _: &Request, number: INodeNo, times: u64) {
        self.inodes.forget(number.0, times);
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.what(number) {
            Ok(what) => {
                let attributes = with_number(self.attributes(&what), number.0);
                let fresh = match &*what {
                    What::Folder(_) | What::Link(_) => FRESH,
                    What::Entry { .. } | What::Disk { .. } => FOREVER,
                };
                reply.attr(&fresh, &attributes);
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn readlink(&self, _: &Request, number: INodeNo, reply: ReplyData) {
        match self.what(number).as_deref() {
            Ok(What::Link(target)) => reply.data(target.as_bytes()),
            Ok(What::Entry { node, .. }) => match node.target() {
                Some(target) => reply.data(target),
                None => reply.error(Errno::EINVAL),
            },
            Ok(_) => reply.error(Errno::EINVAL),
            Err(errno) => reply.error(*errno),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let _ = flags;
        // Content never changes: what the kernel has cached stays good.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.read_range(number, offset, size) {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn lseek(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        match self.seek(number, offset, whence) {
            Ok(offset) => reply.offset(offset),
            Err(errno) => reply.error(errno),
        }
    }

    fn opendir(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.open_listing(number) {
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listing = lock(&self.listings).get(&handle.0).cloned();
        let Some(listing) = listing else {
            return reply.error(Errno::EBADF);
        };
        let listed = self.list(number, &mut lock(&listing), offset, &mut reply);
        match listed {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(errno),
        }
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        lock(&self.listings).remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(0, 0, 0, 0, 0, BLOCK_BYTES, 255, BLOCK_BYTES);
    }

    fn getxattr(&self, _: &Request, number: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        match self.xattrs(number) {
            Ok(xattrs) => match xattrs.iter().find(|xattr| xattr.name == name.as_bytes()) {
                Some(xattr) => reply_value(size, &xattr.value, reply),
                None => reply.error(Errno::NO_XATTR),
            },
            Err(errno) => reply.error(errno),
        }
    }

    fn listxattr(&self, _: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        match self.xattrs(number) {
            Ok(xattrs) => {
                let names = xattrs.iter().map(|xattr| &*xattr.name);
                let list: Vec<u8> = names.flat_map(|name| [name, b"\0"].concat()).collect();
                reply_value(size, &list, reply);
            }
            Err(errno) => reply.error(errno),
        }
    }
}
