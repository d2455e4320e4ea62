// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "util.h"

#define HEADING "hvmm-boot 1"

static const char *const formats[] = {
	[HV_FORMAT_AUTO] = "auto",
	[HV_FORMAT_LINUX] = "linux",
	[HV_FORMAT_PVH] = "pvh",
	[HV_FORMAT_MULTIBOOT] = "multiboot",
};

static const char *const on_reset[] = {
	[HV_ON_RESET_STOP] = "stop",
	[HV_ON_RESET_RESTART] = "restart",
};

void hv_config_free(struct hv_config *config)
{
	unsigned int i;

	free(config->kernel);
	free(config->cmdline);
	for (i = 0; i < config->nr_initrds; i++)
		free(config->initrd[i]);
	for (i = 0; i < config->nr_modules; i++) {
		free(config->module[i].file);
		free(config->module[i].args);
	}
	memset(config, 0, sizeof(*config));
}

static int copy_text(char **to, const char *text, const char *what, struct hv_error *err)
{
	char *copy;

	if (strpbrk(text, "\n\r"))
		return hv_fail(err, "%s: must not have a line break", what);
	copy = strdup(text);
	if (!copy)
		return hv_fail(err, "out of memory");
	free(*to);
	*to = copy;
	return 0;
}

static int copy_path(char **to, const char *file, const char *what, struct hv_error *err)
{
	char *path, folder[PATH_MAX];
	int ret;

	if (access(file, F_OK) < 0 || (*file != '/' && !getcwd(folder, sizeof(folder))))
		return hv_fail(err, "%s %s: %s", what, file, strerror(errno));
	/* Links are followed when it is loaded, as they are then. */
	if (*file == '/')
		return copy_text(to, file, what, err);
	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return hv_fail(err, "out of memory");
	ret = copy_text(to, path, what, err);
	free(path);
	return ret;
}

static int choose(const char *const *names, size_t nr, const char *name, const char *what,
		  struct hv_error *err)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return hv_fail(err, "%s '%s' is not known", what, name);
}

int hv_config_set_kernel(struct hv_config *config, const char *file, struct hv_error *err)
{
	return copy_path(&config->kernel, file, "kernel", err);
}

int hv_config_set_cmdline(struct hv_config *config, const char *text, struct hv_error *err)
{
	return copy_text(&config->cmdline, text, "command line", err);
}

static char **new_initrd(struct hv_config *config, struct hv_error *err)
{
	if (config->nr_initrds == HV_INITRDS_MAX) {
		hv_fail(err, "more than %u initrds", HV_INITRDS_MAX);
		return NULL;
	}
	return &config->initrd[config->nr_initrds];
}

int hv_config_add_initrd(struct hv_config *config, const char *file, struct hv_error *err)
{
	char **initrd = new_initrd(config, err);

	if (!initrd || copy_path(initrd, file, "initrd", err))
		return -1;
	config->nr_initrds++;
	return 0;
}

static struct hv_module *new_module(struct hv_config *config, struct hv_error *err)
{
	if (config->nr_modules == HV_MODULES_MAX) {
		hv_fail(err, "more than %u modules", HV_MODULES_MAX);
		return NULL;
	}
	return &config->module[config->nr_modules];
}

int hv_config_add_module(struct hv_config *config, const char *text, struct hv_error *err)
{
	struct hv_module *module = new_module(config, err);
	const char *colon = strchr(text, ':');
	char *file;
	int ret;

	if (!module)
		return -1;
	file = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	if (!file)
		return hv_fail(err, "out of memory");
	ret = copy_path(&module->file, file, "module", err);
	free(file);
	if (!ret)
		ret = copy_text(&module->args, colon ? colon + 1 : "", "module's arguments", err);
	if (ret) {
		free(module->file);
		module->file = NULL;
		return -1;
	}
	config->nr_modules++;
	return 0;
}

int hv_config_set_format(struct hv_config *config, const char *name, struct hv_error *err)
{
	int i = choose(formats, ARRAY_SIZE(formats), name, "format", err);

	if (i < 0)
		return -1;
	config->format = (enum hv_format)i;
	return 0;
}

