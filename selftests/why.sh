#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hvadm why and hvadm top on VMs whose waiting has a known cause. Needs root, the
# module loaded, and no VMs. Bare guests are looked for in $GUESTS (/guests).

. "$(dirname "$0")/lib/tap.sh"
guests=${GUESTS:-/guests}
trap 'hvadm destroy $(hvadm list | awk "NR > 1 { print \$2 }") 2>/dev/null; rm -rf "$tmp"' EXIT

# hv ARGS...: hvadm, its output kept
hv() {
	hvadm "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
}

# says PATTERN...: each is in a line of the output
says() {
	for pattern; do
		grep -q -e "$pattern" "$tmp/out" || {
			echo "no '$pattern'" >>"$tmp/err"
			return 1
		}
	done
}

# value KEY: of the outermost object of the JSON
value() {
	sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$tmp/out"
}

# Each ledger of the JSON adds up to the wall time below it, to the nanosecond,
# and the first, of all vCPUs, is the sum of the others.
exact() {
	awk '
		/"ledger": \{/ { inside = 1; sum = 0; next }
		inside && /\}/ { inside = 0; next }
		{ gsub(/,/, "") }
		inside { sum += $2 }
		$1 == "\"wall\":" {
			if ($2 != sum)
				bad = 1
			if (n++)
				all += $2
			else
				first = $2
		}
		END { exit bad || n < 2 || all != first }' "$tmp/out" || {
		echo 'the ledgers do not add up' >>"$tmp/err"
		return 1
	}
}

