# SPDX-License-Identifier: GPL-2.0
"""The emulated host in Bochs: Intel's VMX, and a stricter SVM than QEMU's.

Nothing is loaded through emulated devices: Bochs puts kernel and initramfs into
memory, and a boot sector (bochs-boot.S) enters the kernel as PVH does. Output
leaves by port 0xe9 (e9.c), the console by COM1. Bochs' own log, which names what
is wrong with a VMCS or VMCB, is beside the console's: NAME.bochs.
"""

import os
import re
import struct
import subprocess
import tempfile

from common import CACHE, HERE, cached, fail, read

FOLDER = os.path.join(CACHE, "bochs")
PROGRAM = os.path.join(FOLDER, "bochs")
MODELS = ("corei7_haswell_4770", "tigerlake", "ryzen")
BUILT = [os.path.join(HERE, "bochs.py")]

# Emulated instructions a second of the host's time, and so its TSC's rate. With few,
# a guest's timers go faster than their interrupts can be handled; with many, the host
# waits long for what takes its time, such as the console.
IPS = 500_000_000

# Where things are in the host's memory. The map comes from the BIOS, in memory
# that it leaves alone; the kernel's own addresses end far below the others.
MEMORY_MAP = 0x8000
START_INFO = 0x0ff00000
INITRD = 0x10000000

# MSRs that the models lack and Linux uses. IA32_MISC_ENABLE's fast strings are
# what Linux's memmove() relies on where CPUID offers FSRM.
MSRS = """\
0x1a0 0 00000000 00000001 00000000 00000000 00000000 00000000
0x1d9 0 00000000 00000000 00000000 00000000 00000000 00000000
0x0e7 0 00000000 00000000 00000000 00000000 00000000 00000000
0x0e8 0 00000000 00000000 00000000 00000000 00000000 00000000
"""

CONFIG = """\
config_interface: textconfig
display_library: nogui
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1, \
msrs="{folder}/msrs"
memory: guest={memory}, host={memory}, block_size=8192
romimage: file="{bochs}/bios.bin", options=fastboot
vgaromimage: file="{bochs}/vgabios.bin"
optramimage1: file="{kernel}", address=0x{kernel_at:x}
optramimage2: file="{initrd}", address=0x{initrd_at:x}
optramimage3: file="{folder}/start-info", address=0x{info_at:x}
floppya: 1_44="{floppy}", status=inserted, write_protected=1
boot: floppy
clock: sync=none, time0=utc
pci: enabled=1, chipset=i440fx
com1: enabled=1, mode=file, dev="{log}"
port_e9_hack: enabled=1
log: "{bochs_log}"
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


class Elf:
    """What of a kernel image is to be in memory, and where it is entered."""

    def __init__(self, path):
        self.data = read(path)
        phoff, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        heads = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * size)
                 for i in range(count)]
        self.loads = [(h[4], self.data[h[2]:h[2] + h[5]]) for h in heads if h[0] == 1]
        self.base = min(paddr for paddr, _ in self.loads)
        self.end = max(h[4] + h[6] for h in heads if h[0] == 1)
        self.entry = next((e for h in heads if h[0] == 4
                           for e in self.pvh_entries(h[2], h[5])), None)

    def pvh_entries(self, offset, size):
        """XEN_ELFNOTE_PHYS32_ENTRY of a segment of notes."""
        end = offset + size
        while offset < end:
            name_size, desc_size, kind = struct.unpack_from("<III", self.data, offset)
            desc = offset + 12 + (name_size + 3 & ~3)
            if kind == 18 and self.data[offset + 12:offset + 16] == b"Xen\0":
                yield struct.unpack_from("<I", self.data, desc)[0]
            offset = desc + (desc_size + 3 & ~3)

    def flat(self):
        image = bytearray(max(p + len(d) for p, d in self.loads) - self.base)
        for paddr, data in self.loads:
            image[paddr - self.base:paddr - self.base + len(data)] = data
        return image


def compiled(name, source, *options):
    def write(path):
        subprocess.run(["gcc", *options, "-o", path, source], check=True)

    return cached(name, BUILT + [source], write)


def e9_program():
    """For the host's initramfs."""
    return compiled("e9", os.path.join(HERE, "e9.c"), "-O2", "-Wall", "-static")


