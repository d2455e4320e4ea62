# SPDX-License-Identifier: GPL-2.0
# TAP for the kselftest scripts (sh). What a test printed is expected in $tmp/out and $tmp/err:
# the last lines of it are shown when the test fails.

tmp=$(mktemp -d)
count=0
failed=0
trap 'rm -rf "$tmp"' EXIT

ok() {
	count=$((count + 1))
	echo "ok $count - $*"
}

not_ok() {
	count=$((count + 1))
	failed=$((failed + 1))
	echo "not ok $count - $*"
	for shown in "$tmp/out" "$tmp/err"; do
		[ ! -f "$shown" ] || tail -n 80 "$shown" | sed 's/^/#   /'
	done
}

# skip NAME WHY
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@"; then
		ok "$name"
	else
		echo "$*" >>"$tmp/err"
		not_ok "$name"
	fi
}

# The last command of a script.
tap_end() {
	echo "1..$count"
	[ $failed = 0 ]
}
