/*
 * Pins (RM0090 8). A pin is one byte, so that tables of pins are small:
 * GPIO_PIN('B', 7). Setting and reading are one bus access, from any context;
 * gpio_configure is for boot, before interrupts use the port.
 */
#ifndef STM32F429_GPIO_H
#define STM32F429_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "target/stm32f429/registers.h"

#define GPIO_PIN(port, number) ((uint8_t)(((port) - 'A') << 4 | (number)))

enum gpio_mode {
    GPIO_INPUT = 0,
    GPIO_OUTPUT = 1,
    GPIO_ALTERNATE = 2,
};

/* Enables the port's clock. No pull, push-pull; outputs slow, alternate functions at very high speed
 * (RM0090 8.4.3). */
void gpio_configure(uint8_t pin, enum gpio_mode mode, uint32_t alternate_function);

static inline volatile struct gpio_registers *gpio_port(uint8_t pin)
{
    return GPIO((uint32_t)pin >> 4);
}

static inline void gpio_write(uint8_t pin, bool high)
{
    gpio_port(pin)->BSRR = 1u << ((pin & 15u) + (high ? 0 : 16));
}

static inline bool gpio_read(uint8_t pin)
{
    return (gpio_port(pin)->IDR >> (pin & 15u) & 1u) != 0;
}

static inline bool gpio_output_is_high(uint8_t pin)
{
    return (gpio_port(pin)->ODR >> (pin & 15u) & 1u) != 0;
}

#endif
