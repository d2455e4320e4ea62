/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_DIRTY_H
#define HVMM_MEM_DIRTY_H

#include <linux/types.h>

struct hvmm_mem;

/* Most frames that hvmm_dirty_take() takes: as many as a page has bits. */
#define HVMM_DIRTY_FRAMES	(8 * 4096)

/**
 * hvmm_dirty_start - begin to track which frames of RAM are written
 * @mem: the memory
 * @owner: who does
 *
 * On return none is dirty, and what vCPUs or the kernel write from now on makes one so; so does
 * a discard. Writes of userspace through mappings of the RAM file do not.
 *
 * Context: may sleep.
 * Return: 0, -EALREADY (@owner does already), -EBUSY (another does), -EDQUOT (the bitmap does
 * not fit into the VM's quota), -ENOMEM, -EINTR.
 */
int hvmm_dirty_start(struct hvmm_mem *mem, const void *owner);

/**
 * hvmm_dirty_stop - end it
 * @mem: the memory
 * @owner: who began
 *
 * Context: may sleep.
 * Return: 0, or -ENOTCONN (@owner does not track).
 */
int hvmm_dirty_stop(struct hvmm_mem *mem, const void *owner);

/**
 * hvmm_dirty_take - which frames have been written since they were taken last
 * @mem: the memory
 * @owner: who began
 * @gfn: first frame, a multiple of 64
 * @nr: number of frames, at most %HVMM_DIRTY_FRAMES; all of them RAM
 * @bits: filled
 *
 * A frame that is written later is dirty again once hvmm_mem_flush() has returned, which the
 * caller calls before he looks at what is in them.
 *
 * Context: may sleep.
 * Return: number of bits set; -ENOTCONN (@owner does not track), -EINTR.
 */
int hvmm_dirty_take(struct hvmm_mem *mem, const void *owner, u64 gfn, u64 nr,
		    unsigned long *bits);

/**
 * hvmm_dirty_return - frames that were taken are dirty after all
 * @mem: the memory
 * @gfn: first frame
 * @nr: number of frames
 * @bits: as hvmm_dirty_take() filled it
 *
 * Context: any.
 */
void hvmm_dirty_return(struct hvmm_mem *mem, u64 gfn, u64 nr, const unsigned long *bits);

/**
 * hvmm_dirty_bytes - kernel memory that tracking takes
 * @mem: the memory
 *
 * Context: any.
 */
u64 hvmm_dirty_bytes(const struct hvmm_mem *mem);

#endif
