"""What the scenarios share: where the service is, who the caller is, waiting and comparing.

Reads DIR/endpoints.json and DIR/admin.json as any tool may. Waiting polls the API with a deadline
and fails loudly; nothing here knows the server's insides.
"""
import hashlib
import json
import os
import pathlib
import stat
import time


class Service:
    """A running Strongroom, seen from outside."""

    def __init__(self, data_dir):
        root = pathlib.Path(data_dir)
        self.endpoints = json.loads((root / "endpoints.json").read_text())
        self.admin = json.loads((root / "admin.json").read_text())
        self.region = self.endpoints["region"]
        self.ca_file = self.admin.get("ca_file") or None

    def origin(self, name):
        return self.endpoints[name]


def wait_for(what, look, done, seconds=120):
    """Polls `look()` until `done(value)`; returns the value."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        value = look()
        if done(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: still not done after {seconds} s: {value}")
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)


def fingerprint(path):
    """A digest of everything under `path`: names, kinds, modes, link targets, content."""
    root = os.fsencode(path)
    digest = hashlib.sha256()

    def visit(at, name):
        facts = os.lstat(at)
        kind = stat.S_IFMT(facts.st_mode)
        digest.update(b"%s\0%o\0%d:%d\0" % (name, facts.st_mode, facts.st_uid, facts.st_gid))
        if kind == stat.S_IFREG:
            digest.update(b"%d\0%d\0" % (facts.st_size, facts.st_mtime_ns))
            with open(at, "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        elif kind == stat.S_IFLNK:
            digest.update(os.readlink(at))
        elif kind == stat.S_IFDIR:
            for child in sorted(os.listdir(at)):
                visit(os.path.join(at, child), os.path.join(name, child))

    visit(root, b"")
    return digest.hexdigest()


def check(condition, message):
    if not condition:
        raise AssertionError(message)
