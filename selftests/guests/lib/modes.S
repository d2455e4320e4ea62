/* SPDX-License-Identifier: GPL-2.0 */
/* The way down from long mode to 32-bit protected mode without paging, and back. */
	.set	EFER, 0xc0000080

	.text
	.code64
/* void rm_run(void *fn): fn is 32-bit code, called with paging and long mode off. */
	.globl rm_run
rm_run:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%edi, rm_fn
	sidt	rm_idt
	mov	%rsp, rm_rsp
	mov	%cr0, %rax
	mov	%eax, rm_cr0
	mov	%cr3, %rax
	mov	%eax, rm_cr3
	mov	%cr4, %rax
	mov	%eax, rm_cr4
	push	$0x30
	push	$1f
	lretq
	.code32
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	mov	rm_rsp, %esp
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$EFER, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	xor	%eax, %eax
	mov	%eax, %cr4
	call	*rm_fn
	mov	rm_cr4, %eax
	mov	%eax, %cr4
	mov	rm_cr3, %eax
	mov	%eax, %cr3
	mov	$EFER, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	rm_cr0, %eax
	mov	%eax, %cr0
	ljmp	$0x08, $2f
	.code64
2:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	rm_rsp, %rsp
	lidt	rm_idt
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.data
	.balign 4
rm_fn:		.long 0
rm_cr0:		.long 0
rm_cr3:		.long 0
rm_cr4:		.long 0
rm_rsp:		.quad 0
rm_idt:		.fill 10, 1, 0
	.globl rm_ivt
rm_ivt:		.word 0x3ff
		.long 0
	.section .note.GNU-stack, "", @progbits
