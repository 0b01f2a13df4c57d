/* Log lines from two priorities at once: each arrives whole and in its writer's order. */
// board: --strict
#include <string.h>

#include "log/log.h"
#include "log/rtt.h"
#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/registers.h"

enum {
    LINES = 3000,
    TICK_CYCLES = 6007, /* in no ratio to the time of a line, so that ticks fall everywhere in it */
    PREFIX = sizeof "[    0.000000] I " - 1,
};

static volatile uint32_t ticks;
static uint32_t seen_main;
static uint32_t seen_tick;

void SysTick_Handler(void)
{
    LOG_INFO("tick %lu", (unsigned long)ticks);
    ticks++;
}

static uint32_t number(const char *digits)
{
    uint32_t value = 0;
    while (*digits >= '0' && *digits <= '9')
        value = value * 10 + (uint32_t)(*digits++ - '0');
    CHECK(*digits == '\0');
    return value;
}

static void check_line(const char *line)
{
    CHECK(strncmp(line, "[    0.000000] I ", PREFIX) == 0);
    line += PREFIX;
    if (strncmp(line, "main ", 5) == 0)
        CHECK(number(line + 5) == seen_main++);
    else if (strncmp(line, "tick ", 5) == 0)
        CHECK(number(line + 5) == seen_tick++);
    else
        CHECK(!"neither of the two writers' lines");
}

/* As the probe does, while the core runs. */
static void drain(void)
{
    static char line[LOG_LINE_SIZE];
    static uint32_t length;
    struct rtt_channel *up = &_SEGGER_RTT.up;

    while (up->read != *(volatile uint32_t *)&up->write) {
        char c = *(volatile char *)&up->buffer[up->read];
        up->read = (up->read + 1) % up->size;
        if (c != '\n') {
            CHECK(length < sizeof line - 1);
            line[length++] = c;
            continue;
        }
        line[length] = '\0';
        length = 0;
        check_line(line);
    }
}

int main(void)
{
    CHECK(board_init() == 0);
    log_init(NULL);
    _SEGGER_RTT.id[0] = 0; /* hidden from the board's own reader: this program is the probe */
    SYSTICK->RVR = TICK_CYCLES - 1;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = 7; /* core clock, interrupt, enable */
    for (uint32_t i = 0; i < LINES; i++) {
        LOG_INFO("main %lu", (unsigned long)i);
        drain();
    }
    SYSTICK->CSR = 0;
    drain();
    CHECK(log_lines_lost() == 0);
    CHECK(seen_main == LINES);
    CHECK(seen_tick == ticks && ticks > LINES / 4);
    OK("lines from two priorities");
    semihosting_exit(0);
}
