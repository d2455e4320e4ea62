// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "core/arch.h"
#include "core/life.h"
#include "core/quota.h"
#include "core/vm.h"
#include "mem/dirty.h"
#include "trace.h"

/* Guards the table and the names in it; taken inside no other lock but vm->lock. */
static DEFINE_MUTEX(table_lock);
static DEFINE_XARRAY_FLAGS(table, XA_FLAGS_ALLOC1);
static u32 next_id;
static u32 generation = 1;
static atomic_t objects;

u32 hvmm_vm_generation(void)
{
	return READ_ONCE(generation);
}

u32 hvmm_vm_objects(void)
{
	return atomic_read(&objects);
}

static void bump_generation(void)
{
	lockdep_assert_held(&table_lock);
	WRITE_ONCE(generation, generation + 1 ?: 1);
}

void hvmm_vm_get(struct hvmm_vm *vm)
{
	kref_get(&vm->ref);
}

static void vm_free(struct hvmm_vm *vm)
{
	u32 i;

	hvmm_platform_destroy(vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i])
			hvmm_arch_vcpu_destroy(vm->vcpus[i]);
	if (vm->group)
		hvmm_group_exit(vm->group);
	kvfree(vm->group);
	hvmm_mem_exit(&vm->mem);
	kfree(vm->irq.lapics);
	kvfree(vm->config);
	mutex_destroy(&vm->lock);
	kvfree_rcu(vm, rcu);
	atomic_dec(&objects);
	module_put(THIS_MODULE);
}

static void vm_release(struct kref *ref)
{
	vm_free(container_of(ref, struct hvmm_vm, ref));
}

void hvmm_vm_put(struct hvmm_vm *vm)
{
	kref_put(&vm->ref, vm_release);
}

struct hvmm_vm *hvmm_vm_by_id(u32 id)
{
	struct hvmm_vm *vm;

	rcu_read_lock();
	vm = xa_load(&table, id);
	if (vm && !kref_get_unless_zero(&vm->ref))
		vm = NULL;
	rcu_read_unlock();
	return vm;
}

struct hvmm_vm *hvmm_vm_next(u32 *id)
{
	unsigned long index = *id;
	struct hvmm_vm *vm;

	rcu_read_lock();
	vm = xa_find(&table, &index, U32_MAX, XA_PRESENT);
	while (vm && !kref_get_unless_zero(&vm->ref))
		vm = xa_find_after(&table, &index, U32_MAX, XA_PRESENT);
	rcu_read_unlock();
	*id = index;
	return vm;
}

struct hvmm_vm *hvmm_vm_next_alive(u32 *id)
{
	unsigned long index = *id;
	struct hvmm_vm *vm;

	rcu_read_lock();
	vm = xa_find(&table, &index, U32_MAX, XA_PRESENT);
	while (vm && READ_ONCE(vm->dead))
		vm = xa_find_after(&table, &index, U32_MAX, XA_PRESENT);
	rcu_read_unlock();
	*id = index;
	return vm;
}

static struct hvmm_vm *find_name(const char *name)
{
	struct hvmm_vm *vm;
	unsigned long id;

	lockdep_assert_held(&table_lock);
	xa_for_each(&table, id, vm)
		if (!strcmp(vm->name, name))
			return vm;
	return NULL;
}

struct hvmm_vm *hvmm_vm_by_name(const char *name)
{
	struct hvmm_vm *vm;

	mutex_lock(&table_lock);
	vm = find_name(name);
	/* Whoever is in the table has a reference from it. */
	if (vm)
		kref_get(&vm->ref);
	mutex_unlock(&table_lock);
	return vm;
}

static void noop(void *unused)
{
}

static void request_flush(struct hvmm_vm *vm)
{
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		set_bit(HVMM_REQ_TLB, &vm->vcpus[i]->requests);
}

void hvmm_vm_flush_tlbs(struct hvmm_vm *vm)
{
	cpumask_var_t cpus;
	bool have_mask;
	u32 i;

	have_mask = zalloc_cpumask_var(&cpus, GFP_KERNEL);
	request_flush(vm);
	/* Pairs with the barrier at VM entry: it sees the request, or we see the mode. */
	smp_mb();
	for (i = 0; have_mask && i < vm->nr_vcpus; i++)
		if (READ_ONCE(vm->vcpus[i]->mode) == HVMM_IN_GUEST)
			cpumask_set_cpu(READ_ONCE(vm->vcpus[i]->unit.res)->id, cpus);

	/* Returns once each has taken the interrupt, which it does outside the guest. */
	if (have_mask) {
		on_each_cpu_mask(cpus, noop, NULL, true);
		free_cpumask_var(cpus);
	} else {
		on_each_cpu(noop, NULL, true);
	}
}

