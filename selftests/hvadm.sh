#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hvadm as a program: exit statuses, messages, what is left behind. Needs root,
# the module loaded, and no VMs. The bare guest hello.elf and Linux guests are
# looked for in $GUESTS (/guests).

. "$(dirname "$0")/lib/tap.sh"
guests=${GUESTS:-/guests}
module=${HVMM_KO:-/lib/hvmm.ko}

# expect STATUS PATTERN ARGS...: hvadm's status, and a line of its output. A
# refusal has to say something, and nothing on stdout.
expect() {
	status=$1
	pattern=$2
	shift 2
	hvadm "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	if [ $got != "$status" ]; then
		not_ok "hvadm $*: status $got, not $status"
	elif [ -n "$pattern" ] && ! cat "$tmp/out" "$tmp/err" | grep -q -e "$pattern"; then
		not_ok "hvadm $*: no '$pattern'"
	elif [ "$1" != run ] && [ "$status" != 0 ] && [ "$status" -le 4 ] && [ -s "$tmp/out" ]; then
		not_ok "hvadm $*: a refusal on stdout"
	else
		ok "hvadm $*"
	fi
}

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >"$tmp/out" 2>"$tmp/err"; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

host() {
	hvadm stat | awk -v key="$1" '$1 == key { print $2 }'
}

nothing_left() {
	[ "$(host vms) $(host vm-objects) $(host ram-pages) $(host table-pages)" = "0 0 0 0" ] &&
		[ -z "$(pidof hvdm)" ]
}

# What is freed late, or a process on its way out, gets a moment.
settle() {
	tries=50
	until nothing_left; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000 2>/dev/null || sleep 0.1
	done
}

# becomes NAME STATE
becomes() {
	tries=200
	until hvadm stat "$1" 2>/dev/null | grep -q "^state  *$2\$"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000 2>/dev/null || sleep 0.1
	done
}

# The sum and the time since creation, of every vCPU in a table.
ledger_adds_up() {
	hvadm stat "$1" | awk '
		/^INDEX/ { for (i = 1; i <= NF; i++) column[$i] = i; in_table = 1; next }
		in_table && NF { n++; if ($column["SUM"] != $column["WALL"]) bad = 1 }
		END { exit bad || !n }'
}

if [ "$(host vms)" != 0 ]; then
	echo "1..0 # SKIP needs the module loaded, and no VMs"
	exit 4
fi
hello=$guests/hello.elf
if [ ! -e "$hello" ]; then
	echo "1..0 # SKIP no $hello"
	exit 4
fi
cpus=$(host pcpus)

# Usage
expect 0 '^hvadm ' --version
expect 0 create --help
expect 0 vcpus create --help
expect 1 Usage
expect 1 'no verb' dance
expect 1 'name is needed' create
expect 1 'more than one' create a b
expect 1 'name is needed' stop
expect 1 'unrecognized\|unknown' create a --speed 3
expect 1 'number' create a --vcpus many
expect 1 'number' create a --vcpus 0
expect 1 'size' create a --memory big
expect 1 '4096' create a --memory 1000001
expect 1 'not known' create a --on-reset dance
expect 1 'name is needed' set --cpu-weight 5
expect 1 'nothing to change' set a
expect 1 'fixed while it exists; --mem-max' set a --memory 1G
expect 1 '1 to 10000' set a --cpu-weight 0
expect 1 '1 to 10000' create a --cpu-weight 10001
expect 1 'a cap like' set a --cpu-max 50%%
expect 1 'a cap like' set a --cpu-max 0
expect 1 'a time like' set a --cpu-burst -1
expect 1 'a share of a pCPU like' set a --cpu-min much
expect 1 'a list of pCPUs like' set a --cpu-affinity 3-1
expect 1 '1% to 90%' pcpu --host-share 95%
expect 1 'a list of pCPUs like' pcpu --use 1,
expect 1 'no arguments' pcpu a
expect 1 'kernel is needed' run
expect 1 'time' run "$hello" --timeout soon

