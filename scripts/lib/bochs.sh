# SPDX-License-Identifier: GPL-2.0
# Part "bochs" of scripts/setup, sourced by it: the Bochs emulator, which has
# Intel's VMX and a stricter SVM than QEMU.
#
# Debian 12 packages an older one. The source is Debian's tarball of the next
# suite, checked by apt against the signed index; selftests/hosts/bochs.patch
# mends what hvmm's tests need mended. Built once for each patch.
#
#   $cache/bochs    bochs, bios.bin, vgabios.bin, .version

bochs_patch=$top/selftests/hosts/bochs.patch
bochs_version=3.0+dfsg-1

# What is built: another version, patch or way of building is another Bochs.
bochs_key() {
	{
		echo "$bochs_version"
		cat "$bochs_patch"
		declare -f bochs_build
	} | sha256sum | cut -d ' ' -f 1
}

# Only the tarball: another file of the source package is not in the archive.
bochs_source() {
	local tree=$work/bochs.build

	update_lists trixie
	rm -rf "$tree" "$work/bochs.source"
	mkdir -p "$tree" "$work/bochs.source"
	(cd "$work/bochs.source" && private_apt trixie source --download-only \
		--tar-only "bochs=$bochs_version" >&2) ||
		die "cannot download the source of bochs $bochs_version: see above"
	tar -xf "$work"/bochs.source/bochs_*.orig.tar.* -C "$tree" --strip-components=1 ||
		die "cannot unpack the source of bochs"
	rm -rf "$work/bochs.source"
	patch -s -d "$tree" -p1 <"$bochs_patch" || die "$bochs_patch does not apply"
}

# The alarm handler of "ips" takes a lock that its thread may hold: none of it.
bochs_build() {
	(
		cd "$work/bochs.build"
		CXXFLAGS='-O2 -g0' CFLAGS='-O2 -g0' nice ./configure \
			--enable-x86-64 --enable-smp --enable-cpu-level=6 \
			--enable-vmx=2 --enable-svm --enable-avx --enable-evex \
			--enable-protection-keys --enable-memtype --enable-pci \
			--enable-repeat-speedups --enable-fast-function-calls \
			--enable-handlers-chaining --enable-all-optimizations \
			--disable-show-ips --disable-debugger --disable-docbook \
			--disable-voodoo --disable-clgd54xx \
			--without-x11 --without-x --with-nogui
		nice make -j"$(nproc)"
	) >"$cache/bochs.log" 2>&1 || {
		tail -n 20 "$cache/bochs.log" >&2
		die "building bochs failed (log: $cache/bochs.log)"
	}
}

bochs_firmware() {
	local root=$work/bochs.root deb

	update_lists bookworm
	rm -rf "$root"
	mkdir -p "$root"
	for deb in $(fetch bookworm bochsbios vgabios); do
		dpkg -x "$deb" "$root"
	done
	cp "$root/usr/share/bochs/BIOS-bochs-latest" "$work/bochs/bios.bin"
	cp "$root/usr/share/vgabios/vgabios.bin" "$work/bochs/vgabios.bin"
	rm -rf "$root"
}

setup_bochs() {
	local key

	key=$(bochs_key)
	[ "$(cat "$cache/bochs/.version" 2>/dev/null)" != "$key" ] || return 0
	say "fetching and building bochs $bochs_version"
	bochs_source
	bochs_build
	rm -rf "$work/bochs"
	mkdir -p "$work/bochs"
	strip -o "$work/bochs/bochs" "$work/bochs.build/bochs"
	bochs_firmware
	echo "$key" >"$work/bochs/.version"
	rm -rf "$work/bochs.build"
	place bochs
}
