# SPDX-License-Identifier: GPL-2.0
# Device models.

lapic_kmod := dev/lapic.c dev/lapic_io.c dev/lapic_lend.c dev/lapic_timer.c dev/irq.c

tests += test_lapic
test_lapic_src := test_lapic.c test_lapic_lend.c test_lapic_timer.c test_lapic_fuzz.c
test_lapic_kmod := $(lapic_kmod)
test_lapic_inc := . dev
test_lapic_libs := -lpthread

tests += test_irq
test_irq_src := test_irq.c
test_irq_kmod := $(lapic_kmod)
test_irq_inc := . dev

tests += test_ioapic
test_ioapic_src := test_ioapic.c
test_ioapic_kmod := dev/ioapic.c $(lapic_kmod)
test_ioapic_inc := . dev

tests += test_uart
test_uart_src := test_uart.c
test_uart_kmod := dev/uart.c
test_uart_inc := . dev
