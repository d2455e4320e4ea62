// SPDX-License-Identifier: GPL-2.0
/* Real mode, 16-bit and 32-bit protected mode, 32-bit paging of both kinds, with devices. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/paging.h"

#define BLOB 0x10000ull
#define RESULTS 0x1c000ull
#define MAGIC 0x7265616c6d6f6465ull

extern u8 rm_real[], pm32_test[], rm_blob[], rm_blob_end[], rm_default[], testdev[], hvmm[];
extern const u16 rm_handlers[];
extern u32 rm_testdev, pm_cr3, pm_cr4;
extern volatile u32 pm_out[32];

static volatile u32 *res = (volatile u32 *)RESULTS;

static void prepare(bool dev)
{
	volatile u32 *ivt = (volatile u32 *)0;
	u32 i;

	__asm__("" : "+r"(ivt));
	memcpy((void *)BLOB, rm_blob, rm_blob_end - rm_blob);
	*(u8 *)(BLOB + (testdev - rm_blob)) = dev;
	*(u8 *)(BLOB + (hvmm - rm_blob)) = on_hvmm();
	memset((void *)RESULTS, 0, PAGE_SIZE);
	for (i = 0; i < 256; i++)
		ivt[i] = (u32)(BLOB >> 4) << 16 | (u16)(rm_default - rm_blob);
	for (i = 0; rm_handlers[i] != 0xffff; i += 2)
		ivt[rm_handlers[i]] = (u32)(BLOB >> 4) << 16 | rm_handlers[i + 1];
	/* 16-bit code at the copy's base, for the steps between the modes. */
	gdt[SEL_SPARE >> 3] = 0x00009b000000ffffull | BLOB << 16;
	rm_testdev = dev;
}

static void test_real(bool dev)
{
	u32 cr0 = read_cr0();

	rm_run(rm_real);
	if (!ok_eq(res[46], 0, "real mode: no unexpected interrupt"))
		return;
	ok_eq(res[45], 0x600d, "real mode: came to its end");
	ok_eq(res[0], cpuid(0, 0).a, "real mode: CPUID EAX");
	ok_eq(res[1], cpuid(0, 0).b, "real mode: CPUID EBX");
	ok_eq(res[2], 8, "real mode: IP is right behind 66 67 CPUID");
	ok_eq(res[3], (u32)rdmsr(MSR_EFER) & ~(EFER_LMA | EFER_LME), "real mode: EFER");
	ok_eq(res[4], 0x5555, "real mode: WRMSR and RDMSR");
	ok_eq(res[5], cr0 & ~(CR0_PG | CR0_PE), "real mode: CR0");
	ok_eq(res[6], (u16)cr0 & ~1u, "real mode: SMSW");
	ok_eq(res[7], ((u16)cr0 & ~1u) | 8, "real mode: LMSW sets TS");
	ok_eq(res[8], (u16)cr0 & ~9u, "real mode: CLTS");
	ok_eq(res[9], 1, "real mode: INT 0x60");
	ok(!(res[10] & RFLAGS_IF), "real mode: IF is clear in the handler");
	ok(res[11] & RFLAGS_IF, "real mode: IF is back after IRET");
	ok_eq(res[12], 1, "real mode: INT3");
	ok_eq(res[13], 1, "real mode: INTO");
	ok_eq(res[14], 1, "real mode: DIV by 0");
	ok_eq(res[15], 1, "real mode: UD2");
	ok_eq(res[16], 1, "real mode: ICEBP");
	if (dev) {
		ok_eq(res[17], 0x12345678, "real mode: OUT and IN of 4 bytes");
		ok_eq(res[18], 0xabcd, "real mode: OUT and IN of 2 bytes");
		ok_eq(res[19], 0x5a, "real mode: OUT and IN of 1 byte, port in the code");
		ok_eq(res[20], 0x55, "real mode: REP OUTSB");
		ok_eq(res[21], 0, "real mode: REP OUTSB, CX");
		ok_eq(res[22], 5, "real mode: REP OUTSB, SI");
		ok_eq(res[23], 0x45234523, "real mode: REP INSW");
		ok_eq(res[24], 0xd008, "real mode: REP INSW, DI");
		ok_eq(res[25], 0x11, "real mode: ES OUTSB");
		ok_eq(res[26], 0x88776655, "real mode: addr32 REP OUTSL");
		ok_eq(res[27], 8, "real mode: addr32 REP OUTSL, ESI");
		ok_eq(res[28], 1, "real mode: REP OUTSB down, SI");
		ok_eq(res[30], 0xa1b2c3d4, "big real mode: MOV to and from MMIO");
		ok_eq(res[31], 0xa1b2d4e5, "big real mode: ADD to MMIO");
		ok_eq(res[32], 0xa1b277e5, "big real mode: XCHG with MMIO, memory");
		ok_eq(res[33], 0xd4, "big real mode: XCHG with MMIO, register");
		ok_eq(res[37], 0xa1b277e5, "big real mode: PUSH of MMIO");
	} else {
		skip("no test device", "real mode: port and MMIO data");
	}
	ok_eq(res[29], apic_read(APIC_VER), "big real mode: LAPIC version");
	ok_eq(res[34], 1, "real mode: HLT, woken by the timer");
	ok_eq(res[36], 0, "real mode: RDTSC does not go back");
	if (on_hvmm()) {
		ok_eq(res[35], (u32)-1000, "real mode: hypercall");
		ok_eq(res[38], 1, "real mode: RDMSR of an unknown MSR, #GP without error code");
	} else {
		skip("no hypervisor of ours here", "real mode: hypercall, unknown MSR");
	}
	ok_eq(res[39], 8, "16-bit protected mode: IP is right behind CPUID");
	ok_eq(res[40] & 1, 1, "16-bit protected mode: CR0.PE");
	ok_eq(res[41], apic_read(APIC_VER), "16-bit protected mode: LAPIC version");
	ok_eq(res[42], 0x5000, "real mode: CR3");
	ok_eq(res[43], 0x10, "real mode: CR4");
	ok_eq(res[44], 0x1234567, "real mode: DR1");
}

