/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 32-bit side of tasks.c: the first task, which does what t_action says; a second one, which
 * records what it started with; and handlers of exceptions, which record theirs and give up.
 */
	.set	MAIN, 0x50
	.set	LAPIC, 0xfee00000

	.text
	.code32
	.globl tasks_enter
tasks_enter:
	pushal
	mov	%esp, t_esp
	lgdt	t_gdtr
	lidt	t_idtr
	mov	t_cr4, %eax
	mov	%eax, %cr4
	mov	t_cr3, %eax
	test	%eax, %eax
	jz	1f
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80010000, %eax
	mov	%eax, %cr0
	jmp	1f
1:	mov	$MAIN, %eax
	ltr	%ax
	xor	%eax, %eax
	lldt	%ax
	mov	%eax, %dr6
	mov	t_dr7, %eax
	mov	%eax, %dr7
	mov	%cr0, %eax
	and	$~8, %eax
	mov	%eax, %cr0
	pushl	t_flags
	popfl
	mov	$0xc0c0c0c0, %ecx
	mov	$0xd0d0d0d0, %edx
	mov	$0xb0b0b0b0, %ebx
	mov	$0x51515151, %esi
	mov	$0xd1d1d1d1, %edi
	mov	$0xbebebebe, %ebp
	mov	$0xa0a0a0a0, %eax
	jmp	*t_action

/* What the first task may do. Each begins with the instruction that switches, or has a label. */
	.globl act_jmp, act_call, act_int, act_ud, act_gp, act_irq, act_nmi, act_df, act_after
act_jmp:
	ljmp	*t_far
	jmp	act_after
act_call:
	lcall	*t_far
	jmp	act_after
act_int:
	int	$0x60
	jmp	act_after
act_ud:
	ud2
	jmp	act_after
act_gp:
	mov	%ax, %es		/* beyond the GDT: see t_error */
	jmp	act_after
act_irq:
	movl	$0x40061, LAPIC + 0x300		/* to itself */
	sti
1:	cmpl	$0, t_count
	je	1b
	jmp	act_after
act_nmi:
	movl	$0x40400, LAPIC + 0x300
1:	cmpl	$2, t_count
	jb	1b
	jmp	act_after
act_df:
	mov	$0x50000800, %esp		/* where nothing is mapped */
	ud2
act_after:
	mov	%eax, t_after
	mov	%ecx, t_after + 4
	mov	%edx, t_after + 8
	mov	%ebx, t_after + 12
	mov	%esp, t_after + 16
	mov	%ebp, t_after + 20
	mov	%esi, t_after + 24
	mov	%edi, t_after + 28
	pushfl
	cli
	popl	t_after + 32
	xor	%eax, %eax
	str	%ax
	mov	%eax, t_after + 36
	mov	%cr3, %eax
	mov	%eax, t_after + 40
	mov	0x40000000, %eax
	mov	%eax, t_after + 44
	movl	$1, t_returned

/* Back to tasks_enter()'s caller, from whatever state in ring 0 and flat code. */
leave:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %dr7
	mov	t_esp, %esp
	pushl	$2
	popfl
	mov	%cr0, %eax
	and	$0x7ffffff7, %eax
	mov	%eax, %cr0
	xor	%eax, %eax
	mov	%eax, %cr4
	lgdt	gdt_pointer
	popal
	ret

/* The second task. */
	.globl task_entry
task_entry:
	mov	%eax, %ss:t_seen
	mov	%ecx, %ss:t_seen + 4
	mov	4, %ecx				/* it may have another DS to look at */
	push	%ds
	push	%es
	push	%ss
	pop	%ds
	mov	%ecx, t_seen + 92
	pop	%ecx
	mov	%cx, t_seen + 60
	pop	%ecx
	mov	%cx, t_seen + 72
	mov	%edx, t_seen + 8
	mov	%ebx, t_seen + 12
	mov	%esp, t_seen + 16
	mov	%ebp, t_seen + 20
	mov	%esi, t_seen + 24
	mov	%edi, t_seen + 28
	pushfl
	popl	t_seen + 32
	xor	%eax, %eax
	str	%ax
	mov	%eax, t_seen + 36
	mov	%cr3, %eax
	mov	%eax, t_seen + 40
	mov	%cr0, %eax
	mov	%eax, t_seen + 44
	mov	%dr7, %eax
	mov	%eax, t_seen + 48
	xor	%eax, %eax
	sldt	%ax
	mov	%eax, t_seen + 52
	mov	%cs, %eax
	mov	%eax, t_seen + 64
	mov	%ss, %eax
	mov	%eax, t_seen + 68
	mov	%fs, %eax
	mov	%eax, t_seen + 76
	mov	%gs, %eax
	mov	%eax, t_seen + 80
	mov	0x40000000, %eax
	mov	%eax, t_seen + 84
	mov	t_types, %eax			/* of both TSSes' descriptors */
	mov	5(%eax), %cl
	mov	13(%eax), %ch
	movzwl	%cx, %ecx
	mov	%ecx, t_seen + 88
	cmpl	$0, t_pop
	je	1f
	pop	t_error