int hv_config_set_on_reset(struct hv_config *config, const char *name, struct hv_error *err)
{
	int i = choose(on_reset, ARRAY_SIZE(on_reset), name, "on-reset", err);

	if (i < 0)
		return -1;
	config->on_reset = (enum hv_on_reset)i;
	return 0;
}

struct text {
	char *buf;
	size_t len;
};

static void line(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Counts on when the buffer is full; the caller looks at the sum. */
static void line(struct text *t, const char *fmt, ...)
{
	size_t room = t->len < HV_CONFIG_MAX ? HV_CONFIG_MAX - t->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? t->buf + t->len : NULL, room, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

int hv_config_write(const struct hv_config *config, char *buf, size_t *len, struct hv_error *err)
{
	struct text t = { buf, 0 };
	unsigned int i;

	line(&t, HEADING "\n");
	if (config->kernel)
		line(&t, "kernel=%s\n", config->kernel);
	if (config->format)
		line(&t, "format=%s\n", formats[config->format]);
	if (config->cmdline)
		line(&t, "cmdline=%s\n", config->cmdline);
	for (i = 0; i < config->nr_initrds; i++)
		line(&t, "initrd=%s\n", config->initrd[i]);
	for (i = 0; i < config->nr_modules; i++) {
		line(&t, "module=%s\n", config->module[i].file);
		if (*config->module[i].args)
			line(&t, "module-args=%s\n", config->module[i].args);
	}
	if (config->testdev)
		line(&t, "testdev=yes\n");
	if (config->on_reset)
		line(&t, "on-reset=%s\n", on_reset[config->on_reset]);
	/* vsnprintf() has put a NUL behind the text. */
	if (t.len >= HV_CONFIG_MAX)
		return hv_fail(err,
			       "paths and command lines are too long: %zu bytes, %u are possible",
			       t.len, HV_CONFIG_MAX - 1);
	*len = t.len;
	return 0;
}

static int read_line(struct hv_config *config, const char *key, const char *value,
		     struct hv_error *err)
{
	struct hv_module *module;
	char **initrd;

	if (!strcmp(key, "kernel"))
		return copy_text(&config->kernel, value, key, err);
	if (!strcmp(key, "format"))
		return hv_config_set_format(config, value, err);
	if (!strcmp(key, "cmdline"))
		return copy_text(&config->cmdline, value, key, err);
	if (!strcmp(key, "on-reset"))
		return hv_config_set_on_reset(config, value, err);
	if (!strcmp(key, "testdev")) {
		config->testdev = !strcmp(value, "yes");
		return 0;
	}
	if (!strcmp(key, "initrd")) {
		initrd = new_initrd(config, err);
		if (!initrd || copy_text(initrd, value, key, err))
			return -1;
		config->nr_initrds++;
		return 0;
	}
	if (!strcmp(key, "module")) {
		module = new_module(config, err);
		if (!module || copy_text(&module->file, value, key, err))
			return -1;
		config->nr_modules++;
		return copy_text(&module->args, "", key, err);
	}
	if (!strcmp(key, "module-args") && config->nr_modules)
		return copy_text(&config->module[config->nr_modules - 1].args, value, key, err);
	return hv_fail(err, "the VM's configuration has '%s', which this hvadm does not know", key);
}

int hv_config_read(struct hv_config *config, const char *text, size_t len, struct hv_error *err)
{
	char *copy, *p, *end, *value;
	int ret = 0;

	memset(config, 0, sizeof(*config));
	if (len > HV_CONFIG_MAX || memchr(text, 0, len))
		return hv_fail(err, "the VM's configuration is not text of hvadm's");
	copy = strndup(text, len);
	if (!copy)
		return hv_fail(err, "out of memory");
	p = copy;
	if (strncmp(p, HEADING "\n", sizeof(HEADING))) {
		free(copy);
		return hv_fail(err, "the VM was not created by this kind of hvadm");
	}
	for (p += sizeof(HEADING); *p && !ret; p = end + 1) {
		end = strchr(p, '\n');
		value = strchr(p, '=');
		if (!end || !value || value > end) {
			ret = hv_fail(err, "the VM's configuration is damaged");
			break;
		}
		*end = 0;
		*value++ = 0;
		ret = read_line(config, p, value, err);
	}
	free(copy);
	return ret;
}
