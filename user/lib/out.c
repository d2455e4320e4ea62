// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cputext.h"
#include "error.h"
#include "out.h"
#include "units.h"

#define DEPTH_MAX   8
#define COLUMNS_MAX 64

struct cell {
	char *text;
	bool right; /* numbers are aligned to the right */
};

/* A table is kept until its end, when the columns' widths are known. */
struct table {
	char *head[COLUMNS_MAX];
	int columns;
	struct cell *cells; /* rows of @columns cells */
	size_t rows;
	int at; /* column of the next value */
};

struct hv_out {
	FILE *file;
	bool json;
	bool compact;
	bool first;	      /* nothing yet in the innermost block */
	bool list[DEPTH_MAX]; /* which of the open blocks are lists */
	int depth;
	struct table table;
	bool in_table;
	bool blank; /* a line was printed: a heading wants an empty line */
};

static void *need(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(HV_EXIT_USAGE);
	}
	return p;
}

struct hv_out *hv_out_open(FILE *file, bool json)
{
	struct hv_out *out = need(calloc(1, sizeof(*out)));

	out->file = file;
	out->json = json;
	out->first = true;
	return out;
}

bool hv_out_is_json(const struct hv_out *out)
{
	return out->json;
}

bool hv_out_in_table(const struct hv_out *out)
{
	return out->in_table;
}

void hv_out_compact(struct hv_out *out)
{
	out->compact = true;
}

static void json_string(FILE *file, const char *s)
{
	putc('"', file);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\u%04x", c);
		else
			putc(c, file);
	}
	putc('"', file);
}

static void json_lead(struct hv_out *out, const char *key)
{
	if (!out->first)
		putc(',', out->file);
	if (out->depth && !out->compact)
		fprintf(out->file, "\n%*s", out->depth * 2, "");
	else if (!out->first)
		putc(' ', out->file);
	out->first = false;
	if (key) {
		json_string(out->file, key);
		fputs(": ", out->file);
	}
}

static void enter(struct hv_out *out, bool list)
{
	if (out->depth == DEPTH_MAX)
		abort();
	out->list[out->depth++] = list;
	out->first = true;
}

static void leave(struct hv_out *out, char bracket)
{
	out->depth--;
	if (!out->json)
		return;
	if (!out->first && !out->compact)
		fprintf(out->file, "\n%*s", out->depth * 2, "");
	putc(bracket, out->file);
	out->first = false;
}

static void heading(struct hv_out *out, const char *key)
{
	if (!key)
		return;
	if (out->blank)
		putc('\n', out->file);
	fprintf(out->file, "%s:\n", key);
	out->blank = true;
}

void hv_out_object(struct hv_out *out, const char *key)
{
	bool row = !out->json && out->depth && out->list[out->depth - 1];

	if (out->json) {
		json_lead(out, key);
		putc('{', out->file);
	} else if (row) {
		out->table.at = 0;
		out->table.rows++;
	} else {
		heading(out, key);
	}
	enter(out, false);
}

void hv_out_object_end(struct hv_out *out)
{
	leave(out, '}');
}

void hv_out_list(struct hv_out *out, const char *key)
{
	if (out->json) {
		json_lead(out, key);
		putc('[', out->file);
	} else {
		heading(out, key);
		memset(&out->table, 0, sizeof(out->table));
		out->in_table = true;
	}
	enter(out, true);
}

