/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VM entry and exit: APM vol. 2, 15.5 (VMRUN), 15.5.2 (VMLOAD, VMSAVE).
 */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>

#include "host/untrain.h"

/* struct hvmm_regs, checked in vcpu.c. RAX and RSP are in the VMCB. */
#define REG_RCX	8
#define REG_RDX	16
#define REG_RBX	24
#define REG_RBP	40
#define REG_RSI	48
#define REG_RDI	56
#define REG_R8	64
#define REG_R9	72
#define REG_R10	80
#define REG_R11	88
#define REG_R12	96
#define REG_R13	104
#define REG_R14	112
#define REG_R15	120

.section .noinstr.text, "ax"

/*
 * void hvmm_svm_vmrun(struct hvmm_regs *regs, u64 guest_pa, u64 host_pa)
 *
 * GIF is clear and interrupts are enabled, so that they end the guest without
 * being taken here. guest_pa is the VMCB, host_pa the page that VMSAVE filled
 * with this pCPU's own state.
 */
SYM_FUNC_START(hvmm_svm_vmrun)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdx
	push	%rdi

	mov	%rsi, %rax
	vmload	%rax

	mov	REG_RCX(%rdi), %rcx
	mov	REG_RDX(%rdi), %rdx
	mov	REG_RBX(%rdi), %rbx
	mov	REG_RBP(%rdi), %rbp
	mov	REG_RSI(%rdi), %rsi
	mov	REG_R8(%rdi), %r8
	mov	REG_R9(%rdi), %r9
	mov	REG_R10(%rdi), %r10
	mov	REG_R11(%rdi), %r11
	mov	REG_R12(%rdi), %r12
	mov	REG_R13(%rdi), %r13
	mov	REG_R14(%rdi), %r14
	mov	REG_R15(%rdi), %r15
	mov	REG_RDI(%rdi), %rdi

#ifdef VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#endif
	vmrun	%rax

	/* The exit restored RAX and RSP; GS is still the guest's. */
	vmsave	%rax
	pop	%rax
	mov	%rcx, REG_RCX(%rax)
	mov	%rdx, REG_RDX(%rax)
	mov	%rbx, REG_RBX(%rax)
	mov	%rbp, REG_RBP(%rax)
	mov	%rsi, REG_RSI(%rax)
	mov	%rdi, REG_RDI(%rax)
	mov	%r8, REG_R8(%rax)
	mov	%r9, REG_R9(%rax)
	mov	%r10, REG_R10(%rax)
	mov	%r11, REG_R11(%rax)
	mov	%r12, REG_R12(%rax)
	mov	%r13, REG_R13(%rax)
	mov	%r14, REG_R14(%rax)
	mov	%r15, REG_R15(%rax)

	/* Per-CPU data can be reached again from here on. */
	pop	%rax
	vmload	%rax

	/* Before the first RET: no return may use what the guest left in the predictors. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
	HVMM_UNTRAIN_RET

	/* Leave nothing of the guest's for speculation to use. */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
SYM_FUNC_END(hvmm_svm_vmrun)
