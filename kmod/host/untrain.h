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

#endif
