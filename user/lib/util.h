/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_UTIL_H
#define HV_UTIL_H

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
