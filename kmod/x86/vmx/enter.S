/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VM entry and exit: SDM vol. 3, 27.1 (VMLAUNCH, VMRESUME), 28.5 (host state).
 */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "host/untrain.h"

/* struct hvmm_regs, checked in run.c. RSP is in the VMCS. */
#define REG_RAX	0
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

/* VMCS_ENCODING_HOST_RSP */
#define HOST_RSP	0x6c14

.section .noinstr.text, "ax"

/*
 * bool hvmm_vmx_run(struct hvmm_regs *regs, bool launched)
 *
 * Interrupts are off, the VMCS is current, its host RIP is hvmm_vmx_exited.
 * Return: whether the entry ended with VMfail: no exit took place.
 */
SYM_FUNC_START(hvmm_vmx_run)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax

	/* Kept in CF over what changes ZF. */
	bt	$0, %esi

	mov	REG_RAX(%rdi), %rax
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

	/* VERW: ZF is lost. */
	HVMM_CLEAR_BUFFERS
	jnc	.Llaunch

	/* The exit comes with the stack as it is here. */
	UNWIND_HINT_SAVE
	vmresume
	jmp	.Lfail
.Llaunch:
	vmlaunch
	jmp	.Lfail

SYM_INNER_LABEL_ALIGN(hvmm_vmx_exited, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rax
	mov	8(%rsp), %rax
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
	pop	%rcx
	mov	%rcx, REG_RAX(%rax)
	xor	%ebx, %ebx
	jmp	.Lout

.Lfail:
	/* Nothing happened: the registers hold the guest's values. */
	mov	$1, %ebx
.Lout:
	/* Before the first RET: no return may use what the guest left in the predictors. */
	HVMM_AFTER_VMX_EXIT %rax

	/* Leave nothing of the guest's for speculation to use. */
	mov	%ebx, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	add	$8, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
SYM_FUNC_END(hvmm_vmx_run)
