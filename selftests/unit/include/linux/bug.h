/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_BUG_H
#define HVMM_UNIT_LINUX_BUG_H

#include <assert.h>

#define WARN_ON_ONCE(cond)	({ int bad_ = !!(cond); assert(!bad_); bad_; })

#endif
