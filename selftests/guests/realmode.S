/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code that runs without long mode. The 16-bit part is copied to 0x10000; its results are
 * 32-bit words from 0x1c000 on.
 */
	.set	SEG, 0x1000
	.set	RES_OFF, 0xc000
	.set	BUF_OFF, 0xd000
	.set	EFER, 0xc0000080

	.text
	.code32
	.globl rm_real
rm_real:
	pushal
	mov	%esp, rm_esp
	lidt	rm_ivt
	ljmp	$0x48, $(pm16 - rm_blob)
rm_back32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	mov	rm_esp, %esp
	popal
	ret

/* 32-bit code under the paging that pm_cr3 and pm_cr4 choose; results to pm_out. */
	.globl pm32_test
pm32_test:
	pushal
	mov	pm_cr4, %eax
	mov	%eax, %cr4
	mov	pm_cr3, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80010000, %eax
	mov	%eax, %cr0
	jmp	1f
1:	xor	%eax, %eax
	cpuid
	mov	%eax, pm_out + 0
	mov	0xfee00030, %eax
	mov	%eax, pm_out + 4
	mov	0x80002030, %eax		/* the LAPIC again by a 4 KiB page */
	mov	%eax, pm_out + 8
	cmpl	$0, rm_testdev
	je	9f
	mov	$0x80000000, %edi		/* the window, then RAM */
	mov	$0x80001100, %esi
	movl	$0xdeadbeef, (%edi)
	mov	(%edi), %eax
	mov	%eax, pm_out + 12
	addl	$0x11, (%edi)
	mov	(%edi), %eax
	mov	%eax, pm_out + 16
	movl	$0x12345678, (%esi)
	movsl
	mov	-4(%edi), %eax
	mov	%eax, pm_out + 20
	mov	$0x80000000, %edi
	mov	$5, %eax
	lock xadd %eax, (%edi)
	add	(%edi), %eax
	mov	%eax, pm_out + 24
	movl	$0x44332211, 0x80000ffe		/* over the boundary into RAM */
	mov	0x80000ffe, %eax
	mov	%eax, pm_out + 28
	movzwl	0x80001000, %eax
	mov	%eax, pm_out + 32
	pushl	(%edi)
	popl	0x80001200
	mov	0x80001200, %eax
	mov	%eax, pm_out + 36
	movl	$0x0badcafe, 0xff002000		/* by a large page */
	mov	0xff002000, %eax
	mov	%eax, pm_out + 40
	mov	$0xe0, %dx
	mov	$0x13572468, %eax
	outl	%eax, %dx
	mov	$0x80000010, %edi
	mov	$3, %ecx
	rep insl
	mov	-4(%edi), %eax
	mov	%eax, pm_out + 44
	mov	%ecx, pm_out + 48
	mov	$0x80001100, %esi
	mov	$4, %ecx
	rep outsb
	inl	%dx, %eax
	mov	%eax, pm_out + 52
	movb	$0x77, 0x80000020
	incb	0x80000020
	movzbl	0x80000020, %eax
	mov	%eax, pm_out + 56
	inc	%eax				/* 0x40 is INC here, REX in long mode */
	mov	%eax, pm_out + 60
9:	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	xor	%eax, %eax
	mov	%eax, %cr4
	popal
	ret

	.data
	.balign 4
	.globl rm_testdev, rm_hvmm, pm_cr3, pm_cr4, pm_out
rm_testdev:	.long 0
rm_hvmm:	.long 0
pm_cr3:		.long 0
pm_cr4:		.long 0
pm_out:		.fill 32, 4, 0
rm_esp:		.long 0

	.macro	RES n, reg=%eax
	movl	\reg, RES_OFF + 4 * \n
	.endm
	.macro	COUNT n, v
	movzwl	counts - rm_blob + 2 * \v, %eax
	RES	\n
	.endm

	.section .rodata
	.balign 16
	.globl rm_blob, rm_blob_end, rm_handlers, rm_default
	.code16
