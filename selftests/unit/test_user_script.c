// SPDX-License-Identifier: GPL-2.0
/* Scripts at a console: what is matched, in which order, and how much output they bear. */
#include <string.h>

#include "script.h"
#include "tap.h"

static struct hv_script s;

static void start(void)
{
	memset(&s, 0, sizeof(s));
}

static void expect(const char *text)
{
	hv_script_add(&s, false, text);
}

static void send(const char *text)
{
	hv_script_add(&s, true, text);
}

static void see(const char *text)
{
	hv_script_see(&s, text, strlen(text));
}

static bool sends(const char *text)
{
	const struct hv_step *step = hv_script_send(&s);

	return step && step->len == strlen(text) && !memcmp(step->text, text, step->len);
}

static bool through(void)
{
	return s.at == s.nr;
}

static void texts(void)
{
	char text[HV_MATCH_MAX + 2];

	start();
	expect("a\\n\\r\\t\\e\\\\\\x41b");
	tap_ok(s.step[0].len == 8 && !memcmp(s.step[0].text, "a\n\r\t\033\\Ab", 8), "escapes");
	tap_ok(!hv_script_add(&s, false, "") && !hv_script_add(&s, false, "\\q") &&
	       !hv_script_add(&s, false, "\\") && !hv_script_add(&s, false, "\\x4") &&
	       s.nr == 1,
	       "no text, unknown and cut off escapes are refused");
	memset(text, 'x', sizeof(text));
	text[HV_MATCH_MAX + 1] = 0;
	tap_ok(!hv_script_add(&s, false, text), "a text that is too long is refused");
	text[HV_MATCH_MAX] = 0;
	tap_ok(hv_script_add(&s, false, text), "the longest text");
}

static void order(void)
{
	start();
	expect("login: ");
	send("root\n");
	expect("# ");
	tap_ok(!hv_script_send(&s), "nothing is typed before its time");
	see("# log");
	see("in: ");
	tap_ok(sends("root\n") && !hv_script_send(&s) && !through(),
	       "a match over two pieces; what came before it is gone");
	see("# ");
	tap_ok(through(), "and through");

	start();
	expect("a");
	expect("b");
	see("b");
	see("ba");
	tap_ok(!through(), "steps are matched in their order");
	see("b");
	tap_ok(through(), "each once");

	start();
	send("a");
	expect("x");
	see("x");
	tap_ok(sends("a") && through(), "what came while a text waits to be typed counts");
}

/* While a text cannot be typed the console goes on printing. */
static void backlog(void)
{
	char text[HV_MATCH_MAX + 1], piece[700];
	size_t i;

	memset(piece, '.', sizeof(piece));
	start();
	send("a");
	send("b");
	expect("end");
	for (i = 0; i < 10; i++) {
		hv_script_see(&s, piece, sizeof(piece));
		if (i == 4)
			sends("a");
	}
	see("end");
	tap_ok(sends("b") && through(), "a backlog before a text that is not yet typed");

	/* The longest text, cut at each place, behind more output than is kept. */
	memset(text, 'x', HV_MATCH_MAX);
	text[HV_MATCH_MAX] = 0;
	for (i = 0; i <= HV_MATCH_MAX; i++) {
		start();
		expect(text);
		hv_script_see(&s, piece, sizeof(piece));
		hv_script_see(&s, piece, sizeof(piece));
		hv_script_see(&s, text, i);
		hv_script_see(&s, text + i, HV_MATCH_MAX - i);
		if (!through())
			break;
	}
	tap_ok(i > HV_MATCH_MAX, "the longest text in two pieces, cut anywhere");
}

static void big(void)
{
	static char text[10 * HV_SEEN_NEW];

	memset(text, '.', sizeof(text));
	memcpy(text + 1000, "first", 5);
	memcpy(text + 7 * HV_SEEN_NEW - 3, "second", 6);
	start();
	expect("first");
	expect("second");
	hv_script_see(&s, text, sizeof(text));
	tap_ok(through(), "matches anywhere in a piece of any size");
}

int main(void)
{
	tap_plan(13);
	texts();
	order();
	backlog();
	big();
	return tap_done();
}