static void table_print(struct hv_out *out)
{
	struct table *t = &out->table;
	size_t width[COLUMNS_MAX], row;
	int i;

	for (i = 0; i < t->columns; i++) {
		width[i] = strlen(t->head[i]);
		for (row = 0; row < t->rows; row++) {
			const char *text = t->cells[row * COLUMNS_MAX + (size_t)i].text;

			if (text && strlen(text) > width[i])
				width[i] = strlen(text);
		}
	}
	for (row = 0; row <= t->rows; row++) {
		for (i = 0; i < t->columns; i++) {
			const struct cell *c = row ? &t->cells[(row - 1) * COLUMNS_MAX + (size_t)i]
						   : NULL;
			/* The head is aligned as the first row is. */
			bool right = t->rows && t->cells[i].right;
			const char *text = c ? c->text : t->head[i];
			int w = (int)width[i];

			if (!text)
				text = "-";
			if (i)
				fputs("  ", out->file);
			if (right)
				fprintf(out->file, "%*s", w, text);
			else if (i == t->columns - 1)
				fputs(text, out->file);
			else
				fprintf(out->file, "%-*s", w, text);
		}
		putc('\n', out->file);
		if (!t->columns)
			break;
	}
	out->blank = true;
}

void hv_out_list_end(struct hv_out *out)
{
	struct table *t = &out->table;
	size_t i;

	leave(out, ']');
	if (out->json)
		return;
	if (t->rows)
		table_print(out);
	for (i = 0; i < t->rows * COLUMNS_MAX; i++)
		free(t->cells[i].text);
	for (i = 0; i < (size_t)t->columns; i++)
		free(t->head[i]);
	free(t->cells);
	out->in_table = false;
}

static void table_cell(struct hv_out *out, const char *key, const char *text, bool right)
{
	struct table *t = &out->table;
	struct cell *c;

	if (t->at == COLUMNS_MAX)
		abort();
	if (t->rows == 1) {
		char *p;

		t->head[t->at] = need(strdup(key));
		for (p = t->head[t->at]; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
		t->columns = t->at + 1;
	}
	if (!t->at) {
		t->cells = need(reallocarray(t->cells, t->rows * COLUMNS_MAX, sizeof(*c)));
		memset(&t->cells[(t->rows - 1) * COLUMNS_MAX], 0, COLUMNS_MAX * sizeof(*c));
	}
	c = &t->cells[(t->rows - 1) * COLUMNS_MAX + (size_t)t->at++];
	c->text = need(strdup(text));
	c->right = right;
}

static void text_value(struct hv_out *out, const char *key, const char *text, bool right)
{
	if (out->in_table) {
		table_cell(out, key, text, right);
		return;
	}
	fprintf(out->file, "%*s%-16s %s\n", out->depth > 1 ? 2 : 0, "", key, text);
	out->blank = true;
}

void hv_out_number(struct hv_out *out, const char *key, uint64_t value, enum hv_out_as as)
{
	char buf[HV_CPU_TEXT];

	if (out->json) {
		json_lead(out, key);
		fprintf(out->file, "%" PRIu64, value);
		return;
	}
	switch (as) {
	case HV_AS_SIZE:
		hv_format_size(buf, value);
		break;
	case HV_AS_EXACT_SIZE:
		hv_format_exact_size(buf, value);
		break;
	case HV_AS_TIME:
		hv_format_time(buf, value);
		break;
	case HV_AS_SPAN:
		hv_format_span(buf, value);
		break;
	case HV_AS_CPU_SHARE:
		hv_format_cpu_share(buf, value);
		break;
	default:
		snprintf(buf, sizeof(buf), "%" PRIu64, value);
	}
	text_value(out, key, buf, true);
}

void hv_out_text(struct hv_out *out, const char *key, const char *value)
{
	if (out->json) {
		json_lead(out, key);
		json_string(out->file, value);
		return;
	}
	text_value(out, key, value, false);
}

void hv_out_bool(struct hv_out *out, const char *key, bool value)
{
	if (out->json) {
		json_lead(out, key);
		fputs(value ? "true" : "false", out->file);
		return;
	}
	text_value(out, key, value ? "yes" : "no", false);
}

void hv_out_none(struct hv_out *out, const char *key)
{
	if (out->json) {
		json_lead(out, key);
		fputs("null", out->file);
		return;
	}
	text_value(out, key, "-", true);
}

void hv_out_close(struct hv_out *out)
{
	if (out->json)
		putc('\n', out->file);
	fflush(out->file);
	free(out);
}
