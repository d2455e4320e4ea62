# SPDX-License-Identifier: GPL-2.0
# The host's share of a pCPU.

tests += test_share
test_share_src := test_share.c
test_share_kmod := run/share.c
test_share_inc := run
