/* SPDX-License-Identifier: GPL-2.0 */
/* x87, SSE and AVX registers to and from memory, apart from code that the compiler makes. */
	.text
/* void fpu_load(const void *ymm, const void *x87, u32 avx) */
	.globl fpu_load
fpu_load:
	fninit
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	fldt	16 * \n(%rsi)
	.endr
	test	%edx, %edx
	jz	1f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	32 * \n(%rdi), %ymm\n
	.endr
	ret
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	32 * \n(%rdi), %xmm\n
	.endr
	ret

/* void fpu_store(void *ymm, void *x87, u32 avx): the x87 stack comes off in reverse order. */
	.globl fpu_store
fpu_store:
	.irp	n, 7, 6, 5, 4, 3, 2, 1, 0
	fstpt	16 * \n(%rsi)
	.endr
	test	%edx, %edx
	jz	1f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, 32 * \n(%rdi)
	.endr
	ret
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	%xmm\n, 32 * \n(%rdi)
	.endr
	ret

/* u32 fpu_mxcsr(u32 set): loads MXCSR and gives the old one back. */
	.globl fpu_mxcsr
fpu_mxcsr:
	stmxcsr	-4(%rsp)
	mov	-4(%rsp), %eax
	mov	%edi, -4(%rsp)
	ldmxcsr	-4(%rsp)
	ret
	.section .note.GNU-stack, "", @progbits
