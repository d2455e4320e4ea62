// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/hvmm_vm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmfd.h"

#define DEVICE "/dev/hvmm"

static int open_device(struct hv_error *err)
{
	int dev = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (dev < 0)
		return hv_fail_code(err, errno == ENOENT ? HV_EXIT_NO_MODULE : HV_EXIT_REFUSED,
				    DEVICE ": %s", strerror(errno));
	return dev;
}

int hv_vmfd_lock(uint32_t id, struct hv_error *err)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = id,
		.l_len = 1,
	};
	int dev = open_device(err), ret;

	if (dev < 0)
		return -1;
	do
		ret = fcntl(dev, F_OFD_SETLKW, &lock);
	while (ret < 0 && errno == EINTR);
	if (!ret)
		return dev;
	hv_fail_code(err, HV_EXIT_REFUSED, DEVICE ": cannot lock VM %u: %s", id, strerror(errno));
	close(dev);
	return -1;
}

int hv_vmfd_open(uint32_t id, struct hv_error *err)
{
	struct hvmm_open_vm arg = { .size = sizeof(arg), .id = id };
	int dev, fd;

	dev = open_device(err);
	if (dev < 0)
		return -1;
	fd = ioctl(dev, HVMM_OPEN_VM, &arg);
	if (fd < 0)
		hv_fail_code(err, errno == ENODEV ? HV_EXIT_NO_VM : HV_EXIT_REFUSED,
			     DEVICE ": cannot open VM %u: %s", id, strerror(errno));
	close(dev);
	return fd;
}

void *hv_vmfd_map(int fd, uint64_t size, struct hv_error *err)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
			  (off_t)HVMM_VM_MMAP_RAM);

	if (base != MAP_FAILED)
		return base;
	hv_fail_code(err, HV_EXIT_REFUSED, "cannot map the VM's memory: %s", strerror(errno));
	return NULL;
}
