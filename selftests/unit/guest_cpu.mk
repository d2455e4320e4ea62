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
	x86/pv.c x86/pv_clock.c x86/pv_eoi.c x86/pv_ipi.c x86/spin.c x86/task.c x86/task_look.c \
	x86/walk.c x86/walked.c \
	dev/lapic.c dev/lapic_io.c dev/lapic_lend.c dev/lapic_timer.c dev/irq.c

guest_cpu_tests := test_guest_cpu test_pv test_task test_walk test_walked
tests += $(guest_cpu_tests)

define guest_cpu_test
$(1)_src := $(1).c guest_cpu.c
$(1)_kmod := $(guest_cpu_kmod)
$(1)_inc := $(guest_cpu_inc)
$(1)_cflags := $(guest_cpu_cflags)
endef
$(foreach t,$(guest_cpu_tests),$(eval $(call guest_cpu_test,$(t))))

$(addprefix $(O)/,$(guest_cpu_tests)): $(addprefix $(O)/fake/,$(guest_cpu_fake))

$(O)/fake/%.h:
	@mkdir -p $(@D)
	@echo '#include "fake_kernel.h"' > $@
