// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's own page tables, walked as the CPU would: APM vol. 2, chapter 5.
 *
 * A table that is not in RAM reads as all ones, as an empty bus does, and so raises
 * a page fault for its reserved bits.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/cpuid.h"
#include "x86/vendor.h"
#include "x86/walk.h"

#define PTE_P		BIT_ULL(0)
#define PTE_RW		BIT_ULL(1)
#define PTE_US		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_PAT_LARGE	BIT_ULL(12)
#define PTE_NX		BIT_ULL(63)

/* Error code of #PF (APM vol. 2, 8.4.2). */
#define PF_P		BIT(0)
#define PF_RSVD		BIT(3)

#define PAGE_BITS	12
/* Tries when entries change under the walk: other vCPUs must not hold this one here. */
#define MAX_RESTARTS	16

enum paging_mode { PAGING_LEGACY, PAGING_PAE, PAGING_LONG };

/**
 * struct paging - the registers that govern a walk
 * @mode: enum paging_mode
 * @levels: levels of tables
 * @entry_size: bytes of an entry
 * @index_bits: address bits that index a table
 * @root: physical address of the first table
 * @nx: entries have the NX bit
 * @pse: 4 MiB pages in legacy mode
 * @wp: CR0.WP
 * @smep: CR4.SMEP
 * @smap: CR4.SMAP
 */
struct paging {
	enum paging_mode mode;
	u8 levels;
	u8 entry_size;
	u8 index_bits;
	u64 root;
	bool nx;
	bool pse;
	bool wp;
	bool smep;
	bool smap;
};

static u64 phys_mask(void)
{
	return (1ULL << hvmm_guest_maxphyaddr()) - 1;
}

/* Return: whether there is paging. */
static bool read_paging(const struct hvmm_paging_regs *r, struct paging *p)
{
	if (!(r->cr0 & X86_CR0_PG))
		return false;

	if (r->efer & EFER_LMA) {
		p->mode = PAGING_LONG;
		p->levels = r->cr4 & X86_CR4_LA57 ? 5 : 4;
		p->root = r->cr3 & phys_mask() & ~0xfffULL;
	} else if (r->cr4 & X86_CR4_PAE) {
		p->mode = PAGING_PAE;
		p->levels = 3;
		p->root = r->cr3 & 0xffffffe0;
	} else {
		p->mode = PAGING_LEGACY;
		p->levels = 2;
		p->root = r->cr3 & 0xfffff000;
	}
	p->entry_size = p->mode == PAGING_LEGACY ? 4 : 8;
	p->index_bits = p->mode == PAGING_LEGACY ? 10 : 9;
	p->nx = p->mode != PAGING_LEGACY && (r->efer & EFER_NX);
	p->pse = r->cr4 & X86_CR4_PSE;
	p->wp = r->cr0 & X86_CR0_WP;
	p->smep = r->cr4 & X86_CR4_SMEP;
	p->smap = r->cr4 & X86_CR4_SMAP;
	return true;
}

/* Whether the entry maps a page (large or not). Level 1 is the last one. */
static bool is_leaf(const struct paging *p, int level, u64 e)
{
	if (level == 1)
		return true;
	if (!(e & PTE_PS))
		return false;
	if (p->mode == PAGING_LEGACY)
		return p->pse;
	return level == 2 || (level == 3 && p->mode == PAGING_LONG &&
			      hvmm_guest_has(X86_FEATURE_GBPAGES));
}

/* Reserved bits: APM vol. 2, 5.2 (legacy, PAE) and 5.3 (long mode). */
static u64 reserved_bits(const struct paging *p, int level, bool leaf)
{
	unsigned int shift = PAGE_BITS + (level - 1) * p->index_bits;
	u64 rsvd;

	if (p->mode == PAGING_LEGACY) {
		/* PSE-36: 20:13 are address bits 39:32, 21 is reserved. */
		return level == 2 && leaf ? BIT_ULL(21) : 0;
	}

	rsvd = GENMASK_ULL(51, 0) & ~phys_mask();
	if (!p->nx)
		rsvd |= PTE_NX;
	if (p->mode == PAGING_PAE) {
		/*
		 * The CPU checked the four PDPTEs when it loaded them (APM vol. 2, 5.2.3);
		 * what memory holds since does not count, and some set the accessed bit in it.
		 */
		if (level == 3)
			return 0;
		rsvd |= GENMASK_ULL(62, 52);
	}
	if (leaf && level > 1)
		rsvd |= GENMASK_ULL(shift - 1, PAGE_BITS) & ~PTE_PAT_LARGE;
	else if (level > 2)
		rsvd |= PTE_PS;
	return rsvd;
}

static int read_entry(struct hvmm_x86_vcpu *x, const struct paging *p, struct hvmm_walk_step *s)
{
	int ret;

	s->val = 0;
	ret = hvmm_mem_read(&x->vcpu.vm->mem, s->gpa, &s->val, p->entry_size, &x->missing_gfn);
	if (ret == -EFAULT) {
		s->val = ~0ULL;
		ret = 0;
	} else if (ret == -EAGAIN) {
		x->missing_write = true;	/* accessed bits will be set */
	}
	return ret;
}

