// SPDX-License-Identifier: GPL-2.0
/* Task switches: what they change, and that they can be cut off. Guest "tasks" has more. */
#include "check.h"
#include "guest_cpu.h"
#include "x86/task.h"

/* In the GDT: flat code and data, both tasks, an LDT; the rest is what tests want. */
#define CODE	0x08
#define DATA	0x10
#define OLD	0x18
#define NEW	0x20
#define LDT	0x28
#define NARROW	0x30
#define SPARE	0x38
#define GDT	0x1000
/* The old one lies over the border of two pages, the new one too. */
#define OLD_TSS	0x2fe0
#define NEW_TSS	0x4fd0
#define TSS16	0x6000
#define LDT_AT	0x7000
#define STACK	0x9000
#define USED	0xa000

enum { EIP = 0x20, EFLAGS = 0x24, EAX = 0x28, ESP = 0x38, CS = 0x4c, SS = 0x50, DS = 0x54 };

static void put(u64 gpa, u64 val, unsigned int len)
{
	memcpy(vm.mem.data + gpa, &val, len);
}

static u64 get(u64 gpa, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, vm.mem.data + gpa, len);
	return val;
}

static void describe(u16 sel, u32 base, u32 limit, u16 attrib)
{
	put(GDT + sel,
	    (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attrib & 0xff) << 40 |
	    (u64)(limit >> 16 & 0xf) << 48 | (u64)(attrib >> 8) << 52 | (u64)(base >> 24) << 56, 8);
}

static u8 type_of(u16 sel)
{
	return get(GDT + sel + 5, 1) & 0xf;
}

static void init(void)
{
	static const struct hvmm_seg code = {
		.sel = CODE, .attrib = 0xc9b, .limit = ~0U,
	}, data = {
		.sel = DATA, .attrib = 0xc93, .limit = ~0U,
	};
	unsigned int i;

	guest_cpu_init_amd(48);
	vcpu.cr[0] |= X86_CR0_PE;
	vcpu.gdt_base = GDT;
	vcpu.gdt_limit = SPARE + 7;
	describe(CODE, 0, 0xfffff, 0xc9a);
	describe(DATA, 0, 0xfffff, 0xc92);
	describe(OLD, OLD_TSS, 0x67, 0x8b);
	describe(NEW, NEW_TSS, 0x67, 0x89);
	describe(LDT, LDT_AT, 15, 0x82);
	describe(NARROW, TSS16, 0x2b, 0x81);
	vcpu.cs = code;
	for (i = 0; i < HVMM_SEG_NR; i++)
		vcpu.seg[i] = data;
	vcpu.seg[HVMM_SEG_TR] = (struct hvmm_seg) {
		.sel = OLD, .attrib = 0x8b, .limit = 0x67, .base = OLD_TSS,
	};
	for (i = 0; i < 8; i++) {
		vcpu.regs.gpr[i] = 0x1000 + i;
		put(NEW_TSS + EAX + 4 * i, 0x2000 + i, 4);
	}
	vcpu.regs.rip = 0x1234;
	vcpu.regs.rflags = 0x10246;
	vcpu.dr[7] = 0x7ff;
	put(NEW_TSS + EIP, 0x4321, 4);
	put(NEW_TSS + EFLAGS, 0xfffd8092, 4);
	put(NEW_TSS + ESP, STACK + 2, 4);
	for (i = 0; i < 6; i++)
		put(NEW_TSS + 0x48 + 4 * i, DATA, 4);
	put(NEW_TSS + CS, CODE, 4);
	for (i = 0; i < 4; i++)
		put(TSS16 + 34 + 2 * i, i == HVMM_SEG_CS ? CODE : DATA, 2);
}

static void raise(u8 type, bool has_error)
{
	vcpu.event = (struct hvmm_event) {
		.valid = true, .type = type, .has_error = has_error, .error = 0x5a5a,
	};
}

