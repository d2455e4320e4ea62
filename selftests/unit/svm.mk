# SPDX-License-Identifier: GPL-2.0
# SVM: checks of VMRUN.

tests += test_svm
test_svm_src := test_svm.c
test_svm_kmod := x86/svm/check.c
test_svm_inc := x86 x86/svm
test_svm_cflags := -I$(top)/selftests/unit/svm "-D__packed=__attribute__((packed))"
