/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_BITMAP_H
#define HVMM_UNIT_LINUX_BITMAP_H

#endif