class Bochs:
    def __init__(self, args, kernel):
        if not os.path.exists(PROGRAM):
            fail("Bochs is not there: run scripts/setup bochs")
        self.args = args
        self.elf = Elf(kernel.image)
        if self.elf.entry is None:
            fail(f"{kernel.image} cannot be booted as PVH does")
        if self.elf.end > START_INFO:
            fail(f"{kernel.image} is too big")
        self.kernel_flat = cached(f"flat-{kernel.name}", BUILT + [kernel.image], self.write_flat)
        self.pending = b""
        self.folder = tempfile.TemporaryDirectory(prefix="hvmm-bochs.")

    def write_flat(self, path):
        with open(path, "wb") as f:
            f.write(self.elf.flat())

    def boot_floppy(self):
        sector = compiled(
            f"boot-{self.elf.entry:x}", os.path.join(HERE, "bochs-boot.S"), "-m32", "-nostdlib",
            "-static", "-Wl,-Ttext=0x7c00,--oformat=binary,--build-id=none",
            f"-Wa,--defsym,ENTRY={self.elf.entry},--defsym,START_INFO={START_INFO},"
            f"--defsym,MEMORY_MAP={MEMORY_MAP}")
        path = os.path.join(self.folder.name, "floppy")
        with open(path, "wb") as f:
            f.write(read(sector).ljust(1474560, b"\0"))
        return path

    def start_info(self, append, initrd_size):
        """struct hvm_start_info, its module list and the command line."""
        modules, cmdline = START_INFO + 64, START_INFO + 128
        info = struct.pack("<IIIIQQQQII", 0x336ec578, 1, 0, 1, modules, cmdline, 0,
                           MEMORY_MAP, 0, 0)
        module = struct.pack("<QQQQ", INITRD, initrd_size, 0, 0)
        return info.ljust(64, b"\0") + module.ljust(64, b"\0") + append.encode() + b"\0"

    def write_file(self, name, data):
        with open(os.path.join(self.folder.name, name), "wb") as f:
            f.write(data)

    def start(self, append, initrd, log):
        args = self.args
        self.pending = b""
        memory = int(args.memory[:-1]) * (1024 if args.memory[-1] == "G" else 1)
        initrd_size = os.path.getsize(initrd)
        if INITRD + initrd_size > memory << 20:
            fail(f"the initramfs does not fit into {args.memory}")
        # A write to what MONITOR watches does not always end MWAIT here (support.rst), so a CPU
        # that idles is to be woken by an interrupt.
        append = append + ["reboot=t", "idle=nomwait",
                           f"tsc_early_khz={IPS // 1000}"] + args.append
        self.write_file("msrs", MSRS.encode())
        self.write_file("start-info", self.start_info(" ".join(append), initrd_size))
        config = CONFIG.format(
            model=args.model, cpus=args.cpus, ips=IPS, folder=self.folder.name, memory=memory,
            bochs=FOLDER, kernel=self.kernel_flat, kernel_at=self.elf.base, initrd=initrd,
            initrd_at=INITRD, info_at=START_INFO, floppy=self.boot_floppy(), log=log,
            bochs_log=re.sub(r"\.log$", "", log) + ".bochs")
        config += "".join(line + "\n" for line in args.emulator_arg)
        self.write_file("config", config.encode())
        # Unbuffered: what has been said when it is killed counts.
        process = subprocess.Popen(
            ["stdbuf", "-o0", PROGRAM, "-q", "-f", os.path.join(self.folder.name, "config")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return process, [(process.stdout.fileno(), "frames")]

    def take(self, _, data):
        """Frames of e9.c; what is between them is Bochs' own words, which its log
        has too."""
        channels = {ord("1"): "stdout", ord("2"): "stderr", ord("3"): "status"}
        data = self.pending + data
        taken = []
        while True:
            start = data.find(b"\x01")
            if start < 0:
                self.pending = b""
                return taken
            data = data[start:]
            if len(data) < 4:
                break
            if data[1] not in channels:
                data = data[1:]
                continue
            length = data[2] | data[3] << 8
            if len(data) < 4 + length:
                break
            taken.append((channels[data[1]], data[4:4 + length]))
            data = data[4 + length:]
        self.pending = data
        return taken
