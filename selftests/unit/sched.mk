# SPDX-License-Identifier: GPL-2.0
# The scheduler.

tests += test_sched
test_sched_src := test_sched.c
test_sched_kmod := sched/core.c sched/rr.c
test_sched_inc := sched
test_sched_cflags := -include sched_fake.h -pthread

# Where a vCPU's time goes.
tests += test_ledger
test_ledger_src := test_ledger.c
test_ledger_kmod := core/ledger.c
test_ledger_inc := core
test_ledger_libs := -lpthread
