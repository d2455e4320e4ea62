/* SPDX-License-Identifier: GPL-2.0 */
/*
 * APM vol. 2, 15.5.1 and 15.5.2: what VMRUN does not change over is done here. Not by hvmm's own
 * x86/svm/enter.S: the floor must not rise with it.
 */
#include <linux/linkage.h>

#include <asm/nospec-branch.h>

.section .text, "ax"

SYM_FUNC_START(floor_vmrun)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdx
	push	%rdi

	mov	%rsi, %rax
	mov	0(%rdi), %rbx
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
	mov	24(%rdi), %rsi
	mov	40(%rdi), %rbp
	mov	48(%rdi), %r8
	mov	56(%rdi), %r9
	mov	64(%rdi), %r10
	mov	72(%rdi), %r11
	mov	80(%rdi), %r12
	mov	88(%rdi), %r13
	mov	96(%rdi), %r14
	mov	104(%rdi), %r15
	mov	32(%rdi), %rdi

	vmload	%rax
	vmrun	%rax
	vmsave	%rax

	pop	%rax
	mov	%rbx, 0(%rax)
	mov	%rcx, 8(%rax)
	mov	%rdx, 16(%rax)
	mov	%rsi, 24(%rax)
	mov	%rdi, 32(%rax)
	mov	%rbp, 40(%rax)
	mov	%r8, 48(%rax)
	mov	%r9, 56(%rax)
	mov	%r10, 64(%rax)
	mov	%r11, 72(%rax)
	mov	%r12, 80(%rax)
	mov	%r13, 88(%rax)
	mov	%r14, 96(%rax)
	mov	%r15, 104(%rax)
	pop	%rax
	vmload	%rax

	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
SYM_FUNC_END(floor_vmrun)
