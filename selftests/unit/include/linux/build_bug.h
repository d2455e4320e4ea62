/* SPDX-License-Identifier: GPL-2.0 */
#define BUILD_BUG_ON(c)	_Static_assert(!(c), #c)
