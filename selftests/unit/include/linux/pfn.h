/* SPDX-License-Identifier: GPL-2.0 */
#define PFN_PHYS(pfn)	((u64)(pfn) << 12)
