# SPDX-License-Identifier: GPL-2.0
# The guest's CPU: policies and page walk, over a fake kernel and vendor.

guest_cpu_fake := asm/cpufeature.h asm/cpufeatures.h asm/cpuid.h asm/msr.h asm/msr-index.h asm/processor.h \
	asm/trapnr.h asm/tsc.h asm/fpu/xcr.h asm/pvclock-abi.h uapi/asm/kvm_para.h \
	uapi/linux/kvm_para.h linux/cache.h linux/log2.h linux/ktime.h \
	linux/timekeeping.h linux/printk.h
guest_cpu_inc := x86 dev ../selftests/unit/guest_cpu ../selftests/unit/guest_cpu/x86
# Its x86/vcpu.h goes before the real one.
guest_cpu_cflags := -iquote $(top)/selftests/unit/guest_cpu -I$(O)/fake
guest_cpu_kmod := x86/cpuid.c x86/cpuid_table.c x86/cr.c x86/msr.c x86/msr_table.c x86/mtrr.c \
	x86/pv.c x86/pv_clock.c x86/pv_eoi.c x86/pv_ipi.c x86/spin.c x86/walk.c x86/walked.c \
	dev/lapic.c dev/lapic_io.c dev/lapic_lend.c dev/lapic_timer.c dev/irq.c

tests += test_guest_cpu
test_guest_cpu_src := test_guest_cpu.c guest_cpu.c
test_guest_cpu_kmod := $(guest_cpu_kmod)
test_guest_cpu_inc := $(guest_cpu_inc)
test_guest_cpu_cflags := $(guest_cpu_cflags)

tests += test_pv
test_pv_src := test_pv.c guest_cpu.c
test_pv_kmod := $(guest_cpu_kmod)
test_pv_inc := $(guest_cpu_inc)
test_pv_cflags := $(guest_cpu_cflags)

tests += test_walk
test_walk_src := test_walk.c guest_cpu.c
test_walk_kmod := $(guest_cpu_kmod)
test_walk_inc := $(guest_cpu_inc)
test_walk_cflags := $(guest_cpu_cflags)

tests += test_walked
test_walked_src := test_walked.c guest_cpu.c
test_walked_kmod := $(guest_cpu_kmod)
test_walked_inc := $(guest_cpu_inc)
test_walked_cflags := $(guest_cpu_cflags)

tests += test_task
test_task_src := test_task.c guest_cpu.c
test_task_kmod := $(guest_cpu_kmod) x86/task.c x86/task_look.c
test_task_inc := $(guest_cpu_inc)
test_task_cflags := $(guest_cpu_cflags)

$(O)/test_guest_cpu $(O)/test_pv $(O)/test_task $(O)/test_walk $(O)/test_walked: $(addprefix $(O)/fake/,$(guest_cpu_fake))

$(O)/fake/%.h:
	@mkdir -p $(@D)
	@echo '#include "fake_kernel.h"' > $@