# Each histogram holds as many waits as were counted.
histograms_fit() {
	awk '
		function done() { if (counted >= 0 && counted != sum) bad = 1; counted = -1 }
		BEGIN { counted = -1 }
		{ line = $0; gsub(/[",]/, "") }
		/longest-is:/ { counted = last; sum = 0; n++; inside = 0 }
		/histogram: \[/ { inside = 1 }
		$1 == "count:" { if (inside) sum += $2; else last = $2 }
		inside && /\]/ { inside = 0; done() }
		END { exit bad || n < 7 }' "$tmp/out" || {
		echo 'a histogram does not hold as many as were counted' >>"$tmp/err"
		return 1
	}
}

# create NAME GUEST [OPTION...]
create() {
	vm=$1
	guest=$2
	shift 2
	hv create "$vm" --memory 16M --kernel "$guests/$guest.elf" --cmdline emulator=tcg "$@" &&
		hv start "$vm"
}

# until NAME TEXT: its console has said so
until_says() {
	hvadm console "$1" --timeout 60 --expect "$2" >"$tmp/out" 2>"$tmp/err" </dev/null
}

if [ "$(hvadm stat | awk '$1 == "vms" { print $2 }')" != 0 ]; then
	echo "1..0 # SKIP needs the module loaded, and no VMs"
	exit 4
fi
if [ ! -e "$guests/busy.elf" ]; then
	echo "1..0 # SKIP no $guests/busy.elf"
	exit 4
fi
cpus=$(hvadm stat | awk '$1 == "pcpus" { print $2 }')

# Usage
for args in why 'why a b' 'why a --window soon' 'why a --window 0' 'top x' 'top -d 0' \
	'top -n 0' 'top -s size'; do
	hv $args
	check "hvadm $args: usage" test $? = 1 -a ! -s "$tmp/out"
done
hv why nobody
check 'why: no such VM' test $? = 3

# Stopped, then asleep
hv create dozy --memory 16M --kernel "$guests/idle.elf" --cmdline emulator=tcg
hv why -j dozy --window 50ms
check 'a stopped VM is paused' says '^  "cause": "paused"' '"do": "resume-or-start"'
hv start dozy
until_says dozy idle
# Once it has said so it sleeps at once; one window may still see it print.
hv why -j dozy --window 50ms
hv why -j dozy --window 300ms
check 'an idle VM sleeps' says '^  "cause": "halted"' '"do": "nothing-it-sleeps"'
check 'an idle VM: exact' exact
hv why dozy --window 50ms
check 'an idle VM, in words' says 'did not want to run' 'it sleeps most of the time'

# Two for each pCPU, and one more
i=0
while [ $i -le $((cpus * 2)) ]; do
	create "busy$i" busy || break
	i=$((i + 1))
done
until_says busy0 progress
until_says "busy$((i - 1))" progress
hv why -j busy0 --window 1s
check 'an overcommitted VM waits for a pCPU' says '^  "cause": "ready"' \
	'"do": "raise-cpu-weight-or-cpu-min"'
check 'an overcommitted VM: who ran' says '"name": "busy1"' '"who": "other"' '"who": "itself"'
check 'an overcommitted VM: exact' exact
check 'an overcommitted VM: histograms' histograms_fit
# With others busy all the time there is next to no idle time.
check 'an overcommitted VM: no idle pCPU' test \
	"$(sed -n 's/^    "idle": \([0-9]*\),/\1/p' "$tmp/out")" -lt \
	"$(($(sed -n 's/^    "capacity": \([0-9]*\),/\1/p' "$tmp/out") / 4))"
hv why busy0 --window 300ms
check 'an overcommitted VM, in words' says 'waited .* for a pCPU' 'VM busy1' \
	"it waited while 'busy" 'Longest single wait'
hv why -j busy0 --since-start
check 'since the start' says '"from": "start"' '"no-vm": '
check 'since the start: exact' exact

# so_far: what busy0 has run (ns), and its exits
so_far() {
	hvadm stat -j busy0 | awk '
		{ gsub(/,/, "") }
		$1 == "\"run\":" && !n++ { run = $2 }
		$1 == "\"exits-sum\":" && !m++ { exits = $2 }
		END { print run, exits }'
}

before=$(so_far)
hv top -b -n 2 -d 500ms -s ready
after=$(so_far)
check 'top' says '^busy0 .*running ' '^dozy ' '^NAME .*READY'
check 'top: each VM once a picture' test "$(grep -c '^busy0 ' "$tmp/out")" = 2
# It has one vCPU, which always wants to run: the four add up to it.
check 'top: where the time of a busy VM went' awk '
	/^busy0 / {
		sum = $4 + $5 + $6 + $7
		if (sum < 99.5 || sum > 100.5)
			bad = 1
		run += $4
		n++
	}
	END { exit bad || n != 2 || run <= 0 }' "$tmp/out"
# Two windows of 500 ms at least, within the time between the two looks at the counters.
echo "# busy0, ns and exits: $before, $after"
check 'top: RUN and EXITS/S against the counters' awk -v before="$before" -v after="$after" '
	/^busy0 / { run += ($4 - 0.05) / 100 * 5e8; exits += ($8 - 0.5) * 0.5; some += $8 }
	END {
		split(before, a)
		split(after, b)
		exit some <= 0 || run > b[1] - a[1] || exits > b[2] - a[2]
	}' "$tmp/out"
check 'top: no escape sequences' sh -c "! grep -q '$(printf '\033')' '$tmp/out'"
check 'top: sorted' awk '
	/^NAME/ { last = 1e9 }
	/^(busy|dozy)/ { if ($5 > last) bad = 1; last = $5; n++ }
	END { exit bad || n < 4 }' "$tmp/out"

hvadm destroy $(hvadm list | awk 'NR > 1 { print $2 }' | grep busy) >/dev/null 2>&1

# Its own cap
if hvadm set --help 2>/dev/null | grep -q cpu-max; then
	create slow busy --cpu-max 50%
	until_says slow progress
	hv why -j slow --window 1s
	check 'a capped VM is held back by its cap' says '^  "cause": "capped"' \
		'"do": "raise-cpu-max"'
	check 'a capped VM: exact' exact
	check 'a capped VM: histograms' histograms_fit
	# The cap holds; an emulator that is itself short of time may give less.
	run=$(awk '/"run":/ { gsub(/,/, ""); print $2; exit }' "$tmp/out")
	check 'a capped VM: ran no more than its half' test $((run * 100)) -gt $(($(value window) * 25)) -a \
		$((run * 100)) -lt $(($(value window) * 55))
	hv why slow --window 300ms
	check 'a capped VM, in words' says 'because its own cap of 50 % was used up' \
		'Raise --cpu-max'
	hv top -b -n 1 -d 500ms -s capped
	check 'top: capped first' sh -c "sed -n 3p '$tmp/out' | grep -q '^slow '"
	hv destroy slow
else
	skip 'a capped VM' 'hvadm has no quotas yet'
fi

tap_end
