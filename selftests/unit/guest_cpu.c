// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "guest_cpu.h"
#include "x86/cpuid.h"
#include "x86/vendor.h"
#include "x86/walk.h"

struct fake fake;
struct fake_cpu boot_cpu_data;
unsigned int tsc_khz = 2400000;
unsigned int check_failed;
struct hvmm_vm vm;
struct hvmm_x86_vcpu vcpu;

struct hvmm_vcpu *kicked, *yielded_to;
bool refuse_yield;

static u8 ram[HVMM_VM_RAM];
static const struct host_leaf *host_leaves;
static unsigned int host_nr;

void cpuid_count(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	unsigned int i;

	*a = *b = *c = *d = 0;
	for (i = 0; i < host_nr; i++) {
		if (host_leaves[i].leaf != leaf || host_leaves[i].sub != sub)
			continue;
		*a = host_leaves[i].r[0];
		*b = host_leaves[i].r[1];
		*c = host_leaves[i].r[2];
		*d = host_leaves[i].r[3];
	}
}

void hvmm_vcpu_unhalt(struct hvmm_vcpu *to)
{
	kicked = to;
}

bool hvmm_vcpu_yield_to(struct hvmm_vcpu *from, struct hvmm_vcpu *to)
{
	if (refuse_yield)
		return false;
	yielded_to = to;
	return true;
}

/* Which gpa's bytes are there: 0, -EFAULT or -EAGAIN. */
static int mem_check(struct hvmm_mem *mem, u64 gpa, unsigned int len, u64 *missing)
{
	u64 page;

	if (mem->until_miss && !--mem->until_miss) {
		*missing = gpa >> 12;
		return -EAGAIN;
	}
	if (gpa >= mem->ram.size || mem->ram.size - gpa < len)
		return -EFAULT;
	for (page = gpa >> 12; page <= (gpa + len - 1) >> 12; page++) {
		if (page == mem->missing) {
			*missing = page;
			return -EAGAIN;
		}
	}
	return 0;
}

int hvmm_mem_read(struct hvmm_mem *mem, u64 gpa, void *buf, unsigned int len, u64 *missing)
{
	int ret = mem_check(mem, gpa, len, missing);

	mem->reads++;
	if (!ret)
		memcpy(buf, mem->data + gpa, len);
	return ret;
}

int hvmm_mem_write(struct hvmm_mem *mem, u64 gpa, const void *buf, unsigned int len,
		   u64 *missing)
{
	int ret = mem_check(mem, gpa, len, missing);

	if (!ret)
		memcpy(mem->data + gpa, buf, len);
	return ret;
}

/* A test can set @race to change memory right before the comparison. */
int hvmm_mem_cmpxchg(struct hvmm_mem *mem, u64 gpa, void *old, const void *new,
		     unsigned int len, u64 *missing)
{
	int ret = mem_check(mem, gpa, len, missing);

	if (ret)
		return ret;
	if (mem->race)
		mem->race(mem);
	if (memcmp(mem->data + gpa, old, len)) {
		memcpy(old, mem->data + gpa, len);
		return 1;
	}
	memcpy(mem->data + gpa, new, len);
	return 0;
}

static u64 get_cr(struct hvmm_x86_vcpu *x, int nr)
{
	return x->cr[nr];
}

static void set_cr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	x->cr[nr] = val;
}

void *hvmm_tdp_lookup(const struct hvmm_tdp *tdp, u64 gfn)
{
	u64 missing;

	return mem_check(&vm.mem, gfn << 12, 4096, &missing) ? NULL : vm.mem.data + (gfn << 12);
}

static void get_paging(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r)
{
	r->cr0 = x->cr[0];
	r->cr3 = x->cr[3];
	r->cr4 = x->cr[4];
	r->efer = x->efer;
}

static u64 get_efer(struct hvmm_x86_vcpu *x)
{
	return x->efer;
}

static void set_efer(struct hvmm_x86_vcpu *x, u64 efer)
{
	x->efer = efer;
}

static void get_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg)
{
	*seg = nr == HVMM_SEG_CS ? x->cs : x->seg[nr];
}

static void set_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg)
{
	*(nr == HVMM_SEG_CS ? &x->cs : &x->seg[nr]) = *seg;
}

static void get_dt(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit)
{
	*base = x->gdt_base;
	*limit = x->gdt_limit;
}

static u64 get_dr(struct hvmm_x86_vcpu *x, int nr)
{
	return x->dr[nr];
}

static void set_dr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	x->dr[nr] = val;
}

