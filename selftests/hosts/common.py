# SPDX-License-Identifier: GPL-2.0
"""Places, and what all parts of the emulated host use."""

import fcntl
import hashlib
import os
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("HVMM_BUILD", os.path.join(TOP, "build"))
CACHE = os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hvmm"
)

EXIT_USAGE, EXIT_COMPLAINT, EXIT_TIMEOUT, EXIT_DIED = 2, 123, 124, 125


def fail(message, status=EXIT_USAGE):
    print(f"hosts/run: {message}", file=sys.stderr)
    sys.exit(status)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def cached(name, inputs, write):
    """A file of the cache, written anew when one of its inputs changed. What
    writes it is an input too."""
    key = hashlib.sha256()
    for path in inputs + [__file__]:
        st = os.stat(path)
        key.update(f"{path} {st.st_size} {st.st_mtime_ns}\n".encode())
    folder = os.path.join(CACHE, "images")
    path = os.path.join(folder, f"{name}-{key.hexdigest()[:16]}.img")
    try:
        os.utime(path)
        return path
    except FileNotFoundError:
        pass
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(path):
            return path
        for old in os.listdir(folder):
            # One in use stays: another working tree may have its own.
            old = os.path.join(folder, old)
            if os.path.basename(old).startswith(name + "-") and (
                time.time() - os.stat(old).st_mtime > 3600
            ):
                os.unlink(old)
        write(path + ".tmp")
        os.rename(path + ".tmp", path)
    return path
