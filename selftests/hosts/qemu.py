# SPDX-License-Identifier: GPL-2.0
"""The emulated host in QEMU: AMD's SVM, several CPUs at once, counted time."""

import os
import re
import subprocess
import tempfile

from common import CACHE, fail

ROOT = os.path.join(CACHE, "qemu")
PROGRAM = os.path.join(ROOT, "usr", "bin", "qemu-system-x86_64")
LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu",
             "usr/lib/x86_64-linux-gnu/pulseaudio")

FIRMWARE = ("seabios/bios-microvm.bin", "qemu/linuxboot_dma.bin", "qemu/pvh.bin")

# The emulator about the timer of --turns.
NOT_A_PROBLEM = re.compile(rb".*warning: (hub port|netdev) turns has no peer\n")


def library_path():
    return ":".join(os.path.join(ROOT, d) for d in LIBRARIES)


def overlay_qemu(cpio):
    """Put the emulator into a host, but for its libraries. Return: its path."""
    cpio.add(PROGRAM, PROGRAM)
    for name in FIRMWARE:
        cpio.add(os.path.join(ROOT, "usr", "share", name),
                 f"usr/share/qemu/{os.path.basename(name)}")
    cpio.file("sbin/qemu", (f"#!/bin/sh\nexport LD_LIBRARY_PATH={library_path()}\n"
              f'exec {PROGRAM} -L /usr/share/qemu "$@"\n').encode(), 0o755)
    return PROGRAM


class Qemu:
    def __init__(self, args, kernel, guests):
        if not os.path.exists(PROGRAM):
            fail("QEMU is not there: run scripts/setup")
        self.args = args
        self.kernel = kernel
        self.guests = guests  # a disk, or None
        self.said = b""

    def command(self, append, initrd, channels):
        args = self.args
        share = os.path.join(ROOT, "usr", "share")
        command = [PROGRAM, "-L", os.path.join(share, "qemu"),
                   "-L", os.path.join(share, "seabios")]
        command += ["-M", "q35", "-cpu", args.cpu, "-smp", str(args.cpus), "-m", args.memory]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        append = [*append]
        if args.icount:
            command += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
            command += ["-seed", "42", "-rtc", "base=2026-01-01,clock=vm"]
            append.append("nokaslr")
            if args.turns:
                # A timer of the emulator's own, which no guest sees, ends each turn.
                command += ["-netdev", "hubport,id=turns,hubid=0", "-object",
                            f"filter-buffer,id=turn,netdev=turns,interval={args.turns}"]
        else:
            command += ["-accel", "tcg,thread=multi"]
        for channel in channels:
            command += channel
        if self.guests:
            command += ["-blockdev", "driver=file,node-name=guests,read-only=on,"
                        f"filename={self.guests}",
                        "-device", "virtio-blk-pci,drive=guests"]
        if args.swap:
            command += ["-blockdev", f"driver=file,node-name=swap,filename={self.swap()}",
                        "-device", "virtio-blk-pci,drive=swap,serial=swap"]
        command += ["-kernel", self.kernel.image, "-initrd", initrd]
        command += ["-append", " ".join(append + args.append)]
        return command + args.emulator_arg

    def swap(self):
        """A sparse file, which goes when this object does."""
        self.swap_file = tempfile.NamedTemporaryFile(prefix="hvmm-swap.")
        self.swap_file.truncate(int(self.args.swap[:-1]) << {"M": 20, "G": 30}[self.args.swap[-1]])
        return self.swap_file.name

    def start(self, append, initrd, log):
        """The process, and pairs of a file descriptor and what comes from it."""
        # ttyS0 console, ttyS1 stdout or terminal, ttyS2 stderr, ttyS3 status
        channels = [["-chardev", f"file,id=console,path={log}", "-serial", "chardev:console"]]
        sources, inherited = [], []
        for name in ("stdout", "stderr", "status"):
            if self.args.interactive and name == "stdout":
                channels.append(["-chardev", "stdio,id=stdout,signal=off,mux=on",
                                 "-serial", "chardev:stdout"])
                continue
            r, w = os.pipe()
            inherited.append(w)
            sources.append((r, name))
            channels.append(["-add-fd", f"fd={w},set={w}",
                             "-chardev", f"file,id={name},path=/dev/fdset/{w},append=on",
                             "-serial", f"chardev:{name}"])
        env = dict(os.environ)
        env["LD_LIBRARY_PATH"] = library_path()
        process = subprocess.Popen(
            self.command(append, initrd, channels), pass_fds=inherited, env=env,
            stdin=None if self.args.interactive else subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        sources.append((process.stderr.fileno(), "emulator"))
        for w in inherited:
            os.close(w)
        return process, sources

    def take(self, name, data):
        """What came from a source: pairs of a channel's name and bytes."""
        if name == "emulator":
            # It comes in pieces.
            lines, newline, self.said = (self.said + data).rpartition(b"\n")
            name, data = "stderr", NOT_A_PROBLEM.sub(b"", lines + newline)
        return [(name, data)]
