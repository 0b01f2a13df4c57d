/* Unique id, clock, random numbers, watchdog, memory: the chip's small parts. */
#include "target/stm32f429/chip.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>

#include "target/posix/board/board.h"
#include "target/posix/board/options.h"
#include "target/posix/kernel_port.h"
#include "target/posix/random.h"
#include "target/stm32f429/clock.h"
#include "target/stm32f429/iwdg.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/rng.h"

void chip_interrupt(unsigned number, bool on)
{
    posix_interrupt(number, on);
}

const char *chip_reset_cause(void)
{
    return reset_cause() ? reset_cause() : "power-on";
}

/* FNV-1a of the machine's id (machine-id(5)) and the instance. In virtual time of the instance alone, so that
 * a run is the same on all machines. */
const uint8_t *chip_uid(void)
{
    static uint8_t uid[CHIP_UID_SIZE];
    char machine[32] = "mote-posix";
    FILE *file = options.virtual_time ? NULL : fopen("/etc/machine-id", "re");
    uint64_t hash = 0xCBF29CE484222325u ^ options.instance;

    if (file) {
        (void)!fread(machine, 1, sizeof machine,
                     file); /* without one, or with a short one, it is what it is */
        (void)fclose(file);
    }
    for (size_t i = 0; i < sizeof machine + CHIP_UID_SIZE; i++) {
        hash = (hash ^ (i < sizeof machine ? (uint8_t)machine[i] : 0u)) * 0x100000001B3u;
        if (i >= sizeof machine)
            uid[i - sizeof machine] = (uint8_t)(hash >> 56);
    }
    return uid;
}

/* As the kernel's port counts cycles. */
uint32_t clock_hclk_hz(void)
{
    return 180000000;
}

/* ---- Random numbers ---- */

/* After a reset the numbers are others, seeded or not. */
int rng_init(void)
{
    options.seed ^= reset_time_us();
    return 0;
}

int rng_read(uint32_t *number)
{
    if (!options.seeded)
        return getrandom(number, sizeof *number, 0) == sizeof *number ? 0 : RNG_TIMEOUT;
    *number = (uint32_t)random_next(&options.seed);
    return 0;
}

/* ---- Watchdog ---- */

/*
 * Two clocks watch. On the board's own a task that is not called any more is
 * noticed; a task that never ends lets no time pass there, but takes the
 * process's, which stands still while a debugger holds it.
 */
static struct {
    uint32_t timeout_ms; /* 0: not started */
    uint64_t due_us;
} watchdog = {.due_us = UINT64_MAX};

static void bite(int signal_number)
{
    (void)signal_number;
    reset_board("watchdog"); // NOLINT(bugprone-signal-handler): it is safe there (board.h)
}

int iwdg_start(uint32_t timeout_ms)
{
    watchdog.timeout_ms = timeout_ms;
    (void)signal(SIGPROF, bite);
    iwdg_feed();
    return 0;
}

void iwdg_feed(void)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = watchdog.timeout_ms / 1000, .tv_usec = watchdog.timeout_ms % 1000 * 1000}};

    if (watchdog.timeout_ms == 0)
        return;
    watchdog.due_us = board_now_us() + (uint64_t)watchdog.timeout_ms * 1000;
    (void)setitimer(ITIMER_PROF, &timer, NULL);
}

uint64_t iwdg_due_us(void)
{
    return watchdog.due_us;
}

/* ---- Memory ---- */

/* A process's stack is the host's, and not painted. */
size_t stack_unused_bytes(void)
{
    return 0;
}