static void mem_flush(struct hvmm_mem *mem)
{
	hvmm_vm_flush_tlbs(container_of(mem, struct hvmm_vm, mem));
}

static void mem_flush_soon(struct hvmm_mem *mem)
{
	request_flush(container_of(mem, struct hvmm_vm, mem));
}

/* Does not allocate or sleep; the console's lock is taken. */
static u64 mem_overhead(struct hvmm_mem *mem)
{
	struct hvmm_vm_usage usage;

	hvmm_vm_usage(container_of(mem, struct hvmm_vm, mem), &usage);
	return usage.kernel - usage.tables;
}

static void mem_starves(struct hvmm_mem *mem)
{
	hvmm_vm_starves(container_of(mem, struct hvmm_vm, mem));
}

static const struct hvmm_mem_ops mem_ops = {
	.flush = mem_flush,
	.flush_soon = mem_flush_soon,
	.overhead = mem_overhead,
	.starves = mem_starves,
};

int hvmm_vm_destroy(struct hvmm_vm *vm)
{
	mutex_lock(&vm->lock);
	if (vm->dead) {
		mutex_unlock(&vm->lock);
		return -ENODEV;
	}
	if (vm->state != HVMM_VM_STOPPED)
		hvmm_life_stop(vm, HVMM_REASON_REQUEST);
	WRITE_ONCE(vm->dead, true);
	hvmm_quota_drop(vm);

	mutex_lock(&table_lock);
	xa_erase(&table, vm->id);
	bump_generation();
	mutex_unlock(&table_lock);

	hvmm_platform_detach(vm);
	hvmm_life_notify(vm, HVMM_VM_EVENT_DESTROYED);
	mutex_unlock(&vm->lock);
	/* It uses the VM without a reference. */
	hvmm_mem_reclaim_stop(&vm->mem);
	/* Nobody starves any more. It takes the lock. */
	if (cancel_delayed_work_sync(&vm->starve_work))
		hvmm_vm_put(vm);
	/* The table's reference. */
	hvmm_vm_put(vm);
	return 0;
}

