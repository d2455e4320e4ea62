# SPDX-License-Identifier: GPL-2.0
# "ok" and "not ok" lines for test scripts. Sourced.

tap_count=0
tap_failed=0

tap_ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

tap_not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
}

tap_skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP ${2:-}"
}

# tap_check NAME COMMAND...: ok when the command succeeds; its output becomes
# diagnostics when it does not
tap_check() {
	local name=$1 out status

	shift
	out=$("$@" 2>&1)
	status=$?
	if [ $status = 0 ]; then
		tap_ok "$name"
	else
		[ -z "$out" ] || sed 's/^/# /' <<<"$out"
		tap_not_ok "$name (status $status)"
	fi
}

# tap_shown NAME COMMAND...: the same, with its output in the log in any case
tap_shown() {
	local name=$1 out status

	shift
	out=$("$@" 2>&1)
	status=$?
	[ -z "$out" ] || sed 's/^/# /' <<<"$out"
	tap_check "$name" test $status = 0
}

# The plan, last; the status of the script.
tap_end() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}
