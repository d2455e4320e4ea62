# SPDX-License-Identifier: GPL-2.0
#
# make             the module, the tools and the tests, into build/
# make demo        a Linux guest under hvmm on an emulated AMD host
# make check       the tests, on emulated hosts; check-full: with those that take long
# make help        all targets and variables

MAKEFLAGS += --no-print-directory
# O and others mean something else to the kernel's Makefile: what a sub-make
# needs is passed to it by name or in the environment.
MAKEOVERRIDES :=
unexport O W

BUILD := $(abspath $(or $(O),build))
# Headers of the kernel that the module is built for.
KERNELDIR ?= $(firstword $(wildcard /lib/modules/$(HEADERS_RELEASE)/build) \
	/usr/src/linux-headers-$(HEADERS_RELEASE))
HEADERS_RELEASE = $(shell . scripts/lib/cache.sh && headers_release)
CACHE = $(shell . scripts/lib/cache.sh && echo "$$cache")
DESTDIR ?=
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

Q := $(if $(filter 1,$(V)),,@)
# Where the module's sources are mirrored and built: kmod/ stays clean.
KMOD_BUILD ?= $(BUILD)/kmod
FLOOR_BUILD := $(BUILD)/selftests/bench-floor

export KERNELDIR DESTDIR PREFIX JOBS
ifdef V
export V
endif
# hosts/run and the check scripts find what was built by it.
export HVMM_BUILD := $(BUILD)

all: module user selftests

# Kbuild puts its output beside the sources (building elsewhere came with 6.13):
# it sees a mirror of the sources made of symbolic links. Links to removed files go, and those
# to another tree, whose build/ was copied.
mirror = $(Q)mkdir -p $2 && find $2 -xtype l -delete && cp -rsf $(CURDIR)/$1/. $2/

stage:
	$(call mirror,kmod,$(KMOD_BUILD))
	$(Q)ln -sfn $(CURDIR)/include/uapi $(KMOD_BUILD)/uapi

# One build at a time in a folder.
kbuild = +$(Q)flock $(KMOD_BUILD).lock $(MAKE) -j$(JOBS) -C $(KERNELDIR) M=$(KMOD_BUILD) \
	W=$(or $(W),1) $(if $(V),V=$(V)) $(if $(filter 1,$(DEBUG)),HVMM_DEBUG=y) $(KBUILD_ARGS)

module: stage
	$(Q)test -e $(KERNELDIR)/Makefile || \
		{ echo "no kernel headers in '$(KERNELDIR)': run scripts/setup, or set KERNELDIR" >&2; exit 1; }
	$(kbuild) modules

# Against the newest kernel that Debian 12 can get; see scripts/setup.
module-7.3:
	$(Q)scripts/setup -q 7.3
	$(Q)$(MAKE) module O=$(BUILD) KMOD_BUILD=$(BUILD)/kmod-7.3 \
		KERNELDIR=$(CACHE)/headers-7.3/build

# The least that an exit can cost, for "make bench".
floor:
	$(call mirror,selftests/bench/floor,$(FLOOR_BUILD))
	$(Q)flock $(FLOOR_BUILD).lock $(MAKE) -j$(JOBS) -C $(KERNELDIR) M=$(FLOOR_BUILD) W=1 modules

user:
	$(if $(wildcard user/Makefile),$(Q)$(MAKE) -j$(JOBS) -C user BUILD=$(BUILD)/user)

# The benches load guests with the library of the tools.
selftests: user floor
	$(if $(wildcard selftests/guests/Makefile),$(Q)$(MAKE) -j$(JOBS) -C selftests/guests \
		BUILD=$(BUILD)/selftests/guests)
	$(Q)$(MAKE) -j$(JOBS) -C selftests/bench BUILD=$(BUILD)/selftests/bench \
		USER_BUILD=$(BUILD)/user
	$(Q)$(MAKE) -j$(JOBS) -C selftests/torture BUILD=$(BUILD)/selftests/torture
	$(if $(wildcard selftests/*.c),$(Q)$(MAKE) -j$(JOBS) -C selftests BUILD=$(BUILD)/selftests)

unit:
	$(Q)$(MAKE) -C selftests/unit BUILD=$(BUILD)/selftests/unit O=$(BUILD)/selftests/unit check

setup:
	$(Q)scripts/setup -q

demo: setup
	$(Q)$(MAKE) all O=$(BUILD)
	$(Q)scripts/demo

check check-fast check-full: setup
	$(Q)$(MAKE) all O=$(BUILD)
	$(Q)scripts/check $(patsubst check-%,--%,$(filter check-%,$@))

bench bench-check: setup
	$(Q)$(MAKE) all O=$(BUILD)
	$(Q)scripts/bench --full $(if $(filter bench-check,$@),--check)

shell: setup
	$(Q)$(MAKE) all O=$(BUILD)
	$(Q)selftests/hosts/run --interactive

# The formatted sources are those that "style" checks with clang-format.
format:
	$(Q)git ls-files -co --exclude-standard 'user/*.[ch]' | xargs -r clang-format -i

style:
	$(Q)scripts/style

install: user modules_install
	$(if $(wildcard user/Makefile),$(Q)$(MAKE) -C user BUILD=$(BUILD)/user \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install)

modules_install: module
	$(kbuild) INSTALL_MOD_PATH=$(DESTDIR) modules_install

clean:
	$(Q)rm -rf $(BUILD)

define HELP
Targets:
  all              module, user, selftests (the default)
  module           build/kmod/hvmm.ko for the kernel of KERNELDIR
  module-7.3       build/kmod-7.3/hvmm.ko
  user             hvadm and hvdm
  selftests        test programs and bare guests
  unit             run the userspace tests
  demo             boot a Linux guest on an emulated AMD host; HOST=bochs: on an Intel host
                   in Bochs, or its MODEL=tigerlake (Intel) or ryzen (AMD)
  check            the tests; check-fast: those that take under 5 minutes;
                   check-full: with those that take too long for every change
  bench            hvmm beside KVM in instructions: a table, and build/bench.json; minutes
  bench-check      fail where hvmm has become worse than the committed figures
  style            checkpatch, sparse, clang-format, layers
  format           clang-format user/
  shell            a root shell on an emulated host
  install          module and tools; modules_install: the module alone
  setup            install and fetch what all this needs
  clean            remove build/
Variables: V=1, O=DIR (output instead of build/), KERNELDIR, DESTDIR,
  PREFIX, JOBS, W (kbuild's warning level, 1), DEBUG=1 (the module checks the
  guest's state as the processor would before each entry, and lets policies be taken out)
endef

help:
	$(info $(HELP))@:

.PHONY: all stage module module-7.3 floor user selftests unit setup demo check \
	check-fast check-full bench bench-check shell style format install modules_install clean help