/* Return: 0, 1 if the entry has changed since it was read, or -EAGAIN. */
static int set_bits(struct hvmm_x86_vcpu *x, const struct paging *p, struct hvmm_walk_step *s,
		    u64 bits)
{
	u64 old = s->val, new = s->val | bits;
	int ret;

	if (old == new)
		return 0;
	ret = hvmm_mem_cmpxchg(&x->vcpu.vm->mem, s->gpa, &old, &new, p->entry_size,
			       &x->missing_gfn);
	if (!ret)
		s->val = new;
	else if (ret == -EAGAIN)
		x->missing_write = true;
	return ret == -EFAULT ? 1 : ret;
}

static bool permitted(struct hvmm_x86_vcpu *x, const struct paging *p, u32 access,
		      u64 rights, bool nx)
{
	bool user_page = rights & PTE_US, writable = rights & PTE_RW;

	if ((access & HVMM_ACCESS_FETCH) && nx)
		return false;
	if (access & HVMM_ACCESS_USER)
		return user_page && (writable || !(access & HVMM_ACCESS_WRITE));

	if ((access & HVMM_ACCESS_WRITE) && !writable && p->wp)
		return false;
	if (!user_page)
		return true;
	if (access & HVMM_ACCESS_FETCH)
		return !p->smep;
	if (!p->smap)
		return true;
	return !(access & HVMM_ACCESS_IMPLICIT) && (x->regs.rflags & X86_EFLAGS_AC);
}

static u64 leaf_address(const struct paging *p, int level, u64 e, u64 linear)
{
	u64 offset = (1ULL << (PAGE_BITS + (level - 1) * p->index_bits)) - 1;
	u64 frame;

	if (p->mode == PAGING_LEGACY) {
		frame = e & 0xffffffff & ~offset;
		if (level == 2)
			frame |= (e >> 13 & 0xff) << 32;
	} else {
		frame = e & GENMASK_ULL(51, PAGE_BITS) & ~offset;
	}
	return (frame | (linear & offset)) & phys_mask();
}

/*
 * One walk. Accessed and dirty bits are set only when the whole walk has succeeded:
 * a CPU may set them earlier but need not (APM vol. 2, 5.4.2).
 * Return: 0, 1 (start over), -EFAULT, -EAGAIN.
 */
static int walk_once(struct hvmm_x86_vcpu *x, const struct paging *p, u64 linear, u32 access,
		     bool set_ad, struct hvmm_walk *w, u32 *fault)
{
	u32 code = access & (HVMM_ACCESS_WRITE | HVMM_ACCESS_USER);
	struct hvmm_walk_step *steps = w->step;
	u64 table = p->root, rights = PTE_RW | PTE_US;
	int level, n = 0, i, ret;
	bool nx = false, leaf;

	/* The fetch bit is there only where a fetch can differ (APM vol. 2, 8.4.2). */
	if ((access & HVMM_ACCESS_FETCH) && (p->nx || p->smep))
		code |= HVMM_ACCESS_FETCH;

	for (level = p->levels; ; level--) {
		unsigned int shift = PAGE_BITS + (level - 1) * p->index_bits;
		u64 index = linear >> shift & ((1 << p->index_bits) - 1);
		struct hvmm_walk_step *s = &steps[n++];

		if (p->mode == PAGING_PAE && level == 3)
			index &= 3;
		s->gpa = table + index * p->entry_size;
		ret = read_entry(x, p, s);
		if (ret)
			return ret;
		if (!(s->val & PTE_P)) {
			*fault = code;
			return -EFAULT;
		}
		leaf = is_leaf(p, level, s->val);
		if (s->val & reserved_bits(p, level, leaf)) {
			*fault = code | PF_P | PF_RSVD;
			return -EFAULT;
		}
		/* PDPTEs of PAE have no rights of their own. */
		if (p->mode != PAGING_PAE || level != 3) {
			rights &= s->val;
			nx |= p->nx && (s->val & PTE_NX);
		}
		if (leaf)
			break;
		table = s->val & (p->mode == PAGING_LEGACY ? 0xfffff000ULL :
				  phys_mask() & ~0xfffULL);
	}

	if (!permitted(x, p, access, rights, nx)) {
		*fault = code | PF_P;
		return -EFAULT;
	}

	for (i = 0; set_ad && i < n; i++) {
		u64 bits = PTE_A;

		if (p->mode == PAGING_PAE && !i)
			continue;
		if (i == n - 1 && (access & HVMM_ACCESS_WRITE))
			bits |= PTE_D;
		ret = set_bits(x, p, &steps[i], bits);
		if (ret)
			return ret;
	}
	w->gpa = leaf_address(p, level, steps[n - 1].val, linear);
	w->nr = n;
	return 0;
}

