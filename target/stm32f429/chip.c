#include "target/stm32f429/chip.h"

#include <stddef.h>

#include "target/stm32f429/registers.h"

const uint8_t *chip_uid(void)
{
    return (const uint8_t *)0x1FFF7A10;
}

const char *chip_reset_cause(void)
{
    /* Without those of the window watchdog and of the low-power modes, which are unused. Power-on sets the
     * brown-out flag too, and all of them that of the reset pin: the first that is set tells. */
    static const struct {
        uint8_t bit;
        char name[11];
    } causes[] = {
        {29, "watchdog"}, {28, "software"}, {27, "power-on"}, {25, "brown-out"}, {26, "reset pin"},
    };
    uint32_t flags = RCC->CSR;
    RCC->CSR = RCC_CSR_RMVF;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (flags >> causes[i].bit & 1u)
            return causes[i].name;
    }
    return "unknown";
}
