/* The watchdog: no reset as long as it is fed, one when it is not, and the next boot knows why. */
// board: --strict
#include <string.h>

#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/chip.h"
#include "target/stm32f429/iwdg.h"
#include "target/stm32f429/wait.h"

enum {
    STARTED = 0x57415443,
    TIMEOUT_MS = 100,
    CYCLES_PER_MS = 180000,
};

static uint32_t stage __attribute__((section(".noinit")));

int main(void)
{
    const char *cause = chip_reset_cause();
    if (stage == STARTED) {
        CHECK(strcmp(cause, "watchdog") == 0);
        OK("reset by the watchdog, and known as such");
        semihosting_exit(0);
    }
    CHECK(board_init() == 0);
    CHECK(iwdg_start(TIMEOUT_MS) == 0);
    for (int i = 0; i < 10; i++) { /* at least half of the time-out each, five in all */
        wait_cycles(TIMEOUT_MS / 2 * CYCLES_PER_MS);
        iwdg_feed();
    }
    OK("no reset while fed");
    stage = STARTED;
    wait_cycles(10 * TIMEOUT_MS * CYCLES_PER_MS);
    CHECK(!"the watchdog must have reset the chip by now");
}
