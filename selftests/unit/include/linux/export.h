/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_EXPORT_H
#define HVMM_UNIT_LINUX_EXPORT_H

#define EXPORT_SYMBOL(name)

#endif
