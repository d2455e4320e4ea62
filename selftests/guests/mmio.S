/* SPDX-License-Identifier: GPL-2.0 */
#include "mmio_forms.h"

	.text
/* void run_form(struct ctx *c, void *form): registers from *c, one form, registers to *c. */
	.globl run_form
run_form:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	%rsi, %r11
	mov	%rdi, %r10
	movdqu	64(%r10), %xmm0
	mov	0(%r10), %rax
	mov	8(%r10), %rbx
	mov	16(%r10), %rcx
	mov	24(%r10), %rdx
	mov	32(%r10), %rsi
	mov	40(%r10), %rdi
	pushq	48(%r10)
	popfq
	call	*%r11
	pushfq
	cld
	pop	%r10
	pop	%r11
	mov	%r10, 48(%r11)
	mov	%rax, 0(%r11)
	mov	%rbx, 8(%r11)
	mov	%rcx, 16(%r11)
	mov	%rdx, 24(%r11)
	mov	%rsi, 32(%r11)
	mov	%rdi, 40(%r11)
	movdqu	%xmm0, 64(%r11)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* One form: its code, which a fault leaves at the end, and its entry in the table. */
	.macro	FORM mask, opts, insn
	.text
881:	\insn
882:	ret
	.section .extable, "a"
	.quad	881b, 882b, 882b
	.section .rodata.str, "a"
883:	.asciz	"\insn"
	.section .table, "a"
	.quad	883b, 881b, \mask, \opts
	.endm

	.macro	ALU op, mask
	FORM \mask, 0, "\op\()b %al, (%rdi)"
	FORM \mask, 0, "\op\()w %bx, (%rdi)"
	FORM \mask, 0, "\op\()l %ecx, (%rdi)"
	FORM \mask, 0, "\op\()q %rdx, (%rdi)"
	FORM \mask, 0, "\op\()b (%rdi), %bh"
	FORM \mask, 0, "\op\()w (%rdi), %ax"
	FORM \mask, 0, "\op\()l (%rdi), %ebx"
	FORM \mask, 0, "\op\()q (%rdi), %rcx"
	FORM \mask, 0, "\op\()b $0x5a, (%rdi)"
	FORM \mask, 0, "\op\()w $0x1234, (%rdi)"
	FORM \mask, 0, "\op\()l $0x12345678, (%rdi)"
	FORM \mask, 0, "\op\()q $-0x12345678, (%rdi)"
	FORM \mask, 0, "\op\()w $-5, (%rdi)"
	FORM \mask, 0, "\op\()l $-5, (%rdi)"
	FORM \mask, 0, "\op\()q $-5, (%rdi)"
	.endm

	.macro	LOCKED op, mask
	FORM \mask, 0, "lock \op\()b %al, (%rdi)"
	FORM \mask, 0, "lock \op\()w %bx, (%rdi)"
	FORM \mask, 0, "lock \op\()l %ecx, (%rdi)"
	FORM \mask, 0, "lock \op\()q %rdx, (%rdi)"
	FORM \mask, 0, "lock \op\()l $-5, (%rdi)"
	.endm

	.macro	UNARY op, mask
	FORM \mask, 0, "\op\()b (%rdi)"
	FORM \mask, 0, "\op\()w (%rdi)"
	FORM \mask, 0, "\op\()l (%rdi)"
	FORM \mask, 0, "\op\()q (%rdi)"
	.endm

	.macro	SHIFT op
	FORM F_SHIFT, 0, "\op\()b (%rdi)"
	FORM F_SHIFT, 0, "\op\()l (%rdi)"
	FORM F_SHIFT, 0, "\op\()w $3, (%rdi)"
	FORM F_SHIFT, 0, "\op\()q $7, (%rdi)"
	FORM F_SHIFT, OPT_COUNT, "\op\()l %cl, (%rdi)"
	.endm

	.macro	ROTATE op
	FORM F_CF, 0, "\op\()b (%rdi)"
	FORM F_CF, 0, "\op\()w $3, (%rdi)"
	FORM F_CF, 0, "\op\()q $7, (%rdi)"
	FORM F_CF, OPT_COUNT, "\op\()l %cl, (%rdi)"
	.endm

	.macro	BITS op
	FORM F_CF, OPT_BIT, "\op\()w %cx, (%rdi)"
	FORM F_CF, OPT_BIT, "\op\()l %ecx, (%rdi)"
	FORM F_CF, OPT_BIT, "\op\()q %rcx, (%rdi)"
	FORM F_CF, 0, "\op\()w $13, (%rdi)"
	FORM F_CF, 0, "\op\()l $77, (%rdi)"
	FORM F_CF, 0, "\op\()q $60, (%rdi)"
	.endm

	.macro	STRING op, mask, opts
	FORM \mask, \opts, "\op\()b"
	FORM \mask, \opts, "\op\()w"
	FORM \mask, \opts, "\op\()l"
	FORM \mask, \opts, "\op\()q"
	FORM \mask, \opts|OPT_COUNT, "rep \op\()b"
	FORM \mask, \opts|OPT_COUNT, "rep \op\()w"
	FORM \mask, \opts|OPT_COUNT, "rep \op\()l"
	FORM \mask, \opts|OPT_COUNT, "rep \op\()q"
	.endm

	.macro	STRING_NE op, mask, opts
	FORM \mask, \opts|OPT_COUNT, "repne \op\()b"
	FORM \mask, \opts|OPT_COUNT, "repne \op\()l"
	.endm

	FORM F_ALL, 0, "movb (%rdi), %al"
	FORM F_ALL, 0, "movb (%rdi), %ch"
	FORM F_ALL, 0, "movb (%rdi), %sil"
	FORM F_ALL, 0, "movw (%rdi), %bx"
	FORM F_ALL, 0, "movl (%rdi), %ecx"
	FORM F_ALL, 0, "movq (%rdi), %rdx"
	FORM F_ALL, 0, "movb %al, (%rdi)"
	FORM F_ALL, 0, "movb %dh, (%rdi)"
	FORM F_ALL, 0, "movb %sil, (%rdi)"
	FORM F_ALL, 0, "movw %bx, (%rdi)"
	FORM F_ALL, 0, "movl %ecx, (%rdi)"
	FORM F_ALL, 0, "movq %rdx, (%rdi)"
	FORM F_ALL, 0, "movb $0x5a, (%rdi)"
	FORM F_ALL, 0, "movw $0x1234, (%rdi)"
	FORM F_ALL, 0, "movl $0x87654321, (%rdi)"
	FORM F_ALL, 0, "movq $-0x12345678, (%rdi)"
	FORM F_ALL, 0, "movnti %eax, (%rdi)"
	FORM F_ALL, 0, "movnti %rbx, (%rdi)"
	FORM F_ALL, 0, "movzbw (%rdi), %ax"
	FORM F_ALL, 0, "movzbl (%rdi), %ebx"
	FORM F_ALL, 0, "movzbq (%rdi), %rcx"
	FORM F_ALL, 0, "movzwl (%rdi), %edx"
	FORM F_ALL, 0, "movzwq (%rdi), %rax"
	FORM F_ALL, 0, "movsbw (%rdi), %ax"
	FORM F_ALL, 0, "movsbl (%rdi), %ebx"
	FORM F_ALL, 0, "movsbq (%rdi), %rcx"
	FORM F_ALL, 0, "movswl (%rdi), %edx"
	FORM F_ALL, 0, "movswq (%rdi), %rax"
	FORM F_ALL, 0, "movslq (%rdi), %rbx"
