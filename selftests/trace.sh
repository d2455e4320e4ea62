#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints, through tracefs: each fires, names the right VM, and as often
# as the counters and the ledger say. Needs root, the module loaded, and no VMs.
# Bare guests are looked for in $GUESTS (/guests).

. "$(dirname "$0")/lib/tap.sh"
guests=${GUESTS:-/guests}
tracing=/sys/kernel/tracing

cleanup() {
	echo 0 >"$instance/events/hvmm/enable"
	hvadm destroy $(hvadm list | awk 'NR > 1 { print $2 }') 2>/dev/null
	rmdir "$instance"
	rm -rf "$tmp"
}

# fields EVENT: of its record, what all events have left out
fields() {
	sed -n '/^print fmt/q; s/^.*field:\([^;]*\);.*/\1/p' "$tracing/events/hvmm/$1/format" |
		sed '/ common_/d; s/^.* //; s/\[.*//' | tr '\n' ' '
}

# begin EVENT...: an empty buffer, these events
begin() {
	echo 0 >"$instance/events/hvmm/enable"
	echo >"$instance/trace"
	for event; do
		echo 1 >"$instance/events/hvmm/$event/enable"
	done
}

# end: lines of "EVENT WORD..." in order of time, and that none was lost
end() {
	echo 0 >"$instance/events/hvmm/enable"
	sed -n 's/^.*: \(hvmm_[a-z]*\): /\1 /p' "$instance/trace" >"$tmp/trace"
	lost=$(cat "$instance"/per_cpu/cpu*/stats |
		awk '/^(overrun|commit overrun|dropped events):/ { n += $NF } END { print n + 0 }')
	[ "$lost" = 0 ] || {
		echo "$lost events lost" >>"$tmp/err"
		return 1
	}
}

# events NAME [PATTERN]: how many
events() {
	grep -c "^$1 .*$2" "$tmp/trace"
}

# figure KEY: the first value of that key in "hvadm stat -j"
figure() {
	hvadm stat -j "$vm" | awk -v key="\"$1\":" '$1 == key { gsub(/[",]/, ""); print $2; exit }'
}

# waits KIND: how many single waits of that kind there were
waits() {
	hvadm why -j --since-start "$vm" | awk -v key="\"$1\":" '
		/"waits": / { inside = 1 }
		inside && $1 == key { found = 1 }
		found && $1 == "\"count\":" { gsub(/,/, ""); print $2; exit }'
}

# All events are of the VM, whose number is VM, and of a vCPU that it has.
of_the_vm() {
	! grep -v "^hvmm_[a-z]* vm $id \(vcpu 0 \|vcpu 0$\|reason \)" "$tmp/trace" >>"$tmp/err"
}

# run NAME GUEST [OPTION...]: until it stops, with $args for the guest; leaves vm and id
args=
run() {
	vm=$1
	guest=$2
	shift 2
	hvadm create "$vm" --memory 32M --kernel "$guests/$guest.elf" \
		--cmdline "emulator=tcg $args" "$@" >>"$tmp/err" 2>&1
	id=$(figure id)
	hvadm start "$vm" >>"$tmp/err" 2>&1
	timeout 100 hvadm console "$vm" --timeout 90 >"$tmp/console" 2>&1
}

instance=$tracing/instances/hvmm-test
if [ "$(hvadm stat | awk '$1 == "vms" { print $2 }')" != 0 ]; then
	echo "1..0 # SKIP needs the module loaded, and no VMs"
	exit 4
fi
if [ ! -e "$guests/hello.elf" ] || [ ! -d $tracing/events/hvmm ] || ! mkdir "$instance"; then
	echo "1..0 # SKIP needs tracefs and $guests/hello.elf"
	exit 4
fi
trap cleanup EXIT
echo 16384 >"$instance/buffer_size_kb"

# Names and fields, which scripts for perf and bpftrace are written for
while read -r event want; do
	got=$(fields "$event")
	echo "$event: $got" >"$tmp/err"
	check "$event has the fields $want" test "$got" = "$want "
done <<END
hvmm_entry vm vcpu rip
hvmm_exit vm vcpu reason rip info1 info2
hvmm_switch vm vcpu
hvmm_wake vm vcpu
hvmm_park vm vcpu state
hvmm_throttle vm vcpu
hvmm_unthrottle vm vcpu ns
hvmm_inject vm vcpu type vector has_error error
hvmm_mmio vm vcpu addr val len write user
hvmm_pio vm vcpu addr val len write user
hvmm_msr vm vcpu val msr write refused
hvmm_stop vm reason text
hvmm_dump vm vcpu rip rflags gpr control state
END

