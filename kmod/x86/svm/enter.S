/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VM entry and exit: APM vol. 2, 15.5 (VMRUN), 15.5.2 (VMLOAD, VMSAVE).
 */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>

/* struct hvmm_regs, checked in vcpu.c. RAX and RSP are in the VMCB. */
#define RCX	8
#define RDX	16
#define RBX	24
#define RBP	40
#define RSI	48
#define RDI	56
#define R8	64
#define R9	72
#define R10	80
#define R11	88
#define R12	96
#define R13	104
#define R14	112
#define R15	120

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

	mov	RCX(%rdi), %rcx
	mov	RDX(%rdi), %rdx
	mov	RBX(%rdi), %rbx
	mov	RBP(%rdi), %rbp
	mov	RSI(%rdi), %rsi
	mov	R8(%rdi), %r8
	mov	R9(%rdi), %r9
	mov	R10(%rdi), %r10
	mov	R11(%rdi), %r11
	mov	R12(%rdi), %r12
	mov	R13(%rdi), %r13
	mov	R14(%rdi), %r14
	mov	R15(%rdi), %r15
	mov	RDI(%rdi), %rdi

#ifdef VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#endif
	vmrun	%rax

	/* The exit restored RAX and RSP; GS is still the guest's. */
	vmsave	%rax
	pop	%rax
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)
	mov	%rbp, RBP(%rax)
	mov	%rsi, RSI(%rax)
	mov	%rdi, RDI(%rax)
	mov	%r8, R8(%rax)
	mov	%r9, R9(%rax)
	mov	%r10, R10(%rax)
	mov	%r11, R11(%rax)
	mov	%r12, R12(%rax)
	mov	%r13, R13(%rax)
	mov	%r14, R14(%rax)
	mov	%r15, R15(%rax)

	/* Per-CPU data can be reached again from here on. */
	pop	%rax
	vmload	%rax

	/* Before the first RET: no return may use what the guest left in the predictors. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
	UNTRAIN_RET_VM

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
