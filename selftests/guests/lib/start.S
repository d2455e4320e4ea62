/* SPDX-License-Identifier: GPL-2.0 */
/* Multiboot 1 entry (32-bit, EBX = information) to long mode, and the AP trampoline. */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002
	.long 0x00000003
	.long -(0x1badb002 + 0x00000003)

	.text
	.code32
	.globl _start
_start:
	cli
	cld
	mov	%eax, %esi
	mov	$__bss_start, %edi
	mov	$__bss_end, %ecx
	sub	%edi, %ecx
	shr	$2, %ecx
	xor	%eax, %eax
	rep stosl
	mov	%esi, boot_magic
	mov	%ebx, boot_info
	mov	$boot_stack_top, %esp

	/* Identity map of 4 GiB with 2 MiB pages, open to ring 3; the last GiB uncached. */
	movl	$boot_pdpt + 7, boot_pml4
	mov	$boot_pd + 7, %eax
	mov	$boot_pdpt, %edi
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$4096, %eax
	add	$8, %edi
	loop	1b
	mov	$0x87, %eax
	mov	$boot_pd, %edi
	mov	$2048, %ecx
2:	mov	%eax, (%edi)
	cmp	$512, %ecx
	ja	3f
	orl	$0x18, (%edi)
3:	add	$0x200000, %eax
	add	$8, %edi
	loop	2b

	call	enter_long
	lgdt	gdt_pointer
	ljmp	$0x08, $start64

/* Paging and long mode from 32-bit protected mode; used by the APs too. */
enter_long:
	mov	$0x80000001, %eax
	cpuid
	mov	$0x101, %esi
	bt	$20, %edx
	jnc	1f
	or	$0x800, %esi
1:	mov	$0x620, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	%esi, %eax
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	ret

	.code64
start64:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$boot_stack_top, %rsp
	xor	%ebp, %ebp
	push	$0
	call	guest_boot
1:	hlt
	jmp	1b

/*
 * Copied to physical page 0. Every AP takes the next number; the stack follows from it.
 * Symbols inside are reached as offsets from the start of the copy.
 */
	.balign 16
	.globl ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_trampoline
	mov	$0x11, %eax
	mov	%eax, %cr0
	ljmpl	$0x30, $ap32
	.balign 4
ap_gdt_pointer:
	.word	0x5f
	.long	gdt
ap_trampoline_end:

	.code32
ap32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$1, %eax
	lock xadd %eax, ap_next
	cmp	$16, %eax
	jae	2f
	mov	%eax, %edi
	shl	$14, %eax
	lea	ap_stacks(%eax), %esp
	push	%edi
	call	enter_long
	pop	%edi
	lgdt	gdt_pointer
	ljmp	$0x08, $ap64
2:	hlt
	jmp	2b

	.code64
ap64:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%edi, %edi
	mov	%esp, %esp
	xor	%ebp, %ebp
	push	$0
	call	ap_boot
1:	hlt
	jmp	1b

/* int guard_call(fn, arg): an exception inside returns its vector from here. */
	.globl guard_call
guard_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	push	%rsi
	mov	%rsp, %rdi
	call	guard_enter
	pop	%rsi
	pop	%rdi
	mov	%rdi, %rax
	mov	%rsi, %rdi
	call	*%rax
	call	guard_leave
	mov	$-1, %eax
guard_out:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* Entered by a forged interrupt return: RSP as guard_enter saw it, RAX the vector. */
	.globl guard_unwind
guard_unwind:
	cld
	add	$16, %rsp
	jmp	guard_out

/* u64 user_call(fn, arg) */
	.globl user_call
user_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	push	%rsi
	mov	%rsp, %rdi
	call	user_enter		/* saves RSP, sets rsp0; gives the user stack */
	pop	%rsi
	pop	%rdi
	mov	%rdi, %rcx
	mov	%rsi, %rdi
	push	$0x20 + 3
	push	%rax
	pushfq
	push	$0x28 + 3
	push	$user_start
	iretq
user_start:
	call	*%rcx
	int	$0x80
	.globl user_back
user_back:
	add	$16, %rsp
	jmp	guard_out

/* u32 compat_call(fn, arg): runs on the low half of the same stack, which is below 4 GiB. */
	.globl compat_call
compat_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rax
	push	$0x30
	push	$1f
	lretq
	.code32
1:	mov	%esi, %edi
	mov	$0x10, %ecx
	mov	%ecx, %ss
	mov	%ecx, %ds
	mov	%ecx, %es
	call	*%eax
	ljmp	$0x08, $2f
	.code64
2:	mov	%eax, %eax
	jmp	guard_out

/* One entry a vector: error code or 0, then the vector, then the common part. */
	.macro	trap_stub n
	.balign 16
trap_stub_\n:
	.set	has_code, 0
	.irp	v, 8, 10, 11, 12, 13, 14, 17, 21, 29, 30
	.if	\n == \v
	.set	has_code, 1
	.endif
	.endr
	.if	has_code == 0
	push	$0
	.endif
	push	$\n
	jmp	trap_common
	.pushsection .rodata
	.quad	trap_stub_\n
	.popsection
	.endm

	.pushsection .rodata
	.balign 8
	.globl trap_entry
trap_entry:
	.popsection
	.altmacro
	.set	i, 0
	.rept	256
	trap_stub %i
	.set	i, i + 1
	.endr
	.noaltmacro

trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.data
	.balign 8
	.globl gdt
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 08 kernel code, 64-bit */
	.quad	0x00cf93000000ffff	/* 10 kernel data */
	.quad	0x00cffb000000ffff	/* 18 user code, 32-bit */
	.quad	0x00cff3000000ffff	/* 20 user data */
	.quad	0x00affb000000ffff	/* 28 user code, 64-bit */
	.quad	0x00cf9b000000ffff	/* 30 kernel code, 32-bit */
	.quad	0x00009b000000ffff	/* 38 kernel code, 16-bit, base 0 */
	.quad	0x000093000000ffff	/* 40 kernel data, 16-bit, base 0 */
	.quad	0			/* 48 for a test */
	.fill	2 * 16, 8, 0		/* 50 task state segments */
gdt_end:
	.globl gdt_pointer
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.balign 4
	.globl ap_next
ap_next:
	.long	1

	.bss
	.balign 4096
	.globl boot_pml4, boot_pdpt, boot_pd
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pd:	.skip 4 * 4096
	.globl boot_stack_top
boot_stack:	.skip 32768
boot_stack_top:
	.globl ap_stacks
ap_stacks:	.skip 16 * 16384
	.globl boot_magic, boot_info
boot_magic:	.skip 4
boot_info:	.skip 4
	.section .note.GNU-stack, "", @progbits
