// SPDX-License-Identifier: GPL-2.0
/* Descriptor tables, exception dispatch, fix-ups, guarded and user-mode calls. */
#include "guest.h"
#include "trap.h"

struct ex_entry {
	u64 start, end, fixup;
};

extern const struct ex_entry __extable_start[], __extable_end[];
extern struct {
	u16 limit;
	u64 base;
} __attribute__((packed)) gdt_pointer;
extern char guard_unwind[], user_back[];

struct idt_gate idt[256] __aligned(16);
struct tss64 tss[MAX_CPUS] __aligned(16);
static u8 ist_stacks[MAX_CPUS][3][4096] __aligned(16);
static u8 user_stacks[MAX_CPUS][8192] __aligned(16);

static trap_fn handlers[256];
static struct {
	struct trap_info last;
	u64 guard_rsp, user_rsp;
} __aligned(64) pcpu[MAX_CPUS];

u32 this_cpu(void)
{
	u64 tr;

	__asm__ __volatile__("str %0" : "=r"(tr));
	return (tr & 0xffff) < SEL_TSS ? 0 : ((tr & 0xffff) - SEL_TSS) / 16;
}

void trap_clear(void)
{
	pcpu[this_cpu()].last.vector = NO_TRAP;
	barrier();
}

struct trap_info *trap_last(void)
{
	barrier();
	return &pcpu[this_cpu()].last;
}

int trap_vector(void)
{
	return trap_last()->vector;
}

void trap_handler(u8 vector, trap_fn fn)
{
	handlers[vector] = fn;
	barrier();
}

void trap_set_gate(u8 vector, void *entry, u16 sel, u8 type, u8 dpl, u8 ist)
{
	u64 off = (u64)entry;

	idt[vector] = (struct idt_gate) {
		.off0 = off, .sel = sel, .ist = ist, .type = 0x80 | dpl << 5 | type,
		.off1 = off >> 16, .off2 = off >> 32,
	};
	barrier();
}

void trap_set_ist(u8 vector, u8 ist)
{
	idt[vector].ist = ist;
	barrier();
}

void trap_set_dpl(u8 vector, u8 dpl)
{
	idt[vector].type = (idt[vector].type & ~0x60) | dpl << 5;
	barrier();
}

void cpu_setup(u32 cpu)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) ptr = { sizeof(idt) - 1, (u64)idt };
	u64 base = (u64)&tss[cpu], limit = sizeof(tss[0]) - 1;
	u64 *desc = &gdt[(SEL_TSS >> 3) + 2 * cpu];
	u32 i;

	for (i = 0; i < 3; i++)
		tss[cpu].ist[i] = (u64)ist_stacks[cpu][i] + sizeof(ist_stacks[0][0]);
	tss[cpu].iopb = __builtin_offsetof(struct tss64, io_bitmap);
	memset(tss[cpu].io_bitmap, 0xff, sizeof(tss[cpu].io_bitmap));
	desc[0] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	desc[1] = base >> 32;
	pcpu[cpu].last.vector = NO_TRAP;
	if (!cpu) {
		for (i = 0; i < 256; i++)
			trap_set_gate(i, trap_entry[i], SEL_KCODE, 14, 0, 0);
		trap_set_ist(NMI_VECTOR, 1);
		trap_set_ist(DF_VECTOR, 2);
		trap_set_ist(MC_VECTOR, 3);
		trap_set_dpl(BP_VECTOR, 3);
		trap_set_dpl(OF_VECTOR, 3);
		trap_set_dpl(INT_USER_RETURN, 3);
	}
	__asm__ __volatile__("lidt %0" :: "m"(ptr));
	__asm__ __volatile__("ltr %w0" :: "r"(SEL_TSS + 16 * cpu));
}

void trap_show(struct regs *r)
{
	printf("# exception %d error 0x%llx at %02llx:%016llx rflags 0x%llx cr2 0x%llx cpu %u\n",
	       (int)r->vector, r->error, r->cs, r->rip, r->rflags, read_cr2(), this_cpu());
	printf("# rax %016llx rbx %016llx rcx %016llx rdx %016llx\n",
	       r->rax, r->rbx, r->rcx, r->rdx);
	printf("# rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n",
	       r->rsi, r->rdi, r->rbp, r->rsp);
	printf("# r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n",
	       r->r8, r->r9, r->r10, r->r11);
	printf("# r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
	       r->r12, r->r13, r->r14, r->r15);
}

u64 *guard_enter(u64 rsp);
u64 guard_leave(u64 result);
u64 user_enter(u64 rsp);
void trap_dispatch(struct regs *r);

u64 *guard_enter(u64 rsp)
{
	pcpu[this_cpu()].guard_rsp = rsp;
	return NULL;
}

u64 guard_leave(u64 result)
{
	pcpu[this_cpu()].guard_rsp = 0;
	return result;
}

u64 user_enter(u64 rsp)
{
	u32 cpu = this_cpu();

	pcpu[cpu].user_rsp = rsp;
	tss[cpu].rsp[0] = rsp - 128;
	return (u64)user_stacks[cpu] + sizeof(user_stacks[0]) - 8;
}

static void to_kernel(struct regs *r, void *rip, u64 rsp)
{
	r->rip = (u64)rip;
	r->cs = SEL_KCODE;
	r->ss = SEL_KDATA;
	r->rsp = rsp;
	r->rflags &= ~(RFLAGS_TF | RFLAGS_AC | RFLAGS_IF);
}

static void record(struct trap_info *t, const struct regs *r)
{
	*t = (struct trap_info) {
		.vector = r->vector, .error = r->error, .rip = r->rip, .cr2 = read_cr2(),
		.rflags = r->rflags, .rsp = r->rsp, .cs = r->cs, .rcx = r->rcx,
		.rsi = r->rsi, .rdi = r->rdi, .dr6 = r->vector == DB_VECTOR ? read_dr6() : 0,
		.count = t->count + 1,
	};
}

void guard_abort(struct regs *r)
{
	u32 cpu = this_cpu();

	if (!pcpu[cpu].guard_rsp)
		return;
	record(&pcpu[cpu].last, r);
	r->rax = r->vector;
	to_kernel(r, guard_unwind, pcpu[cpu].guard_rsp);
	pcpu[cpu].guard_rsp = 0;
}

void trap_dispatch(struct regs *r)
{
	u32 cpu = this_cpu();
	const struct ex_entry *e;

	if (handlers[r->vector]) {
		handlers[r->vector](r);
		return;
	}
	if (r->vector == INT_USER_RETURN && (r->cs & 3) == 3 && pcpu[cpu].user_rsp) {
		to_kernel(r, user_back, pcpu[cpu].user_rsp);
		pcpu[cpu].user_rsp = 0;
		return;
	}
	for (e = __extable_start; e < __extable_end; e++) {
		if (r->rip < e->start || r->rip > e->end)
			continue;
		record(&pcpu[cpu].last, r);
		r->rip = e->fixup;
		r->rflags &= ~RFLAGS_TF;
		return;
	}
	if (pcpu[cpu].guard_rsp) {
		guard_abort(r);
		return;
	}
	trap_show(r);
	guest_die("unexpected exception %d", (int)r->vector);
}