static void set_nmi_masked(struct hvmm_x86_vcpu *x, bool on)
{
	x->nmi_masked = on;
}

static void set_shadow(struct hvmm_x86_vcpu *x, bool on)
{
}

static int get_cpl(struct hvmm_x86_vcpu *x)
{
	return x->cpl;
}

static int get_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_IA32_CR_PAT:
		*val = x->pat;
		return 0;
	case MSR_LSTAR:
		*val = x->lstar;
		return 0;
	default:
		return -ENOENT;
	}
}

static int set_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_IA32_CR_PAT:
		x->pat = val;
		return 0;
	case MSR_LSTAR:
		x->lstar = val;
		return 0;
	default:
		return -ENOENT;
	}
}

static void set_tsc_offset(struct hvmm_x86_vcpu *x, u64 offset)
{
	x->tsc_offset = offset;
}

static void flush_tlb(struct hvmm_x86_vcpu *x)
{
	x->flushes++;
}

static const struct hvmm_arch_ops fake_ops = {
	.name = "fake",
	.get_seg = get_seg,
	.set_seg = set_seg,
	.get_dt = get_dt,
	.get_dr = get_dr,
	.set_dr = set_dr,
	.set_nmi_masked = set_nmi_masked,
	.set_shadow = set_shadow,
	.get_cpl = get_cpl,
	.get_cr = get_cr,
	.set_cr = set_cr,
	.get_paging = get_paging,
	.get_efer = get_efer,
	.set_efer = set_efer,
	.get_msr = get_msr,
	.set_msr = set_msr,
	.set_tsc_offset = set_tsc_offset,
	.flush_tlb = flush_tlb,
};

const struct hvmm_arch_ops *hvmm_arch = &fake_ops;

void guest_cpu_init(u8 vendor, const struct host_leaf *leaves, unsigned int nr)
{
	host_leaves = leaves;
	host_nr = nr;
	memset(&fake, 0, sizeof(fake));
	fake.xcr0 = 7;
	boot_cpu_data.x86_vendor = vendor;
	memset(boot_cpu_data.x86_capability, 0xff, sizeof(boot_cpu_data.x86_capability));

	memset(ram, 0, sizeof(ram));
	memset(&vm, 0, sizeof(vm));
	vm.nr_vcpus = 1;
	vm.mem.ram.size = sizeof(ram);
	vm.mem.tdp.levels = 4;
	vm.mem.data = ram;
	vm.mem.missing = ~0ULL;
	atomic64_set(&vm.mem.tlb_gen, 1);
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vcpu.vm = &vm;
	vcpu.vcpu.lapic.base = HVMM_APIC_DEFAULT_BASE | HVMM_APIC_BASE_EN;
	vcpu.xcr0 = 1;
	vcpu.cr[0] = X86_CR0_ET;
	CHECK_EQ(hvmm_cpuid_setup(), 0);
}

#define ONES	{ ~0U, ~0U, ~0U, ~0U }

void guest_cpu_init_amd(unsigned int maxphyaddr)
{
	static struct host_leaf leaves[] = {
		{ 0, 0, { 0x10, 0x68747541, 0x444d4163, 0x69746e65 } },
		{ 1, 0, ONES },
		{ 7, 0, ONES },
		{ 7, 1, ONES },
		{ 0xd, 0, ONES },
		{ 0xd, 1, ONES },
		{ 0xd, 2, { 256, 576, 0, 0 } },
		{ 0xd, 5, { 64, 832, 0, 0 } },
		{ 0xd, 6, { 512, 896, 2, 0 } },
		{ 0xd, 7, { 1024, 1408, 2, 0 } },
		{ 0x80000000, 0, { 0x80000023, 0x68747541, 0x444d4163, 0x69746e65 } },
		{ 0x80000001, 0, ONES },
		{ 0x80000007, 0, ONES },
		{ 0x80000008, 0, ONES },
		{ 0x8000000a, 0, ONES },
		{ 0x8000001d, 0, { 0x1c121, 1, 2, 3 } },
		{ 0x8000001d, 3, { 0x1c163, 1, 2, 3 } },
		{ 0x8000001e, 0, ONES },
		{ 0x8000001f, 0, ONES },
		{ 0x80000021, 0, ONES },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i].leaf == 0x80000008)
			leaves[i].r[0] = 0x303900 | maxphyaddr;
	}
	guest_cpu_init(X86_VENDOR_AMD, leaves, ARRAY_SIZE(leaves));
}
