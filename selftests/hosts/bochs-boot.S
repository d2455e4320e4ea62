/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector of the Bochs host. Kernel, initramfs and start info are in memory
 * already (bochs.py): what is left is to ask the BIOS for the memory map and to
 * enter the kernel as PVH does (Documentation/virt in Linux; arch/x86/platform/pvh).
 *
 * ENTRY, START_INFO and MEMORY_MAP are given by the assembler's command line.
 */

	.set	SMAP, 0x534d4150
	.set	ENTRY_BYTES, 24			/* struct hvm_memmap_table_entry */
	.set	MAX_ENTRIES, 64
	.set	MEMMAP_ENTRIES, 48		/* in struct hvm_start_info */

	.code16
	.globl	_start
_start:
	cli
	cld
	ljmp	$0, $real
real:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp

	/* The BIOS writes 20 bytes an entry: the rest of each is to be 0. */
	movw	$MEMORY_MAP, %di
	movw	$(MAX_ENTRIES * ENTRY_BYTES / 2), %cx
	rep stosw

	movw	$MEMORY_MAP, %di
	xorw	%bp, %bp
	xorl	%ebx, %ebx
next:
	movl	$0xe820, %eax
	movl	$20, %ecx
	movl	$SMAP, %edx
	int	$0x15
	jc	mapped
	incw	%bp
	addw	$ENTRY_BYTES, %di
	testl	%ebx, %ebx
	jz	mapped
	cmpw	$MAX_ENTRIES, %bp
	jb	next
mapped:
	inb	$0x92, %al			/* A20 */
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92

	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $protected

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	$START_INFO, %ebx
	movzwl	%bp, %ebp
	movl	%ebp, MEMMAP_ENTRIES(%ebx)
	movl	$ENTRY, %eax
	jmp	*%eax

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* code, 32 bits, all of memory */
	.quad	0x00cf93000000ffff		/* data */
gdtr:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
