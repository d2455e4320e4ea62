// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "sim.h"

#define CALLS(op)	((unsigned long long)sim_calls[HVMM_OP_##op])
#define EVENTS_EACH	10000

static const char usage[] =
"Usage: sim [OPTION]...\n"
"Runs the scheduler of kmod/sched on a simulated host.\n"
"  --scenario NAME  what to run: a name of --list, or random (the default)\n"
"  --seed N         where chance begins (from the clock)\n"
"  --events N       random: events in all (1000000), over scenarios of 10000 each\n"
"  --seconds N      random: no new scenario after so long\n"
"  --cpus N --domains N --vms N --units N\n"
"                   random: so many instead of what the seed says\n"
"  --break NAME     with a bug in a policy or elsewhere: the scenario should fail\n"
"  --trace FILE     write what the scheduler was asked and did\n"
"  --replay FILE    ask it the same again, from such a file or from tracefs\n"
"  --list           the scenarios\n"
"  --scale          large hosts: fairness and latency, and whether they are what they were\n"
"  --cost           calls on a host of --cpus and --vms, to be counted by callgrind\n"
"  --verbose        tell more\n";

static const struct sim_scene *find(const char *name)
{
	const struct sim_scene *s;

	for (s = sim_scenes; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	for (s = sim_bugs; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static void list(const struct sim_scene *s)
{
	for (; s->name; s++)
		printf("%-16s %s\n", s->name, s->what);
}

static void run_scene(const struct sim_scene *s)
{
	sim.scene = s->name;
	sim.seed = opt.seed;
	sim_reseed(opt.seed);
	s->run();
	printf("ok - %s: %s\n", s->name, s->what);
	fflush(stdout);
}

/* Each seed makes one scenario, so that a failure is repeated by its own seed alone. */
static void run_random(u64 seconds)
{
	u64 seed = opt.seed, scenarios = 0;
	time_t end = time(NULL) + seconds;

	do {
		sim_random(seed++, min_t(u64, opt.events, EVENTS_EACH));
		scenarios++;
	} while (sim.events < opt.events && (!seconds || time(NULL) < end));
	printf("# calls: wake %llu, hold %llu, next %llu, put %llu, attend %llu, timer %llu,",
	       CALLS(WAKE), CALLS(HOLD), CALLS(NEXT), CALLS(PUT), CALLS(ATTEND), CALLS(TIMER));
	printf(" yield_to %llu, online %llu, quota %llu\n", CALLS(YIELD_TO), CALLS(ONLINE),
	       CALLS(QUOTA));
	printf("ok - random: %llu events in %llu scenarios, seeds %llu to %llu\n",
	       (unsigned long long)sim.events, (unsigned long long)scenarios,
	       (unsigned long long)opt.seed, (unsigned long long)seed - 1);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "events", required_argument, NULL, 'e' },
		{ "seconds", required_argument, NULL, 't' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "domains", required_argument, NULL, 'd' },
		{ "vms", required_argument, NULL, 'v' },
		{ "units", required_argument, NULL, 'u' },
		{ "break", required_argument, NULL, 'b' },
		{ "trace", required_argument, NULL, 'T' },
		{ "replay", required_argument, NULL, 'R' },
		{ "list", no_argument, NULL, 'l' },
		{ "scale", no_argument, NULL, 'x' },
		{ "cost", no_argument, NULL, 'C' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *name = "random", *replay = NULL;
	bool scale = false, cost = false;
	const struct sim_scene *s;
	u64 seconds = 0;
	int o;

	opt.seed = time(NULL);
	opt.events = 1000000;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 's':
			name = optarg;
			break;
		case 'S':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'e':
			opt.events = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			opt.cpus = strtoul(optarg, NULL, 0);
			break;
		case 'd':
			opt.doms = strtoul(optarg, NULL, 0);
			break;
		case 'v':
			opt.vms = strtoul(optarg, NULL, 0);
			break;
		case 'u':
			opt.units = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			opt.mutant = optarg;
			break;
		case 'R':
			replay = optarg;
			break;
		case 'V':
			opt.verbose = true;
			break;
		case 'x':
			scale = true;
			break;
		case 'C':
			cost = true;
			break;
		case 'T':
			opt.trace = fopen(optarg, "w");
			if (!opt.trace) {
				perror(optarg);
				return 2;
			}
			break;
		case 'l':
			list(sim_scenes);
			list(sim_bugs);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind != argc || (opt.mutant && !sim_mutate(opt.mutant) && !sim_break(opt.mutant))) {
		fputs(usage, stderr);
		return 2;
	}
	if (replay)
		return sim_replay(replay);
	if (scale)
		return sim_scale();
	if (cost)
		return sim_cost();
	if (!strcmp(name, "random")) {
		run_random(seconds);
	} else if (!strcmp(name, "all")) {
		for (s = sim_scenes; s->name; s++)
			run_scene(s);
		for (s = sim_bugs; s->name; s++)
			run_scene(s);
	} else {
		s = find(name);
		if (!s) {
			fprintf(stderr, "sim: no scenario '%s'; see --list\n", name);
			return 2;
		}
		run_scene(s);
	}
	if (opt.trace)
		fclose(opt.trace);
	return 0;
}