# Files
expect 1 'No such file' create a --kernel /none
expect 1 'No such file' create a --kernel "$hello" --module /none
expect 1 'not a regular file' create a --kernel /dev
expect 1 'No such file' run /none
: >"$tmp/empty"
expect 1 'empty' create a --kernel "$tmp/empty"
echo 'no kernel at all' >"$tmp/text"
expect 1 'not a kernel' create a --kernel "$tmp/text"
head -c 3000 "$hello" >"$tmp/short"
expect 1 'truncated' create a --kernel "$tmp/short"
expect 1 'fit' create a --kernel "$hello" --memory 4M
expect 1 'modules, not initrds' create a --kernel "$hello" --initrd "$hello"
expect 1 'not a Linux' create a --kernel "$hello" --format linux
linux=$guests/vmlinuz-6.12-cloud
if [ -e "$linux" ]; then
	head -c 1000000 "$linux" >"$tmp/short"
	expect 1 'truncated' create a --kernel "$tmp/short"
	expect 1 'fit' create a --kernel "$linux" --memory 32M
	expect 1 'No such file' create a --kernel "$linux" --initrd /none
	head -c 100000000 /dev/zero >"$tmp/initrd"
	expect 1 'no room' create a --kernel "$linux" --initrd "$tmp/initrd" --memory 128M
	rm "$tmp/initrd"
fi
check 'bad files leave nothing behind' nothing_left

# The kernel's refusals
expect 3 "no VM named 'a'" start a
expect 3 "no VM named 'a'" stop a
expect 3 "no VM named 'a'" destroy a
expect 3 "no VM named 'a'" stat a
expect 3 "no VM named 'a'" console a
expect 3 'no VM' stat "$(printf '%070d' 1)"
expect 2 "attribute name" create .a
expect 2 "attribute vcpus" create a --vcpus $((cpus + 1))
expect 0 '' create a --kernel "$hello" --memory 64M --testdev
expect 2 'attribute name' create a
expect 2 'stopped' stop a
expect 2 'running' pause a
expect 2 'paused' resume a
expect 0 '"memory": 67108864' list -j
expect 0 ' 64M ' list
if command -v su >/dev/null && chmod 755 "$tmp"; then
	check 'others may look' su -s /bin/sh nobody -c 'hvadm list && hvadm stat a'
	su -s /bin/sh nobody -c 'hvadm create b' >"$tmp/out" 2>"$tmp/err"
	check 'others may not create' test $? = 2
	check 'it is said why' sh -c "hvadm list >/dev/null; su -s /bin/sh nobody -c 'hvadm destroy a' 2>&1 | grep CAP_SYS_ADMIN"
else
	skip 'others' 'no su'
fi

# Quotas
expect 0 '' create q1 --memory 1M --cpu-weight 300 --cpu-max 33.3% --cpu-burst 20ms \
	--cpu-min 10% --cpu-affinity 0