static int to(u16 sel, enum hvmm_task_source source, unsigned int len, struct hvmm_fault *f)
{
	memset(f, 0, sizeof(*f));
	return hvmm_task_switch(&vcpu, sel, source, len, f);
}

static void test_state(void)
{
	struct hvmm_fault f;
	unsigned int i;

	init();
	CHECK_EQ(to(NEW, HVMM_TASK_CALL, 7, &f), 0);
	CHECK_EQ(get(OLD_TSS + EIP, 4), 0x123b);
	/* RF ends with the instruction. */
	CHECK_EQ(get(OLD_TSS + EFLAGS, 4), 0x246);
	for (i = 0; i < 8; i++) {
		CHECK_EQ(get(OLD_TSS + EAX + 4 * i, 4), 0x1000 + i);
		CHECK_EQ(vcpu.regs.gpr[i], i == HVMM_RSP ? STACK + 2 : 0x2000 + i);
	}
	CHECK_EQ(get(OLD_TSS + CS, 4), CODE);
	CHECK_EQ(get(OLD_TSS + DS, 4), DATA);
	CHECK_EQ(get(NEW_TSS, 2), OLD);
	CHECK_EQ(vcpu.regs.rip, 0x4321);
	/* No reserved bit reaches the processor: it would refuse the entry. NT is set. */
	CHECK_EQ(vcpu.regs.rflags, 0x3d4092);
	CHECK_EQ(vcpu.seg[HVMM_SEG_TR].sel, NEW);
	CHECK_EQ(vcpu.seg[HVMM_SEG_TR].attrib, 0x8b);
	CHECK_EQ(vcpu.cs.attrib, 0xc9b);
	CHECK_EQ(vcpu.seg[HVMM_SEG_SS].limit, ~0U);
	CHECK_EQ(type_of(OLD), 11);
	CHECK_EQ(type_of(NEW), 11);
	CHECK_EQ(type_of(CODE), 11);
	CHECK(vcpu.cr[0] & X86_CR0_TS);
	CHECK_EQ(vcpu.dr[7], 0x7ff & ~0x155);

	/* The way back: NT of the one that returns is clear, of the other it is as it was. */
	put(OLD_TSS + EFLAGS, 0x4002, 4);
	CHECK_EQ(hvmm_task_return(&vcpu, 1, &f), 0);
	CHECK_EQ(get(NEW_TSS + EFLAGS, 4), 0x3c0092);
	CHECK_EQ(vcpu.regs.rflags, 0x4002);
	CHECK_EQ(vcpu.regs.rip, 0x123b);
	CHECK_EQ(type_of(OLD), 11);
	CHECK_EQ(type_of(NEW), 9);
}

static void test_events(void)
{
	struct hvmm_fault f;

	/* A fault: its instruction is not complete; the error code goes over a page's border. */
	init();
	raise(HVMM_EVENT_EXCEPTION, true);
	CHECK_EQ(to(NEW, HVMM_TASK_GATE, 0, &f), 0);
	CHECK_EQ(get(OLD_TSS + EIP, 4), 0x1234);
	CHECK_EQ(get(OLD_TSS + EFLAGS, 4), 0x10246);
	CHECK_EQ(vcpu.regs.gpr[HVMM_RSP], STACK - 2);
	CHECK_EQ(get(STACK - 2, 4), 0x5a5a);
	CHECK(!vcpu.event.valid);
	CHECK(!vcpu.nmi_masked);

	/* Its stack has no room for it: that is the new task's. */
	init();
	raise(HVMM_EVENT_EXCEPTION, true);
	describe(SPARE, 0, STACK, 0x492);
	put(NEW_TSS + SS, SPARE, 4);
	CHECK_EQ(to(NEW, HVMM_TASK_GATE, 0, &f), -EFAULT);
	CHECK_EQ(f.vector, 12);
	/* EXT: it was none of the program's. */
	CHECK_EQ(f.error, 1);
	CHECK_EQ(vcpu.seg[HVMM_SEG_TR].sel, NEW);
	CHECK_EQ(vcpu.regs.gpr[HVMM_RSP], STACK + 2);
	CHECK_EQ(get(STACK - 2, 4), 0);

	/* A stack of 16 bits: no more of ESP changes. */
	init();
	raise(HVMM_EVENT_EXCEPTION, true);
	describe(SPARE, 0, 0xffff, 0x092);
	put(NEW_TSS + SS, SPARE, 4);
	put(NEW_TSS + ESP, 0xabcd0000, 4);
	CHECK_EQ(to(NEW, HVMM_TASK_GATE, 0, &f), 0);
	CHECK_EQ(vcpu.regs.gpr[HVMM_RSP], 0xabcdfffc);
	CHECK_EQ(get(0xfffc, 4), 0x5a5a);

	init();
	raise(HVMM_EVENT_NMI, false);
	CHECK_EQ(to(NEW, HVMM_TASK_GATE, 0, &f), 0);
	CHECK(vcpu.nmi_masked);
	CHECK_EQ(to(OLD, HVMM_TASK_IRET, 1, &f), 0);
	CHECK(!vcpu.nmi_masked);
}

