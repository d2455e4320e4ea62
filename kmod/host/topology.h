/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_TOPOLOGY_H
#define HVMM_HOST_TOPOLOGY_H

/**
 * hvmm_cache_domains - group pCPUs by the cache that they share
 * @dom_of: filled for each of nr_cpu_ids: a domain's number, from 0 without a gap
 * @max: largest number of pCPUs in a domain
 *
 * Where the last-level cache is not known, or is each pCPU's own, the package counts.
 * pCPUs that are not online yet are put with their neighbours by number.
 *
 * Context: may sleep; cpus_read_lock() not held.
 * Return: the number of domains.
 */
unsigned int hvmm_cache_domains(unsigned int *dom_of, unsigned int max);

#endif