expect 0 '' create q2 --memory 1M
expect 0 ' 300  33.3%  *20ms  *10%  0  *max  *max  *0$' list
expect 0 '"cpu-max": 3330000,' list -j
expect 0 '' set q1 --mem-max 64M --mem-high 32M --mem-min 16M
expect 0 '"mem-high": 33554432,' list -j
expect 0 '"mem-min": 16777216,' stat q1 -j
expect 2 'attribute mem-min' set q1 --mem-min 48M
expect 2 'mem-min: 68719476736 bytes, but mem-max is 67108864' set q1 --mem-min 64G
expect 2 'attribute mem-high' set q1 --mem-high 128M
expect 2 'mem-high: 33554432 bytes, but mem-max is 25165824' set q1 --mem-max 24M
expect 2 'the host has [0-9]' set q1 --mem-max 1024G
expect 2 'mem-min: .* the host has [0-9]' set q2 --mem-min 1024G
# As much as two cannot have, and sums that are less than nothing.
most=$(awk '$1 == "MemTotal:" { print $2 * 1024 }' /proc/meminfo)
expect 2 'at most [0-9]* can be promised' set q2 --mem-min "$most"
expect 2 'mem-min: .* the host has [0-9]' set q2 --mem-min 18446744073692774400
# Both or none: q2's part alone could be done.
expect 2 'attribute mem-min' set q2 q1 --mem-min 40M
expect 0 '"mem-min": 0,' stat q2 -j
expect 0 'q1: .* reclaimed, holds' set q1 --reclaim 4K
expect 1 'reclaim' set q1 --reclaim 0
expect 1 'goes with a quota' set q1 --reclaim 4K --generation 1
hvadm set none q1 --reclaim 4K >"$tmp/said" 2>"$tmp/why"
check 'reclaim: all are tried, the first failure counts' test $? = 3
check 'reclaim: the second of two' grep -q '^q1: .* reclaimed' "$tmp/said"
check 'reclaim: which one failed' grep -q '^hvadm: none: ' "$tmp/why"
expect 0 '' set q1 --mem-max 400004K
expect 0 '^mem-max *400004K' stat q1
expect 0 '' set q1 --mem-max 1.3G
expect 0 '' set q1 --mem-high max --mem-max max --mem-min 0
expect 0 '"cpu-min": 100000,' stat q1 -j
expect 0 '' set q1 q2 --cpu-max 1.5 --cpu-affinity all
expect 0 ' 150% ' list
expect 0 '^cpu-max *150%' stat q2
expect 0 '' set q2 --cpu-max 15ms/20ms
expect 0 '^cpu-max *15ms/20ms' stat q2
# What is printed is accepted, and changes nothing.
quota() {
	hvadm stat "$1" | awk '$1 ~ /^cpu-/ { print "--" $1 " " $2 }'
}
quota q1 >"$tmp/before"
check 'what is printed is accepted' hvadm set q1 $(cat "$tmp/before")
quota q1 >"$tmp/after"
check 'and changes nothing' cmp "$tmp/before" "$tmp/after"
expect 3 "no VM named 'none' (attribute name of VM 'none')" set q1 none --cpu-weight 9
expect 2 "can use 1000000 ppm (attribute cpu-min of VM 'q2')" set q2 q1 --cpu-max max --cpu-min 110%
expect 2 "can be reserved (attribute cpu-min of VM 'q2')" set q2 --cpu-max max --cpu-min 95% \
	--cpu-affinity 0
expect 2 'more than one change' set q1 q1 --cpu-weight 9
expect 2 'there is no pCPU 4095, the last is [0-9]* (attribute cpu-affinity' set q1 \
	--cpu-affinity 4095
expect 2 "cpu-max: 50000000000 ns of 10000000, at most 40960000000 possible (attribute cpu-max" \
	set q1 --cpu-max 5000
expect 2 'possible are 0 to 1000000000 (attribute cpu-burst' set q1 --cpu-burst 2s
expect 2 'attribute generation' set q1 --cpu-weight 9 --generation 4000000000
quota q1 >"$tmp/after"
check 'refusals change nothing' cmp "$tmp/before" "$tmp/after"
expect 2 'attribute cpu-min' create q3 --memory 1M --cpu-min 110%
expect 3 '' stat q3
generation=$(hvadm stat | awk '$1 == "generation" { print $2 }')
expect 0 '' set q1 q2 --cpu-max max --cpu-min 0 --generation "$generation"
expect 0 '^host-share *10%' pcpu
expect 0 '' pcpu --host-share 20%
expect 0 '"host-share": 200000,' pcpu -j
expect 0 '"host-share": 300000,' pcpu --host-share 30% -j
expect 1 'exclude' why q1 --window 1s --since-start
long=$(printf '%063d' 1)
expect 0 '' create "$long" --memory 1M
expect 2 "name: $long is taken" create "$long" --memory 1M
expect 0 '' destroy "$long"
for words in 'list -j' stat 'top -b -n 1 -d 10ms' --version; do
	hvadm $words >/dev/full 2>"$tmp/why"
	check "$words: a full disk" test $? = 1
	check "$words: that is said" grep -q 'cannot write to stdout' "$tmp/why"