/* Cut off at each access that it makes, and done again: nothing is different then. */
static void cut_off(u16 sel, enum hvmm_task_source source, bool error)
{
	static u8 before[USED], after[USED];
	struct hvmm_x86_vcpu start, end;
	struct hvmm_fault f, want;
	unsigned int n;
	int ret, all;

	init();
	if (source == HVMM_TASK_IRET)
		describe(sel, NEW_TSS, 0x67, 0x8b);
	if (error)
		raise(HVMM_EVENT_EXCEPTION, true);
	start = vcpu;
	memcpy(before, vm.mem.data, USED);
	all = to(sel, source, 2, &want);
	end = vcpu;
	memcpy(after, vm.mem.data, USED);

	for (n = 1; n < 1000; n++) {
		vcpu = start;
		memcpy(vm.mem.data, before, USED);
		vm.mem.until_miss = n;
		ret = to(sel, source, 2, &f);
		if (vm.mem.until_miss)
			break;
		CHECK_EQ(ret, -EAGAIN);
		CHECK(!memcmp(&vcpu.regs, &start.regs, sizeof(start.regs)));
		CHECK(!memcmp(&vcpu.event, &start.event, sizeof(start.event)));
		CHECK(!memcmp(&vcpu.cr, &start.cr, sizeof(start.cr)));
		CHECK(!memcmp(&vcpu.seg, &start.seg, sizeof(start.seg)));
		CHECK_EQ(to(sel, source, 2, &f), all);
		CHECK(!memcmp(&f, &want, sizeof(f)));
		CHECK(!memcmp(&vcpu.regs, &end.regs, sizeof(end.regs)));
		CHECK(!memcmp(&vcpu.seg, &end.seg, sizeof(end.seg)));
		CHECK(!memcmp(vm.mem.data, after, USED));
	}
	vm.mem.until_miss = 0;
	/* Both TSSes, descriptors, marks. */
	CHECK(n > 10 && n < 100);
}

static void test_cut_off(void)
{
	cut_off(NEW, HVMM_TASK_CALL, false);
	cut_off(NEW, HVMM_TASK_JMP, false);
	cut_off(NEW, HVMM_TASK_GATE, true);
	cut_off(NEW, HVMM_TASK_IRET, false);
	cut_off(NARROW, HVMM_TASK_JMP, false);
}

