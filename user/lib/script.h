/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_SCRIPT_H
#define HV_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define HV_STEPS_MAX 64
#define HV_MATCH_MAX 256
/* Room for new output: what is older is kept as far as a match may begin in it. */
#define HV_SEEN_NEW 1024

/**
 * struct hv_step - one thing that a script does at a console
 * @send: type @text, else wait for it
 * @text: the text, escapes resolved
 * @len: its length
 */
struct hv_step {
	bool send;
	char text[HV_MATCH_MAX];
	size_t len;
};

/**
 * struct hv_script - steps, and how far they have been taken
 * @step: the steps
 * @nr: how many
 * @at: the present one, @nr when the script is through
 * @seen: the newest output that has not been matched
 * @seen_len: its length
 */
struct hv_script {
	struct hv_step step[HV_STEPS_MAX];
	unsigned int nr, at;
	char seen[2 * HV_MATCH_MAX + HV_SEEN_NEW];
	size_t seen_len;
};

/**
 * hv_script_add - add a step
 * @script: the script, with less than %HV_STEPS_MAX of them
 * @send: type, else wait for
 * @text: what; \n \r \t \e \\ and \xNN are known
 *
 * Return: whether that is 1 to %HV_MATCH_MAX characters.
 */
bool hv_script_add(struct hv_script *script, bool send, const char *text);

/* The console has printed something. Output that a step has matched is gone for the next. */
void hv_script_see(struct hv_script *script, const char *text, size_t len);

/**
 * hv_script_send - take the present step if it is one that types
 * @script: the script
 *
 * Return: what is to be typed, or %NULL.
 */
const struct hv_step *hv_script_send(struct hv_script *script);

#endif
