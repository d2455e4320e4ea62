# SPDX-License-Identifier: GPL-2.0
# The scheduler. Its red-black trees are the kernel's own, from where "scripts/setup
# source" unpacks them.

kernel_tools := $(shell . $(top)/scripts/lib/cache.sh && echo $$cache/source-6.12/tools)
rbtree_h := $(addprefix $(O)/kernel/linux/,rbtree.h rbtree_augmented.h)
rbtree_c := $(kernel_tools)/lib/rbtree.c
rbtree_cflags := -I$(O)/kernel

$(rbtree_c):
	$(top)/scripts/setup -q source

$(rbtree_h): $(O)/kernel/linux/%: $(kernel_tools)/include/linux/%
	@mkdir -p $(@D)
	@ln -sf $< $@

tests += test_sched
test_sched_src := test_sched.c
test_sched_kmod := $(addprefix sched/,$(notdir $(wildcard $(kmod)/sched/*.c)))
test_sched_inc := sched
test_sched_cflags := -include sched_fake.h -pthread $(rbtree_cflags)

$(O)/test_sched: $(rbtree_h) $(rbtree_c)

# Where a vCPU's time goes.
tests += test_ledger
test_ledger_src := test_ledger.c
test_ledger_kmod := core/ledger.c
test_ledger_inc := core
test_ledger_libs := -lpthread
