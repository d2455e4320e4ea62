# SPDX-License-Identifier: GPL-2.0
# VMX: choice of controls, checks of a VM entry.

tests += test_vmx
test_vmx_src := test_vmx.c
test_vmx_kmod := x86/vmx/caps.c x86/vmx/check_control.c x86/vmx/check_guest.c \
	x86/vmx/check_host.c x86/vmx/check_segments.c
test_vmx_inc := x86/vmx
test_vmx_cflags := -include stdio.h