rm_blob:
pm16:
	mov	$0x40, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%cr0, %eax
	and	$~1, %al
	mov	%eax, %cr0
	ljmp	$SEG, $(rm16 - rm_blob)
rm16:
	mov	%cs, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0xfff0, %esp
	cld

	xor	%eax, %eax
	cpuid
	RES	0
	RES	1, %ebx
	xor	%esi, %esi
	xor	%eax, %eax
	.byte	0x66, 0x67
	cpuid
	.fill	8, 1, 0x46			/* inc %si: one byte each */
	RES	2, %esi
	mov	$EFER, %ecx
	rdmsr
	RES	3
	mov	$0xc0000102, %ecx
	mov	$0x5555, %eax
	xor	%edx, %edx
	wrmsr
	xor	%eax, %eax
	rdmsr
	RES	4
	mov	%cr0, %eax
	RES	5
	xor	%eax, %eax
	smsw	%ax
	RES	6
	or	$8, %al
	lmsw	%ax
	smsw	%ax
	RES	7
	clts
	smsw	%ax
	RES	8

	sti
	int	$0x60
	pushf
	cli
	pop	%ax
	movzwl	%ax, %eax
	RES	11
	movzwl	seen_flags - rm_blob, %eax
	RES	10
	COUNT	9, 0x60
	int3
	COUNT	12, 3
	mov	$0x7fff, %ax
	add	$1, %ax
	into
	COUNT	13, 4
	xor	%ax, %ax
	xor	%bx, %bx
	div	%bl
	COUNT	14, 0
	ud2
	COUNT	15, 6
	.byte	0xf1
	COUNT	16, 1

	cmpb	$0, %cs:testdev - rm_blob
	je	1f
	mov	$0xe0, %dx
	mov	$0x12345678, %eax
	outl	%eax, %dx
	xor	%eax, %eax
	inl	%dx, %eax
	RES	17
	mov	$0xabcd, %ax
	outw	%ax, %dx
	xor	%eax, %eax
	inw	%dx, %ax
	RES	18
	mov	$0x5a, %al
	outb	%al, $0xe0
	xor	%eax, %eax
	inb	$0xe0, %al
	RES	19
	mov	$(data - rm_blob), %si
	mov	$5, %cx
	rep outsb
	xor	%eax, %eax
	inb	%dx, %al
	RES	20
	movzwl	%cx, %ecx
	RES	21, %ecx
	sub	$(data - rm_blob), %si
	movzwl	%si, %esi
	RES	22, %esi
	mov	$0x89674523, %eax
	outl	%eax, %dx
	mov	$BUF_OFF, %di
	mov	$4, %cx
	rep insw
	mov	BUF_OFF + 4, %eax
	RES	23
	movzwl	%di, %edi
	RES	24, %edi
	mov	$(SEG + 0x100), %ax
	mov	%ax, %es
	mov	$(data - rm_blob - 0x1000), %si
	xor	%eax, %eax
	outl	%eax, %dx
	.byte	0x26
	outsb
	inl	%dx, %eax
	RES	25
	push	%cs
	pop	%es
	mov	$(data - rm_blob), %esi
	mov	$2, %ecx
	addr32 rep outsl
	inl	%dx, %eax
	RES	26
	sub	$(data - rm_blob), %esi
	RES	27, %esi
	mov	$(data - rm_blob + 4), %si
	mov	$3, %cx
	std
	rep outsb
	cld
	sub	$(data - rm_blob), %si
	movzwl	%si, %esi
	RES	28, %esi
1:
	/* Segments loaded under PE keep their 4 GiB limit. */
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	mov	$0x10, %bx
	mov	%bx, %fs
	mov	%bx, %gs
	and	$~1, %al
	mov	%eax, %cr0
	mov	$0xfee00000, %edi
	movl	%fs:0x30(%edi), %eax
	RES	29
	cmpb	$0, %cs:testdev - rm_blob
	je	2f
	mov	$0xff000000, %esi
	movl	$0xa1b2c3d4, %fs:(%esi)
	movl	%fs:(%esi), %eax
	RES	30
	addw	$0x1111, %gs:(%esi)
	movl	%fs:(%esi), %eax
	RES	31
	mov	$0x77, %cl
	xchgb	%cl, %fs:1(%esi)
	movl	%fs:(%esi), %eax
	RES	32
	movzbl	%cl, %ecx
	RES	33, %ecx
	pushl	%fs:(%esi)
	popl	%eax
	RES	37
