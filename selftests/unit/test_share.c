// SPDX-License-Identifier: GPL-2.0
/* The host's share of a pCPU, as a nice level: run/share.c. */
#include "run/share.h"
#include "tap.h"

/* Weights of nice levels as the host's scheduler has them; the level is worth this. */
static const struct {
	int nice;
	unsigned int weight;
} known[] = {
	{ -20, 88761 }, { -15, 29154 }, { -10, 9548 }, { -5, 3121 }, { -1, 1277 },
	{ 0, 1024 },	{ 5, 335 },	{ 10, 110 },   { 15, 36 },   { 19, 15 },
};

static const struct {
	unsigned int ppm;
	int nice;
} asked[] = {
	{ 10000, -20 }, { 100000, -10 }, { 200000, -6 }, { 250000, -5 },
	{ 500000, 0 },	{ 750000, 5 },	 { 900000, 10 },
};

int main(void)
{
	unsigned int i, share, ideal, ppm;
	bool monotone = true, nearest = true, whole = true;
	int nice, n, off;

	tap_plan(10 + 7 + 4);
	for (i = 0; i < 10; i++) {
		ideal = 1024ULL * 1000000 / (1024 + known[i].weight);
		off = (int)hvmm_share_of_nice(known[i].nice) - (int)ideal;
		/* The host rounds its weights, at the far end to 7 %. */
		tap_ok(off <= 2000 && off >= -2000, "share of nice %d is %u, the host's %u",
		       known[i].nice, hvmm_share_of_nice(known[i].nice), ideal);
	}
	for (i = 0; i < 7; i++)
		tap_ok(hvmm_share_nice(asked[i].ppm) == asked[i].nice, "share %u ppm is nice %d",
		       asked[i].ppm, hvmm_share_nice(asked[i].ppm));
	for (nice = -20; nice < 19; nice++)
		monotone = monotone && hvmm_share_of_nice(nice) < hvmm_share_of_nice(nice + 1);
	tap_ok(monotone, "a higher level leaves more");
	for (nice = -20; nice <= 19; nice++)
		whole = whole && hvmm_share_nice(hvmm_share_of_nice(nice)) == nice;
	tap_ok(whole, "a level's own share gives the level");
	for (ppm = 0; ppm <= 1000000; ppm += 997) {
		nice = hvmm_share_nice(ppm);
		share = abs((int)hvmm_share_of_nice(nice) - (int)ppm);
		for (n = -20; n <= 19; n++)
			nearest = nearest &&
				  share <= (unsigned int)abs((int)hvmm_share_of_nice(n) - (int)ppm);
	}
	tap_ok(nearest, "no level is nearer");
	tap_ok(hvmm_share_nice(0) == -20 && hvmm_share_nice(1000000) == 19 &&
	       hvmm_share_nice(HVMM_HOST_SHARE_DEFAULT) == -10, "the ends, and the default");
	return tap_done();
}