static int walk(struct hvmm_x86_vcpu *x, const struct hvmm_paging_regs *r, u64 linear, u32 access,
		bool set_ad, struct hvmm_walk *w, u32 *fault)
{
	struct paging p;
	int i, ret;

	if (!read_paging(r, &p)) {
		w->gpa = (u32)linear;
		w->nr = 0;
		return 0;
	}
	if (p.mode != PAGING_LONG)
		linear = (u32)linear;
	for (i = 0; i < MAX_RESTARTS; i++) {
		ret = walk_once(x, &p, linear, access, set_ad, w, fault);
		if (ret <= 0)
			return ret;
	}
	/* The guest keeps changing what it asks for: this access may as well see the last. */
	ret = walk_once(x, &p, linear, access, false, w, fault);
	w->nr = 0;
	return ret;
}

/*
 * What a walk's result depends on beside tables and registers. RFLAGS.AC matters where there is
 * SMAP only, but is rarely changed where there is none.
 */
static u64 access_key(const struct hvmm_x86_vcpu *x, u64 linear, u32 access)
{
	u64 key = (linear & PAGE_MASK) | (access & ~(u32)HVMM_ACCESS_IMPLICIT);

	if (access & HVMM_ACCESS_IMPLICIT)
		key |= BIT_ULL(10);
	if (x->regs.rflags & X86_EFLAGS_AC)
		key |= BIT_ULL(11);
	return key;
}

int hvmm_walk(struct hvmm_x86_vcpu *x, u64 linear, u32 access, u64 *gpa, u32 *fault)
{
	struct hvmm_walked *walked = &x->data[(linear >> PAGE_BITS) % HVMM_WALKED_PAGES];
	const atomic64_t *gen = &x->vcpu.vm->mem.tlb_gen;
	u64 key = access_key(x, linear, access), before;
	struct hvmm_paging_regs r;
	struct hvmm_walk w;
	int ret;

	RCU_LOCKDEP_WARN(preemptible(), "guest memory is looked at without protection");
	hvmm_arch->get_paging(x, &r);
	/* What may be written may be read. */
	if (hvmm_walked_holds(walked, gen, (walked->key ^ key) & ~(walked->key & HVMM_ACCESS_WRITE),
			      r.cr0, r.cr3, r.cr4, r.efer)) {
		*gpa = walked->gpa | (linear & ~PAGE_MASK);
		return 0;
	}

	before = atomic64_read_acquire(gen);
	ret = walk(x, &r, linear, access, true, &w, fault);
	if (ret)
		return ret;
	*gpa = w.gpa;
	hvmm_walked_remember(x, walked, before, key, &r, &w);
	return 0;
}

int hvmm_walk_fetch(struct hvmm_x86_vcpu *x, const struct hvmm_paging_regs *r, u64 linear,
		    struct hvmm_walk *w)
{
	u32 access = HVMM_ACCESS_FETCH;
	u32 fault;

	if (hvmm_arch->get_cpl(x) == 3)
		access |= HVMM_ACCESS_USER;
	return walk(x, r, linear, access, false, w, &fault);
}

/* Return: whether all bytes were taken from where the guest has exited before. */
static bool fetch_again(struct hvmm_x86_vcpu *x, u8 *buf)
{
	u64 rip = x->regs.rip;
	const u8 *bytes;

	if (offset_in_page(rip) > PAGE_SIZE - HVMM_INSN_MAX_LEN)
		return false;
	bytes = hvmm_code_at(x, rip);
	if (!bytes)
		return false;
	memcpy(buf, bytes, HVMM_INSN_MAX_LEN);
	return true;
}

int hvmm_fetch(struct hvmm_x86_vcpu *x, const struct hvmm_seg *cs, bool flat, u8 *buf, u32 *fault,
	       u64 *fault_addr)
{
	u32 access = HVMM_ACCESS_FETCH;
	unsigned int done = 0, len;
	struct hvmm_paging_regs r;
	struct hvmm_walk w;
	u64 linear;
	int ret;

	if (flat && fetch_again(x, buf))
		return HVMM_INSN_MAX_LEN;

	if (hvmm_arch->get_cpl(x) == 3)
		access |= HVMM_ACCESS_USER;
	hvmm_arch->get_paging(x, &r);
	while (done < HVMM_INSN_MAX_LEN) {
		linear = x->regs.rip + done;
		if (!flat)
			linear = (u32)(cs->base + linear);
		len = min(HVMM_INSN_MAX_LEN - done, 0x1000 - (unsigned int)(linear & 0xfff));

		/* The CPU has fetched it already, so accessed bits are as they should be. */
		ret = walk(x, &r, linear, access, false, &w, fault);
		if (ret == -EFAULT) {
			*fault_addr = linear;
			return done ? (int)done : ret;
		}
		if (ret)
			return ret;
		ret = hvmm_mem_read(&x->vcpu.vm->mem, w.gpa, buf + done, len, &x->missing_gfn);
		if (ret == -EFAULT)
			memset(buf + done, 0xff, len);
		else if (ret)
			return ret;
		done += len;
	}
	return done;
}
