// SPDX-License-Identifier: GPL-2.0
/*
 * The Bochs host's way out: standard input to port 0xe9, whose bytes Bochs writes
 * to its standard output at once. Several of these share the port, so what they
 * send is cut into frames:
 *
 *	0x01  channel ('1' stdout, '2' stderr, '3' status)  length, 2 bytes  data
 *
 * bochs.py takes them apart. Usage: e9 CHANNEL
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT	0xe9
#define HEAD	4

static void send_frame(int lock, unsigned char *frame, unsigned int length)
{
	frame[2] = length & 0xff;
	frame[3] = length >> 8;
	/* Another process's bytes between these would break both frames. */
	while (flock(lock, LOCK_EX) && errno == EINTR)
		;
	outsb(PORT, frame, HEAD + length);
	flock(lock, LOCK_UN);
}

int main(int argc, char **argv)
{
	static unsigned char frame[HEAD + 4096];
	ssize_t n;
	int lock;

	if (argc != 2 || strlen(argv[1]) != 1) {
		fprintf(stderr, "usage: e9 CHANNEL\n");
		return 1;
	}
	lock = open("/run/e9.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || ioperm(PORT, 1, 1)) {
		perror("e9");
		return 1;
	}
	frame[0] = 1;
	frame[1] = argv[1][0];
	while ((n = read(0, frame + HEAD, sizeof(frame) - HEAD))) {
		if (n > 0)
			send_frame(lock, frame, n);
		else if (errno != EINTR)
			return 1;
	}
	return 0;
}