done
expect 0 '' pcpu --host-share 0.1 --use all
expect 2 'attribute use' pcpu --use 4095
if [ "$cpus" -gt 1 ]; then
	expect 0 '' pcpu --use 0
	check 'one pCPU is used' test "$(host pcpus)" = 1
	expect 2 'cpu-affinity: hvmm uses pCPUs 0, none of these (attribute cpu-affinity' set q1 \
		--cpu-affinity 1
	expect 0 '' pcpu --use all
	expect 0 '' set q1 --cpu-affinity 1
	expect 2 'use: VM [0-9]* may run on pCPUs 1 only (attribute use)' pcpu --use 0
	check 'all pCPUs are used' test "$(host pcpus)" = "$cpus"
	# The host's own hotplug respects what was chosen.
	expect 0 '' pcpu --use 1
	check 'pCPU 1 goes, and comes back' sh -c 'cd /sys/devices/system/cpu/cpu1 &&
		echo 0 >online && echo 1 >online'
	check 'pCPU 1 is used, pCPU 0 is not' sh -c "hvadm pcpu | awk '
		\$1 == 0 && \$3 != \"no\" || \$1 == 1 && \$3 != \"yes\" { bad = 1 } END { exit bad }'"
	check 'one pCPU is used still' test "$(host pcpus)" = 1
	expect 0 '' set q1 --cpu-min 85%
	expect 2 'host-share: 8[0-9]* ppm are reserved by VMs, 200000 ppm would be left' pcpu \
		--host-share 80%
	expect 0 '' set q1 --cpu-min 0
	expect 0 '' pcpu --use all
else
	skip 'choosing pCPUs' 'there is one only'
fi
expect 0 '' destroy q1 q2
expect 1 "hello" run "$hello" --memory 64M --testdev --cpu-max 50% --cpu-weight 500 --timeout 60

# Life
expect 0 '' start a
expect 0 'hello' console a --timeout 60
expect 0 'request' list
check 'the ledger adds up' ledger_adds_up a
expect 0 '' start a
expect 0 'hello' console a --timeout 60
expect 126 'stopped before' console a --expect never-there
expect 0 '' create b --kernel "$hello" --memory 64M
expect 3 'b2' destroy a b2 b
check 'all that exist were destroyed' settle

# Of two that start a VM at once, one waits for the other to load it.
head -c 60000000 /dev/zero >"$tmp/big"
expect 0 '' create race --kernel "$hello" --module "$tmp/big" --memory 256M
hvadm start race >"$tmp/said" 2>&1 &
hvadm start race >"$tmp/why" 2>&1
wait $!
check 'one of two starts it' sh -c "test \"\$(cat '$tmp/said' '$tmp/why' |
	sed 's/; .*//')\" = 'hvadm: race: it is running'"
expect 0 '' destroy race
rm "$tmp/big"

# Files that the caller has open
expect 0 '' create files --kernel "$hello" --memory 64M --on-reset restart
: >"$tmp/lock"
check 'the device process has no descriptor in its way' sh -c "
	for n in 3 4 5 6 7 8 9; do
		eval \"exec \$n>'$tmp/lock'\"
		hvadm start files && hvadm stop files || exit 1
	done
	hvadm start files"
check 'it is there' test -n "$(pidof hvdm)"
check 'it keeps none of them' sh -c "! for pid in $(pidof hvdm | tr '\n' ' '); do
	ls -l /proc/\$pid/fd; done | grep lock"
