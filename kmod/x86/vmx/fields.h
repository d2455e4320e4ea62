/* SPDX-License-Identifier: GPL-2.0 */
/* The instructions that work on a VMCS: SDM vol. 3, chapter 31. */
#ifndef HVMM_X86_VMX_FIELDS_H
#define HVMM_X86_VMX_FIELDS_H

#include <linux/types.h>

void hvmm_vmx_fields_init(void);

/* All of these tell whether the processor did it. */
static __always_inline bool hvmm_vmread(u64 encoding, u64 *val)
{
	bool done;

	asm volatile("vmread %[encoding], %[val]"
		     : [val] "=r" (*val), "=@cca" (done) : [encoding] "r" (encoding));
	return done;
}

static __always_inline bool hvmm_vmwrite(u64 encoding, u64 val)
{
	bool done;

	asm volatile("vmwrite %[val], %[encoding]"
		     : "=@cca" (done) : [encoding] "r" (encoding), [val] "r" (val));
	return done;
}

static __always_inline bool hvmm_vmclear(u64 pa)
{
	bool done;

	asm volatile("vmclear %[pa]" : "=@cca" (done) : [pa] "m" (pa) : "memory");
	return done;
}

static __always_inline bool hvmm_vmptrld(u64 pa)
{
	bool done;

	asm volatile("vmptrld %[pa]" : "=@cca" (done) : [pa] "m" (pa) : "memory");
	return done;
}

#define HVMM_INVEPT_SINGLE	1
#define HVMM_INVEPT_ALL		2
#define HVMM_INVVPID_ALL	2

static __always_inline bool hvmm_invept(u64 type, u64 eptp)
{
	const u64 desc[2] = { eptp, 0 };
	bool done;

	asm volatile("invept %[desc], %[type]"
		     : "=@cca" (done) : [desc] "m" (desc), [type] "r" (type) : "memory");
	return done;
}

static __always_inline bool hvmm_invvpid(u64 type, u16 vpid)
{
	const u64 desc[2] = { vpid, 0 };
	bool done;

	asm volatile("invvpid %[desc], %[type]"
		     : "=@cca" (done) : [desc] "m" (desc), [type] "r" (type) : "memory");
	return done;
}

#endif