/* What the processor has looked at may be another's now. */
static void test_refused(void)
{
	const struct {
		u16 sel, attrib;
		u32 limit;
		enum hvmm_task_source source;
		u8 vector;
	} bad[] = {
		{ SPARE, 0x8b, 0x67, HVMM_TASK_JMP, 13 },	/* busy */
		{ SPARE, 0x89, 0x67, HVMM_TASK_IRET, 10 },	/* not busy */
		{ SPARE, 0x82, 0x67, HVMM_TASK_CALL, 13 },	/* an LDT */
		{ SPARE, 0x99, 0x67, HVMM_TASK_CALL, 13 },	/* code */
		{ SPARE, 0x09, 0x67, HVMM_TASK_CALL, 11 },
		{ SPARE, 0x89, 0x66, HVMM_TASK_CALL, 10 },
		{ SPARE, 0x81, 0x2a, HVMM_TASK_CALL, 10 },
		{ SPARE + 8, 0x89, 0x67, HVMM_TASK_CALL, 13 },	/* beyond the GDT */
		{ SPARE | 4, 0x89, 0x67, HVMM_TASK_CALL, 13 },
	};
	struct hvmm_x86_vcpu start;
	struct hvmm_fault f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		init();
		describe(SPARE, NEW_TSS, bad[i].limit, bad[i].attrib);
		start = vcpu;
		CHECK_EQ(to(bad[i].sel, bad[i].source, 2, &f), -EFAULT);
		CHECK_EQ(f.vector, bad[i].vector);
		CHECK_EQ(f.error, bad[i].sel & ~3);
		CHECK(!memcmp(&start.regs, &vcpu.regs, sizeof(start.regs)));
		CHECK_EQ(get(OLD_TSS + EIP, 4), 0);
	}

	/* The old one has no room for its state. */
	init();
	vcpu.seg[HVMM_SEG_TR].limit = 0x5e;
	CHECK_EQ(to(NEW, HVMM_TASK_JMP, 2, &f), -EFAULT);
	CHECK_EQ(f.vector, 10);
	CHECK_EQ(f.error, OLD);

	/* Where there is no RAM. */
	init();
	describe(NEW, HVMM_VM_RAM - 10, 0x67, 0x89);
	start = vcpu;
	CHECK_EQ(to(NEW, HVMM_TASK_JMP, 2, &f), -ENXIO);
	CHECK(!memcmp(&start.regs, &vcpu.regs, sizeof(start.regs)));
	init();
	vcpu.gdt_base = HVMM_VM_RAM;
	CHECK_EQ(to(NEW, HVMM_TASK_JMP, 2, &f), -ENXIO);
}

/* A new task that cannot start is entered all the same: SS has its privilege, CS fits it. */
static void test_enterable(void)
{
	static const u16 offsets[] = { CS, SS, 0x60 };
	struct hvmm_fault f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		init();
		put(NEW_TSS + offsets[i], 0xfff8, 4);
		CHECK_EQ(to(NEW, HVMM_TASK_JMP, 2, &f), -EFAULT);
		CHECK_EQ(f.vector, 10);
		CHECK_EQ(f.error, 0xfff8);
		CHECK_EQ(vcpu.seg[HVMM_SEG_TR].sel, NEW);
		CHECK_EQ(vcpu.cs.attrib, 0xcfb);
		CHECK_EQ(vcpu.seg[HVMM_SEG_SS].attrib, HVMM_SEG_ATTR_DPL);
		CHECK_EQ(vcpu.cs.sel, i ? CODE : 0xfff8);
	}

	/* In virtual-8086 mode, with an LDT that is none. */
	init();
	put(NEW_TSS + EFLAGS, X86_EFLAGS_VM, 4);
	put(NEW_TSS + CS, 0x1234, 4);
	put(NEW_TSS + 0x60, 0xfff8, 4);
	CHECK_EQ(to(NEW, HVMM_TASK_JMP, 2, &f), -EFAULT);
	CHECK_EQ(f.vector, 10);
	CHECK_EQ(vcpu.cs.attrib, 0xf3);
	CHECK_EQ(vcpu.cs.base, 0x12340);
	CHECK_EQ(vcpu.cs.limit, 0xffff);
	CHECK_EQ(vcpu.seg[HVMM_SEG_SS].attrib, 0xf3);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "task switch: state of both tasks", test_state },
		{ "task switch: events", test_events },
		{ "task switch: cut off and done again", test_cut_off },
		{ "task switch: refusals", test_refused },
		{ "task switch: what cannot start is entered", test_enterable },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
