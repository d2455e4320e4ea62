// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

int hv_file_open(struct hv_file *file, const char *name, struct hv_error *err)
{
	struct stat st;

	memset(file, 0, sizeof(*file));
	file->name = name;
	/* Not to be held up by a FIFO. */
	file->fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return hv_fail(err, "%s: %s", name, strerror(errno));
	if (fstat(file->fd, &st) < 0) {
		hv_fail(err, "%s: %s", name, strerror(errno));
		goto close;
	}
	if (!S_ISREG(st.st_mode)) {
		hv_fail(err, "%s: not a regular file", name);
		goto close;
	}
	if (!st.st_size) {
		hv_fail(err, "%s: empty file", name);
		goto close;
	}
	file->size = (uint64_t)st.st_size;
	return 0;
close:
	hv_file_close(file);
	return -1;
}

void hv_file_close(struct hv_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int hv_file_read(const struct hv_file *file, uint64_t offset, void *buf, uint64_t len,
		 const char *what, struct hv_error *err)
{
	uint8_t *to = buf;

	if (offset > file->size || len > file->size - offset)
		return hv_fail(err, "%s: truncated: %s ends beyond the file", file->name, what);
	if (file->data) {
		memcpy(to, file->data + offset, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(file->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hv_fail(err, "%s: %s", file->name, strerror(errno));
		if (!n)
			return hv_fail(err, "%s: became shorter while it was read", file->name);
		to += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}
