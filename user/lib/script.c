// SPDX-License-Identifier: GPL-2.0
/* What is waited for at a console, and what is typed there. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

static bool resolve(const char *from, struct hv_step *step)
{
	char hex[3];

	step->len = 0;
	while (*from) {
		char c = *from++;

		if (c == '\\') {
			switch (*from++) {
			case 'n':
				c = '\n';
				break;
			case 'r':
				c = '\r';
				break;
			case 't':
				c = '\t';
				break;
			case 'e':
				c = 0x1b;
				break;
			case '\\':
				break;
			case 'x':
				if (!isxdigit((unsigned char)from[0]) ||
				    !isxdigit((unsigned char)from[1]))
					return false;
				memcpy(hex, from, 2);
				hex[2] = 0;
				c = (char)strtoul(hex, NULL, 16);
				from += 2;
				break;
			default:
				return false;
			}
		}
		if (step->len == HV_MATCH_MAX)
			return false;
		step->text[step->len++] = c;
	}
	return step->len;
}

bool hv_script_add(struct hv_script *script, bool send, const char *text)
{
	struct hv_step *step = &script->step[script->nr];

	step->send = send;
	if (!resolve(text, step))
		return false;
	script->nr++;
	return true;
}

static void drop(struct hv_script *script, size_t len)
{
	script->seen_len -= len;
	memmove(script->seen, script->seen + len, script->seen_len);
}

/* As many steps as are possible without typing. */
static void match(struct hv_script *script)
{
	while (script->at < script->nr && !script->step[script->at].send) {
		const struct hv_step *step = &script->step[script->at];
		const char *found = memmem(script->seen, script->seen_len, step->text, step->len);

		if (!found)
			return;
		drop(script, (size_t)(found - script->seen) + step->len);
		script->at++;
	}
}

void hv_script_see(struct hv_script *script, const char *text, size_t len)
{
	while (len) {
		size_t n = len < HV_SEEN_NEW ? len : HV_SEEN_NEW;
		size_t room = sizeof(script->seen) - script->seen_len;

		if (n > room)
			drop(script, n - room);
		memcpy(script->seen + script->seen_len, text, n);
		script->seen_len += n;
		text += n;
		len -= n;
		match(script);
	}
}

const struct hv_step *hv_script_send(struct hv_script *script)
{
	const struct hv_step *step;

	match(script);
	step = &script->step[script->at];
	if (script->at == script->nr || !step->send)
		return NULL;
	script->at++;
	match(script);
	return step;
}
