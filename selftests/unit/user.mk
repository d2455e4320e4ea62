# SPDX-License-Identifier: GPL-2.0
# Userspace code of user/lib: the system's headers, not the shims for kernel code.

user_lib := $(top)/user/lib
user_lib_pure := aml acpi config cputext elfimage error fds file load load_linux load_multiboot \
	load_pvh out prealloc ram script signals units usage why why_text
user_cflags := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-I$(user_lib) -I$(top)/selftests/unit -I$(top)/include/uapi \
	$(shell pkg-config --cflags libnl-genl-3.0)

user_hvadm := $(top)/user/hvadm
user_libs_test_user_vm = $(shell pkg-config --libs libnl-genl-3.0)
own_tests += test_user_text test_user_load test_user_acpi test_user_why \
	test_user_boot test_user_os test_user_script test_user_session \
	test_user_vm

$(O)/test_user_boot: $(user_hvadm)/life.c
$(O)/test_user_vm: $(user_lib)/vm.c $(user_lib)/quota.c
$(O)/test_user_session: $(user_hvadm)/session.c

$(O)/test_user_%: $(top)/selftests/unit/test_user_%.c $(user_lib_pure:%=$(user_lib)/%.c) \
		$(wildcard $(user_lib)/*.h $(user_hvadm)/*.h) $(top)/selftests/unit/tap.h
	@mkdir -p $(O)
	@echo "  CC      $(@F)"
	$(Q)$(CC) $(user_cflags) $(CFLAGS) -o $@ $(filter %.c,$^) $(user_libs_$(@F))
