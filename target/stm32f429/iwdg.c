#include "target/stm32f429/iwdg.h"

#include "target/stm32f429/registers.h"
#include "target/stm32f429/wait.h"

enum {
    PRESCALER_128 = 5, /* 4 ms a tick at 32 kHz */
    TICK_MS = 4,
    RELOAD_MAX = 0xFFF,
    BUSY = 3, /* IWDG_SR: PVU, RVU */
};

int iwdg_start(uint32_t timeout_ms)
{
    uint32_t ticks = (timeout_ms + TICK_MS - 1) / TICK_MS;

    IWDG->KR = IWDG_KR_START; /* starts the LSI too, without which PR and RLR never settle */
    IWDG->KR = IWDG_KR_UNLOCK;
    IWDG->PR = PRESCALER_128;
    IWDG->RLR = ticks > RELOAD_MAX ? RELOAD_MAX : ticks;
    if (!wait_for(&IWDG->SR, BUSY, 0))
        return -1;
    iwdg_feed();
    return 0;
}

void iwdg_feed(void)
{
    IWDG->KR = IWDG_KR_RELOAD;
}