static bool name_valid(const char *name)
{
	size_t i, len = strnlen(name, HVMM_VM_NAME_MAX + 1);

	if (!len || len > HVMM_VM_NAME_MAX || name[0] == '-' || name[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum(name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

static int params_check(const struct hvmm_vm_params *params, struct netlink_ext_ack *extack)
{
	if (!name_valid(params->name)) {
		NL_SET_ERR_MSG(extack,
			       "name: 1 to 63 letters, digits, '_', '.' or '-', not beginning with '.' or '-'");
		return -EINVAL;
	}
	if (!params->nr_vcpus || params->nr_vcpus > HVMM_VCPUS_MAX) {
		NL_SET_ERR_MSG(extack, "vcpus: at least 1");
		return -EINVAL;
	}
	if (params->nr_vcpus > num_present_cpus()) {
		NL_SET_ERR_MSG_FMT(extack, "vcpus: %u asked for, but the host has %u pCPUs",
				   params->nr_vcpus, num_present_cpus());
		return -E2BIG;
	}
	if (params->ram_size < HVMM_VM_RAM_MIN || params->ram_size > HVMM_VM_RAM_MAX ||
	    !PAGE_ALIGNED(params->ram_size)) {
		NL_SET_ERR_MSG(extack, "memory: a multiple of 4 KiB from 1 MiB to 1 TiB");
		return -EINVAL;
	}
	if (params->config_len > HVMM_VM_CONFIG_MAX) {
		NL_SET_ERR_MSG(extack, "config: at most 8192 bytes");
		return -EINVAL;
	}
	return 0;
}

static int publish(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	int ret;

	mutex_lock(&table_lock);
	if (find_name(vm->name)) {
		NL_SET_ERR_MSG_FMT(extack, "name: %s is taken", vm->name);
		ret = -EEXIST;
		goto out;
	}
	ret = xa_err(xa_store(&table, vm->id, vm, GFP_KERNEL));
	if (ret)
		goto out;
	kref_get(&vm->ref);
	bump_generation();
out:
	mutex_unlock(&table_lock);
	return ret;
}

/* An id that nobody finds a VM under until it is published. */
static int reserve_id(struct hvmm_vm *vm)
{
	int ret;

	mutex_lock(&table_lock);
	/* Cyclic, so that an id is not reused before all others were used. */
	ret = xa_alloc_cyclic(&table, &vm->id, NULL, XA_LIMIT(1, S32_MAX), &next_id, GFP_KERNEL);
	mutex_unlock(&table_lock);
	return min(ret, 0);
}

static int create_group(struct hvmm_vm *vm)
{
	struct hvmm_group *group = kvzalloc(hvmm_group_size(), GFP_KERNEL_ACCOUNT);

	if (!group)
		return -ENOMEM;
	hvmm_group_init(group, vm->id);
	vm->group = group;
	return 0;
}

struct hvmm_vm *hvmm_vm_create(const struct hvmm_vm_params *params,
			       struct netlink_ext_ack *extack)
{
	struct hvmm_vcpu *vcpu;
	struct hvmm_vm *vm;
	int ret;
	u32 i;

	ret = params_check(params, extack);
	if (ret)
		return ERR_PTR(ret);

	vm = kvzalloc(struct_size(vm, vcpus, params->nr_vcpus), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->nr_vcpus = params->nr_vcpus;
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	rcuwait_init(&vm->parked);
	hvmm_life_prepare(vm);
	vm->hold = true;
	vm->created_at = ktime_get_ns();
	strscpy(vm->name, params->name, sizeof(vm->name));
	/* Each VM holds the module: rmmod is refused while there is one. */
	__module_get(THIS_MODULE);
	atomic_inc(&objects);

	/* From here on hvmm_vm_put() undoes everything, but for the id. */
	ret = hvmm_mem_init(&vm->mem, &mem_ops, params->ram_file, params->ram_size, extack);
	if (ret)
		goto put;
	ret = reserve_id(vm) ?: create_group(vm);
	if (ret)
		goto put;
	ret = -ENOMEM;
	vm->irq.lapics = kcalloc(vm->nr_vcpus, sizeof(*vm->irq.lapics), GFP_KERNEL_ACCOUNT);
	if (!vm->irq.lapics)
		goto put;
	vm->irq.nr = vm->nr_vcpus;
	if (params->config_len) {
		vm->config = kvmemdup(params->config, params->config_len, GFP_KERNEL_ACCOUNT);
		if (!vm->config)
			goto put;
		vm->config_len = params->config_len;
	}
	for (i = 0; i < vm->nr_vcpus; i++) {
		vcpu = hvmm_arch_vcpu_create(vm, i);
		if (IS_ERR(vcpu)) {
			ret = PTR_ERR(vcpu);
			goto put;
		}
		vm->vcpus[i] = vcpu;
		vm->irq.lapics[i] = &vcpu->lapic;
	}
	ret = hvmm_platform_create(vm);
	if (ret)
		goto put;
	if (params->quota) {
		params->quota->vm = vm;
		ret = hvmm_quota_first(params->quota, params->verdict, extack);
		if (ret)
			goto put;
	}

	/* Nobody can start it before it was announced. */
	mutex_lock(&vm->lock);
	ret = publish(vm, extack);
	if (!ret) {
		hvmm_quota_touch();
		hvmm_life_notify(vm, HVMM_VM_EVENT_CREATED);
	}
	mutex_unlock(&vm->lock);
	if (!ret)
		return vm;
	/* What the file holds already may be more than mem-high. */
	hvmm_mem_reclaim_stop(&vm->mem);
	hvmm_quota_undo(vm);
put:
	xa_release(&table, vm->id);
	hvmm_vm_put(vm);
	return ERR_PTR(ret);
}

void hvmm_vm_usage(struct hvmm_vm *vm, struct hvmm_vm_usage *usage)
{
	usage->held = hvmm_ram_held(&vm->mem.ram);
	/* Read at other instants: while pages come and go their sum is not quite that. */
	usage->resident = hvmm_ram_resident(&vm->mem.ram);
	usage->swapped = hvmm_ram_swapped(&vm->mem.ram);
	usage->tables = hvmm_mem_table_bytes(&vm->mem);
	usage->vcpus = (u64)vm->nr_vcpus * (hvmm_arch_vcpu_bytes() + sizeof(*vm->irq.lapics));
	usage->devices = hvmm_platform_bytes(vm);
	usage->group = hvmm_group_size();
	usage->vm = struct_size(vm, vcpus, vm->nr_vcpus) + vm->config_len +
		    hvmm_dirty_bytes(&vm->mem);
	usage->kernel = usage->tables + usage->vcpus + usage->devices + usage->group + usage->vm;
	usage->total = usage->resident + usage->kernel;
}
