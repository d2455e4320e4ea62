/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_NOSPEC_H
#define HVMM_UNIT_LINUX_NOSPEC_H

#define array_index_nospec(i, n)	(i)

#endif