1:	mov	t_skip, %eax			/* the first task's instruction is to be skipped */
	mov	t_main_tss, %ecx
	add	%eax, 0x20(%ecx)
	incl	t_count
	cmpl	$0, t_eoi
	je	2f
	movl	$0, LAPIC + 0xb0
2:	cmpl	$0, t_nmi
	je	4f
	/* An NMI for itself, which is to wait for this task's end. */
	decl	t_nmi
	incl	t_depth
	mov	t_count, %eax
	movl	$0x40400, LAPIC + 0x300
	mov	$1000, %ecx
3:	pause
	loop	3b
	cmp	%eax, t_count
	je	5f
	incl	t_nested
5:	decl	t_depth
4:	jmp	*t_then

	.globl then_iret, then_jmp, then_leave
then_iret:
	iretl
	.globl task_again
task_again:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	jmp	task_entry
then_jmp:
	ljmp	*t_back
	jmp	task_again
then_leave:
	jmp	leave

/* In virtual-8086 mode, copied to 0x10000. */
	.globl v86_code
v86_code:
	hlt

/* A task with a 16-bit TSS; %cs has a base of its own. */
	.globl task16_entry
task16_entry:
	mov	%ax, t_seen
	mov	%cx, t_seen + 4
	mov	%sp, t_seen + 16
	mov	%di, t_seen + 28
	pushfl
	popl	t_seen + 32
	xor	%eax, %eax
	str	%ax
	mov	%eax, t_seen + 36
	mov	%ss, %eax
	mov	%eax, t_seen + 68
	mov	%fs, %eax
	mov	%eax, t_seen + 76
	incl	t_count
	iretl
	.globl task16_end
task16_end:
	jmp	task16_entry

/* Exceptions: t_fault is vector, error, EIP, CS, EFLAGS, TR, DR6, CR2. */
	.macro	FAULT n, pushes=0
fault_\n:
	.if	\pushes == 0
	pushl	$0
	.endif
	pushl	$\n
	jmp	fault_common
	.endm
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 9, 16, 18, 19
	FAULT	\n
	.endr
	.irp	n, 8, 10, 11, 12, 13, 14, 17
	FAULT	\n, 1
	.endr
fault_common:
	mov	$0x10, %eax
	mov	%eax, %ds
	popl	t_fault
	popl	t_fault + 4
	popl	t_fault + 8
	popl	t_fault + 12
	popl	t_fault + 16
	xor	%eax, %eax
	str	%ax
	mov	%eax, t_fault + 20
	mov	%dr6, %eax
	mov	%eax, t_fault + 24
	mov	%cr2, %eax
	mov	%eax, t_fault + 28
	jmp	leave

	.section .rodata
	.balign 4
	.globl fault_entry
fault_entry:
	.long	fault_0, fault_1, fault_2, fault_3, fault_4, fault_5, fault_6, fault_7
	.long	fault_8, fault_9, fault_10, fault_11, fault_12, fault_13, fault_14, 0
	.long	fault_16, fault_17, fault_18, fault_19

	.data
	.balign 4
	.globl t_gdtr, t_idtr, t_cr3, t_cr4, t_dr7, t_flags, t_action, t_far, t_back, t_after
	.globl t_seen, t_types, t_pop, t_error, t_skip, t_main_tss, t_count, t_eoi, t_nmi
	.globl t_nested, t_then, t_fault, t_returned
t_gdtr:		.word 0
		.long 0
t_idtr:		.word 0
		.long 0
t_cr3:		.long 0
t_cr4:		.long 0
t_dr7:		.long 0
t_flags:	.long 0
t_action:	.long 0
t_far:		.long 0, 0
t_back:		.long 0, 0
t_types:	.long 0
t_main_tss:	.long 0
t_then:		.long 0
t_pop:		.long 0
t_skip:		.long 0
t_eoi:		.long 0
t_nmi:		.long 0
t_results:
t_error:	.long 0
t_count:	.long 0
t_depth:	.long 0
t_nested:	.long 0
t_returned:	.long 0
t_after:	.fill 12, 4, 0
t_seen:		.fill 24, 4, 0
t_fault:	.fill 8, 4, 0
t_results_end:
t_esp:		.long 0
	.globl t_results, t_results_end
	.section .note.GNU-stack, "", @progbits
