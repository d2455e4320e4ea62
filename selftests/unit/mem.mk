# SPDX-License-Identifier: GPL-2.0
# Memory and buses.

tests += test_bus
test_bus_src := test_bus.c
test_bus_kmod := core/bus.c
test_bus_inc := core
test_bus_cflags := -D__rcu= '-D__counted_by(x)='

tests += test_tdp
test_tdp_src := test_tdp.c
test_tdp_kmod := mem/tdp.c mem/tdp_dirty.c
test_tdp_inc := mem
test_tdp_cflags := -include tdp_fake.h

tests += test_age
test_age_src := test_age.c
test_age_kmod := mem/age.c mem/tdp.c mem/tdp_dirty.c
test_age_inc := mem
test_age_cflags := -include tdp_fake.h

tests += test_tdp_threads
test_tdp_threads_src := test_tdp_threads.c
test_tdp_threads_kmod := mem/tdp.c mem/tdp_dirty.c
test_tdp_threads_inc := mem
test_tdp_threads_cflags := -include tdp_fake.h -DHVMM_UNIT_THREADS -pthread -O2 \
	-fno-sanitize=address,undefined -fsanitize=thread

tests += test_mem_quota
test_mem_quota_src := test_mem_quota.c
test_mem_quota_kmod := mem/quota.c
test_mem_quota_inc := mem
test_mem_quota_cflags := -include mem_quota_fake.h -pthread
