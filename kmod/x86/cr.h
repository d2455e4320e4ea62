/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_CR_H
#define HVMM_X86_CR_H

#include "x86/vcpu.h"

/*
 * Writes to control registers, validated as the CPU would. All run on the vCPU's
 * runner; the caller has checked CPL where the instruction needs 0. They return 0; or
 * -EINVAL for #GP(0); or -EAGAIN if &hvmm_x86_vcpu.missing_gfn must be brought in first.
 * In both cases nothing has changed.
 */

/**
 * hvmm_set_cr0 - MOV CR0
 * @x: the vCPU
 * @val: value
 *
 * Enters and leaves long mode (EFER.LMA) along with CR0.PG.
 */
int hvmm_set_cr0(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_lmsw - LMSW: the low four bits of CR0; PE can be set but not cleared
 * @x: the vCPU
 * @msw: the operand
 */
int hvmm_lmsw(struct hvmm_x86_vcpu *x, u16 msw);

/**
 * hvmm_clts - CLTS
 * @x: the vCPU
 */
int hvmm_clts(struct hvmm_x86_vcpu *x);

/**
 * hvmm_set_cr3 - MOV CR3
 * @x: the vCPU
 * @val: value; bit 63 asks to keep translations where PCIDs are on
 */
int hvmm_set_cr3(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_set_cr4 - MOV CR4
 * @x: the vCPU
 * @val: value
 */
int hvmm_set_cr4(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_has_pdptes - whether a load of CR3 loads what it points to under PAE paging
 * @x: the vCPU
 */
bool hvmm_has_pdptes(struct hvmm_x86_vcpu *x);

/**
 * hvmm_read_pdptes - read and check what CR3 points to under PAE paging
 * @x: the vCPU
 * @cr3: CR3
 * @pdpte: filled
 */
int hvmm_read_pdptes(struct hvmm_x86_vcpu *x, u64 cr3, u64 pdpte[4]);

/**
 * hvmm_set_cr8 - MOV CR8
 * @x: the vCPU
 * @val: value, 0..15
 */
int hvmm_set_cr8(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_set_efer - WRMSR of EFER
 * @x: the vCPU
 * @val: value; LMA is read-only, what it says of it is ignored
 */
int hvmm_set_efer(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_xsetbv - XSETBV
 * @x: the vCPU
 * @idx: ECX
 * @val: EDX:EAX
 *
 * Checks CPL too. Sets &hvmm_x86_vcpu.xcr0; the register is the caller's business.
 */
int hvmm_xsetbv(struct hvmm_x86_vcpu *x, u32 idx, u64 val);

#endif
