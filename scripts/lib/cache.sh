# SPDX-License-Identifier: GPL-2.0
# Where scripts/setup keeps what it fetches. Sourced by shell scripts.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/hvmm

# Library path of the unpacked QEMU; for QEMU's own process only.
qemu_libs() {
	local root=$cache/qemu

	echo "$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu/pulseaudio"
}

# Release of the newest installed 6.12 headers, as in "6.12.9+deb12-amd64".
headers_release() {
	local dir

	dir=$(printf '%s\n' /usr/src/linux-headers-6.12.*-amd64 |
		grep -v -e rt-amd64 -e cloud-amd64 | sort -V | tail -n 1)
	[ -d "$dir" ] || return 1
	echo "${dir#/usr/src/linux-headers-}"
}