/* Addressing: every base and index register class, displacements, overrides. */
	FORM F_ALL, 0, "mov %rdi, %r12; movl (%r12), %r9d; mov %r9, %rax"
	FORM F_ALL, 0, "mov %rdi, %r13; movq (%r13), %r15; mov %r15, %rbx"
	FORM F_ALL, 0, "mov %rdi, %rbp; movw %ax, (%rbp)"
	FORM F_ALL, 0, "lea 0x10(%rdi), %r8; movl %ebx, -0x10(%r8)"
	FORM F_ALL, 0, "lea -0x12345678(%rdi), %r8; movl %ecx, 0x12345678(%r8)"
	FORM F_ALL, 0, "mov $3, %r14d; lea -24(%rdi), %r8; addq %rax, (%r8, %r14, 8)"
	FORM F_ALL, 0, "mov $-2, %rcx; lea 20(%rdi), %r9; xchg %edx, -12(%r9, %rcx, 4)"
	FORM F_ALL, 0, "lea -5(%rdi), %rbx; mov $5, %al; xlat; mov $0, %ebx"
	FORM F_ALL, 0, "bts $40, %rdi; movl %eax, (%edi); mov %edi, %edi"
	FORM F_ALL, OPT_MOFFS, "movabs %al, 0x1122334455667788"
	FORM F_ALL, OPT_MOFFS, "movabs %eax, 0x1122334455667788"
	FORM F_ALL, OPT_MOFFS, "movabs %rax, 0x1122334455667788"
	FORM F_ALL, OPT_MOFFS, "movabs 0x1122334455667788, %ax"
	FORM F_ALL, OPT_MOFFS, "movabs 0x1122334455667788, %rax"
	FORM F_ALL, 0, ".byte 0x2e, 0x66; movl %ecx, (%rdi)"
	FORM F_ALL, 0, ".byte 0x66, 0x48; movl %ecx, (%rdi)"
	ALU add, F_ALL
	ALU or, F_LOGIC
	ALU adc, F_ALL
	ALU sbb, F_ALL
	ALU and, F_LOGIC
	ALU sub, F_ALL
	ALU xor, F_LOGIC
	ALU cmp, F_ALL
	LOCKED add, F_ALL
	LOCKED or, F_LOGIC
	LOCKED adc, F_ALL
	LOCKED sbb, F_ALL
	LOCKED and, F_LOGIC
	LOCKED sub, F_ALL
	LOCKED xor, F_LOGIC
	FORM F_LOGIC, 0, "testb %al, (%rdi)"
	FORM F_LOGIC, 0, "testw %bx, (%rdi)"
	FORM F_LOGIC, 0, "testl %ecx, (%rdi)"
	FORM F_LOGIC, 0, "testq %rdx, (%rdi)"
	FORM F_LOGIC, 0, "testb $0x11, (%rdi)"
	FORM F_LOGIC, 0, "testl $0x12345678, (%rdi)"
	FORM F_LOGIC, 0, "testq $-0x12345678, (%rdi)"
	FORM F_ALL, 0, "xchgb %al, (%rdi)"
	FORM F_ALL, 0, "xchgw %bx, (%rdi)"
	FORM F_ALL, 0, "xchgl %ecx, (%rdi)"
	FORM F_ALL, 0, "xchgq %rdx, (%rdi)"
	FORM F_ALL, 0, "lock xchgl %ecx, (%rdi)"
	FORM F_ALL, 0, "xaddb %al, (%rdi)"
	FORM F_ALL, 0, "xaddw %bx, (%rdi)"
	FORM F_ALL, 0, "xaddl %ecx, (%rdi)"
	FORM F_ALL, 0, "lock xaddq %rdx, (%rdi)"
	FORM F_ALL, 0, "cmpxchgb %bl, (%rdi)"
	FORM F_ALL, 0, "cmpxchgw %bx, (%rdi)"
	FORM F_ALL, 0, "cmpxchgl %ecx, (%rdi)"
	FORM F_ALL, 0, "lock cmpxchgq %rdx, (%rdi)"
	FORM F_ALL, 0, "movl (%rdi), %eax; lock cmpxchgl %ecx, (%rdi)"
	FORM F_ALL, 0, "movq (%rdi), %rax; cmpxchgq %rcx, (%rdi)"
	FORM F_ALL, 0, "cmpxchg8b (%rdi)"
	FORM F_ALL, 0, "movl (%rdi), %eax; movl 4(%rdi), %edx; lock cmpxchg8b (%rdi)"
	UNARY inc, F_ALL
	UNARY dec, F_ALL
	UNARY neg, F_ALL
	UNARY not, F_ALL
	UNARY "lock inc", F_ALL
	UNARY "lock neg", F_ALL
	BITS bt
	BITS bts
	BITS btr
	BITS btc
	FORM F_CF, OPT_BIT, "lock btsl %ecx, (%rdi)"
	FORM F_CF, 0, "lock btrq $9, (%rdi)"
	FORM F_ZF, 0, "bsfw (%rdi), %ax"
	FORM F_ZF, 0, "bsfl (%rdi), %ebx"
	FORM F_ZF, 0, "bsfq (%rdi), %rcx"
	FORM F_ZF, 0, "bsrw (%rdi), %ax"
	FORM F_ZF, 0, "bsrl (%rdi), %ebx"
	FORM F_ZF, 0, "bsrq (%rdi), %rcx"
	FORM F_SHIFT, 0, "shldw $5, %ax, (%rdi)"
	FORM F_SHIFT, 0, "shldl $9, %eax, (%rdi)"
	FORM F_SHIFT, 0, "shldq $33, %rax, (%rdi)"
	FORM F_SHIFT, OPT_COUNT, "shldl %cl, %ebx, (%rdi)"
	FORM F_SHIFT, 0, "shrdw $5, %ax, (%rdi)"
	FORM F_SHIFT, 0, "shrdl $9, %eax, (%rdi)"
	FORM F_SHIFT, 0, "shrdq $33, %rax, (%rdi)"
	FORM F_SHIFT, OPT_COUNT, "shrdq %cl, %rbx, (%rdi)"
	SHIFT shl
	SHIFT shr
	SHIFT sar
	ROTATE rol
	ROTATE ror
	ROTATE rcl
	ROTATE rcr
	FORM F_MUL, 0, "imulw (%rdi), %ax"
	FORM F_MUL, 0, "imull (%rdi), %ebx"
	FORM F_MUL, 0, "imulq (%rdi), %rcx"
	FORM F_MUL, 0, "imulw $0x123, (%rdi), %ax"
	FORM F_MUL, 0, "imull $0x12345, (%rdi), %ebx"
	FORM F_MUL, 0, "imulq $-7, (%rdi), %rcx"
	UNARY mul, F_MUL
	UNARY imul, F_MUL
	FORM F_NONE, OPT_DIV, "divb (%rdi)"
	FORM F_NONE, OPT_DIV, "divw (%rdi)"
	FORM F_NONE, OPT_DIV, "divl (%rdi)"
	FORM F_NONE, OPT_DIV, "divq (%rdi)"
	FORM F_NONE, OPT_DIV, "idivb (%rdi)"
	FORM F_NONE, OPT_DIV, "idivw (%rdi)"
	FORM F_NONE, OPT_DIV, "idivl (%rdi)"
	FORM F_NONE, OPT_DIV, "idivq (%rdi)"
	FORM F_ALL, 0, "setc (%rdi)"
	FORM F_ALL, 0, "setle (%rdi)"
	FORM F_ALL, 0, "cmovcl (%rdi), %eax"
	FORM F_ALL, 0, "cmovnsq (%rdi), %rbx"
	FORM F_ALL, 0, "pushq (%rdi); popq %rax"
	FORM F_ALL, 0, "pushw (%rdi); popw %ax"
	FORM F_ALL, 0, "pushq %rbx; popq (%rdi)"
	FORM F_ALL, 0, "pushw %bx; popw (%rdi)"
	FORM F_ALL, 0, "mov %rsp, %rbx; lea 8(%rdi),%rsp; push %rax; xchg %rsp,%rbx; sub %rdi, %rbx"
	FORM F_ALL, 0, "mov %rsp, %rbx; mov %rdi, %rsp; pop %rax; xchg %rsp, %rbx; sub %rdi, %rbx"
	FORM F_ALL, 0, "mov %rsp, %r13; lea 8(%rdi), %rsp; pushq $-77; mov %r13, %rsp"
	FORM F_ALL, 0, "movdqu (%rdi), %xmm0"
	FORM F_ALL, 0, "movdqu %xmm0, (%rdi)"
	FORM F_ALL, 0, "movups (%rdi), %xmm0"
	FORM F_ALL, 0, "movups %xmm0, (%rdi)"
	FORM F_ALL, 0, "movupd (%rdi), %xmm0"
	FORM F_ALL, 0, "movupd %xmm0, (%rdi)"
	FORM F_ALL, OPT_ALIGN, "movdqa (%rdi), %xmm0"
	FORM F_ALL, OPT_ALIGN, "movdqa %xmm0, (%rdi)"
	FORM F_ALL, OPT_ALIGN, "movaps (%rdi), %xmm0"
	FORM F_ALL, OPT_ALIGN, "movaps %xmm0, (%rdi)"
	FORM F_ALL, OPT_ALIGN, "movapd (%rdi), %xmm0"
	FORM F_ALL, OPT_ALIGN, "movapd %xmm0, (%rdi)"
	FORM F_ALL, OPT_ALIGN, "movntdq %xmm0, (%rdi)"
	FORM F_ALL, OPT_ALIGN, "movntps %xmm0, (%rdi)"
	FORM F_ALL, 0, "movdqu (%rdi), %xmm12; movdqa %xmm12, %xmm0"
	FORM F_ALL, 0, "movq (%rdi), %xmm0"
	FORM F_ALL, 0, "movq %xmm0, (%rdi)"
	FORM F_ALL, 0, "movd (%rdi), %xmm0"
	FORM F_ALL, 0, "movd %xmm0, (%rdi)"
	STRING movs, F_ALL, OPT_SRC|OPT_DOWN
	STRING movs, F_ALL, OPT_DST|OPT_DOWN
	STRING stos, F_ALL, OPT_DOWN
	STRING lods, F_ALL, OPT_SRC|OPT_DOWN
	STRING cmps, F_ALL, OPT_SRC|OPT_DOWN
	STRING cmps, F_ALL, OPT_DST|OPT_DOWN
	STRING scas, F_ALL, OPT_DOWN
	STRING_NE cmps, F_ALL, OPT_SRC|OPT_DOWN
	STRING_NE scas, F_ALL, OPT_DOWN

	.section .note.GNU-stack, "", @progbits
