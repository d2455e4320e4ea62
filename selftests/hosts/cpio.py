# SPDX-License-Identifier: GPL-2.0
"""Writes cpio archives for an initramfs; nothing has to exist on disk."""

import os


class Cpio:
    """A cpio archive in "newc" form, as the kernel's initramfs wants it."""

    def __init__(self):
        self.parts = []
        self.inode = 0
        self.dirs = {""}

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        name = name.encode() + b"\0"
        fields = (
            self.inode, mode, 0, 0, 1, 0, len(data), 0, 0,
            rdev[0], rdev[1], len(name), 0,
        )
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]

    def directory(self, path):
        path = path.strip("/")
        if path in self.dirs:
            return
        self.directory(os.path.dirname(path))
        self.dirs.add(path)
        self._entry(path, 0o040755)

    def file(self, path, data, mode=0o644):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._entry(path, 0o100000 | mode, data)

    def symlink(self, path, target):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._entry(path, 0o120777, target.encode())

    def device(self, path, major, minor):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._entry(path, 0o020600, b"", (major, minor))

    def add(self, source, path):
        """A file, or a folder with all below; symbolic links are followed."""
        if os.path.isdir(source):
            self.directory(path)
            for name in sorted(os.listdir(source)):
                self.add(os.path.join(source, name), os.path.join(path, name))
            return
        with open(source, "rb") as f:
            mode = os.fstat(f.fileno()).st_mode & 0o777
            self.file(path, f.read(), mode)

    def write(self, f):
        self._entry("TRAILER!!!", 0)
        for part in self.parts:
            f.write(part)
        f.write(b"\0" * (-f.tell() % 512))
