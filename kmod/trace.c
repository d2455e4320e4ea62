// SPDX-License-Identifier: GPL-2.0
#include "sched/sched.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
