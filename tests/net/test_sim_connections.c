/*
 * The simulation of sim.h, seed by seed. A seed that fails is run again with its frames written to a file.
 *
 * Usage: PROGRAM [first seed [number of seeds]]; a single one is described and recorded, as
 * simulation-SEED.pcapng.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

#if NET_WITH_TCP_LISTEN

#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_capture.h"

#if defined(__SANITIZE_ADDRESS__)
enum { CONNECTIONS = 40000 };
#else
enum { CONNECTIONS = 120000 };
#endif

static unsigned first_seed = 1, worlds = CONNECTIONS / SIM_CONNECTIONS, seed;
static bool single;
static struct sim sim;

/* What a sanitizer calls before it ends the program. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void say_seed(void)
{
    (void)fprintf(stderr, "seed %u\n", seed);
}

/* The run again, for the record; both end in the same way. */
static void record_run(bool good)
{
    const char *const names[2] = {"client", "server"};
    char path[64];
    (void)snprintf(path, sizeof path, "simulation-%u.pcapng", seed);
    FILE *file = capture_open(path, names);
    if (!file) {
        print_message("%s cannot be written\n", path);
        return;
    }
    bool again = sim_run(&sim, seed, file);
    print_message("frames: %s%s\n", path, capture_close(file) ? "" : ", which could not be written");
    assert_int_equal(again, good);
}

static void add(struct sim_totals *all, const struct sim_totals *one)
{
    all->connections += one->connections;
    all->bytes += one->bytes;
    all->frames += one->frames;
    all->lost += one->lost;
    all->retransmissions += one->retransmissions;
    all->virtual_ms += one->virtual_ms;
    all->forgotten += one->forgotten;
    all->longest_stall_ms =
        one->longest_stall_ms > all->longest_stall_ms ? one->longest_stall_ms : all->longest_stall_ms;
    all->closest = one->closest > all->closest ? one->closest : all->closest;
}

static void report(const struct sim_totals *all)
{
    print_message(
        "%llu connections, %llu begun again; %llu bytes, %llu frames, %llu of them lost or damaged, "
        "%llu segments sent again; %llu hours; longest stall %llu ms; nearest to its bound: %u %%\n",
        (unsigned long long)all->connections, (unsigned long long)all->forgotten,
        (unsigned long long)all->bytes, (unsigned long long)all->frames, (unsigned long long)all->lost,
        (unsigned long long)all->retransmissions, (unsigned long long)all->virtual_ms / 3600000,
        (unsigned long long)all->longest_stall_ms, all->closest);
}

static void connections(void **state)
{
    (void)state;
    struct sim_totals all = {0};
    for (seed = first_seed; seed < first_seed + worlds; seed++) {
        bool good = sim_run(&sim, seed, NULL);
        add(&all, &sim.totals);
        if (single || !good) {
            print_message("seed %u: %s\n", seed, sim.description);
        }
        if (!good) {
            print_message("%s\n", sim.message);
        }
        if (single || !good) {
            record_run(good);
        }
        if (!good) {
            fail_msg("seed %u: replayed by giving it to this program", seed);
        }
    }
    report(&all);
}

int main(int count, char **arguments)
{
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(say_seed);
    }
    if (count > 1) {
        first_seed = (unsigned)strtoul(arguments[1], NULL, 0);
        worlds = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 1;
        single = worlds == 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(connections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
