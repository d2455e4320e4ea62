/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must come between a VM exit and the first RET on processors whose return
 * predictions a guest can train. For assembly only.
 */
#ifndef HVMM_HOST_UNTRAIN_H
#define HVMM_HOST_UNTRAIN_H

#include <linux/version.h>

#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

/* HVMM_UNTRAIN_RET: RAX, RCX and RDX are lost. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
.macro HVMM_UNTRAIN_RET
	UNTRAIN_RET_VM
.endm
#else
/* The kernel's own goes through write_ibpb(), which is for KVM only. */
.macro HVMM_UNTRAIN_RET
	VALIDATE_UNRET_END
	CALL_UNTRAIN_RET
	ALTERNATIVE "jmp 899f", "", X86_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
899:
.endm
#endif

/*
 * What goes right before an entry by VMX: no register is lost, flags but CF are. Newer
 * kernels have it for KVM only; there hvmm has no VMX.
 */
.macro HVMM_CLEAR_BUFFERS
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#ifdef VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#else
	CLEAR_CPU_BUFFERS
#endif
#endif
.endm

/*
 * What comes right behind an exit of VMX, as of the kernel's own: returns and indirect
 * branches must not go where the guest has taught them to. @r,
 * RAX, RCX and RDX are lost.
 */
.macro HVMM_AFTER_VMX_EXIT r:req
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	FILL_RETURN_BUFFER \r, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, X86_FEATURE_RSB_VMEXIT_LITE
	CLEAR_BRANCH_HISTORY_VMEXIT
#endif
	/* Where IBRS is not enhanced it works from its last write on, even of the same value. */
	ALTERNATIVE "jmp 898f", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	wrmsr
	lfence
898:
.endm

#endif
