/* SPDX-License-Identifier: GPL-2.0 */
/* void run_form(struct ctx *c, void *form): registers from *c, one form, registers to *c. */
	.globl run_form
run_form:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	%rsi, %r11
	mov	%rdi, %r10
	movdqu	64(%r10), %xmm0
	mov	0(%r10), %rax
	mov	8(%r10), %rbx
	mov	16(%r10), %rcx
	mov	24(%r10), %rdx
	mov	32(%r10), %rsi
	mov	40(%r10), %rdi
	pushq	48(%r10)
	popfq
	call	*%r11
	pushfq
	cld
	pop	%r10
	pop	%r11
	mov	%r10, 48(%r11)
	mov	%rax, 0(%r11)
	mov	%rbx, 8(%r11)
	mov	%rcx, 16(%r11)
	mov	%rdx, 24(%r11)
	mov	%rsi, 32(%r11)
	mov	%rdi, 40(%r11)
	movdqu	%xmm0, 64(%r11)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.section .note.GNU-stack, "", @progbits
