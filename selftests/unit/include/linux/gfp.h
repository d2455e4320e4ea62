/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_GFP_H
#define HVMM_UNIT_LINUX_GFP_H

#include <linux/gfp_types.h>

/* Pages that get_zeroed_page() gave and free_page() has not got back. */
extern long fake_pages;

unsigned long get_zeroed_page(gfp_t gfp);
void free_page(unsigned long page);

#endif