2:
	movl	$0x50, %fs:0x320(%edi)
	movl	$0xb, %fs:0x3e0(%edi)
	movl	$200000, %fs:0x380(%edi)
	sti
	hlt
	cli
	COUNT	34, 0x50
	movl	$0x10000, %fs:0x320(%edi)
	rdtsc
	mov	%eax, %esi
	mov	%edx, %ebx
	rdtsc
	sub	%esi, %eax
	sbb	%ebx, %edx
	RES	36, %edx

	cmpb	$0, %cs:hvmm - rm_blob
	je	3f
	mov	$0x12345678, %eax
773:	vmmcall
	.pushsection .hypercalls, "a"
	.quad	773b
	.popsection
	RES	35
	mov	$0x12345678, %ecx
	rdmsr
	COUNT	38, 13
3:
	/* Protected mode, 16-bit, and back. */
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$0x48, $(4f - rm_blob)
4:	xor	%esi, %esi
	xor	%eax, %eax
	cpuid
	.fill	8, 1, 0x46
	mov	%esi, %ebp
	xor	%ebx, %ebx
	mov	%cr0, %ebx
	mov	$0x10, %ax
	mov	%ax, %fs
	movl	%fs:0x30(%edi), %ecx
	mov	%ebx, %eax
	and	$~1, %al
	mov	%eax, %cr0
	ljmp	$SEG, $(5f - rm_blob)
5:	RES	39, %ebp
	RES	40, %ebx
	RES	41, %ecx
	mov	$0x5000, %eax
	mov	%eax, %cr3
	xor	%eax, %eax
	mov	%cr3, %eax
	RES	42
	mov	$0x10, %eax
	mov	%eax, %cr4
	mov	%cr4, %eax
	RES	43
	xor	%eax, %eax
	mov	%eax, %cr4
	mov	$0x1234567, %eax
	mov	%eax, %dr1
	xor	%eax, %eax
	mov	%dr1, %eax
	RES	44
	mov	$0x600d, %eax
	RES	45
leave:
	cli
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x30, $rm_back32

/* A vector that nothing expects: say which by its stub, give up. */
rm_default:
	xor	%eax, %eax
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$0xfff0, %sp
	mov	$0xbad, %eax
	RES	46
	jmp	leave

	.macro	HANDLER n, skip=0
h_\n:
	.if \skip
	push	%bp
	mov	%sp, %bp
	addw	$\skip, 2(%bp)
	pop	%bp
	.endif
	incw	%cs:counts - rm_blob + 2 * \n
	iret
	.endm
	HANDLER	0, 2
	HANDLER	1
	HANDLER	3
	HANDLER	4
	HANDLER	6, 2
	HANDLER	13, 2
h_0x60:
	pushf
	popw	%cs:seen_flags - rm_blob
	incw	%cs:counts - rm_blob + 2 * 0x60
	iret
h_0x50:
	push	%edi
	mov	$0xfee00000, %edi
	movl	$0, %fs:0xb0(%edi)
	pop	%edi
	incw	%cs:counts - rm_blob + 2 * 0x50
	iret

	.balign 4
rm_handlers:
	.word	0, h_0 - rm_blob, 1, h_1 - rm_blob, 3, h_3 - rm_blob, 4, h_4 - rm_blob
	.word	6, h_6 - rm_blob, 13, h_13 - rm_blob, 0x60, h_0x60 - rm_blob
	.word	0x50, h_0x50 - rm_blob, 0xffff, 0
counts:
	.fill	256, 2, 0
seen_flags:
	.word	0
	.globl testdev, hvmm
testdev:
	.byte	0
hvmm:
	.byte	0
	.balign 0x1000
data:
	.byte	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88
rm_blob_end:
	.section .note.GNU-stack, "", @progbits
