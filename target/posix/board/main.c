/*
 * The process around the firmware. It begins here (the linker is told to wrap main), reads the
 * command line, and calls the application's main. From then on it is the core's sleep:
 * keys, frames and time come in while the kernel waits for interrupts.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/keys.h"
#include "target/posix/board/board.h"
#include "target/posix/board/options.h"
#include "target/posix/kernel_port.h"
#include "target/posix/linux_device.h"

int __real_main(void); /* the application's */
int __wrap_main(int argc, char **argv);

static struct {
    uint64_t now_us;
    struct keys keys;
    unsigned next_event;
} loop;

uint64_t board_now_us(void)
{
    return loop.now_us;
}

void board_remark(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fprintf(stderr, "[board %10.6f] ", (double)(reset_time_us() + loop.now_us) / 1e6);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

/* ---- Keys ---- */

static _Noreturn void stop(void)
{
    board_remark("stopped");
    exit(EXIT_SUCCESS);
}

static void act(char key)
{
    switch (key) {
    case 'b': board_press(); break;
    case 'c': board_set_cable(!board_cable_is_in()); break;
    case 'r': reset_board("reset pin");
    case 'q': stop();
    default: break; /* newlines, and what means nothing */
    }
}

static void read_keys(const struct pollfd *entry)
{
    char keys[16];
    size_t length = entry->revents ? keys_read(&loop.keys, keys, sizeof keys) : 0;

    for (size_t i = 0; i < length; i++)
        act(keys[i]);
}

/* Leaves the terminal as it was. */
static void on_end(int signal_number)
{
    keys_restore();
    (void)raise(signal_number);
}

static void on_suspend(int signal_number)
{
    (void)signal_number;
    keys_suspend(); // NOLINT(bugprone-signal-handler): it is meant for one (host/keys.h)
}

static void open_keys(void)
{
    const struct sigaction end = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};

    loop.keys.fd = -1;
    if (options.virtual_time)
        return;
    keys_open(&loop.keys, STDIN_FILENO);
    if (!loop.keys.terminal)
        return;
    (void)atexit(keys_restore);
    (void)sigaction(SIGINT, &end, NULL);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigaction(SIGHUP, &end, NULL);
    (void)signal(SIGTSTP, on_suspend);
}

/* ---- Time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the command line says is meant from the first start on, the rest from the last reset. */
static uint64_t since_reset(uint64_t time_us)
{
    return time_us == UINT64_MAX ? UINT64_MAX : time_us - earlier(time_us, reset_time_us());
}

static uint64_t next_event_us(void)
{
    return loop.next_event < options.event_count ? since_reset(options.events[loop.next_event].at_us)
                                                 : UINT64_MAX;
}

/* What of the board's own is due by the present time. */
static void do_what_is_due(void)
{
    if (loop.now_us >= board_release_due_us())
        board_release();
    while (next_event_us() <= loop.now_us)
        act(options.events[loop.next_event++].key);
    if (loop.now_us >= iwdg_due_us())
        reset_board("watchdog");
    if (loop.now_us >= since_reset(options.end_us))
        stop();
}

/* `timeout_ms` below 0 is any time. */
static struct timespec time_left(uint64_t until_us, int timeout_ms)
{
    uint64_t real_us = linux_now_us();
    uint64_t left_us = until_us > real_us ? until_us - real_us : 0;

    if (timeout_ms >= 0)
        left_us = earlier(left_us, (uint64_t)timeout_ms * 1000);
    return (struct timespec){.tv_sec = (time_t)(left_us / 1000000),
                             .tv_nsec = (long)(left_us % 1000000 * 1000)};
}

/* Behind real time, as after the process was stopped, this makes up for it deadline by deadline. */
static void wait_in_real_time(uint64_t until_us)
{
    struct pollfd fds[NETWORK_POLLFDS + 1] = {{.fd = loop.keys.fd, .events = POLLIN}};
    int timeout_ms = -1;
    uint32_t count = ethernet_fill(fds + 1, NETWORK_POLLFDS, &timeout_ms);
    struct timespec left = time_left(until_us, timeout_ms);

    if (ppoll(fds, count + 1, &left, NULL) < 0) {
        for (uint32_t i = 0; i <= count; i++)
            fds[i].revents = 0;
    }
    uint64_t real_us = earlier(linux_now_us(), until_us);
    if (real_us > loop.now_us)
        loop.now_us = real_us;
    ethernet_dispatch(fds + 1, count);
    read_keys(&fds[0]);
}

static void leap_in_virtual_time(uint64_t until_us)
{
    int timeout_ms = -1;
    uint32_t count = ethernet_fill(NULL, 0, &timeout_ms);

    if (timeout_ms >= 0)
        until_us = earlier(until_us, loop.now_us + (uint64_t)timeout_ms * 1000);
    if (until_us > loop.now_us)
        loop.now_us = until_us;
    ethernet_dispatch(NULL, count);
}

/* The core sleeps (kernel_port.h). */
static uint64_t sleep_until(uint64_t until_us)
{
    until_us = earlier(until_us, earlier(next_event_us(), earlier(board_release_due_us(), iwdg_due_us())));
    until_us = earlier(until_us, earlier(ethernet_due_us(), since_reset(options.end_us)));
    if (options.virtual_time)
        leap_in_virtual_time(until_us);
    else
        wait_in_real_time(until_us);
    do_what_is_due();
    return loop.now_us;
}

void board_loop_start(void)
{
    (void)linux_now_us(); /* both clocks start now */
    posix_on_sleep(sleep_until);
}

int __wrap_main(int argc, char **argv)
{
    char message[NETWORK_MESSAGE];

    reset_prepare(argv);
    options_take(argc, argv);
    while (reset_cause() && next_event_us() == 0)
        loop.next_event++; /* done in an earlier life */
    if (!ethernet_open(message, sizeof message)) {
        (void)fprintf(stderr, "mote-posix: %s\n", message);
        return OPTIONS_BAD_USE;
    }
    open_keys();
    return __real_main();
}