expect 0 '' destroy files
hvadm run "$hello" --memory 64M --testdev --timeout 60 >&- 2>"$tmp/err"
check 'without a stdout' test "$?: $(cat "$tmp/err")" = '1: '

# A guest of one instruction, as a flat multiboot image, that ends in a triple fault.
head='\0002\0260\0255\0033\0000\0000\0001\0000\0376\0117\0121\0344\0000\0000\0020\0000'
head=$head'\0000\0000\0020\0000\0000\0000\0000\0000\0000\0000\0000\0000\0040\0000\0020\0000'
printf '%b' "$head"'\0017\0013' >"$tmp/fault"
expect 125 'reset' run "$tmp/fault" --memory 64M --timeout 60
# TCG enters a state that it refuses to enter a second time.
if grep -q 'QEMU TCG' /proc/cpuinfo; then
	lost="${hello%/*}/refused.elf --memory 64M --testdev --cmdline emulator=tcg"
	expect 126 'stopped by an error: CS' run $lost --timeout 60
	expect 0 '' create lost --kernel $lost
	expect 0 '' start lost
	check 'it stops' becomes lost stopped
	expect 0 '^error  *CS' stat lost
	expect 0 '"error": "CS' stat lost -j
	expect 0 '"error": "CS' list -j
	expect 0 ' error ' list
	expect 126 'stopped by an error: CS' console lost --expect never-there
	expect 0 '' destroy lost
else
	skip 'a VM that is stopped by an error' 'the processor lets no guest come so far'
fi
expect 0 '' create fault --kernel "$tmp/fault" --memory 64M
expect 0 '' start fault
check 'it stops' becomes fault stopped
expect 0 '' stop fault
expect 0 '^reason  *request' stat fault
expect 2 'stopped already' stop fault
expect 0 '' destroy fault
# hvdm is between two starts nearly always.
expect 0 '' create loop --kernel "$tmp/fault" --memory 64M --on-reset restart
for _ in 1 2 3 4 5; do
	check 'it starts' hvadm start loop
	check 'it is stopped, for good' hvadm stop loop
	check 'nobody starts it again' sh -c 'while pidof hvdm >/dev/null; do :; done
		hvadm stat loop | grep -q "^reason  *request"'
done
expect 0 '' destroy loop

# The device process
# serving: the process that serves a guest
serving() {
	for each in $(pidof hvdm); do
		! grep -q '^Uid:.*65534' "/proc/$each/status" || echo "$each"
	done
}
hvadm run "$hello" --memory 64M --on-reset restart --timeout 60 -n lone >/dev/null 2>"$tmp/err" &
pid=$!
check 'it runs' becomes lone running
kill -9 "$(serving)"
wait $pid
check 'run: the device process dies' test $? = 126
check 'nothing is left' settle
expect 0 '' create quiet --memory 64M --testdev
for _ in 1 2 3 4 5; do
	hvdm "$(hvadm stat quiet | awk '$1 == "id" { print $2 }')" 2>"$tmp/err" &
	pid=$!
	tries=100
	until [ -n "$(serving)" ] || [ $((tries -= 1)) = 0 ]; do
		usleep 100000 2>/dev/null || sleep 0.1
	done
	hvadm destroy quiet
	wait $pid
	check 'the end of a VM is no error' test "$?: $(cat "$tmp/err")" = '0: '
	hvadm create quiet --memory 64M --testdev
done
expect 0 '' destroy quiet
check 'nothing is left' settle

# run passes the guest's status on
expect 1 'hello' run "$hello" --memory 64M --testdev --timeout 60
expect 124 'time is up' run "$hello" --memory 64M --timeout 2
check 'run leaves nothing behind' settle
hvadm run "$hello" --memory 64M -n victim >/dev/null 2>&1 &
pid=$!
tries=100
until hvadm list | grep -q ' running ' || [ $((tries -= 1)) = 0 ]; do
	usleep 100000 2>/dev/null || sleep 0.1
