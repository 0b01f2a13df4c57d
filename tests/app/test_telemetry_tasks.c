/* What the telemetry says of the tasks: shares, longest times, and that it always fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "app/telemetry_tasks.h"

enum { MHZ = 180 };

/* In the place of KERNEL_DEFINE's: the table, and what its tasks have done. */
const char *const kernel_task_names[] = {TASKS(KERNEL_NAME_HARDWARE, KERNEL_NAME_SOFTWARE)};
const char *const kernel_resource_names[] = {RESOURCES(KERNEL_NAME_RESOURCE) ""};
struct kernel_task_statistics kernel_statistics_of_tasks[KERNEL_TASKS];
uint32_t kernel_statistics_of_locks[KERNEL_RESOURCES + 1];

/* No interrupts here. */
uint32_t port_mask(void)
{
    return 0;
}

void port_unmask(uint32_t before)
{
    (void)before;
}

static struct telemetry_tasks telemetry;
static char json[TELEMETRY_TASKS_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    memset(&telemetry, 0, sizeof telemetry);
    memset(kernel_statistics_of_tasks, 0, sizeof kernel_statistics_of_tasks);
    memset(kernel_statistics_of_locks, 0, sizeof kernel_statistics_of_locks);
    return 0;
}

static void write(uint64_t now_us)
{
    memset(json, '#', sizeof json);
    size_t length = telemetry_write_tasks(&telemetry, now_us, MHZ, json);
    assert_in_range(length, 1, TELEMETRY_TASKS_MAX);
    assert_int_equal(json[TELEMETRY_TASKS_MAX], '#');
    json[length] = '\0';
    assert_string_equal(json + length - 2, "}}");
}

static void assert_task(const char *name, unsigned load_ppm, unsigned longest_us)
{
    char expected[128];
    (void)snprintf(expected, sizeof expected, "\"%s\":{\"load_ppm\":%u,\"longest_us\":%u}", name, load_ppm,
                   longest_us);
    if (!strstr(json, expected))
        fail_msg("no %s in %s", expected, json);
}

static void ran(enum kernel_task_number task, uint64_t us)
{
    struct kernel_task_statistics *statistics = &kernel_statistics_of_tasks[task];
    statistics->runs++;
    statistics->cycles += us * MHZ;
    if (us * MHZ > statistics->cycles_max)
        statistics->cycles_max = (uint32_t)(us * MHZ);
}

static void share_is_of_the_time_since_the_last_report(void **state)
{
    (void)state;
    ran(TASK_link, 2000);
    write(1000000);
    assert_task("link", 2000, 2000);
    assert_task("ethernet", 0, 0);
    ran(TASK_ethernet, 250000);
    ran(TASK_link, 1000);
    ran(TASK_button, 1);
    write(1500000);
    assert_task("button", 2, 1);
    assert_task("ethernet", 500000, 250000);
    assert_task("link", 2000, 2000);
    write(2500000);
    assert_task("ethernet", 0, 250000);
}

static void share_of_an_hour_and_of_a_moment(void **state)
{
    (void)state;
    kernel_statistics_of_tasks[TASK_link].cycles = UINT64_C(900) * 1000000 * MHZ;
    write(UINT64_C(3600) * 1000000);
    assert_task("link", 250000, 0);
    write(UINT64_C(3600) * 1000000 + 999);
    assert_task("link", 0, 0);
}

static void locks_are_listed(void **state)
{
    (void)state;
    kernel_statistics_of_locks[RESOURCE_network] = 77 * MHZ + MHZ - 1;
    write(1000000);
    assert_non_null(strstr(json, "\"locks\":{\"network\":{\"longest_us\":77}"));
}

static void the_largest_numbers_fit(void **state)
{
    (void)state;
    memset(kernel_statistics_of_tasks, 0xFF, sizeof kernel_statistics_of_tasks);
    memset(kernel_statistics_of_locks, 0xFF, sizeof kernel_statistics_of_locks);
    size_t length = telemetry_write_tasks(&telemetry, 1000, 1, json); /* far more run than time passed */
    assert_memory_equal(json + length - 2, "}}", 2);
    json[length] = '\0';
    assert_non_null(strstr(json, "\"longest_us\":4294967295"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(share_is_of_the_time_since_the_last_report, set_up),
        cmocka_unit_test_setup(share_of_an_hour_and_of_a_moment, set_up),
        cmocka_unit_test_setup(locks_are_listed, set_up),
        cmocka_unit_test_setup(the_largest_numbers_fit, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
