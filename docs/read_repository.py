#!/usr/bin/env python3
"""Reads a Strongroom repository of format version 1, written from docs/format.md alone.

It proves that the document suffices, and is a rescue of last resort: three packages (zstandard,
blake3, cryptography) and this page. It knows folders and key files. Every byte it gives out was
authenticated, and hashes to its chunk's id.

    read_repository.py REPOSITORY KEY_FILE list       manifests that are not forgotten
    … show MANIFEST              a line for each entry, with the hash of its content
    … restore MANIFEST TARGET    contents of a tree or volume (no owners, no devices)
"""

import os, struct, sys
from pathlib import Path
from urllib.parse import quote

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from zstandard import ZstdDecompressor

MAGIC, END = b"STRONGRM", b"MRGNORTS"


def derive(context, data, length=32):
    return blake3(data, derive_key_context=context).digest(length)


class Fields:
    """Takes fields from the front of a record."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, length):
        assert self.at + length <= len(self.data), "shorter than its fields"
        self.at += length
        return self.data[self.at - length : self.at]

    def take(self, form):
        values = struct.unpack("<" + form, self.raw(struct.calcsize("<" + form)))
        return values[0] if len(values) == 1 else values

    def blob(self):
        return self.raw(self.take("I"))

    def optional(self, read):
        flag = self.take("B")
        assert flag in (0, 1)
        return read() if flag else None

    def list(self, read):
        return [read() for _ in range(self.take("I"))]

    def end(self):
        assert self.at == len(self.data), "bytes left over"


class Sealed:
    """An object with the plain header in front."""

    def __init__(self, repository, kind, header):
        magic, version, found, cipher, owner, salt = struct.unpack("<8sHBB16s32s", header[:60])
        assert (magic, version, found, cipher, owner) == (MAGIC, 1, kind, 1, repository.id)
        use, master = {1: "a pack", 2: "a pack", 3: "an index run"}.get(
            kind, "a record"
        ), repository.master(kind)
        keys = derive(f"strongroom v1: key of {use}", master + bytes([kind]) + salt, 64)
        assert keys[32:] == header[60:92], "another key"
        self.header, self.key = header[:92], AESGCM(keys[:32])

    def open(self, part, number, offset, sealed, plain_len=None, codec=0, name=bytes(16)):
        plain_len = len(sealed) - 16 if plain_len is None else plain_len
        place = self.header + struct.pack("<BQQIB", part, number, offset, plain_len, codec) + name
        return self.key.decrypt(struct.pack("<B3xQ", part, number), sealed, place)


class Repository:
    def __init__(self, folder, key):
        self.folder = Path(folder)
        header = Fields(self.read("format"))
        assert header.raw(8) == MAGIC and header.take("HB") == (1, 0)
        self.id = header.raw(16)
        assert header.take("5B") == (1, 1, 1, 1, 1), "an algorithm that this program does not know"
        self.parity, self.sizes = header.take("B"), header.take("6I")
        self.secret = next(filter(None, (self.unlock(slot, key) for slot in self.names("keys"))))
        mac = blake3(header.data[:-32], key=self.sub("header")).digest()
        assert mac == header.raw(32), "the header is not authentic"
        header.end()
        self.index = {}
        for name in self.names("index"):
            self.read_run(self.read(f"index/{name}"), name)

    def read(self, path):
        return (self.folder / path).read_bytes()

    def names(self, folder):
        path = self.folder / folder
        return sorted(p.name for p in path.iterdir()) if path.is_dir() else []

    def sub(self, purpose):
        return derive(f"strongroom repository v1: {purpose}", self.secret + self.id)

    def master(self, kind):
        return self.sub(
            {1: "packs", 2: "packs", 3: "index runs"}.get(kind, "manifests and records")
        )

    def unlock(self, name, key):
        slot = Fields(self.read(f"keys/{name}"))
        magic, version, kind, way = slot.take("8sHBB")
        owner, salt, key_id, _ = slot.raw(16), slot.raw(32), slot.raw(16), slot.raw(12)
        mine = derive("strongroom v1: name of a key-encryption key", key)[:16]
        if (magic, version, kind, way, owner, key_id) != (MAGIC, 1, 11, 1, self.id, mine):
            return None
        wrapping = AESGCM(derive("strongroom v1: wrapping key of a key slot", key + salt))
        return wrapping.decrypt(bytes(12), slot.raw(48), slot.data[:88])

    def directory(self, seal, data):
        length = struct.unpack("<I", data[-12:-8])[0]
        assert data[-8:] == END
        start = len(data) - 12 - length
        return Fields(seal.open(3, 0, start, data[start:-12]))

    def read_run(self, data, name):
        assert blake3(data).hexdigest() == name
        seal = Sealed(self, 3, data)
        directory = self.directory(seal, data)
        _, entries = directory.take("QQ")
        packs = directory.list(lambda: directory.take("32sB32sI"))
        at = 92
        for number in range((entries + 511) // 512):
            count = min(512, entries - 512 * number)
            page = Fields(seal.open(4, number, at, data[at : at + 61 * count + 16]))
            at += 61 * count + 16
            for _ in range(count):
                chunk, pack, *place = page.take("32sIIIIIBII")
                self.index[chunk] = (*packs[pack], *place)

    def chunk(self, id, kind):
        """The bytes of a data (1) or tree (2) chunk."""
        pack, found, salt, _, number, offset, sealed_len, plain_len, codec, start, length = (
            self.index[id]
        )
        assert found == kind and codec in (0, 1)
        path = self.folder / "packs" / pack.hex()[:2] / pack.hex()
        with open(path, "rb") as file:
            seal = Sealed(self, kind, file.read(92))
            file.seek(offset)
            sealed = file.read(sealed_len)
        plain = seal.open(2, number, offset, sealed, plain_len, codec)
        plain = ZstdDecompressor().decompress(plain, max_output_size=plain_len) if codec else plain
        chunk = plain[start : start + length]
        purpose = "ids of data chunks" if kind == 1 else "ids of tree chunks"
        assert len(plain) == plain_len and blake3(chunk, key=self.sub(purpose)).digest() == id
        return chunk

    def record(self, kind, path, name):
        data = self.read(path)
        fields = Fields(
            Sealed(self, kind, data).open(1, 0, 92, data[92:], name=bytes.fromhex(name))
        )
        body = fields.blob()
        assert not any(fields.raw(len(fields.data) - fields.at)), "padding is not zeroes"
        return Fields(body)

    def manifests(self):
        forgotten = set()
        for name in (n for n in self.names("forgotten") if not n.endswith(".verdict")):
            verdict, act = f"forgotten/{name}.verdict", name.split(".")[1]
            if not (self.folder / verdict).exists() or self.record(10, verdict, act).data != b"\1":
                forgotten.add(name.split(".")[0])
        return [n for n in self.names("manifests") if n not in forgotten and self.kind(n) == 4]

    def kind(self, name):
        return self.read(f"manifests/{name}")[10]

    def manifest(self, name):
        fields = self.record(4, f"manifests/{name}", name)
        layer, root = fields.take("B32s")
        fields.take("8Q2q")
        fields.optional(lambda: fields.raw(16))
        labels = {
            key.decode(): value.decode()
            for key, value in fields.list(lambda: (fields.blob(), fields.blob()))
        }
        return layer, root, labels, fields.take("BQ")

    def items(self, root, role, read):
        """The items of a list, from its root (level, id)."""
        level, id = root
        fields = Fields(self.chunk(id, 2))
        assert fields.take("BB") == (role, level)
        for _ in range(fields.take("I")):
            if level == 0:
                yield read(fields)
            else:
                child = fields.take("32sQQ")[0]
                fields.blob()
                yield from self.items((level - 1, child), role, read)
        fields.end()

    def tree(self, id):
        """All entries: path and node, parents first."""
        top = Fields(self.chunk(id, 2))
        top.take("B"), top.take("qI")
        yield from self.walk(b"", Node(self, top))

    def walk(self, path, node):
        yield path, node
        if node.kind == 2 and node.children:
            entries = self.items(
                node.children, 1, lambda fields: (fields.blob(), Node(self, fields))
            )
            for name, child in entries:
                yield from self.walk(path + b"/" + name if path else name, child)

    def blocks(self, id):
        """The size of a volume, and its blocks: offset and bytes; what is absent is zeroes."""
        top = Fields(self.chunk(id, 2))
        role, _, _, size, block = top.take("BqIQI")
        assert role == 8
        top.optional(lambda: top.take("qIqIQQ"))
        root, level = top.optional(lambda: top.raw(32)), 0
        while 1024 ** (level + 1) * block < size:
            level += 1
        return size, self.block_nodes(root, level, 0, block) if root else []

    def block_nodes(self, id, level, first, block):
        node = Fields(self.chunk(id, 2))
        assert node.take("BB") == (7, level)
        present = node.raw(128)
        for i in range(1024):
            if present[i >> 3] >> (i & 7) & 1:
                child, number = node.raw(32), first + i * 1024**level
                if level:
                    yield from self.block_nodes(child, level - 1, number, block)
                else:
                    yield number * block, self.chunk(child, 1)


class Node:
    """An inode: its attributes, and what its kind needs."""

    def __init__(self, repository, fields):
        root = lambda: fields.take("B32s")
        pair = lambda f: (f.blob(), f.blob())
        self.kind, self.mode, self.uid, self.gid, self.size = fields.take("BHIIQ")
        self.modified, self.changed = fields.take("qI"), fields.take("qI")
        self.inode, self.device, self.links = fields.take("QQQ")
        how = fields.take("B")
        self.xattrs = (
            []
            if how == 0
            else (
                fields.list(lambda: pair(fields))
                if how == 1
                else list(repository.items(root(), 3, pair))
            )
        )
        if self.kind == 1:
            how = fields.take("B")
            self.inline = fields.blob() if how == 0 else None
            extents = fields.list(lambda: extent(fields)) if how == 1 else []
            self.extents = list(repository.items(root(), 2, extent)) if how == 2 else extents
        elif self.kind == 2:
            self.children = root() if fields.take("B") else None
        elif self.kind == 3:
            self.target = fields.blob()
        elif self.kind in (5, 6):
            self.number = fields.take("Q")
        else:
            assert self.kind == 4, "an unknown kind of node"

    def content(self, repository):
        if self.inline is not None:
            return self.inline
        data = b"".join(
            repository.chunk(id, 1) if id else bytes(length) for id, length in self.extents
        )
        assert len(data) == self.size
        return data


def extent(fields):
    hole = fields.take("B")
    return (None, fields.take("Q")) if hole else fields.take("32sI")


def lines(repository, name):
    """What a manifest holds, one line an entry, for comparing."""
    layer, root, _, _ = repository.manifest(name)
    if layer == 2:
        size, blocks = repository.blocks(root)
        image = bytearray(size)
        for offset, data in blocks:
            image[offset : offset + len(data)] = data
        yield f"volume {size} {blake3(bytes(image)).hexdigest()}"
        return
    seen = {}
    for path, node in repository.tree(root):
        first = seen.setdefault((node.device, node.inode), path) if node.kind != 2 else path
        what = {
            1: lambda: f"{node.size} {blake3(node.content(repository)).hexdigest()}",
            3: lambda: quote(node.target),
            5: lambda: str(node.number),
            6: lambda: str(node.number),
        }.get(node.kind, lambda: "-")()
        xattrs = ",".join(
            f"{quote(key)}={blake3(value).hexdigest()[:16]}" for key, value in node.xattrs
        )
        same = quote(first) if first != path else "-"
        time = f"{node.modified[0]}.{node.modified[1]:09}"
        owner, attributes = f"{node.uid}:{node.gid}", xattrs or "-"
        yield f"/{quote(path)} {node.kind} {node.mode:o} {owner} {time} {what} {same} {attributes}"


def restore(repository, name, target):
    layer, root, _, _ = repository.manifest(name)
    if layer == 2:
        size, blocks = repository.blocks(root)
        with open(target, "xb") as image:
            image.truncate(size)
            for offset, data in blocks:
                image.seek(offset)
                image.write(data)
        return
    for path, node in repository.tree(root):
        place = os.path.join(os.fsencode(target), path)
        if node.kind == 1:
            with open(place, "xb") as file:
                file.write(node.content(repository))
        elif node.kind == 2:
            os.mkdir(place)
        elif node.kind == 3:
            os.symlink(node.target, place)


def main(folder, key_file, verb, *rest):
    repository = Repository(folder, bytes.fromhex(Path(key_file).read_text().strip()))
    if verb == "list":
        for name in repository.manifests():
            layer, _, labels, (complete, problems) = repository.manifest(name)
            print(
                name,
                {1: "tree", 2: "volume"}[layer],
                "complete" if complete else f"{problems} problems",
                labels,
            )
    elif verb == "show":
        for line in lines(repository, *rest):
            print(line)
    elif verb == "restore":
        restore(repository, *rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
