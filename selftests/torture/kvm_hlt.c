// SPDX-License-Identifier: GPL-2.0
/*
 * What an emulated processor does with HLT in a guest, where HLT is not intercepted and the
 * guest's interrupts are off: an interrupt of the host must end it. Not hvmm is tested, which
 * intercepts HLT, but the emulator (selftests/hosts/bochs.patch), by KVM. Usage: kvm_hlt
 *
 * Ends with 0 if the host's timer got the vCPU's thread out of the guest. Where it does not,
 * the pCPU is lost, and with it a host that has no other.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/kvm.h>

#define CODE	 0x1000
#define HALF	 500000
#define TSS	 0xfffbd000UL
#define REQUIRED ((__u64)KVM_X86_DISABLE_EXITS_HLT)

/* cli; 1: hlt; jmp 1b. After an exit that ended HLT the guest may go on behind it. */
static const unsigned char code[] = { 0xfa, 0xf4, 0xeb, 0xfd };

static void on_alarm(int sig)
{
}

static int checked(int ret, const char *what)
{
	if (ret < 0)
		err(2, "%s", what);
	return ret;
}

int main(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_DISABLE_EXITS, .args = { REQUIRED } };
	struct kvm_userspace_memory_region region = { .memory_size = 0x10000 };
	struct itimerval timer = { .it_value.tv_usec = HALF };
	struct sigaction action = { .sa_handler = on_alarm };
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;
	int kvm, vm, vcpu;
	char *ram;

	kvm = checked(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	checked(ioctl(vm, KVM_SET_TSS_ADDR, TSS), "KVM_SET_TSS_ADDR");
	checked(ioctl(vm, KVM_ENABLE_CAP, &cap), "KVM_CAP_X86_DISABLE_EXITS");
	ram = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		   -1, 0);
	if (ram == MAP_FAILED)
		err(2, "RAM");
	memcpy(ram + CODE, code, sizeof(code));
	region.userspace_addr = (unsigned long)ram;
	checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	run = mmap(NULL, checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		err(2, "struct kvm_run");
	checked(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	checked(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	checked(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	checked(sigaction(SIGALRM, &action, NULL), "sigaction");
	checked(setitimer(ITIMER_REAL, &timer, NULL), "setitimer");
	if (ioctl(vcpu, KVM_RUN, 0) >= 0 || errno != EINTR)
		errx(1, "HLT has ended by something else: exit %u", run->exit_reason);
	checked(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	printf("out of the guest, RIP %#llx\n", regs.rip);
	return regs.rip > CODE && regs.rip < CODE + sizeof(code) ? 0 : 1;
}
