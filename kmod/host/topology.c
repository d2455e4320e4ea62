// SPDX-License-Identifier: GPL-2.0
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/topology.h>
#include <asm/processor.h>

#include "host/topology.h"

static bool share_llc(unsigned int a, unsigned int b)
{
	return cpu_data(a).topo.llc_id == cpu_data(b).topo.llc_id;
}

static bool share_package(unsigned int a, unsigned int b)
{
	return topology_physical_package_id(a) == topology_physical_package_id(b);
}

static bool llc_known(void)
{
	unsigned int first = cpumask_first(cpu_online_mask), cpu;

	for_each_online_cpu(cpu)
		if (cpu != first && share_llc(first, cpu))
			return true;
	return false;
}

unsigned int hvmm_cache_domains(unsigned int *dom_of, unsigned int max)
{
	bool (*share)(unsigned int a, unsigned int b);
	unsigned int cpu, other, size, nr = 0;

	cpus_read_lock();
	share = llc_known() ? share_llc : share_package;
	for_each_possible_cpu(cpu) {
		/* With the latest one that it shares with, if there is room. */
		size = max;
		for (other = cpu; other-- > 0;) {
			if (!cpu_possible(other))
				continue;
			if (!cpu_online(cpu) || !cpu_online(other) || share(cpu, other)) {
				size = 0;
				dom_of[cpu] = dom_of[other];
				break;
			}
		}
		for (other = 0; size < max && other < cpu; other++)
			size += cpu_possible(other) && dom_of[other] == dom_of[cpu];
		if (size >= max)
			dom_of[cpu] = nr++;
	}
	cpus_read_unlock();
	/* Numbers that no pCPU can have must not name a domain that does not exist. */
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (!cpu_possible(cpu))
			dom_of[cpu] = nr++;
	return nr;
}
