/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_TASK_H
#define HVMM_X86_TASK_H

#include "x86/emulate.h"
#include "x86/vcpu.h"

/**
 * enum hvmm_task_source - what asked for a task switch, numbered as in an exit qualification
 * @HVMM_TASK_CALL: CALL
 * @HVMM_TASK_IRET: IRET with EFLAGS.NT set
 * @HVMM_TASK_JMP: JMP
 * @HVMM_TASK_GATE: an event whose gate in the IDT is a task gate
 *
 * SDM vol. 3, table 28-2.
 */
enum hvmm_task_source {
	HVMM_TASK_CALL,
	HVMM_TASK_IRET,
	HVMM_TASK_JMP,
	HVMM_TASK_GATE,
};

/**
 * hvmm_task_switch - switch to another task through its TSS
 * @x: the vCPU, not in long mode; an event that asked for it is in &hvmm_x86_vcpu.event
 * @sel: selector of the new TSS
 * @source: what asked for it
 * @len: length of the instruction that did; 0 for what is not an instruction
 * @fault: filled when the return is -EFAULT
 *
 * The processor has checked privileges, and the new TSS's descriptor (SDM vol. 3, 26.4.2). A fault
 * before the switch is the old task's, and nothing has changed then; one after it is what the new
 * task starts with. Either way it is to be raised. An event that was delivered is forgotten.
 *
 * Context: the vCPU's runner, interrupts on, preemption off.
 * Return: 0; -EFAULT, *@fault; -EAGAIN if &hvmm_x86_vcpu.missing_gfn must be brought in and the
 * switch be done again; -ENXIO if a descriptor or a TSS is where there is no RAM. With the last
 * two the vCPU has not changed.
 */
int hvmm_task_switch(struct hvmm_x86_vcpu *x, u16 sel, enum hvmm_task_source source,
		     unsigned int len, struct hvmm_fault *fault);

/**
 * hvmm_task_return - IRET to the task that the link in the present TSS names
 * @x: the vCPU, EFLAGS.NT set
 * @len: length of the instruction
 * @fault: as hvmm_task_switch()
 *
 * Context and return: as hvmm_task_switch().
 */
int hvmm_task_return(struct hvmm_x86_vcpu *x, unsigned int len, struct hvmm_fault *fault);

#endif
