/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_MEM_ENCRYPT_H
#define HVMM_UNIT_LINUX_MEM_ENCRYPT_H

/* A host that encrypts: no user address has this bit. */
#define FAKE_SME_MASK	(1ULL << 47)

#define __sme_set(x)	((x) | FAKE_SME_MASK)
#define __sme_clr(x)	((x) & ~FAKE_SME_MASK)

#endif
