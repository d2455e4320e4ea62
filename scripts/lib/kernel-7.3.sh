# SPDX-License-Identifier: GPL-2.0
# Part "7.3" of scripts/setup, sourced by it: Debian's newest 7.3 kernel as a
# test host, and headers with all that is needed to build a module for it on
# Debian 12.
#
# The kernel is built with a newer compiler and its build tools need a newer C
# library than Debian 12 has. So the headers come with compiler, binutils and
# their libraries from the same suite, and each program is told (patchelf) to
# use the libraries beside it. Nothing of it is visible to other programs.
#
#   $cache/kernel-7.3    vmlinux, modules
#   $cache/headers-7.3   build (KERNELDIR), root (the unpacked packages)

# A program of the unpacked tree, with its own C library.
patch_program() {
	local file=$1 final=$2

	patchelf --set-interpreter "$final/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" \
		--force-rpath --set-rpath "$final/usr/lib/x86_64-linux-gnu" "$file" ||
		die "cannot patch $file"
}

setup_headers_7_3() {
	local release=$1 dir=$cache/apt/trixie/cache/archives deb file
	local final=$cache/headers-7.3/root tree=$work/headers-7.3

	say "fetching headers and compiler of $release"
	rm -f "$dir"/*.deb
	private_apt trixie -y --download-only --no-install-recommends \
		install "linux-headers-$release" >&2 ||
		die "cannot download the headers of $release: see above"
	rm -rf "$tree"
	mkdir -p "$tree/root"
	for deb in "$dir"/*.deb; do
		dpkg -x "$deb" "$tree/root"
	done
	rm -f "$dir"/*.deb

	find "$tree/root" -type f -perm /111 ! -name '*.so*' |
		while read -r file; do
			# Only programs have an interpreter.
			if patchelf --print-interpreter "$file" >/dev/null 2>&1; then
				patch_program "$file" "$final"
			fi
		done
	sed -i "s,/usr/src/,$final/usr/src/,g" \
		"$tree/root/usr/src/linux-headers-$release/Makefile"
	cat >>"$tree/root/usr/src/linux-headers-$release/.kernelvariables" <<-END
		override CROSS_COMPILE = $final/usr/bin/x86_64-linux-gnu-
		override CC = \$(CROSS_COMPILE)gcc-14
		override PAHOLE = $final/usr/bin/pahole
	END
	ln -s "root/usr/src/linux-headers-$release" "$tree/build"
	echo "$release" >"$tree/release"
	place headers-7.3
}

setup_7_3() {
	local release

	if [ -e "$cache/kernel-7.3/vmlinux" ] && [ -e "$cache/headers-7.3/build" ] &&
		cmp -s "$cache/kernel-7.3/release" "$cache/headers-7.3/release"; then
		return 0
	fi
	update_lists trixie
	release=$(private_apt_cache trixie pkgnames linux-headers-7.3. |
		sed -n 's/^linux-headers-\(7\.3\.[^-]*-amd64\)$/\1/p' |
		sort -V | tail -n 1)
	[ -n "$release" ] || die "the mirror has no kernel 7.3 in trixie-backports"
	unpack_kernel trixie kernel-7.3 "linux-binary-$release" \
		"linux-modules-$release"
	setup_headers_7_3 "$release"
}