# The run loop
begin hvmm_entry hvmm_exit hvmm_switch hvmm_wake hvmm_park
run loop msrs --testdev
check 'a run is traced without loss' end
check 'all of it names the VM' of_the_vm
exits=$(figure exits-sum)
echo "$(events hvmm_exit) exits traced, $exits counted" >"$tmp/err"
check 'hvmm_exit: as many as were counted' test "$(events hvmm_exit)" = "$exits" -a "$exits" -gt 100
check 'hvmm_exit: MSRs as often as was counted' test "$(events hvmm_exit 'reason 0x7c ')" = \
	$(($(figure msr-read) + $(figure msr-write)))
check 'hvmm_entry: as many as exits' test "$(events hvmm_entry)" = "$exits"
awk '
	/^hvmm_entry/ { if (inside) bad++; inside = 1; n++; if ($7 == "0x0") bad++ }
	/^hvmm_exit/ { if (!inside) bad++; inside = 0 }
	END { exit bad || inside || !n }' "$tmp/trace"
check 'entries and exits take turns' test $? = 0
echo "$(events hvmm_switch) switches, $(figure entries) residencies" >"$tmp/err"
check 'hvmm_switch: as many as residencies' test "$(events hvmm_switch)" = "$(figure entries)"
echo "$(events hvmm_wake) wake-ups traced, $(waits wake) counted" >"$tmp/err"
check 'hvmm_wake: as many as ended in running' test \
	"$(events hvmm_wake)" = "$(waits wake)" -a "$(events hvmm_wake)" -gt 0
check 'hvmm_park: tells the state' test "$(events hvmm_park ' paused$')" -gt 0
# A wake-up is of a parked vCPU, and one that runs was not parked.
awk '
	/^hvmm_park/ { parked = 1 }
	/^hvmm_wake/ { if (started && !parked) bad++; parked = 0; started = 1 }
	/^hvmm_(switch|entry)/ { if (parked) bad++ }
	END { exit bad }' "$tmp/trace"
check 'parking, waking and running are in order' test $? = 0
hvadm destroy loop

# Sleep
begin hvmm_park
vm=idle
hvadm create idle --memory 16M --kernel "$guests/idle.elf" --cmdline emulator=tcg
id=$(figure id)
hvadm start idle
tries=100
until grep -q 'hvmm_park: .* halted$' "$instance/trace" || [ $((tries -= 1)) = 0 ]; do
	usleep 100000
done
hvadm stop idle
check 'sleeping is traced' end
check 'sleeping: all of it names the VM' of_the_vm
check 'hvmm_park: halted, then stopped' sh -c "tail -n 1 '$tmp/trace' | grep -q ' paused$' &&
	grep -q ' halted$' '$tmp/trace'"
hvadm destroy idle

# Interrupts and devices
begin hvmm_inject hvmm_mmio hvmm_pio
run devices lapic_xapic --testdev
check 'devices are traced without loss' end
check 'devices: all of it names the VM' of_the_vm
check 'hvmm_inject: as many as were counted' test "$(events hvmm_inject)" = \
	$(($(figure irq-injected) + $(figure nmi-injected) + $(figure exc-injected)))
check 'hvmm_inject: no interrupt below vector 16' sh -c \
	"! grep -q 'hvmm_inject .* type 0 vector \([0-9]\|1[0-5]\) ' '$tmp/trace'"
# What went to the serial port is what the console has.
awk '/^hvmm_pio .* write 0x3f8 len 1 val / { n++ } END { print n + 0 }' "$tmp/trace" >"$tmp/sent"
echo "$(cat "$tmp/sent") bytes sent, $(wc -c <"$tmp/console") arrived" >"$tmp/err"
check 'hvmm_pio: each byte of the console' test "$(cat "$tmp/sent")" -ge 100
check 'hvmm_pio: the test device is in userspace' test \
	"$(events hvmm_pio ' write 0xf4 len [14] val .* to the device process')" = 1
check 'hvmm_mmio: the LAPIC' test "$(events hvmm_mmio ' 0xfee00[0-9a-f]* len 4 ')" -gt 0
hvadm destroy devices

# MSRs, a triple fault
begin hvmm_msr hvmm_stop hvmm_dump
run msrs msrs --testdev
check 'MSRs are traced without loss' end
check 'MSRs: all of it names the VM' of_the_vm
check 'hvmm_msr: as many as were counted' test "$(events hvmm_msr)" = \
	$(($(figure msr-read) + $(figure msr-write)))
check 'hvmm_msr: some are refused' test "$(events hvmm_msr 'refused')" -gt 0 -a \
	"$(events hvmm_msr 'refused')" -lt "$(events hvmm_msr)"