done
expect 2 'running' start victim
expect 0 '' pause victim
expect 2 'paused' start victim
expect 2 '' pause victim
expect 0 '' resume victim
expect 2 'attribute name' run "$hello" -n victim
kill $pid
wait $pid 2>/dev/null
check 'run that is terminated leaves nothing behind' settle
hvadm run "$hello" --memory 64M -n quit --timeout 60 >/dev/null 2>&1 &
pid=$!
check 'it runs' becomes quit running
kill -QUIT $pid
wait $pid
check 'a quit ends it' test $? = 1
check 'and leaves nothing behind' settle
hvadm run "$hello" --memory 64M --timeout 60 2>"$tmp/why" | :
check 'nor does a reader that has gone' settle
check 'it is said' grep -q 'cannot write to stdout: Broken pipe' "$tmp/why"
rm "$tmp/short"
cp "$hello" "$tmp/short"
expect 0 '' create gone --kernel "$tmp/short" --memory 64M
rm "$tmp/short"
expect 1 'No such file' start gone
expect 0 ' none ' list
expect 0 '' destroy gone

# Events
hvadm monitor -j >"$tmp/events" &
pid=$!
# It listens when the first event arrives.
tries=50
until grep -q created "$tmp/events" || [ $((tries -= 1)) = 0 ]; do
	hvadm create probe && hvadm destroy probe
	usleep 100000 2>/dev/null || sleep 0.1
done
hvadm run "$hello" --memory 64M --testdev -n seen >/dev/null
tries=50
until grep -q 'destroyed.*seen' "$tmp/events" || [ $((tries -= 1)) = 0 ]; do
	usleep 100000 2>/dev/null || sleep 0.1
done
kill $pid
wait $pid 2>/dev/null
sed -n '/"seen"/s/.*"event": "\([a-z]*\)".*"state": "\([a-z]*\)".*/\1 \2/p' "$tmp/events" \
	>"$tmp/got"
printf '%s\n' 'created stopped' 'state running' 'state stopped' 'destroyed stopped' >"$tmp/want"
check 'monitor tells of each event' cmp "$tmp/got" "$tmp/want"

# Linux: console, script, reset, switching off
initrd=$guests/initrd.img
if [ -e "$linux" ] && [ -e "$initrd" ]; then
	expect 0 'answer-42' run "$linux" --initrd "$initrd" --cmdline 'console=ttyS0 quiet' \
		--memory 256M --timeout 200 --expect 'guest# ' \
		--send 'echo answer-$((6*7)); poweroff -f\n' --expect 'answer-42'
	expect 125 'reset' run "$linux" --initrd "$initrd" --cmdline 'console=ttyS0 quiet' \
		--memory 256M --timeout 200 --expect 'guest# ' --send 'reboot -f\n'
	expect 0 '' create l --kernel "$linux" --initrd "$initrd" --memory 256M \
		--cmdline 'console=ttyS0 quiet' --on-reset restart
	expect 0 '' start l
	expect 0 'guest# ' console l --timeout 200 --expect 'guest# ' --send 'reboot -f\n' \
		--expect 'GUEST-UP' --expect 'guest# '
	check 'stdin is typed' sh -c "echo 'echo typed-\$((5*5)); poweroff -f' |
		hvadm console l --timeout 60 | grep typed-25"
	expect 0 'poweroff' list
	expect 0 '' destroy l
	check 'nothing is left of it' settle
else
	skip 'Linux guests' "none in $guests"
fi

# No module
if [ -e "$module" ] && rmmod hvmm; then
	expect 4 'modprobe hvmm' list
	expect 4 'modprobe hvmm' create a --kernel "$hello"
	check 'the module is loaded again' insmod "$module"
else
	skip 'no module' "$module cannot be taken away"
fi

tap_end