static void check_pm(const char *name, bool dev)
{
	ok_eq(pm_out[0], cpuid(0, 0).a, "%s: CPUID", name);
	ok_eq(pm_out[1], apic_read(APIC_VER), "%s: LAPIC version", name);
	ok_eq(pm_out[2], apic_read(APIC_VER), "%s: LAPIC version by another address", name);
	if (!dev) {
		skip("no test device", "%s: MMIO", name);
		return;
	}
	ok_eq(pm_out[3], 0xdeadbeef, "%s: MOV to and from MMIO", name);
	ok_eq(pm_out[4], 0xdeadbf00, "%s: ADD to MMIO", name);
	ok_eq(pm_out[5], 0x12345678, "%s: MOVS from RAM to MMIO", name);
	ok_eq(pm_out[6], 0x12345678 * 2 + 5, "%s: LOCK XADD to MMIO", name);
	ok_eq(pm_out[7], 0x44332211, "%s: MOV over the boundary of MMIO and RAM", name);
	ok_eq(pm_out[8], 0x4433, "%s: ... RAM's half", name);
	ok_eq(pm_out[9], 0x12345678 + 5, "%s: PUSH of MMIO, POP to RAM", name);
	ok_eq(pm_out[10], 0x0badcafe, "%s: MMIO by a large page", name);
	ok_eq(pm_out[11], 0x13572468, "%s: REP INSL to MMIO", name);
	ok_eq(pm_out[12], 0, "%s: REP INSL, ECX", name);
	ok_eq(pm_out[13], 0x13572412, "%s: REP OUTSB from RAM", name);
	ok_eq(pm_out[14], 0x78, "%s: MOV and INC of a byte", name);
	ok_eq(pm_out[15], 0x79, "%s: opcode 0x40 is INC", name);
}

static void clear_pm(void)
{
	u32 i;

	for (i = 0; i < 32; i++)
		pm_out[i] = 0;
}

/* Two-level tables: 4 MiB pages, and 4 KiB ones at 0x80000000. */
static void test_legacy(bool dev, u64 ram)
{
	u32 *pd = alloc_pages(1), *pt = alloc_pages(1), i;

	for (i = 0; i < 1024; i++)
		pd[i] = i << 22 | 0x83;
	pt[0] = TD_MMIO + 0x1000 + 0x13;
	pt[1] = ram | 3;
	pt[2] = APIC_WINDOW | 0x13;
	pd[512] = (u32)(u64)pt | 3;
	pm_cr3 = (u64)pd;
	pm_cr4 = CR4_PSE;
	clear_pm();
	rm_run(pm32_test);
	check_pm("32-bit paging", dev);
	ok((pt[0] & 0x60) == (dev ? 0x60 : 0) && pt[2] & 0x20, "32-bit paging: A and D bits");
}

/* Three-level tables: 2 MiB pages, and 4 KiB ones at 0x80000000. */
static void test_pae(bool dev, u64 ram)
{
	u64 *pdpt = alloc_pages(1), *pd = alloc_pages(4), *pt = alloc_pages(1), i;

	for (i = 0; i < 2048; i++)
		pd[i] = i << 21 | 0x83;
	for (i = 0; i < 4; i++)
		pdpt[i] = (u64)(pd + 512 * i) | 1;
	pt[0] = TD_MMIO + 0x1000 + 0x13;
	pt[1] = ram | 3;
	pt[2] = APIC_WINDOW | 0x13;
	pd[1024] = (u64)pt | 3;
	pm_cr3 = (u64)pdpt;
	pm_cr4 = CR4_PAE;
	clear_pm();
	rm_run(pm32_test);
	check_pm("PAE paging", dev);
	ok((pt[0] & 0x60) == (dev ? 0x60 : 0) && pt[2] & 0x20, "PAE paging: A and D bits");
}

void guest_main(void)
{
	volatile u64 *mark = (volatile u64 *)(ram_top() / 2 & PAGE_MASK);
	bool dev = have_testdev();
	u64 ram = (u64)alloc_pages(1);
	u32 i;

	/* A fault down there has no handler: the machine resets, and this tells. */
	if (*mark == MAGIC) {
		*mark = 0;
		ok(false, "no reset on the way");
		return;
	}
	*mark = MAGIC;
	apic_setup();
	prepare(dev);
	test_real(dev);
	test_legacy(dev, ram);
	test_pae(dev, ram);
	for (i = 0; i < 20; i++) {
		prepare(dev);
		rm_run(rm_real);
		if (res[45] != 0x600d || res[46])
			break;
	}
	ok_eq(i, 20, "to real mode and back 20 times");
	*mark = 0;
}
