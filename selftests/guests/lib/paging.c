// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "paging.h"

extern u64 boot_pml4[];

/* Below 4 GiB for 32-bit addressing, above what ram_top() can be. */
static u64 next_va = 0xc0000000;

u64 *pte_of(void *va)
{
	u64 *table = boot_pml4, *entry, *sub, a = (u64)va;
	int level, i;

	for (level = 3; ; level--) {
		entry = &table[a >> (12 + 9 * level) & 511];
		if (!level)
			return entry;
		if (!(*entry & PTE_P)) {
			*entry = (u64)alloc_pages(1) | PTE_P | PTE_W | PTE_U;
		} else if (*entry & PTE_PS) {
			sub = alloc_pages(1);
			for (i = 0; i < 512; i++)
				sub[i] = (*entry & ~PTE_PS) + ((u64)i << (3 + 9 * level));
			*entry = (u64)sub | PTE_P | PTE_W | PTE_U;
			write_cr3(read_cr3());
		}
		table = (u64 *)(*entry & 0xffffffffff000ull);
	}
}

void map_page(void *va, u64 pa, u64 flags)
{
	*pte_of(va) = pa | flags;
	invlpg(va);
}

void pte_change(void *va, u64 set, u64 clear)
{
	u64 *pte = pte_of(va);

	*pte = (*pte & ~clear) | set;
	invlpg(va);
}

void *alloc_va(u32 pages)
{
	void *va = (void *)next_va;

	next_va += (pages + 1) * PAGE_SIZE;
	return va;
}
