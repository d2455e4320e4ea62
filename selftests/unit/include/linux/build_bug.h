/* SPDX-License-Identifier: GPL-2.0 */
#define BUILD_BUG_ON(c)	_Static_assert(!(c), #c)
#ifndef static_assert
#define static_assert(c)	_Static_assert(c, #c)
#endif
