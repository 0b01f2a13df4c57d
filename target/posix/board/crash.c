/*
 * A reset is the same program begun anew in the same process. What outlives
 * it on the chip, the reset's cause and the crash record, goes along in the environment.
 */
#define _GNU_SOURCE
#include "target/stm32f429/crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "host/keys.h"
#include "target/posix/board/board.h"

#define CAUSE "MOTE_RESET_CAUSE"
#define CRASH "MOTE_CRASH"
#define TIME  "MOTE_RESET_TIME_US"

enum {
    ENVIRONMENT_MAX = 1000,  /* entries; what is beyond is not handed on */
    CRASH_LOOP_US = 1000000, /* a crash so soon after a crash would come again and again */
};

static struct {
    char **argv;
    char *environment[ENVIRONMENT_MAX + 4];
    size_t variables;
    char cause[32];      /* of the last reset */
    char crash[64];      /* before it: "NUMBER MODULE" */
    uint64_t time_us;    /* of it, since the first start */
    char next_cause[64]; /* entries for the next environment */
    char next_time[64];
    char next_crash[64];
} reset;

static void take(const char *name, char *value, size_t size)
{
    const char *text = getenv(name);

    if (text)
        (void)snprintf(value, size, "%s", text);
    (void)unsetenv(name);
}

void reset_prepare(char **argv)
{
    char time[32] = "";

    reset.argv = argv;
    take(CAUSE, reset.cause, sizeof reset.cause);
    take(CRASH, reset.crash, sizeof reset.crash);
    take(TIME, time, sizeof time);
    reset.time_us = strtoull(time, NULL, 10);
    while (reset.variables < ENVIRONMENT_MAX && environ[reset.variables]) {
        reset.environment[reset.variables] = environ[reset.variables];
        reset.variables++;
    }
}

const char *reset_cause(void)
{
    return reset.cause[0] ? reset.cause : NULL;
}

uint64_t reset_time_us(void)
{
    return reset.time_us;
}

static void add_text(char *to, size_t size, const char *text)
{
    size_t length = strlen(to);

    while (*text != '\0' && length + 1 < size)
        to[length++] = *text++;
    to[length] = '\0';
}

static void add_number(char *to, size_t size, uint64_t number)
{
    char digits[24] = "";
    size_t at = sizeof digits - 1;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    add_text(to, size, digits + at);
}

_Noreturn void reset_board(const char *cause)
{
    const struct itimerval never = {0};
    sigset_t all;
    size_t count = reset.variables;

    keys_restore();
    (void)setitimer(ITIMER_PROF, &never, NULL); /* it would outlive the reset, its handler would not */
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL); /* nor does a mask belong to the next life */
    add_text(reset.next_cause, sizeof reset.next_cause, CAUSE "=");
    add_text(reset.next_cause, sizeof reset.next_cause, cause);
    reset.environment[count++] = reset.next_cause;
    add_text(reset.next_time, sizeof reset.next_time, TIME "=");
    add_number(reset.next_time, sizeof reset.next_time, reset.time_us + board_now_us());
    reset.environment[count++] = reset.next_time;
    if (reset.next_crash[0])
        reset.environment[count++] = reset.next_crash;
    (void)execve("/proc/self/exe", reset.argv, reset.environment);
    _exit(EXIT_FAILURE);
}

_Noreturn void system_reset(void)
{
    reset_board("software");
}

_Noreturn void assertion_failed(const char *module, uint32_t number)
{
    board_remark("assertion %s %u", module, (unsigned)number);
    if (reset.crash[0] && board_now_us() < CRASH_LOOP_US) {
        board_remark("again within a second: stopped");
        exit(EXIT_FAILURE);
    }
    (void)snprintf(reset.next_crash, sizeof reset.next_crash, CRASH "=%u %.*s", (unsigned)number,
                   CRASH_MODULE_SIZE - 1, module);
    system_reset();
}

bool crash_take(struct crash_record *record)
{
    char *end;

    *record = (struct crash_record){.reason = CRASH_ASSERTION};
    record->number = (uint32_t)strtoul(reset.crash, &end, 10);
    if (*end != ' ')
        return false;
    (void)snprintf(record->module, sizeof record->module, "%.*s", CRASH_MODULE_SIZE - 1, end + 1);
    return true;
}
