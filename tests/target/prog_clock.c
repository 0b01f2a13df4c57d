/* Clock bring-up to 180 MHz, LEDs and button, as the registers and the cycle counter show them. */
// board: --strict
#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/chip.h"
#include "target/stm32f429/clock.h"
#include "target/stm32f429/gpio.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/registers.h"

enum {
    TIMER_TICKS = 1000,
    CYCLES_PER_TICK = 2, /* APB1 timers run at HCLK / 2 */
    TOLERANCE = 40,
};

/* The timer against the core's cycle counter. */
static void check_timer_ratio(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT->CYCCNT = 0;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;
    RCC->APB1ENR |= RCC_APB1_TIM2;
    (void)RCC->APB1ENR;
    TIM2->ARR = UINT32_MAX;
    TIM2->PSC = 0;
    TIM2->EGR = TIM_EGR_UG;
    TIM2->CR1 = TIM_CR1_CEN;

    uint32_t ticks = TIM2->CNT;
    uint32_t cycles = DWT->CYCCNT;
    while (TIM2->CNT - ticks < TIMER_TICKS)
        continue;
    cycles = DWT->CYCCNT - cycles;
    CHECK(cycles >= TIMER_TICKS * CYCLES_PER_TICK - TOLERANCE);
    CHECK(cycles <= TIMER_TICKS * CYCLES_PER_TICK + TOLERANCE);
}

int main(void)
{
    uint8_t mac[6];

    CHECK(chip_reset_cause()[0] == 'p'); /* power-on */
    CHECK(board_init() == 0);
    CHECK(clock_hclk_hz() == 180000000);
    CHECK((RCC->CFGR & RCC_CFGR_SWS_MASK) == RCC_CFGR_SWS_PLL);
    check_timer_ratio();
    OK("180 MHz");

    board_led(BOARD_LD1, true);
    CHECK(gpio_output_is_high(GPIO_PIN('B', 0)));
    board_led_toggle(BOARD_LD1);
    CHECK(!gpio_output_is_high(GPIO_PIN('B', 0)));
    CHECK(!board_button());
    OK("LEDs and button");

    board_mac_from_uid(mac);
    CHECK((mac[0] & 3) == 2);
    OK("locally administered MAC address");
    CHECK(stack_unused_bytes() > 1024 && stack_unused_bytes() < 3072);
    OK("stack measured");
    semihosting_exit(0);
}
