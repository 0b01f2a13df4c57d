#include "target/nucleo-f429zi/board.h"

#include <stddef.h>

#include "target/stm32f429/chip.h"
#include "target/stm32f429/clock.h"
#include "target/stm32f429/gpio.h"
#include "target/stm32f429/registers.h"

enum { AF_ETHERNET = 11 };

static const uint8_t leds[] = {
    [BOARD_LD1] = GPIO_PIN('B', 0),
    [BOARD_LD2] = GPIO_PIN('B', 7),
    [BOARD_LD3] = GPIO_PIN('B', 14),
};
static const uint8_t button = GPIO_PIN('C', 13);
static const uint8_t rmii[] = {
    GPIO_PIN('A', 1),  /* REF_CLK */
    GPIO_PIN('A', 2),  /* MDIO */
    GPIO_PIN('A', 7),  /* CRS_DV */
    GPIO_PIN('C', 1),  /* MDC */
    GPIO_PIN('C', 4),  /* RXD0 */
    GPIO_PIN('C', 5),  /* RXD1 */
    GPIO_PIN('G', 11), /* TX_EN */
    GPIO_PIN('G', 13), /* TXD0 */
    GPIO_PIN('B', 13), /* TXD1 */
};

/* A sleeping core is lost to the probe unless these bits are set; they outlive a system reset. */
static void configure_debug(void)
{
#ifdef MOTE_DEBUG
    DBGMCU->CR |= DBGMCU_CR_SLEEP_STOP_STANDBY;
    DBGMCU->APB1FZ |= DBGMCU_APB1FZ_IWDG;
#else
    DBGMCU->CR &= ~DBGMCU_CR_SLEEP_STOP_STANDBY;
#endif
}

int board_init(void)
{
    int error = clock_init();

    configure_debug();
    for (size_t i = 0; i < sizeof leds; i++)
        gpio_configure(leds[i], GPIO_OUTPUT, 0);
    gpio_configure(button, GPIO_INPUT, 0);
    for (size_t i = 0; i < sizeof rmii; i++)
        gpio_configure(rmii[i], GPIO_ALTERNATE, AF_ETHERNET);
    return error;
}

void board_led(enum board_led led, bool on)
{
    gpio_write(leds[led], on);
}

void board_led_toggle(enum board_led led)
{
    gpio_write(leds[led], !gpio_output_is_high(leds[led]));
}

bool board_button(void)
{
    return gpio_read(button);
}

void board_mac_from_uid(uint8_t mac_address[6])
{
    /* FNV-1a: chips of one wafer differ in few bits of the id, and that must show in all of the address. */
    const uint8_t *uid = chip_uid();
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < CHIP_UID_SIZE; i++)
        hash = (hash ^ uid[i]) * 0x100000001B3u;
    for (size_t i = 0; i < 6; i++)
        mac_address[i] = (uint8_t)(hash >> (8 * i));
    mac_address[0] = (uint8_t)((mac_address[0] & ~1u) | 2u);
}
