/* SPDX-License-Identifier: GPL-2.0 */
/* Entries into code that nobody wrote. */
	.text
	.code64
/* void chaos_call(struct { rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, code } *c) */
	.globl chaos_call
chaos_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	0(%rdi), %rax
	mov	8(%rdi), %rbx
	mov	16(%rdi), %rcx
	mov	24(%rdi), %rdx
	mov	32(%rdi), %rsi
	mov	48(%rdi), %rbp
	mov	56(%rdi), %r8
	mov	64(%rdi), %r9
	mov	40(%rdi), %rdi
	call	*%r9
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* No way back from these: no IDT, so that the first fault is the last. */
	.globl chaos_code64
chaos_code64:
	lidt	chaos_no_idt
	mov	%rdi, %rsp
	jmp	*%rdi
	.code32
	.globl chaos_code32
chaos_code32:
	lidt	chaos_no_idt
	mov	chaos_entry, %eax
	mov	%eax, %esp
	jmp	*%eax
	.globl chaos_code16
chaos_code16:
	lidt	rm_ivt
	ljmp	$0x48, $(1f - chaos_blob)
	.code16
	.globl chaos_blob, chaos_blob_end
chaos_blob:
1:	mov	$0x40, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$~1, %al
	mov	%eax, %cr0
	ljmp	$0x1000, $0x100
chaos_blob_end:
	.data
	.balign 8
chaos_no_idt:
	.fill	10, 1, 0
	.globl chaos_entry
	.balign 4
chaos_entry:
	.long	0
	.section .note.GNU-stack, "", @progbits
