/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVADM_SESSION_H
#define HVADM_SESSION_H

#include <argp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "script.h"

/**
 * enum session_end - why a session at a console ended
 * @SESSION_LEFT: the user left (Ctrl-])
 * @SESSION_DONE: the script is through
 * @SESSION_HANGUP: the console is gone
 * @SESSION_TIMEOUT: time is up
 * @SESSION_WATCH: the watcher said so
 * @SESSION_SIGNAL: interrupted or terminated
 * @SESSION_ERROR: I/O error
 */
enum session_end {
	SESSION_LEFT,
	SESSION_DONE,
	SESSION_HANGUP,
	SESSION_TIMEOUT,
	SESSION_WATCH,
	SESSION_SIGNAL,
	SESSION_ERROR,
};

#define WATCH_MAX 2

/**
 * struct session - stdin and stdout, or a script, connected to a console
 * @tty: the console's file descriptor
 * @script: what is waited for and typed; with a script, stdin is left alone
 * @go_on: when the script is through, stay until something else ends the session
 * @stopped: nothing new is to come: end when the console has said what it has to say
 * @timeout: ns, 0 for none
 * @watch: file descriptors to be watched, -1 for none
 * @watcher: called when one of them is readable; true ends the session
 * @arg: for @watcher
 * @through: set when the script is through, or there is none
 */
struct session {
	int tty;
	struct hv_script script;
	bool go_on;
	bool stopped;
	uint64_t timeout;
	int watch[WATCH_MAX];
	bool (*watcher)(void *arg, int fd);
	void *arg;
	bool through;
};

/* To be used as a child parser; its input is a struct session. */
extern const struct argp session_argp;

void session_init(struct session *s);

/**
 * session_open - open a VM's console
 * @s: the session; @tty is filled
 * @line: number of the console
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int session_open(struct session *s, int line, struct hv_error *err);

/**
 * session_run - until something ends it
 * @s: the session
 * @err: filled with what %SESSION_ERROR is about
 *
 * Return: what ended it. What the console had to say until then has been printed.
 */
enum session_end session_run(struct session *s, struct hv_error *err);

#endif