hvadm destroy msrs
begin hvmm_msr hvmm_stop hvmm_dump
run triple triple
check 'a triple fault is traced' end
check 'hvmm_dump: once' test "$(events hvmm_dump ' rip 0x')" = 1
check 'hvmm_stop: once, for the VM' test "$(events hvmm_stop "vm $id reason ")" = 1
hvadm destroy triple

# The cap
if hvadm set --help 2>/dev/null | grep -q cpu-max; then
	begin hvmm_throttle hvmm_unthrottle
	args='loops=2 each=30'
	run capped busy --testdev --cpu-max 50%
	check 'the cap is traced without loss' end
	check 'the cap: all of it names the VM' of_the_vm
	check 'hvmm_throttle: as often as it waited' test "$(events hvmm_throttle)" -gt 10 -a \
		"$(events hvmm_throttle)" = "$(waits capped)"
	check 'hvmm_unthrottle: as often' test "$(events hvmm_unthrottle)" = "$(waits capped)"
	sum=$(awk '/^hvmm_unthrottle/ { sum += $7 } END { printf "%.0f\n", sum }' "$tmp/trace")
	echo "$sum ns traced, $(figure capped) in the ledger" >"$tmp/err"
	check 'hvmm_unthrottle: the times are those of the ledger' test "$sum" = "$(figure capped)"
	awk '
		/^hvmm_throttle/ { if (held) bad++; held = 1 }
		/^hvmm_unthrottle/ { if (!held) bad++; held = 0 }
		END { exit bad || held }' "$tmp/trace"
	check 'they take turns' test $? = 0
	hvadm destroy capped
else
	skip 'the cap' 'hvadm has no quotas yet'
fi

# The interfaces that perf and bpftrace read them by. The other VM tells whether a program sees a
# record's fields, or just records.
counter=${TRACECOUNT:-/selftests/bench/tracecount}
if [ -x "$counter" ]; then
	for vm in other seen; do
		hvadm create $vm --memory 32M --kernel "$guests/msrs.elf" --cmdline emulator=tcg \
			--testdev
	done
	id=$(figure id)
	"$counter" hvmm_exit vm "$id" sh -c 'hvadm start other && hvadm start seen &&
		hvadm console other --timeout 90 && hvadm console seen --timeout 90' \
		>"$tmp/count" 2>"$tmp/err"
	status=$?
	seen=$(figure exits-sum)
	vm=other
	other=$(figure exits-sum)
	echo "$(cat "$tmp/count"), of $other + $seen exits" >>"$tmp/err"
	if [ $status = 4 ]; then
		skip 'perf and BPF see exits' 'this kernel has no perf events, or no BPF'
	else
		check 'perf events count exits, a BPF program those of one VM' test \
			"$(cat "$tmp/count")" = "perf $((other + seen)) bpf $seen" -a "$seen" -gt 100
	fi
	hvadm destroy other seen
else
	skip 'perf and BPF see exits' "no $counter"
fi

# Tools that read them, where there are any: hosts/run --add brings them in
if command -v perf >/dev/null; then
	hvadm create seen --memory 32M --kernel "$guests/msrs.elf" --cmdline emulator=tcg \
		--testdev
	vm=seen
	perf stat -a -x, -o "$tmp/perf" -e hvmm:hvmm_exit,hvmm:hvmm_switch sh -c \
		'hvadm start seen && hvadm console seen --timeout 90' >"$tmp/console" 2>"$tmp/err"
	cat "$tmp/perf" >>"$tmp/err"
	check 'perf counts exits' grep -q "^$(figure exits-sum),,hvmm:hvmm_exit," "$tmp/perf"
	check 'perf counts switches' grep -q "^$(figure entries),,hvmm:hvmm_switch," "$tmp/perf"
	hvadm destroy seen
else
	skip 'perf' 'none in this host'
fi
if command -v bpftrace >/dev/null; then
	hvadm create seen --memory 32M --kernel "$guests/msrs.elf" --cmdline emulator=tcg \
		--testdev
	vm=seen
	id=$(figure id)
	bpftrace -c "$(command -v hvadm) run $guests/msrs.elf --name other --memory 32M --testdev --cmdline emulator=tcg" \
		-e 'tracepoint:hvmm:hvmm_exit { @[args->vm, args->vcpu] = count(); }' \
		>"$tmp/bpf" 2>"$tmp/err"
	cat "$tmp/bpf" >>"$tmp/err"
	check 'bpftrace reads the fields' grep -q "^@\[$((id + 1)), 0\]: [1-9]" "$tmp/bpf"
	hvadm destroy seen
else
	skip 'bpftrace' 'none in this host'
fi

tap_end
